//! A login under way, as a scene shows it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::Text;

/// How many of its lines are kept.
const KEPT_LINES: usize = 200;

/// A login that may be waiting for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginStatus {
    /// Tells it from others.
    pub id: u64,
    /// Who is asked: `the credential plugin aws`.
    pub whom: Text,
    /// Since when.
    pub since: Timestamp,
    /// Whether it has taken a few seconds by now.
    pub is_waiting: bool,
    /// What it printed.
    pub lines: Arc<Vec<Text>>,
    /// Whether the last line goes on.
    pub is_line_open: bool,
}

impl LoginStatus {
    /// One that begins.
    pub fn new(id: u64, whom: Text) -> Self {
        Self {
            id,
            whom,
            since: Timestamp::now(),
            is_waiting: false,
            lines: Arc::default(),
            is_line_open: false,
        }
    }

    /// It printed a line, or a part of one.
    pub fn printed(&mut self, text: &str, ends_line: bool) {
        let lines = Arc::make_mut(&mut self.lines);
        match lines.last_mut().filter(|_| self.is_line_open) {
            Some(last) => *last = format!("{last}{text}").into(),
            None => lines.push(text.into()),
        }
        if lines.len() > KEPT_LINES {
            lines.remove(0);
        }
        self.is_line_open = !ends_line;
    }

    /// Whether the user has something to see or to do.
    pub fn is_shown(&self) -> bool {
        self.is_waiting || !self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_and_what_follows_it_are_one_line() {
        let mut login = LoginStatus::new(1, "it".into());
        assert!(!login.is_shown());
        for (text, ends) in [
            ("open", true),
            ("code: ", false),
            ("AB", false),
            ("", true),
            ("done", true),
        ] {
            login.printed(text, ends);
        }
        let lines: Vec<&str> = login.lines.iter().map(|line| &**line).collect();
        assert_eq!(lines, ["open", "code: AB", "done"]);
        for _ in 0..2 * KEPT_LINES {
            login.printed("x", true);
        }
        assert_eq!(login.lines.len(), KEPT_LINES);
    }
}
