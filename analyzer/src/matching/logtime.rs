//! The time at which a log line was written, read from its beginning.
//!
//! Understood are RFC 3339 (`kubectl logs --timestamps`, journald `-o short-iso`), ISO dates with a space, a slash,
//! a comma or a dot (Java, Python, nginx), klog's `E1122 08:50:15.123456`, and journald's JSON. A time without a zone is taken as UTC;
//! `skew()` compares such times modulo half hours.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// A line's time stands within so many bytes of its beginning.
const SEARCHED: usize = 80;
/// A journal's entry in JSON has its time within so many bytes.
const FIELDS: usize = 400;

/// The first time in the beginning of `line`. `collected` gives the year to klog lines, which have none.
pub fn line_time(line: &str, collected: Option<Timestamp>) -> Option<Timestamp> {
    let head = &line.as_bytes()[..line.len().min(SEARCHED)];
    for at in 0..head.len() {
        let starts_number = head[at].is_ascii_digit() && (at == 0 || !head[at - 1].is_ascii_alphanumeric());
        if starts_number && let Some(time) = iso(&head[at..]) {
            return Some(time);
        }
    }
    journal(line).or_else(|| klog(head, collected?))
}

/// Whether the time of a line says of which zone it is. klog's is that of the machine or container, nearly always UTC.
pub fn has_zone(line: &str) -> bool {
    let head = &line.as_bytes()[..line.len().min(SEARCHED)];
    let starts = (0..head.len()).filter(|at| head[*at].is_ascii_digit());
    let told = starts.filter_map(|at| Some(clock(head.get(at..)?)?.1)).next();
    let is_klog = matches!(head.first(), Some(b'I' | b'W' | b'E' | b'F')) && head.get(5) == Some(&b' ');
    is_klog
        || journal(line).is_some()
        || told.is_some_and(|rest| matches!(rest.first(), Some(b'Z' | b'+' | b'-')))
}

/// journald's `-o json`: microseconds since 1970 in a field of their own.
fn journal(line: &str) -> Option<Timestamp> {
    let mut cut = line.len().min(FIELDS);
    while !line.is_char_boundary(cut) {
        cut -= 1;
    }
    let (_, rest) = line[..cut].split_once("\"__REALTIME_TIMESTAMP\"")?;
    let rest = rest.trim_start_matches([' ', ':', '"']);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Timestamp::from_microsecond(rest[..digits].parse().ok()?).ok()
}

/// `2022-10-29T02:01:14.887Z`, `2022-10-29 02:01:14,887`, `2022/10/29 02:01:14`, with or without an offset.
fn iso(bytes: &[u8]) -> Option<Timestamp> {
    let year = number(bytes, 0, 4)?;
    let dash = *bytes.get(4)?;
    if (dash != b'-' && dash != b'/') || *bytes.get(7)? != dash || !matches!(bytes.get(10)?, b'T' | b' ') {
        return None;
    }
    let date = Date::new(year as i16, number(bytes, 5, 2)? as i8, number(bytes, 8, 2)? as i8).ok()?;
    let (time, rest) = clock(&bytes[11..])?;
    let offset = match rest.first() {
        Some(sign @ (b'+' | b'-')) if rest.get(1).is_some_and(u8::is_ascii_digit) => {
            let minutes_at = if rest.get(3) == Some(&b':') { 4 } else { 3 };
            let seconds = number(rest, 1, 2)? * 3600 + number(rest, minutes_at, 2)? * 60;
            Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?
        }
        _ => Offset::UTC,
    };
    offset.to_timestamp(DateTime::from_parts(date, time)).ok()
}

/// `I1122 08:50:15.123456   1 file.go:1] …`: level, month, day; the year is that of the collection or the one before.
fn klog(bytes: &[u8], collected: Timestamp) -> Option<Timestamp> {
    // `--timestamps` puts its own time first; that was tried before.
    if !matches!(bytes.first()?, b'I' | b'W' | b'E' | b'F') || *bytes.get(5)? != b' ' {
        return None;
    }
    let (month, day) = (number(bytes, 1, 2)? as i8, number(bytes, 3, 2)? as i8);
    let (time, _) = clock(&bytes[6..])?;
    let year = collected.to_zoned(TimeZone::UTC).year();
    let in_year = |year: i16| {
        let date = Date::new(year, month, day).ok()?;
        Offset::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()
    };
    let a_day_later = collected.saturating_add(jiff::SignedDuration::from_hours(24)).ok()?;
    in_year(year).filter(|time| *time <= a_day_later).or_else(|| in_year(year - 1))
}

/// `02:01:14.887` or `02:01:14,887`, and what follows it.
fn clock(bytes: &[u8]) -> Option<(Time, &[u8])> {
    if *bytes.get(2)? != b':' || *bytes.get(5)? != b':' {
        return None;
    }
    let (hour, minute, second) = (number(bytes, 0, 2)?, number(bytes, 3, 2)?, number(bytes, 6, 2)?);
    let mut rest = &bytes[8..];
    let mut nanos = 0;
    if matches!(rest.first(), Some(b'.' | b',')) {
        let digits = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
        for place in 0..9 {
            nanos = nanos * 10 + if place < digits { i32::from(rest[1 + place] - b'0') } else { 0 };
        }
        rest = &rest[1 + digits..];
    }
    let time = Time::new(hour as i8, minute as i8, second.min(59) as i8, nanos).ok()?;
    Some((time, rest))
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<i32> {
    let digits = bytes.get(at..at + len)?;
    digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i32::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> Option<String> {
        line_time(line, "2026-01-02T00:00:00Z".parse().ok()).map(|time| time.to_string())
    }

    #[test]
    fn the_usual_forms_are_read() {
        let same = Some("2022-10-29T02:01:14.887Z".to_owned());
        assert_eq!(at("2022-10-29T02:01:14.887Z stderr F x"), same);
        assert_eq!(at("[2022-10-29 02:01:14,887][WARN ] x"), same);
        assert_eq!(at("2022/10/29 02:01:14.887 [emerg] x"), same);
        assert_eq!(at("2022-10-29T10:01:14.887+08:00 x"), same);
        assert_eq!(at("2022-10-29T10:01:14.887+0800 x"), same);
        assert_eq!(at("time=\"2022-10-29T02:01:14.887Z\" level=info"), same);
    }

    #[test]
    fn klog_gets_the_nearest_past_year() {
        assert_eq!(at("E1122 08:50:15.5   1 a.go:1] x").as_deref(), Some("2025-11-22T08:50:15.5Z"));
        assert_eq!(at("E0101 08:50:15.5   1 a.go:1] x").as_deref(), Some("2026-01-01T08:50:15.5Z"));
    }

    #[test]
    fn a_journal_in_json_has_its_time_in_a_field() {
        let entry =
            r#"{ "__CURSOR" : "s=1;i=2;b=3", "__REALTIME_TIMESTAMP" : "1513184298944330", "MESSAGE" : "x" }"#;
        assert_eq!(at(entry).as_deref(), Some("2017-12-13T16:58:18.94433Z"));
        assert!(has_zone(entry));
    }

    #[test]
    fn a_zone_is_told_or_not() {
        assert!(has_zone("2022-10-29T02:01:14.887Z x") && has_zone("2022-10-29T10:01:14+08:00 x"));
        assert!(has_zone("E1122 08:50:15.5   1 a.go:1] x"));
        assert!(!has_zone("2022-10-29 02:01:14,887 x") && !has_zone("no time - Z"));
    }

    #[test]
    fn other_numbers_are_not_times() {
        assert_eq!(at("1234-56-78 99:99:99 x"), None);
        assert_eq!(at("no time here 10250"), None);
        assert_eq!(at("中文日志中文日志中文日志中文日志中文日志中文日志"), None);
        assert_eq!(at(""), None);
    }
}
