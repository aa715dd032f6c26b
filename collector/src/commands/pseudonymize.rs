//! `casebook-collect pseudonymize BUNDLE -o FILE`: for a bundle that was collected with its real names and is to be
//! published without them.

use std::path::PathBuf;

use shared::archive::Limits;
use shared::bundle::manifest::Manifest;
use shared::bundle::reader::{Bundle, OpenError};
use shared::bundle::writer::{Format, Packing, WriteError};
use shared::encryption;
use shared::lang::Lang;
use shared::pseudonym::bundle::OPTION;
use shared::pseudonym::{NoKind, kinds};

use super::collect::{announce, refuse};
use crate::cli::PseudonymizeArgs;
use crate::exit::Exit;
use crate::keyring::{Keyring, KeyringError};
use crate::run::Done;
use crate::run::deliver::{DeliverError, Renaming, Stage};
use crate::say;

#[derive(Debug, thiserror::Error)]
enum PseudonymizeError {
    #[error(transparent)]
    Kind(#[from] NoKind),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    #[error("{path} is encrypted\nhint: collect again with --pseudonymize and --encrypt-to")]
    Sealed { path: PathBuf },
    #[error(
        "{path} has pseudonyms already\nhint: it can be published as it is; `casebook-collect reveal` turns a reply back"
    )]
    Already { path: PathBuf },
    #[error(
        "{path} has no manifest.json, as a bundle that was cut off\nhint: collect again with --pseudonymize"
    )]
    NoManifest { path: PathBuf },
    #[error("{output}: the new bundle is packed like the old one, so its name ends in {ending:?}")]
    Ending { output: PathBuf, ending: String },
}

/// Writes the bundle again.
pub fn pseudonymize(args: &PseudonymizeArgs, locale: Option<Lang>) -> Exit {
    let lang = args.lang.or(locale).unwrap_or(Lang::En);
    if let Ok(keyring) = Keyring::open(args.keyring.pseudonym_key.clone()) {
        say::if_open_to_others(keyring.key_path(), lang);
    }
    match run(args) {
        Ok(done) => {
            announce(&done, lang);
            Exit::Complete
        }
        Err(error) => refuse(&error),
    }
}

fn run(args: &PseudonymizeArgs) -> Result<Done, PseudonymizeError> {
    let kinds = kinds(args.kinds.iter().map(String::as_str))?;
    let keyring = Keyring::open(args.keyring.pseudonym_key.clone())?;
    let packing = packing(args)?;
    let (top, mut manifest) = open(args)?;
    let words = keyring.begin(kinds)?;
    let mut stage = Stage::new(&args.output, packing, &top)?;
    let map = Some(keyring.map_path());
    let written = stage.rename(Renaming { words, keyring, file_too: false }, &args.bundle, &mut manifest)?;
    Ok(Done { written: stage.publish(written)?, manifest, map })
}

fn packing(args: &PseudonymizeArgs) -> Result<Packing, PseudonymizeError> {
    let name = args.bundle.to_string_lossy();
    if name.ends_with(encryption::EXTENSION) {
        return Err(PseudonymizeError::Sealed { path: args.bundle.clone() });
    }
    if args.bundle.is_dir() {
        return Ok(Format::Directory.into());
    }
    let format = Format::from_name(&name).unwrap_or(Format::TarGz);
    if Format::from_name(&args.output.to_string_lossy()) != Some(format) {
        let ending = format.extension().to_owned();
        return Err(PseudonymizeError::Ending { output: args.output.clone(), ending });
    }
    Ok(format.into())
}

/// The top folder and the manifest. The whole bundle is held to its limits here, and read piece by piece afterwards.
fn open(args: &PseudonymizeArgs) -> Result<(String, Manifest), PseudonymizeError> {
    let path = || args.bundle.clone();
    let bundle = Bundle::open(&args.bundle, &Limits::default())?;
    let manifest = bundle.manifest.ok_or_else(|| PseudonymizeError::NoManifest { path: path() })?;
    if manifest.options.contains_key(OPTION) {
        return Err(PseudonymizeError::Already { path: path() });
    }
    Ok((bundle.top, manifest))
}
