//! What may be done in a context. The settings are read again before each write, so that an entry
//! made a moment ago counts.
//!
//! | | otherwise | production | read-only |
//! | --- | --- | --- | --- |
//! | reads, forwards, GET, HEAD, OPTIONS, dry runs | yes | yes | yes |
//! | other methods, commands in pods, probe pods | yes | once allowed | no |
//! | changes of Services | yes | by the typed name | no |

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::settings::{ProtectedContexts, ProtectionChange, Settings};
use svcscope_model::inventory::SharedStr;

/// Decides what may be done.
pub(super) struct ProtectionPolicy {
    /// `--read-only`.
    all_read_only: bool,
    file: Option<PathBuf>,
    /// What was known last: a file that has gone, or can't be used, protects what it protected.
    last_known: Mutex<ProtectedContexts>,
    /// The production context in which the user has allowed what could change something.
    allowed_context: Mutex<Option<SharedStr>>,
}

/// What may be done in a context just then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ContextProtection {
    /// Why nothing may be changed, where that is so.
    pub(super) read_only: Option<SharedStr>,
    /// Whether the context is marked as production.
    pub(super) production: bool,
    /// Whether the user has allowed what could change something there.
    pub(super) changes_allowed: bool,
}

impl ContextProtection {
    /// Why no command may be run in a pod, no pod made and no request sent that could change
    /// something, where that is so.
    pub(super) fn refusal_reason(&self) -> Option<SharedStr> {
        let is_asked = self.production && !self.changes_allowed;
        let asked = "this context is marked as production, and the user has not allowed commands in pods \
                     and requests that could change something there";
        self.read_only
            .clone()
            .or_else(|| is_asked.then(|| asked.into()))
    }
}

impl ProtectionPolicy {
    /// With a file that protects; without one only what is known protects, and what is marked.
    pub(super) fn new(
        all_read_only: bool,
        file: Option<PathBuf>,
        known: ProtectedContexts,
    ) -> Arc<Self> {
        Arc::new(Self {
            all_read_only,
            file,
            last_known: Mutex::new(known),
            allowed_context: Mutex::default(),
        })
    }

    /// Reads which contexts are protected now.
    pub(super) fn read(&self) -> ProtectedContexts {
        let mut known = self
            .last_known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            let loaded = Settings::load(file);
            let mut protected = loaded.protected_contexts();
            if protected.unknown_reason.is_some() {
                protected.read_only.append(&mut known.read_only);
                protected.production.append(&mut known.production);
            }
            if loaded.file_exists {
                *known = protected;
            }
        }
        known.clone()
    }

    /// Changes the marks of a context where no file keeps them.
    pub(super) fn change_flags(&self, context: &str, change: ProtectionChange) {
        let mut known = self
            .last_known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.change_flags(context, change);
    }

    /// What may be done in a context now.
    pub(super) fn for_context(&self, context: &str) -> ContextProtection {
        self.for_context_in(&self.read(), context)
    }

    /// The same, of what was read.
    pub(super) fn for_context_in(
        &self,
        protected: &ProtectedContexts,
        context: &str,
    ) -> ContextProtection {
        let marks = protected.flags_of(context);
        let read_only = if self.all_read_only {
            Some("read-only: svcscope was started with --read-only".into())
        } else if let Some(fault) = &protected.unknown_reason {
            Some(SharedStr::from(format!("read-only: {fault}")))
        } else {
            let said = || format!("read-only: context {context} is marked so in the settings");
            marks.read_only.then(|| SharedStr::from(said()))
        };
        let allowed = self
            .allowed_context
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ContextProtection {
            read_only,
            production: marks.production,
            changes_allowed: allowed.as_deref() == Some(context),
        }
    }

    /// The user has allowed, in a production context, what could change something; none takes it
    /// back.
    pub(super) fn set_allowed_context(&self, context: Option<SharedStr>) {
        *self
            .allowed_context
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = context;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_it_is_now_and_one_that_has_gone_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        let protection =
            ProtectionPolicy::new(false, Some(file.clone()), ProtectedContexts::default());
        assert_eq!(protection.for_context("prod"), ContextProtection::default());
        std::fs::write(&file, r#"{"read_only_contexts": ["prod"]}"#).unwrap();
        let said = protection.for_context("prod").refusal_reason().unwrap();
        assert_eq!(
            &*said,
            "read-only: context prod is marked so in the settings"
        );
        assert_eq!(protection.for_context("lab").refusal_reason(), None);
        std::fs::remove_file(&file).unwrap();
        assert!(protection.for_context("prod").read_only.is_some());
        std::fs::write(&file, "{").unwrap();
        for context in ["prod", "lab"] {
            let said = protection.for_context(context).refusal_reason().unwrap();
            assert!(said.contains("settings.json can't be used"), "{said}");
        }
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(protection.for_context("prod"), ContextProtection::default());
    }

    #[test]
    fn production_is_allowed_for_one_context_until_it_is_left() {
        let production = ProtectedContexts {
            production: ["prod".to_owned(), "live".to_owned()].into(),
            ..ProtectedContexts::default()
        };
        let protection = ProtectionPolicy::new(false, None, production);
        assert!(protection.for_context("prod").refusal_reason().is_some());
        protection.set_allowed_context(Some("prod".into()));
        assert_eq!(protection.for_context("prod").refusal_reason(), None);
        assert!(protection.for_context("live").refusal_reason().is_some());
        protection.set_allowed_context(None);
        assert!(protection.for_context("prod").refusal_reason().is_some());
    }
}
