//! The kubeconfig: where it comes from, which contexts it has, and what one of them means.

mod document;
mod file_changes;
mod pem_files;
mod resolved_context;
mod section;
mod server_address;
mod user_credentials;

use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
};

use super::bounded_file;
use document::KubeconfigDocument;
pub use file_changes::{FileStamps, KubeconfigChange};
pub use resolved_context::SecurityNotice;
use section::{KubeconfigOrigin, KubeconfigSection};
pub(super) use {
    file_changes::KubeconfigFingerprint,
    resolved_context::{ProxySource, ResolvedContext},
};

/// The name under which the credentials of a pod are offered as a context.
const IN_CLUSTER: &str = "in-cluster";

/// Where the kubeconfig comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubeconfigSource {
    /// The files of `$KUBECONFIG` merged, else `~/.kube/config`, else the service account of the
    /// pod that this runs in.
    Default,
    /// This file.
    File(PathBuf),
    /// This text.
    Inline(String),
}

impl KubeconfigSource {
    /// This file. A pipe, such as a shell's `<(COMMAND)`, is read now, for it can be read only once.
    pub fn of_file(path: &Path) -> Result<Self, KubeconfigError> {
        if !bounded_file::is_pipe(path) {
            return Ok(Self::File(path.to_owned()));
        }
        let unreadable = |said| KubeconfigError::Unreadable {
            path: path.display().to_string(),
            reason: said,
        };
        let content =
            bounded_file::read_pipe(path, bounded_file::MAX_KUBECONFIG).map_err(unreadable)?;
        document::decode(&content)
            .map(Self::Inline)
            .map_err(unreadable)
    }
}

/// The files that `$KUBECONFIG` names.
fn named_files() -> Vec<PathBuf> {
    env::var_os("KUBECONFIG")
        .map(|value| {
            let mut files: Vec<PathBuf> = Vec::new();
            for path in env::split_paths(&value) {
                if !path.as_os_str().is_empty() && !files.contains(&path) {
                    files.push(path);
                }
            }
            files
        })
        .unwrap_or_default()
}

/// `~/.kube/config`.
fn default_file() -> Option<PathBuf> {
    env::home_dir().map(|home| home.join(".kube").join("config"))
}

/// A context of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextRef {
    /// Its name.
    pub name: String,
    /// The name of its cluster.
    pub cluster: String,
    /// Its default namespace.
    pub namespace: Option<String>,
    /// The file it comes from, where it comes from one.
    pub file: Option<PathBuf>,
}

/// Why the kubeconfig, or one of its contexts, can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// There is none.
    #[error(
        "no kubeconfig found: {0}; pass --kubeconfig FILE, set KUBECONFIG, or try --demo for a cluster without one"
    )]
    Missing(String),
    /// It can't be read.
    #[error("could not read the kubeconfig {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// It is not a kubeconfig.
    #[error(
        "could not understand the kubeconfig {path}: {reason}; correct that line and reconnect"
    )]
    Malformed {
        /// The file.
        path: String,
        /// Where and what.
        reason: String,
    },
    /// It has no such context.
    #[error("{origin} has no context `{requested}`; it has {}", list(available))]
    NoContext {
        /// The kubeconfig, with its files.
        origin: String,
        /// What was asked for.
        requested: String,
        /// What there is.
        available: Vec<String>,
    },
    /// No context was chosen.
    #[error(
        "{origin} names no current-context; choose one with --context: it has {}",
        list(available)
    )]
    NoCurrentContext {
        /// The kubeconfig, with its files.
        origin: String,
        /// What there is.
        available: Vec<String>,
    },
    /// A context points at something that is not there.
    #[error("context `{context}` of {origin} refers to {what} `{name}`, which does not exist")]
    MissingReference {
        /// The kubeconfig, with its files.
        origin: String,
        /// The context.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A field has a value that can't be used.
    #[error("{field} of {owner} in {origin} can't be used: {reason}")]
    BadField {
        /// The field.
        field: String,
        /// The cluster, user or context that has it, with its name.
        owner: String,
        /// The file that contains it.
        origin: String,
        /// What is wrong, without the value itself.
        reason: String,
    },
    /// A proxy of the environment can't be used.
    #[error("the proxy of the environment can't be used: {0}")]
    Proxy(String),
    /// The service account of this pod can't be used.
    #[error("could not use the service account of this pod: {0}")]
    InCluster(String),
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The kubeconfig, read and merged.
#[derive(Clone, Debug)]
pub struct MergedKubeconfig {
    source: KubeconfigSource,
    current_context: Option<String>,
    clusters: Vec<KubeconfigSection>,
    users: Vec<KubeconfigSection>,
    contexts: Vec<KubeconfigSection>,
    /// All files, in the order in which they were read.
    loaded_files: Vec<PathBuf>,
    is_in_cluster: bool,
}

impl MergedKubeconfig {
    /// Reads and merges. A file of `$KUBECONFIG` that does not exist is passed over as kubectl
    /// does, unless none of them exists.
    pub fn load(source: &KubeconfigSource) -> Result<Self, KubeconfigError> {
        let mut loaded = Self {
            source: source.clone(),
            current_context: None,
            clusters: Vec::new(),
            users: Vec::new(),
            contexts: Vec::new(),
            loaded_files: Vec::new(),
            is_in_cluster: false,
        };
        match source {
            KubeconfigSource::Inline(text) => {
                let document = KubeconfigDocument::parse(text, &KubeconfigOrigin::default())
                    .map_err(|said| malformed(Path::new("given as text"), said))?;
                loaded.merge(document);
            }
            KubeconfigSource::File(path) => loaded.add(path)?,
            KubeconfigSource::Default => loaded.load_default()?,
        }
        Ok(loaded)
    }

    fn load_default(&mut self) -> Result<(), KubeconfigError> {
        let named = named_files();
        let home = default_file();
        let files = if named.is_empty() {
            home.clone().into_iter().collect()
        } else {
            named.clone()
        };
        let present: Vec<_> = files.iter().filter(|path| path.exists()).collect();
        if !present.is_empty() {
            return present.into_iter().try_for_each(|path| self.add(path));
        }
        // As DeferredLoadingClientConfig, also where KUBECONFIG names what is not there.
        if env::var_os("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty()) {
            self.is_in_cluster = true;
            return Ok(());
        }
        if !named.is_empty() {
            let names: Vec<_> = named
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(KubeconfigError::Missing(format!(
                "KUBECONFIG names {}, which does not exist",
                names.join(", ")
            )));
        }
        let looked = home.map_or_else(
            || "KUBECONFIG is not set and there is no home directory".to_owned(),
            |path| {
                format!(
                    "KUBECONFIG is not set and {} does not exist",
                    path.display()
                )
            },
        );
        Err(KubeconfigError::Missing(looked))
    }

    /// Adds a file.
    fn add(&mut self, path: &Path) -> Result<(), KubeconfigError> {
        if !path.exists() {
            return Err(KubeconfigError::Missing(format!(
                "{} does not exist",
                path.display()
            )));
        }
        let content = bounded_file::read(path, bounded_file::MAX_KUBECONFIG).map_err(|said| {
            let path = path.display().to_string();
            KubeconfigError::Unreadable { path, reason: said }
        })?;
        let origin = KubeconfigOrigin {
            file: Some(path.into()),
        };
        let document = document::decode(&content)
            .and_then(|text| KubeconfigDocument::parse(&text, &origin))
            .map_err(|said| malformed(path, said))?;
        self.loaded_files.push(path.to_owned());
        self.merge(document);
        Ok(())
    }

    /// What earlier files said wins, as kubectl's rules have it: entry by entry, and the first
    /// current-context that is not empty (ClientConfigLoadingRules.Load).
    fn merge(&mut self, document: KubeconfigDocument) {
        self.current_context = self.current_context.take().or(document.current_context);
        for (known, more) in [
            (&mut self.clusters, document.clusters),
            (&mut self.users, document.users),
            (&mut self.contexts, document.contexts),
        ] {
            let mut names: HashSet<String> = known.iter().map(|entry| entry.name.clone()).collect();
            known.extend(
                more.into_iter()
                    .filter(|entry| names.insert(entry.name.clone())),
            );
        }
    }

    /// Reads the same source again, so that a fresh login is seen.
    pub fn reload(&self) -> Result<Self, KubeconfigError> {
        Self::load(&self.source)
    }

    /// All contexts, in the order of the files.
    pub fn contexts(&self) -> Vec<ContextRef> {
        if self.is_in_cluster {
            return vec![ContextRef {
                name: IN_CLUSTER.to_owned(),
                cluster: IN_CLUSTER.to_owned(),
                namespace: None,
                file: None,
            }];
        }
        let to_ref = |entry: &KubeconfigSection| ContextRef {
            name: entry.name.clone(),
            // An unusable entry is reported when its context is used.
            cluster: entry.text("cluster").ok().flatten().unwrap_or_default(),
            namespace: entry.text("namespace").ok().flatten(),
            file: entry.file().map(Path::to_owned),
        };
        self.contexts.iter().map(to_ref).collect()
    }

    /// The kubeconfig with its files, in words.
    fn description(&self) -> String {
        match self.loaded_files.as_slice() {
            [] => "the kubeconfig".to_owned(),
            _ => format!("the kubeconfig {}", self.origin()),
        }
    }

    /// The files it was read from, in order of precedence; none where it was given as text.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.loaded_files
    }

    /// The files it was read from, in words.
    pub(super) fn origin(&self) -> String {
        if self.is_in_cluster {
            return "the service account of this pod".to_owned();
        }
        let mut files: Vec<_> = self
            .loaded_files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if files.is_empty() {
            files.push("text that was given".to_owned());
        }
        files.join(", ")
    }

    /// `current-context`.
    pub fn current_context(&self) -> Option<&str> {
        if self.is_in_cluster {
            return Some(IN_CLUSTER);
        }
        self.current_context.as_deref()
    }

    fn names(&self) -> Vec<String> {
        self.contexts
            .iter()
            .map(|entry| entry.name.clone())
            .collect()
    }
}

fn malformed(path: &Path, reason: String) -> KubeconfigError {
    let path = path.display().to_string();
    KubeconfigError::Malformed { path, reason }
}

#[cfg(test)]
mod tests;
