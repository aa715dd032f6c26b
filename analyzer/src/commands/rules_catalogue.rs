//! `casebook-analyze rules catalogue`

use clap::Args;

use crate::cli::{Common, Exit, print};
use crate::rules::{RuleSet, catalogue};

#[derive(Debug, Args)]
pub struct CatalogueArgs {
    #[command(flatten)]
    common: Common,
}

pub fn run(args: &CatalogueArgs) -> anyhow::Result<Exit> {
    let set = RuleSet::load(&args.common.rules)?;
    print(&catalogue::markdown(&set))?;
    Ok(Exit::Done)
}
