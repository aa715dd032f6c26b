//! Custom resources, which print what their definition says.

use serde_json::{Value, json};

use super::path::Path;
use super::{Column, Settings};
use crate::objects::{Field, name};
use crate::time::human_duration;

/// A definition may ask for so many columns; the server sets no bound.
const MAX_COLUMNS: usize = 100;

/// The columns of a custom resource, ready to print objects with.
#[derive(Debug, Clone)]
pub struct Printer {
    columns: Vec<(Column, Option<Path>)>,
}

impl Printer {
    /// Reads `additionalPrinterColumns` of the version `version` of a CustomResourceDefinition. One that says nothing
    /// prints the age.
    pub fn new(definition: &Value, version: &str) -> Printer {
        let spec = &definition["spec"];
        let of_version = spec["versions"].items().iter().find(|found| found["name"] == version);
        let columns = of_version
            .map(|version| &version["additionalPrinterColumns"])
            .filter(|columns| columns.is_array())
            // Definitions of v1beta1 may have one set for all versions.
            .unwrap_or(&spec["additionalPrinterColumns"]);
        Printer::with(columns)
    }

    /// Of a resource whose definition is not known.
    pub fn plain() -> Printer {
        Printer::with(&Value::Null)
    }

    fn with(columns: &Value) -> Printer {
        let age = [json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})];
        let columns = if columns.items().is_empty() { &age } else { columns.items() };
        let columns = columns.iter().take(MAX_COLUMNS).map(|column| {
            let path = column["jsonPath"].as_str().or_else(|| column["JSONPath"].as_str());
            let defined = Column {
                name: column["name"].text().to_owned(),
                kind: column["type"].text().to_owned(),
                format: column["format"].text().to_owned(),
                priority: column["priority"].int(),
                description: column["description"].text().to_owned(),
            };
            (defined, path.and_then(Path::parse))
        });
        Printer { columns: columns.collect() }
    }

    pub fn columns(&self) -> Vec<Column> {
        std::iter::once(Column::of_names())
            .chain(self.columns.iter().map(|(column, _)| column.clone()))
            .collect()
    }

    pub fn cells(&self, object: &Value, settings: Settings) -> Vec<Value> {
        let cells = self.columns.iter().map(|(column, path)| {
            let found = path.as_ref().and_then(|path| path.first(object));
            found.map_or(Value::Null, |found| cell(&column.kind, found, settings))
        });
        std::iter::once(name(object).into()).chain(cells).collect()
    }
}

/// A value of the type that its column has; null if it is of another.
fn cell(kind: &str, value: &Value, settings: Settings) -> Value {
    match (kind, value) {
        ("string", Value::Null) => Value::Null,
        ("string", value) => value.scalar().into(),
        // A fraction is cut off.
        ("integer", Value::Number(number)) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|number| number as i64))
            .map_or(Value::Null, Value::from),
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => match text.parse::<jiff::Timestamp>() {
            Ok(time) => human_duration(settings.now.duration_since(time)).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Value::Null,
    }
}
