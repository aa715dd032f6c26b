//! The facts of this machine.

use std::sync::Arc;

use futures::StreamExt;
use shared::bundle::manifest::Outcome;

use super::Run;
use crate::gather::text;
use crate::host::{self, HostItem, HostOptions};
use crate::select::Kind;
use crate::sink::{Draft, entry};

/// Reads them all, and puts each into the bundle as it comes.
pub async fn collect(run: Arc<Run>) {
    if !run.options.host || !run.options.selection.wants(&Kind::Host) {
        return;
    }
    let names = host::DEFAULT_NAMES.iter().map(|name| (*name).to_owned()).collect();
    let mut items = std::pin::pin!(host::collect(HostOptions { names, ..HostOptions::default() }));
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            _ = run.stop.requested() => None,
        };
        let Some(item) = item else { return };
        put(&run, item);
    }
}

fn put(run: &Run, item: HostItem) {
    let HostItem { path, bytes, outcome, source, note, started, millis } = item;
    if bytes.is_empty() {
        let mut missing = entry(&path, source, outcome);
        (missing.note, missing.started, missing.millis) = (note, Some(started), millis);
        run.sink.note(missing);
        return;
    }
    match text::masked(Draft::new(&*path, &*source), &bytes, outcome, note, &run.masks) {
        Ok(mut finished) => {
            let entry = finished.entry_mut();
            (entry.started, entry.millis) = (Some(started), millis);
            run.sink.put(finished);
        }
        Err(reason) => {
            let mut failed = entry(&path, source, Outcome::Failed);
            failed.note = Some(reason.to_string());
            run.sink.note(failed);
        }
    }
}
