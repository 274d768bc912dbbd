//! Who opened a connection that the kernel shows, and on whose listener it came in.
//!
//! Read first: net/ipv4/inet_hashtables.c (__inet_lookup_listener), ip-sysctl (ip_local_port_range).

use crate::base::{Endpoint, TcpState};
use crate::flow::{Flow, HandshakeOutcome};
use crate::kernel::{Owner, Socket, SocketSample};

use super::Engine;
use super::end::End;
use super::listening::ListenerOwners;
use super::ownership::Ownership;
use super::record::Record;

impl Engine {
    /// Whether the peer opened a connection that only the kernel shows, and whether that is known: a listener or a
    /// handshake under way tells; else a listener of earlier, or which of the ports is an ephemeral one, lets assume
    /// it.
    pub(super) fn opened_by_peer(&self, sample: &SocketSample, socket: &Socket) -> (bool, bool) {
        if listener_of(&self.kernel.listening, socket.local).is_some() {
            return (true, true);
        }
        match socket.state.0 {
            TcpState::SynSent => return (false, true),
            TcpState::SynRecv => return (true, true),
            _ => {}
        }
        let listened = |end: &Endpoint| self.kernel.listened.contains(&(sample.scope, *end));
        let range = sample.limits.port_range;
        let ephemeral = |end: Endpoint| range.is_some_and(|(first, last)| (first..=last).contains(&end.port()));
        let by_ports = ephemeral(socket.peer) && !ephemeral(socket.local);
        (by_ports || listening_ends(socket.local).iter().any(listened), false)
    }

    /// Who holds the listener on which a flow came in to this host: one that listened before the flow began.
    pub(super) fn came_in_on(&self, record: &Record) -> Option<Ownership> {
        use HandshakeOutcome::{Refused, Waiting};
        // Of one that only readings showed, and only after its end, nothing tells which listener it came in on.
        let was_over = |end: &End| end.socket.state.0 == TcpState::TimeWait;
        if record.wire.is_none() && record.ends.iter().flatten().any(|end| was_over(end)) {
            return None;
        }
        let outcome = record.wire.as_ref().map(Flow::outcome);
        if outcome.is_some_and(|outcome| outcome.is_silence() || matches!(outcome, Waiting | Refused)) {
            return None;
        }
        let at = |end: &Endpoint| {
            let here = self.kernel.listeners.iter().filter(|listener| {
                (listener.scope, listener.socket.local) == (record.scope, *end) && listener.since <= record.first
            });
            let holders: Vec<&Ownership> = here.map(|listener| &listener.owner).collect();
            (!holders.is_empty()).then_some(holders)
        };
        let holders = listening_ends(record.resp).iter().find_map(at)?;
        let held = |owner: &Ownership| match owner {
            Ownership::Held { process, others, .. } => Some((process.clone(), others + 1)),
            _ => None,
        };
        let mut held = holders.into_iter().filter_map(held);
        let (process, count) = held.next()?;
        let others = held.fold(count - 1, |sum, (_, count)| sum + count);
        Some(Ownership::Listener { process, others })
    }
}

/// Who holds the listener on which a connection to `local` came in: the exact address first, then the wildcards,
/// as the kernel looks sockets up (net/ipv4/inet_hashtables.c).
pub(super) fn listener_of(listening: &ListenerOwners, local: Endpoint) -> Option<&[Owner]> {
    listening_ends(local).iter().find_map(|end| listening.get(end)).map(Vec::as_slice)
}

/// The local ends of listeners that take a connection to `local`, the most exact first.
pub(super) fn listening_ends(local: Endpoint) -> [Endpoint; 3] {
    [
        local,
        Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED, local.port()),
        Endpoint::new(std::net::Ipv6Addr::UNSPECIFIED, local.port()),
    ]
}
