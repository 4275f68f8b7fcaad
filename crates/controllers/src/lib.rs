//! Observe, plan, execute, record: keeps members in step with the hub.
