//! When a text was taken, and thereby the times of what it gives as an age.
//!
//! Tables and descriptions say `5m ago`. The moment from which that counts is, in this order: what `date` printed above
//! it in the same text, the start that the bundle's manifest states, the newest time of the text itself, the newest of
//! the other files of the input, and the time of the file. Where none of them is known the time stays unknown.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use regex::Regex;
use serde_json::Value;

use super::layout::Layout;
use super::part::Part;

/// A field of an object that the text gives as an age.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Age {
    /// Keys and places in lists, as `a/0/b`.
    pub(super) field: &'static str,
    pub(super) before: SignedDuration,
}

impl Age {
    /// An age as a table's cell has it; `None` if it is none.
    pub(super) fn of(field: &'static str, text: &str) -> Option<Age> {
        Some(Age { field, before: duration(text)? })
    }
}

/// Reads what kubectl prints for an age: `35s`, `4m10s`, `2d3h`, `371d`, `2y15d`.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let mut seconds = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'y' => 365 * 86_400,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(seconds))
}

/// The age and the longer one in `2m38s (x26 over 7m37s)`, and in the `5 (3m ago)` of a table's restarts the age in
/// brackets.
pub(super) fn repeated(text: &str) -> (Option<SignedDuration>, Option<SignedDuration>) {
    let (last, rest) = text.split_once(" (").unwrap_or((text, ""));
    let rest = rest.trim_end_matches(')');
    let first = rest.rsplit_once("over ").map(|(_, age)| age).or_else(|| rest.strip_suffix(" ago"));
    (duration(last.trim()), first.and_then(duration))
}

/// What `date` prints, in English, in Chinese and with `-R`, `-I` or `--rfc-3339`. A zone that only has a name is
/// believed where the name is not used in several places of the world, and `CST` is China's.
pub(super) fn date_line(line: &str) -> Option<Timestamp> {
    static WALL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x)^(?:
                (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\ (?P<month>[A-Z][a-z]{2})\ +(?P<day>\d{1,2})
                \ (?P<time>\d\d:\d\d:\d\d)(?P<half>\ [AP]M)?\ (?P<zone>[A-Z]{3,4}|[+-]\d\d)\ (?P<year>\d{4})
              | (?P<cnyear>\d{4})年\ *(?P<cnmonth>\d{1,2})月\ *(?P<cnday>\d{1,2})日\ 星期.\ (?P<cntime>\d\d:\d\d:\d\d)\ (?P<cnzone>[A-Z]{3,4})
            )$",
        )
        .expect("the pattern is constant")
    });
    let line = line.trim();
    if let Ok(time) = line.replacen(' ', "T", usize::from(line.as_bytes().get(10) == Some(&b' '))).parse() {
        return Some(time);
    }
    if let Ok(time) = rfc2822::parse(line) {
        return Some(time.timestamp());
    }
    let found = WALL.captures(line)?;
    let group = |name: &str, other: &str| found.name(name).or_else(|| found.name(other)).map(|m| m.as_str());
    let offset = match group("zone", "cnzone")? {
        "UTC" | "GMT" => Offset::UTC,
        "CST" | "HKT" => Offset::constant(8),
        number => Offset::from_hours(number.parse().ok()?).ok()?,
    };
    let text = [group("year", "cnyear")?, group("month", "cnmonth")?, group("day", "cnday")?].join(" ");
    let time = group("time", "cntime")?;
    let half = found.name("half").map_or("", |half| half.as_str());
    let format = match (found.name("cnyear").is_some(), half) {
        (true, _) => "%Y %m %d %H:%M:%S",
        (_, "") => "%Y %b %d %H:%M:%S",
        _ => "%Y %b %d %I:%M:%S %p",
    };
    let wall: DateTime = strtime::parse(format, format!("{text} {time}{half}")).ok()?.to_datetime().ok()?;
    offset.to_timestamp(wall).ok()
}

/// How much of a text's end is looked at for its newest time.
const END: usize = 1 << 20;

/// The newest time with a zone that stands at the beginning of a line or beside a key of an object. What is still to
/// come (the end of a certificate, say) is none.
fn newest(text: &str) -> Option<Timestamp> {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?m)^.{0,60}?(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))|([A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4})"#,
        )
        .expect("the pattern is constant")
    });
    let mut start = text.len().saturating_sub(END);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let times = TIME.captures_iter(&text[start..]).filter_map(|found| {
        let line = found.get(0).map_or("", |line| line.as_str()).to_ascii_lowercase();
        if ["after", "expir", "renewal", "until"].iter().any(|word| line.contains(word)) {
            return None;
        }
        match (found.get(1), found.get(2)) {
            (Some(iso), _) => iso.as_str().parse::<Timestamp>().ok(),
            (_, Some(mail)) => rfc2822::parse(mail.as_str()).ok().map(|time| time.timestamp()),
            _ => None,
        }
    });
    times.max()
}

/// The newest time that the parts themselves tell: by a `date` in them, by their lines.
pub(super) fn of_parts(parts: &[Part]) -> Option<Timestamp> {
    parts.par_iter().filter_map(|part| part.taken.or_else(|| newest(&part.text))).max()
}

/// When an input without a manifest was taken. Collectors write their files as they go. What people save is copied and
/// downloaded afterwards: there the newest time in the texts counts, unless the file was written soon after it.
pub(super) fn of_input(parts: &[Part], layout: Layout, modified: Option<Timestamp>) -> Option<Timestamp> {
    const SOON: SignedDuration = SignedDuration::from_hours(24);
    if layout != Layout::Loose {
        return modified;
    }
    let Some(told) = of_parts(parts) else { return modified };
    let soon_after = |at: &Timestamp| *at >= told && at.duration_since(told) <= SOON;
    Some(modified.filter(soon_after).unwrap_or(told))
}

/// Turns ages into times. `stated` is the start in the input's manifest, `modified` the newest time of its files.
pub(super) fn resolve(parts: &mut [Part], stated: Option<Timestamp>, modified: Option<Timestamp>) {
    if parts.iter().all(|part| part.objects.iter().all(|found| found.ages.is_empty())) {
        return;
    }
    let of_input = if stated.is_some() { stated } else { of_parts(parts).or(modified) };
    for part in parts {
        let of_part = || stated.or_else(|| newest(&part.text)).or(of_input);
        let Some(taken) = part.objects.iter().any(|found| !found.ages.is_empty()).then(of_part).flatten()
        else {
            continue;
        };
        for found in &mut part.objects {
            set(&mut found.value, std::mem::take(&mut found.ages), taken);
        }
    }
}

/// Sets the fields of an object of which a text taken then gives the ages.
pub(super) fn set(value: &mut Value, ages: Vec<Age>, taken: Timestamp) {
    for Age { field, before } in ages {
        let place = field.split('/').try_fold(&mut *value, |place, key| match key.parse::<usize>() {
            Ok(index) => place.get_mut(index),
            Err(_) => Some(&mut place[key]),
        });
        if let (Some(place), Ok(time)) = (place, taken.checked_sub(before)) {
            *place = time.to_string().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::time::human_duration;

    use super::*;

    #[test]
    fn ages_are_read_as_kubectl_prints_them() {
        for seconds in
            [0, 35, 119, 250, 3601, 7 * 3600 + 120, 86_400 * 2 + 3600 * 3, 86_400 * 371, 86_400 * 900]
        {
            let printed = human_duration(SignedDuration::from_secs(seconds));
            let read = duration(&printed).unwrap();
            assert_eq!(human_duration(read), printed);
        }
        for other in [
            "",
            "<unknown>",
            "<invalid>",
            "abc",
            "5",
            "m",
            "5m ",
            "99999999999999999999d",
            "9223372036854775807y",
        ] {
            assert_eq!(duration(other), None, "{other}");
        }
        let secs = |n| Some(SignedDuration::from_secs(n));
        assert_eq!(repeated("2m38s (x26 over 7m37s)"), (secs(158), secs(457)));
        assert_eq!(repeated("5 (3m ago)"), (None, secs(180)));
        assert_eq!(repeated("7m"), (secs(420), None));
    }

    #[test]
    fn what_date_prints_is_a_moment() {
        let at: Timestamp = "2026-11-22T08:05:09Z".parse().unwrap();
        for line in [
            "Sun Nov 22 08:05:09 UTC 2026",
            "Sun Nov 22 16:05:09 CST 2026",
            "Sun Nov 22 04:05:09 PM CST 2026",
            "Sun Nov 22 09:05:09 +01 2026",
            "2026年 11月 22日 星期日 16:05:09 CST",
            "2026年11月22日 星期日 16:05:09 CST",
            "Sun, 22 Nov 2026 16:05:09 +0800",
            "2026-11-22T16:05:09+08:00",
            "2026-11-22 16:05:09+08:00",
        ] {
            assert_eq!(date_line(line), Some(at), "{line}");
        }
        for line in ["", "Sun Nov 22 08:05:09 EST 2026", "date: invalid option", "2026-11-22", "22:10"] {
            assert_eq!(date_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_newest_time_is_not_one_that_is_to_come() {
        let text = "\
2026-11-22T08:00:00.123456789Z certificate notAfter 2036-01-01T00:00:00Z
    Started:      Sun, 22 Nov 2026 16:05:09 +0800
    notAfter: \"2031-01-01T00:00:00Z\"
";
        assert_eq!(newest(text), "2026-11-22T08:05:09Z".parse().ok());
        assert_eq!(newest("a 5m ago"), None);
    }
}
