//! The command line as typed. [`crate::options`] makes of it what is meant.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::host::HostArgs;
use crate::host::Endpoint;
use crate::units::{parse_duration, parse_size};

/// Collect what support needs from a Kubernetes cluster and its control machine into one file.
///
/// Without a command: collect from the whole cluster that kubectl would talk to. Values of secrets are masked before
/// anything is written. Exit codes: 0 the bundle is complete, 3 it is written and parts are missing (its manifest
/// says which), 2 nothing was written.
#[derive(Debug, Parser)]
#[command(name = "casebook-collect", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub collect: CollectArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the facts of this machine alone: print them, or with -o put them into a bundle with the texts
    Host(HostArgs),
    /// Show what a bundle holds, what is missing and what was masked
    Inspect(InspectArgs),
    /// Mask the secrets of a text: standard input to standard output
    Redact(RedactArgs),
    /// Write a bundle again with pseudonyms in place of addresses and names of hosts
    Pseudonymize(PseudonymizeArgs),
    /// Turn the pseudonyms in a reply or a report back into what they stand for
    Reveal(RevealArgs),
    /// Keep collecting while something is going on, and write one bundle at its end
    Watch(WatchArgs),
}

#[derive(Debug, Clone, Args)]
pub struct CollectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[command(flatten)]
    pub hosts: HostsArgs,
    #[command(flatten)]
    pub logs: LogArgs,
    #[command(flatten)]
    pub bounds: BoundArgs,
    #[command(flatten)]
    pub redaction: RedactionArgs,
    #[command(flatten)]
    pub pseudonyms: PseudonymArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Kubeconfig file to use instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig to use
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Address of the API server
    #[arg(short, long, value_name = "URL")]
    pub server: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub impersonate: Option<String>,
    /// Group to impersonate; repeatable
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate")]
    pub impersonate_groups: Vec<String>,
    /// Do not check the server's certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What to collect")]
pub struct ScopeArgs {
    /// Only these namespaces; repeatable, or separated by commas
    #[arg(short, long = "namespace", value_name = "NS", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// All namespaces, also where -n names some; this is the default
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only pods with these labels; everything that is not about pods is collected whole
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// Only these parts: RESOURCE[/NAMESPACE[/NAME]], logs/NAMESPACE[/POD[/CONTAINER]], describe/…, helm[/NAMESPACE],
    /// host, install; `*` matches any text; repeatable
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Take this text into the bundle, such as saved terminal output; `-` reads standard input; repeatable
    #[arg(long = "text", value_name = "FILE")]
    pub texts: Vec<PathBuf>,
    /// BlueKing's installation directory, if it is not found by itself
    #[arg(long, value_name = "DIR")]
    pub install_dir: Option<PathBuf>,
    /// Leave out the facts of this machine
    #[arg(long)]
    pub no_host: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hosts")]
pub struct HostsArgs {
    /// Read the facts of every node too; `ssh` goes there with your own keys and settings and leaves nothing behind
    #[arg(long, value_name = "HOW", value_parser = ["ssh"])]
    pub nodes: Option<String>,
    /// Nodes to go to instead of those that the cluster names: one a line, `ADDRESS` or `NAME ADDRESS`
    #[arg(long, value_name = "FILE", requires = "nodes")]
    pub node_list: Option<PathBuf>,
    /// User on the nodes, if not the one of your ssh settings
    #[arg(long, value_name = "USER", requires = "nodes")]
    pub ssh_user: Option<String>,
    /// Option for ssh as behind its -o, such as IdentityFile=FILE; repeatable
    #[arg(long = "ssh-option", value_name = "KEY=VALUE", requires = "nodes")]
    pub ssh_options: Vec<String>,
    /// Longest time for one node
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = parse_duration)]
    pub node_timeout: Duration,
    /// Resolve this name on each host too; repeatable
    #[arg(long = "resolve", value_name = "NAME")]
    pub names: Vec<String>,
    /// Connect to this from each host too: HOST:PORT, with /tls behind it where TLS is spoken; repeatable
    #[arg(long = "connect", value_name = "ENDPOINT")]
    pub endpoints: Vec<Endpoint>,
    /// Address of the cluster's DNS, if it is not found by itself; repeatable
    #[arg(long, value_name = "IP")]
    pub cluster_dns: Vec<IpAddr>,
    /// Complete name to ask the cluster's DNS for; repeatable
    #[arg(long = "cluster-name", value_name = "NAME")]
    pub cluster_names: Vec<String>,
    /// Folder whose directories become local volumes; repeatable
    #[arg(long = "volume-folder", value_name = "DIR")]
    pub volume_folders: Vec<PathBuf>,
    /// Compare two tokens in the installation's files with those in the cluster's Secrets; only "equal" or "different"
    /// is kept
    #[arg(long, requires = "install_dir")]
    pub compare_tokens: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// Only log lines newer than this, such as 2h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,
    /// Logs of all healthy pods too, each one whole; --max-size and --timeout then have to be set by hand
    #[arg(long)]
    pub all_logs: bool,
    /// Logs of at most so many containers that look healthy
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub healthy_logs: usize,
    /// Longest log; of a longer one the head and the tail are kept
    #[arg(long, value_name = "SIZE", default_value = "2M", value_parser = parse_size)]
    pub max_log_size: u64,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Bounds")]
pub struct BoundArgs {
    /// Largest bundle, 24M unless told otherwise; logs give way to it, those of healthy pods first
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_size: Option<u64>,
    /// Longest run, 15m unless told otherwise; what there is by then is written
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Longest wait for an answer of the server; it gives up on a dead kubelet itself after 30 s
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = parse_duration)]
    pub request_timeout: Duration,
    /// How long to wait at the end for clocks of nodes that were not heard of yet: kubelets tell theirs every 10 s
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_duration)]
    pub clock_wait: Duration,
    /// Requests a second, on average; fewer while the server is in trouble
    #[arg(long, value_name = "N", default_value_t = 300.0)]
    pub qps: f64,
    /// Requests at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub concurrency: usize,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The bundle: a name that ends in .tar.gz, .tgz, .tar or .zip, or a directory to put it in
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Encrypt the bundle so that only the owner of this public key can read it: age1…, or a FILE with such keys, one a
    /// line; repeatable. The name then ends in .age
    #[arg(long, value_name = "KEY|FILE")]
    pub encrypt_to: Vec<String>,
    /// Say what would be collected and about how large it is, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Language of messages: zh or en
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    pub lang: Option<shared::lang::Lang>,
    /// No progress display
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// Bundle to look into
    pub bundle: PathBuf,
    /// File with secret keys that open an encrypted bundle; repeatable
    #[arg(long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
    /// Language of messages: zh or en
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    pub lang: Option<shared::lang::Lang>,
}

#[derive(Debug, Clone, Args)]
pub struct RedactArgs {
    #[command(flatten)]
    pub rules: RedactionArgs,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactionArgs {
    /// More rules of what is secret: names, shapes, literal values; see rules/README.md; repeatable
    #[arg(long = "redact", value_name = "FILE")]
    pub rule_files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pseudonyms")]
pub struct PseudonymArgs {
    /// Replace these by pseudonyms of the same shape: ip, host, email, mac, or all of them; repeatable, or separated by
    /// commas. `reveal` turns a reply back
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub pseudonymize: Vec<String>,
    #[command(flatten)]
    pub keyring: KeyringArgs,
}

#[derive(Debug, Clone, Args)]
pub struct KeyringArgs {
    /// Key of your pseudonyms, made where there is none; what they stand for is kept beside it, in FILE.map.json
    /// [default: ~/.config/casebook/pseudonym.key]
    #[arg(long, value_name = "FILE")]
    pub pseudonym_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct PseudonymizeArgs {
    /// Bundle that was collected without --pseudonymize; it stays as it is
    pub bundle: PathBuf,
    /// What is replaced: ip, host, email, mac, or all of them; separated by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',', default_value = "all")]
    pub kinds: Vec<String>,
    /// The new bundle; its name ends like that of the old one
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub keyring: KeyringArgs,
    /// Language of messages: zh or en
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    pub lang: Option<shared::lang::Lang>,
}

#[derive(Debug, Clone, Args)]
pub struct RevealArgs {
    /// Text with pseudonyms in it, such as a saved report; standard input if none is named
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub keyring: KeyringArgs,
}

#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub collect: CollectArgs,
    /// Command to run in a terminal of its own; the watch ends when it does. Without one, Ctrl-C ends the watch
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

fn parse_lang(text: &str) -> Result<shared::lang::Lang, String> {
    match text {
        "zh" => Ok(shared::lang::Lang::Zh),
        "en" => Ok(shared::lang::Lang::En),
        _ => Err("expected zh or en".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn kubectls_short_flags_work() {
        let cli = Cli::parse_from([
            "casebook-collect",
            "-n",
            "a,b",
            "-n",
            "c",
            "-l",
            "app=x",
            "--request-timeout",
            "5",
        ]);
        assert_eq!(cli.collect.scope.namespaces, ["a", "b", "c"]);
        assert_eq!(cli.collect.bounds.request_timeout, Duration::from_secs(5));
    }

    #[test]
    fn a_watched_command_keeps_its_own_flags() {
        let cli = Cli::parse_from(["casebook-collect", "watch", "-n", "a", "--", "./setup.sh", "-i", "base"]);
        let Some(Command::Watch(watch)) = cli.command else { panic!("not a watch: {cli:?}") };
        assert_eq!(watch.command, ["./setup.sh", "-i", "base"]);
        assert_eq!(watch.collect.scope.namespaces, ["a"]);
    }
}
