//! Every format over one report that holds something of everything, hostile text included.

use jiff::tz::TimeZone;
use shared::lang::Lang;

use super::bundle::{Clock, ClusterSummary, InputSummary};
use super::ledger::MissingItem;
use super::model::{Ask, Evidence, Finding, Fix, Link, Missing, Severity, Subject, Unresolved, Verdict};
use super::*;
use crate::rules::RuleSet;
use crate::rules::set::RuleText;
use crate::triage::model::{Cause, CauseKind, Edge, Group, LogLine, Problem, Relation, Triage};

/// What a log may hold to break out of wherever it is quoted.
const HOSTILE: &str = "x ``` ~~~ `</code></pre><script>alert(1)</script> | \x1b[31mred \u{202e}evil [a](javascript:b) ![i](http://e.example/i.png) <!-- --> ]]> &amp;";

fn subject(kind: &str, name: &str) -> Subject {
    Subject {
        kind: kind.into(),
        namespace: Some("shop".into()),
        name: name.into(),
        container: None,
        node: None,
    }
}

fn evidence(name: &str, excerpt: &str) -> Evidence {
    Evidence {
        name: name.into(),
        path: "cluster-resources/pods/logs/shop/web-0/main.log".into(),
        line: 42,
        end_line: 42,
        pointer: None,
        excerpt: excerpt.into(),
        time: Some("2024-05-01T11:58:59Z".into()),
        count: 3,
    }
}

pub(crate) fn finding(case: &str, verdict: Verdict, severity: Severity) -> Finding {
    Finding {
        case: case.into(),
        section: "blueking/install-bkce".into(),
        verdict,
        severity,
        title: Text::new("Helm release 停留在 pending 状态", "Helm release stuck in a pending state"),
        cause_class: Some("misoperation".into()),
        subjects: vec![subject("Release", "web")],
        evidence: vec![evidence("message", "Error: UPGRADE FAILED: another operation is in progress")],
        conclusion: Text::new(
            "上一次 `helm upgrade` 没有结束，release `web` 停留在 pending-upgrade。",
            "The last `helm upgrade` did not end; release `web` is still pending-upgrade.",
        ),
        caution: Some(Text::new(
            "先确认没有正在运行的 helm 进程。",
            "Make sure that no helm process is running.",
        )),
        fix: vec![
            Fix {
                text: Text::new("回滚到最近一次成功的版本", "Roll back to the last good revision"),
                commands: vec!["helm rollback -n shop web 3".into()],
                destructive: false,
                loses: None,
            },
            Fix {
                text: Text::new("或者卸载后重新部署", "Or uninstall and deploy again"),
                commands: vec!["helm uninstall -n shop web".into()],
                destructive: true,
                loses: Some(Text::new("这个 release 的所有对象", "all objects of this release")),
            },
        ],
        asks: vec![Ask {
            text: Text::new("确认各 release 的状态", "See the state of all releases"),
            command: Some("helm list -aA".into()),
        }],
        references: vec!["https://helm.sh/docs/helm/helm_rollback/".into(), "javascript:alert(1)".into()],
        past: false,
        explains: Vec::new(),
        chain: vec![
            Link { subject: subject("Release", "web"), state: "pending-upgrade".into() },
            Link { subject: subject("Pod", "web-0"), state: "ImagePullBackOff".into() },
        ],
        pointer: false,
        waits_for: None,
    }
}

pub(crate) fn sample() -> Report {
    let mut hostile = finding("hostile-log", Verdict::Likely, Severity::Warning);
    hostile.title = Text::same(HOSTILE);
    hostile.conclusion = Text::same(format!("It says `{HOSTILE}`\n\n# heading\n- item"));
    hostile.evidence = vec![evidence("message", HOSTILE)];
    hostile.fix[0].commands = vec![HOSTILE.into()];
    hostile.subjects = (0..30).map(|n| subject("Pod", &format!("web-{n}"))).collect();
    let mut bygone = finding("bygone", Verdict::Likely, Severity::Info);
    bygone.past = true;
    bygone.title = Text::new("镜像拉不下来", HOSTILE);
    let mut first = finding("helm-another-operation", Verdict::Confirmed, Severity::Error);
    first.explains = vec![finding("helm-wait-timeout", Verdict::Likely, Severity::Warning)];
    let problem = |name: &str| Problem {
        subject: Subject { container: Some("main".into()), node: Some("n1".into()), ..subject("Pod", name) },
        severity: Severity::Error,
        state: "CrashLoopBackOff".into(),
        message: Some("OOMKilled (exit 137)".into()),
        since: Some("2024-05-01T11:50:00Z".into()),
        restarts: Some(12),
        path: "cluster-resources/pods/shop.json".into(),
        line: 7,
        pointer: Some("/items/0".into()),
        log: vec![
            LogLine {
                path: "cluster-resources/pods/logs/shop/web-0/main-previous.log".into(),
                line: 1044,
                text: "ERROR dial tcp: lookup db.example.com: no such host".into(),
                count: 61,
                time: Some("2024-05-01T11:49:59Z".into()),
            },
            LogLine {
                path: "cluster-resources/pods/logs/shop/web-0/main-previous.log".into(),
                line: 1045,
                text: HOSTILE.into(),
                count: 1,
                time: None,
            },
        ],
        waits_for: None,
    };
    Report {
        schema: SCHEMA.into(),
        bundle: Bundle {
            inputs: vec![InputSummary {
                path: "/home/a/casebook-prod-20240501T120000Z.tar.gz".into(),
                layout: "casebook".into(),
                tool: Some("casebook-collect 0.1.0".into()),
                collected_at: Some("2024-05-01T12:00:00Z".into()),
                stopped: Some("timeout".into()),
                notes: vec![Text::new(
                    "收集超时，缺少部分日志",
                    "stopped by its time limit; some logs are missing",
                )],
            }],
            cluster: Some(ClusterSummary { name: Some("prod".into()), version: Some("v1.20.2".into()) }),
            collected_at: Some("2024-05-01T12:00:00Z".into()),
            texts: 120,
            text_bytes: 4_500_000,
            objects: [("pods".to_owned(), 32), ("nodes".to_owned(), 3)].into(),
            pods: [("Ready".to_owned(), 30), ("Pending".to_owned(), 2)].into(),
            nodes: [("Ready".to_owned(), 3)].into(),
            releases: [("deployed".to_owned(), 8), ("pending-upgrade".to_owned(), 1)].into(),
            clocks: vec![Clock { clock: "node/n2".into(), skew_ms: -62_300, error_ms: 400 }],
        },
        findings: vec![first, hostile],
        earlier: vec![bygone],
        unresolved: vec![Unresolved {
            case: "consul-no-private-ip".into(),
            section: "blueking/install-bkce".into(),
            title: Text::new("consul 找不到私有地址", "consul finds no private address"),
            missing: vec![Missing {
                evidence: "log".into(),
                source: "logs of shop/consul-*".into(),
                outcome: Some("forbidden".into()),
            }],
            asks: vec![Ask {
                text: Text::new("收集 consul 的日志", "Collect the logs of consul"),
                command: Some("casebook-collect --only logs/shop/consul".into()),
            }],
        }],
        triage: Triage {
            groups: vec![Group {
                cause: Cause { kind: CauseKind::Dependency, name: "db.example.com".into() },
                title: Text::new(
                    "日志显示无法访问 db.example.com（2 个对象）",
                    "logs say that db.example.com cannot be reached (2 objects)",
                ),
                severity: Severity::Error,
                problems: vec![problem("web-0"), problem("web-1")],
                edges: vec![Edge {
                    from: subject("Pod", "web-0"),
                    to: subject("Host", "db.example.com"),
                    relation: Relation::Calls,
                }],
                cases: Vec::new(),
                explained: false,
                command: Some("kubectl logs -n shop web-0 -c main --tail=100 --previous".into()),
            }],
            texts: Vec::new(),
        },
        readings: Vec::new(),
        ledger: Ledger {
            items: 120,
            outcomes: [("collected".to_owned(), 118), ("forbidden".to_owned(), 2)].into(),
            missing: ["a", "b"]
                .map(|pod| MissingItem {
                    outcome: "forbidden".into(),
                    path: format!("cluster-resources/pods/logs/shop/{pod}/main.log"),
                    source: "GET /api/v1/namespaces/shop/pods".into(),
                    note: Some("pods is forbidden: User \"reader\" cannot list resource".into()),
                    missing_bytes: None,
                })
                .into(),
            masked: [("password".to_owned(), 4)].into(),
        },
    }
}

fn dates() -> Dates {
    Dates { zone: TimeZone::fixed(jiff::tz::offset(8)) }
}

fn post(lang: Lang, max_chars: usize) -> String {
    markdown::render(&sample(), &markdown::Options { lang, max_chars, dates: dates(), all: false })
}

fn terminal(lang: Lang, width: usize, color: bool) -> String {
    text::render(&sample(), &text::Options { lang, width, color, dates: dates(), all: false })
}

#[test]
fn markdown_in_both_languages() {
    insta::assert_snapshot!("markdown_zh", post(Lang::Zh, markdown::POST));
    insta::assert_snapshot!("markdown_en", post(Lang::En, markdown::POST));
}

#[test]
fn terminal_text_in_both_languages() {
    insta::assert_snapshot!("text_zh", terminal(Lang::Zh, 80, false));
    insta::assert_snapshot!("text_en", terminal(Lang::En, 80, true));
}

#[test]
fn json_in_one_language() {
    insta::assert_snapshot!("json_en", json::render(&sample(), Lang::En));
}

#[test]
fn the_json_top_level_is_the_contract() {
    let value: serde_json::Value = serde_json::from_str(&json::render(&sample(), Lang::Zh)).unwrap();
    let names: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["schema", "bundle", "findings", "earlier", "unresolved", "triage", "readings", "ledger"]
    );
    assert_eq!(value["schema"], "casebook.report/v1");
    assert_eq!(value["findings"][0]["title"], "Helm release 停留在 pending 状态");
}

#[test]
fn no_format_lets_control_characters_through() {
    for text in [post(Lang::Zh, markdown::POST), terminal(Lang::Zh, 80, false)] {
        assert!(!text.contains(['\x1b', '\u{202e}']), "{text}");
        assert!(text.contains("\\u{1b}") && text.contains("\\u{202e}"));
    }
}

#[test]
fn a_post_keeps_its_limit_and_says_what_it_left_out() {
    let whole = post(Lang::En, markdown::POST);
    for limit in [400, 1_000, 2_000, 4_000] {
        let cut = post(Lang::En, limit);
        assert!(cut.chars().count() <= limit, "{} > {limit}", cut.chars().count());
        assert!(cut.contains("Shortened from the bottom"), "{cut}");
        assert!(whole.starts_with(cut.split("*(Shortened").next().unwrap()));
        assert_eq!(cut.matches("\n```").count() % 2, 0, "an open fence: {cut}");
    }
}

#[test]
fn terminal_lines_keep_to_the_width() {
    use unicode_width::UnicodeWidthStr;
    for width in [40, 80] {
        let text = terminal(Lang::Zh, width, false);
        let commands = ["helm ", "kubectl ", "casebook-collect ", "x ```"];
        for line in text.lines().filter(|line| !commands.iter().any(|c| line.trim_start().starts_with(c))) {
            assert!(line.width() <= width, "{line}");
        }
    }
}

/// A CommonMark engine must see no element that the report did not mean, whatever the log holds.
#[test]
fn commonmark_renders_hostile_text_as_text() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    for lang in [Lang::Zh, Lang::En] {
        let post = post(lang, markdown::POST);
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
        let (mut headings, mut tables, mut links) = (0, 0, Vec::new());
        for event in Parser::new_ext(&post, options) {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => panic!("raw HTML: {html}"),
                Event::Start(Tag::Image { .. }) => panic!("an image in {post}"),
                Event::Start(Tag::Strikethrough) => panic!("struck text in {post}"),
                Event::Start(Tag::Heading { .. }) => headings += 1,
                Event::Start(Tag::Table(_)) => tables += 1,
                Event::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.to_string()),
                _ => {}
            }
        }
        assert_eq!(headings, 8, "{post}");
        assert_eq!(tables, 1, "{post}");
        links.dedup();
        assert_eq!(links, ["https://helm.sh/docs/helm/helm_rollback/"]);
    }
}

/// Two rules: one of which the sample has a finding, and one that is silent.
fn rules() -> RuleSet {
    let silent = r#"
id: all-quiet
title: {zh: 一切正常, en: All is quiet}
status: stable
severity: warning
cause_class: environment
since: 0.1.0
evidence:
  message: {in: [texts], text: 'not quiet'}
verdict: {confirmed: message}
outcomes:
  - conclusion: {zh: "节点 {{ rows.message | map(attribute='node') | join('、') }} 不正常。", en: "Not quiet on {{ rows.message | map(attribute='node') | join(', ') }}."}
    fix:
      - text: {zh: 重启, en: 'Restart [it] {now}'}
        commands: ['systemctl restart {{ message.unit }}']
        destructive: true
references: ['https://example.com/quiet']
"#;
    let text = |id: &str, yaml: String| RuleText {
        path: format!("rules/blueking/install-bkce/{id}.yaml"),
        section: "blueking/install-bkce".into(),
        yaml,
    };
    let found = silent.replace("all-quiet", "helm-another-operation").replace("warning", "error");
    RuleSet::compile(&[text("all-quiet", silent.to_owned()), text("helm-another-operation", found)]).unwrap()
}

#[test]
fn junit_in_one_language() {
    insta::assert_snapshot!("junit_en", junit::render(&sample(), &rules(), Lang::En, &dates()));
}

#[test]
fn junit_is_xml_whatever_a_log_holds() {
    let mut report = sample();
    // Control characters and non-characters have no place in XML, not even as references.
    report.findings[0].title = Text::same("a\u{0}\u{b}\u{ffff}]]>&\"<b");
    report.triage.groups[0].cause.name = "x\u{1b}\"<".into();
    let xml = junit::render(&report, &rules(), Lang::Zh, &dates());
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let cases: Vec<_> = parsed.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let count = |tag: &str| cases.iter().filter(|case| case.children().any(|c| c.has_tag_name(tag))).count();
    assert_eq!((cases.len(), count("failure"), count("skipped")), (6, 4, 1));
    let sum = |attribute: &str| parsed.root_element().attribute(attribute).map(str::parse);
    assert_eq!((sum("tests"), sum("failures"), sum("skipped")), (Some(Ok(6)), Some(Ok(4)), Some(Ok(1))));
    let message = parsed.descendants().find_map(|node| node.attribute("message")?.strip_prefix('a'));
    assert_eq!(message.map(|text| text.replace("\\u{ffff}", "")).as_deref(), Some("\\u{0}\\u{b}]]>&\"<b"));
    let hostile = parsed.descendants().filter_map(|node| node.text()).any(|text| text.contains("<script>"));
    assert!(hostile, "quoted as it is: {xml}");
}

#[test]
fn a_case_that_needs_more_is_skipped_and_one_of_no_weight_passes() {
    let mut report = sample();
    report.findings[0].verdict = Verdict::NeedMore;
    report.findings[1].severity = Severity::Info;
    report.findings[0].explains.clear();
    report.triage.groups.clear();
    let xml = junit::render(&report, &rules(), Lang::En, &dates());
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let has = |name: &str, tag: &str| {
        let case = parsed.descendants().find(|node| node.attribute("name") == Some(name)).unwrap();
        case.children().any(|child| child.has_tag_name(tag))
    };
    assert!(has("helm-another-operation", "skipped") && has("hostile-log", "system-out"), "{xml}");
    assert_eq!(parsed.root_element().attribute("failures"), Some("0"));
}

fn sarif_run(report: &Report) -> serde_json::Value {
    let log: serde_json::Value =
        serde_json::from_str(&sarif::render(report, &rules(), Lang::En, &dates())).unwrap();
    log["runs"][0].clone()
}

#[test]
fn sarif_in_one_language() {
    let text = sarif::render(&sample(), &rules(), Lang::En, &dates());
    insta::assert_snapshot!("sarif_en", text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn sarif_results_point_at_their_rule_and_their_lines() {
    let run = sarif_run(&sample());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4, "the findings, what one explains, and a group without a case");
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64() > Some(0), "{place}");
        assert_eq!(place["artifactLocation"]["uriBaseId"], "BUNDLE");
    }
    assert!(rules.iter().any(|rule| rule["id"] == "all-quiet"), "a rule that was tried and is silent");
}

#[test]
fn sarif_leaves_open_what_cannot_be_decided() {
    let mut report = sample();
    report.findings[0].verdict = Verdict::NeedMore;
    let result = sarif_run(&report)["results"][0].clone();
    assert_eq!((&result["kind"], &result["level"]), (&"open".into(), &"none".into()));
}

#[test]
fn sarif_knows_an_object_again_in_the_next_bundle() {
    let print = |pod: &str| {
        let mut report = sample();
        report.findings[0].subjects = vec![subject("Pod", pod)];
        sarif_run(&report)["results"][0]["partialFingerprints"].clone()
    };
    assert_eq!(print("web-6c56d8c5f9-9c9tg"), print("web-7d67445b47-44pbj"));
    assert_ne!(print("web-6c56d8c5f9-9c9tg"), print("db-7d67445b47-44pbj"));
}

#[test]
fn what_waits_is_told_once_beneath_its_cause() {
    let mut report = sample();
    let on = subject("Pod", "web-0");
    let wait = crate::triage::model::Wait {
        on: on.clone(),
        relation: Relation::Calls,
        through: Some(subject("Service", "web")),
    };
    let group = &mut report.triage.groups[0];
    group.problems[1].waits_for = Some(wait);
    report.findings[1].waits_for = Some(Link { subject: on, state: "CrashLoopBackOff".into() });
    for (lang, waits, finding) in [
        (
            Lang::En,
            "waits for Pod shop/web-0 (through Service shop/web)",
            "It waits for Pod shop/web-0 (CrashLoopBackOff)",
        ),
        (
            Lang::Zh,
            "在等 Pod shop/web-0（经由 Service shop/web）",
            "它在等 Pod shop/web-0（CrashLoopBackOff）",
        ),
    ] {
        let options = markdown::Options { lang, max_chars: markdown::POST, dates: dates(), all: false };
        let post = markdown::render(&report, &options).replace('`', "");
        let options = text::Options { lang, width: 200, color: false, dates: dates(), all: false };
        for told in [post, text::render(&report, &options)] {
            assert_eq!(told.matches(waits).count(), 1, "{told}");
            assert_eq!(told.matches(finding).count(), 1, "{told}");
        }
    }
    let json: serde_json::Value = serde_json::from_str(&json::render(&report, Lang::En)).unwrap();
    let problem = &json["triage"]["groups"][0]["problems"][1];
    assert_eq!(problem["waits_for"]["on"]["name"], "web-0");
    assert_eq!(problem["waits_for"]["through"]["kind"], "Service");
}
