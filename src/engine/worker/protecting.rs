//! What is protected from changes, and what is remembered, as the settings' file says by now.

use std::sync::Arc;

use super::Worker;
use crate::{
    engine::{
        ActivityLevel, Config, Remembered,
        protection::{ContextProtection, Protection},
    },
    inventory::Text,
    probe::inside::Refusal,
    session::{Loaded, MarkChange, ProtectedContexts, Settings, SettingsChange},
};

/// What protects contexts: the file that is named for it, else that of the settings.
pub(super) fn protection(config: &mut Config, remembered: Option<&Remembered>) -> Arc<Protection> {
    let own = remembered.map(|last| last.path.clone());
    config.protection_file = config.protection_file.take().or(own);
    let known =
        remembered.map_or_else(ProtectedContexts::default, |last| last.settings.protected());
    Protection::new(config.read_only, config.protection_file.clone(), known)
}

impl Worker {
    /// Reads what is protected, shows it, and says what may be done in the context in use.
    pub(super) fn protected_now(&mut self) -> ContextProtection {
        let protected = self.protection.read();
        let context = self.scene.context.clone().unwrap_or_default();
        let now = self.protection.among(&protected, &context);
        if *self.scene.protected != protected {
            if let Some(fault) = &protected.fault {
                self.activity
                    .add(ActivityLevel::Error, format!("Nothing is written: {fault}"));
            }
            self.scene.protected = Arc::new(protected);
        }
        self.scene.read_only = now.read_only.is_some();
        self.scene.read_only_reason.clone_from(&now.read_only);
        self.scene.production = now.production;
        self.scene.is_allowed = now.is_allowed;
        self.dirty = true;
        now
    }

    /// Asked each time before a command is run in a pod of this context, or one is made.
    pub(super) fn refusal_in(&self, context: &str) -> Refusal {
        let (protection, context) = (self.protection.clone(), context.to_owned());
        Box::new(move || protection.of(&context).refusal())
    }

    pub(super) fn allow_in_production(&mut self, context: Text) {
        self.protection.allow(Some(context));
        self.protected_now();
    }

    /// Changes the marks of a context. It is in the file before it is told.
    pub(super) fn protect(&mut self, context: &str, marks: MarkChange) {
        let change = SettingsChange::Protect {
            context: context.to_owned(),
            change: marks,
        };
        if let Some(path) = self.config.protection_file.clone() {
            let known = self.memory.settings().clone();
            if let Err(error) = Settings::change(&path, &known, std::slice::from_ref(&change)) {
                let words = format!("Context {context} is marked as it was: {error}");
                self.activity.add(ActivityLevel::Error, words);
                return;
            }
        } else {
            self.protection.mark(context, marks);
        }
        self.memory.apply(&change);
        // What others have marked meanwhile included.
        let words = match &*self.protection.read().of(context).words() {
            "" => format!("Context {context} is not protected any more"),
            marks => format!("Context {context} is marked as {marks}"),
        };
        self.activity.add(ActivityLevel::Info, words);
        self.protected_now();
    }

    /// Remembers where the user looks.
    pub(super) fn look_at(&mut self, context: &str) {
        let names = self.scene.namespaces.iter();
        self.memory.change(SettingsChange::LookAt {
            context: context.to_owned(),
            namespaces: names.map(ToString::to_string).collect(),
        });
    }

    /// Somebody has written the settings, perhaps another window or the user by hand.
    pub(super) fn settings_read(&mut self, loaded: Loaded) {
        self.protected_now();
        for notice in &loaded.notices {
            if !self.settings_told.contains(notice) {
                self.activity.add(ActivityLevel::Warning, notice.clone());
            }
        }
        self.settings_told = loaded.notices;
        if !loaded.is_there || loaded.fault.is_some() {
            return;
        }
        let before = self.memory.settings().clone();
        if !self.memory.take_over(loaded.settings) {
            return;
        }
        let (now, Some(context)) = (self.memory.settings(), self.scene.context.clone()) else {
            return;
        };
        if now.suppressed_checks != before.suppressed_checks || now.bells != before.bells {
            self.recall_checks(&context);
        }
    }
}
