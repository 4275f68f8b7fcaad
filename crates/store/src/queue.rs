//! What waits for the writer, and how much of it shares a commit.

use tokio::sync::{mpsc, oneshot};

use crate::error::Result;
use crate::recordings::Recording;
use crate::writer::{Transaction, Written};

/// Requests that may wait; one more waits for room.
pub(crate) const ROOM: usize = 1024;
/// Most requests that share a commit, and about how many rows do.
const REQUESTS: usize = 64;
const ROWS: usize = 4096;

/// What waits for the writer.
pub(crate) enum Request {
    /// A transaction with a revision.
    Write {
        transaction: Transaction,
        answer: oneshot::Sender<Result<Written>>,
    },
    /// Records of propagation, which have none.
    Record {
        recording: Recording,
        answer: oneshot::Sender<Result<()>>,
    },
}

impl Request {
    fn is_given_up(&self) -> bool {
        match self {
            Self::Write { answer, .. } => answer.is_closed(),
            Self::Record { answer, .. } => answer.is_closed(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Write { transaction, .. } => transaction.writes.len(),
            Self::Record { recording, .. } => recording.rows(),
        }
    }
}

/// Requests that share a commit, and whom to answer.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) writers: Vec<oneshot::Sender<Result<Written>>>,
    pub(crate) recordings: Vec<Recording>,
    pub(crate) recorders: Vec<oneshot::Sender<Result<()>>>,
}

impl Batch {
    /// Takes what waits behind the first, as far as it fits into one commit.
    pub(crate) fn gather(first: Request, queue: &mut mpsc::Receiver<Request>) -> Self {
        let mut batch = Self::default();
        let (mut requests, mut rows) = (1, first.rows());
        batch.add(first);
        while requests < REQUESTS
            && rows < ROWS
            && let Ok(next) = queue.try_recv()
        {
            requests += 1;
            rows += next.rows();
            batch.add(next);
        }
        batch
    }

    fn add(&mut self, request: Request) {
        match request {
            // Who has gone wants nothing written any more.
            request if request.is_given_up() => {}
            Request::Write { transaction, answer } => {
                self.transactions.push(transaction);
                self.writers.push(answer);
            }
            Request::Record { recording, answer } => {
                self.recordings.push(recording);
                self.recorders.push(answer);
            }
        }
    }
}
