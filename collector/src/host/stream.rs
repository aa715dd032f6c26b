//! Items of a host on their way through a connection: what `casebook-collect host --stream` writes on a node and what
//! the collecting machine reads.
//!
//! A first line names format, time and machine; then, for each item, one line of JSON and the bytes it announces; at
//! the end a line that says so. Whatever stands before the first line is the greeting of some profile and skipped.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::bundle::manifest::Outcome;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::HostItem;

const FIRST: &str = "casebook-host-stream 1 ";
/// Longest line of a header or greeting.
const LINE_LIMIT: u64 = 64 * 1024;
/// Largest item, and largest sum of items, that is accepted from a host.
const ITEM_LIMIT: u64 = 16 << 20;
const SUM_LIMIT: u64 = 64 << 20;
/// Lines of greeting that are skipped.
const GREETING_LIMIT: usize = 1000;

/// What stands before an item's bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Header {
    Item {
        /// Name inside the host's folder.
        file: String,
        bytes: u64,
        outcome: Outcome,
        source: String,
        note: Option<String>,
        started: Timestamp,
        millis: u64,
    },
    End,
}

/// The first line: who speaks, and what time it is there now.
#[derive(Debug, Clone, PartialEq)]
pub struct Greeting {
    pub time: Timestamp,
    pub machine: String,
}

#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("the connection broke off: {0}")]
    Io(#[from] io::Error),
    #[error("the connection ended before the last item")]
    CutOff,
    #[error("what the host sent is not understood: {0}")]
    Malformed(String),
    #[error("the host sent more than {} MiB", .0 >> 20)]
    TooLarge(u64),
}

/// Writes the first line. The time is read here, as late as can be.
pub fn write_greeting(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{FIRST}{} {}", Timestamp::now(), super::own_name())?;
    out.flush()
}

pub fn write_item(out: &mut impl Write, item: &HostItem) -> io::Result<()> {
    let header = Header::Item {
        file: item.path.rsplit('/').next().unwrap_or_default().to_owned(),
        bytes: item.bytes.len() as u64,
        outcome: item.outcome,
        source: item.source.clone(),
        note: item.note.clone(),
        started: item.started,
        millis: item.millis,
    };
    write_header(out, &header)?;
    out.write_all(&item.bytes)?;
    out.flush()
}

pub fn write_end(out: &mut impl Write) -> io::Result<()> {
    write_header(out, &Header::End)?;
    out.flush()
}

fn write_header(out: &mut impl Write, header: &Header) -> io::Result<()> {
    serde_json::to_writer(&mut *out, header)?;
    out.write_all(b"\n")
}

/// Reads what a host sends. Paths are made here; the host only names files.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    left: u64,
}

impl<R: AsyncBufRead + Unpin> Reader<R> {
    pub fn new(source: R) -> Self {
        Self { source, left: SUM_LIMIT }
    }

    /// One line without its break; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or the line has no end within bounds.
    pub async fn line(&mut self) -> Result<Option<String>, StreamError> {
        let mut line = Vec::new();
        (&mut self.source).take(LINE_LIMIT).read_until(b'\n', &mut line).await?;
        match line.pop() {
            Some(b'\n') => Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())),
            Some(_) if line.len() as u64 + 1 == LINE_LIMIT => {
                Err(StreamError::Malformed("a line without end".into()))
            }
            Some(_) => Err(StreamError::CutOff),
            None => Ok(None),
        }
    }

    /// The first line, behind whatever a profile printed.
    ///
    /// # Errors
    /// As for [`Self::line`], or when there is no such line.
    pub async fn greeting(&mut self) -> Result<Greeting, StreamError> {
        for _ in 0..GREETING_LIMIT {
            let Some(line) = self.line().await? else { break };
            if let Some((time, machine)) = line.strip_prefix(FIRST).and_then(|rest| rest.split_once(' ')) {
                let time =
                    time.parse().map_err(|error| StreamError::Malformed(format!("{time}: {error}")))?;
                return Ok(Greeting { time, machine: machine.to_owned() });
            }
        }
        Err(StreamError::CutOff)
    }

    /// Everything up to the end as text, and when its first line came.
    ///
    /// # Errors
    /// When the connection breaks or more than `limit` bytes come.
    pub async fn text(&mut self, limit: u64) -> Result<(String, Option<Timestamp>), StreamError> {
        let mut bytes = Vec::new();
        (&mut self.source).take(LINE_LIMIT).read_until(b'\n', &mut bytes).await?;
        let first = (!bytes.is_empty()).then(Timestamp::now);
        (&mut self.source).take(limit).read_to_end(&mut bytes).await?;
        if bytes.len() as u64 > limit {
            return Err(StreamError::TooLarge(limit));
        }
        Ok((String::from_utf8_lossy(&bytes).into_owned(), first))
    }

    /// The next item, below `folder`; `None` after the last.
    ///
    /// # Errors
    /// When the connection ends too early, or what comes is malformed or too much.
    pub async fn item(&mut self, folder: &str) -> Result<Option<HostItem>, StreamError> {
        let line = self.line().await?.ok_or(StreamError::CutOff)?;
        let header: Header =
            serde_json::from_str(&line).map_err(|error| StreamError::Malformed(error.to_string()))?;
        let Header::Item { file, bytes, outcome, source, note, started, millis } = header else {
            return Ok(None);
        };
        if bytes > ITEM_LIMIT.min(self.left) {
            return Err(StreamError::TooLarge(ITEM_LIMIT.min(self.left)));
        }
        self.left -= bytes;
        let mut content = Vec::new();
        (&mut self.source).take(bytes).read_to_end(&mut content).await?;
        if (content.len() as u64) < bytes {
            return Err(StreamError::CutOff);
        }
        let path = format!("{folder}/{}", shared::bundle::paths::safe_segment(&file));
        Ok(Some(HostItem { path, bytes: content, outcome, source, note, started, millis }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> HostItem {
        HostItem {
            path: "hosts/node-1/clock.txt".into(),
            bytes: b"{\"end\":null}\nno line break at the end".to_vec(),
            outcome: Outcome::Truncated,
            source: "host probe clock".into(),
            note: Some("half".into()),
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 7,
        }
    }

    fn sent() -> Vec<u8> {
        let mut bytes = b"Welcome to node-1\n".to_vec();
        write_greeting(&mut bytes).unwrap();
        write_item(&mut bytes, &item()).unwrap();
        write_end(&mut bytes).unwrap();
        bytes
    }

    #[tokio::test]
    async fn what_is_written_is_read_behind_a_greeting() {
        let bytes = sent();
        let mut reader = Reader::new(&bytes[..]);
        assert_eq!(reader.greeting().await.unwrap().machine, super::super::own_name());
        assert_eq!(reader.item("hosts/node-1").await.unwrap(), Some(item()));
        assert_eq!(reader.item("hosts/node-1").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_cut_anywhere_is_an_error_and_never_a_whole_stream() {
        let bytes = sent();
        for length in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..length]);
            let whole = match reader.greeting().await {
                Ok(_) => {
                    matches!(reader.item("h").await, Ok(Some(_)))
                        && matches!(reader.item("h").await, Ok(None))
                }
                Err(_) => false,
            };
            assert!(!whole, "cut at {length}");
        }
    }

    #[tokio::test]
    async fn a_host_can_neither_leave_its_folder_nor_send_without_bounds() {
        let mut bytes = Vec::new();
        write_item(&mut bytes, &HostItem { path: "x/..".into(), ..item() }).unwrap();
        let got = Reader::new(&bytes[..]).item("hosts/a").await.unwrap().unwrap();
        assert_eq!(got.path, "hosts/a/_..");
        let text = String::from_utf8(bytes).unwrap().replace("\"bytes\":", "\"bytes\":9");
        let large = text.replacen("\"bytes\":9", "\"bytes\":99999999", 1);
        assert!(matches!(Reader::new(large.as_bytes()).item("a").await, Err(StreamError::TooLarge(_))));
    }
}
