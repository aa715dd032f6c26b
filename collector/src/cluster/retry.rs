//! Whether and when a failed request is tried again.
//!
//! Only what may pass by itself is tried again: a busy server, an error inside it, a broken connection, a cut
//! answer. A server that does not answer at all gets one more chance, since each one costs a whole time-out.

use std::time::Duration;

use super::error::{ApiError, Fault};

/// How often and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// Attempts in all when the failure is a time-out.
    pub attempts_timed_out: u32,
    /// The longest wait before the second attempt; it doubles from there.
    pub base: Duration,
    /// No wait is longer, whatever `Retry-After` says.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            attempts_timed_out: 2,
            base: Duration::from_millis(400),
            longest: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// The wait before the next attempt, or `None` to give up. `attempt` counts those made, from 1; `jitter` lies
    /// in 0..1 and spreads clients that failed together.
    pub fn wait(&self, attempt: u32, error: &ApiError, jitter: f64) -> Option<Duration> {
        let allowed = match error.fault {
            Fault::Busy | Fault::Network | Fault::Garbled => self.attempts,
            // The kubelet's trouble is not the API server's: asking again soon finds it as it is.
            Fault::Server if error.blames_kubelet() => 1,
            Fault::Server => self.attempts,
            Fault::TimedOut => self.attempts_timed_out,
            _ => 1,
        };
        if attempt >= allowed {
            return None;
        }
        let ceiling = self.base.saturating_mul(1 << (attempt - 1).min(16));
        // Between half and the whole of the step: never all at once, never at once.
        let own = ceiling.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        let asked = error.retry_after.unwrap_or_default();
        // What the server asked for is a least, so jitter comes on top.
        let wait = if asked > own { asked + ceiling.mul_f64(jitter.clamp(0.0, 1.0) / 4.0) } else { own };
        Some(wait.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(fault: Fault) -> ApiError {
        ApiError::new(fault, "x")
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        let policy = RetryPolicy::default();
        for fault in [Fault::Forbidden, Fault::NotFound, Fault::Gone, Fault::Refused, Fault::Stopped] {
            assert_eq!(policy.wait(1, &failure(fault), 0.5), None, "{fault:?}");
        }
    }

    #[test]
    fn waits_grow_and_end() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (1..).map_while(|n| policy.wait(n, &failure(Fault::Server), 0.0)).collect();
        assert_eq!(waits.len(), 3);
        assert!(waits.is_sorted());
        assert_eq!(waits[0], Duration::from_millis(200));
        assert!(policy.wait(1, &failure(Fault::Server), 1.0) <= Some(Duration::from_millis(400)));
    }

    #[test]
    fn retry_after_is_a_least_and_has_a_bound() {
        let policy = RetryPolicy::default();
        let asks = |seconds| ApiError {
            retry_after: Some(Duration::from_secs(seconds)),
            ..ApiError::from_answer(429, b"", None)
        };
        assert!(policy.wait(1, &asks(3), 0.7) >= Some(Duration::from_secs(3)));
        assert_eq!(policy.wait(1, &asks(9000), 0.7), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_dead_kubelet_is_asked_once() {
        let error =
            ApiError::from_answer(500, br#"{"message":"dial tcp 10.0.0.1:10250: i/o timeout"}"#, None);
        assert_eq!(RetryPolicy::default().wait(1, &error, 0.5), None);
    }

    #[test]
    fn a_silent_server_gets_one_more_chance() {
        let policy = RetryPolicy::default();
        assert!(policy.wait(1, &failure(Fault::TimedOut), 0.5).is_some());
        assert_eq!(policy.wait(2, &failure(Fault::TimedOut), 0.5), None);
    }
}
