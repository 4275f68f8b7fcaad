//! Updates played through without a member: sets get the pods they ask for, step by step.

use super::*;
use crate::fields::is_true;

fn deployment(replicas: i64, image: &str, strategy: Value) -> Arc<Value> {
    let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "uid": "d", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "strategy": strategy,
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}});
    crate::admission::defaults::complete_new(Kind::Deployment, &mut object);
    Arc::new(object)
}

/// A namespace with one Deployment and its sets, whose pods serve when `serve` says so.
struct World {
    deployment: Arc<Value>,
    sets: Vec<Arc<Value>>,
    now: Timestamp,
}

impl World {
    fn new(deployment: Arc<Value>) -> Self {
        Self {
            deployment,
            sets: Vec::new(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn step(&mut self) -> Plan {
        let plan = plan(&self.deployment, &self.sets, &[], self.now);
        for write in &plan.writes {
            match write {
                Write::Create { object, .. } => {
                    let mut object = object.clone();
                    object["metadata"]["uid"] = object["metadata"]["name"].clone();
                    object["metadata"]["creationTimestamp"] =
                        format!("2026-01-01T00:00:{:02}Z", self.sets.len()).into();
                    self.sets.push(Arc::new(object));
                }
                Write::Update {
                    kind: Kind::Deployment,
                    new,
                    ..
                } => self.deployment = Arc::new(new.clone()),
                Write::Update { new, .. } => {
                    let set = self.sets.iter_mut().find(|set| uid(set) == uid(new)).unwrap();
                    *set = Arc::new(new.clone());
                }
                Write::Delete { object, .. } => self.sets.retain(|set| uid(set) != uid(object)),
            }
        }
        plan
    }

    /// Every set gets its pods; they serve if `serves` says so of the image.
    fn settle(&mut self, serves: impl Fn(&str) -> bool) {
        for set in &mut self.sets {
            let mut new = (**set).clone();
            let image = new["spec"]["template"]["spec"]["containers"][0]["image"]
                .as_str()
                .unwrap()
                .to_owned();
            let replicas = number(&new["spec"]["replicas"]);
            let available = if serves(&image) { replicas } else { 0 };
            new["status"] = json!({"replicas": replicas, "readyReplicas": available, "availableReplicas": available});
            *set = Arc::new(new);
        }
    }

    fn set_image(&mut self, image: &str) {
        let mut new = (*self.deployment).clone();
        new["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
        self.deployment = Arc::new(new);
    }

    /// Asked-for replicas by image.
    fn replicas(&self, image: &str) -> i64 {
        self.sets
            .iter()
            .filter(|set| set["spec"]["template"]["spec"]["containers"][0]["image"] == image)
            .map(|set| number(&set["spec"]["replicas"]))
            .sum()
    }

    fn progress(&self) -> &str {
        crate::fields::condition(&self.deployment, "Progressing").unwrap()["reason"]
            .as_str()
            .unwrap()
    }
}

fn run(world: &mut World, serves: impl Fn(&str) -> bool, mut check: impl FnMut(&World)) {
    for _ in 0..30 {
        let is_still = world.step().writes.is_empty();
        check(world);
        world.settle(&serves);
        if is_still && world.step().writes.is_empty() {
            return;
        }
    }
    panic!("the Deployment never comes to rest");
}

#[test]
fn an_update_keeps_within_its_bounds_and_ends_at_the_new_set() {
    for (surge, unavailable) in [("25%", "25%"), ("0", "1"), ("100%", "0%"), ("50%", "50%")] {
        let parse = |text: &str| text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": parse(surge), "maxUnavailable": parse(unavailable)}});
        let mut world = World::new(deployment(4, "web:1", strategy));
        run(&mut world, |_| true, |_| {});
        assert_eq!(world.replicas("web:1"), 4);
        world.set_image("web:2");
        let bounds = Bounds::of(&world.deployment);
        run(
            &mut world,
            |_| true,
            |world| {
                let asked = world.replicas("web:1") + world.replicas("web:2");
                assert!(asked <= bounds.most, "{surge}/{unavailable}: {asked}");
                let serving: i64 = world
                    .sets
                    .iter()
                    .map(|set| number(&set["status"]["availableReplicas"]).min(number(&set["spec"]["replicas"])))
                    .sum();
                assert!(serving >= bounds.least, "{surge}/{unavailable}: {serving} serve");
            },
        );
        assert_eq!((world.replicas("web:1"), world.replicas("web:2")), (0, 4));
        assert_eq!(world.progress(), "NewReplicaSetAvailable");
        assert_eq!(annotation(&world.deployment, REVISION), "2");
    }
}

#[test]
fn a_template_that_never_serves_leaves_the_old_pods_and_times_out() {
    let mut world = World::new(deployment(4, "web:1", json!({})));
    run(&mut world, |_| true, |_| {});
    world.set_image("web:broken");
    run(&mut world, |image| image != "web:broken", |_| {});
    assert_eq!((world.replicas("web:1"), world.replicas("web:broken")), (3, 2));
    assert_eq!(world.progress(), "ReplicaSetUpdated");
    assert!(is_true(&world.deployment, "Available"));
    world.now = world.now.checked_add(jiff::SignedDuration::from_secs(601)).unwrap();
    world.step();
    assert_eq!(world.progress(), "ProgressDeadlineExceeded");
}

#[test]
fn going_back_takes_the_old_set_again_under_a_new_revision() {
    let mut world = World::new(deployment(2, "web:1", json!({})));
    run(&mut world, |_| true, |_| {});
    world.set_image("web:2");
    run(&mut world, |_| true, |_| {});
    world.set_image("web:1");
    run(&mut world, |_| true, |_| {});
    assert_eq!(
        (world.sets.len(), world.replicas("web:1"), world.replicas("web:2")),
        (2, 2, 0)
    );
    assert_eq!(annotation(&world.deployment, REVISION), "3");
}

#[test]
fn recreating_waits_until_the_old_pods_are_gone() {
    let mut world = World::new(deployment(2, "web:1", json!({"type": "Recreate"})));
    run(&mut world, |_| true, |_| {});
    world.set_image("web:2");
    let pod = json!({"metadata": {"ownerReferences": [{"controller": true, "uid": uid(&world.sets[0])}]}, "status": {"phase": "Running"}});
    let held = plan(&world.deployment, &world.sets, &[Arc::new(pod)], world.now);
    assert!(!held.writes.iter().any(|write| matches!(write, Write::Create { .. })));
    run(&mut world, |_| true, |_| {});
    assert_eq!((world.replicas("web:1"), world.replicas("web:2")), (0, 2));
}

#[test]
fn a_paused_deployment_is_scaled_but_not_updated() {
    let mut world = World::new(deployment(2, "web:1", json!({})));
    run(&mut world, |_| true, |_| {});
    let mut paused = (*world.deployment).clone();
    paused["spec"]["paused"] = true.into();
    paused["spec"]["replicas"] = 5.into();
    world.deployment = Arc::new(paused);
    world.set_image("web:2");
    run(&mut world, |_| true, |_| {});
    assert_eq!((world.sets.len(), world.replicas("web:1")), (1, 5));
}

#[test]
fn only_as_many_old_sets_are_kept_as_the_limit_says() {
    let mut object = (*deployment(1, "web:0", json!({}))).clone();
    object["spec"]["revisionHistoryLimit"] = 2.into();
    let mut world = World::new(Arc::new(object));
    for image in ["web:1", "web:2", "web:3", "web:4"] {
        run(&mut world, |_| true, |_| {});
        world.set_image(image);
    }
    run(&mut world, |_| true, |_| {});
    assert_eq!(world.sets.len(), 3);
    assert_eq!(world.replicas("web:4"), 1);
}
