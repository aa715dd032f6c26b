//! The command line of `casebook-analyze`: arguments, languages, exit codes.

mod bounds;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::encryption::{Identities, KeyError, is_open_to_others, open_to_others};
use shared::lang::Lang;

pub use self::bounds::Bounds;
use crate::commands;
use crate::report::model::Verdict;
use crate::snapshot::Snapshot;

/// What the program tells the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Analysed, or the rules are in order.
    Done,
    /// `--fail-on` asked for it and there is such a finding; or `rules lint` or `rules test` found something.
    Found,
    /// Arguments, input or rules cannot be used; nothing was written to stdout.
    Unusable,
    /// What the command or shell ended with that `serve` ran.
    Passed(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Unusable => 2,
            Exit::Passed(code) => code,
        })
    }
}

/// Finds known cases in a support bundle and writes what to answer.
#[derive(Debug, Parser)]
#[command(
    name = "casebook-analyze",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0 analysed; 1 findings as --fail-on asked, or faulty rules; 2 unusable arguments or input."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub analyze: Analyze,
}

#[derive(Debug, Args)]
pub struct Analyze {
    /// Bundles (.tar.gz, .tgz, .tar, .tar.xz, .tar.zst, .tar.bz2, .zip, .7z or a folder, of casebook or another
    /// collector), text files, or - for what another program prints.
    #[arg(required_unless_present = "compare", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Say what is resolved, what persists and what is new between two bundles of one cluster.
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with = "paths")]
    pub compare: Option<Vec<PathBuf>>,
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub format: Format,
    /// Write the report to a file; its ending decides the format where --format does not.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
    /// Exit with 1 if there is a finding of this verdict or a surer one.
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<FailOn>,
    /// File with secret keys that open what was encrypted to them (casebook-collect --encrypt-to); repeatable.
    #[arg(long = "identity", value_name = "FILE")]
    pub identity_files: Vec<PathBuf>,
    /// Name every case that cannot be ruled out, not only how many there are.
    #[arg(long)]
    pub all: bool,
    /// Most characters of a Markdown report.
    #[arg(long, value_name = "N", default_value_t = crate::report::markdown::POST)]
    pub max_chars: usize,
    // Last, because its heading would stand over what follows.
    #[command(flatten)]
    pub bounds: Bounds,
}

impl Analyze {
    /// The keys in the files of `--identity`.
    ///
    /// # Errors
    /// When a file cannot be read, or holds something else.
    pub fn identities(&self) -> Result<Identities, KeyError> {
        identities(&self.identity_files, self.common.lang())
    }
}

/// The keys in these files.
///
/// # Errors
/// When a file cannot be read, or holds something else.
pub fn identities(files: &[PathBuf], lang: Lang) -> Result<Identities, KeyError> {
    for file in files.iter().filter(|file| is_open_to_others(file)) {
        say(&format!("note: {}", open_to_others(file).get(lang)));
    }
    Identities::read(files)
}

#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Language of the report: zh or en [default: the locale's, else zh]
    #[arg(long, global = true, value_parser = parse_lang, value_name = "zh|en")]
    pub lang: Option<Lang>,
    /// More rules, in folders DIR/PACK/SECTION/ID.yaml; one of the same id replaces a built-in rule.
    #[arg(long, global = true, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
}

impl Common {
    pub fn lang(&self) -> Lang {
        self.lang.or_else(|| Lang::from_locale(|name| std::env::var(name).ok())).unwrap_or(Lang::Zh)
    }
}

fn parse_lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err("write zh or en".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// By the ending of --output; else text on a terminal and Markdown into a pipe.
    Auto,
    Markdown,
    Html,
    Json,
    Text,
    /// Test results: every rule a case, for systems that show these.
    Junit,
    /// SARIF 2.1.0, for code-scanning views.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Likely,
    Confirmed,
}

impl FailOn {
    pub fn is_met_by(self, verdict: Verdict) -> bool {
        match self {
            FailOn::Likely => verdict <= Verdict::Likely,
            FailOn::Confirmed => verdict == Verdict::Confirmed,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, search, check and test the rules.
    #[command(subcommand)]
    Rules(Rules),
    /// Answer kubectl, helm and k9s from a bundle, as a read-only cluster that stands still.
    Serve(commands::serve::ServeArgs),
    /// Answer an assistant's questions about a bundle: the Model Context Protocol on stdin and stdout.
    Mcp(commands::mcp::McpArgs),
    /// Make a key pair: users encrypt their bundles to the public key, the file with the secret key opens them.
    Keygen(commands::keygen::KeygenArgs),
}

#[derive(Debug, Subcommand)]
pub enum Rules {
    /// One line a rule: id, section, title.
    List(commands::rules_list::ListArgs),
    /// Everything about one rule.
    Show(commands::rules_show::ShowArgs),
    /// Find rules by a word of an error, a short sentence, or the whole line.
    Search(commands::rules_search::SearchArgs),
    /// Check rule files for mistakes.
    Lint(commands::rules_lint::LintArgs),
    /// Run the tests that lie beside the rules.
    Test(commands::rules_test::TestArgs),
    /// Write a new rule and its tests to start from.
    New(commands::rules_new::NewArgs),
    /// Print the JSON Schema of rule files.
    Schema,
    /// Print the catalogue of rules as Markdown.
    Catalogue(commands::rules_catalogue::CatalogueArgs),
}

/// Parses the arguments, runs the command and tells the shell what came of it.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let help = !error.use_stderr();
            // Nothing is left to be done if the terminal is gone.
            let _ = error.print();
            return if help { Exit::Done } else { Exit::Unusable }.into();
        }
    };
    let result = match cli.command {
        None => commands::analyze::run(&cli.analyze),
        Some(Command::Serve(args)) => commands::serve::run(&args),
        Some(Command::Mcp(args)) => commands::mcp::run(&args),
        Some(Command::Keygen(args)) => commands::keygen::run(&args),
        Some(Command::Rules(rules)) => match rules {
            Rules::List(args) => commands::rules_list::run(&args),
            Rules::Show(args) => commands::rules_show::run(&args),
            Rules::Search(args) => commands::rules_search::run(&args),
            Rules::Lint(args) => commands::rules_lint::run(&args),
            Rules::Test(args) => commands::rules_test::run(&args),
            Rules::New(args) => commands::rules_new::run(&args),
            Rules::Schema => print(&crate::rules::format::schema()).map(|()| Exit::Done),
            Rules::Catalogue(args) => commands::rules_catalogue::run(&args),
        },
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            say(&format!("error: {}", told(&error)));
            Exit::Unusable.into()
        }
    }
}

/// An error with its causes. A cause that the error tells itself is not told again.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Writes data to stdout. A reader that has closed the pipe has had enough; that is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("cannot write to stdout: {error}"))
        }
        _ => Ok(()),
    }
}

/// Says what reading the inputs had to note.
pub fn say_notes(snapshot: &Snapshot, lang: Lang) {
    for note in snapshot.inputs.iter().flat_map(|input| &input.notes) {
        say(&format!("note: {}", note.get(lang)));
    }
}

/// Writes a note to stderr, with control characters made visible: notes hold names from untrusted bundles.
pub fn say(text: &str) {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => visible.push('\n'),
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                visible.extend(c.escape_unicode());
            }
            c => visible.push(c),
        }
    }
    // There is nowhere left to complain to if stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{visible}");
}

/// Whether a stream is a terminal that may be coloured.
pub fn may_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var("TERM").as_deref() != Ok("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = || std::io::Error::other("no such file");
        assert_eq!(
            told(&anyhow::Error::new(cause()).context("cannot read a")),
            "cannot read a: no such file"
        );
        let error = anyhow::Error::new(cause()).context("cannot read a: no such file");
        assert_eq!(told(&error), "cannot read a: no such file");
    }

    #[test]
    fn a_surer_verdict_meets_a_weaker_demand() {
        assert!(FailOn::Likely.is_met_by(Verdict::Confirmed));
        assert!(!FailOn::Likely.is_met_by(Verdict::NeedMore));
        assert!(!FailOn::Confirmed.is_met_by(Verdict::Likely));
    }
}
