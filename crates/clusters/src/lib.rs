//! Connections to member clusters: kubeconfig, probes, health, forwarding transport, watches.
//!
//! * [`kubeconfig`], [`connection`], [`endpoint`]: how a member is reached, read and judged without reaching anything.
//! * [`Clusters`] holds the set of members. Each [`Member`] has its own pools, bounds, probes and end: what hangs or
//!   breaks in one is nobody else's delay.
//! * [`Member::forward`] carries a person's request, always as that person. [`Member::request`] and [`Member::watch`]
//!   are the hub's own calls, as the stored credential.
//! * [`health`] is the pure state machine that the probes feed.
//! * [`check()`] tries a connection that is not registered, stage by stage.
//!
//! There is one way to the network, [`Network`]: it resolves, judges, dials and verifies. What a member answers is text
//! from outside; it is read within bounds, and the credential is taken out of it before it goes anywhere.

mod admins;
mod backoff;
mod check;
mod connect;
mod facts;
mod forward;
mod identity;
mod limits;
mod member;
mod members;
mod name;
mod nodes;
mod probe;
mod request;
mod scrub;
mod tasks;
mod transport;
mod watch;

pub mod connection;
pub mod endpoint;
pub mod health;
pub mod kubeconfig;
pub mod quantity;

pub use admins::{ADMINS, Target, admit_admins, dismiss_admins};
pub use check::{CheckFailure, FailureKind, Findings, Stage, StageReport, StageState, check};
pub use connect::{ConnectError, ConnectFailure, ConnectStage, Deadlines, Network, Resolver};
pub use connection::{Authentication, Connection, ConnectionError, Credential};
pub use endpoint::{AddressPolicy, AddressRefused, Endpoint, EndpointError};
pub use forward::{BoxError, ForwardClass, ForwardError, ForwardRequest, Forwarded, ForwardedBody, RequestBody};
pub use health::{Condition, Facts, HealthSnapshot, State, Thresholds};
pub use identity::{Identity, IdentityError};
pub use limits::Limits;
pub use member::Member;
pub use members::{Clusters, HealthCheck, Members, Options, Registration};
pub use name::{InvalidName, MemberName};
pub use request::{OwnError, OwnRequest, Refusal};
pub use watch::{Collection, WatchEvent};
