//! The end of a post: what was not collected, and the cluster in one table.

use shared::lang::Lang;

use super::Writer;
use super::quote::{cell_code, code, code_ends, plain};
use super::{QUOTE, words};
use crate::report::earlier;

impl Writer<'_> {
    pub(super) fn earlier(&mut self) {
        if self.report.earlier.is_empty() {
            return;
        }
        self.pieces.lead(format!("## {}", self.pick(earlier::HEADING.0, earlier::HEADING.1)));
        let lines = earlier::lines(self.report, self.lang, self.dates, plain);
        self.pieces.push(lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"));
    }

    pub(super) fn missing(&mut self) {
        let ledger = &self.report.ledger;
        let losses = ledger.losses();
        if losses.is_empty() {
            return;
        }
        self.pieces.lead(format!("## {}", self.pick("没有收集到的内容", "What was not collected")));
        let mut lines: Vec<String> = losses
            .iter()
            .take(10)
            .map(|loss| {
                let note = loss.note.map(|n| format!(" {}", code_ends(n, QUOTE))).unwrap_or_default();
                let first = loss.items.first().map(|item| code(&item.path)).unwrap_or_default();
                let word = words::outcome(loss.word(), self.lang);
                match (self.lang, loss.items.len()) {
                    (Lang::Zh, 1) => format!("- {word}：{first}{note}"),
                    (Lang::Zh, n) => format!("- {word}：{n} 项，例如 {first}{note}"),
                    (Lang::En, 1) => format!("- {word}: {first}{note}"),
                    (Lang::En, n) => format!("- {word}: {n} items, such as {first}{note}"),
                }
            })
            .collect();
        if losses.len() > 10 {
            lines.push(format!("- … {}", losses.len() - 10));
        }
        self.pieces.push(lines.join("\n"));
    }

    pub(super) fn cluster(&mut self) {
        let bundle = &self.report.bundle;
        let mut rows: Vec<(&str, String)> = Vec::new();
        for input in &bundle.inputs {
            let name = input.path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(&input.path);
            let mut what = format!("{} ({})", cell_code(name), plain(&input.layout));
            if let Some(stopped) = &input.stopped {
                what.push_str(&format!(
                    "{}{}",
                    self.pick("，提前结束：", ", stopped early: "),
                    plain(stopped)
                ));
            }
            for note in &input.notes {
                what.push_str(&format!("{}{}", self.pick("；", "; "), self.prose(note).replace('|', "¦")));
            }
            rows.push((self.pick("输入", "Input"), what));
        }
        if let Some(cluster) = &bundle.cluster {
            let words: Vec<String> =
                [&cluster.name, &cluster.version].into_iter().flatten().map(|word| cell_code(word)).collect();
            rows.push((self.pick("集群", "Cluster"), words.join(" ")));
        }
        if let Some(time) = &bundle.collected_at {
            rows.push((self.pick("收集时间", "Collected"), plain(&self.dates.show(time))));
        }
        for (zh, en, counts) in [
            ("节点", "Nodes", &bundle.nodes),
            ("Pod", "Pods", &bundle.pods),
            ("Helm release", "Helm releases", &bundle.releases),
        ] {
            if !counts.is_empty() {
                let words: Vec<String> =
                    counts.iter().map(|(state, n)| format!("{n} {}", plain(state))).collect();
                rows.push((self.pick(zh, en), words.join(", ")));
            }
        }
        for clock in bundle.clocks.iter().filter(|clock| clock.skew_ms.abs() > clock.error_ms.max(2_000)) {
            let skew = words::duration(jiff::SignedDuration::from_millis(clock.skew_ms), self.lang);
            let way =
                if clock.skew_ms > 0 { self.pick("快", "ahead by") } else { self.pick("慢", "behind by") };
            rows.push((self.pick("时钟偏差", "Clock"), format!("{} {way} {skew}", cell_code(&clock.clock))));
        }
        rows.push((
            self.pick("读取文本", "Text read"),
            match self.lang {
                Lang::Zh => format!("{} 段，{}", bundle.texts, words::bytes(bundle.text_bytes)),
                Lang::En => format!("{} pieces, {}", bundle.texts, words::bytes(bundle.text_bytes)),
            },
        ));
        self.pieces.lead(format!("## {}", self.pick("集群概况", "The cluster")));
        let mut table =
            format!("| {} | {} |\n| --- | --- |", self.pick("项目", "Item"), self.pick("内容", "Value"));
        for (name, value) in rows {
            table.push_str(&format!("\n| {name} | {value} |"));
        }
        self.pieces.push(table);
    }
}
