//! Waiting for a cluster to get somewhere.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks `question` twice a second until it answers `Ok`, and says what the last answer was when time is up.
///
/// Clusters reach states at their own pace (a kubelet backs off, a lease runs out), so waits are generous: they end
/// as soon as they can, and the limit is there only for what never comes.
///
/// # Errors
/// When `limit` has passed; the text holds `what` and the last answer.
pub fn until<T>(what: &str, limit: Duration, mut question: impl FnMut() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match question() {
            Ok(answer) => return Ok(answer),
            Err(error) if started.elapsed() > limit => {
                bail!("waited {} s for {what}; at last: {error:#}", limit.as_secs());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}
