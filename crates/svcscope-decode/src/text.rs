//! Text that is borrowed while it is parsed and shared when it is kept.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use svcscope_model::inventory::{SharedStr, address::canonical, plain::plain, plain_line};

/// Above this the pool is emptied: values that were common once (a hash of an old rollout) would
/// stay for ever otherwise. What is in use lives on in the records.
const MAX_POOL: usize = 16_384;

/// A string that borrows from the JSON unless it has escapes. What could command a terminal or
/// forge a line is replaced here, so that no record holds any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct JsonText<'json>(Cow<'json, str>);

impl JsonText<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text of its own, for what hardly occurs again: a uid, a message.
    pub fn to_shared(&self) -> SharedStr {
        SharedStr::from(self.as_str())
    }

    /// As [`Self::to_shared`]; none where it is empty.
    pub fn to_non_empty(&self) -> Option<SharedStr> {
        (!self.0.is_empty()).then(|| self.to_shared())
    }

    /// An address, in the form by which it is compared.
    pub fn to_address(&self) -> SharedStr {
        SharedStr::from(&*canonical(self.as_str()))
    }

    /// As [`Self::to_address`]; none where it is empty.
    pub fn to_non_empty_address(&self) -> Option<SharedStr> {
        Some(self.to_address()).filter(|address| !address.is_empty())
    }

    /// RFC 3339, as Kubernetes writes all times.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.as_str().parse().ok()
    }
}

impl PartialEq<str> for JsonText<'_> {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl PartialEq<&str> for JsonText<'_> {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

/// Each as a text of its own.
pub fn to_shared_texts(all: &[JsonText<'_>]) -> Vec<SharedStr> {
    all.iter().map(JsonText::to_shared).collect()
}

/// Those that are not empty, each as a text of its own.
pub fn to_non_empty_texts(all: &[JsonText<'_>]) -> Vec<SharedStr> {
    all.iter().filter_map(JsonText::to_non_empty).collect()
}

/// Those that are not empty, in the form by which addresses are compared.
pub fn to_addresses<'a>(all: impl IntoIterator<Item = &'a JsonText<'a>>) -> Vec<SharedStr> {
    all.into_iter()
        .filter_map(JsonText::to_non_empty_address)
        .collect()
}

impl<'de: 'json, 'json> Deserialize<'de> for JsonText<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JsonTextVisitor;
        impl<'de> Visitor<'de> for JsonTextVisitor {
            type Value = JsonText<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<JsonText<'de>, E> {
                Ok(JsonText(plain(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<JsonText<'de>, E> {
                Ok(JsonText(Cow::Owned(plain_line(text))))
            }
        }
        deserializer.deserialize_str(JsonTextVisitor)
    }
}

/// A map of strings in the order of the JSON, without a tree that is built only to be left.
#[derive(Debug, Default)]
pub struct JsonTextMap<'json>(Vec<(JsonText<'json>, JsonText<'json>)>);

impl JsonTextMap<'_> {
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == key)?;
        Some(value.as_str())
    }
}

impl<'de: 'json, 'json> Deserialize<'de> for JsonTextMap<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JsonTextMapVisitor;
        impl<'de> Visitor<'de> for JsonTextMapVisitor {
            type Value = JsonTextMap<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<JsonTextMap<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(JsonTextMap(pairs))
            }
        }
        deserializer.deserialize_map(JsonTextMapVisitor)
    }
}

/// A port number, where it is one; 0 and nonsense are none.
pub fn port_number(number: Option<i64>) -> Option<u16> {
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port != 0)
}

/// Makes [`SharedStr`]s; what repeats all over a cluster is kept once.
#[derive(Default)]
pub struct TextInterner {
    pool: HashSet<SharedStr>,
    /// What of the object at hand could not be read.
    decode_problems: Vec<String>,
}

impl TextInterner {
    /// A text that probably occurs again: a namespace, a label, a node's name.
    pub fn intern(&mut self, text: &str) -> SharedStr {
        if let Some(known) = self.pool.get(text) {
            return known.clone();
        }
        if self.pool.len() >= MAX_POOL {
            self.pool.clear();
        }
        let text = SharedStr::from(text);
        self.pool.insert(text.clone());
        text
    }

    /// As [`Self::intern`]; none where it is empty.
    pub fn intern_non_empty(&mut self, text: &JsonText<'_>) -> Option<SharedStr> {
        (!text.0.is_empty()).then(|| self.intern(text.as_str()))
    }

    /// A port number. 0 is what Go writes for none; what else is none is noted as an oddity.
    pub fn port(&mut self, field: &str, number: Option<i64>) -> Option<u16> {
        let found = port_number(number);
        if let (None, Some(number)) = (found, number.filter(|number| *number != 0)) {
            self.add_decode_problem(format!(
                "{field} is {number}, which is not a port number (1 to 65535)"
            ));
        }
        found
    }

    /// Something of the object at hand that can't be kept.
    pub fn add_decode_problem(&mut self, problem: String) {
        self.decode_problems.push(problem);
    }

    /// What was odd about the object that was read last, in a sentence.
    pub fn take_decode_problems(&mut self) -> Option<SharedStr> {
        const MAX_SHOWN: usize = 3;
        let all = std::mem::take(&mut self.decode_problems);
        let first = all.iter().take(MAX_SHOWN).map(String::as_str);
        let mut said = first.collect::<Vec<_>>().join(", ");
        if all.len() > MAX_SHOWN {
            said.push_str(&format!(", and {} more", all.len() - MAX_SHOWN));
        }
        (!all.is_empty()).then(|| said.into())
    }

    /// A map of labels.
    pub fn intern_map(&mut self, pairs: &JsonTextMap<'_>) -> BTreeMap<SharedStr, SharedStr> {
        pairs
            .0
            .iter()
            .map(|(key, value)| (self.intern(key.as_str()), self.intern(value.as_str())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_borrows_unless_it_is_escaped() {
        let plain: JsonText<'_> = serde_json::from_str(r#""web""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("web")));
        let escaped: JsonText<'_> = serde_json::from_str(r#""a\"b""#).unwrap();
        assert_eq!(escaped.as_str(), "a\"b");
        let hostile: JsonText<'_> = serde_json::from_str("\"a\\u001b[2J\\nb\u{9b}\"").unwrap();
        assert_eq!(hostile.as_str(), "a␛[2J b\u{fffd}");
    }

    #[test]
    fn what_repeats_is_kept_once_and_the_pool_is_bounded() {
        let mut texts = TextInterner::default();
        let first = texts.intern("app");
        assert!(std::ptr::eq(first.as_ptr(), texts.intern("app").as_ptr()));
        for n in 0..2 * MAX_POOL {
            texts.intern(&n.to_string());
        }
        assert!(texts.pool.len() <= MAX_POOL);
    }
}
