//! What is being done, for whoever waits: a line that renews itself on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::say;

/// Time between two plain lines about the same step.
const EVERY: Duration = Duration::from_secs(5);

/// Where progress goes.
#[derive(Debug)]
pub enum Progress {
    Silent,
    Bar(ProgressBar),
    /// When each step was last spoken of.
    Lines(Mutex<HashMap<String, Instant>>),
}

impl Progress {
    /// `quiet` shows nothing. Everything goes to standard error.
    pub fn new(quiet: bool) -> Self {
        use std::io::IsTerminal;
        if quiet {
            return Progress::Silent;
        }
        if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}");
            bar.set_style(style.expect("the template is well-formed"));
            bar.enable_steady_tick(Duration::from_millis(120));
            return Progress::Bar(bar);
        }
        Progress::Lines(Mutex::default())
    }

    /// A step and how far it is. Called often; lines that would say little new are left out.
    pub fn step(&self, step: &str, detail: &str) {
        let text = if detail.is_empty() { step.to_owned() } else { format!("{step}: {detail}") };
        match self {
            Progress::Silent => {}
            Progress::Bar(bar) => bar.set_message(text),
            Progress::Lines(lines) => {
                let mut lines = lines.lock().expect("no code panics while it holds the lock");
                if lines.get(step).is_none_or(|last| last.elapsed() >= EVERY) {
                    say::aside(&text);
                    lines.insert(step.to_owned(), Instant::now());
                }
            }
        }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        match self {
            Progress::Silent => {}
            Progress::Bar(bar) => bar.suspend(|| say::aside(text)),
            Progress::Lines(_) => say::aside(text),
        }
    }

    /// Leaves the terminal to somebody else, until [`Self::show`].
    pub fn hide(&self) {
        if let Progress::Bar(bar) = self {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    pub fn show(&self) {
        if let Progress::Bar(bar) = self {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    pub fn end(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
