//! The kubeconfig: where it comes from, which contexts it has, and what one of them means.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::proxy;
use crate::tls::authorities_in;
use k8s_openapi::ByteString;
use kube::{
    Config,
    config::{Cluster, ExecAuthCluster, ExecConfig, Kubeconfig, NamedContext},
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

/// How often it is looked whether a kubeconfig changed, while only that can help.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl KubeconfigSource {
    /// Returns once a file of this source is not as it was, comes or goes. Where there is no file,
    /// it never does.
    pub async fn changed_since(&self, before: FileStamps) {
        while self.stamps().await == before {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// When each of its files was written, and how long it is.
    pub async fn stamps(&self) -> FileStamps {
        let files = match self {
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
        };
        let stamp = |path: PathBuf| {
            let found = path.metadata().ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        let looked = tokio::task::spawn_blocking(move || files.into_iter().map(stamp).collect());
        FileStamps(looked.await.unwrap_or_default())
    }
}

/// By what it is noticed that files changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamps(Vec<Option<(SystemTime, u64)>>);

/// The files that `$KUBECONFIG` names.
fn named_files() -> Vec<PathBuf> {
    env::var_os("KUBECONFIG")
        .map(|value| {
            env::split_paths(&value)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
        .unwrap_or_default()
}

/// `~/.kube/config`.
fn home_file() -> Option<PathBuf> {
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
    #[error("could not read the kubeconfig {path}: {said}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        said: String,
    },
    /// It is no kubeconfig.
    #[error("could not understand the kubeconfig {path}: {said}; correct that line and reconnect")]
    Broken {
        /// The file.
        path: String,
        /// Where and what.
        said: String,
    },
    /// It has no such context.
    #[error("the kubeconfig has no context `{wanted}`; it has {}", list(known))]
    NoContext {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nobody said which context.
    #[error("the kubeconfig names no current-context; choose one with --context: it has {}", list(.0))]
    NoCurrentContext(Vec<String>),
    /// A context points at something that is not there.
    #[error(
        "context `{context}` of the kubeconfig uses the {what} `{name}`, which the kubeconfig does not have"
    )]
    Dangling {
        /// The context.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A field has a value that can't be used.
    #[error("{field} of `{owner}` in the kubeconfig can't be used: {said}")]
    BadField {
        /// The field.
        field: &'static str,
        /// The cluster or user that has it.
        owner: String,
        /// What is wrong.
        said: String,
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
pub struct Kubeconfigs {
    source: KubeconfigSource,
    merged: Kubeconfig,
    files: BTreeMap<String, PathBuf>,
    /// All files, in the order in which they were read.
    read: Vec<PathBuf>,
    in_cluster: bool,
}

/// One context with all that it refers to, ready to build a client from, except that an exec
/// plugin has still to be asked.
pub(super) struct Target {
    pub context: String,
    /// The name of the user, empty where the context has none.
    pub user: String,
    /// Who chose the proxy of `config`, where it has one.
    pub proxy: Option<ProxySource>,
    pub config: Config,
    pub exec: Option<ExecConfig>,
}

/// Who says which proxy leads to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxySource {
    /// `proxy-url` of the cluster.
    Kubeconfig,
    /// Variables of the environment.
    Environment,
}

impl Kubeconfigs {
    /// Reads and merges. A file of `$KUBECONFIG` that does not exist is passed over as kubectl
    /// does, unless none of them exists.
    pub fn load(source: &KubeconfigSource) -> Result<Self, KubeconfigError> {
        let mut loaded = Self {
            source: source.clone(),
            merged: Kubeconfig::default(),
            files: BTreeMap::new(),
            read: Vec::new(),
            in_cluster: false,
        };
        match source {
            KubeconfigSource::Inline(text) => {
                let parsed = Kubeconfig::from_yaml(text)
                    .map_err(|error| broken(Path::new("given as text"), &error))?;
                loaded.merged = parsed;
            }
            KubeconfigSource::File(path) => loaded.add(path)?,
            KubeconfigSource::Default => loaded.load_default()?,
        }
        Ok(loaded)
    }

    fn load_default(&mut self) -> Result<(), KubeconfigError> {
        let named = named_files();
        if !named.is_empty() {
            let present: Vec<_> = named.iter().filter(|path| path.exists()).collect();
            if present.is_empty() {
                let names: Vec<_> = named
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                return Err(KubeconfigError::Missing(format!(
                    "KUBECONFIG names {}, which does not exist",
                    names.join(", ")
                )));
            }
            return present.into_iter().try_for_each(|path| self.add(path));
        }
        let home = home_file();
        if let Some(path) = home.as_ref().filter(|path| path.exists()) {
            return self.add(path);
        }
        if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            self.in_cluster = true;
            return Ok(());
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

    /// Adds a file; what earlier files said wins, as kubectl's rules have it.
    fn add(&mut self, path: &Path) -> Result<(), KubeconfigError> {
        if !path.exists() {
            return Err(KubeconfigError::Missing(format!(
                "{} does not exist",
                path.display()
            )));
        }
        let parsed = Kubeconfig::read_from(path).map_err(|error| broken(path, &error))?;
        for context in &parsed.contexts {
            self.files
                .entry(context.name.clone())
                .or_insert_with(|| path.to_owned());
        }
        self.read.push(path.to_owned());
        let merged = std::mem::take(&mut self.merged);
        self.merged = merged.merge(parsed).map_err(|error| broken(path, &error))?;
        Ok(())
    }

    /// Reads the same source again, so that a fresh login is seen.
    pub fn reload(&self) -> Result<Self, KubeconfigError> {
        Self::load(&self.source)
    }

    /// All contexts, in the order of the files.
    pub fn contexts(&self) -> Vec<ContextRef> {
        if self.in_cluster {
            return vec![ContextRef {
                name: IN_CLUSTER.to_owned(),
                cluster: IN_CLUSTER.to_owned(),
                namespace: None,
                file: None,
            }];
        }
        let to_ref = |named: &NamedContext| {
            let context = named.context.as_ref();
            ContextRef {
                name: named.name.clone(),
                cluster: context.map_or_else(String::new, |context| context.cluster.clone()),
                namespace: context.and_then(|context| context.namespace.clone()),
                file: self.files.get(&named.name).cloned(),
            }
        };
        self.merged.contexts.iter().map(to_ref).collect()
    }

    /// The files it was read from, in the order in which they count; none where it was given as text.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.read
    }

    /// The files it was read from, in words.
    pub(super) fn origin(&self) -> String {
        if self.in_cluster {
            return "the service account of this pod".to_owned();
        }
        let mut files: Vec<_> = self
            .read
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if files.is_empty() {
            files.push("text that was given".to_owned());
        }
        files.join(", ")
    }

    /// `current-context`.
    pub fn current(&self) -> Option<&str> {
        if self.in_cluster {
            return Some(IN_CLUSTER);
        }
        self.merged
            .current_context
            .as_deref()
            .filter(|name| !name.is_empty())
    }

    fn names(&self) -> Vec<String> {
        self.merged
            .contexts
            .iter()
            .map(|named| named.name.clone())
            .collect()
    }

    /// What a context (none: the current one) means.
    pub(super) fn target(&self, wanted: Option<&str>) -> Result<Target, KubeconfigError> {
        let name = wanted
            .or_else(|| self.current())
            .ok_or_else(|| KubeconfigError::NoCurrentContext(self.names()))?
            .to_owned();
        if self.in_cluster && name == IN_CLUSTER {
            let mut config = Config::incluster()
                .map_err(|error| KubeconfigError::InCluster(error.to_string()))?;
            config.proxy_url =
                proxy::from_env(&config.cluster_url).map_err(KubeconfigError::Proxy)?;
            return Ok(Target {
                context: name,
                user: "service account of this pod".to_owned(),
                proxy: config.proxy_url.as_ref().map(|_| ProxySource::Environment),
                config,
                exec: None,
            });
        }
        let context = self
            .merged
            .contexts
            .iter()
            .find(|named| named.name == name)
            .and_then(|named| named.context.as_ref())
            .ok_or_else(|| KubeconfigError::NoContext {
                wanted: name.clone(),
                known: self.names(),
            })?;
        let dangling = |what, missing: &str| KubeconfigError::Dangling {
            context: name.clone(),
            what,
            name: missing.to_owned(),
        };
        let cluster = self
            .merged
            .clusters
            .iter()
            .find(|named| named.name == context.cluster)
            .and_then(|named| named.cluster.as_ref())
            .ok_or_else(|| dangling("cluster", &context.cluster))?;
        let mut config = cluster_config(&context.cluster, cluster)?;
        if let Some(namespace) = context.namespace.as_ref().filter(|given| !given.is_empty()) {
            config.default_namespace.clone_from(namespace);
        }
        if let Some(user) = context.user.as_ref().filter(|user| !user.is_empty()) {
            config.auth_info = self
                .merged
                .auth_infos
                .iter()
                .find(|named| named.name == *user)
                .map(|named| named.auth_info.clone().unwrap_or_default())
                .ok_or_else(|| dangling("user", user))?;
        }
        let mut exec = config.auth_info.exec.take();
        if let Some(exec) = exec.as_mut().filter(|exec| exec.provide_cluster_info) {
            let info = ExecAuthCluster::try_from(cluster)
                .map_err(|error| bad("certificate-authority", &context.cluster, error))?;
            exec.cluster = Some(info);
        }
        let is_given = cluster
            .proxy_url
            .as_ref()
            .is_some_and(|url| !url.is_empty());
        let source = if is_given {
            ProxySource::Kubeconfig
        } else {
            ProxySource::Environment
        };
        let proxy = config.proxy_url.as_ref().map(|_| source);
        Ok(Target {
            context: name,
            user: context.user.clone().unwrap_or_default(),
            proxy,
            config,
            exec,
        })
    }
}

/// kube's own way from a cluster to a [`Config`] fails on a `NO_PROXY` with a trailing comma and
/// matches it against the proxy instead of the server (5.0), so the few fields are set here.
fn cluster_config(name: &str, cluster: &Cluster) -> Result<Config, KubeconfigError> {
    let server = cluster
        .server
        .as_ref()
        .filter(|server| !server.is_empty())
        .ok_or_else(|| bad("server", name, "it is missing"))?;
    let url: http::Uri = server.parse().map_err(|error| bad("server", name, error))?;
    if url.host().is_none() || url.scheme().is_none() {
        return Err(bad(
            "server",
            name,
            format!("`{server}` is no URL such as https://HOST:PORT"),
        ));
    }
    let mut config = Config::new(url);
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.root_cert = root_certificates(name, cluster)?;
    config.proxy_url = match cluster.proxy_url.as_ref().filter(|given| !given.is_empty()) {
        Some(given) => Some(proxy::parse(given).map_err(|error| bad("proxy-url", name, error))?),
        None => proxy::from_env(&config.cluster_url).map_err(KubeconfigError::Proxy)?,
    };
    Ok(config)
}

fn root_certificates(
    name: &str,
    cluster: &Cluster,
) -> Result<Option<Vec<Vec<u8>>>, KubeconfigError> {
    let pem = if let Some(data) = &cluster.certificate_authority_data {
        // ByteString is how Kubernetes' own types read base64.
        let decoded: ByteString = serde_json::from_value(data.as_str().into())
            .map_err(|error| bad("certificate-authority-data", name, error))?;
        decoded.0
    } else if let Some(path) = &cluster.certificate_authority {
        std::fs::read(path)
            .map_err(|error| bad("certificate-authority", name, format!("{path}: {error}")))?
    } else {
        return Ok(None);
    };
    let authorities = authorities_in(&pem);
    if authorities.is_empty() {
        return Err(bad(
            "certificate-authority-data",
            name,
            "it holds no PEM certificate that can be read",
        ));
    }
    Ok(Some(authorities.iter().map(|der| der.to_vec()).collect()))
}

fn bad(field: &'static str, owner: &str, said: impl ToString) -> KubeconfigError {
    KubeconfigError::BadField {
        field,
        owner: owner.to_owned(),
        said: said.to_string(),
    }
}

/// kube's words without the source excerpt, which could show a token.
fn broken(path: &Path, error: &kube::config::KubeconfigError) -> KubeconfigError {
    use kube::config::KubeconfigError as Kube;
    let path = path.display().to_string();
    match error {
        Kube::ReadConfig(said, _) => KubeconfigError::Unreadable {
            path,
            said: said.to_string(),
        },
        Kube::Parse(said) => KubeconfigError::Broken {
            path,
            said: said.without_snippet().to_string(),
        },
        other => KubeconfigError::Broken {
            path,
            said: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
