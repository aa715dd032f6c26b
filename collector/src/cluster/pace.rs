//! How fast requests may go out: so many a second on average, with a bounded burst, and slower while the server
//! says that it is overloaded.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// How many times slower than asked for the pace can become.
const SLOWEST: f64 = 16.0;

/// A token bucket kept as the time at which it would be full ("generic cell rate algorithm").
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    burst: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next request would go out if no burst were allowed.
    due: Instant,
    /// Factor on `interval`.
    slow: f64,
}

impl Pace {
    /// `qps` requests a second on average; up to `burst` of them at once.
    pub fn new(qps: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64(1.0 / qps.max(0.01));
        Self { interval, burst: burst.max(1), state: Mutex::new(State { due: Instant::now(), slow: 1.0 }) }
    }

    /// Takes a turn and says how long to wait for it.
    pub fn take(&self, now: Instant) -> Duration {
        let mut state = self.state.lock().expect("no code panics while it holds the lock");
        let step = self.interval.mul_f64(state.slow);
        let due = state.due.max(now);
        state.due = due + step;
        // While the server is in trouble there is no burst.
        let ahead = if state.slow > 1.0 { Duration::ZERO } else { step * (self.burst - 1) };
        (due - now).saturating_sub(ahead)
    }

    /// The server said that it is busy or broken: half the pace from here on.
    pub fn slow_down(&self) {
        let mut state = self.state.lock().expect("no code panics while it holds the lock");
        state.slow = (state.slow * 2.0).min(SLOWEST);
    }

    /// An answer came: the pace recovers over some twenty of them.
    pub fn recover(&self) {
        let mut state = self.state.lock().expect("no code panics while it holds the lock");
        if state.slow > 1.0 {
            state.slow = (state.slow * 0.9).max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_out_at_once_and_the_rest_in_step() {
        let pace = Pace::new(10.0, 3);
        let now = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| pace.take(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
    }

    #[test]
    fn an_idle_bucket_fills_no_further_than_the_burst() {
        let pace = Pace::new(10.0, 2);
        let later = Instant::now() + Duration::from_secs(60);
        let waits: Vec<_> = (0..4).map(|_| pace.take(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200]);
    }

    #[test]
    fn trouble_halves_the_pace_and_answers_restore_it() {
        let pace = Pace::new(10.0, 1);
        let now = Instant::now();
        pace.slow_down();
        pace.take(now);
        assert_eq!(pace.take(now).as_millis(), 200);
        for _ in 0..30 {
            pace.recover();
        }
        let before = pace.take(now);
        assert_eq!((pace.take(now) - before).as_millis(), 100);
    }
}
