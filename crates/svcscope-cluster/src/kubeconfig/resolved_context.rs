//! One context with all that it refers to, ready to build a client from.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::{
    Config,
    config::{Cluster, ExecAuthCluster, ExecConfig, NamedExtension},
};

use super::{
    IN_CLUSTER, KubeconfigError, MergedKubeconfig, pem_files, section::KubeconfigSection,
    server_address::ApiServerAddress, user_credentials::UserCredentials,
};
use crate::{bounded_file, path::display_address, proxy};
use svcscope_net::tls::authorities_in_pem;

/// What a cluster has for plugins (client-go, tools/clientcmd/client_config.go).
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// A context; an exec plugin has still to be asked.
pub(crate) struct ResolvedContext {
    pub context: String,
    /// The name of the user, empty where the context has none.
    pub user: String,
    /// Where the proxy of `config` was configured, where it has one.
    pub proxy: Option<ProxySource>,
    pub config: Config,
    pub exec: Option<ExecConfig>,
    /// What the user must know of how it is protected.
    pub notices: Vec<SecurityNotice>,
    /// The certificates, keys and tokens that it names.
    pub files: Vec<PathBuf>,
    /// Another one once anything of it that counts is another, also within those files.
    pub fingerprint: u64,
    /// Another one once this leads to another API server.
    pub server_fingerprint: u64,
}

/// Where the proxy to the API server was configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxySource {
    /// `proxy-url` of the cluster.
    Kubeconfig,
    /// Variables of the environment.
    Environment,
}

/// A way in which a connection is less protected than it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityNotice {
    /// `insecure-skip-tls-verify`: anything may answer in place of the API server.
    TlsNotVerified {
        /// Its address.
        server: String,
    },
    /// The server is asked by plain HTTP, so the credentials are not sent.
    CredentialsNotSent {
        /// Its address.
        server: String,
        /// Which credentials.
        what: &'static str,
        /// Whose.
        user: String,
    },
}

impl SecurityNotice {
    /// In two or three words.
    pub fn label(&self) -> &'static str {
        match self {
            Self::TlsNotVerified { .. } => "TLS not verified",
            Self::CredentialsNotSent { .. } => "credentials not sent",
        }
    }

    /// What to do.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::TlsNotVerified { .. } => {
                "put the cluster's certificate-authority-data into the kubeconfig in place of insecure-skip-tls-verify"
            }
            Self::CredentialsNotSent { .. } => {
                "where the server has HTTPS, write https:// into `server`"
            }
        }
    }
}

impl fmt::Display for SecurityNotice {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TlsNotVerified { server } => write!(
                to,
                "the certificate of {server} is not verified, because the kubeconfig has insecure-skip-tls-verify: anyone on the network path can read and change all traffic"
            ),
            Self::CredentialsNotSent { server, what, user } => write!(
                to,
                "the connection to {server} is not encrypted, so the {what} of user `{user}` is not sent; kubectl does not send it either"
            ),
        }
    }
}

impl MergedKubeconfig {
    /// What the user must know of how a connection to a context (none: the current one) would be
    /// protected.
    pub fn notices(&self, wanted: Option<&str>) -> Vec<SecurityNotice> {
        let target = self.resolve_context(wanted);
        target.map_or_else(
            |_reported_when_connecting| Vec::new(),
            |target| target.notices,
        )
    }

    /// What a context (none: the current one) means.
    pub(crate) fn resolve_context(
        &self,
        wanted: Option<&str>,
    ) -> Result<ResolvedContext, KubeconfigError> {
        let name = wanted
            .or_else(|| self.current_context())
            .ok_or_else(|| KubeconfigError::NoCurrentContext {
                origin: self.description(),
                available: self.names(),
            })?
            .to_owned();
        if self.is_in_cluster && name == IN_CLUSTER {
            return in_cluster(name);
        }
        let context = find(&self.contexts, &name).ok_or_else(|| KubeconfigError::NoContext {
            origin: self.description(),
            requested: name.clone(),
            available: self.names(),
        })?;
        let dangling = |what, missing: String| KubeconfigError::MissingReference {
            origin: self.description(),
            context: name.clone(),
            what,
            name: missing,
        };
        let cluster = context
            .text("cluster")?
            .ok_or_else(|| context.invalid_field("cluster", "it is missing"))?;
        let cluster =
            find(&self.clusters, &cluster).ok_or_else(|| dangling("cluster", cluster.clone()))?;
        let mut files = Vec::new();
        let (server, mut config) = cluster_config(cluster, &mut files)?;
        if let Some(namespace) = context.text("namespace")? {
            config.default_namespace = namespace;
        }
        let user_name = context.text("user")?.unwrap_or_default();
        let entry = find(&self.users, &user_name);
        let mut notices = Vec::new();
        let address = || display_address(&config.cluster_url);
        if config.accept_invalid_certs {
            notices.push(SecurityNotice::TlsNotVerified { server: address() });
        }
        let mut user = match entry {
            Some(entry) if server.is_tls() => UserCredentials::over_tls(entry)?,
            Some(entry) => {
                let (user, withheld) = UserCredentials::without_tls(entry)?;
                notices.extend(withheld.map(|what| SecurityNotice::CredentialsNotSent {
                    server: address(),
                    what,
                    user: user_name.clone(),
                }));
                user
            }
            // Without TLS nothing of it would be sent.
            None if user_name.is_empty() || !server.is_tls() => UserCredentials::default(),
            None => return Err(dangling("user", user_name)),
        };
        if let Some((name, password)) = server.login {
            user.log_in_as(name, password);
        }
        if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
            exec.cluster = Some(exec_cluster(cluster, &config)?);
        }
        files.append(&mut user.files);
        let is_given = cluster.text("proxy-url")?.is_some();
        let source = if is_given {
            ProxySource::Kubeconfig
        } else {
            ProxySource::Environment
        };
        config.auth_info = user.auth_info;
        let mut target = ResolvedContext {
            context: name,
            user: user_name,
            proxy: config.proxy_url.as_ref().map(|_| source),
            config,
            exec: user.exec,
            notices,
            files,
            fingerprint: 0,
            server_fingerprint: 0,
        };
        target.fingerprint = fingerprint(&target);
        target.server_fingerprint = server_fingerprint(&target.config);
        Ok(target)
    }
}

fn find<'a>(entries: &'a [KubeconfigSection], name: &str) -> Option<&'a KubeconfigSection> {
    entries.iter().find(|entry| entry.name == name)
}

fn in_cluster(name: String) -> Result<ResolvedContext, KubeconfigError> {
    let mut config =
        Config::incluster().map_err(|error| KubeconfigError::InCluster(error.to_string()))?;
    config.proxy_url = proxy::from_env(&config.cluster_url).map_err(KubeconfigError::Proxy)?;
    Ok(ResolvedContext {
        context: name,
        user: "service account of this pod".to_owned(),
        proxy: config.proxy_url.as_ref().map(|_| ProxySource::Environment),
        config,
        exec: None,
        notices: Vec::new(),
        // They are read again as it is.
        files: Vec::new(),
        fingerprint: 0,
        server_fingerprint: 0,
    })
}

/// kube's own way from a cluster to a [`Config`] fails on a `NO_PROXY` with a trailing comma and
/// matches it against the proxy instead of the server (5.0), so the few fields are set here.
fn cluster_config(
    cluster: &KubeconfigSection,
    files: &mut Vec<PathBuf>,
) -> Result<(ApiServerAddress, Config), KubeconfigError> {
    let text = cluster
        .text("server")?
        .ok_or_else(|| cluster.invalid_field("server", "it is missing"))?;
    let server =
        ApiServerAddress::parse(&text).map_err(|said| cluster.invalid_field("server", said))?;
    let mut config = Config::new(server.url.clone());
    config.disable_compression = cluster.flag("disable-compression")?;
    if server.is_tls() {
        config.accept_invalid_certs = cluster.flag("insecure-skip-tls-verify")?;
        config.tls_server_name = cluster.text("tls-server-name")?;
        config.root_cert = root_certificates(cluster, files)?;
        // transport.TLSConfigFor.
        if config.accept_invalid_certs && config.root_cert.is_some() {
            let said = "there is a certificate-authority as well, by which it would be verified: remove one of them";
            return Err(cluster.invalid_field("insecure-skip-tls-verify", said));
        }
    }
    config.proxy_url = match cluster.text("proxy-url")? {
        Some(given) => {
            Some(proxy::parse(&given).map_err(|error| cluster.invalid_field("proxy-url", error))?)
        }
        None => proxy::from_env(&config.cluster_url).map_err(KubeconfigError::Proxy)?,
    };
    Ok((server, config))
}

fn root_certificates(
    cluster: &KubeconfigSection,
    files: &mut Vec<PathBuf>,
) -> Result<Option<Vec<Vec<u8>>>, KubeconfigError> {
    let Some((field, pem)) = pem_files::pem_field(cluster, "certificate-authority", files)? else {
        return Ok(None);
    };
    let authorities = authorities_in_pem(&pem);
    if authorities.is_empty() {
        return Err(cluster.invalid_field(field, "it holds no PEM certificate that can be read"));
    }
    Ok(Some(authorities.iter().map(|der| der.to_vec()).collect()))
}

/// What a plugin is given of the cluster.
fn exec_cluster(
    cluster: &KubeconfigSection,
    config: &Config,
) -> Result<ExecAuthCluster, KubeconfigError> {
    let bundle = pem_files::pem_field(cluster, "certificate-authority", &mut Vec::new())?;
    let mut extensions = Vec::new();
    for extension in cluster.objects("extensions")? {
        let name = extension.text("name").ok().flatten();
        if name.as_deref() == Some(EXEC_EXTENSION) {
            extensions.push(NamedExtension {
                name: EXEC_EXTENSION.to_owned(),
                extension: extension.raw("extension")?.unwrap_or_default(),
            });
        }
    }
    let info = Cluster {
        server: cluster.text("server")?,
        insecure_skip_tls_verify: Some(config.accept_invalid_certs),
        certificate_authority_data: bundle.map(|(_, pem)| STANDARD.encode(pem)),
        proxy_url: cluster.text("proxy-url")?,
        tls_server_name: config.tls_server_name.clone(),
        extensions: Some(extensions),
        ..Cluster::default()
    };
    ExecAuthCluster::try_from(&info)
        .map_err(|error| cluster.invalid_field("certificate-authority", error))
}

/// The same address with other authorities is another cluster: one that was recreated. So is another
/// path, but on this machine, where a path is no more than a secret (as the demo's).
fn server_fingerprint(config: &Config) -> u64 {
    let url = &config.cluster_url;
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    let mut hasher = DefaultHasher::new();
    display_address(url).hash(&mut hasher);
    if !is_here {
        url.path().hash(&mut hasher);
    }
    config.root_cert.hash(&mut hasher);
    hasher.finish()
}

fn fingerprint(target: &ResolvedContext) -> u64 {
    let ResolvedContext { config, exec, .. } = target;
    let mut hasher = DefaultHasher::new();
    config.cluster_url.to_string().hash(&mut hasher);
    config.root_cert.hash(&mut hasher);
    config.accept_invalid_certs.hash(&mut hasher);
    config.tls_server_name.hash(&mut hasher);
    config.disable_compression.hash(&mut hasher);
    let proxy = config.proxy_url.as_ref().map(ToString::to_string);
    proxy.hash(&mut hasher);
    // The text of secrets is only to be had by writing the user out. As values, whose keys have an
    // order.
    let parts = [
        serde_json::to_value(&config.auth_info),
        serde_json::to_value(exec),
    ];
    for mut value in parts.into_iter().flatten() {
        // What an issuer returns is written back each time that it is fetched.
        for fetched in ["id-token", "access-token", "refresh-token", "expiry"] {
            let config = value.pointer_mut("/auth-provider/config");
            if let Some(config) = config.and_then(serde_json::Value::as_object_mut) {
                config.remove(fetched);
            }
        }
        value.sort_all_objects();
        value.to_string().hash(&mut hasher);
    }
    let token = config.auth_info.token_file.as_ref();
    let token = token.map(|path| bounded_file::read(path.as_ref(), bounded_file::MAX_CREDENTIAL));
    token.hash(&mut hasher);
    hasher.finish()
}
