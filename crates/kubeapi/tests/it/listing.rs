use serde_json::{Value, json};

use crate::fixture::{CONFIGMAPS, Server, WIDGETS, widget};

const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap())
        .collect()
}

async fn colored() -> Server {
    let server = Server::new();
    for (name, color) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        let mut object = widget(name, json!({"size": name.len(), "color": color}));
        object["metadata"]["labels"] = json!({"color": color, name: "yes"});
        server.post(WIDGETS, object).await.ok();
    }
    let other = widget("a", json!({"color": "green"}));
    server
        .post("/apis/example.io/v1/namespaces/other/widgets", other)
        .await
        .ok();
    server
}

#[tokio::test]
async fn a_list_names_its_kind_and_revision() {
    let server = colored().await;
    let list = server.get(WIDGETS).await.ok();
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&json!("WidgetList"), &json!("example.io/v1"))
    );
    assert_eq!(list["metadata"], json!({"resourceVersion": "5"}));
    assert_eq!(
        (&list["items"][0]["kind"], &list["items"][0]["apiVersion"]),
        (&json!("Widget"), &json!("example.io/v1"))
    );
    let all = server.get("/apis/example.io/v1/widgets").await.ok();
    assert_eq!(names(&all), ["a", "a", "b", "c"]);
}

#[tokio::test]
async fn selectors_select() {
    let server = colored().await;
    for (query, expected) in [
        ("labelSelector=color%3Dred", vec!["a", "c"]),
        ("labelSelector=color+in+(red%2Cblue),!a", vec!["b", "c"]),
        ("labelSelector=color!%3Dred", vec!["b"]),
        ("fieldSelector=metadata.name%3Db", vec!["b"]),
        ("fieldSelector=spec.color%3Dred,metadata.name!%3Da", vec!["c"]),
        ("fieldSelector=metadata.namespace%3Dother", vec![]),
    ] {
        assert_eq!(
            names(&server.get(&format!("{WIDGETS}?{query}")).await.ok()),
            expected,
            "{query}"
        );
    }
    server
        .get(&format!("{WIDGETS}?fieldSelector=spec.size%3D1"))
        .await
        .failed(400, "BadRequest");
    server
        .get(&format!("{WIDGETS}?labelSelector=a%20b"))
        .await
        .failed(400, "BadRequest");
    server
        .get(&format!("{WIDGETS}?limit=x"))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn pages_go_through_all_and_share_the_first_one_s_revision() {
    let server = colored().await;
    let first = server.get("/apis/example.io/v1/widgets?limit=3").await.ok();
    assert_eq!(
        (names(&first), &first["metadata"]["remainingItemCount"]),
        (vec!["a", "a", "b"], &json!(1))
    );
    server.post(WIDGETS, widget("d", json!({}))).await.ok();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = server
        .get(&format!("/apis/example.io/v1/widgets?limit=3&continue={token}"))
        .await
        .ok();
    assert_eq!(
        (names(&second), &second["metadata"]["continue"]),
        (vec!["c", "d"], &json!(null))
    );
    assert_eq!(
        second["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    server
        .get(&format!("{WIDGETS}?limit=3&continue=nonsense"))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn an_exact_revision_that_is_past_is_expired() {
    let server = colored().await;
    server
        .get(&format!("{WIDGETS}?resourceVersion=5&resourceVersionMatch=Exact"))
        .await
        .ok();
    server
        .get(&format!("{WIDGETS}?resourceVersion=3&resourceVersionMatch=Exact"))
        .await
        .failed(410, "Expired");
}

#[tokio::test]
async fn tables_carry_as_much_of_the_object_as_was_asked() {
    let server = colored().await;
    let table = |query: &'static str| server.send("GET", query, &[("accept", TABLE)], "");
    let answer = table("/apis/example.io/v1/widgets?limit=500").await.ok();
    assert_eq!(
        (&answer["kind"], &answer["apiVersion"]),
        (&json!("Table"), &json!("meta.k8s.io/v1"))
    );
    let columns: Vec<(&Value, &Value)> = answer["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["priority"]))
        .collect();
    assert_eq!(
        columns,
        [
            (&json!("Name"), &json!(0)),
            (&json!("Size"), &json!(0)),
            (&json!("Age"), &json!(0)),
            (&json!("Color"), &json!(1))
        ]
    );
    let row = &answer["rows"][1];
    assert_eq!(
        (&row["cells"][0], &row["cells"][1], &row["cells"][3]),
        (&json!("a"), &json!(1), &json!("red"))
    );
    assert_eq!(
        (&row["object"]["kind"], &row["object"]["metadata"]["namespace"]),
        (&json!("PartialObjectMetadata"), &json!("shop"))
    );
    let answer = table("/apis/example.io/v1/widgets?includeObject=Object").await.ok();
    assert_eq!(answer["rows"][0]["object"]["spec"]["color"], "green");
    let answer = table("/apis/example.io/v1/widgets?includeObject=None").await.ok();
    assert_eq!(answer["rows"][0]["object"], json!(null));
    let answer = table("/apis/example.io/v1/namespaces/shop/widgets/b").await.ok();
    assert_eq!(answer["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn metadata_alone_can_be_asked_for() {
    let server = colored().await;
    let headers = [(
        "accept",
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    )];
    let list = server.send("GET", WIDGETS, &headers, "").await.ok();
    assert_eq!(
        (&list["kind"], &list["items"][0]["spec"]),
        (&json!("PartialObjectMetadataList"), &json!(null))
    );
    let headers = [("accept", "application/vnd.kubernetes.protobuf")];
    server
        .send("GET", CONFIGMAPS, &headers, "")
        .await
        .failed(406, "NotAcceptable");
}
