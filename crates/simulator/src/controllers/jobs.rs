//! Jobs: pods that run to completion, as many at a time as may, until enough have.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::templates::{self, count, is_active, is_ready};
use crate::catalog::Kind;
use crate::engine::{Plan, Write};
use crate::fields::{annotation, is_deleting, is_true, name, number, set_condition, time};

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// What should follow from a Job.
pub(super) fn plan(job: &Arc<Value>, pods: &[Arc<Value>], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if is_true(job, "Complete") || is_true(job, "Failed") {
        expire(job, now, &mut plan);
        return plan;
    }
    let phase = |wanted: &str| pods.iter().filter(|pod| pod["status"]["phase"] == wanted).count();
    let counted = |count: usize| i64::try_from(count).unwrap_or_default();
    // Pods that have succeeded may be deleted: what was counted once stays counted.
    let succeeded = counted(phase("Succeeded")).max(number(&job["status"]["succeeded"]));
    let active: Vec<&Arc<Value>> = pods.iter().filter(|pod| is_active(pod)).collect();
    let is_suspended = job["spec"]["suspend"] == true;
    let parallelism = number(&job["spec"]["parallelism"]);
    let left = match job["spec"]["completions"].as_i64() {
        Some(completions) => completions - succeeded,
        // A work queue: done when the first pod is, and the others with it.
        None if succeeded > 0 => 0,
        None => parallelism,
    };
    let wanted = if is_suspended { 0 } else { parallelism.min(left).max(0) };
    let there = counted(active.len());
    if there < wanted {
        let mut indexes = free_indexes(job, pods);
        for _ in there..wanted {
            plan.writes.push(Write::Create {
                kind: Kind::Pod,
                object: pod(job, indexes.pop()),
            });
        }
    } else if is_suspended {
        for pod in &active {
            plan.writes.push(Write::Delete {
                kind: Kind::Pod,
                object: (*pod).clone(),
            });
        }
    }
    let now_text = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let mut new = (**job).clone();
    if !new["status"].is_object() {
        new["status"] = json!({});
    }
    let status = &mut new["status"];
    if status["startTime"].is_null() && !is_suspended {
        status["startTime"] = now_text.as_str().into();
    }
    let ready = counted(active.iter().filter(|pod| is_ready(pod)).count());
    count(status, "active", there.max(wanted));
    status["ready"] = ready.into();
    status["terminating"] = pods.iter().filter(|pod| is_deleting(pod)).count().into();
    count(status, "succeeded", succeeded);
    count(status, "failed", counted(phase("Failed")));
    status["uncountedTerminatedPods"] = json!({});
    if left <= 0 && there == 0 && !is_suspended {
        status["completionTime"] = now_text.as_str().into();
        for kind in ["SuccessCriteriaMet", "Complete"] {
            set_condition(
                &mut new,
                kind,
                "True",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
                &now_text,
            );
        }
        plan.events.push(("Completed", "Job completed".into()));
    }
    if is_suspended || crate::fields::condition(job, "Suspended").is_some() {
        let (state, reason, message) = if is_suspended {
            ("True", "JobSuspended", "Job suspended")
        } else {
            ("False", "JobResumed", "Job resumed")
        };
        set_condition(&mut new, "Suspended", state, reason, message, &now_text);
    }
    plan.update(Kind::Job, job, new);
    plan
}

/// Indexes that no pod has, the highest first.
fn free_indexes(job: &Value, pods: &[Arc<Value>]) -> Vec<i64> {
    if job["spec"]["completionMode"] != "Indexed" {
        return Vec::new();
    }
    let taken: Vec<i64> = pods
        .iter()
        .filter(|pod| pod["status"]["phase"] != "Failed" && !is_deleting(pod))
        .filter_map(|pod| annotation(pod, INDEX).parse().ok())
        .collect();
    (0..number(&job["spec"]["completions"]))
        .rev()
        .filter(|index| !taken.contains(index))
        .collect()
}

fn pod(job: &Value, index: Option<i64>) -> Value {
    let mut pod = templates::named_pod(job, &job["spec"]["template"]);
    if let Some(index) = index {
        pod["metadata"]["generateName"] = format!("{}-{index}-", name(job)).into();
        pod["metadata"]["annotations"][INDEX] = index.to_string().into();
        pod["metadata"]["labels"][INDEX] = index.to_string().into();
        pod["spec"]["hostname"] = format!("{}-{index}", name(job)).into();
    }
    pod
}

/// Deletes a finished Job when it asked for that.
fn expire(job: &Arc<Value>, now: Timestamp, plan: &mut Plan) {
    let (Some(seconds), Some(end)) = (
        job["spec"]["ttlSecondsAfterFinished"].as_i64(),
        time(&job["status"]["completionTime"]),
    ) else {
        return;
    };
    let until = end.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(end);
    if until <= now {
        plan.writes.push(Write::Delete {
            kind: Kind::Job,
            object: job.clone(),
        });
    } else {
        plan.look_again(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(completions: i64, parallelism: i64) -> Arc<Value> {
        let mut object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report", "namespace": "n", "uid": "j"},
            "spec": {"completions": completions, "parallelism": parallelism, "ttlSecondsAfterFinished": 60,
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}});
        crate::admission::defaults::complete_new(Kind::Job, &mut object);
        Arc::new(object)
    }

    fn pods(phases: &[&str]) -> Vec<Arc<Value>> {
        phases
            .iter()
            .map(|phase| Arc::new(json!({"metadata": {"name": phase}, "status": {"phase": phase}})))
            .collect()
    }

    fn now() -> Timestamp {
        "2026-01-01T01:00:00Z".parse().unwrap()
    }

    fn status(plan: &Plan) -> Value {
        plan.writes
            .iter()
            .find_map(|write| match write {
                Write::Update { new, .. } => Some(new.clone()),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn only_as_many_pods_run_at_once_as_may_and_as_are_still_needed() {
        let made = |completions, parallelism, phases: &[&str]| {
            let plan = plan(&job(completions, parallelism), &pods(phases), now());
            plan.writes
                .iter()
                .filter(|write| matches!(write, Write::Create { .. }))
                .count()
        };
        assert_eq!(made(5, 2, &[]), 2);
        assert_eq!(made(5, 2, &["Running", "Succeeded"]), 1);
        assert_eq!(made(5, 3, &["Succeeded"; 4]), 1);
        assert_eq!(made(5, 3, &["Succeeded"; 5]), 0);
    }

    #[test]
    fn a_job_is_complete_when_enough_pods_have_succeeded_and_goes_after_its_time() {
        let done = status(&plan(&job(2, 2), &pods(&["Succeeded", "Succeeded"]), now()));
        assert!(is_true(&done, "Complete"));
        assert_eq!(done["status"]["succeeded"], 2);
        let early = plan(&Arc::new(done.clone()), &[], now());
        assert!(early.writes.is_empty() && early.again.is_some());
        let late = now().checked_add(SignedDuration::from_secs(61)).unwrap();
        assert!(matches!(
            plan(&Arc::new(done), &[], late).writes.as_slice(),
            [Write::Delete { .. }]
        ));
    }
}
