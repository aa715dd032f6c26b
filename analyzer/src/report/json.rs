//! The report as JSON: the contract for programs.

use schemars::JsonSchema;
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
    schema_of::<Report<String>>()
}

/// The JSON Schema of a type, pretty-printed with a line break at the end.
pub(crate) fn schema_of<T: JsonSchema>() -> String {
    let mut json = serde_json::to_string_pretty(&schemars::schema_for!(T)).expect("a schema is plain JSON");
    json.push('\n');
    json
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Programs build on the schemas: they change only when somebody means it. To renew the files after such a
    /// change: `UPDATE_SCHEMA=1 cargo test -p analyzer the_committed_schema`.
    pub(crate) fn is_committed(path: &str, schema: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), schema);
    }

    #[test]
    fn the_committed_schema_is_that_of_the_code() {
        is_committed("report/report.schema.json", &schema());
    }
}
