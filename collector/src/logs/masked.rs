//! A log on its way through the masks into its file.

use shared::bundle::failure::Failure;
use shared::bundle::manifest::Outcome;
use shared::bundle::truncation;
use shared::redact::{RedactError, Redactor, TextMasker};

use super::head_tail::Kept;
use crate::cluster::error::{ApiError, Fault};
use crate::sink::{Draft, Finished};

/// Head, marker and tail through the masks. `missing`: there is a gap, of so many bytes where that is known.
pub fn text_of(
    draft: Draft,
    masks: &Redactor,
    kept: Kept,
    missing: Option<Option<u64>>,
    broken: Option<String>,
) -> Result<Finished, ApiError> {
    let Kept { head, tail, .. } = kept;
    let mut text = Masked::new(draft, masks);
    text.push(&head)?;
    if let Some(missing) = missing {
        if !head.ends_with(b"\n") {
            text.push(b"\n")?;
        }
        text.gap(missing)?;
        text.push(&tail)?;
    }
    text.finish(missing, broken)
}

/// A text on its way through the masks.
pub struct Masked {
    draft: Draft,
    mask: TextMasker,
    out: Vec<u8>,
}

impl Masked {
    pub fn new(draft: Draft, masks: &Redactor) -> Self {
        Self { draft, mask: masks.text(), out: Vec::new() }
    }

    /// Whether nothing came so far.
    pub fn is_empty(&self) -> bool {
        self.draft.is_empty()
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.mask.push(bytes, &mut self.out).map_err(unmasked)?;
        self.draft.push(&self.out);
        self.out.clear();
        Ok(())
    }

    fn gap(&mut self, missing: Option<u64>) -> Result<(), ApiError> {
        self.push(truncation::marker(missing).as_bytes())?;
        self.mask.gap(&mut self.out).map_err(unmasked)
    }

    /// `missing`: there is a gap, of so many bytes where that is known. `broken`: why the rest is not there.
    pub fn finish(
        mut self,
        missing: Option<Option<u64>>,
        broken: Option<String>,
    ) -> Result<Finished, ApiError> {
        let counts = self.mask.finish(&mut self.out).map_err(unmasked)?;
        self.draft.push(&self.out);
        self.draft.redacted(&counts);
        let outcome = match (&missing, &broken) {
            (None, None) if self.draft.is_empty() => Outcome::Empty,
            (None, None) => Outcome::Collected,
            _ => Outcome::Truncated,
        };
        let mut finished = self.draft.finish(outcome, broken);
        finished.entry_mut().missing_bytes = missing.flatten();
        Ok(finished)
    }
}

fn unmasked(reason: RedactError) -> ApiError {
    let words = format!("left out because it could not be masked: {reason}");
    ApiError { failure: Failure::Redaction, ..ApiError::new(Fault::Refused, words) }
}
