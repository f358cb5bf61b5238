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
    SavedForward, WriteError,
    file::{lock, read_file, read_or_aside, read_or_default, write_whole},
    write_new_private,
};
use crate::{
    forward::{ForwardSpec, RemotePort},
    inventory::Text,
};

/// What this version writes.
const VERSION: u32 = 1;

/// How many local ports are remembered for each context; the oldest make room.
const MOST_PORTS: usize = 200;

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForwardBook {
    version: Version,
    contexts: BTreeMap<String, Kept>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// A later version may mean something else by the same words, so its file is none that can be
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

impl Default for Version {
    fn default() -> Self {
        Self
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        (number <= VERSION)
            .then_some(Self)
            .ok_or_else(|| format!("version {number} is of a later svcscope"))
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

/// What is kept for a context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    forwards: Vec<Entry>,
    ports: Vec<PortEntry>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// One that is not understood must not cost the others, nor be lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Known(Box<SavedForward>),
    NotUnderstood(serde_json::Value),
}

/// The same of ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum PortEntry {
    Known(UsedPort),
    NotUnderstood(serde_json::Value),
}

/// Where a forward listened that had no wish for a port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct UsedPort {
    /// What the forward was called, where it had a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Text>,
    namespace: Text,
    target: String,
    port: RemotePort,
    local_port: u16,
}

impl UsedPort {
    fn is_of(&self, spec: &ForwardSpec) -> bool {
        self.port == spec.port
            && self.namespace == spec.target.key().namespace
            && self.target == spec.target.to_string()
    }
}

/// A change of what is kept for a context.
#[derive(Clone, Debug, PartialEq)]
pub enum BookChange {
    /// Keep this one, in the place of the one that was called so, if there is one. Another one of
    /// its own name gives way to it.
    Save {
        /// What it was called before.
        was: Option<Text>,
        /// The forward.
        forward: Box<SavedForward>,
    },
    /// Forget the forward of this name.
    Forget(Text),
    /// Keep these beside what there is.
    Add(Vec<SavedForward>),
    /// A forward without a wish for a port listened here.
    UsePort {
        /// The forward.
        spec: Box<ForwardSpec>,
        /// The local port.
        local_port: u16,
    },
}

/// What became of forwards that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// How many are new.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
    /// Those whose name another one had: what they are called now.
    pub renamed: Vec<Text>,
}

impl ForwardBook {
    /// The forwards of a context, in the order in which they were saved.
    pub fn forwards<'a>(
        &'a self,
        context: &str,
    ) -> impl Iterator<Item = &'a SavedForward> + use<'a> {
        let kept = self.contexts.get(context);
        kept.into_iter()
            .flat_map(|kept| &kept.forwards)
            .filter_map(|entry| match entry {
                Entry::Known(forward) => Some(&**forward),
                Entry::NotUnderstood(_) => None,
            })
    }

    /// How many forwards of a context are kept but not understood.
    pub fn not_understood(&self, context: &str) -> usize {
        self.contexts
            .get(context)
            .into_iter()
            .flat_map(|kept| &kept.forwards)
            .filter(|entry| matches!(entry, Entry::NotUnderstood(_)))
            .count()
    }

    /// The local port that a forward without a wish had the last time: the one of this name, else
    /// one without a name that led to the same port.
    pub fn last_port(&self, context: &str, spec: &ForwardSpec) -> Option<u16> {
        let used = &self.contexts.get(context)?.ports;
        let called = |name: Option<&Text>| {
            used.iter().find_map(|used| match used {
                PortEntry::Known(used) if used.is_of(spec) && used.name.as_ref() == name => {
                    Some(used)
                }
                _ => None,
            })
        };
        let found = called(spec.name.as_ref()).or_else(|| called(None))?;
        Some(found.local_port)
    }

    /// Changes what is kept for a context; says what became of added forwards.
    pub fn apply(&mut self, context: &str, change: &BookChange) -> Added {
        let kept = self.contexts.entry(context.to_owned()).or_default();
        match change {
            BookChange::Save { was, forward } => kept.save(was.as_deref(), forward),
            BookChange::Forget(name) => kept.forwards.retain(|entry| !entry.is_called(name)),
            BookChange::Add(forwards) => return kept.add(forwards),
            BookChange::UsePort { spec, local_port } => kept.use_port(spec, *local_port),
        }
        Added::default()
    }

    /// Reads the file. A missing one holds nothing; an unusable one is moved aside, and what is
    /// said about it comes with the empty book.
    pub fn load(path: &Path) -> (Self, Option<String>) {
        told(read_or_aside(path))
    }

    /// As [`Self::load`], but nothing is moved: the file may be one of a later version.
    pub fn read(path: &Path) -> (Self, Option<String>) {
        told(read_or_default(path))
    }

    /// Changes what the file holds and gives that back, with what is to be said about it.
    pub fn change(
        path: &Path,
        context: &str,
        change: &BookChange,
    ) -> Result<(Self, Option<String>), BookError> {
        let failed = |source| BookError {
            path: path.to_owned(),
            source,
        };
        let _lock = lock(path).map_err(failed)?;
        let (mut book, notice) = Self::load(path);
        let before = book.clone();
        book.apply(context, change);
        if book != before {
            write_whole(&book, path).map_err(failed)?;
        }
        Ok((book, notice))
    }
}

fn told((book, problem): (ForwardBook, Option<String>)) -> (ForwardBook, Option<String>) {
    let said = problem.map(|problem| format!("saved forwards in {problem}"));
    (book, said)
}

/// The saved forwards could not be changed.
#[derive(Debug, thiserror::Error)]
#[error("saved forwards could not be written to {}: {source}", path.display())]
pub struct BookError {
    path: PathBuf,
    source: io::Error,
}

/// Where forwards are kept: beside the settings.
pub fn forwards_path(settings: &Path) -> PathBuf {
    settings.with_file_name("forwards.json")
}

impl Kept {
    fn save(&mut self, was: Option<&str>, forward: &SavedForward) {
        let was = was.unwrap_or(&forward.name);
        let at = self.forwards.iter().position(|entry| entry.is_called(was));
        let entry = Entry::Known(Box::new(forward.clone()));
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
            .retain(|entry| index.next() == Some(at) || !entry.is_called(&forward.name));
    }

    fn add(&mut self, forwards: &[SavedForward]) -> Added {
        let mut added = Added::default();
        for forward in forwards {
            let same = Entry::Known(Box::new(forward.clone()));
            if self.forwards.contains(&same) {
                added.known += 1;
                continue;
            }
            let free = self.free_name(&forward.name);
            if free != forward.name {
                added.renamed.push(free.clone());
            }
            added.new += 1;
            self.save(None, &forward.clone().renamed(free));
        }
        added
    }

    /// `web`, or `web 2` where that is taken.
    fn free_name(&self, name: &Text) -> Text {
        let numbered = (2..).map(|number| Text::from(format!("{name} {number}")));
        let is_free = |name: &Text| !self.forwards.iter().any(|entry| entry.is_called(name));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or_else(|| name.clone())
    }

    fn use_port(&mut self, spec: &ForwardSpec, local_port: u16) {
        let is_other = |used: &PortEntry| match used {
            PortEntry::Known(used) => !used.is_of(spec) || used.name != spec.name,
            PortEntry::NotUnderstood(_) => true,
        };
        self.ports.retain(is_other);
        self.ports.push(PortEntry::Known(UsedPort {
            name: spec.name.clone(),
            namespace: spec.target.key().namespace.clone(),
            target: spec.target.to_string(),
            port: spec.port.clone(),
            local_port,
        }));
        let too_many = self.ports.len().saturating_sub(MOST_PORTS);
        self.ports.drain(..too_many);
    }
}

impl Entry {
    fn is_called(&self, name: &str) -> bool {
        matches!(self, Self::Known(forward) if &*forward.name == name)
    }
}

/// Forwards as a file of their own, to hand on.
#[derive(Serialize, Deserialize)]
struct Exported {
    svcscope_forwards: Version,
    forwards: Vec<SavedForward>,
}

/// Writes forwards to a new file that [`import_forwards`] reads.
pub fn export_forwards(path: &Path, forwards: Vec<SavedForward>) -> Result<(), WriteError> {
    let exported = Exported {
        svcscope_forwards: Version,
        forwards,
    };
    let mut bytes = serde_json::to_vec_pretty(&exported).map_err(|error| WriteError::Io {
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
    let exported: Exported = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} holds no forwards: {error}", path.display()))?;
    Ok(exported.forwards)
}

#[cfg(test)]
mod tests;
