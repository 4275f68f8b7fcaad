//! KC-06: which context is meant, and how names from a stranger are shown.

use serde_json::{Value, json};

use super::*;

fn several(current: Option<&str>, names: &[&str]) -> String {
    let contexts = names
        .iter()
        .map(|name| json!({"name": name, "context": {"cluster": "c", "user": "u"}}));
    let mut document: Value = serde_json::from_str(&with(json!({}), token())).unwrap();
    document["contexts"] = contexts.collect();
    document["current-context"] = json!(current.unwrap_or_default());
    document.to_string()
}

/// KC-06
#[test]
fn the_context_is_the_named_the_current_or_the_only_one_and_never_guessed() {
    let chosen = |text: &str, name: Option<&str>| parse(text, name, &policy()).map(|parsed| parsed.context);
    assert_eq!(chosen(&several(None, &["only"]), None).unwrap(), "only");
    assert_eq!(chosen(&several(Some("b"), &["a", "b"]), None).unwrap(), "b");
    assert_eq!(chosen(&several(Some("b"), &["a", "b"]), Some("a")).unwrap(), "a");
    let undecided = chosen(&several(None, &["a", "b"]), None).unwrap_err();
    assert!(matches!(&undecided, KubeconfigError::ContextRequired { names } if names == &["a", "b"]));
    assert!(undecided.hint().contains("a, b"));
    for (current, wanted) in [(Some("gone"), None), (Some("a"), Some("gone")), (Some("a"), Some("A"))] {
        let refused = chosen(&several(current, &["a", "b"]), wanted);
        assert!(
            matches!(refused, Err(KubeconfigError::UnknownContext { .. })),
            "{current:?} {wanted:?}"
        );
    }
}

/// KC-06
#[test]
fn names_are_whatever_somebody_wrote_and_come_out_on_one_line() {
    let names = [
        "../../etc",
        "a/b",
        "\"quoted\"",
        "two\nlines",
        "<img onerror=x>",
        "arn:aws:eks:eu:1:cluster/x",
    ];
    let text = several(None, &names);
    let listed: Vec<_> = list_contexts(&text)
        .unwrap()
        .into_iter()
        .map(|context| context.name)
        .collect();
    assert_eq!(listed, names);
    assert_eq!(
        parse(&text, Some("two\nlines"), &policy()).unwrap().context,
        "two\nlines"
    );
    let error = parse(&text, None, &policy()).unwrap_err();
    assert!(
        !error.hint().contains('\n') && error.hint().contains("two\u{fffd}lines"),
        "{}",
        error.hint()
    );

    let mut document: Value = serde_json::from_str(&with(json!({"proxy-url": "x"}), token())).unwrap();
    let long = format!("a\n{}", "b".repeat(500));
    document["clusters"][0]["name"] = json!(long);
    document["contexts"][0]["context"]["cluster"] = json!(long);
    let error = parse(&document.to_string(), None, &policy()).unwrap_err();
    let field = error.field().unwrap();
    assert!(!field.contains('\n') && field.len() < 150, "{field}");
}

#[test]
fn contexts_that_cannot_be_used_are_listed_as_such() {
    let mut document: Value = serde_json::from_str(&several(Some("b"), &["a", "b"])).unwrap();
    document["users"] = json!([{"name": "u", "user": {"exec": {"command": "x"}, "token": "canary-token-1"}}]);
    document["contexts"][0]["context"]["cluster"] = json!("gone");
    let contexts = list_contexts(&document.to_string()).unwrap();
    assert_eq!(contexts[0].server, "");
    assert_eq!(contexts[1].server, "https://10.0.0.1:6443");
    assert!(
        contexts
            .iter()
            .all(|context| context.authentication == Authentication::None)
    );
    let error = parse(&document.to_string(), Some("a"), &policy()).unwrap_err();
    assert!(
        matches!(error, KubeconfigError::MissingEntry { list: "clusters", .. }),
        "{error}"
    );
}
