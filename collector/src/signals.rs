//! Ctrl-C, SIGTERM and a closed terminal: the first ends the run and keeps what there is, a second one keeps nothing.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::stop::{Reason, Stop};

/// Told when the user wants nothing any more.
#[derive(Debug, Clone)]
pub struct Abandon(watch::Receiver<bool>);

impl Abandon {
    /// Waits for the second signal; never ends without one.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|abandoned| *abandoned).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Listens from now on.
///
/// # Errors
/// When the system does not let this program handle signals.
pub fn listen(stop: &Stop, on_first: impl Fn() + Send + 'static) -> std::io::Result<Abandon> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (tell, told) = watch::channel(false);
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut count = 0;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            count += 1;
            if count == 1 {
                stop.request(Reason::Interrupted);
                on_first();
            } else if tell.send(true).is_err() {
                return;
            }
        }
    });
    Ok(Abandon(told))
}
