//! The items of a list, cut out while it arrives: no list is ever held whole, however long it is.

/// The longest object. etcd takes 1.5 MiB by default, aggregated APIs may have larger ones.
pub(super) const MAX_OBJECT: usize = 16 << 20;

/// The longest rest of a list: `kind`, `metadata`.
const MAX_ENVELOPE: usize = 1 << 20;

/// Takes the bytes of a list as they come.
#[derive(Default)]
pub(super) struct ListItemSplitter {
    /// The list without its items.
    envelope: Vec<u8>,
    item: Vec<u8>,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    in_items: bool,
    /// Where the last text of the outermost object begins in the rest.
    text_at: usize,
}

/// What is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListSizeError {
    /// An object.
    #[error("an object of the list is longer than {} MiB", MAX_OBJECT >> 20)]
    Object,
    /// All else.
    #[error("what surrounds the objects of the list is longer than {} MiB", MAX_ENVELOPE >> 20)]
    Envelope,
}

impl ListItemSplitter {
    /// The list without its items, once all of it has come.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// Takes the next bytes; `found` is called with each item that is complete.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut found: impl FnMut(&[u8]),
    ) -> Result<(), ListSizeError> {
        let mut left = bytes;
        while !left.is_empty() {
            left = self.take_text(left);
            if let Some((byte, more)) = left.split_first() {
                left = more;
                if self.in_items {
                    self.item_byte(*byte, &mut found);
                } else {
                    self.rest_byte(*byte);
                }
            }
            if self.item.len() > MAX_OBJECT {
                return Err(ListSizeError::Object);
            }
            if self.envelope.len() > MAX_ENVELOPE {
                return Err(ListSizeError::Envelope);
            }
        }
        Ok(())
    }

    /// Takes what is plain text, which most of a list is, in one go.
    fn take_text<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if !self.in_string || self.is_escaped {
            return bytes;
        }
        let special = |byte: &u8| matches!(byte, b'"' | b'\\');
        let plain = bytes.iter().position(special).unwrap_or(bytes.len());
        let (text, left) = bytes.split_at(plain);
        let kept = if self.in_items {
            &mut self.item
        } else {
            &mut self.envelope
        };
        kept.extend_from_slice(text);
        left
    }

    fn item_byte(&mut self, byte: u8, found: &mut impl FnMut(&[u8])) {
        let is_between = self.depth == 2 && !self.in_string;
        let ends_items = is_between && byte == b']';
        if ends_items || (is_between && byte == b',') {
            // An item that is not an object ends here.
            self.take_item(found);
            if ends_items {
                self.in_items = false;
                self.depth = 1;
                self.envelope.push(byte);
            }
            return;
        }
        if self.item.is_empty() && byte.is_ascii_whitespace() {
            return;
        }
        self.item.push(byte);
        self.follow(byte);
        if self.depth == 2 && !self.in_string && matches!(byte, b'}' | b']') {
            self.take_item(found);
        }
    }

    fn take_item(&mut self, found: &mut impl FnMut(&[u8])) {
        if !self.item.is_empty() {
            found(&self.item);
            self.item.clear();
        }
    }

    fn rest_byte(&mut self, byte: u8) {
        if byte == b'"' && !self.in_string && self.depth == 1 {
            self.text_at = self.envelope.len();
        }
        self.envelope.push(byte);
        let was_outside = !self.in_string;
        self.follow(byte);
        if was_outside && byte == b'[' && self.depth == 2 {
            let before = self.envelope.get(self.text_at..self.envelope.len() - 1);
            let before = before.unwrap_or_default().iter();
            let key: Vec<u8> = before
                .filter(|byte| !byte.is_ascii_whitespace())
                .copied()
                .collect();
            self.in_items = key == br#""items":"#;
        }
    }

    /// Keeps the depth, and whether a text is open.
    fn follow(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(list: &str, step: usize) -> (Vec<String>, String) {
        let (mut items, mut found) = (ListItemSplitter::default(), Vec::new());
        for piece in list.as_bytes().chunks(step) {
            items
                .feed(piece, |item| {
                    found.push(String::from_utf8_lossy(item).into_owned())
                })
                .unwrap();
        }
        (
            found,
            String::from_utf8_lossy(items.envelope()).into_owned(),
        )
    }

    #[test]
    fn items_are_cut_out_wherever_the_pieces_are_cut() {
        let list = r#"{"kind":"L","metadata":{"items":[1],"continue":"\"]}"},
            "items" : [ {"a":"]},\\\"","items":[{}]} , {}, 7,"x", null ,[1,[2]]], "z":["items",[]]}"#;
        let expected = [
            r#"{"a":"]},\\\"","items":[{}]}"#,
            "{}",
            "7",
            r#""x""#,
            "null ",
            "[1,[2]]",
        ];
        for step in [1, 2, 3, 7, 1000] {
            let (found, rest) = cut(list, step);
            assert_eq!(found, expected, "{step}");
            let rest: serde_json::Value = serde_json::from_str(&rest).unwrap();
            assert_eq!(rest["items"], serde_json::json!([]));
            assert_eq!(rest["metadata"]["continue"], "\"]}");
        }
        for odd in [r#"{"items":null}"#, "[]", "", "<html>", r#"["items",[1]]"#] {
            assert_eq!(cut(odd, 1), (Vec::new(), odd.to_owned()));
        }
    }

    #[test]
    fn what_never_ends_is_left() {
        let endless = |start: &str, what: &[u8]| {
            let mut items = ListItemSplitter::default();
            items.feed(start.as_bytes(), |_| {}).unwrap();
            (0..40).find_map(|_| items.feed(what, |_| {}).err())
        };
        let text = vec![b'x'; 1 << 20];
        assert_eq!(
            endless(r#"{"items":[{"a":""#, &text),
            Some(ListSizeError::Object)
        );
        assert_eq!(
            endless(r#"{"items":[{"a":["#, &vec![b'['; 1 << 20]),
            Some(ListSizeError::Object)
        );
        assert_eq!(
            endless(r#"{"kind":""#, &text),
            Some(ListSizeError::Envelope)
        );
    }
}
