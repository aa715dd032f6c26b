//! What `helm history RELEASE` prints.
//!
//! helm pads every cell, the last one too, to the width of its column and puts a tab between cells. A cell of several
//! lines is as wide as its longest line, and is then cut to that width with `...` (seen with helm 3.17).

use unicode_width::UnicodeWidthChar;

use super::Release;
use crate::time::Stamp;

const HEADER: [&str; 6] = ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"];

/// helm's own default of `--max`: only the newest revisions are printed.
const MAX_REVISIONS: usize = 256;

/// The table for the revisions of one release, in whatever order they come; with the final newline.
pub fn history_table(revisions: &[Release]) -> String {
    // What helm cannot decode it passes over, too.
    let mut sorted: Vec<&Release> = revisions.iter().filter(|release| release.unreadable.is_none()).collect();
    sorted.sort_by_key(|release| release.revision);
    let newest = &sorted[sorted.len().saturating_sub(MAX_REVISIONS)..];

    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(newest.iter().map(|release| row(release)));
    let mut widths = [0; HEADER.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(line_width(cell));
        }
    }
    let mut table = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| resize(cell, width)).collect();
        table.push_str(&cells.join("\t"));
        table.push('\n');
    }
    table
}

fn row(release: &Release) -> [String; HEADER.len()] {
    let (chart, app_version) = match &release.chart {
        Some(chart) => (format!("{}-{}", chart.name, chart.version), chart.app_version.clone()),
        None => ("MISSING".to_owned(), "MISSING".to_owned()),
    };
    [
        release.revision.to_string(),
        updated(release.last_deployed.as_deref()),
        release.status.clone(),
        chart,
        app_version,
        release.description.clone(),
    ]
}

/// helm prints the time in the offset in which it was recorded, and Go's zero time where there is none.
fn updated(time: Option<&str>) -> String {
    match time.map(Stamp::parse) {
        None => "Mon Jan  1 00:00:00 0001".to_owned(),
        Some(None) => time.unwrap_or_default().to_owned(),
        Some(Some(stamp)) => stamp.ansi_c(),
    }
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn line_width(cell: &str) -> usize {
    cell.split('\n').map(|line| line.chars().map(char_width).sum()).max().unwrap_or(0)
}

fn resize(cell: &str, width: usize) -> String {
    let own: usize = cell.chars().map(char_width).sum();
    if own <= width {
        return format!("{cell}{}", " ".repeat(width - own));
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in cell.chars() {
        cut.push(c);
        used += char_width(c);
        if used + 3 >= width {
            break;
        }
    }
    cut + "..."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::Chart;

    fn release(revision: i64, status: &str, description: &str) -> Release {
        Release {
            namespace: "blueking".into(),
            name: "bk-hk".into(),
            revision,
            status: status.into(),
            chart: Some(Chart { name: "bk-demo".into(), version: "0.1.0".into(), app_version: "1.0".into() }),
            first_deployed: None,
            last_deployed: Some("2026-11-02T16:51:35.123+08:00".into()),
            description: description.into(),
            unreadable: None,
        }
    }

    /// The lines are those of helm 3.17.2 for a release whose upgrade hook timed out; the time is another one.
    #[test]
    fn prints_padded_columns_and_cuts_a_description_of_several_lines() {
        let hook = "Upgrade \"bk-hk\" failed: pre-upgrade hooks failed: 1 error occurred:\n\t* timed out waiting for the condition\n\n";
        let revisions = [release(2, "failed", hook), release(1, "deployed", "Install complete")];
        let lines: Vec<String> = history_table(&revisions).lines().map(str::to_owned).collect();
        assert_eq!(
            lines[0],
            format!(
                "REVISION\t{:24}\tSTATUS  \t{:13}\tAPP VERSION\t{:67}",
                "UPDATED", "CHART", "DESCRIPTION"
            )
        );
        assert_eq!(
            lines[1],
            format!(
                "1       \tMon Nov  2 16:51:35 2026\tdeployed\tbk-demo-0.1.0\t1.0        \t{:67}",
                "Install complete"
            )
        );
        assert_eq!(
            lines[2],
            "2       \tMon Nov  2 16:51:35 2026\tfailed  \tbk-demo-0.1.0\t1.0        \tUpgrade \"bk-hk\" failed: pre-upgrade hooks failed: 1 error occurr..."
        );
    }

    #[test]
    fn a_record_without_chart_or_time_is_still_a_row() {
        let bare = Release { chart: None, last_deployed: None, ..release(7, "unknown", "") };
        let table = history_table(&[bare]);
        assert!(table.contains("7       \tMon Jan  1 00:00:00 0001\tunknown\tMISSING\tMISSING"), "{table}");
    }
}
