//! How a run ends, as the caller of the program sees it.

use std::process::ExitCode;

/// Exit codes of `casebook-collect`. Scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// The bundle is written and holds all that was asked for.
    Complete = 0,
    /// Nothing was written: unusable arguments or an unusable place to write to, or a stop before the end.
    Nothing = 2,
    /// The bundle is written, parts of it are missing; its ledger says which and why.
    Partial = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
