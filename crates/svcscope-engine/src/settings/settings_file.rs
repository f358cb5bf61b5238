//! The settings' file: read field by field, changed key by key.
//!
//! Protection fails closed. A file that is there and can't be used stays where it is, is never
//! written to, and protects every context until it is mended.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    ProtectedContexts, Settings, SettingsChange,
    settings_change::merge,
    settings_keys::closest_key,
    state_files::{lock, read_file, write_atomically, write_unless},
    strict_json,
};

/// How often a change is made anew because somebody else has written meanwhile.
const ATTEMPTS: usize = 20;

/// What a file gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadedSettings {
    /// The settings, with defaults for what could not be used.
    pub settings: Settings,
    /// Why it is not known which contexts are protected, and what to do.
    pub protection_unknown_reason: Option<String>,
    /// What else of the file could not be used, a sentence each.
    pub notices: Vec<String>,
    /// Whether there is a file.
    pub file_exists: bool,
}

impl LoadedSettings {
    /// The contexts that are protected.
    pub fn protected_contexts(&self) -> ProtectedContexts {
        ProtectedContexts {
            unknown_reason: self.protection_unknown_reason.clone(),
            ..self.settings.protected_contexts()
        }
    }
}

/// Settings could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsSaveError {
    /// The system refused.
    #[error("settings could not be saved to {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// What is there can't be read, and is not overwritten.
    #[error("settings are not saved: {0}")]
    Unusable(String),
}

impl Settings {
    /// Reads settings. A missing file gives the defaults; what can't be used is told, and stays in
    /// the file.
    pub fn load(path: &Path) -> LoadedSettings {
        decoded(path, &read_file(path))
    }

    /// Writes all of the settings, whatever the file holds.
    pub fn save(&self, path: &Path) -> Result<(), SettingsSaveError> {
        write_atomically(self, path).map_err(|source| failed(path, source))
    }

    /// Makes changes to what the file holds at that moment, and gives that back. Only the keys that
    /// the changes are about are written. Where there is no file (any more), `known` is what it held.
    pub fn change(
        path: &Path,
        known: &Self,
        changes: &[SettingsChange],
    ) -> Result<LoadedSettings, SettingsSaveError> {
        let _lock = lock(path).map_err(|source| failed(path, source))?;
        for _ in 0..ATTEMPTS {
            if let Some(loaded) = change_once(path, known, changes)? {
                return Ok(loaded);
            }
        }
        let source = io::Error::other("another program keeps writing it");
        Err(failed(path, source))
    }
}

/// None where somebody without the lock, such as an editor, has written meanwhile.
fn change_once(
    path: &Path,
    known: &Settings,
    changes: &[SettingsChange],
) -> Result<Option<LoadedSettings>, SettingsSaveError> {
    let failed = |source| failed(path, source);
    let read = read_file(path);
    let mut loaded = decoded(path, &read);
    if let Some(fault) = loaded.protection_unknown_reason {
        return Err(SettingsSaveError::Unusable(fault));
    }
    let bytes = read.unwrap_or_default();
    let before = match &bytes {
        Some(bytes) => strict_json::parse(bytes).map_err(|error| failed(error.into()))?,
        None => {
            loaded.settings = known.clone();
            Value::Object(Map::new())
        }
    };
    for change in changes {
        loaded.settings.apply(change);
    }
    let after = to_value(&loaded.settings).map_err(failed)?;
    let mut document = before.clone();
    match &bytes {
        Some(_) => merge(&mut document, &after, changes),
        None => document = after,
    }
    loaded.file_exists = true;
    if document == before {
        return Ok(Some(loaded));
    }
    let outdated = || read_file(path).ok().flatten() != bytes;
    let written = write_unless(&document, path, outdated).map_err(failed)?;
    Ok(written.then_some(loaded))
}

/// By way of text: so 1.1 stays 1.1, which it would not by way of f64.
fn to_value(settings: &Settings) -> io::Result<Value> {
    Ok(serde_json::from_slice(&serde_json::to_vec(settings)?)?)
}

fn failed(path: &Path, source: io::Error) -> SettingsSaveError {
    SettingsSaveError::Io {
        path: path.to_owned(),
        source,
    }
}

fn unusable(path: &Path, why: &str) -> LoadedSettings {
    LoadedSettings {
        protection_unknown_reason: Some(format!(
            "it is not known which contexts are protected, because the settings in {} can't be \
             used: {why}; mend that file, or move it away if no context is to be protected",
            path.display()
        )),
        file_exists: true,
        ..LoadedSettings::default()
    }
}

fn decoded(path: &Path, read: &io::Result<Option<Vec<u8>>>) -> LoadedSettings {
    match read {
        Ok(None) => LoadedSettings::default(),
        Ok(Some(bytes)) => decode(path, bytes),
        Err(error) => unusable(path, &error.to_string()),
    }
}

fn decode(path: &Path, bytes: &[u8]) -> LoadedSettings {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return unusable(path, "the file is empty");
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return unusable(
            path,
            "it begins with a byte order mark, which JSON does not have",
        );
    }
    match strict_json::parse(bytes) {
        Err(error) => unusable(path, &error.to_string()),
        Ok(Value::Object(object)) => from_object(path, object),
        Ok(_) => unusable(path, "it holds no JSON object"),
    }
}

fn from_object(path: &Path, object: Map<String, Value>) -> LoadedSettings {
    let mut settings = Settings::default();
    let mut fields = SettingsFieldReader {
        path,
        notices: Vec::new(),
    };
    let mut faults = Vec::new();
    for (key, value) in object {
        match key.as_str() {
            "theme" => fields.take(&mut settings.theme, &key, &value),
            "ui_zoom" => fields.zoom(&mut settings.ui_zoom, &value),
            "last_context" => fields.take(&mut settings.last_context, &key, &value),
            "last_namespaces" => fields.take_each(&mut settings.last_namespaces, &key, &value),
            "maps" => fields.take_each(&mut settings.maps, &key, &value),
            "bells" => fields.take_each(&mut settings.alert_services, &key, &value),
            "suppressed_checks" => fields.take(&mut settings.suppressed_checks, &key, &value),
            "probe_image" => fields.take(&mut settings.probe_image, &key, &value),
            "read_only_contexts" => {
                faults.extend(contexts(&mut settings.read_only_contexts, &key, &value));
            }
            "production_contexts" => {
                faults.extend(contexts(&mut settings.production_contexts, &key, &value));
            }
            _ => {
                let meant = closest_key(&key);
                fields.report_unknown(&key, meant);
                // Who misspelt it wants it all the same: a mark too many is no harm.
                let list = match meant {
                    Some("read_only_contexts") => Some(&mut settings.read_only_contexts),
                    Some("production_contexts") => Some(&mut settings.production_contexts),
                    _ => None,
                };
                faults.extend(list.and_then(|list| contexts(list, &key, &value)));
                settings.unknown.insert(key, value);
            }
        }
    }
    let fault = (!faults.is_empty()).then(|| faults.join(", "));
    LoadedSettings {
        protection_unknown_reason: fault
            .and_then(|why| unusable(path, &why).protection_unknown_reason),
        settings,
        notices: fields.notices,
        file_exists: true,
    }
}

/// Adds the contexts of a list; says why it can't be used, where that is so.
fn contexts(list: &mut BTreeSet<String>, key: &str, value: &Value) -> Option<String> {
    let names = value.as_array().into_iter().flatten();
    list.extend(names.filter_map(Value::as_str).map(str::to_owned));
    let is_list = value
        .as_array()
        .is_some_and(|names| names.iter().all(Value::is_string));
    (!is_list).then(|| format!("`{key}` is no list of names such as [\"prod\"]"))
}

struct SettingsFieldReader<'a> {
    path: &'a Path,
    notices: Vec<String>,
}

impl SettingsFieldReader<'_> {
    fn take<T: DeserializeOwned>(&mut self, place: &mut T, key: &str, value: &Value) {
        match T::deserialize(value) {
            Ok(value) => *place = value,
            Err(error) => self.report_invalid(key, &error.to_string()),
        }
    }

    /// One entry that can't be used costs itself.
    fn take_each<T: DeserializeOwned>(
        &mut self,
        place: &mut BTreeMap<String, T>,
        key: &str,
        value: &Value,
    ) {
        let Some(object) = value.as_object() else {
            return self.report_invalid(key, "it is no object");
        };
        for (name, value) in object {
            match T::deserialize(value) {
                Ok(value) => drop(place.insert(name.clone(), value)),
                Err(error) => self.report_invalid(&format!("{key}.{name}"), &error.to_string()),
            }
        }
    }

    fn zoom(&mut self, place: &mut f32, value: &Value) {
        let mut zoom = *place;
        self.take(&mut zoom, "ui_zoom", value);
        if zoom.is_finite() && zoom > 0.0 {
            *place = zoom;
        } else {
            self.report_invalid("ui_zoom", "it is no size such as 1.25");
        }
    }

    fn report_invalid(&mut self, key: &str, why: &str) {
        let path = self.path.display();
        self.notices.push(format!(
            "`{key}` of the settings in {path} can't be used and counts as not set: {why}"
        ));
    }

    fn report_unknown(&mut self, key: &str, meant: Option<&str>) {
        let meant = match meant {
            Some(meant) if meant.ends_with("contexts") => {
                format!("; it is taken for `{meant}`: call it that")
            }
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => String::new(),
        };
        let path = self.path.display();
        self.notices.push(format!(
            "`{key}` of the settings in {path} is not known to this version{meant}"
        ));
    }
}

#[cfg(test)]
mod tests;
