//! Noticing that a kubeconfig, or a file that it names, is not as it was.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::{ContextRef, KubeconfigSource, Kubeconfigs, home_file, named_files};

/// How often it is looked: a handful of `stat`.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A file that was written this long ago is whole: editors and kubectl write it at once, but some
/// tools piece by piece.
const SETTLED: Duration = Duration::from_millis(500);

/// By what it is noticed that files changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps {
    files: Vec<PathBuf>,
    found: Vec<Option<(SystemTime, u64)>>,
}

impl FileStamps {
    /// When each of them was written, and how long it is.
    async fn of(files: Vec<PathBuf>) -> Self {
        let stamp = |path: &PathBuf| {
            let found = path.metadata().ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        let looked = tokio::task::spawn_blocking(move || {
            let found = files.iter().map(stamp).collect();
            Self { files, found }
        });
        looked.await.unwrap_or_else(|_panic| Self {
            files: Vec::new(),
            found: Vec::new(),
        })
    }
}

impl KubeconfigSource {
    /// Returns once a file of this source, or one that it names, is not as it was, comes or goes.
    /// Where there is no file, it never does.
    pub async fn changed_since(&self, before: FileStamps) {
        while before.files.is_empty() || FileStamps::of(before.files.clone()).await == before {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// When each of its files, and of those that they name, was written, and how long it is.
    pub async fn stamps(&self) -> FileStamps {
        let source = self.clone();
        let files = tokio::task::spawn_blocking(move || {
            let mut files = source.files();
            if let Ok(loaded) = Kubeconfigs::load(&source) {
                files.extend(loaded.credential_files());
            }
            files
        });
        FileStamps::of(files.await.unwrap_or_default()).await
    }

    fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Inline(_) => Vec::new(),
            Self::File(path) => vec![path.clone()],
            Self::Default => {
                let named = named_files();
                if named.is_empty() {
                    home_file().into_iter().collect()
                } else {
                    named
                }
            }
        }
    }
}

/// What a kubeconfig says after it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigNews {
    /// All its contexts and the current one; nothing where it can't be read now.
    pub contexts: Option<(Vec<ContextRef>, Option<String>)>,
    /// Whether what a connection was made from is another now; or why it can't be used.
    pub in_use: Result<bool, String>,
    /// Whether the context leads to another API server now.
    pub is_other_server: bool,
}

/// What a connection was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) struct Basis {
    pub context: String,
    pub fingerprint: u64,
    pub endpoint: u64,
    /// The files beside the kubeconfig.
    pub files: Vec<PathBuf>,
}

impl Kubeconfigs {
    /// The certificates, keys and tokens that any of its entries names.
    fn credential_files(&self) -> Vec<PathBuf> {
        let fields = [
            "certificate-authority",
            "client-certificate",
            "client-key",
            "tokenFile",
        ];
        let entries = self.clusters.iter().chain(&self.users);
        entries
            .flat_map(|entry| fields.map(|field| entry.path(field).ok().flatten()))
            .flatten()
            .collect()
    }

    /// The files of this and those that `basis` names as they are now.
    pub(in crate::cluster) async fn stamps(&self, basis: &Basis) -> FileStamps {
        if self.in_cluster {
            return FileStamps::of(Vec::new()).await;
        }
        let mut files = self.source.files();
        files.extend(basis.files.iter().cloned());
        FileStamps::of(files).await
    }

    /// Waits until one of those files was written, and for its writer to come to an end. Where there
    /// is no file, it never returns.
    pub(in crate::cluster) async fn written(
        &self,
        basis: &Basis,
        before: &FileStamps,
    ) -> FileStamps {
        if before.files.is_empty() {
            std::future::pending::<()>().await;
        }
        let mut last = before.clone();
        loop {
            let now = self.stamps(basis).await;
            if now == last && now != *before {
                return now;
            }
            let pause = if now == *before { LOOK_EVERY } else { SETTLED };
            last = now;
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads all of it again and compares. It reads files, so it belongs on a thread that may block.
    pub(in crate::cluster) fn news(&self, basis: &Basis) -> KubeconfigNews {
        let loaded = match self.reload() {
            Ok(loaded) => loaded,
            Err(error) => {
                return KubeconfigNews {
                    contexts: None,
                    in_use: Err(error.to_string()),
                    is_other_server: false,
                };
            }
        };
        let target = loaded.target(Some(&basis.context));
        let is_other_server = matches!(&target, Ok(now) if now.endpoint != basis.endpoint);
        let in_use = target
            .map(|target| target.fingerprint != basis.fingerprint)
            .map_err(|error| error.to_string());
        let current = loaded.current().map(str::to_owned);
        KubeconfigNews {
            contexts: Some((loaded.contexts(), current)),
            in_use,
            is_other_server,
        }
    }
}
