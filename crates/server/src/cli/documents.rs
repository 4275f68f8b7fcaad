//! YAML and JSON documents from files or standard input.

use std::io::{IsTerminal, Read};
use std::path::Path;

use serde_json::Value;

use super::Failure;

/// Most bytes of one file.
const MAX_BYTES: u64 = 64 << 20;

/// What output looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For both
    Yaml,
}

impl Format {
    /// The format that was asked for; else a table on a terminal and JSON elsewhere.
    pub(super) fn or_default(asked: Option<Self>) -> Self {
        asked.unwrap_or_else(|| {
            if std::io::stdout().is_terminal() {
                Self::Table
            } else {
                Self::Json
            }
        })
    }
}

/// The text of a file, or of standard input for `-` and for none.
pub(super) fn read(path: Option<&Path>) -> Result<String, Failure> {
    let mut text = String::new();
    let (name, outcome) = match path.filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let outcome = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
            (path.display().to_string(), outcome)
        }
        None => {
            let outcome = std::io::stdin().take(MAX_BYTES).read_to_string(&mut text);
            ("standard input".to_owned(), outcome)
        }
    };
    match outcome {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Usage(format!("cannot read {name}: {error}"))),
    }
}

/// The documents of a YAML stream (JSON is YAML). Empty documents are left out, and the items of a `List` count as
/// documents of their own.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, Failure> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| unreadable("the input is not YAML or JSON", &error))?;
    let mut all = Vec::with_capacity(documents.len());
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        let is_list = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
        match document {
            Value::Object(mut list) if is_list && list.get("items").is_some_and(Value::is_array) => {
                if let Some(Value::Array(items)) = list.remove("items") {
                    all.extend(items);
                }
            }
            other => all.push(other),
        }
    }
    Ok(all)
}

/// What is wrong with a text, on one line: the parser adds a drawing of the place below it.
pub(super) fn unreadable(what: &str, error: &serde_saphyr::Error) -> Failure {
    let told = error.to_string();
    let first = told.lines().next().unwrap_or_default();
    Failure::Usage(format!("{what}: {}", first.trim_start_matches("error: ")))
}

/// A value as YAML.
pub(super) fn yaml(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::Failed(format!("cannot write YAML: {error}")))
}

/// A value as indented JSON with a line break at its end.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(format!("cannot write JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

/// Rows under a header, in columns as wide as their widest cell.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(header.get(column).map(|title| title.chars().count()))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}", width = *width))
            .collect();
        format!("{}\n", padded.join("   ").trim_end())
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_a_list_are_documents_and_empty_ones_are_none() {
        let text = "---\n---\nkind: A\n---\napiVersion: v1\nkind: List\nitems:\n- {kind: B}\n- {kind: C}\n";
        let kinds: Vec<String> = parse(text)
            .unwrap()
            .iter()
            .map(|document| document["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds, ["A", "B", "C"]);
    }

    #[test]
    fn json_is_read_as_well_and_nonsense_is_named() {
        assert_eq!(parse("{\"kind\": \"A\"}").unwrap().len(), 1);
        match parse("a: [1") {
            Err(Failure::Usage(message)) => {
                assert!(message.contains("line 1") && message.lines().count() == 1, "{message}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["eu-1".into(), "4".into()], vec!["a-long-name".into(), "10".into()]];
        let text = table(&["CLUSTER", "REPLICAS"], &rows);
        assert_eq!(text, "CLUSTER       REPLICAS\neu-1          4\na-long-name   10\n");
    }
}
