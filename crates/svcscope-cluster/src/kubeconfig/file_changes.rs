//! Noticing that a kubeconfig, or a file that it names, is not as it was.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::{ContextRef, KubeconfigSource, MergedKubeconfig, default_file, named_files};

/// How often the files are checked: a handful of `stat` calls.
const STAMP_INTERVAL: Duration = Duration::from_secs(2);

/// A file that was written this long ago is whole: editors and kubectl write it at once, but some
/// tools piece by piece.
const WRITE_SETTLE_TIME: Duration = Duration::from_millis(500);

/// What is compared to notice that files changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps {
    files: Vec<PathBuf>,
    stamps: Vec<Option<(SystemTime, u64)>>,
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
            Self {
                files,
                stamps: found,
            }
        });
        looked.await.unwrap_or_else(|_panic| Self {
            files: Vec::new(),
            stamps: Vec::new(),
        })
    }
}

impl KubeconfigSource {
    /// Returns once a file of this source, or one that it names, is not as it was, comes or goes.
    /// Where there is no file, it never does.
    pub async fn changed_since(&self, before: FileStamps) {
        while before.files.is_empty() || FileStamps::of(before.files.clone()).await == before {
            tokio::time::sleep(STAMP_INTERVAL).await;
        }
    }

    /// When each of its files, and of those that they name, was written, and how long it is.
    pub async fn stamps(&self) -> FileStamps {
        let source = self.clone();
        let files = tokio::task::spawn_blocking(move || {
            let mut files = source.files();
            if let Ok(loaded) = MergedKubeconfig::load(&source) {
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
                    default_file().into_iter().collect()
                } else {
                    named
                }
            }
        }
    }
}

/// What a kubeconfig says after it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeconfigChange {
    /// All its contexts and the current one; nothing where it can't be read now.
    pub contexts: Option<(Vec<ContextRef>, Option<String>)>,
    /// Whether what a connection was made from is another now; or why it can't be used.
    pub in_use: Result<bool, String>,
    /// Whether the context leads to another API server now.
    pub is_other_server: bool,
}

/// What a connection was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeconfigFingerprint {
    pub context: String,
    pub fingerprint: u64,
    pub server_fingerprint: u64,
    /// The files beside the kubeconfig.
    pub files: Vec<PathBuf>,
}

impl MergedKubeconfig {
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
    pub(crate) async fn stamps(&self, basis: &KubeconfigFingerprint) -> FileStamps {
        if self.is_in_cluster {
            return FileStamps::of(Vec::new()).await;
        }
        let mut files = self.source.files();
        files.extend(basis.files.iter().cloned());
        FileStamps::of(files).await
    }

    /// Waits until one of those files was written, and for its writer to come to an end. Where there
    /// is no file, it never returns.
    pub(crate) async fn wait_until_written(
        &self,
        basis: &KubeconfigFingerprint,
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
            let pause = if now == *before {
                STAMP_INTERVAL
            } else {
                WRITE_SETTLE_TIME
            };
            last = now;
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads all of it again and compares. It reads files, so it belongs on a thread that may block.
    pub(crate) fn compare_with(&self, basis: &KubeconfigFingerprint) -> KubeconfigChange {
        let loaded = match self.reload() {
            Ok(loaded) => loaded,
            Err(error) => {
                return KubeconfigChange {
                    contexts: None,
                    in_use: Err(error.to_string()),
                    is_other_server: false,
                };
            }
        };
        let target = loaded.resolve_context(Some(&basis.context));
        let is_other_server =
            matches!(&target, Ok(now) if now.server_fingerprint != basis.server_fingerprint);
        let in_use = target
            .map(|target| target.fingerprint != basis.fingerprint)
            .map_err(|error| error.to_string());
        let current = loaded.current_context().map(str::to_owned);
        KubeconfigChange {
            contexts: Some((loaded.contexts(), current)),
            in_use,
            is_other_server,
        }
    }
}
