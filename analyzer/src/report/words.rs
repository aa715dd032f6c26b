//! Words, numbers and dates in the reader's language.

use std::borrow::Cow;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use shared::lang::Lang;

use super::model::{Link, Severity, Subject, Verdict};
use crate::lexicon::model::{Named, Reading};
use crate::triage::model::Wait;

/// Picks the text of a language.
pub fn pick<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

pub fn verdict(verdict: Verdict, lang: Lang) -> &'static str {
    match verdict {
        Verdict::Confirmed => pick(lang, "已确认", "confirmed"),
        Verdict::Likely => pick(lang, "很可能", "likely"),
        Verdict::NeedMore => pick(lang, "待确认", "need more information"),
    }
}

pub fn severity(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Critical => pick(lang, "严重", "critical"),
        Severity::Error => pick(lang, "错误", "error"),
        Severity::Warning => pick(lang, "警告", "warning"),
        Severity::Info => pick(lang, "提示", "info"),
    }
}

/// What became of an item that is missing; a word this version does not know is shown as it is.
pub fn outcome(outcome: &str, lang: Lang) -> &str {
    match outcome {
        "forbidden" => pick(lang, "没有权限", "permission denied"),
        "timed_out" => pick(lang, "超时", "timed out"),
        "truncated" => pick(lang, "不完整", "incomplete"),
        // A log of which the middle is missing, see `Loss::word`.
        "head_and_tail" => pick(lang, "只保留了首尾", "only beginning and end kept"),
        "failed" => pick(lang, "失败", "failed"),
        "skipped" => pick(lang, "未收集", "left out"),
        "not_found" => pick(lang, "不存在", "does not exist"),
        "empty" => pick(lang, "为空", "empty"),
        "collected" => pick(lang, "已收集", "collected"),
        "unknown" => pick(lang, "未知", "unknown"),
        other => other,
    }
}

/// `Pod blueking/web-0 (container main)`; the name raw.
pub fn subject(subject: &Subject, lang: Lang) -> String {
    let mut words = format!("{} ", subject.kind);
    if let Some(namespace) = &subject.namespace {
        words.push_str(namespace);
        words.push('/');
    }
    words.push_str(&subject.name);
    // A table names no containers.
    if let Some(container) = subject.container.as_deref().filter(|name| !name.is_empty()) {
        words.push_str(pick(lang, "（容器 ", " (container "));
        words.push_str(container);
        words.push_str(pick(lang, "）", ")"));
    }
    words
}

/// A length of time in its two largest units.
pub fn duration(duration: SignedDuration, lang: Lang) -> String {
    const UNITS: &[(i64, &str, &str)] =
        &[(86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s")];
    let mut seconds = duration.as_secs().abs();
    if seconds == 0 {
        return format!("{} {}", duration.as_millis().abs(), pick(lang, "毫秒", "ms"));
    }
    let mut parts = Vec::new();
    for (size, zh, en) in UNITS {
        if seconds >= *size && parts.len() < 2 {
            parts.push(format!("{} {}", seconds / size, pick(lang, zh, en)));
            seconds %= size;
        } else if !parts.is_empty() {
            break;
        }
    }
    parts.join(" ")
}

/// A number of bytes with its unit.
pub fn bytes(count: u64) -> String {
    const UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.5 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// Shows moments in the reader's zone with UTC beside.
#[derive(Debug, Clone)]
pub struct Dates {
    pub zone: TimeZone,
}

impl Dates {
    /// In the zone of this machine.
    pub fn local() -> Self {
        Self { zone: TimeZone::system() }
    }

    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC }
    }

    /// `2024-05-01 20:00:00 +08 (12:00:00 UTC)`; a text that is no moment as it is.
    pub fn show(&self, rfc3339: &str) -> String {
        let Ok(moment) = rfc3339.parse::<Timestamp>() else { return rfc3339.to_owned() };
        let utc = moment.to_zoned(TimeZone::UTC);
        let here = moment.to_zoned(self.zone.clone());
        if here.offset() == utc.offset() {
            return utc.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        }
        let format = if here.date() == utc.date() { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
        format!("{} ({})", here.strftime("%Y-%m-%d %H:%M:%S %:::z"), utc.strftime(format))
    }

    /// A text that a rule made of the cluster's values, with every moment in it as [`Dates::show`] tells it and
    /// milliseconds of a second and more in words.
    pub fn within<'t>(&self, text: &'t str, lang: Lang) -> Cow<'t, str> {
        static VALUES: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?P<moment>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))|\b(?P<millis>\d{4,15}) (?:ms\b|毫秒)",
            )
            .expect("a valid pattern")
        });
        VALUES.replace_all(text, |found: &Captures| match (found.name("moment"), found.name("millis")) {
            (Some(moment), _) => self.show(moment.as_str()),
            (None, Some(millis)) => {
                let millis = millis.as_str().parse().expect("fifteen digits fit");
                duration(SignedDuration::from_millis(millis), lang)
            }
            (None, None) => found[0].to_owned(),
        })
    }
}

/// What to send where a text tells nothing that can be judged.
pub const WHAT_TO_SEND: (&str, &str) = (
    "请补充：完整的报错文本（不要截图）、kubectl get pods -A -o wide 的输出、异常 Pod 的 kubectl describe 和 kubectl logs -p；或在中控机运行 casebook-collect。",
    "Please send the whole text of the error (no picture), what `kubectl get pods -A -o wide` prints, and `kubectl describe` and `kubectl logs -p` of the pods in trouble; or run casebook-collect on the control machine.",
);

/// The reading of the line at a place.
pub fn reading<'r>(readings: &'r [Reading], path: &str, line: u32) -> Option<&'r Reading> {
    readings.iter().find(|reading| reading.line == line && reading.path == path)
}

/// What a line names, on one line: what it is, how it is, what it waits for, and which case knows it.
pub fn named(named: &Named, lang: Lang) -> String {
    let is = pick(lang, " 是 ", " is ");
    let mut line = format!("{}{is}{}", named.name, subject(&named.subject, lang));
    line.push_str(&format!("{}{}", pick(lang, "：", ": "), named.state.get(lang)));
    for link in named.chain.iter().filter(|link| link.subject != named.subject) {
        line.push_str(&format!(" → {} {}", subject(&link.subject, lang), link.state));
    }
    if let Some(case) = named.cases.first() {
        line.push_str(&match lang {
            Lang::Zh => format!("（见 {case}）"),
            Lang::En => format!(" (see {case})"),
        });
    }
    super::escape::one_line(&line)
}

/// For what the objects of a consequence wait.
pub fn waits_for(wait: &Wait, count: usize, lang: Lang) -> String {
    let on = subject(&wait.on, lang);
    let through = wait.through.as_ref().map(|between| subject(between, lang));
    match (lang, through, count) {
        (Lang::Zh, None, _) => format!("在等 {on}"),
        (Lang::Zh, Some(through), _) => format!("在等 {on}（经由 {through}）"),
        (Lang::En, None, 1) => format!("waits for {on}"),
        (Lang::En, None, _) => format!("wait for {on}"),
        (Lang::En, Some(through), 1) => format!("waits for {on} (through {through})"),
        (Lang::En, Some(through), _) => format!("wait for {on} (through {through})"),
    }
}

/// That a finding is but a consequence.
pub fn consequence(link: &Link, lang: Lang) -> String {
    let (on, state) = (subject(&link.subject, lang), &link.state);
    match lang {
        Lang::Zh => format!("它在等 {on}（{state}）；后者恢复后，它多半也会恢复。"),
        Lang::En => format!("It waits for {on} ({state}) and should end when that is mended."),
    }
}

/// Before what waits, in a group of the triage.
pub const WAITING: (&str, &str) = (
    "下面这些在等上面的对象，上面的恢复后多半也会恢复：",
    "These wait for it and should end when it is mended:",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        assert_eq!(duration(SignedDuration::from_secs(3_725), Lang::Zh), "1 小时 2 分钟");
        assert_eq!(duration(SignedDuration::from_secs(86_400), Lang::En), "1 d");
        assert_eq!(duration(SignedDuration::from_secs(86_405), Lang::En), "1 d");
        assert_eq!(duration(SignedDuration::from_millis(-62_300), Lang::En), "1 min 2 s");
        assert_eq!(duration(SignedDuration::from_millis(250), Lang::En), "250 ms");
    }

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_234), "1.2 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(345_678_901), "346 MB");
    }

    #[test]
    fn a_moment_is_shown_in_the_readers_zone_and_in_utc() {
        let shanghai = Dates { zone: TimeZone::fixed(jiff::tz::offset(8)) };
        assert_eq!(shanghai.show("2024-05-01T12:00:00Z"), "2024-05-01 20:00:00 +08 (12:00:00 UTC)");
        assert_eq!(
            shanghai.show("2024-05-01T20:00:00Z"),
            "2024-05-02 04:00:00 +08 (2024-05-01 20:00:00 UTC)"
        );
        assert_eq!(Dates::utc().show("2024-05-01T12:00:00Z"), "2024-05-01 12:00:00 UTC");
        assert_eq!(Dates::utc().show("yesterday"), "yesterday");
    }

    #[test]
    fn moments_and_long_milliseconds_in_a_sentence_are_told_in_words() {
        let shanghai = Dates { zone: TimeZone::fixed(jiff::tz::offset(8)) };
        assert_eq!(
            shanghai.within("since 2024-05-01T12:00:00.123456789Z, 62300 ms apart, 250 ms late", Lang::En),
            "since 2024-05-01 20:00:00 +08 (12:00:00 UTC), 1 min 2 s apart, 250 ms late"
        );
        assert_eq!(shanghai.within("相差约 62300 毫秒。", Lang::Zh), "相差约 1 分钟 2 秒。");
        assert_eq!(
            shanghai.within("build 20240501T12 of x-2024-05-01", Lang::En),
            "build 20240501T12 of x-2024-05-01"
        );
    }
}
