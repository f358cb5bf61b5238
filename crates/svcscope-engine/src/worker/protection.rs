//! What is protected from changes, and what is remembered, as the settings' file says by now.

use std::sync::Arc;

use super::EngineWorker;
use crate::{
    ActivityLevel, EngineConfig, PersistedSettings,
    protection::{ContextProtection, ProtectionPolicy},
    settings::{LoadedSettings, ProtectedContexts, ProtectionChange, Settings, SettingsChange},
};
use svcscope_model::inventory::SharedStr;
use svcscope_net::probe::in_cluster::ExecRefusalCheck;

/// What protects contexts: the file that is named for it, else that of the settings.
pub(super) fn protection_policy(
    config: &mut EngineConfig,
    remembered: Option<&PersistedSettings>,
) -> Arc<ProtectionPolicy> {
    let own = remembered.map(|last| last.path.clone());
    config.protection_file = config.protection_file.take().or(own);
    let known = remembered.map_or_else(ProtectedContexts::default, |last| {
        last.settings.protected_contexts()
    });
    ProtectionPolicy::new(config.read_only, config.protection_file.clone(), known)
}

impl EngineWorker {
    /// Reads what is protected, shows it, and says what may be done in the context in use.
    pub(super) fn refresh_protection(&mut self) -> ContextProtection {
        let protected = self.protection.read();
        let context = self.scene.context.clone().unwrap_or_default();
        let now = self.protection.for_context_in(&protected, &context);
        if *self.scene.protected_contexts != protected {
            if let Some(fault) = &protected.unknown_reason {
                self.activity
                    .add(ActivityLevel::Error, format!("Nothing is written: {fault}"));
            }
            self.scene.protected_contexts = Arc::new(protected);
        }
        self.scene.read_only = now.read_only.is_some();
        self.scene.read_only_reason.clone_from(&now.read_only);
        self.scene.production = now.production;
        self.scene.production_changes_allowed = now.changes_allowed;
        self.schedule.is_requested = true;
        now
    }

    /// Asked each time before a command is run in a pod of this context, or one is made.
    pub(super) fn refusal_check_for(&self, context: &str) -> ExecRefusalCheck {
        let (protection, context) = (self.protection.clone(), context.to_owned());
        Box::new(move || protection.for_context(&context).refusal_reason())
    }

    pub(super) fn allow_in_production(&mut self, context: SharedStr) {
        self.protection.set_allowed_context(Some(context));
        self.refresh_protection();
    }

    /// Changes the marks of a context. It is in the file before it is told.
    pub(super) fn change_protection(&mut self, context: &str, marks: ProtectionChange) {
        let change = SettingsChange::ChangeProtection {
            context: context.to_owned(),
            change: marks,
        };
        if let Some(path) = self.config.protection_file.clone() {
            let known = self.settings_store.settings().clone();
            if let Err(error) = Settings::change(&path, &known, std::slice::from_ref(&change)) {
                let words = format!("Context {context} is marked as it was: {error}");
                self.activity.add(ActivityLevel::Error, words);
                return;
            }
        } else {
            self.protection.change_flags(context, marks);
        }
        self.settings_store.apply(&change);
        // What others have marked meanwhile included.
        let words = match &*self.protection.read().flags_of(context).label() {
            "" => format!("Context {context} is not protected any more"),
            marks => format!("Context {context} is marked as {marks}"),
        };
        self.activity.add(ActivityLevel::Info, words);
        self.refresh_protection();
    }

    /// Remembers where the user looks.
    pub(super) fn remember_namespaces(&mut self, context: &str) {
        let names = self.scene.namespaces.iter();
        self.settings_store
            .change(SettingsChange::SelectNamespaces {
                context: context.to_owned(),
                namespaces: names.map(ToString::to_string).collect(),
            });
    }

    /// Somebody has written the settings, perhaps another window or the user by hand.
    pub(super) fn settings_reloaded(&mut self, loaded: LoadedSettings) {
        self.refresh_protection();
        for notice in &loaded.notices {
            if !self.reported_settings_notices.contains(notice) {
                self.activity.add(ActivityLevel::Warning, notice.clone());
            }
        }
        self.reported_settings_notices = loaded.notices;
        if !loaded.file_exists || loaded.protection_unknown_reason.is_some() {
            return;
        }
        let before = self.settings_store.settings().clone();
        if !self.settings_store.replace_from_file(loaded.settings) {
            return;
        }
        let (now, Some(context)) = (self.settings_store.settings(), self.scene.context.clone())
        else {
            return;
        };
        if now.suppressed_checks != before.suppressed_checks
            || now.alert_services != before.alert_services
        {
            self.restore_suppressions_and_alerts(&context);
        }
    }
}
