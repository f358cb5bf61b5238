//! Changes of the settings, each of its own keys and no others.

use serde_json::{Map, Value};

use svcscope_model::layout::ServiceGrouping;

use super::{
    PinnedService, ProtectionChange, ProtectionFlags, Settings, ThemeSetting,
    settings_keys::closest_key,
};

/// A choice that the next start shall know.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingsChange {
    /// Light or dark.
    Theme(ThemeSetting),
    /// The size of everything: 1.0 is the desktop's own.
    UiZoom(f32),
    /// Look at these namespaces of a context.
    SelectNamespaces {
        /// The context.
        context: String,
        /// The namespaces; none means all.
        namespaces: Vec<String>,
    },
    /// Suppress a check, or hear of it again.
    SuppressRule {
        /// The identifier of its rule.
        rule: String,
        /// Of this Service (`namespace/name`) of this context; none means everywhere.
        service: Option<(String, String)>,
        /// Whether it is suppressed from now on.
        suppressed: bool,
    },
    /// Tell when a Service breaks or heals, or don't.
    SetHealthAlert {
        /// The context.
        context: String,
        /// `namespace/name`.
        service: String,
        /// Whether it is told from now on.
        enabled: bool,
    },
    /// Group the map of a context so.
    GroupBy {
        /// The context.
        context: String,
        /// What stands together.
        grouping: ServiceGrouping,
    },
    /// Forget where these Services (namespace and name) were put, and remember one that was.
    PinService {
        /// The context.
        context: String,
        /// Those that are forgotten.
        unpinned: Vec<(String, String)>,
        /// The one that was put somewhere.
        pin: Option<PinnedService>,
    },
    /// Forget where anything was put on the map of this context.
    ForgetPins(String),
    /// Mark a context, or take marks away.
    ChangeProtection {
        /// The context.
        context: String,
        /// Its marks that change; the others stay as the file has them.
        change: ProtectionChange,
    },
}

impl SettingsChange {
    /// Where in the file that is which it changes.
    fn changed_paths(&self) -> Vec<Vec<&str>> {
        match self {
            Self::Theme(_) => vec![vec!["theme"]],
            Self::UiZoom(_) => vec![vec!["ui_zoom"]],
            Self::SelectNamespaces { context, .. } => {
                vec![vec!["last_context"], vec!["last_namespaces", context]]
            }
            Self::SuppressRule { service: None, .. } => {
                vec![vec!["suppressed_checks", "everywhere"]]
            }
            Self::SuppressRule {
                service: Some((context, _)),
                ..
            } => vec![vec!["suppressed_checks", "services", context]],
            Self::SetHealthAlert { context, .. } => vec![vec!["bells", context]],
            Self::GroupBy { context, .. }
            | Self::PinService { context, .. }
            | Self::ForgetPins(context) => vec![vec!["maps", context]],
            Self::ChangeProtection { .. } => {
                vec![vec!["read_only_contexts"], vec!["production_contexts"]]
            }
        }
    }
}

impl Settings {
    /// Makes a change.
    pub fn apply(&mut self, change: &SettingsChange) {
        match change {
            SettingsChange::Theme(theme) => self.theme = *theme,
            SettingsChange::UiZoom(zoom) => self.ui_zoom = *zoom,
            SettingsChange::SelectNamespaces {
                context,
                namespaces,
            } => {
                self.last_context = Some(context.clone());
                if namespaces.is_empty() {
                    self.last_namespaces.remove(context);
                } else {
                    self.last_namespaces
                        .insert(context.clone(), namespaces.clone());
                }
            }
            SettingsChange::SuppressRule {
                rule,
                service,
                suppressed,
            } => {
                let service = service.as_ref().map(|(context, key)| (&**context, &**key));
                self.suppressed_checks.set(rule, service, *suppressed);
            }
            SettingsChange::SetHealthAlert {
                context,
                service,
                enabled: on,
            } => self.set_alert(context, service, *on),
            SettingsChange::GroupBy { context, grouping } => {
                self.map_of(context).grouping = *grouping;
            }
            SettingsChange::PinService {
                context,
                unpinned: forgotten,
                pin,
            } => {
                let map = self.map_of(context);
                for (namespace, name) in forgotten {
                    map.unpin(namespace, name);
                }
                if let Some(pin) = pin {
                    map.pin(pin.clone());
                }
            }
            SettingsChange::ForgetPins(context) => self.map_of(context).pins.clear(),
            SettingsChange::ChangeProtection { context, change } => {
                let mut protected = self.protected_contexts();
                protected.change_flags(context, *change);
                self.read_only_contexts = protected.read_only;
                self.production_contexts = protected.production;
                remove_misspelt_context(&mut self.unknown, context, change.removed);
            }
        }
    }

    fn set_alert(&mut self, context: &str, service: &str, on: bool) {
        let bells = self.alert_services.entry(context.to_owned()).or_default();
        if on {
            bells.insert(service.to_owned());
        } else {
            bells.remove(service);
        }
        self.alert_services.retain(|_, bells| !bells.is_empty());
    }
}

/// Puts into a document what these changes changed, as `after` has it. All else stays as it is,
/// what is not understood included.
pub(super) fn merge(document: &mut Value, after: &Value, changes: &[SettingsChange]) {
    for change in changes {
        for path in change.changed_paths() {
            copy(document, Some(after), &path);
        }
        if let (SettingsChange::ChangeProtection { context, change }, Some(object)) =
            (change, document.as_object_mut())
        {
            remove_misspelt_context(object, context, change.removed);
        }
    }
}

/// Takes a context out of the lists whose key is misspelt: they protect like those that they are
/// taken for.
fn remove_misspelt_context(
    object: &mut Map<String, Value>,
    context: &str,
    removed: ProtectionFlags,
) {
    for (key, value) in object.iter_mut() {
        let meant = closest_key(key).filter(|known| known != key);
        let is_removed = match meant {
            Some("read_only_contexts") => removed.read_only,
            Some("production_contexts") => removed.production,
            _ => false,
        };
        if let (true, Some(names)) = (is_removed, value.as_array_mut()) {
            names.retain(|name| name.as_str() != Some(context));
        }
    }
}

fn copy(to: &mut Value, from: Option<&Value>, path: &[&str]) {
    let Some((key, rest)) = path.split_first() else {
        if let Some(from) = from {
            *to = from.clone();
        }
        return;
    };
    let from = from.and_then(|from| from.get(key));
    if !to.is_object() {
        if from.is_none() {
            return;
        }
        *to = Value::Object(Map::new());
    }
    let Some(object) = to.as_object_mut() else {
        return;
    };
    match (from, rest) {
        // What has gone: the entry itself, and nothing around it.
        (None, []) => drop(object.shift_remove(*key)),
        (None, _) => {
            if let Some(to) = object.get_mut(*key) {
                copy(to, None, rest);
            }
        }
        (from, _) => {
            let empty = || Value::Object(Map::new());
            copy(object.entry(*key).or_insert_with(empty), from, rest);
        }
    }
}
