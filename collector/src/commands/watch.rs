//! `casebook-collect watch [-- COMMAND…]`: catches what appears and vanishes while something is going on.

use shared::lang::Lang;

use super::collect::{carry_out, refuse};
use crate::cli::WatchArgs;
use crate::exit::Exit;
use crate::options::Options;

/// Watches, then collects, and writes one bundle of both.
pub async fn watch(args: WatchArgs, locale: Option<Lang>) -> Exit {
    match Options::new(args.collect, locale) {
        Ok(options) => carry_out(Options { watch: Some(args.command), ..options }, true).await,
        Err(error) => refuse(&error),
    }
}
