//! Text that is borrowed while it is parsed and shared when it is kept.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use crate::inventory::{Text, address::canonical, plain::plain, plain_line};

/// Above this the pool is emptied: values that were common once (a hash of an old rollout) would
/// stay for ever otherwise. What is in use lives on in the records.
const MAX_POOL: usize = 16_384;

/// A string that borrows from the JSON unless it has escapes. What could command a terminal or
/// forge a line is replaced here, so that no record holds any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Str<'json>(Cow<'json, str>);

impl Str<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'json, 'json> Deserialize<'de> for Str<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Str<'de>, E> {
                Ok(Str(plain(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(plain_line(text))))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A map of strings in the order of the JSON, without a tree that is built only to be left.
#[derive(Debug, Default)]
pub struct Pairs<'json>(Vec<(Str<'json>, Str<'json>)>);

impl Pairs<'_> {
    pub fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found.as_str() == key)?;
        Some(value.as_str())
    }
}

impl<'de: 'json, 'json> Deserialize<'de> for Pairs<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// Makes [`Text`]s; what repeats all over a cluster is kept once.
#[derive(Default)]
pub struct Interner {
    pool: HashSet<Text>,
    /// What of the object at hand could not be read.
    oddities: Vec<String>,
}

impl Interner {
    /// A text that probably occurs again: a namespace, a label, a node's name.
    pub fn common(&mut self, text: &str) -> Text {
        if let Some(known) = self.pool.get(text) {
            return known.clone();
        }
        if self.pool.len() >= MAX_POOL {
            self.pool.clear();
        }
        let text = Text::from(text);
        self.pool.insert(text.clone());
        text
    }

    /// As [`Self::common`], of something that may be absent or empty.
    pub fn common_some(&mut self, text: Option<&Str<'_>>) -> Option<Text> {
        text.map(Str::as_str)
            .filter(|text| !text.is_empty())
            .map(|text| self.common(text))
    }

    /// A port number. 0 is what Go writes for none; what else is none is noted as an oddity.
    pub fn port(&mut self, field: &str, number: Option<i64>) -> Option<u16> {
        let found = super::port(number);
        if let (None, Some(number)) = (found, number.filter(|number| *number != 0)) {
            self.odd(format!(
                "{field} is {number}, which is no port (1 to 65535)"
            ));
        }
        found
    }

    /// Something of the object at hand that can't be kept.
    pub fn odd(&mut self, said: String) {
        self.oddities.push(said);
    }

    /// What was odd about the object that was read last, in a sentence.
    pub fn take_oddities(&mut self) -> Option<Text> {
        const TOLD: usize = 3;
        let all = std::mem::take(&mut self.oddities);
        let first = all.iter().take(TOLD).map(String::as_str);
        let mut said = first.collect::<Vec<_>>().join(", ");
        if all.len() > TOLD {
            said.push_str(&format!(", and {} more", all.len() - TOLD));
        }
        (!all.is_empty()).then(|| said.into())
    }

    /// A map of labels.
    pub fn map(&mut self, pairs: Option<&Pairs<'_>>) -> BTreeMap<Text, Text> {
        let pairs = pairs.map(|pairs| pairs.0.as_slice()).unwrap_or_default();
        pairs
            .iter()
            .map(|(key, value)| (self.common(key.as_str()), self.common(value.as_str())))
            .collect()
    }
}

/// A text that hardly occurs again: a uid, an address, a message. Absent or empty is none.
pub fn own_some(text: Option<&Str<'_>>) -> Option<Text> {
    text.map(Str::as_str)
        .filter(|text| !text.is_empty())
        .map(Text::from)
}

/// As [`own_some`], where the record has an empty text for none.
pub fn own(text: Option<&Str<'_>>) -> Text {
    Text::from(text.map(Str::as_str).unwrap_or_default())
}

/// An address, in the form by which it is compared; absent is the empty text.
pub fn address(text: Option<&Str<'_>>) -> Text {
    Text::from(&*canonical(text.map(Str::as_str).unwrap_or_default()))
}

/// As [`address`]; absent or empty is none.
pub fn address_some(text: Option<&Str<'_>>) -> Option<Text> {
    Some(address(text)).filter(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_borrows_unless_it_is_escaped() {
        let plain: Str<'_> = serde_json::from_str(r#""web""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("web")));
        let escaped: Str<'_> = serde_json::from_str(r#""a\"b""#).unwrap();
        assert_eq!(escaped.as_str(), "a\"b");
        let hostile: Str<'_> = serde_json::from_str("\"a\\u001b[2J\\nb\u{9b}\"").unwrap();
        assert_eq!(hostile.as_str(), "a␛[2J b\u{fffd}");
    }

    #[test]
    fn what_repeats_is_kept_once_and_the_pool_is_bounded() {
        let mut texts = Interner::default();
        let first = texts.common("app");
        assert!(std::ptr::eq(first.as_ptr(), texts.common("app").as_ptr()));
        for n in 0..2 * MAX_POOL {
            texts.common(&n.to_string());
        }
        assert!(texts.pool.len() <= MAX_POOL);
    }
}
