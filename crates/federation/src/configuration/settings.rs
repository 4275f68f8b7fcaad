//! `KubeFedConfig`: the fields that the hub follows. The others are stored and change nothing.

use std::time::Duration;

use serde_json::Value;

use crate::Scope;

/// What a `KubeFedConfig` says, with KubeFed's defaults where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How far the control plane reaches.
    pub scope: Scope,
    /// How long a cluster that came back has to answer before it gets replicas again.
    pub available_delay: Duration,
    /// How long a cluster that does not answer keeps its share of replicas.
    pub unavailable_delay: Duration,
    /// How clusters are probed.
    pub health: HealthCheck,
    /// Whether member objects that are nobody else's may be taken over.
    pub adopt_resources: bool,
}

/// `spec.clusterHealthCheck`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCheck {
    /// Between two probes of a cluster.
    pub period: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Contrary probes in a row after which a cluster counts as away.
    pub failure_threshold: u32,
    /// Good probes in a row after which it counts as back.
    pub success_threshold: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(3),
            failure_threshold: 3,
            success_threshold: 1,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scope: Scope::Cluster,
            available_delay: Duration::from_secs(20),
            unavailable_delay: Duration::from_secs(60),
            health: HealthCheck::default(),
            adopt_resources: true,
        }
    }
}

impl Settings {
    /// Reads a stored `KubeFedConfig`, that is, one that was admitted: what cannot be read counts as not said.
    pub fn read(object: &Value) -> Self {
        let spec = &object["spec"];
        let default = Self::default();
        let duration = |pointer: &str, default: Duration| {
            let text = spec.pointer(pointer).and_then(Value::as_str);
            text.and_then(go_duration)
                .filter(|found| !found.is_zero())
                .unwrap_or(default)
        };
        let count = |pointer: &str, default: u32| {
            let number = spec.pointer(pointer).and_then(Value::as_u64);
            number
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0)
                .unwrap_or(default)
        };
        Self {
            scope: if spec["scope"] == "Namespaced" {
                Scope::Namespaced
            } else {
                Scope::Cluster
            },
            available_delay: duration("/controllerDuration/availableDelay", default.available_delay),
            unavailable_delay: duration("/controllerDuration/unavailableDelay", default.unavailable_delay),
            health: HealthCheck {
                period: duration("/clusterHealthCheck/period", default.health.period),
                timeout: duration("/clusterHealthCheck/timeout", default.health.timeout),
                failure_threshold: count("/clusterHealthCheck/failureThreshold", default.health.failure_threshold),
                success_threshold: count("/clusterHealthCheck/successThreshold", default.health.success_threshold),
            },
            adopt_resources: spec
                .pointer("/syncController/adoptResources")
                .is_none_or(|word| word != "Disabled"),
        }
    }
}

/// A duration as Go writes it: `1h2m3.5s`, `100ms`. `None` for anything else, negative ones included.
pub(crate) fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        sum += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty())
        .then(|| Duration::try_from_secs_f64(sum).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, seconds) in [
            ("20s", 20.0),
            ("1m0s", 60.0),
            ("1h2m3.5s", 3723.5),
            ("100ms", 0.1),
            ("0", 0.0),
        ] {
            assert_eq!(go_duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "5", "-5s", "s", "5x", "1s5", "."] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_said_is_as_in_kubefed() {
        assert_eq!(
            Settings::read(&json!({"spec": {"scope": "Cluster"}})),
            Settings::default()
        );
        let read = Settings::read(&json!({"spec": {
            "scope": "Namespaced",
            "controllerDuration": {"unavailableDelay": "5s"},
            "clusterHealthCheck": {"failureThreshold": 1},
            "syncController": {"adoptResources": "Disabled"},
        }}));
        assert_eq!((read.scope, read.adopt_resources), (Scope::Namespaced, false));
        assert_eq!(read.unavailable_delay, Duration::from_secs(5));
        assert_eq!(read.health.failure_threshold, 1);
    }
}
