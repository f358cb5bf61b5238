//! What a user chose in the window.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{MapSettings, ProtectedContexts};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeSetting {
    /// As the desktop says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// Checks that the user does not want to hear of, by the identifiers of their rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SuppressedChecks {
    /// Of any Service in any context.
    pub everywhere: BTreeSet<String>,
    /// Of one Service: by context, then by `namespace/name`.
    pub services: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl SuppressedChecks {
    /// Suppresses a rule, or hears of it again; of one Service of a context (`namespace/name`), or
    /// everywhere.
    pub fn set(&mut self, id: &str, service: Option<(&str, &str)>, suppressed: bool) {
        let Some((context, service)) = service else {
            set_membership(&mut self.everywhere, id, suppressed);
            return;
        };
        let of_context = self.services.entry(context.to_owned()).or_default();
        let ids = of_context.entry(service.to_owned()).or_default();
        set_membership(ids, id, suppressed);
        of_context.retain(|_, ids| !ids.is_empty());
        self.services.retain(|_, services| !services.is_empty());
    }
}

fn set_membership(ids: &mut BTreeSet<String>, id: &str, there: bool) {
    if there {
        ids.insert(id.to_owned());
    } else {
        ids.remove(id);
    }
}

/// Settings; every field has a default, so that a file of another version still counts. They are
/// read field by field: see [`Settings::load`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Light or dark.
    pub theme: ThemeSetting,
    /// The size of everything: 1.0 is the desktop's own.
    pub ui_zoom: f32,
    /// The context of the kubeconfig that was in use last.
    pub last_context: Option<String>,
    /// The namespaces looked at last, by context; none of them means all.
    pub last_namespaces: BTreeMap<String, Vec<String>>,
    /// Contexts in which the engine refuses every write.
    pub read_only_contexts: BTreeSet<String>,
    /// Contexts where a change is only applied after the Service's name was typed.
    pub production_contexts: BTreeSet<String>,
    /// How the map was left, by context.
    pub maps: BTreeMap<String, MapSettings>,
    /// Services of which the user wants to be told when they break or heal: by context, as
    /// `namespace/name`.
    #[serde(rename = "bells")]
    pub alert_services: BTreeMap<String, BTreeSet<String>>,
    /// Checks that the user does not want to hear of.
    pub suppressed_checks: SuppressedChecks,
    /// What probe pods run, where it is not the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_image: Option<String>,
    /// What a later version wrote: kept, so that going back and forth loses nothing.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeSetting::default(),
            ui_zoom: 1.0,
            last_context: None,
            last_namespaces: BTreeMap::new(),
            read_only_contexts: BTreeSet::new(),
            production_contexts: BTreeSet::new(),
            maps: BTreeMap::new(),
            alert_services: BTreeMap::new(),
            suppressed_checks: SuppressedChecks::default(),
            probe_image: None,
            unknown: serde_json::Map::new(),
        }
    }
}

impl Settings {
    /// How the map of a context was left, to be changed.
    pub fn map_of(&mut self, context: &str) -> &mut MapSettings {
        self.maps.entry(context.to_owned()).or_default()
    }

    /// The contexts that are protected.
    pub fn protected_contexts(&self) -> ProtectedContexts {
        ProtectedContexts {
            read_only: self.read_only_contexts.clone(),
            production: self.production_contexts.clone(),
            unknown_reason: None,
        }
    }
}
