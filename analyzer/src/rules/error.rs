//! A mistake in a rule file, told with file, line, column and a way out.

use std::fmt;

use super::locate::{Place, Step, locate};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Path of the file as the user can open it.
    pub path: String,
    pub place: Option<Place>,
    pub message: String,
    pub hint: Option<String>,
    /// The line at `place`.
    pub line_text: Option<String>,
}

impl RuleError {
    /// A mistake in the value at `steps` of the file.
    pub fn at(path: &str, yaml: &str, steps: &[Step], message: impl Into<String>) -> RuleError {
        RuleError::at_place(path, yaml, locate(yaml, steps), message)
    }

    pub fn at_place(path: &str, yaml: &str, place: Option<Place>, message: impl Into<String>) -> RuleError {
        let line_text = place
            .and_then(|place| yaml.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?))
            .map(|line| line.chars().take(160).collect());
        RuleError { path: path.to_owned(), place, message: message.into(), hint: None, line_text }
    }

    /// What the YAML reader found.
    pub fn from_yaml(path: &str, yaml: &str, error: &serde_saphyr::Error) -> RuleError {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() });
        let text = error.without_snippet().to_string();
        let message = text.lines().next().unwrap_or("not YAML").trim_end_matches('.').to_owned();
        // The place is told in front; the reader's own way of telling it would say it twice.
        let message = match message.rfind(" at line ") {
            Some(at) => message[..at].trim_end_matches([',', ' ']).to_owned(),
            None => message,
        };
        RuleError::at_place(path, yaml, place, message)
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> RuleError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let (Some(place), Some(line)) = (self.place, &self.line_text) {
            let number = place.line.to_string();
            let before: String = line.chars().take(place.column.saturating_sub(1) as usize).collect();
            let pad: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n  {number} | {line}\n  {:width$} | {pad}^", "", width = number.len())?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleError {}

/// The one of `known` that is nearest to a misspelt name, if any is near.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let close = |candidate: &&str| distance(name, candidate) <= 1 + name.chars().count() / 4;
    known.into_iter().filter(close).min_by_key(|candidate| distance(name, candidate))
}

/// Edits (insert, remove, replace) between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_line() {
        let yaml = "id: a\nverdict:\n  likely: seen &\n";
        let error = RuleError::at("a.yaml", yaml, &["verdict".into(), "likely".into()], "a single `&`")
            .with_hint("write `&&`");
        assert_eq!(
            error.to_string(),
            "a.yaml:3:11: a single `&`\n  3 |   likely: seen &\n    |           ^\n  hint: write `&&`"
        );
    }

    #[test]
    fn a_near_name_is_proposed() {
        assert_eq!(nearest("mesage", ["message", "stuck"]), Some("message"));
        assert_eq!(nearest("zzz", ["message", "stuck"]), None);
    }
}
