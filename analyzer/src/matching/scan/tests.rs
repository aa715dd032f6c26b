use super::*;
use crate::rules::Rule;
use crate::snapshot::{FileId, SourceFile};

fn rule(evidence: &str) -> Rule {
    let yaml = format!(
        "id: a\ntitle: {{zh: a, en: a}}\nstatus: stable\nseverity: error\nsince: 0.1.0\nevidence:\n{evidence}\n\
         verdict: {{likely: seen}}\noutcomes: [{{conclusion: {{zh: a, en: a}}}}]\n"
    );
    Rule::parse("a.yaml", "test/a", &yaml).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

fn snapshot(text: &str, kind: TextKind) -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.files.push(SourceFile::new("a.txt".into(), 0, text.into()));
    snapshot.texts.push(TextSource {
        file: FileId(0),
        range: 0..text.len(),
        kind,
        namespace: None,
        pod: Some("web-0".into()),
        container: None,
        previous: false,
        node: None,
        has_head: true,
        has_tail: true,
        has_middle: true,
    });
    snapshot
}

fn scan(evidence: &str, text: &str, kind: TextKind) -> Vec<Hit> {
    let rule = rule(evidence);
    let scanner = Scanner::new(rule.evidence.iter().collect());
    scanner.scan(&snapshot(text, kind)).remove(0)
}

#[test]
fn equal_groups_are_one_hit_with_a_count_and_times() {
    let log = "2026-01-01T00:00:00Z lookup a.example on 10.0.0.1: no such host\n\
               2026-01-01T00:01:00Z all is well\n\
               2026-01-01T00:02:00Z lookup a.example on 10.0.0.1: no such host\n\
               2026-01-01T00:03:00Z lookup b.example on 10.0.0.1: no such host\n";
    let hits =
        scan("  seen: {in: logs, text: 'lookup (?P<host>\\S+) on .*no such host'}", log, TextKind::Log);
    assert_eq!(hits.len(), 2);
    assert_eq!((hits[0].line, hits[0].count), (1, 2));
    assert_eq!(hits[0].groups, [Some("a.example".to_owned())]);
    assert_eq!(hits[0].last_time.unwrap().to_string(), "2026-01-01T00:02:00Z");
    assert_eq!((hits[1].line, hits[1].count), (4, 1));
}

#[test]
fn colours_entities_and_carriage_returns_do_not_hide_a_line() {
    let text = "ok\r\n\x1b[31mservices&lt;mysql&gt;\x1b[0m❌\r\n";
    let hits = scan("  seen: {in: texts, text: 'services<(?P<name>\\w+)>❌$'}", text, TextKind::Pasted);
    assert_eq!((hits[0].line, hits[0].excerpt.as_str()), (2, "services<mysql>❌"));
}

#[test]
fn an_expression_over_lines_spans_no_more_than_it_may() {
    let text = "Error:\n  UPGRADE FAILED: x\n\n\n\nError:\n\n\n  UPGRADE FAILED: y\n";
    let hits = scan(
        "  seen: {in: texts, multiline: 2, text: 'Error:\\s+UPGRADE FAILED: (?P<what>\\w)'}",
        text,
        TextKind::Pasted,
    );
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].line, hits[0].end_line, hits[0].groups[0].as_deref()), (1, 2, Some("x")));
}

#[test]
fn a_broken_message_is_found_where_the_rule_asks_for_it() {
    let text = "$ helm upgrade\nError: UPGRADE FAILED: another\noperation (install/upgr\nade/rollback) is in progress\n";
    let evidence = |wrapped| {
        format!(
            "  seen: {{in: texts, wrapped: {wrapped}, text: 'another operation \\(install/upgrade/rollback\\) is in progress'}}"
        )
    };
    assert!(scan(&evidence(false), text, TextKind::Pasted).is_empty());
    let hits = scan(&evidence(true), text, TextKind::Pasted);
    assert_eq!((hits[0].line, hits[0].end_line), (2, 4));
}

#[test]
fn only_the_texts_that_are_meant_are_read() {
    let text = "Address family not supported by protocol\n";
    let pods =
        |glob: &str| format!("  seen: {{in: logs, pods: ['{glob}'], text: 'Address family not supported'}}");
    assert_eq!(scan(&pods("web-*"), text, TextKind::Log).len(), 1);
    assert!(scan(&pods("db-*"), text, TextKind::Log).is_empty());
    assert!(scan(&pods("web-*"), text, TextKind::Journal).is_empty());
    let paste = "  seen: {in: texts, namespaces: [other], text: 'Address family not supported'}";
    assert_eq!(scan(paste, text, TextKind::Pasted).len(), 1, "nobody knows where a paste is from");
    let previous = "  seen: {in: logs, previous: true, text: 'Address family not supported'}";
    assert!(scan(previous, text, TextKind::Log).is_empty());
}

#[test]
fn chunks_do_not_change_what_is_found() {
    let line =
        "2026-01-01T00:00:00Z nothing of interest happens in this line at all, it only fills the log\n";
    let mut text = line.repeat(2 * CHUNK / line.len());
    let before = text.lines().count() as u32;
    text.push_str("at last: connection refused by peer\n");
    text.push_str(&line.repeat(CHUNK / line.len()));
    let ranges = chunks(&text, 0..text.len());
    assert!(ranges.len() > 1 && ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
    let hits = scan("  seen: {in: logs, text: 'connection refused'}", &text, TextKind::Log);
    assert_eq!((hits.len(), hits[0].line), (1, before + 1));
}

#[test]
fn a_line_of_megabytes_is_searched_without_taking_long() {
    let text = format!("{}connection refused{}", "x connection y ".repeat(200_000), " tail".repeat(1000));
    let hits = scan("  seen: {in: logs, text: 'connection refused'}", &text, TextKind::Log);
    assert_eq!(hits[0].count, 1);
    assert!(hits[0].excerpt.len() <= LONGEST_TEXT && hits[0].excerpt.contains("connection refused"));
}

proptest::proptest! {
    /// The literals and windows only save work: the hits are those of the plain expression on each line.
    #[test]
    fn the_hits_are_those_of_the_expression_alone(lines in proptest::collection::vec("(abcd|ABCD|x1|yy| |\\[|9){0,8}", 0..30)) {
        let text = lines.join("\n");
        let hits = scan("  seen: {in: logs, text: '(?i)(?P<n>\\d?)(?:abcdx1|yyabcd\\[)'}", &text, TextKind::Log);
        let plain = regex::Regex::new(r"(?i)(\d?)(?:abcdx1|yyabcd\[)").unwrap();
        let expected: usize = lines.iter().map(|line| plain.find_iter(line).count()).sum();
        proptest::prop_assert_eq!(hits.iter().map(|hit| hit.count).sum::<u64>(), expected as u64);
    }
}
