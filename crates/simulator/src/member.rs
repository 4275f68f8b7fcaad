//! A simulated member, from start to end.

use atoll_kubeapi::{Memory, Options, Status};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::backend::MemberBackend;
use crate::catalog::Kind;
use crate::counts::{Counts, Tally};
use crate::engine::{Engine, Settings};
use crate::error::Error;
use crate::faults::Faults;
use crate::identity::Credential;
use crate::listener::{Listener, Server};
use crate::objects::Objects;
use crate::options::MemberOptions;
use crate::{authority, kubeconfig, router, seed};

/// A member cluster in memory, served on a loopback port. It ends when it is stopped or dropped.
pub struct SimulatedMember {
    name: String,
    endpoint: String,
    kubeconfig: String,
    objects: Objects,
    faults: Faults,
    tally: Tally,
    tasks: TaskTracker,
    ended: DropGuard,
}

impl SimulatedMember {
    /// Starts a member. It answers at once; its sample workloads come alive while it does.
    ///
    /// # Errors
    /// When the options make no sense, or there is no port.
    pub async fn start(options: MemberOptions) -> Result<Self, Error> {
        options.check()?;
        let listener = Listener::bind(options.port)?;
        let address = listener.address();
        let tls = authority::server_config(&options.name)?;
        let objects = Objects::new(Memory::new(options.history));
        seed::plant(&objects, &options, address.port())?;
        let credential = Credential::random();
        let endpoint = format!("https://{address}");
        let kubeconfig = kubeconfig::write(&options.name, &endpoint, authority::certificate(), credential.token());
        let (ended, tasks) = (CancellationToken::new(), TaskTracker::new());
        let faults = Faults::new(objects.memory().clone());
        let tally = Tally::default();
        let router = router::router(
            MemberBackend::new(objects.clone(), ended.clone()),
            Options {
                git_version: options.git_version(),
                ..Options::default()
            },
            credential,
            faults.clone(),
            tally.clone(),
        );
        let [_, _, third, _] = seed::trait_of(&options.name).to_be_bytes();
        let settings = Settings {
            pace: options.pace.clone(),
            balancers: format!("198.18.{third}"),
            history_age: options.history_age,
        };
        let engine = Engine::new(objects.clone(), settings, options.events);
        tasks.spawn(engine.run(ended.clone()));
        let server = Server::new(
            tls,
            router,
            faults.clone(),
            ended.clone(),
            tasks.clone(),
            options.connections,
        );
        tasks.spawn(listener.serve(server));
        tracing::debug!(cluster.name = options.name, endpoint, "a simulated member has started");
        Ok(Self {
            name: options.name,
            endpoint,
            kubeconfig,
            objects,
            faults,
            tally,
            tasks,
            ended: ended.drop_guard(),
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A kubeconfig of an administrator, CA and token inline.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig.clone()
    }

    /// The address of the API, such as `https://127.0.0.1:41234`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The objects.
    pub fn memory(&self) -> &Memory {
        self.objects.memory()
    }

    /// How often it was asked.
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Makes a node ready, or one that nobody hears from.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn set_node_ready(&self, node: &str, is_ready: bool) -> Result<(), Status> {
        let nodes = Kind::Node.resource();
        self.memory()
            .modify(nodes, "", node, |node| seed::nodes::set_ready(node, is_ready))?
            .map(|_| ())
            .ok_or_else(|| nodes.not_found(node))
    }

    /// Ends the member: nothing is accepted any more, what is under way gets a moment.
    pub async fn stop(self) {
        let Self { tasks, ended, .. } = self;
        drop(ended);
        tasks.close();
        tasks.wait().await;
    }
}
