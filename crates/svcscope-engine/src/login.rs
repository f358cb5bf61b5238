//! A login under way, as a scene shows it.

use std::sync::Arc;

use jiff::Timestamp;

use svcscope_model::inventory::SharedStr;

/// How many of its lines are kept.
const MAX_OUTPUT_LINES: usize = 200;

/// A login that may be waiting for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginStatus {
    /// Tells it from others.
    pub id: u64,
    /// Who is asked: `the credential plugin aws`.
    pub credential_source: SharedStr,
    /// Since when.
    pub started_at: Timestamp,
    /// Whether it has taken a few seconds by now.
    pub is_waiting: bool,
    /// What it printed.
    pub lines: Arc<Vec<SharedStr>>,
    /// Whether the last line goes on.
    pub is_line_open: bool,
}

impl LoginStatus {
    /// One that begins.
    pub fn new(id: u64, credential_source: SharedStr) -> Self {
        Self {
            id,
            credential_source,
            started_at: Timestamp::now(),
            is_waiting: false,
            lines: Arc::default(),
            is_line_open: false,
        }
    }

    /// It printed a line, or a part of one.
    pub fn append_output(&mut self, text: &str, ends_line: bool) {
        let lines = Arc::make_mut(&mut self.lines);
        match lines.last_mut().filter(|_| self.is_line_open) {
            Some(last) => *last = format!("{last}{text}").into(),
            None => lines.push(text.into()),
        }
        if lines.len() > MAX_OUTPUT_LINES {
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
            login.append_output(text, ends);
        }
        let lines: Vec<&str> = login.lines.iter().map(|line| &**line).collect();
        assert_eq!(lines, ["open", "code: AB", "done"]);
        for _ in 0..2 * MAX_OUTPUT_LINES {
            login.append_output("x", true);
        }
        assert_eq!(login.lines.len(), MAX_OUTPUT_LINES);
    }
}
