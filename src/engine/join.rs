//! The join: rows of the socket table to flows, by tuple, and to their owners. A reading may cover a part of the table:
//! what it does not cover stays as it was.
//!
//! Read first: KERNEL facts in the architecture text; net/ipv4/inet_diag.c. What a row cannot tell (TIME-WAIT's and
//! SYN-RECV's owner) is taken from the connection's earlier life or from its listener, and said so.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Endpoint, StateSet, TcpState, Timestamp};
use crate::flow::Side;
use crate::kernel::{Covers, Socket, SocketSample, TableSource};

use super::Engine;
use super::FlowId;
use super::dashboard::LastWordSight;
use super::end::End;
use super::findings::Watch;
use super::listened::Listened;
use super::listening::{Listener, ListenerOwners};
use super::opener::{listener_of, listening_ends};
use super::ports::Ports;
use super::readings::Readings;
use super::record::Record;
use super::table::{Slot, Tuple, side_of};
use super::time_wait;

/// Sockets of which the queues are kept over time, at most.
const HISTORIES: usize = 4096;
/// What is a connection's end.
pub(super) const CONNECTIONS: StateSet = StateSet::ALL.without(StateSet::of(&[TcpState::Listen, TcpState::Closed]));

/// What is remembered of the kernel's side as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct KernelSide {
    pub(super) readings: Readings,
    /// Readings of connections so far.
    number: u64,
    /// The ends that the kernel holds, by the last readings, or may hold.
    present: Vec<Present>,
    pub(super) listeners: Vec<Listener>,
    pub(super) listening: Arc<ListenerOwners>,
    /// Where somebody listened in any reading.
    pub(super) listened: Listened,
    pub(super) time_wait: time_wait::Groups,
    pub(super) ports: Ports,
    pub(super) watch: Watch,
    /// `None` where last words are not listened to.
    pub(super) last_words: Option<LastWordSight>,
}

/// How many readings in a row must be without an end to tell that it is gone: /proc/net/tcp, which is not read in one
/// moment, may leave one out.
pub(super) const fn patience(sample: &SocketSample) -> u32 {
    match sample.source {
        TableSource::Proc => 2,
        TableSource::Diag => 1,
    }
}

impl KernelSide {
    /// Whether the socket table was read at all.
    pub(super) fn is_seen(&self) -> bool {
        self.readings.newest().is_some()
    }

    /// What the lists hold that grow with the host's sockets and connects, bytes.
    pub(super) fn held(&self) -> usize {
        let present = self.present.capacity() * size_of::<Present>();
        present + self.listened.held() + self.ports.held()
    }
}

/// An end that a reading had: its flow, and its own address (sides may yet be exchanged).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Present {
    slot: Slot,
    flow: FlowId,
    local: Endpoint,
}

impl Engine {
    pub(super) fn sample(&mut self, sample: &Arc<SocketSample>) {
        self.learn_addresses(&sample.local_addresses);
        match &sample.covers {
            Covers::States(states) => self.read_states(sample, *states),
            Covers::Sockets(asked) => self.read_sockets(sample, asked),
        }
    }

    /// Takes in every socket in `states`.
    fn read_states(&mut self, sample: &Arc<SocketSample>, states: StateSet) {
        if states.has(TcpState::Listen) {
            self.read_listeners(sample);
        }
        self.kernel.readings.take(sample);
        if states.meets(CONNECTIONS) {
            self.read_connections(sample, states);
        }
        self.states.read_kernel(sample.ts, self.kernel.readings.counts(states));
        if states.has(TcpState::TimeWait) {
            self.kernel.time_wait = self.group_time_wait(sample);
        }
        self.watch(sample, states);
    }

    fn read_connections(&mut self, sample: &SocketSample, states: StateSet) {
        self.kernel.number += 1;
        let is_connection = |socket: &&Socket| CONNECTIONS.has(socket.state.0);
        let mut present = Vec::with_capacity(sample.sockets.len());
        for socket in sample.sockets.iter().filter(is_connection) {
            present.extend(self.join(sample, socket));
        }
        let before = std::mem::replace(&mut self.kernel.present, present);
        self.forget_missing(before, sample, states);
        self.bound_histories();
        self.read_ports(sample);
    }

    /// Takes in sockets that were looked up one by one.
    fn read_sockets(&mut self, sample: &SocketSample, asked: &[(Endpoint, Endpoint)]) {
        self.kernel.number += 1;
        for (local, peer) in asked {
            let found = sample.sockets.iter().find(|socket| (socket.local, socket.peer) == (*local, *peer));
            match found.filter(|socket| CONNECTIONS.has(socket.state.0)) {
                Some(socket) => self.read_one(sample, socket),
                None if !sample.incomplete => self.miss_one(sample, *local, *peer),
                None => {}
            }
        }
    }

    fn read_one(&mut self, sample: &SocketSample, socket: &Socket) {
        let slot = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
        let known = slot.map(|slot| Present { slot, flow: self.table.get(slot).id, local: socket.local });
        let held = known.filter(|present| self.end_of(present).is_some_and(|end| end.gone.is_none()));
        let Some(joined) = self.join(sample, socket) else { return };
        self.change_end(&joined, sample.ts, |end| end.looked_up = true);
        // One that was gone may be in the list or not.
        if held != Some(joined) && !self.kernel.present.contains(&joined) {
            self.kernel.present.push(joined);
        }
    }

    /// One that a look-up has found before is gone; another may be out of its reach (bound to an interface, say).
    fn miss_one(&mut self, sample: &SocketSample, local: Endpoint, peer: Endpoint) {
        let Some(slot) = self.table.find(&Tuple::new(sample.scope, local, peer)) else { return };
        let present = Present { slot, flow: self.table.get(slot).id, local };
        if self.end_of(&present).is_some_and(|end| end.gone.is_none() && end.looked_up) {
            self.vanish(&present, sample.ts);
        }
    }

    /// The sockets of a flow that can be looked up one by one: own end, peer.
    pub fn sockets_of(&self, id: FlowId) -> Vec<(Endpoint, Endpoint)> {
        let Some(record) = self.table.find_id(id).map(|slot| self.table.get(slot)) else { return Vec::new() };
        let there = |side: &Side| record.local[side.index()] && record.end(*side).is_none_or(|end| end.gone.is_none());
        let ends = Side::BOTH.into_iter().filter(there);
        ends.map(|side| (record.endpoint(side), record.endpoint(side.peer()))).collect()
    }

    fn read_ports(&mut self, sample: &SocketSample) {
        let listened = |end: &Endpoint| self.kernel.listened.contains(&(sample.scope, *end));
        let without_timestamps = |socket: &Socket| {
            let slot = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
            let flow = slot.and_then(|slot| self.table.get(slot).wire.as_ref());
            flow.is_some_and(|flow| flow.handshake().offered.iter().flatten().any(|syn| !syn.timestamps && !syn.cut))
        };
        let read = self.kernel.readings.sockets().map(|(_, socket)| socket);
        let sockets: Vec<&Socket> = read.chain(self.left_sockets()).collect();
        let came_in = |end| listening_ends(end).iter().any(listened);
        let used = self.kernel.ports.count(sample.scope, &sample.limits, &sockets, came_in, without_timestamps);
        let mut ports = std::mem::take(&mut self.kernel.ports);
        let held =
            |record: &Record, end: &End| self.owner(record, side_of(record, end.socket.local)).process().cloned();
        ports.take(used, sample.ts, self.present_ends(), held);
        self.kernel.ports = ports;
    }

    /// Joins one socket to its flow, which begins here if neither wire nor kernel had shown it. `None` if the flow on
    /// its tuple began after a reading that comes late: the socket is of a connection before it.
    fn join(&mut self, sample: &SocketSample, socket: &Socket) -> Option<Present> {
        let tuple = Tuple::new(sample.scope, socket.local, socket.peer);
        let slot = match self.table.find(&tuple) {
            Some(slot) if self.table.get(slot).first > sample.ts => return None,
            found => found.and_then(|slot| self.owner_of(slot, socket)),
        };
        let begins = slot.is_none();
        let slot = slot.unwrap_or_else(|| self.begin_by_kernel(sample, socket));
        let reading = self.kernel.number;
        let listening = self.kernel.listening.clone();
        let listener = listener_of(&listening, socket.local);
        self.change(slot, sample.ts, |record| {
            record.touched = record.touched.max(sample.ts);
            record.learn_opener(socket.local, listener.is_some());
            let side = side_of(record, socket.local);
            if (side, socket.state.0) == (Side::Orig, TcpState::SynSent)
                && let Some(flow) = &mut record.wire
            {
                flow.await_still(sample.ts, socket.timer.map(|timer| timer.left));
            }
            let claimed = record.claimed(side);
            let end =
                record.ends[side.index()].get_or_insert_with(|| Arc::new(End::new(socket.clone(), sample.ts, reading)));
            let end = Arc::make_mut(end);
            if end.reading != reading {
                end.read(socket.clone(), sample.ts, reading);
            }
            end.began = sample.ts - sample.took;
            end.name_owner(&sample.owners, listener);
            end.compare(claimed);
        });
        if begins {
            self.name_waiting_caller(slot);
        }
        Some(Present { slot, flow: self.table.get(slot).id, local: socket.local })
    }

    /// The flow that `socket` is an end of: the one in `slot`, or where nothing has proven the SYN that began that one,
    /// the incarnation before.
    fn owner_of(&self, slot: Slot, socket: &Socket) -> Option<Slot> {
        let is_read =
            |record: &Record| record.end(side_of(record, socket.local)).is_some_and(|end| end.is_same(socket));
        let before = self.older_of(self.table.get(slot)).filter(|before| is_read(self.table.get(*before)));
        before.or_else(|| self.is_end_of(slot, socket).then_some(slot))
    }

    /// Whether `socket` is an end of the flow in `slot`, and not of a later connection on the same tuple.
    fn is_end_of(&self, slot: Slot, socket: &Socket) -> bool {
        let record = self.table.get(slot);
        record.end(side_of(record, socket.local)).is_none_or(|end| end.is_same(socket))
    }

    fn begin_by_kernel(&mut self, sample: &SocketSample, socket: &Socket) -> Slot {
        self.make_room();
        let (accepted, orig_known) = self.opened_by_peer(sample, socket);
        let (orig, resp) = if accepted { (socket.peer, socket.local) } else { (socket.local, socket.peer) };
        let local = self.locality(orig, resp);
        self.table.insert(|record| {
            (record.scope, record.orig, record.resp) = (sample.scope, orig, resp);
            (record.orig_known, record.local) = (orig_known, local);
            (record.first, record.touched) = (sample.ts, sample.ts);
        })
    }

    /// Since when inferred and reported state of an end disagree; no claim of a flow of which segments may have been
    /// lost on their way here.
    pub(super) fn mismatch_since(&self, record: &Record, side: Side) -> Option<Timestamp> {
        let whole = self.lost_at.is_none_or(|lost_at| record.first > lost_at);
        let since = record.end(side).filter(|end| end.is_there())?.mismatch_since()?;
        (whole && record.outdated(side).is_none()).then_some(since)
    }

    fn end_of(&self, Present { slot, flow, local }: &Present) -> Option<&End> {
        let record = self.table.still(*slot, *flow)?;
        record.end(side_of(record, *local))
    }

    /// Every end that the kernel held at the last reading of its state and that is still in the table.
    pub(super) fn present_ends(&self) -> impl Iterator<Item = (&Record, &End)> {
        self.kernel.present.iter().filter_map(|present| {
            let end = self.end_of(present).filter(|end| end.is_there())?;
            Some((self.table.get(present.slot), end))
        })
    }

    /// The sockets that have left the state that they were read in, and may be in one that was not read since.
    fn left_sockets(&self) -> impl Iterator<Item = &Socket> {
        let ends = self.kernel.present.iter().filter_map(|present| self.end_of(present));
        ends.filter(|end| end.left.is_some()).map(|end| &end.socket)
    }

    /// Ends that were there before and are not in this reading are gone, where that can be told: an interrupted dump
    /// may have left them out, and of a state that was not asked for nothing is said. See [`patience`].
    fn forget_missing(&mut self, before: Vec<Present>, sample: &SocketSample, states: StateSet) {
        let patience = patience(sample);
        for present in before {
            let Some(end) = self.end_of(&present).filter(|end| end.gone.is_none()) else { continue };
            if end.reading == self.kernel.number {
                continue;
            }
            let may_be = end.may_be().onward().without(states);
            let missed = end.missed + 1;
            if sample.incomplete || may_be.has(end.socket.state.0) {
                self.kernel.present.push(present);
            } else if missed < patience {
                self.kernel.present.push(present);
                self.change_end(&present, sample.ts, |end| end.missed = missed);
            } else if may_be.is_empty() {
                self.vanish(&present, sample.ts);
            } else {
                self.kernel.present.push(present);
                self.change_end(&present, sample.ts, |end| end.leave(sample.ts, may_be));
            }
        }
    }

    fn change_end(&mut self, Present { slot, local, .. }: &Present, at: Timestamp, change: impl FnOnce(&mut End)) {
        self.change(*slot, at, |record| {
            let side = side_of(record, *local);
            if let Some(end) = &mut record.ends[side.index()] {
                change(Arc::make_mut(end));
            }
        });
    }

    /// Keeps the queues' histories of the sockets that had most in them, where too many had something.
    fn bound_histories(&mut self) {
        let keeps = |present: &&Present| self.end_of(present).is_some_and(End::keeps_queues);
        if self.kernel.present.iter().filter(keeps).nth(HISTORIES).is_none() {
            return;
        }
        let most = |present: &Present| self.end_of(present).map_or(0, End::longest_queue);
        let kept = self.kernel.present.iter().filter(keeps);
        let mut kept: Vec<(u32, Present)> = kept.map(|present| (most(present), *present)).collect();
        kept.select_nth_unstable_by_key(HISTORIES, |(most, present)| (Reverse(*most), present.flow, present.local));
        for (_, present) in kept.split_off(HISTORIES) {
            self.change_end(&present, self.now.unwrap_or_default(), End::forget_queues);
        }
    }

    fn vanish(&mut self, end: &Present, at: Timestamp) {
        let let_go = self.is_let_go(end.slot, at);
        self.change(end.slot, at, |record| {
            let side = side_of(record, end.local);
            if let Some(end) = &mut record.ends[side.index()] {
                Arc::make_mut(end).vanish(at);
            }
            if side == Side::Orig
                && let Some(flow) = &mut record.wire
            {
                flow.abandon(at, let_go);
            }
        });
    }

    /// Learns which addresses are this host's; what was counted before is counted again.
    fn learn_addresses(&mut self, addresses: &Arc<[IpAddr]>) {
        if self.addresses.as_ref().is_some_and(|known| known == addresses) {
            return;
        }
        self.addresses = Some(addresses.clone());
        self.states.know_local();
        let slots: Vec<Slot> = self.table.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let record = self.table.get(slot);
            let local = self.locality(record.orig, record.resp);
            if local != record.local {
                self.change(slot, self.now.unwrap_or(Timestamp::MIN), |record| record.local = local);
            }
        }
    }

    /// Whether an end of a record is on this host; `None` while nothing tells that.
    pub(super) fn is_local(&self, record: &Record, side: Side) -> Option<bool> {
        self.addresses.as_ref().map(|_| record.local[side.index()])
    }

    /// Which of two ends are on this host.
    pub(super) fn locality(&self, orig: Endpoint, resp: Endpoint) -> [bool; 2] {
        let Some(addresses) = &self.addresses else { return [false; 2] };
        [orig, resp].map(|end| end.ip().is_loopback() || addresses.binary_search(&end.ip()).is_ok())
    }
}
