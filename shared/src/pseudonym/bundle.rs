//! A finished bundle written again under pseudonyms: items, their paths, and the manifest.
//!
//! It is read three times: for what the formats say of hosts, for what can be recognised by its looks (a domain that
//! the last line names is known for the first then), and to be written. An item goes through in pieces; only tables
//! are held as a whole, for their columns are set anew.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use serde_json::{Value, json};

use super::rewrite::{Counts, Vocabulary, rewrite};
use super::{Kind, Pseudonyms, learn, text};
use crate::bundle::items;
use crate::bundle::manifest::{Manifest, Outcome};
use crate::bundle::paths;
use crate::bundle::writer::{BundleWriter, ItemWriter, Packing, WriteError, Written};
use crate::tables::tabwriter::Tabwriter;

/// Largest table whose columns are set anew.
const MAX_TABLE: u64 = 64 << 20;
/// Key among the manifest's options.
pub const OPTION: &str = "pseudonyms";

pub(super) const README: &str = "
化名：收集时使用了 --pseudonymize，IP、主机名等已替换为形状相同的化名，同一个值的化名处处相同。对照表在收集者手中，
可用 casebook-collect reveal 把答复中的化名还原。
Pseudonyms: addresses and names of hosts are replaced by others of the same shape, the same one everywhere. Who
collected this has the map: `casebook-collect reveal` turns a reply back.
";

/// Why a bundle could not be rewritten.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("cannot read the bundle back: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Pseudonyms {
    /// Learns every name that a bundle holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn learn(&mut self, bundle: &Path, packing: &Packing, manifest: &Manifest) -> io::Result<()> {
        learn::manifest(manifest, self);
        items::visit(bundle, packing, |path, _, data| learn::item(path, data, self))?;
        let (mut counts, mut scratch) = (Counts::default(), Vec::new());
        items::visit(bundle, packing, |_, _, data| {
            text::stretches(data, |stretch| {
                scratch.clear();
                rewrite(stretch, self, false, &mut counts, &mut scratch);
                io::Result::Ok(())
            })
        })
    }

    /// Writes the bundle `from` again as `to` with everything replaced that is known or can be recognised. The
    /// manifest follows.
    ///
    /// # Errors
    /// Nothing is left at `to` then.
    pub fn bundle(
        &mut self,
        (from, to): (&Path, &Path),
        packing: &Packing,
        top_folder: &str,
        manifest: &mut Manifest,
    ) -> Result<Written, BundleError> {
        let mut writer = BundleWriter::create(to, packing.clone(), &self.string(top_folder))?;
        let mut done: BTreeMap<String, Done> = BTreeMap::new();
        let times: BTreeMap<&str, _> =
            manifest.ledger.iter().filter_map(|entry| Some((entry.path.as_str(), entry.started?))).collect();
        items::visit(from, packing, |path, modified, data| {
            if path == paths::MANIFEST {
                return Ok(());
            }
            let modified = times.get(path).copied().unwrap_or(modified);
            let mut item = ItemWriter::new(self.path(path), modified);
            let mut counts = Counts::default();
            self.item(path, data, &mut item, &mut counts)?;
            let item = item.finish();
            let end = match writer.append(&item) {
                Ok(()) => {
                    Done { bytes: item.bytes(), sha256: Some(item.sha256().to_owned()), counts, fault: None }
                }
                // Fails closed: what cannot be written under its new name is not written at all.
                Err(error @ (WriteError::BadPath { .. } | WriteError::Duplicate { .. })) => {
                    Done { bytes: 0, sha256: None, counts, fault: Some(error.to_string()) }
                }
                Err(error) => return Err(BundleError::Write(error)),
            };
            done.insert(path.to_owned(), end);
            Ok(())
        })?;
        self.manifest(manifest, &done);
        Ok(writer.finish(manifest)?)
    }

    fn item(
        &mut self,
        path: &str,
        data: &mut dyn Read,
        item: &mut ItemWriter,
        counts: &mut Counts,
    ) -> Result<(), BundleError> {
        if path.starts_with("tables/") {
            let mut table = String::new();
            if data.take(MAX_TABLE).read_to_string(&mut table).is_ok() && (table.len() as u64) < MAX_TABLE {
                let columns = self.table(&table, counts);
                item.write_all(columns.as_bytes())?;
                return Ok(());
            }
            return Err(io::Error::other(format!("{path}: a table of more than {MAX_TABLE} bytes")).into());
        }
        let align = path.ends_with(".txt");
        let mut out = Vec::new();
        text::stretches(data, |stretch| {
            out.clear();
            rewrite(stretch, self, align, counts, &mut out);
            item.write_all(&out)
        })?;
        if path == paths::README {
            item.write_all(README.as_bytes())?;
        }
        Ok(())
    }

    /// A table as [`crate::tables::wide`] prints it, with its columns set for the new cells.
    fn table(&mut self, text: &str, counts: &mut Counts) -> String {
        let mut cell = |cell: &str| {
            let mut out = Vec::new();
            rewrite(cell.as_bytes(), self, false, counts, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let Some(starts) = columns(text) else { return cell(text) };
        let lines = text.lines().map(|line| {
            let cells = starts.iter().enumerate().map(|(at, start)| {
                let end = starts.get(at + 1).copied();
                let chars = line.chars().skip(*start).take(end.map_or(usize::MAX, |end| end - start));
                cell(chars.collect::<String>().trim_end())
            });
            cells.collect::<Vec<_>>().join("\t")
        });
        let joined = lines.collect::<Vec<_>>().join("\n") + "\n";
        Tabwriter { min_width: 6, padding: 3 }.align(&joined)
    }

    /// A path within a bundle. Each of its segments is a name of its own; `:` of an IPv6 address is `_` in it.
    pub fn path(&mut self, path: &str) -> String {
        let segments = path.split('/').map(|segment| {
            let written = segment.replace('_', ":").parse::<Ipv6Addr>().ok();
            match written.and_then(|ip| self.address(IpAddr::V6(ip), false)) {
                Some(image) => paths::safe_segment(&image.to_string()),
                None => self.string(segment),
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// A text that is there as a whole.
    pub fn string(&mut self, text: &str) -> String {
        let (mut out, mut counts) = (Vec::with_capacity(text.len()), Counts::default());
        rewrite(text.as_bytes(), self, false, &mut counts, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn manifest(&mut self, manifest: &mut Manifest, done: &BTreeMap<String, Done>) {
        for entry in &mut manifest.ledger {
            if let Some(done) = entry.sha256.as_ref().and_then(|_| done.get(&entry.path)) {
                entry.bytes = done.bytes;
                entry.sha256.clone_from(&done.sha256);
                if let Some(fault) = &done.fault {
                    entry.outcome = Outcome::Failed;
                    entry.note = Some(fault.clone());
                }
                for (kind, count) in Kind::ALL.iter().zip(done.counts).filter(|(_, count)| *count > 0) {
                    *entry.redactions.entry(kind.counted_as()).or_default() += count;
                }
            }
            entry.path = self.path(&entry.path);
            entry.source = self.string(&entry.source);
            let subject = &mut entry.subject;
            let parts = [&mut subject.name, &mut subject.node, &mut subject.container, &mut entry.note];
            for part in parts.into_iter().flatten() {
                *part = self.string(part);
            }
        }
        manifest.ledger.sort_by(|a, b| (&a.path, &a.source).cmp(&(&b.path, &b.source)));
        if let Some(cluster) = &mut manifest.cluster {
            cluster.name = self.string(&cluster.name);
            cluster.server = self.string(&cluster.server);
        }
        if let Some(host) = &mut manifest.host {
            *host = self.string(host);
        }
        for clock in &mut manifest.clocks {
            // Behind `node/`; a name that looks like a number of bits must not be taken for one.
            clock.clock = self.path(&clock.clock);
            clock.witness = self.string(&clock.witness);
        }
        for value in manifest.options.values_mut() {
            self.value(value);
        }
        let kinds: Vec<&str> = self.kinds().iter().map(|kind| kind.as_str()).collect();
        manifest.options.insert(OPTION.to_owned(), json!({"kinds": kinds, "key": self.id()}));
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.string(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            _ => {}
        }
    }
}

/// What came of one item.
struct Done {
    bytes: u64,
    sha256: Option<String>,
    counts: Counts,
    fault: Option<String>,
}

/// The characters at which the columns of a table begin, if all its lines keep to them.
fn columns(text: &str) -> Option<Vec<usize>> {
    let header = text.lines().next()?;
    let mut starts = Vec::new();
    let mut blanks = 2;
    for (at, c) in header.chars().enumerate() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        if blanks >= 2 {
            starts.push(at);
        }
        blanks = 0;
    }
    let fits = |line: &str| {
        let chars: Vec<char> = line.chars().collect();
        starts.iter().skip(1).all(|start| chars.get(start - 1).is_none_or(|c| *c == ' '))
    };
    text.lines().all(fits).then_some(starts)
}

#[cfg(test)]
mod tests;
