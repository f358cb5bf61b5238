//! What a login says while it runs, on stderr: kubectl hands a plugin its own.

use std::sync::{Arc, Mutex, PoisonError};

use super::terminal;
use svcscope_cluster::{LoginContext, LoginEvent};
use svcscope_model::inventory::plain::plain;

/// Logins of the command line.
pub(super) fn context() -> LoginContext {
    let printer = Mutex::new(LoginPrinter::default());
    LoginContext::in_terminal().observed_by(Arc::new(move |event| {
        let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
        terminal::print_error_text(&printer.event_text(event));
    }))
}

/// Tracks whether stderr is at the beginning of a line.
#[derive(Default)]
struct LoginPrinter {
    is_line_open: bool,
    has_printed: bool,
}

impl LoginPrinter {
    fn event_text(&mut self, event: &LoginEvent) -> String {
        match event {
            LoginEvent::Started { .. } => {
                self.has_printed = false;
                String::new()
            }
            // What it says itself tells more.
            LoginEvent::Waiting { .. } if self.has_printed => String::new(),
            LoginEvent::Waiting {
                authority: whom, ..
            } => {
                format!("svcscope: waiting for {}\n", plain(whom))
            }
            LoginEvent::Printed {
                text, ends_line, ..
            } => {
                self.has_printed = true;
                self.is_line_open = !ends_line;
                format!("{text}{}", if *ends_line { "\n" } else { "" })
            }
            LoginEvent::Ended { .. } if std::mem::take(&mut self.is_line_open) => "\n".to_owned(),
            LoginEvent::Ended { .. } => String::new(),
            LoginEvent::Notice(words) => format!("svcscope: {}\n", plain(words)),
            LoginEvent::Warning(words) => format!("svcscope: warning: {}\n", plain(words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_where_it_is_silent_and_its_prompt_has_its_own_line() {
        let mut printer = LoginPrinter::default();
        let mut said = |event: LoginEvent| printer.event_text(&event);
        let printed = |text: &str, ends_line| LoginEvent::Printed {
            id: 1,
            text: text.to_owned(),
            ends_line,
        };
        let waiting = LoginEvent::Waiting {
            id: 1,
            authority: "the credential plugin `aws\u{1b}[2J`".into(),
        };
        assert_eq!(
            said(waiting.clone()),
            "svcscope: waiting for the credential plugin `aws␛[2J`\n"
        );
        assert_eq!(said(printed("go to https://x", true)), "go to https://x\n");
        assert_eq!(said(printed("Password: ", false)), "Password: ");
        assert_eq!(said(waiting), "");
        assert_eq!(said(LoginEvent::Ended { id: 1 }), "\n");
        assert_eq!(said(LoginEvent::Ended { id: 2 }), "");
    }
}
