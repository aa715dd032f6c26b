//! Times as Kubernetes objects carry them and as kubectl and helm print them.
//!
//! Objects carry RFC 3339 text. kubectl prints ages ([`human_duration`]) and, in `describe`, dates in the local
//! zone ([`rfc1123z`]); helm prints the offset it finds in the record ([`Stamp`]).

use jiff::civil::DateTime;
use jiff::fmt::{strtime, temporal::Pieces};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// What Go prints for a time that was never set.
pub const GO_ZERO: &str = "Mon, 01 Jan 0001 00:00:00 +0000";

/// A wall clock reading together with its offset from UTC, as written in an RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    wall: DateTime,
    offset: Offset,
}

impl Stamp {
    /// `None` when the text is no RFC 3339 date and time with an offset.
    pub fn parse(text: &str) -> Option<Stamp> {
        let pieces = Pieces::parse(text).ok()?;
        let wall = pieces.date().to_datetime(pieces.time()?);
        Some(Stamp { wall, offset: pieces.to_numeric_offset()? })
    }

    /// Go's `time.ANSIC`: `Mon Jan  2 15:04:05 2006`.
    pub fn ansi_c(self) -> String {
        format("%a %b %e %H:%M:%S %Y", self.wall)
    }

    /// Go's `Time.String()`: `2006-01-02 15:04:05.999999999 +0000 UTC`; the zone's name is not known here, and Go
    /// repeats the offset then.
    pub fn go_string(self) -> String {
        let fraction = match self.wall.subsec_nanosecond() {
            0 => String::new(),
            nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
        };
        let offset = offset_digits(self.offset);
        let name = if self.offset == Offset::UTC { "UTC" } else { &offset };
        format!("{}{fraction} {offset} {name}", format("%Y-%m-%d %H:%M:%S", self.wall))
    }
}

fn format(pattern: &str, wall: DateTime) -> String {
    strtime::format(pattern, wall).expect("the pattern names only fields of a civil date and time")
}

fn offset_digits(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// Go's `time.RFC1123Z` in `zone`, as `kubectl describe` prints dates; the zero time where there is none.
///
/// A text that is no time is given back as it is: what the object says is worth more than a default.
pub fn rfc1123z(text: Option<&str>, zone: &TimeZone) -> String {
    let Some(text) = text else { return GO_ZERO.to_owned() };
    match text.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(zone.clone()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The age column: time since `text`, `<unknown>` where there is none.
pub fn age(text: Option<&str>, now: Timestamp) -> String {
    match text.and_then(|text| text.parse::<Timestamp>().ok()) {
        Some(time) => human_duration(now.duration_since(time)),
        None => "<unknown>".to_owned(),
    }
}

/// A duration as kubectl prints ages, with two to three significant digits: `119s`, `5m10s`, `3h`, `47h`, `2d5h`,
/// `9d`, `2y14d`.
///
/// One second into the future is a clock that differs slightly and counts as `0s`; more is `<invalid>`.
pub fn human_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let two = |major: i64, unit: char, minor: i64, minor_unit: char| match minor {
        0 => format!("{major}{unit}"),
        _ => format!("{major}{unit}{minor}{minor_unit}"),
    };
    if seconds < -1 {
        "<invalid>".to_owned()
    } else if seconds < 0 {
        "0s".to_owned()
    } else if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, 'm', seconds % 60, 's')
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, 'h', minutes % 60, 'm')
    } else if hours < 48 {
        format!("{hours}h")
    } else if days < 8 {
        two(days, 'd', hours % 24, 'h')
    } else if days < 365 * 2 {
        format!("{days}d")
    } else if days < 365 * 8 {
        two(days / 365, 'y', days % 365, 'd')
    } else {
        format!("{}y", days / 365)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_their_unit_where_kubectl_does() {
        let cases = [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (310, "5m10s"),
            (600, "10m"),
            (10799, "179m"),
            (10800, "3h"),
            (3 * 3600 + 120, "3h2m"),
            (8 * 3600 + 120, "8h"),
            (47 * 3600 + 3599, "47h"),
            (48 * 3600, "2d"),
            (53 * 3600, "2d5h"),
            (8 * 86400 + 3600, "8d"),
            (729 * 86400, "729d"),
            (730 * 86400, "2y"),
            (744 * 86400, "2y14d"),
            (365 * 9 * 86400, "9y"),
        ];
        for (seconds, printed) in cases {
            assert_eq!(human_duration(SignedDuration::from_secs(seconds)), printed, "{seconds} s");
        }
    }

    #[test]
    fn dates_are_printed_in_the_wanted_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(rfc1123z(Some("2026-11-02T08:51:35Z"), &zone), "Mon, 02 Nov 2026 16:51:35 +0800");
        assert_eq!(rfc1123z(None, &zone), GO_ZERO);
        assert_eq!(rfc1123z(Some("soon"), &zone), "soon");
        let now = "2026-11-02T08:53:35Z".parse().unwrap();
        assert_eq!(age(Some("2026-11-02T08:51:35.5Z"), now), "119s");
        assert_eq!(age(None, now), "<unknown>");
    }

    #[test]
    fn a_stamp_keeps_the_offset_it_was_written_with() {
        let stamp = Stamp::parse("2026-11-02T16:51:35.1200+08:00").unwrap();
        assert_eq!(stamp.ansi_c(), "Mon Nov  2 16:51:35 2026");
        assert_eq!(stamp.go_string(), "2026-11-02 16:51:35.12 +0800 +0800");
        assert_eq!(
            Stamp::parse("2026-11-02T08:51:35Z").unwrap().go_string(),
            "2026-11-02 08:51:35 +0000 UTC"
        );
        assert_eq!(Stamp::parse("2026-11-02T08:51:35"), None);
    }
}
