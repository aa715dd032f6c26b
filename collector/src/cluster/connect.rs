//! Which cluster, as whom: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`, else the pod's service account, in
//! kubectl's order.

use std::path::PathBuf;
use std::time::Duration;

use super::login;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

/// Choices of the command line; all of them kubectl's flags.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    pub server: Option<String>,
    pub impersonate: Option<String>,
    pub impersonate_groups: Vec<String>,
    pub insecure: bool,
}

/// A way to a cluster, not yet tried.
pub struct Target {
    pub config: kube::Config,
    /// Name of the cluster in the kubeconfig; `in-cluster` inside a pod.
    pub name: String,
    /// The namespace that commands without `-n` mean.
    pub namespace: String,
    /// Namespaces that other contexts for the same cluster name: candidates where namespaces may not be listed.
    pub known_namespaces: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "no cluster is configured: there is no kubeconfig at {looked_at}, and this is not inside a pod\n\
         hint: name one with --kubeconfig FILE, or run this where kubectl works; \
         `casebook-collect host --text FILE` makes a bundle without a cluster"
    )]
    NoConfig { looked_at: String },
    #[error(
        "there is no kubeconfig {path}\nhint: name one that is there with --kubeconfig FILE; without that option, \
         $KUBECONFIG and ~/.kube/config are looked at, as kubectl does"
    )]
    NoFile { path: String },
    #[error(
        "cannot use the kubeconfig {path}: {words}\nhint: `kubectl config view` shows what kubectl makes of it"
    )]
    Kubeconfig { path: String, words: String },
    #[error(
        "the kubeconfig {path} has no context {context:?}; it has: {known}\nhint: choose one with --context NAME"
    )]
    NoContext { path: String, context: String, known: String },
    #[error("--server {server:?} is not a URL: {words}")]
    Server { server: String, words: String },
    #[error("cannot set up the connection to {server}: {words}")]
    Setup { server: String, words: String },
}

/// Finds the cluster to ask.
///
/// # Errors
/// When there is no configuration, or one that cannot be used; nothing has been asked by then.
pub async fn find(choice: &Choice, connect_timeout: Duration) -> Result<Target, ConnectError> {
    let looked_at = describe_place(choice);
    let kubeconfig = read(choice, &looked_at)?;
    let mut target = match kubeconfig {
        Some(kubeconfig) => from_kubeconfig(kubeconfig, choice, &looked_at).await?,
        None => in_cluster(&looked_at)?,
    };
    let config = &mut target.config;
    if let Some(server) = &choice.server {
        config.cluster_url = server.parse().map_err(|e: http::uri::InvalidUri| ConnectError::Server {
            server: server.clone(),
            words: e.to_string(),
        })?;
    }
    if choice.insecure {
        config.accept_invalid_certs = true;
    }
    if let Some(user) = &choice.impersonate {
        config.auth_info.impersonate = Some(user.clone());
        config.auth_info.impersonate_groups =
            (!choice.impersonate_groups.is_empty()).then(|| choice.impersonate_groups.clone());
    }
    config.connect_timeout = Some(connect_timeout);
    config.read_timeout = None;
    config.default_retry = false;
    config.disable_compression = true;
    // Whoever looks after the server shall see in its audit log who asked.
    let agent = http::HeaderValue::from_static(concat!("casebook-collect/", env!("CARGO_PKG_VERSION")));
    config.headers.push((http::header::USER_AGENT, agent));
    Ok(target)
}

impl Target {
    /// A client for it; still nothing has been asked. A program that logs in gets no longer than `patience`.
    ///
    /// # Errors
    /// When the certificates, keys or the login of the kubeconfig cannot be used.
    pub async fn client(&self, patience: Duration) -> Result<kube::Client, ConnectError> {
        login::client(self.config.clone(), patience.min(login::PATIENCE))
            .await
            .map_err(|words| ConnectError::Setup { server: self.server(), words })
    }

    /// The server's URL without user information, should somebody have put some in.
    pub fn server(&self) -> String {
        let url = &self.config.cluster_url;
        let host = url.host().unwrap_or_default();
        let port = url.port_u16().map(|p| format!(":{p}")).unwrap_or_default();
        let path = url.path().trim_end_matches('/');
        format!("{}://{host}{port}{path}", url.scheme_str().unwrap_or("https"))
    }
}

fn describe_place(choice: &Choice) -> String {
    if let Some(path) = &choice.kubeconfig {
        return path.display().to_string();
    }
    match std::env::var("KUBECONFIG") {
        Ok(list) if !list.is_empty() => list,
        _ => "~/.kube/config".to_owned(),
    }
}

/// The kubeconfig, or `None` where none was named and none lies at the usual place.
fn read(choice: &Choice, looked_at: &str) -> Result<Option<Kubeconfig>, ConnectError> {
    let unusable =
        |e: KubeconfigError| ConnectError::Kubeconfig { path: looked_at.to_owned(), words: plain(&e) };
    if let Some(path) = &choice.kubeconfig {
        if !path.exists() {
            return Err(ConnectError::NoFile { path: looked_at.to_owned() });
        }
        return Kubeconfig::read_from(path).map(Some).map_err(unusable);
    }
    // As kubectl does, files of the list that do not exist are passed over.
    let listed: Vec<PathBuf> = std::env::var_os("KUBECONFIG")
        .map(|list| std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if !listed.is_empty() {
        let mut merged: Option<Kubeconfig> = None;
        for path in listed.iter().filter(|p| p.exists()) {
            let next = Kubeconfig::read_from(path).map_err(unusable)?;
            merged = Some(match merged {
                None => next,
                Some(first) => first.merge(next).map_err(unusable)?,
            });
        }
        return Ok(merged);
    }
    let usual = std::env::home_dir().map(|home| home.join(".kube/config")).filter(|p| p.exists());
    usual.map(|path| Kubeconfig::read_from(path).map_err(unusable)).transpose()
}

async fn from_kubeconfig(
    kubeconfig: Kubeconfig,
    choice: &Choice,
    looked_at: &str,
) -> Result<Target, ConnectError> {
    let unusable = |words: String| ConnectError::Kubeconfig { path: looked_at.to_owned(), words };
    let wanted = choice.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    let context = kubeconfig.contexts.iter().find(|c| c.name == wanted).and_then(|c| c.context.clone());
    let Some(context) = context else {
        let known: Vec<&str> = kubeconfig.contexts.iter().map(|c| c.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(ConnectError::NoContext { path: looked_at.to_owned(), context: wanted, known });
    };
    let cluster = choice.cluster.clone().unwrap_or_else(|| context.cluster.clone());
    let known_namespaces = kubeconfig
        .contexts
        .iter()
        .filter_map(|c| c.context.as_ref())
        .filter(|c| c.cluster == cluster)
        .filter_map(|c| c.namespace.clone())
        .collect();
    let options = KubeConfigOptions {
        context: Some(wanted),
        cluster: choice.cluster.clone(),
        user: choice.user.clone(),
    };
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|e| unusable(plain(&e)))?;
    Ok(Target { namespace: config.default_namespace.clone(), config, name: cluster, known_namespaces })
}

fn in_cluster(looked_at: &str) -> Result<Target, ConnectError> {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        return Err(ConnectError::NoConfig { looked_at: looked_at.to_owned() });
    }
    let config = kube::Config::incluster().map_err(|e| ConnectError::Kubeconfig {
        path: "of this pod's service account".to_owned(),
        words: e.to_string(),
    })?;
    Ok(Target {
        namespace: config.default_namespace.clone(),
        config,
        name: "in-cluster".to_owned(),
        known_namespaces: Vec::new(),
    })
}

/// Parser messages come with a drawing of the file, which may show a token: only the first line is kept.
fn plain(error: &KubeconfigError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "apiVersion: v1
kind: Config
clusters:
- {name: one, cluster: {server: 'https://user:hidden@10.0.0.1:6443/'}}
- {name: two, cluster: {server: 'https://[fd00::1]:6443'}}
contexts:
- {name: a, context: {cluster: one, user: u, namespace: blueking}}
- {name: b, context: {cluster: one, namespace: bcs-system}}
- {name: c, context: {cluster: two}}
current-context: a
users:
- {name: u, user: {token: very-secret-token}}
";

    async fn found(text: &str, choice: Choice) -> Result<Target, ConnectError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        find(&Choice { kubeconfig: Some(file.path().to_owned()), ..choice }, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn the_context_decides_and_other_contexts_name_more_namespaces() {
        let target = found(CONFIG, Choice::default()).await.unwrap();
        assert_eq!((target.name.as_str(), target.namespace.as_str()), ("one", "blueking"));
        assert_eq!(target.known_namespaces, ["blueking", "bcs-system"]);
        assert_eq!(target.server(), "https://10.0.0.1:6443");
        let other = found(CONFIG, Choice { context: Some("c".into()), ..Choice::default() }).await.unwrap();
        assert_eq!(
            (other.namespace.as_str(), other.server().as_str()),
            ("default", "https://[fd00::1]:6443")
        );
    }

    #[tokio::test]
    async fn an_unknown_context_is_answered_with_the_known_ones() {
        let choice = Choice { context: Some("nosuch".into()), ..Choice::default() };
        let error = found(CONFIG, choice).await.err().unwrap().to_string();
        assert!(
            error.contains("\"nosuch\"") && error.contains("a, b, c") && error.contains("hint: "),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_broken_file_is_named_without_showing_what_is_in_it() {
        let error = found(&format!("{CONFIG}\n]broken"), Choice::default()).await.err().unwrap().to_string();
        assert!(error.contains("cannot use the kubeconfig") && !error.contains("very-secret"), "{error}");
    }
}
