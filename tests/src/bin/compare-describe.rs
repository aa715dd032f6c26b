//! Compares our describe text with that of a kubectl on the cluster of `KUBECONFIG`.
//!
//! `cargo run -p tests --bin compare-describe -- KUBECTL 1.20|1.32 [-k KIND]… NAMESPACE…`

use std::process::Command;

use anyhow::{Context, Result, bail};
use shared::describe::Form;
use tests::comparison::{compare, report};
use tests::run::succeed;

fn main() -> Result<()> {
    let usage = "usage: compare-describe KUBECTL 1.20|1.32 [-k KIND]… NAMESPACE…";
    let mut args = std::env::args().skip(1);
    let kubectl = args.next().context(usage)?;
    let form = match args.next().as_deref() {
        Some("1.20") => Form::Kubectl120,
        Some("1.32") => Form::Kubectl132,
        _ => bail!(usage),
    };
    let (mut kinds, mut namespaces) = (Vec::new(), Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-k" => kinds.push(args.next().context(usage)?),
            _ => namespaces.push(arg),
        }
    }
    let run = |args: &[&str]| Ok(succeed(Command::new(&kubectl).args(args))?.stdout);
    let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    let wanted = |kind: &str| kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind);
    let scores = compare(&run, form, &namespaces, wanted)?;
    print!("{}", report(&scores));
    Ok(())
}
