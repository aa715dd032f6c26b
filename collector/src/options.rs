//! What is meant by the command line: defaults filled in, everything checked that can be checked without asking
//! anybody.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::bundle::writer::{Format, Packing};
use shared::encryption::{self, KeyError, Recipients, Seal};
use shared::lang::Lang;
use shared::pseudonym::{Kinds, NoKind, kinds};
use shared::redact::Redactor;

use crate::cli::{CollectArgs, HostsArgs, PseudonymArgs};
use crate::cluster::api::Bounds;
use crate::cluster::connect::Choice;
use crate::commands::redact::{MasksError, redactor};
use crate::host::HostOptions;
use crate::keyring::{Keyring, KeyringError};
use crate::nodes::{self, ListError, Node, SshOptions};
use crate::select::{NoPart, Selection};

/// Fits the upload forms of forums and ticket systems: many take no more than 25 MB.
pub const MAX_SIZE: u64 = 24 << 20;
/// Longest run unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// In the manifest: how many keys the bundle was encrypted to.
pub const RECIPIENTS: &str = "recipients";

/// In the manifest: the largest bundle that was asked for, in bytes.
pub const MAX_SIZE_OPTION: &str = "max_size";

/// A run as it is meant.
#[derive(Debug, Clone)]
pub struct Options {
    pub choice: Choice,
    /// `None`: all namespaces.
    pub namespaces: Option<Vec<String>>,
    pub selector: Option<String>,
    pub selection: Selection,
    pub logs: LogOptions,
    pub max_size: u64,
    pub timeout: Duration,
    pub bounds: Bounds,
    /// How long the end is put off for nodes whose clocks were not heard of.
    pub clock_wait: Duration,
    pub output: Output,
    pub texts: Vec<PathBuf>,
    pub masks: Redactor,
    /// What is replaced by pseudonyms, and where the user keeps their key.
    pub pseudonyms: Option<(Kinds, Keyring)>,
    pub install_dir: Option<PathBuf>,
    pub host: bool,
    pub hosts: HostsOptions,
    pub lang: Lang,
    pub dry_run: bool,
    /// Watch before collecting, for as long as this command runs; empty: until Ctrl-C.
    pub watch: Option<Vec<String>>,
    pub quiet: bool,
}

#[derive(Debug, Clone)]
pub struct LogOptions {
    pub since: Option<Duration>,
    /// Every log, whole.
    pub all: bool,
    pub healthy: usize,
    pub max_log: u64,
}

/// What to look at on this machine and on the nodes.
#[derive(Debug, Clone)]
pub struct HostsOptions {
    /// For every host; what the cluster gives cause for is added later.
    pub probe: HostOptions,
    /// `None`: this machine alone.
    pub nodes: Option<NodeOptions>,
    /// Compare tokens in this installation directory with the cluster's.
    pub compare_in: Option<PathBuf>,
}

/// How the nodes are reached, and which.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// `None`: those that the cluster names.
    pub list: Option<Vec<Node>>,
    pub ssh: SshOptions,
}

/// Where the bundle goes, and how it is packed.
#[derive(Debug, Clone)]
pub struct Output {
    place: Place,
    packing: Packing,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    /// Into this directory, under a name made from cluster and time.
    In(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    #[error(transparent)]
    Part(#[from] NoPart),
    #[error(transparent)]
    Masks(#[from] MasksError),
    #[error(
        "{path}: a bundle's name ends in .tar.gz, .tgz, .tar or .zip\nhint: name it so, or name a directory to put it in"
    )]
    Ending { path: PathBuf },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Pseudonym(#[from] NoKind),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(
        "{path}: an encrypted bundle's name ends in .tar.gz.age, .tar.age or .zip.age\nhint: name it so, or name a directory to put it in"
    )]
    SealedEnding { path: PathBuf },
    #[error(
        "{path}: a name for an encrypted bundle, but nobody to encrypt it to\nhint: give the public key of the support desk: --encrypt-to age1…"
    )]
    NoRecipient { path: PathBuf },
    #[error("--qps {0} is not a rate\nhint: give a number above 0, such as 20")]
    Qps(f64),
    #[error("--concurrency 0 would ask for nothing\nhint: give a number from 1")]
    Concurrency,
    #[error("cannot read the node list {path}: {source}")]
    NodeList { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Nodes { path: PathBuf, source: ListError },
    #[error("{0:?} is no name of a namespace\nhint: names consist of a-z, 0-9 and -")]
    Namespace(String),
}

impl Options {
    /// # Errors
    /// When an argument cannot mean anything.
    pub fn new(args: CollectArgs, locale: Option<Lang>) -> Result<Self, OptionError> {
        let CollectArgs { cluster, scope, hosts, logs, bounds, redaction, pseudonyms, output } = args;
        let parts = scope.only.iter().map(|part| part.parse()).collect::<Result<Vec<_>, _>>()?;
        if !(bounds.qps.is_finite() && bounds.qps > 0.0) {
            return Err(OptionError::Qps(bounds.qps));
        }
        if bounds.concurrency == 0 {
            return Err(OptionError::Concurrency);
        }
        let label = |n: &&String| {
            n.is_empty() || !n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if let Some(wrong) = scope.namespaces.iter().find(label) {
            return Err(OptionError::Namespace(wrong.clone()));
        }
        let unbounded = logs.all_logs;
        let hosts = HostsOptions::new(hosts, scope.install_dir.as_deref())?;
        Ok(Options {
            hosts,
            choice: Choice {
                kubeconfig: cluster.kubeconfig,
                context: cluster.context,
                cluster: cluster.cluster,
                user: cluster.user,
                server: cluster.server,
                impersonate: cluster.impersonate,
                impersonate_groups: cluster.impersonate_groups,
                insecure: cluster.insecure_skip_tls_verify,
            },
            // As in kubectl, -A wins over -n.
            namespaces: (!scope.namespaces.is_empty() && !scope.all_namespaces)
                .then(|| sorted(scope.namespaces)),
            selector: scope.selector,
            selection: Selection(parts),
            logs: LogOptions {
                since: logs.since,
                all: logs.all_logs,
                healthy: if logs.all_logs { usize::MAX } else { logs.healthy_logs },
                max_log: logs.max_log_size,
            },
            max_size: bounds.max_size.unwrap_or(if unbounded { u64::MAX } else { MAX_SIZE }),
            timeout: bounds.timeout.unwrap_or(TIMEOUT),
            bounds: Bounds {
                qps: bounds.qps,
                concurrency: bounds.concurrency,
                request_timeout: bounds.request_timeout,
            },
            clock_wait: bounds.clock_wait,
            output: Output::new(output.output, &output.encrypt_to)?,
            texts: scope.texts,
            masks: redactor(&redaction)?,
            pseudonyms: pseudonyms_of(pseudonyms)?,
            install_dir: scope.install_dir,
            host: !scope.no_host,
            lang: output.lang.or(locale).unwrap_or(Lang::En),
            dry_run: output.dry_run,
            watch: None,
            quiet: output.quiet,
        })
    }

    /// Options that changed what is collected, for the manifest.
    pub fn for_manifest(&self) -> std::collections::BTreeMap<String, serde_json::Value> {
        let mut map = std::collections::BTreeMap::new();
        let mut set = |key: &str, value: serde_json::Value| map.insert(key.to_owned(), value);
        if let Some(namespaces) = &self.namespaces {
            set("namespaces", namespaces.clone().into());
        }
        if let Some(selector) = &self.selector {
            set("selector", selector.clone().into());
        }
        if !self.selection.is_everything() {
            let parts: Vec<String> = self.selection.0.iter().map(ToString::to_string).collect();
            set("only", parts.into());
        }
        if let Some(since) = self.logs.since {
            set("since", format!("{}s", since.as_secs()).into());
        }
        if self.logs.all {
            set("all_logs", true.into());
        } else {
            set("healthy_logs", self.logs.healthy.into());
            set("max_log_size", self.logs.max_log.into());
        }
        if let Some(nodes) = &self.hosts.nodes {
            let named =
                nodes.list.as_ref().map(|list| list.iter().map(|node| node.name.clone()).collect::<Vec<_>>());
            set("nodes", named.map_or_else(|| "ssh".into(), Into::into));
        }
        if let Some(seal) = &self.output.packing.seal {
            set(RECIPIENTS, seal.recipients().count().into());
        }
        if self.hosts.compare_in.is_some() {
            set("compare_tokens", true.into());
        }
        if self.max_size != u64::MAX {
            set(MAX_SIZE_OPTION, self.max_size.into());
        }
        set("timeout", format!("{}s", self.timeout.as_secs()).into());
        set("qps", self.bounds.qps.into());
        set("concurrency", self.bounds.concurrency.into());
        map
    }
}

fn pseudonyms_of(args: PseudonymArgs) -> Result<Option<(Kinds, Keyring)>, OptionError> {
    if args.pseudonymize.is_empty() {
        return Ok(None);
    }
    let kinds = kinds(args.pseudonymize.iter().map(String::as_str))?;
    Ok(Some((kinds, Keyring::open(args.keyring.pseudonym_key)?)))
}

impl HostsOptions {
    fn new(args: HostsArgs, install_dir: Option<&Path>) -> Result<Self, OptionError> {
        let mut names: Vec<String> =
            crate::host::DEFAULT_NAMES.iter().map(|name| (*name).to_owned()).collect();
        for name in args.names {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let list = match args.node_list {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| OptionError::NodeList { path: path.clone(), source })?;
                Some(nodes::from_file(&text).map_err(|source| OptionError::Nodes { path, source })?)
            }
        };
        let ssh = SshOptions {
            user: args.ssh_user,
            options: args.ssh_options,
            timeout: args.node_timeout,
            ..SshOptions::default()
        };
        Ok(Self {
            probe: HostOptions {
                names,
                endpoints: args.endpoints,
                cluster_dns: args.cluster_dns,
                cluster_names: args.cluster_names,
                volume_folders: args.volume_folders,
                ..HostOptions::default()
            },
            nodes: args.nodes.map(|_| NodeOptions { list, ssh }),
            compare_in: install_dir.filter(|_| args.compare_tokens).map(Path::to_owned),
        })
    }
}

impl Output {
    fn new(named: Option<PathBuf>, encrypt_to: &[String]) -> Result<Self, OptionError> {
        let seal = if encrypt_to.is_empty() { None } else { Some(Seal::new(Recipients::read(encrypt_to)?)) };
        let ours = Packing { format: Format::TarGz, seal };
        let Some(path) = named else {
            return Ok(Self { place: Place::In(PathBuf::from(".")), packing: ours });
        };
        if path.is_dir() || path.to_string_lossy().ends_with('/') {
            return Ok(Self { place: Place::In(path), packing: ours });
        }
        let name = path.to_string_lossy();
        let sealed = ours.seal.is_some();
        match Packing::from_name(&name, ours.seal) {
            Some(packing) => Ok(Self { place: Place::File(path), packing }),
            None if sealed => Err(OptionError::SealedEnding { path }),
            None if name.ends_with(encryption::EXTENSION) => Err(OptionError::NoRecipient { path }),
            None => Err(OptionError::Ending { path }),
        }
    }

    /// Whether the user chose the file's name.
    pub fn is_named(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// The file and its packing; `stem` names it where the user did not.
    pub fn resolve(&self, stem: &str) -> (PathBuf, Packing) {
        let packing = self.packing.clone();
        match &self.place {
            Place::File(path) => (path.clone(), packing),
            Place::In(folder) => {
                let name = format!("{stem}{}", packing.extension());
                let path = if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) };
                (path, packing)
            }
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn options(args: &[&str]) -> Result<Options, OptionError> {
        let cli = Cli::parse_from([&["casebook-collect"], args].concat());
        Options::new(cli.collect, None)
    }

    #[test]
    fn the_defaults_are_bounded() {
        let options = options(&[]).unwrap();
        assert_eq!(options.namespaces, None);
        assert_eq!(options.max_size, MAX_SIZE);
        assert_eq!(options.timeout, TIMEOUT);
        assert_eq!(options.output.resolve("casebook-x").0, Path::new("casebook-x.tar.gz"));
    }

    #[test]
    fn all_logs_lifts_the_bounds_that_were_not_given() {
        assert_eq!(options(&["--all-logs"]).unwrap().max_size, u64::MAX);
        assert_eq!(options(&["--all-logs", "--max-size", "1M"]).unwrap().max_size, 1 << 20);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_a_hint() {
        for args in [
            &["-o", "x.rar"][..],
            &["--qps", "0"],
            &["--qps", "nan"],
            &["--concurrency", "0"],
            &["-n", "../x"],
            &["--only", "logs//x"],
            &["--pseudonymize", "ip,hosts"],
        ] {
            let error = options(args).unwrap_err().to_string();
            assert!(error.contains("hint: "), "{error}");
        }
    }

    #[test]
    fn an_encrypted_bundle_is_named_so() {
        const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        let resolved = |args: &[&str]| options(args).unwrap().output.resolve("casebook-x");
        let (path, packing) = resolved(&["--encrypt-to", KEY]);
        assert_eq!((path.to_str(), packing.seal.is_some()), (Some("casebook-x.tar.gz.age"), true));
        let (_, packing) = resolved(&["--encrypt-to", KEY, "-o", "a.zip.age"]);
        assert_eq!(packing.format, Format::Zip);
        assert!(resolved(&[]).1.seal.is_none());
        for args in [
            &["-o", "a.tar.gz.age"][..],
            &["--encrypt-to", KEY, "-o", "a.tar.gz"],
            &["--encrypt-to", "age1nonsense"],
        ] {
            let error = options(args).unwrap_err().to_string();
            assert!(error.contains("hint: "), "{error}");
        }
    }

    #[test]
    fn all_namespaces_wins_as_in_kubectl() {
        assert_eq!(options(&["-n", "a", "-A"]).unwrap().namespaces, None);
        assert_eq!(options(&["-n", "a"]).unwrap().namespaces, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn the_ending_chooses_the_format() {
        let format = |name: &str| options(&["-o", name]).unwrap().output.resolve("x").1.format;
        assert_eq!(format("a.tgz"), Format::TarGz);
        assert_eq!(format("a.tar"), Format::Tar);
        assert_eq!(format("a.zip"), Format::Zip);
    }
}
