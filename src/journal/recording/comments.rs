//! Who owns an end, as a comment on the first packet of its flow that is written once that is known.
//!
//! For whoever looks with Wireshark: the owners that sockscope shows come back from the entries. A claim is of the
//! connection at hand: with a newer SYN on its tuple it is dropped.

use std::sync::Arc;

use hashbrown::HashMap;

use super::samples::Fresh;
use super::words::Called;
use crate::base::{Endpoint, TcpState, Timestamp};
use crate::engine::Input;
use crate::kernel::{KernelEvent, Owner, Owners, Process, Socket, SocketSample};
use crate::wire::Segment;

/// Claims that wait for a packet, sockets whose holder is not known, listeners: at most so many of each.
const MAX: usize = 65_536;

/// What was not commented on yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Comments {
    /// By the end that is owned and its peer.
    claims: HashMap<(Endpoint, Endpoint), Claim>,
    /// Sockets that nobody was known to hold, by inode.
    unheld: HashMap<u64, (Endpoint, Endpoint)>,
    listeners: HashMap<Endpoint, Owner>,
    now: Timestamp,
}

#[derive(Debug, Clone)]
struct Claim {
    since: Timestamp,
    process: Arc<Process>,
    relation: Relation,
}

#[derive(Debug, Clone, Copy)]
enum Relation {
    Held { fd: u32 },
    Connected,
    Closed,
}

impl Comments {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What an event of the kernel tells.
    pub(super) fn hear(&mut self, input: &Input) {
        let (local, peer, process, relation) = match input {
            Input::Kernel(KernelEvent::Connect(connect)) => {
                let Some(process) = &connect.process else { return };
                (connect.local, connect.peer, process, Relation::Connected)
            }
            Input::Kernel(KernelEvent::Close(close)) => (close.local, close.peer, &close.process, Relation::Closed),
            _ => return,
        };
        self.claim((local, peer), Claim { since: input.ts(), process: process.clone(), relation });
    }

    /// A reading begins: where it covers listeners, they take the place of those before.
    pub(super) fn reading(&mut self, sample: &SocketSample) -> &mut Self {
        self.now = sample.ts;
        if sample.covers.states().has(TcpState::Listen) {
            self.listeners.clear();
        }
        let listening = sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::Listen);
        for socket in listening.take(MAX) {
            if let Some(owner) = holder(socket, &sample.owners) {
                self.listeners.insert(socket.local, owner.clone());
            }
        }
        self
    }

    /// What is to be said on a packet, a comment each.
    pub(super) fn on(&mut self, segment: &Segment, mut say: impl FnMut(&str)) {
        if segment.flags.pure_syn()
            && !self.listeners.is_empty()
            && let Some(owner) = self.listener(segment.dst)
        {
            say(&format!("{} listened on by {}, fd {}", segment.dst, Called(&owner.process), owner.fd));
        }
        if self.claims.is_empty() {
            return;
        }
        for (local, peer) in [(segment.src, segment.dst), (segment.dst, segment.src)] {
            let claim = self.claims.remove(&(local, peer));
            let Some(claim) = claim.filter(|claim| !segment.flags.pure_syn() || segment.ts <= claim.since) else {
                continue;
            };
            let process = Called(&claim.process);
            say(&match claim.relation {
                Relation::Held { fd } => format!("{local} held by {process}, fd {fd}"),
                Relation::Connected => format!("{local} connected by {process}"),
                Relation::Closed => format!("{local} closed by {process}"),
            });
        }
    }

    fn listener(&self, end: Endpoint) -> Option<&Owner> {
        let wildcards = [std::net::Ipv4Addr::UNSPECIFIED.into(), std::net::Ipv6Addr::UNSPECIFIED.into()];
        let ends = wildcards.map(|ip: std::net::IpAddr| Endpoint::new(ip, end.port()));
        [end, ends[0], ends[1]].iter().find_map(|end| self.listeners.get(end))
    }

    fn claim(&mut self, tuple: (Endpoint, Endpoint), claim: Claim) {
        if self.claims.len() >= MAX {
            // Of flows of which no packet came since.
            self.claims.clear();
        }
        self.claims.insert(tuple, claim);
    }
}

impl Fresh for Comments {
    fn socket(&mut self, socket: &Socket, owners: &Owners) {
        let Some(inode) = socket.inode.filter(|_| socket.state.0 != TcpState::Listen) else { return };
        let tuple = (socket.local, socket.peer);
        match holder(socket, owners) {
            Some(owner) => self.held_by(tuple, owner),
            None if self.unheld.len() < MAX => drop(self.unheld.insert(inode, tuple)),
            None => {}
        }
    }

    fn held(&mut self, inode: u64, owners: &[Owner]) {
        if let (Some(tuple), Some(owner)) = (self.unheld.remove(&inode), owners.first()) {
            self.held_by(tuple, owner);
        }
    }
}

impl Comments {
    fn held_by(&mut self, tuple: (Endpoint, Endpoint), owner: &Owner) {
        let relation = Relation::Held { fd: owner.fd };
        self.claim(tuple, Claim { since: self.now, process: owner.process.clone(), relation });
    }
}

fn holder<'a>(socket: &Socket, owners: &'a Owners) -> Option<&'a Owner> {
    owners.by_inode.get(&socket.inode?)?.first()
}
