//! The report as JSON: the contract for programs.

use shared::lang::Lang;

use super::Report;

/// Pretty-printed, with a line break at the end; texts in one language.
pub fn render(report: &Report, lang: Lang) -> String {
    let mut json = serde_json::to_string_pretty(&report.in_language(lang))
        .expect("a report holds only strings, numbers, lists and maps with string keys");
    json.push('\n');
    json
}

/// The JSON Schema of what [`render`] prints.
pub fn schema() -> String {
    let mut json =
        serde_json::to_string_pretty(&schemars::schema_for!(Report<String>)).expect("a schema is plain JSON");
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs build on the schema: it changes only when somebody means it. To renew the file after such a change:
    /// `UPDATE_SCHEMA=1 cargo test -p analyzer the_committed_schema`.
    #[test]
    fn the_committed_schema_is_that_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/report.schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, schema()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema());
    }
}
