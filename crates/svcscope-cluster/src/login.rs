//! What a login reports while it runs, and whether it has a terminal: the credential plugin's output,
//! the issuer that is asked, what could not be saved.
//!
//! kubectl hands a plugin its own stderr and stdin (client-go, plugin/pkg/client/auth/exec). A
//! window has neither, and a terminal must not be commanded, so words pass through here.

use std::{
    collections::HashMap,
    fmt,
    io::{IsTerminal as _, stderr, stdin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::oidc::tokens::OidcTokens;
use svcscope_model::inventory::SharedStr;

/// An event of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginEvent {
    /// A login began that may have to wait for the user.
    Started {
        /// Names it until it has ended.
        id: u64,
        /// Who is asked: `credential plugin aws`.
        authority: SharedStr,
    },
    /// It has taken a few seconds by now.
    Waiting {
        /// Which one.
        id: u64,
        /// Who is asked.
        authority: SharedStr,
    },
    /// It printed something, without control characters.
    Printed {
        /// Which one.
        id: u64,
        /// A line, or as much of one as there is.
        text: String,
        /// Whether the line ends here: a prompt does not.
        ends_line: bool,
    },
    /// It succeeded, failed or was cancelled.
    Ended {
        /// Which one.
        id: u64,
    },
    /// Something that the user should know.
    Notice(SharedStr),
    /// Something that the user must know.
    Warning(SharedStr),
}

/// Observes logins as they run. It must not block.
pub type LoginObserver = Arc<dyn Fn(&LoginEvent) + Send + Sync>;

/// Under what circumstances logins happen. A clone is the same.
#[derive(Clone, Default)]
pub struct LoginContext {
    observers: Vec<LoginObserver>,
    has_terminal: bool,
    waits_for_user: bool,
    ids: Arc<AtomicU64>,
    unsaved_tokens: Arc<Mutex<HashMap<String, OidcTokens>>>,
}

impl fmt::Debug for LoginContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginContext")
            .field("has_terminal", &self.has_terminal)
            .finish_non_exhaustive()
    }
}

impl LoginContext {
    /// Logins of a command line: a plugin may have the terminal of this process, where there is one.
    pub fn in_terminal() -> Self {
        Self {
            has_terminal: true,
            waits_for_user: stdin().is_terminal() || stderr().is_terminal(),
            ..Self::default()
        }
    }

    /// Logins of a window: there is no terminal, but a user.
    pub fn in_window() -> Self {
        Self {
            waits_for_user: true,
            ..Self::default()
        }
    }

    /// Whether there is a user who may take their time: kubectl knows no limit for a login, but where
    /// no user sees its output the usual limits count.
    pub fn waits_for_user(&self) -> bool {
        self.waits_for_user
    }

    /// The same, with this observer too.
    #[must_use]
    pub fn observed_by(mut self, observer: LoginObserver) -> Self {
        self.observers.push(observer);
        self
    }

    /// Whether the process is one of a command line.
    pub(super) fn has_terminal(&self) -> bool {
        self.has_terminal
    }

    pub(super) fn notify(&self, event: &LoginEvent) {
        for observer in &self.observers {
            observer(event);
        }
    }

    /// Reports that a login begins; its end is reported when the returned value is dropped.
    pub(super) fn begin(&self, whom: &str) -> RunningLogin {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let whom = SharedStr::from(whom);
        self.notify(&LoginEvent::Started {
            id,
            authority: whom.clone(),
        });
        RunningLogin {
            context: self.clone(),
            id,
            authority: whom,
        }
    }

    /// The tokens that took the place of this refresh token and could not be saved.
    pub(super) fn unsaved_tokens(&self, refresh_token: &str) -> Option<OidcTokens> {
        let unsaved = self
            .unsaved_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unsaved.get(refresh_token).cloned()
    }

    /// Keeps tokens for this run that could not be saved in place of this refresh token.
    pub(super) fn keep_unsaved_tokens(&self, refresh_token: String, tokens: OidcTokens) {
        let mut unsaved = self
            .unsaved_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unsaved.insert(refresh_token, tokens);
    }
}

/// A login under way.
pub(super) struct RunningLogin {
    context: LoginContext,
    id: u64,
    authority: SharedStr,
}

impl RunningLogin {
    pub fn notify_waiting(&self) {
        self.context.notify(&LoginEvent::Waiting {
            id: self.id,
            authority: self.authority.clone(),
        });
    }

    pub fn notify_printed(&self, text: String, ends_line: bool) {
        self.context.notify(&LoginEvent::Printed {
            id: self.id,
            text,
            ends_line,
        });
    }
}

impl Drop for RunningLogin {
    fn drop(&mut self) {
        self.context.notify(&LoginEvent::Ended { id: self.id });
    }
}
