//! Worked replica plans: input and output of `atoll plan`.

use atoll_federation::replicas::{self, PlanRequest};
use serde_json::Value;

#[test]
fn every_worked_plan_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/replica_plans.json")).unwrap();
    assert!(cases.len() >= 30);
    for case in cases {
        let request = PlanRequest::parse(&case["input"]).unwrap();
        let plan = replicas::plan(&request.key, &request.preference, &request.clusters);
        assert_eq!(
            serde_json::to_value(&plan).unwrap(),
            case["output"],
            "{}",
            case["title"]
        );
    }
}
