//! The forwards that are kept for each context, and the file that they are kept in.
//!
//! Window and command line may write at the same time, so a change is made to what the file holds
//! at that moment, under a lock, and not to what was read earlier.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    FileWriteError, SavedForward,
    state_files::{lock, read_file, read_or_default, read_or_move_aside, write_atomically},
    write_new_private,
};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardSpec, RemotePort};

/// What this version writes.
const VERSION: u32 = 1;

/// How many local ports are remembered for each context; the oldest make room.
const MAX_LOCAL_PORTS: usize = 200;

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedForwards {
    version: ForwardFileVersion,
    contexts: BTreeMap<String, ContextForwards>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// A later version may mean something else by the same words, so its file is none that can be
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct ForwardFileVersion;

impl Default for ForwardFileVersion {
    fn default() -> Self {
        Self
    }
}

impl TryFrom<u32> for ForwardFileVersion {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        (number <= VERSION)
            .then_some(Self)
            .ok_or_else(|| format!("version {number} is of a later svcscope"))
    }
}

impl From<ForwardFileVersion> for u32 {
    fn from(_: ForwardFileVersion) -> Self {
        VERSION
    }
}

/// What is kept for a context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct ContextForwards {
    forwards: Vec<StoredForward>,
    ports: Vec<StoredLocalPort>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// One that is not understood must not cost the others, nor be lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredForward {
    Parsed(Box<SavedForward>),
    Unrecognized(serde_json::Value),
}

/// The same of ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredLocalPort {
    Parsed(LastLocalPort),
    Unrecognized(serde_json::Value),
}

/// Where a forward listened that had no requested port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LastLocalPort {
    /// What the forward was called, where it had a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<SharedStr>,
    namespace: SharedStr,
    target: String,
    port: RemotePort,
    local_port: u16,
}

impl LastLocalPort {
    fn matches(&self, spec: &ForwardSpec) -> bool {
        self.port == spec.port
            && self.namespace == spec.target.key().namespace
            && self.target == spec.target.to_string()
    }
}

/// A change of what is kept for a context.
#[derive(Clone, Debug, PartialEq)]
pub enum SavedForwardChange {
    /// Keep this one, in the place of the one that was called so, if there is one. Another one of
    /// its own name gives way to it.
    Save {
        /// What it was called before.
        previous_name: Option<SharedStr>,
        /// The forward.
        forward: Box<SavedForward>,
    },
    /// Forget the forward of this name.
    Forget(SharedStr),
    /// Keep these beside what there is.
    Add(Vec<SavedForward>),
    /// A forward without a requested port listened here.
    RecordLocalPort {
        /// The forward.
        spec: Box<ForwardSpec>,
        /// The local port.
        local_port: u16,
    },
}

/// What became of forwards that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddForwardsSummary {
    /// How many are new.
    pub added: usize,
    /// How many were there already.
    pub already_saved: usize,
    /// Those whose name another one had: what they are called now.
    pub renamed: Vec<SharedStr>,
}

impl SavedForwards {
    /// The forwards of a context, in the order in which they were saved.
    pub fn forwards<'a>(
        &'a self,
        context: &str,
    ) -> impl Iterator<Item = &'a SavedForward> + use<'a> {
        let kept = self.contexts.get(context);
        kept.into_iter()
            .flat_map(|kept| &kept.forwards)
            .filter_map(|entry| match entry {
                StoredForward::Parsed(forward) => Some(&**forward),
                StoredForward::Unrecognized(_) => None,
            })
    }

    /// How many forwards of a context are kept but not understood.
    pub fn unrecognized_count(&self, context: &str) -> usize {
        self.contexts
            .get(context)
            .into_iter()
            .flat_map(|kept| &kept.forwards)
            .filter(|entry| matches!(entry, StoredForward::Unrecognized(_)))
            .count()
    }

    /// The local port that a forward without a requested port had the last time: the one of this name, else
    /// one without a name that led to the same port.
    pub fn last_port(&self, context: &str, spec: &ForwardSpec) -> Option<u16> {
        let used = &self.contexts.get(context)?.ports;
        let called = |name: Option<&SharedStr>| {
            used.iter().find_map(|used| match used {
                StoredLocalPort::Parsed(used)
                    if used.matches(spec) && used.name.as_ref() == name =>
                {
                    Some(used)
                }
                _ => None,
            })
        };
        let found = called(spec.name.as_ref()).or_else(|| called(None))?;
        Some(found.local_port)
    }

    /// Changes what is kept for a context; says what became of added forwards.
    pub fn apply(&mut self, context: &str, change: &SavedForwardChange) -> AddForwardsSummary {
        let kept = self.contexts.entry(context.to_owned()).or_default();
        match change {
            SavedForwardChange::Save {
                previous_name: was,
                forward,
            } => kept.save(was.as_deref(), forward),
            SavedForwardChange::Forget(name) => kept.forwards.retain(|entry| !entry.has_name(name)),
            SavedForwardChange::Add(forwards) => return kept.add(forwards),
            SavedForwardChange::RecordLocalPort { spec, local_port } => {
                kept.record_local_port(spec, *local_port)
            }
        }
        AddForwardsSummary::default()
    }

    /// Reads the file. A missing one holds nothing; an unusable one is moved aside, and what is
    /// said about it comes with the empty book.
    pub fn load(path: &Path) -> (Self, Option<String>) {
        log_problem(read_or_move_aside(path))
    }

    /// As [`Self::load`], but nothing is moved: the file may be one of a later version.
    pub fn read(path: &Path) -> (Self, Option<String>) {
        log_problem(read_or_default(path))
    }

    /// Changes what the file holds and gives that back, with what is to be said about it.
    pub fn change(
        path: &Path,
        context: &str,
        change: &SavedForwardChange,
    ) -> Result<(Self, Option<String>), SavedForwardError> {
        let failed = |source| SavedForwardError {
            path: path.to_owned(),
            source,
        };
        let _lock = lock(path).map_err(failed)?;
        let (mut book, notice) = Self::load(path);
        let before = book.clone();
        book.apply(context, change);
        if book != before {
            write_atomically(&book, path).map_err(failed)?;
        }
        Ok((book, notice))
    }
}

fn log_problem(
    (book, problem): (SavedForwards, Option<String>),
) -> (SavedForwards, Option<String>) {
    let said = problem.map(|problem| format!("saved forwards in {problem}"));
    (book, said)
}

/// The saved forwards could not be changed.
#[derive(Debug, thiserror::Error)]
#[error("saved forwards could not be written to {}: {source}", path.display())]
pub struct SavedForwardError {
    path: PathBuf,
    source: io::Error,
}

/// Where forwards are kept: beside the settings.
pub fn forwards_path(settings: &Path) -> PathBuf {
    settings.with_file_name("forwards.json")
}

impl ContextForwards {
    fn save(&mut self, was: Option<&str>, forward: &SavedForward) {
        let was = was.unwrap_or(&forward.name);
        let at = self.forwards.iter().position(|entry| entry.has_name(was));
        let entry = StoredForward::Parsed(Box::new(forward.clone()));
        let at = match at.and_then(|at| Some((at, self.forwards.get_mut(at)?))) {
            Some((at, place)) => {
                *place = entry;
                at
            }
            None => {
                self.forwards.push(entry);
                self.forwards.len() - 1
            }
        };
        let mut index = 0..;
        self.forwards
            .retain(|entry| index.next() == Some(at) || !entry.has_name(&forward.name));
    }

    fn add(&mut self, forwards: &[SavedForward]) -> AddForwardsSummary {
        let mut added = AddForwardsSummary::default();
        for forward in forwards {
            let same = StoredForward::Parsed(Box::new(forward.clone()));
            if self.forwards.contains(&same) {
                added.already_saved += 1;
                continue;
            }
            let free = self.free_name(&forward.name);
            if free != forward.name {
                added.renamed.push(free.clone());
            }
            added.added += 1;
            self.save(None, &forward.clone().renamed(free));
        }
        added
    }

    /// `web`, or `web 2` where that is taken.
    fn free_name(&self, name: &SharedStr) -> SharedStr {
        let numbered = (2..).map(|number| SharedStr::from(format!("{name} {number}")));
        let is_free = |name: &SharedStr| !self.forwards.iter().any(|entry| entry.has_name(name));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or_else(|| name.clone())
    }

    fn record_local_port(&mut self, spec: &ForwardSpec, local_port: u16) {
        let is_other = |used: &StoredLocalPort| match used {
            StoredLocalPort::Parsed(used) => !used.matches(spec) || used.name != spec.name,
            StoredLocalPort::Unrecognized(_) => true,
        };
        self.ports.retain(is_other);
        self.ports.push(StoredLocalPort::Parsed(LastLocalPort {
            name: spec.name.clone(),
            namespace: spec.target.key().namespace.clone(),
            target: spec.target.to_string(),
            port: spec.port.clone(),
            local_port,
        }));
        let too_many = self.ports.len().saturating_sub(MAX_LOCAL_PORTS);
        self.ports.drain(..too_many);
    }
}

impl StoredForward {
    fn has_name(&self, name: &str) -> bool {
        matches!(self, Self::Parsed(forward) if &*forward.name == name)
    }
}

/// Forwards as a file of their own, to hand on.
#[derive(Serialize, Deserialize)]
struct ForwardExportFile {
    svcscope_forwards: ForwardFileVersion,
    forwards: Vec<SavedForward>,
}

/// Writes forwards to a new file that [`import_forwards`] reads.
pub fn export_forwards(path: &Path, forwards: Vec<SavedForward>) -> Result<(), FileWriteError> {
    let exported = ForwardExportFile {
        svcscope_forwards: ForwardFileVersion,
        forwards,
    };
    let mut bytes = serde_json::to_vec_pretty(&exported).map_err(|error| FileWriteError::Io {
        path: path.to_owned(),
        reason: error.into(),
    })?;
    bytes.push(b'\n');
    write_new_private(path, &bytes)
}

/// Reads what [`export_forwards`] wrote, or says what is wrong with it. As of every file that is
/// kept, no more than 16 MiB of it, and no device or FIFO.
pub fn import_forwards(path: &Path) -> Result<Vec<SavedForward>, String> {
    let bytes = read_file(path)
        .and_then(|bytes| bytes.ok_or_else(|| io::Error::other("there is no such file")))
        .map_err(|error| format!("{} could not be read: {error}", path.display()))?;
    let exported: ForwardExportFile = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} holds no forwards: {error}", path.display()))?;
    Ok(exported.forwards)
}

#[cfg(test)]
mod tests;
