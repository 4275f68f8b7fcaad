//! Columns of Jobs and `CronJobs`.

use crate::resource::Column;
use crate::table::age;
use jiff::Timestamp;
use serde_json::Value;

use super::workloads::{number, template_columns};

/// Of Jobs.
pub fn jobs() -> Vec<Column> {
    let mut columns = vec![
        Column::function("Status", "string", |object, _| status(object).into()),
        Column::function("Completions", "string", |object, _| completions(object).into()),
        Column::function("Duration", "string", duration),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
    ];
    columns.extend(template_columns());
    columns
}

fn status(job: &Value) -> &'static str {
    let is = |kind: &str| {
        job["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|one| one["type"] == kind && one["status"] == "True")
    };
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if !job["metadata"]["deletionTimestamp"].is_null() => "Terminating",
        () if is("Suspended") => "Suspended",
        () => "Running",
    }
}

fn completions(job: &Value) -> String {
    let succeeded = number(&job["status"]["succeeded"]);
    match (&job["spec"]["completions"], number(&job["spec"]["parallelism"])) {
        (Value::Null, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (Value::Null, _) => format!("{succeeded}/1"),
        (completions, _) => format!("{succeeded}/{completions}"),
    }
}

fn duration(job: &Value, now: Timestamp) -> Value {
    let Some(start) = job["status"]["startTime"].as_str() else {
        return "".into();
    };
    let end = job["status"]["completionTime"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(now);
    age(Some(start), end).into()
}

/// Of `CronJobs`.
pub fn cron_jobs() -> Vec<Column> {
    let mut columns = vec![
        Column::path("Schedule", "string", ".spec.schedule"),
        Column::function("Timezone", "string", |object, _| {
            object["spec"]["timeZone"].as_str().unwrap_or("<none>").into()
        }),
        Column::function("Suspend", "boolean", |object, _| {
            if object["spec"]["suspend"] == true {
                "True".into()
            } else {
                "False".into()
            }
        }),
        Column::function("Active", "integer", |object, _| {
            object["status"]["active"].as_array().map_or(0, Vec::len).into()
        }),
        Column::function(
            "Last Schedule",
            "string",
            |object, now| match object["status"]["lastScheduleTime"].as_str() {
                Some(time) => age(Some(time), now).into(),
                None => "<none>".into(),
            },
        ),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
    ];
    columns.extend(template_columns());
    columns
}
