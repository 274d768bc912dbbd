//! Ports that bind(2) gave to sockets which connect from them: no other connect() gets such a port, whereto ever.
//!
//! Read first: net/ipv4/inet_hashtables.c (`__inet_hash_connect` passes over a port whose bucket bind() made). A
//! reading of the socket table shows a socket bound only in the moment between bind(2) and connect(2); of those that
//! did both between two readings the trace tells, by the connection's ends.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::kernel::{Connect, Socket};

/// What is told and not seen in the table yet, at most, and for how long: until every state has been read.
const MOST: usize = 1 << 15;
const PATIENCE: Duration = Duration::from_secs(10);

/// Which they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound {
    /// Those on which the last reading had a socket.
    ports: BTreeSet<(Scope, u16)>,
    told: VecDeque<Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Timestamp,
    scope: Scope,
    local: Endpoint,
    peer: Endpoint,
}

impl Bound {
    /// What is told and not seen yet, bytes.
    pub(super) fn held(&self) -> usize {
        self.told.capacity() * size_of::<Told>()
    }

    /// Takes in what the trace tells of a connect().
    pub(super) fn tell(&mut self, connect: &Connect) {
        if !connect.bound || connect.here == Some(false) {
            return;
        }
        if self.told.len() == MOST {
            self.told.pop_front();
        }
        let Connect { end: at, scope, local, peer, .. } = *connect;
        self.told.push_back(Told { at, scope, local, peer });
    }

    /// Which ports of these sockets are held so: a socket is bound and nothing more, was told of, or another one was
    /// before on the same port, which holds it until the last of them is gone.
    pub(super) fn among<'a>(&self, scope: Scope, sockets: impl Iterator<Item = &'a Socket>) -> BTreeSet<(Scope, u16)> {
        let told: FxHashSet<(Endpoint, Endpoint)> =
            self.told.iter().filter(|told| told.scope == scope).map(|told| (told.local, told.peer)).collect();
        let held = |socket: &&Socket| {
            socket.state.0 == TcpState::Closed
                || self.ports.contains(&(scope, socket.local.port()))
                || told.contains(&(socket.local, socket.peer))
        };
        sockets.filter(held).map(|socket| (scope, socket.local.port())).collect()
    }

    /// Remembers what a reading showed.
    pub(super) fn take(&mut self, ports: BTreeSet<(Scope, u16)>, at: Timestamp) {
        self.told.retain(|told| at.since(told.at) < PATIENCE && !ports.contains(&(told.scope, told.local.port())));
        self.ports = ports;
    }
}
