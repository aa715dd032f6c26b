//! The one way in which a run ends before its end: a reason is set once, and everything that waits looks at it.

use std::sync::Arc;

use tokio::sync::watch;

/// Why a run ends early. The names are those of `manifest.json`'s `stopped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ctrl-C, SIGTERM, or the terminal was closed.
    Interrupted,
    /// The time allowed for the whole run is over.
    Timeout,
    /// The bundle can take no more.
    DiskFull,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Interrupted => "interrupted",
            Reason::Timeout => "timeout",
            Reason::DiskFull => "disk_full",
        }
    }
}

/// Shared by all tasks; cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<Option<Reason>>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Stop {
    /// Ends the run; only the first reason counts.
    pub fn request(&self, reason: Reason) {
        self.0.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }

    pub fn reason(&self) -> Option<Reason> {
        *self.0.borrow()
    }

    /// Waits until the run is to end.
    pub async fn requested(&self) -> Reason {
        let mut receiver = self.0.subscribe();
        let reason = receiver.wait_for(Option::is_some).await.expect("the sender lives in self");
        reason.expect("waited for it to be set")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts_and_reaches_who_comes_late() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        assert_eq!(stop.reason(), None);
        stop.request(Reason::Timeout);
        stop.request(Reason::Interrupted);
        assert_eq!(waiting.await.unwrap(), Reason::Timeout);
        assert_eq!(stop.requested().await, Reason::Timeout);
    }
}
