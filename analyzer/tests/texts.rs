//! One terminal, saved in all the ways in which people save theirs: the same pods, logs and releases are found in all of
//! them, on the lines where the user sees them.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use analyzer::intake;
use analyzer::snapshot::{Snapshot, TextKind};
use encoding_rs::GB18030;
use serde_json::json;

const PROMPT: &str = "[root@bk-control ~]# ";

fn scroll(prompt: &str) -> String {
    format!(
        "\
{prompt}kubectl get pods -n a
NAME      READY   STATUS             RESTARTS      AGE
web-0     0/1     CrashLoopBackOff   5 (3m ago)    2d
{prompt}kubectl logs -n a web-0 -p --tail=20
nginx: [emerg] bind() to 0.0.0.0:80 failed
{prompt}helm history bk-paas -n a -o json
[{{\"revision\":2,\"updated\":\"2026-11-22T08:00:00+08:00\",\"status\":\"failed\",\"chart\":\"bk-paas-1.0.0\",\"app_version\":\"1\",\"description\":\"x\"}}]
{prompt}
"
    )
}

fn read(bytes: &[u8]) -> Snapshot {
    intake::from_files(vec![("texts/saved.txt".to_owned(), bytes.to_vec())], Vec::new())
}

#[track_caller]
fn tells(bytes: &[u8], what: &str) {
    let read = read(bytes);
    let pods = read.objects.of("pods");
    assert_eq!(pods.len(), 1, "{what}: {:?}", read.objects);
    assert_eq!((pods[0].name(), pods[0].namespace(), pods[0].line), (Some("web-0"), Some("a"), 3), "{what}");
    assert!(read.files[0].line(3).unwrap().contains("CrashLoopBackOff"), "{what}");
    let status = &pods[0].value["status"]["containerStatuses"][0];
    assert_eq!(
        (&status["state"]["waiting"]["reason"], &status["restartCount"]),
        (&json!("CrashLoopBackOff"), &json!(5))
    );
    let log: Vec<_> = read.texts.iter().filter(|text| text.kind == TextKind::Log).collect();
    assert_eq!(log.len(), 1, "{what}");
    assert_eq!(
        (log[0].pod.as_deref(), log[0].previous, log[0].has_head),
        (Some("web-0"), true, false),
        "{what}"
    );
    let lines = read.files[0].text[log[0].range.clone()].trim_end();
    assert!(lines.contains("[emerg]") && lines.lines().count() == 1, "{what}: {lines}");
    let releases = read.objects.of("helm.releases");
    assert_eq!((releases.len(), releases[0].name(), releases[0].line), (1, Some("bk-paas"), 7), "{what}");
    assert_eq!(releases[0].value["status"], "failed", "{what}");
}

#[test]
fn the_prompts_of_all_shells_part_commands() {
    for prompt in [
        "root@bk-control:~# ",
        "[root@bk ~]$ ",
        "PS C:\\Users\\me> ",
        "PS /home/me> ",
        "C:\\Users\\me>",
        "$ ",
        "# ",
        "➜  ~ ",
        "➜  bk git:(main) ✗ ",
        "(⎈ |kind-kind:default)➜  ~ ",
        "λ ",
        "❯ ",
        "╰─# ",
        "└─$ ",
        "-> ",
        "me@MacBook-Pro ~ % ",
        "me@host ~/bk> ",
        "bash-5.2$ ",
        "sh-4.4# ",
        "/ # ",
        "/app $ ",
        "~/bk> ",
        "bk01:/data # ",
        "MacBook-Pro:bk me$ ",
        "[⎈ |prod:blueking] root@bk:~# ",
        "[10:15:32] root@bk:~# ",
        "2026-11-30 10:15:32 [root@bk-control ~]# ",
        "[root@bk-control:/data]# ",
    ] {
        tells(scroll(prompt).as_bytes(), prompt);
    }
}

#[test]
fn encodings_and_line_ends_do_not_matter() {
    let text = scroll(PROMPT);
    let crlf = text.replace('\n', "\r\n");
    let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    tells(crlf.as_bytes(), "CRLF");
    tells(text.replace('\n', "\r").as_bytes(), "CR");
    tells(&[b"\xff\xfe".as_slice(), &le(&crlf)].concat(), "UTF-16 as PowerShell writes it");
    tells(&[b"\xfe\xff".as_slice(), &be(&text)].concat(), "UTF-16, the other way");
    tells(&le(&crlf), "UTF-16 without a mark");
    tells(&GB18030.encode(&text.replace("bind()", "绑定 bind()")).0, "GBK");
}

#[test]
fn what_terminals_and_posts_add_comes_off() {
    let text = scroll(PROMPT);
    let each = |line: &dyn Fn(&str) -> String| text.lines().map(|text| line(text) + "\n").collect::<String>();
    tells(each(&|line| format!("> {line}")).as_bytes(), "quoted");
    tells(each(&|line| format!("    {line}")).as_bytes(), "set in");
    tells(each(&|line| format!("│{line:<100}│")).as_bytes(), "a pane");
    tells(each(&|line| format!("[2026-11-30 10:15:32] {line}")).as_bytes(), "with times");
    let colours = text
        .replace("CrashLoopBackOff", "\u{1b}[01;31m\u{1b}[KCrashLoopBackOff\u{1b}[m\u{1b}[K")
        .replace(PROMPT, "\u{1b}]0;root@bk\u{7}\u{1b}[?2004h\u{1b}[01;32m[root@bk-control ~]#\u{1b}[00m ")
        .replace("NAME  ", "\u{1b}[?2004l\rNAME  ");
    tells(colours.as_bytes(), "colours");
    let typed = text.replace("kubectl logs", "kubetcl\u{8} \u{8}\u{8} \u{8}\u{8} \u{8}ctl logs");
    tells(typed.as_bytes(), "typed over");
}

#[test]
fn documents_of_helm_are_read_whatever_the_command_was() {
    let status = json!({"name": "bk", "namespace": "a", "version": 3, "manifest": "kind: Service\n", "config": {},
        "info": {"first_deployed": "2026-11-22T08:00:00Z", "last_deployed": "2026-11-22T08:00:00Z", "status": "pending-upgrade"}});
    let list = json!([{"name": "bk", "namespace": "a", "revision": "3", "updated": "2026-11-22 08:00:00 +0800 CST",
        "status": "pending-upgrade", "chart": "bk-1.0.0", "app_version": "1"}]);
    let yaml = "- app_version: \"1\"\n  chart: bk-1.0.0\n  name: bk\n  namespace: a\n  revision: \"3\"\n  status: pending-upgrade\n  updated: x\n";
    for text in [
        status.to_string(),
        serde_json::to_string_pretty(&status).unwrap(),
        list.to_string(),
        serde_json::to_string_pretty(&list).unwrap(),
        yaml.to_owned(),
    ] {
        let read = read(text.as_bytes());
        let [release] = read.objects.of("helm.releases") else { panic!("{text}: {:?}", read.objects) };
        assert_eq!((release.name(), release.namespace()), (Some("bk"), Some("a")), "{text}");
        assert_eq!(
            (&release.value["revision"], &release.value["status"]),
            (&3.into(), &"pending-upgrade".into())
        );
    }
    // Lines of a log are no releases, however alike.
    assert_eq!(read(b"{\"level\":\"info\",\"status\":\"failed\"}\n").objects.of("helm.releases").len(), 0);
}
