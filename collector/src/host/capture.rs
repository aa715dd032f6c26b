//! What a probe read, word for word, with how each reading ended.
//!
//! Probes gather first and understand later: a [`Capture`] is plain text with labels, made by our own process or by
//! the shell script that stands in for it on machines where it cannot run, and the same functions draw facts from
//! either. It is also what the reader of a bundle sees, so that a rule's evidence can point at a line.

use std::fmt::Write as _;

use shared::bundle::manifest::Outcome;

/// How reading one source ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A command ended with this status; 0 also stands for a file that was read.
    Exit(i32),
    /// There is no such command or file.
    NotFound,
    /// The system refused.
    Denied,
    /// It did not end within this many seconds and was stopped.
    TimedOut(u64),
    /// The same, but it did not end when it was asked to either.
    LeftRunning { seconds: u64, process: i32 },
    /// This many bytes after the limit were left out.
    Cut(u64),
    /// Anything else, in the system's words.
    Failed(String),
}

/// One command or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The command line, or `cat FILE`: what a person would type to see the same.
    pub label: String,
    pub text: String,
    pub end: End,
}

impl Section {
    pub fn new(label: impl Into<String>, text: impl Into<String>, end: End) -> Self {
        Self { label: label.into(), text: text.into(), end }
    }

    /// A reading that worked; `label` says how a person would repeat it.
    pub fn good(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(label, text, End::Exit(0))
    }

    fn succeeded(&self) -> bool {
        matches!(self.end, End::Exit(0) | End::Cut(_))
    }
}

/// Everything one probe read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capture {
    pub sections: Vec<Section>,
}

impl Capture {
    pub fn push(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// The text of a source that was read with success.
    pub fn text(&self, label: &str) -> Option<&str> {
        self.section(label).filter(|s| s.succeeded()).map(|s| s.text.as_str())
    }

    /// The text of a command that ran to its end, whatever its status.
    pub fn output(&self, label: &str) -> Option<&str> {
        self.section(label).filter(|s| matches!(s.end, End::Exit(_) | End::Cut(_))).map(|s| s.text.as_str())
    }

    pub fn section(&self, label: &str) -> Option<&Section> {
        self.sections.iter().find(|s| s.label == label)
    }

    /// The sources whose label begins with `prefix` and that were read with success: (rest of the label, text).
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.sections
            .iter()
            .filter(|s| s.succeeded())
            .filter_map(move |s| Some((s.label.strip_prefix(prefix)?, s.text.as_str())))
    }

    /// One outcome for the whole, and the words for what is missing.
    ///
    /// A command that is not installed or a file that is not there is an answer, no loss. A refusal or a time-out
    /// beside sources that answered leaves the item incomplete.
    pub fn outcome(&self) -> (Outcome, Option<String>) {
        let mut notes = Vec::new();
        let (mut good, mut denied, mut late, mut failed, mut cut) = (0, 0, 0, 0, 0);
        for section in &self.sections {
            match &section.end {
                End::Exit(0) => good += 1,
                End::Exit(code) => {
                    good += usize::from(!section.text.is_empty());
                    failed += usize::from(section.text.is_empty());
                    notes.push(format!("{}: exit status {code}", section.label));
                }
                End::NotFound => notes.push(format!("{}: not found", section.label)),
                End::Denied => {
                    denied += 1;
                    notes.push(format!("{}: permission denied", section.label));
                }
                End::TimedOut(seconds) => {
                    late += 1;
                    notes.push(format!("{}: no answer within {seconds} s", section.label));
                }
                End::LeftRunning { seconds, process } => {
                    late += 1;
                    let left = left_running(*seconds, *process);
                    notes.push(format!("{}: {left}", section.label));
                }
                End::Cut(bytes) => {
                    cut += 1;
                    notes.push(format!("{}: {bytes} bytes left out", section.label));
                }
                End::Failed(why) => {
                    failed += 1;
                    notes.push(format!("{}: {why}", section.label));
                }
            }
        }
        let outcome = match (good + cut, denied, late, failed) {
            (0, 0, 0, 0) => Outcome::NotFound,
            (0, 0, 0, _) => Outcome::Failed,
            (0, 0, _, _) => Outcome::TimedOut,
            (0, _, _, _) => Outcome::Forbidden,
            (_, 0, 0, _) if cut == 0 => Outcome::Collected,
            _ => Outcome::Truncated,
        };
        (outcome, (!notes.is_empty()).then(|| notes.join("; ")))
    }

    /// The readings as one text, each below the line that a person would type.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            let _ = writeln!(out, "$ {}", section.label);
            out.push_str(&section.text);
            if !section.text.is_empty() && !section.text.ends_with('\n') {
                out.push('\n');
            }
            let _ = match &section.end {
                End::Exit(0) => Ok(()),
                End::Exit(code) => writeln!(out, "[exit status {code}]"),
                End::NotFound => writeln!(out, "[not found]"),
                End::Denied => writeln!(out, "[permission denied]"),
                End::TimedOut(seconds) => writeln!(out, "[no answer within {seconds} s]"),
                End::LeftRunning { seconds, process } => {
                    writeln!(out, "[{}]", left_running(*seconds, *process))
                }
                End::Cut(bytes) => writeln!(out, "[{bytes} bytes left out]"),
                End::Failed(why) => writeln!(out, "[failed: {why}]"),
            };
            out.push('\n');
        }
        out
    }
}

fn left_running(seconds: u64, process: i32) -> String {
    format!(
        "no answer within {seconds} s; it did not end when it was asked to and was left alone, as process {process}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(ends: &[(&str, End)]) -> Capture {
        Capture { sections: ends.iter().map(|(text, end)| Section::new("cmd", *text, end.clone())).collect() }
    }

    #[test]
    fn a_missing_tool_is_an_answer_and_a_refusal_a_loss() {
        let outcome = |ends: &[(&str, End)]| capture(ends).outcome().0;
        assert_eq!(outcome(&[("a", End::Exit(0)), ("", End::NotFound)]), Outcome::Collected);
        assert_eq!(outcome(&[("", End::NotFound)]), Outcome::NotFound);
        assert_eq!(outcome(&[("", End::Denied)]), Outcome::Forbidden);
        assert_eq!(outcome(&[("a", End::Exit(0)), ("", End::Denied)]), Outcome::Truncated);
        assert_eq!(outcome(&[("", End::TimedOut(2)), ("", End::NotFound)]), Outcome::TimedOut);
        assert_eq!(outcome(&[("half", End::TimedOut(2)), ("a", End::Exit(0))]), Outcome::Truncated);
        assert_eq!(outcome(&[("", End::Exit(3))]), Outcome::Failed);
        assert_eq!(outcome(&[("inactive", End::Exit(3))]), Outcome::Collected);
    }

    #[test]
    fn text_shows_how_each_reading_ended() {
        let rendered = capture(&[("one", End::Exit(0)), ("", End::NotFound)]).render();
        assert_eq!(rendered, "$ cmd\none\n\n$ cmd\n[not found]\n\n");
    }
}
