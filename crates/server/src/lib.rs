//! The Atoll binary: console API, hub API, forwarding, sign-in and console files.
