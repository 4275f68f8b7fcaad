//! `atoll render`: what each cluster would get from federated objects, with nothing but those objects.

use std::path::PathBuf;
use std::process::ExitCode;

use atoll_federation::render::{Rendered, RenderedCluster};
use atoll_federation::{Scope, join, render};
use serde_json::Value;

use super::documents::{self, Format};
use super::{Failure, Outcome};

/// What to render.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files with federated objects, KubeFedClusters, FederatedNamespaces and preferences; - or none for standard input
    files: Vec<PathBuf>,

    /// What the output looks like
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Format,

    /// How far the control plane reaches
    #[arg(long, value_enum, default_value = "cluster", ignore_case = true)]
    scope: ScopeArgument,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ScopeArgument {
    /// Every namespace that is federated
    Cluster,
    /// Its own namespace alone, which counts as federated
    Namespaced,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let mut texts = Vec::new();
    for file in &arguments.files {
        texts.push(documents::read(Some(file))?);
    }
    if texts.is_empty() {
        texts.push(documents::read(None)?);
    }
    let scope = match arguments.scope {
        ScopeArgument::Cluster => Scope::Cluster,
        ScopeArgument::Namespaced => Scope::Namespaced,
    };
    let (text, rendered) = render_text(&texts, arguments.output, scope)?;
    super::print(&text)?;
    for warning in &rendered.warnings {
        eprintln!("atoll: warning: {warning}");
    }
    if arguments.output != Format::Json {
        problems(&rendered)
            .iter()
            .for_each(|problem| eprintln!("atoll: {problem}"));
    }
    Ok(if rendered.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What each cluster would get from the objects in these texts.
///
/// # Errors
/// When a text cannot be read.
pub fn render_text(texts: &[String], format: Format, scope: Scope) -> Result<(String, Rendered), Failure> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(documents::parse(text)?);
    }
    let rendered = render(&all, scope).map_err(|errors| Failure::Usage(join(&errors)))?;
    let text = match format {
        Format::Json => documents::json(&rendered)?,
        Format::Yaml => stream(&rendered)?,
        Format::Table => table(&rendered),
    };
    Ok((text, rendered))
}

/// Every object, cluster after cluster, under a comment that says where it goes.
fn stream(rendered: &Rendered) -> Result<String, Failure> {
    let mut by_cluster: std::collections::BTreeMap<&str, Vec<&Value>> = std::collections::BTreeMap::new();
    for object in &rendered.objects {
        for (cluster, outcome) in &object.clusters {
            if let RenderedCluster::Object(value) = outcome {
                by_cluster.entry(cluster.as_str()).or_default().push(value);
            }
        }
    }
    let mut text = String::new();
    for (cluster, objects) in by_cluster {
        for object in objects {
            text.push_str(&format!("---\n# cluster: {cluster}\n{}", documents::yaml(object)?));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    Ok(text)
}

fn table(rendered: &Rendered) -> String {
    let mut rows = Vec::new();
    for object in &rendered.objects {
        let namespace = object.namespace.clone().unwrap_or_default();
        let mut row = |cluster: &str, outcome: String| {
            rows.push(vec![
                object.kind.clone(),
                namespace.clone(),
                object.name.clone(),
                cluster.to_owned(),
                outcome,
            ]);
        };
        if let Some(error) = &object.error {
            row("*", format!("{}: {}", error.reason, error.message));
        }
        for (cluster, outcome) in &object.clusters {
            match outcome {
                RenderedCluster::Object(_) => row(cluster.as_str(), "OK".to_owned()),
                RenderedCluster::Error(error) => row(cluster.as_str(), format!("{}: {}", error.reason, error.message)),
            }
        }
    }
    documents::table(&["KIND", "NAMESPACE", "NAME", "CLUSTER", "OUTCOME"], &rows)
}

/// What could not be rendered, one line each.
fn problems(rendered: &Rendered) -> Vec<String> {
    let mut lines = Vec::new();
    for object in &rendered.objects {
        let name = format!(
            "{} {}/{}",
            object.kind,
            object.namespace.as_deref().unwrap_or_default(),
            object.name
        );
        if let Some(error) = &object.error {
            lines.push(format!("{name}: {}: {}", error.reason, error.message));
        }
        for (cluster, outcome) in &object.clusters {
            if let RenderedCluster::Error(error) = outcome {
                lines.push(format!("{name} in {cluster}: {}: {}", error.reason, error.message));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn examples() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../federation/tests/it/render");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect()
    }

    /// A text that begins with `…` stands for any text that is not empty.
    fn same(expected: &Value, found: &Value) -> bool {
        match (expected, found) {
            (Value::String(expected), Value::String(found)) if expected.starts_with('…') => !found.is_empty(),
            (Value::Object(expected), Value::Object(found)) => {
                expected.len() == found.len()
                    && expected
                        .iter()
                        .all(|(key, value)| found.get(key).is_some_and(|other| same(value, other)))
            }
            (Value::Array(expected), Value::Array(found)) => {
                expected.len() == found.len() && expected.iter().zip(found).all(|(one, other)| same(one, other))
            }
            (expected, found) => expected == found,
        }
    }

    #[test]
    fn every_example_renders_as_written() {
        let examples = examples();
        assert!(examples.len() >= 2);
        for path in examples {
            let text = std::fs::read_to_string(&path).unwrap();
            let (json, _) = render_text(&[text], Format::Json, Scope::Cluster).unwrap();
            let found: Value = serde_json::from_str(&json).unwrap();
            let expected = std::fs::read_to_string(path.with_extension("json")).unwrap();
            let expected: Value = serde_json::from_str(&expected).unwrap();
            assert!(same(&expected, &found), "{}: {found}", path.display());
        }
    }

    #[test]
    fn a_list_renders_as_its_items_do() {
        let path = examples()
            .into_iter()
            .find(|path| path.ends_with("web-in-europe.yaml"))
            .unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let items = documents::parse(&text).unwrap();
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let plain = render_text(&[text], Format::Json, Scope::Cluster).unwrap();
        assert_eq!(render_text(&[list], Format::Json, Scope::Cluster).unwrap().0, plain.0);
    }

    #[test]
    fn yaml_output_is_a_stream_of_objects_again() {
        let path = examples()
            .into_iter()
            .find(|path| path.ends_with("web-in-europe.yaml"))
            .unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let (yaml, rendered) = render_text(&[text], Format::Yaml, Scope::Cluster).unwrap();
        let objects = documents::parse(&yaml).unwrap();
        let count: usize = rendered.objects.iter().map(|object| object.clusters.len()).sum();
        assert_eq!(objects.len(), count);
        assert!(yaml.contains("# cluster: eu-1"));
    }

    #[test]
    fn one_bad_object_is_incomplete_and_nonsense_is_unreadable() {
        let path = examples()
            .into_iter()
            .find(|path| path.ends_with("one-bad-override.yaml"))
            .unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let (_, rendered) = render_text(&[text], Format::Table, Scope::Cluster).unwrap();
        assert!(!rendered.is_complete());
        assert_eq!(problems(&rendered).len(), 2);
        let unreadable = render_text(&["{a: 1}".to_owned()], Format::Yaml, Scope::Cluster);
        assert!(matches!(unreadable, Err(Failure::Usage(_))));
    }
}
