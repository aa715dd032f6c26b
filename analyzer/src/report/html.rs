//! The report as one HTML file that needs nothing else.
//!
//! The file holds a short script and the data it draws, as a JSON block. All text reaches the page as text nodes, so
//! nothing in a log can become markup; the content security policy allows exactly this script and this style by
//! their hashes and nothing from elsewhere. A reader without scripts gets the Markdown report instead.

mod board;
mod context;
mod cost;
mod page;
mod timeline;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::lang::Lang;

use super::escape::visible;
use super::words::Dates;
use super::{Report, markdown};
use crate::snapshot::Snapshot;

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
/// In the order of use; one scope.
const SCRIPTS: &[&str] = &[
    include_str!("html/script/words.js"),
    include_str!("html/script/dom.js"),
    include_str!("html/script/findings.js"),
    include_str!("html/script/board.js"),
    include_str!("html/script/graph.js"),
    include_str!("html/script/timeline.js"),
    include_str!("html/script/tables.js"),
    include_str!("html/script/main.js"),
];

/// The whole page; `lang` is the language it opens in.
pub fn render(report: &Report, snapshot: &Snapshot, lang: Lang) -> String {
    let script = SCRIPTS.join("\n");
    let plain = markdown::render(
        report,
        &markdown::Options { lang, max_chars: markdown::POST, dates: Dates::utc(), all: true },
    );
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(STYLE)
    );
    let title = super::words::pick(lang, "诊断报告", "Diagnosis");
    // The data goes in last: nothing in it is looked at as a place for something else.
    [
        ("{{lang}}", super::words::pick(lang, "zh-CN", "en")),
        ("{{title}}", title),
        ("{{policy}}", &policy),
        ("{{style}}", STYLE),
        ("{{plain}}", &text(&plain)),
        ("{{script}}", &script),
        ("{{data}}", &data(report, snapshot, lang)),
    ]
    .iter()
    .fold(Vec::from([TEMPLATE.to_owned()]), |mut parts, (mark, value)| {
        let rest = parts.pop().unwrap_or_default();
        let (before, after) = rest.split_once(mark).expect("the template has each mark once, in this order");
        parts.extend([before.to_owned(), (*value).to_owned(), after.to_owned()]);
        parts
    })
    .concat()
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}

/// Text for an HTML element.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What the script draws, as JSON that cannot end its block.
fn data(report: &Report, snapshot: &Snapshot, lang: Lang) -> String {
    let mut value = serde_json::to_value(page::Page::new(report, snapshot, lang))
        .expect("a page holds only strings, numbers, lists and maps with string keys");
    show(&mut value);
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Writes out unseen characters in every string, as every other format does.
fn show(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(shown) = visible(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(show),
        Value::Object(fields) => fields.values_mut().for_each(show),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
