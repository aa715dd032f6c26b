//! The page as bytes; what it does in a browser is tested in a browser.

use serde_json::Value;

use super::*;
use crate::report::tests::sample;
use crate::snapshot::{Input, SourceFile};

/// The sample report with the files it quotes.
fn page() -> String {
    let mut snapshot = Snapshot::default();
    snapshot.inputs.push(Input {
        path: "bundle.tar.gz".into(),
        layout: "casebook".into(),
        manifest: None,
        collected_at: "2024-05-01T12:00:00Z".parse().ok(),
        notes: Vec::new(),
    });
    let log: String =
        (1..=60).map(|n| format!("line {n} </script><script>alert({n})</script>\u{202e}\n")).collect();
    snapshot.files.push(SourceFile::new(
        "cluster-resources/pods/logs/shop/web-0/main.log".into(),
        0,
        log.into(),
    ));
    render(&sample(), &snapshot, Lang::Zh)
}

fn data_of(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn nothing_in_the_data_can_end_its_block() {
    let page = page();
    assert_eq!(page.matches("<script").count(), 2, "the script and the data");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("alert(1)</script>"));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn the_policy_names_the_script_and_style_it_holds() {
    let page = page();
    let between = |start: &str, end: &str| {
        let rest = page.split_once(start).unwrap().1;
        rest.split_once(end).unwrap().0.to_owned()
    };
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "));
    assert!(policy.contains(&format!("script-src 'sha256-{}'", hash(&between("<script>", "</script>")))));
    assert!(policy.contains(&format!("style-src 'sha256-{}'", hash(&between("<style>", "</style>")))));
}

#[test]
fn nothing_in_the_page_is_fetched() {
    let page = page();
    let (code, _) = page.split_once("<script type=\"application/json\"").unwrap();
    for fetch in [
        " src=",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "<link",
        "<img",
        "innerHTML",
        "insertAdjacentHTML",
    ] {
        assert!(!code.contains(fetch), "{fetch}");
    }
}

#[test]
fn lines_around_a_hit_are_there_with_their_numbers() {
    let data = data_of(&page());
    let pieces = &data["context"]["cluster-resources/pods/logs/shop/web-0/main.log"];
    assert_eq!(pieces[0]["from"], 34);
    assert_eq!(pieces[0]["lines"].as_array().unwrap().len(), 17);
    assert!(pieces[0]["lines"][8].as_str().unwrap().starts_with("line 42 "));
}

#[test]
fn an_object_is_shown_with_its_end_and_without_its_neighbours() {
    let mut report = sample();
    let place = &mut report.findings[0].evidence[0];
    (place.path, place.line, place.end_line) = ("pods.json".into(), 2, 2);
    place.pointer = Some("/items/0".into());
    let object = format!("{{\"filler\": \"{}\", \"reason\": \"gone\"}}", "x".repeat(1_500));
    let mut snapshot = Snapshot::default();
    snapshot.files.push(SourceFile::new("pods.json".into(), 0, format!("[\n{object},\n{{}}]\n").into()));
    let data = data_of(&render(&report, &snapshot, Lang::Zh));
    let pieces = &data["context"]["pods.json"];
    assert_eq!((&pieces[0]["from"], pieces[0]["lines"].as_array().unwrap().len()), (&2.into(), 1));
    assert!(pieces[0]["lines"][0].as_str().unwrap().ends_with("\"reason\": \"gone\"},"));
}

#[test]
fn a_reader_without_scripts_gets_the_plain_report() {
    let page = page();
    let (_, rest) = page.split_once("<noscript>").unwrap();
    let plain = rest.split_once("</noscript>").unwrap().0;
    assert!(plain.contains("helm rollback -n shop web 3"));
    assert!(!plain.contains("<script"));
}

#[test]
fn every_word_of_the_page_is_there_in_both_languages() {
    let words = SCRIPTS[0];
    let code = SCRIPTS[1..].concat();
    let said = regex::Regex::new(r"say\('([a-z_]+)'").unwrap();
    for found in said.captures_iter(&code) {
        let key = &found[1];
        assert!(words.contains(&format!("{key}: ['")), "no words for {key}");
    }
    assert!(said.captures_iter(&code).count() > 40);
}
