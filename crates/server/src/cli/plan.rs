//! `atoll plan`: replicas shared out over clusters, with nothing but the document that is given.

use std::path::PathBuf;
use std::process::ExitCode;

use atoll_federation::join;
use atoll_federation::replicas::{self, PlanRequest, ReplicaPlan};

use super::documents::{self, Format};
use super::{Failure, Outcome};

/// What to plan.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A YAML or JSON document with key, preference and clusters; standard input when it is left out
    file: Option<PathBuf>,

    /// What the output looks like: a table on a terminal, else JSON
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let text = documents::read(arguments.file.as_deref())?;
    super::print(&plan_text(&text, Format::or_default(arguments.output))?)?;
    Ok(ExitCode::SUCCESS)
}

/// The plan for one document.
///
/// # Errors
/// When the document cannot be used.
pub fn plan_text(text: &str, format: Format) -> Result<String, Failure> {
    let document: serde_json::Value = serde_saphyr::from_str(text)
        .map_err(|error| documents::unreadable("the input is not one YAML or JSON document", &error))?;
    let request = PlanRequest::parse(&document).map_err(|errors| Failure::Usage(join(&errors)))?;
    let plan = replicas::plan(&request.key, &request.preference, &request.clusters);
    match format {
        Format::Json => documents::json(&plan),
        Format::Yaml => documents::yaml(&plan),
        Format::Table => Ok(table(&plan)),
    }
}

fn table(plan: &ReplicaPlan) -> String {
    let rows: Vec<Vec<String>> = plan
        .plan
        .iter()
        .map(|(cluster, replicas)| {
            let overflow = plan.overflow.get(cluster).map_or_else(String::new, ToString::to_string);
            vec![cluster.to_string(), replicas.to_string(), overflow]
        })
        .collect();
    let mut text = documents::table(&["CLUSTER", "REPLICAS", "OVERFLOW"], &rows);
    if plan.unplaced > 0 {
        text.push_str(&format!("\n{} replicas find no place\n", plan.unplaced));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "
key: shop/web
preference: {totalReplicas: 9, clusters: {'*': {weight: 1}, eu-1: {minReplicas: 2, maxReplicas: 4, weight: 3}}}
clusters: [{name: eu-1, current: 3, capacity: 5}, {name: us-1}]
";

    #[test]
    fn every_worked_plan_comes_out_as_written() {
        let cases = include_str!("../../../federation/tests/it/data/replica_plans.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() >= 30);
        for case in cases {
            let text = plan_text(&case["input"].to_string(), Format::Json).unwrap();
            let found: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(found, case["output"], "{}", case["title"]);
        }
    }

    #[test]
    fn a_plan_is_printed_as_asked_for() {
        assert_eq!(
            plan_text(DOCUMENT, Format::Table).unwrap(),
            "CLUSTER   REPLICAS   OVERFLOW\neu-1      4\nus-1      5\n"
        );
        assert!(plan_text(DOCUMENT, Format::Yaml).unwrap().starts_with("plan:"));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, named) in [
            ("key: a/b\nclusters: []\n", "preference"),
            (
                "key: a/b\npreference: {totalReplicas: -1}\nclusters: []\n",
                "totalReplicas",
            ),
            (
                "key: a/b\npreference: {totalReplicas: 1}\nclusters: []\ncolour: red\n",
                "colour",
            ),
            ("[", "YAML"),
        ] {
            match plan_text(text, Format::Json) {
                Err(Failure::Usage(message)) => assert!(message.contains(named), "{message}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
