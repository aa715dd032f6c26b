//! `casebook-analyze PATH…`

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;

use crate::cli::{Analyze, Exit, Format, may_colour, print, say, say_notes};
use crate::lexicon::Lexicon;
use crate::report::{Dates, Report, html, json, junit, markdown, sarif, text};
use crate::rules::RuleSet;
use crate::{intake, matching};

/// Columns of a report on a terminal whose width is not known.
const WIDTH: usize = 100;

pub fn run(args: &Analyze) -> anyhow::Result<Exit> {
    if let Some([before, after]) = args.compare.as_deref() {
        let text = super::compare::run(args, format(args, std::io::stdout().is_terminal()), before, after)?;
        deliver(args, &text)?;
        return Ok(Exit::Done);
    }
    let lang = args.common.lang();
    let rules = RuleSet::load(&args.common.rules)?;
    let snapshot = intake::load(&args.paths, &args.bounds.limits(), &args.identities()?)?;
    say_notes(&snapshot, lang);
    let found = matching::run(&rules, &snapshot);
    for note in &found.notes {
        say(&format!("note: {note}"));
    }
    let failed =
        args.fail_on.is_some_and(|wanted| found.findings.iter().any(|f| wanted.is_met_by(f.verdict)));
    let report = Report::build(&snapshot, found).read_with(&Lexicon::load(&args.common.rules)?, &snapshot);
    let stdout = std::io::stdout();
    let dates = Dates::local();
    let rendered = match format(args, stdout.is_terminal()) {
        Format::Json => json::render(&report, lang),
        Format::Text => {
            let color = args.output.is_none() && may_colour(&stdout);
            text::render(&report, &text::Options { lang, width: width(&stdout), color, dates, all: args.all })
        }
        Format::Junit => junit::render(&report, &rules, lang, &dates),
        Format::Sarif => sarif::render(&report, &rules, lang, &dates),
        Format::Html => html::render(&report, &snapshot, lang),
        Format::Markdown | Format::Auto => markdown::render(
            &report,
            &markdown::Options { lang, max_chars: args.max_chars, dates, all: args.all },
        ),
    };
    deliver(args, &rendered)?;
    Ok(if failed { Exit::Found } else { Exit::Done })
}

/// Columns to fill: what the user says, else what the terminal says, since shells keep `COLUMNS` to themselves.
fn width(stdout: &std::io::Stdout) -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col));
    told.or_else(seen).filter(|columns| *columns > 0).unwrap_or(WIDTH)
}

fn deliver(args: &Analyze, text: &str) -> anyhow::Result<()> {
    match &args.output {
        Some(path) => write(path, text),
        None => print(text),
    }
}

fn format(args: &Analyze, terminal: bool) -> Format {
    if args.format != Format::Auto {
        return args.format;
    }
    let ending = args.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    match ending {
        Some("json") => Format::Json,
        Some("html" | "htm") => Format::Html,
        Some("txt") => Format::Text,
        Some("xml") => Format::Junit,
        Some("sarif") => Format::Sarif,
        Some(_) => Format::Markdown,
        None if args.output.is_none() && terminal => Format::Text,
        None => Format::Markdown,
    }
}

/// Writes the file as a whole or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let failed = || format!("cannot write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}
