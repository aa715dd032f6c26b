//! How bad a log line sounds, and what it blames.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

/// 0 (chatter) to 5 (the program says it dies).
///
/// A level that the line states itself weighs more than the words in it: an `INFO` line that mentions an error is
/// mostly a program telling how it handles one.
pub fn severity(line: &str) -> u8 {
    let body = without_timestamp(line);
    let words = worst_word(body);
    match stated_level(body) {
        Some(level) if level >= 3 => level.max(words),
        Some(1) => words.min(2),
        Some(0) => 0,
        Some(level) => words.clamp(level, 3),
        None => words,
    }
}

/// The line without the time that `kubectl logs --timestamps` puts before it.
pub fn without_timestamp(line: &str) -> &str {
    match line.split_once(' ') {
        Some((first, rest)) if is_rfc3339(first) => rest,
        _ => line,
    }
}

/// The time at the beginning of the line, RFC 3339 as the kubelet writes it.
pub fn timestamp(line: &str) -> Option<&str> {
    line.split([' ', '\t']).next().filter(|first| is_rfc3339(first))
}

fn is_rfc3339(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 20
        && bytes.len() <= 40
        && bytes[0].is_ascii_digit()
        && bytes[4] == b'-'
        && bytes[10] == b'T'
        && word.parse::<jiff::Timestamp>().is_ok()
}

/// The level in the line's own notation: klog's `E0102`, `level=error`, `"level":"error"`, `[ERROR]`, `ERROR:`.
fn stated_level(line: &str) -> Option<u8> {
    static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            ^(?P<klog>[IWEF])\d{4}\x20\d\d:
            | (?:\blevel|"level"|"severity"|\blvl)["']?\s*[=:]\s*["']?(?P<key>[A-Za-z]+)
            | (?:^|[\s\[|(<])(?P<bare>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|PANIC|EMERG|ALERT)(?:$|[\s\]|:)>,])
            "#,
        )
        .expect("a valid pattern")
    });
    // The level stands near the beginning; a long line's tail is not worth the search.
    let head = cut(line, 240);
    let found = LEVEL.captures(head)?;
    let word = found.name("klog").or(found.name("key")).or(found.name("bare"))?.as_str();
    Some(match word.to_ascii_uppercase().as_str() {
        "F" | "FATAL" | "PANIC" | "CRITICAL" | "CRIT" | "EMERG" | "ALERT" | "DPANIC" => 5,
        "E" | "ERROR" | "ERR" | "SEVERE" => 4,
        "W" | "WARN" | "WARNING" => 2,
        "I" | "INFO" | "NOTICE" | "INFORMATION" => 1,
        "TRACE" | "DEBUG" => 0,
        _ => return None,
    })
}

fn worst_word(line: &str) -> u8 {
    static WORDS: LazyLock<RegexSet> = LazyLock::new(|| {
        RegexSet::new([
            r"(?i)^panic:|\bfatal\b|out of memory|OutOfMemoryError|\bOOM\b|segmentation fault|core dumped|cannot allocate memory|no space left on device|assertion failed",
            r"(?i)\bcaused by:|\b[A-Za-z0-9_.]*(?:Exception|Error)\b[:(]|\bTraceback \(most|^error:|\berror\b.*\bfailed\b|connection refused|no such host|i/o timeout|context deadline exceeded|x509:|access denied|permission denied|authentication failed|no route to host|certificate (?:has expired|verify failed)|unauthorized|name or service not known|temporary failure in name resolution",
            r"(?i)\berrors?\b|\bfail(?:ed|ure|s|ing)?\b|\brefused\b|\bdenied\b|\btime[d ]?-?out\b|\bcannot\b|\bcan't\b|\bunable to\b|\bno such\b|not found|\binvalid\b|\bforbidden\b|\bunreachable\b|\babort(?:ed|ing)?\b|\bkilled\b|\bcrash(?:ed)?\b|错误|失败|超时|拒绝|无法|异常",
            r"(?i)\bwarn(?:ing)?\b|\bretry(?:ing)?\b|\bdeprecated\b|警告",
        ])
        .expect("valid patterns")
    });
    static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\b(?:0|no) (?:errors?|failures?)\b|\berrors?["']?\s*[=:]\s*["']?(?:0|nil|null|none|""|<nil>|\[\])(?:\W|$)|without errors?|\#success=\d+ \#failure=\d+"#)
            .expect("a valid pattern")
    });
    let line = cut(line, 2000);
    let hits = WORDS.matches(line);
    if !hits.matched_any() {
        return 0;
    }
    let worst =
        [5, 4, 3, 2].into_iter().zip(0..).find(|(_, index)| hits.matched(*index)).map_or(0, |(s, _)| s);
    // A word alone, such as the name of a plugin in a configuration, complains of nothing.
    let is_alone = line.is_ascii() && !line.trim().contains(' ');
    if worst <= 3 && (is_alone || HARMLESS.is_match(line)) { 0 } else { worst }
}

/// Part of a stack trace, or another line that says nothing without its neighbours.
pub fn is_frame(line: &str) -> bool {
    let body = without_timestamp(line).trim_start();
    body.is_empty()
        || body.starts_with("at ")
        || body.starts_with("File \"")
        || body.starts_with("goroutine ")
        || body.starts_with("... ")
        || body.chars().all(|c| !c.is_alphanumeric())
}

/// Hosts that a line blames: `host` or `host:port`, as written.
///
/// Only after words that say a connection or a look-up failed; any other address in a line is just mentioned.
pub fn blamed(line: &str) -> Vec<String> {
    static BLAME: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            // Go: `dial tcp 10.0.0.1:80: connect: connection refused`, `dial tcp: lookup redis on 10.43.0.10:53: no such host`
            r"dial (?:tcp|udp)\d?:? lookup (?P<host>[\w.-]+)",
            r"dial (?:tcp|udp)\d? (?P<host>[\w.-]+:\d+)",
            // MySQL, PostgreSQL, Redis, Kafka, AMQP, Elasticsearch clients
            r"(?i)can't connect to \w+ server on '(?P<host>[\w.-]+(?::\d+)?)'",
            r#"(?i)could not (?:connect to server|translate host name)[^"']*["'](?P<host>[\w.-]+)["']"#,
            r"(?i)error \d+ (?:while )?connecting to (?P<host>[\w.-]+:\d+)",
            r"(?i)(?:connection to|connect to|connecting to|reach|resolve|lookup|resolving) (?:server |host |node |broker |address )?['\x22/]?(?:\w+://)?(?:[^\s@/]+@)?(?P<host>[A-Za-z0-9][\w.-]*[A-Za-z0-9](?::\d{2,5})?)['\x22]?.{0,60}(?:refused|timed? ?out|failed|no such host|not known|unreachable|reset)",
            r"(?i)(?:failed|unable|cannot|could not) to (?:connect|resolve|reach|dial)(?: to)? (?:host |server )?['\x22/]?(?:\w+://)?(?:[^\s@/]+@)?(?P<host>[A-Za-z0-9][\w-]*(?:[.:][\w.:-]*\w))",
            r"(?i)(?:refused|timed? ?out|unreachable|unknownhostexception)[:,]? (?:\w+ )?['\x22/]?(?P<host>[a-z0-9][\w-]*(?:\.[\w-]+)*:\d{2,5})",
            r"(?i)unknownhostexception: (?P<host>[a-z0-9][\w.-]*\w)",
            // The C library's words, as most programs print them: `host: Temporary failure in name resolution`
            r"(?i)(?P<host>[a-z0-9][\w-]*(?:\.[\w-]+)+):? (?:temporary failure in name resolution|name or service not known|nodename nor servname)",
        ]
        .iter()
        .map(|pattern| Regex::new(pattern).expect("a valid pattern"))
        .collect()
    });
    let line = cut(line, 2000);
    let mut hosts: Vec<String> = Vec::new();
    for pattern in BLAME.iter() {
        for found in pattern.captures_iter(line) {
            let host = found["host"].trim_end_matches('.').to_ascii_lowercase();
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    hosts
}

/// Words of a line that may be the host of a connection it says has failed.
pub fn suspects(line: &str) -> impl Iterator<Item = &str> {
    let failed = severity(line) >= 4;
    line.split(|c: char| !(c.is_ascii_alphanumeric() || "-._:".contains(c)))
        .map(|word| {
            word.trim_start_matches("http:").trim_start_matches("https:").trim_matches([':', '.', '-'])
        })
        .filter(move |word| failed && word.len() >= 5 && word.contains(['-', '.', ':']))
}

/// At most `bytes` of `text`, cut between characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_level_outweighs_the_words() {
        assert_eq!(severity("E0102 03:04:05.000000       1 main.go:12] lookup done"), 4);
        assert_eq!(severity(r#"{"level":"info","msg":"error handler registered"}"#), 2);
        assert_eq!(severity("2024-01-02T03:04:05Z DEBUG retry failed"), 0);
        assert!(severity("[ERROR] 0 errors") >= 4);
    }

    #[test]
    fn words_speak_where_no_level_is_stated() {
        assert_eq!(severity("panic: runtime error: index out of range"), 5);
        assert_eq!(severity("Caused by: java.net.ConnectException: Connection refused"), 4);
        assert_eq!(severity("无法连接数据库"), 3);
        assert_eq!(severity("finished with 0 errors"), 0);
        assert_eq!(severity("listening on :8080"), 0);
        assert_eq!(severity("    errors"), 0);
    }

    #[test]
    fn a_failed_connection_names_its_other_end() {
        assert_eq!(blamed("dial tcp 10.43.0.7:6379: connect: connection refused"), ["10.43.0.7:6379"]);
        assert_eq!(
            blamed("dial tcp: lookup bk-mysql.blueking on 10.43.0.10:53: no such host"),
            ["bk-mysql.blueking"]
        );
        assert_eq!(blamed("(2003, \"Can't connect to MySQL server on 'bk-mysql' (111)\")"), ["bk-mysql"]);
        assert_eq!(
            blamed("Error 111 connecting to redis-master:6379. Connection refused."),
            ["redis-master:6379"]
        );
        assert_eq!(blamed("es-0.es.shop.svc: Temporary failure in name resolution"), ["es-0.es.shop.svc"]);
        assert!(blamed("connected to redis-master:6379").is_empty());
        assert!(suspects("waiting for http://web-api: connection refused").any(|word| word == "web-api"));
        assert_eq!(suspects("listening for http://web-api").count(), 0);
    }

    #[test]
    fn a_kubelet_timestamp_is_not_part_of_the_line() {
        assert_eq!(without_timestamp("2024-01-02T03:04:05.678901234Z hello world"), "hello world");
        assert_eq!(without_timestamp("hello world"), "hello world");
    }
}
