//! `casebook-collect` itself, and `host`, which leaves the cluster out.

use shared::lang::Lang;

use crate::cli::CollectArgs;
use crate::exit::Exit;
use crate::options::Options;
use crate::preview;
use crate::run::{self, Done, RunError};
use crate::say;

/// Collects and writes a bundle.
pub async fn collect(args: CollectArgs, cluster: bool, locale: Option<Lang>) -> Exit {
    let options = match Options::new(args, locale) {
        Ok(options) => options,
        Err(error) => return refuse(&error),
    };
    if options.dry_run {
        return match preview::preview(&options).await {
            Ok(text) => match say::out(&text) {
                Ok(()) => Exit::Complete,
                Err(error) => refuse(&error),
            },
            Err(error) => refuse_in(options.lang, &error),
        };
    }
    carry_out(options, cluster).await
}

/// Carries a run out and says how it ended.
pub async fn carry_out(options: Options, cluster: bool) -> Exit {
    let lang = options.lang;
    match run::collect(options, cluster).await {
        Ok(done) => {
            announce(&done, lang);
            done.exit()
        }
        Err(error) => refuse_in(lang, &error),
    }
}

/// Says that a bundle is written, and its name on standard output.
pub fn announce(done: &Done, lang: Lang) {
    say::aside(&run::summary(done, lang));
    // The bundle is there, whether or not its name can be said.
    let _ = say::out(&format!("{}\n", done.written.path.display()));
}

/// Says why nothing was written, in the user's language where what happened is common.
fn refuse_in(lang: Lang, error: &RunError) -> Exit {
    match error.in_chinese().filter(|_| lang == Lang::Zh) {
        Some(text) => {
            say::aside(&format!("错误：{text}"));
            Exit::Nothing
        }
        None => refuse(error),
    }
}

/// Says why nothing was written.
pub fn refuse(error: &dyn std::error::Error) -> Exit {
    say::aside(&format!("error: {error}"));
    Exit::Nothing
}
