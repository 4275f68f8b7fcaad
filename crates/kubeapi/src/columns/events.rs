//! Columns of Events and Leases.

use jiff::Timestamp;
use serde_json::Value;

use crate::resource::Column;
use crate::table::age;

/// Of Leases.
pub fn leases() -> Vec<Column> {
    vec![Column::path("Holder", "string", ".spec.holderIdentity")]
}

/// Of Events. The name comes last: nobody chose it.
pub fn events() -> Vec<Column> {
    vec![
        Column::function("Last Seen", "string", last_seen),
        Column::path("Type", "string", ".type"),
        Column::path("Reason", "string", ".reason"),
        Column::function("Object", "string", |object, _| {
            let text = |field: &str| object["involvedObject"][field].as_str().unwrap_or_default();
            format!("{}/{}", text("kind").to_ascii_lowercase(), text("name")).into()
        }),
        Column::path("Subobject", "string", ".involvedObject.fieldPath").wide(),
        Column::function("Source", "string", |object, _| {
            let text = |field: &str| object["source"][field].as_str().unwrap_or_default();
            match (text("component"), text("host")) {
                (component, "") => component.into(),
                (component, host) => format!("{component}, {host}").into(),
            }
        })
        .wide(),
        Column::function("Message", "string", |object, _| {
            object["message"].as_str().unwrap_or_default().trim().into()
        }),
        Column::path("First Seen", "date", ".firstTimestamp").wide(),
        Column::function("Count", "string", |object, _| object["count"].clone()).wide(),
        Column::path("Name", "string", ".metadata.name").wide(),
    ]
}

/// A series was last seen when it says so; an event by itself when it happened.
fn last_seen(event: &Value, now: Timestamp) -> Value {
    let series = event["series"]["lastObservedTime"].as_str();
    let time = series.or_else(|| {
        ["lastTimestamp", "eventTime", "firstTimestamp"]
            .iter()
            .find_map(|field| event[*field].as_str())
    });
    age(time, now).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_was_last_seen_when_its_series_says_or_else_when_it_happened() {
        let now: Timestamp = "2026-01-01T00:10:00Z".parse().unwrap();
        let at = |minute: u8| format!("2026-01-01T00:0{minute}:00Z");
        for (event, seen) in [
            (json!({"firstTimestamp": at(1), "lastTimestamp": at(5)}), "5m"),
            (json!({"eventTime": at(4), "lastTimestamp": null}), "6m"),
            (json!({"eventTime": at(4), "series": {"lastObservedTime": at(7)}}), "3m"),
            (json!({}), "<unknown>"),
        ] {
            assert_eq!(last_seen(&event, now), seen, "{event}");
        }
    }
}
