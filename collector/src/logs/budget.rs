//! How much of each log may be kept, so that the bundle stays within its size and no log of something broken gives
//! way to one of something healthy.

use super::worth::Worth;

/// No log is cut below this: less would not hold a stack trace.
pub const LEAST: u64 = 64 << 10;
/// Part of the bundle that logs of healthy things may fill at most, in percent; the rest is for what is broken.
const HEALTHY_SHARE: u64 = 60;

/// What is known when a log is about to be read.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Bytes that the bundle may take on the disk.
    pub max_size: u64,
    /// Bytes that it takes so far.
    pub written: u64,
    /// Logs of this worth still to be read, this one included.
    pub left: usize,
    /// Longest log that the user wants, uncompressed.
    pub max_log: u64,
    /// How many bytes of log become one byte in the bundle; about 8 for most.
    pub ratio: f64,
}

/// Uncompressed bytes that this log may have; `None`: there is no room for it.
pub fn allowance(worth: Worth, at: Situation) -> Option<u64> {
    let cap = if worth.is_vital() { at.max_size } else { at.max_size / 100 * HEALTHY_SHARE };
    let room = cap.saturating_sub(at.written) as f64 * at.ratio.max(1.0);
    // Half of an even share more than its own: most logs are shorter than theirs.
    let share = (room / at.left.max(1) as f64 * 1.5) as u64;
    if room as u64 <= LEAST { None } else { Some(share.clamp(LEAST, at.max_log.max(LEAST))) }
}

/// How an allowance is split: the beginning of a log says what the program is and how it was started, its end what
/// goes wrong.
pub fn split(allowance: u64) -> (usize, usize) {
    let head = (allowance / 4) as usize;
    (head, allowance as usize - head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Situation =
        Situation { max_size: 50 << 20, written: 1 << 20, left: 100, max_log: 2 << 20, ratio: 8.0 };

    #[test]
    fn with_room_a_log_gets_what_the_user_allows() {
        assert_eq!(allowance(Worth::Unhealthy, ROOMY), Some(2 << 20));
        assert_eq!(allowance(Worth::Replica, ROOMY), Some(2 << 20));
    }

    #[test]
    fn many_logs_share_what_is_there() {
        let crowded = Situation { left: 5000, ..ROOMY };
        let one = allowance(Worth::Unhealthy, crowded).unwrap();
        assert!((LEAST..1 << 20).contains(&one), "{one}");
    }

    #[test]
    fn healthy_logs_give_way_first() {
        let late = Situation { written: 35 << 20, ..ROOMY };
        assert_eq!(allowance(Worth::Healthy, late), None);
        assert!(allowance(Worth::Unhealthy, late).is_some());
        let full = Situation { written: 50 << 20, ..ROOMY };
        assert_eq!(allowance(Worth::Unhealthy, full), None);
    }

    #[test]
    fn the_tail_gets_the_larger_part() {
        assert_eq!(split(100), (25, 75));
    }
}
