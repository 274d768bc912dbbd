//! Listeners: their accept queues over time, and which processes hold them.
//!
//! Read first: listen(2), net/ipv4/inet_connection_sock.c (a queue overflows only past its limit).

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scope, Series, TcpState, Timestamp};
use crate::findings::Run;
use crate::kernel::{Owner, Socket, SocketSample};

use super::Engine;
use super::end::owner_in;
use super::ownership::Ownership;

const SECOND: Duration = Duration::from_secs(1);
/// Seconds kept of a listener's accept queue.
const KEPT: usize = 60;

/// A listening socket and its accept queue over time.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub(super) scope: Scope,
    pub(super) socket: Socket,
    pub(super) owner: Ownership,
    /// Its accept queue when it was longest in each second.
    waiting: Series,
    /// The first reading that had it, and the last.
    pub(super) since: Timestamp,
    at: Timestamp,
    /// When readings found the accept queue over its limit.
    pub(super) over: Option<Run>,
    /// The first of the readings in a row that found it at its limit, or over it.
    pub(super) full_since: Option<Timestamp>,
}

/// Which processes hold a listener, by its local end.
pub(super) type ListenerOwners = FxHashMap<Endpoint, Vec<Owner>>;

impl Listener {
    fn new(scope: Scope, socket: &Socket, at: Timestamp) -> Self {
        Self {
            scope,
            socket: socket.clone(),
            owner: Ownership::Unknown,
            waiting: Series::new(SECOND, KEPT),
            since: at,
            at,
            over: None,
            full_since: None,
        }
    }

    fn read(&mut self, socket: &Socket, sample: &SocketSample) {
        self.owner = owner_in(sample, socket);
        self.waiting.peak(sample.ts, socket.recv_q.into());
        if socket.send_q.is_some_and(|limit| socket.recv_q > limit) {
            self.over = Some(Run::on(self.over, sample.ts));
        }
        let full = socket.recv_q > 0 && socket.send_q.is_some_and(|limit| socket.recv_q >= limit);
        self.full_since = full.then(|| self.full_since.unwrap_or(sample.ts));
        (self.socket, self.at) = (socket.clone(), sample.ts);
    }

    /// Its accept queue in the last seconds up to its last reading, the longest of each, oldest first.
    pub(super) fn history(&self) -> Vec<u64> {
        self.waiting.until(self.at, 0)
    }
}

impl Engine {
    /// Takes in a reading of the listeners.
    pub(super) fn read_listeners(&mut self, sample: &SocketSample) {
        let before = std::mem::take(&mut self.kernel.listeners);
        let mut known: FxHashMap<_, Listener> =
            before.into_iter().map(|listener| (key(listener.scope, &listener.socket), listener)).collect();
        let mut owners = ListenerOwners::default();
        let listening = || sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::Listen);
        self.kernel.listened.read(listening().map(|socket| (sample.scope, socket.local)), sample.ts);
        for socket in listening() {
            let holders = socket.inode.and_then(|inode| sample.owners.by_inode.get(&inode));
            owners.entry(socket.local).or_default().extend(holders.into_iter().flatten().cloned());
            let before = known.remove(&key(sample.scope, socket));
            let mut listener = before.unwrap_or_else(|| Listener::new(sample.scope, socket, sample.ts));
            listener.read(socket, sample);
            self.kernel.listeners.push(listener);
        }
        self.kernel.listening = owners.into();
    }
}

fn key(scope: Scope, socket: &Socket) -> (Scope, Endpoint, Option<u64>) {
    (scope, socket.local, socket.cookie.or(socket.inode))
}
