//! The join: rows of the socket table to flows, by tuple, and to their owners.
//!
//! Read first: KERNEL facts in the architecture text; net/ipv4/inet_diag.c. What a row cannot tell (TIME-WAIT's and
//! SYN-RECV's owner) is taken from the connection's earlier life or from its listener, and said so.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::findings::Run;
use crate::flow::{Class, Side};
use crate::kernel::{Owner, Socket, SocketSample, TableSource};

use super::Engine;
use super::FlowId;
use super::dashboard::KernelSight;
use super::end::End;
use super::findings::Watch;
use super::listened::Listened;
use super::opener::{listener_of, listening_ends};
use super::opening::Watched;
use super::ownership::Ownership;
use super::ports::Ports;
use super::record::{FirstFrame, Record};
use super::table::{Place, Slot, Tuple, side_of};
use super::time_wait;

/// Readings kept of a listener's accept queue.
const KEPT: usize = 60;

/// What is remembered of the kernel's side as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct KernelSide {
    pub(super) sight: Option<KernelSight>,
    pub(super) last: Option<Arc<SocketSample>>,
    readings: u64,
    /// The ends that the last reading had.
    present: Vec<Present>,
    pub(super) listeners: Vec<Listener>,
    /// Where somebody listened in any reading.
    pub(super) listened: Listened,
    pub(super) time_wait: time_wait::Groups,
    pub(super) close_wait: time_wait::CloseWait,
    pub(super) ports: Ports,
    pub(super) watch: Watch,
    first_overflows: Option<i64>,
    first_drops: Option<i64>,
}

/// A listening socket and its accept queue over time.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub(super) scope: Scope,
    pub(super) socket: Socket,
    pub(super) owner: Ownership,
    pub(super) waiting: VecDeque<u32>,
    /// The first reading that had it.
    pub(super) since: Timestamp,
    /// When readings found the accept queue over its limit.
    pub(super) over: Option<Run>,
}

/// An end that a reading had: its flow, and its own address (sides may yet be exchanged).
#[derive(Debug, Clone, Copy)]
struct Present {
    slot: Slot,
    flow: FlowId,
    local: Endpoint,
}

/// Which processes hold a listener, by its local end.
pub(super) type ListenerOwners = FxHashMap<Endpoint, Vec<Owner>>;

impl KernelSide {
    /// Growth of `TcpExt.ListenOverflows` and `ListenDrops` since the first reading.
    pub(super) fn listen_losses(&self) -> (Option<u64>, Option<u64>) {
        let now = |name| self.last.as_ref().and_then(|sample| sample.counters.get(name));
        let since = |first: Option<i64>, name| Some(u64::try_from(now(name)? - first?).unwrap_or(0));
        (since(self.first_overflows, "TcpExt.ListenOverflows"), since(self.first_drops, "TcpExt.ListenDrops"))
    }
}

impl Engine {
    pub(super) fn sample(&mut self, sample: &Arc<SocketSample>) {
        self.learn_addresses(&sample.local_addresses);
        self.kernel.readings += 1;
        let listening = self.read_listeners(sample);
        let mut present = Vec::with_capacity(sample.sockets.len());
        for socket in &sample.sockets {
            if !matches!(socket.state.0, TcpState::Listen | TcpState::Closed) {
                present.extend(self.join(sample, socket, &listening));
            }
        }
        let before = std::mem::replace(&mut self.kernel.present, present);
        self.forget_missing(before, sample);
        self.states.read_kernel(sample.ts, sample.sockets.iter().map(|socket| socket.state.0));
        self.kernel.time_wait = self.group_time_wait(sample);
        self.kernel.close_wait = self.group_close_wait(sample);
        self.read_ports(sample);
        self.kernel.sight = Some(self.sight(sample));
        self.kernel.first_overflows = self.kernel.first_overflows.or(sample.counters.get("TcpExt.ListenOverflows"));
        self.kernel.first_drops = self.kernel.first_drops.or(sample.counters.get("TcpExt.ListenDrops"));
        self.watch(sample);
        self.kernel.last = Some(sample.clone());
    }

    fn read_ports(&mut self, sample: &SocketSample) {
        let listened = |end: &Endpoint| self.kernel.listened.contains(&(sample.scope, *end));
        let without_timestamps = |socket: &Socket| {
            let slot = self.table.find(&Tuple::new(sample.scope, socket.local, socket.peer));
            let flow = slot.and_then(|slot| self.table.get(slot).wire.as_ref());
            flow.is_some_and(|flow| flow.handshake().offered.iter().flatten().any(|syn| !syn.timestamps && !syn.cut))
        };
        let used = self.kernel.ports.count(sample, |end| listening_ends(end).iter().any(listened), without_timestamps);
        let mut ports = std::mem::take(&mut self.kernel.ports);
        let held =
            |record: &Record, end: &End| self.owner(record, side_of(record, end.socket.local)).process().cloned();
        let ends = self.present_ends().map(|(record, end)| (record.scope, record, end));
        ports.take(used, sample.ts, ends, held);
        self.kernel.ports = ports;
    }

    fn read_listeners(&mut self, sample: &SocketSample) -> ListenerOwners {
        let before = std::mem::take(&mut self.kernel.listeners);
        let mut known: FxHashMap<_, Listener> =
            before.into_iter().map(|listener| (listener_key(listener.scope, &listener.socket), listener)).collect();
        let mut owners = ListenerOwners::default();
        for socket in sample.sockets.iter().filter(|socket| socket.state.0 == TcpState::Listen) {
            let holders = socket.inode.and_then(|inode| sample.owners.by_inode.get(&inode));
            owners.entry(socket.local).or_default().extend(holders.into_iter().flatten().cloned());
            let before = known.remove(&listener_key(sample.scope, socket));
            let (mut waiting, since, over) =
                before.map_or((VecDeque::new(), sample.ts, None), |before| (before.waiting, before.since, before.over));
            let is_over = socket.send_q.is_some_and(|limit| socket.recv_q > limit);
            self.kernel.listened.note((sample.scope, socket.local), self.kernel.readings);
            if waiting.len() == KEPT {
                waiting.pop_front();
            }
            waiting.push_back(socket.recv_q);
            let mut end = End::new(socket.clone(), sample.ts, self.kernel.readings);
            end.name_owner(&sample.owners, None);
            self.kernel.listeners.push(Listener {
                scope: sample.scope,
                socket: socket.clone(),
                owner: end.owner,
                waiting,
                since,
                over: if is_over { Some(Run::on(over, sample.ts)) } else { over },
            });
        }
        owners
    }

    /// Joins one socket to its flow, which begins here if neither wire nor kernel had shown it. `None` if the flow on
    /// its tuple began after a reading that comes late: the socket is of a connection before it.
    fn join(&mut self, sample: &SocketSample, socket: &Socket, listening: &ListenerOwners) -> Option<Present> {
        let tuple = Tuple::new(sample.scope, socket.local, socket.peer);
        let slot = match self.table.find(&tuple) {
            Some(slot) if self.table.get(slot).first > sample.ts => return None,
            found => found.and_then(|slot| self.owner_of(slot, socket)),
        };
        let begins = slot.is_none();
        let slot = slot.unwrap_or_else(|| self.begin_by_kernel(sample, socket, listening));
        let reading = self.kernel.readings;
        let listener = listener_of(listening, socket.local);
        self.change(slot, sample.ts, |record| {
            record.touched = record.touched.max(sample.ts);
            record.learn_opener(socket.local, listener.is_some());
            let side = side_of(record, socket.local);
            let claimed = record.claimed(side);
            let end =
                record.ends[side.index()].get_or_insert_with(|| Arc::new(End::new(socket.clone(), sample.ts, reading)));
            let end = Arc::make_mut(end);
            if end.reading != reading {
                end.read(socket.clone(), sample.ts, reading);
            }
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

    fn begin_by_kernel(&mut self, sample: &SocketSample, socket: &Socket, listening: &ListenerOwners) -> Slot {
        self.make_room();
        let (accepted, orig_known) = self.opened_by_peer(sample, socket, listening);
        let (orig, resp) = if accepted { (socket.peer, socket.local) } else { (socket.local, socket.peer) };
        let local = self.locality(orig, resp);
        self.table.insert(|id| Record {
            opening: Watched::default(),
            id,
            scope: sample.scope,
            orig,
            resp,
            orig_known,
            wire: None,
            course: None,
            first_frame: FirstFrame::default(),
            rare: None,
            bare: [false; 2],
            ends: [None, None],
            local,
            first: sample.ts,
            touched: sample.ts,
            armed: Timestamp::MAX,
            place: Place::NOWHERE,
            listed: Class::Closed,
        })
    }

    /// Since when inferred and reported state of an end disagree; no claim of a flow of which segments may have been
    /// lost on their way here.
    pub(super) fn mismatch_since(&self, record: &Record, side: Side) -> Option<Timestamp> {
        let whole = self.lost_at.is_none_or(|lost_at| record.first > lost_at);
        record.end(side).filter(|end| end.gone.is_none())?.mismatch_since().filter(|_| whole)
    }

    /// In how many readings, this one included, the end was not.
    fn missed(&self, end: &Present) -> Option<u64> {
        let end = self.end_of(end).filter(|end| end.gone.is_none())?;
        Some(self.kernel.readings - end.reading).filter(|missed| *missed > 0)
    }

    fn end_of(&self, Present { slot, flow, local }: &Present) -> Option<&End> {
        let record = (self.table.find_id(*flow) == Some(*slot)).then(|| self.table.get(*slot))?;
        record.end(side_of(record, *local))
    }

    /// Every end that the last reading had and that is still in the table.
    pub(super) fn present_ends(&self) -> impl Iterator<Item = (&Record, &End)> {
        self.kernel.present.iter().filter_map(|present| {
            let end = self.end_of(present)?;
            Some((self.table.get(present.slot), end))
        })
    }

    /// Ends that were there in readings before and are not in this one are gone, where that can be told: an interrupted
    /// dump may have left them out, and /proc/net/tcp, which is not read in one moment, may have once.
    fn forget_missing(&mut self, before: Vec<Present>, sample: &SocketSample) {
        let patience = if sample.source == TableSource::Proc { 2 } else { 1 };
        for end in before {
            match self.missed(&end) {
                Some(missed) if sample.incomplete || missed < patience => self.kernel.present.push(end),
                Some(_) => self.vanish(&end, sample.ts),
                None => {}
            }
        }
    }

    fn vanish(&mut self, end: &Present, at: Timestamp) {
        let spent = self.tries_spent(end.slot);
        self.change(end.slot, at, |record| {
            let side = side_of(record, end.local);
            if let Some(end) = &mut record.ends[side.index()] {
                Arc::make_mut(end).vanish(at);
            }
            if side == Side::Orig
                && let Some(flow) = &mut record.wire
            {
                flow.abandon(at, spent);
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

    /// Which of two ends are on this host.
    pub(super) fn locality(&self, orig: Endpoint, resp: Endpoint) -> [bool; 2] {
        let Some(addresses) = &self.addresses else { return [false; 2] };
        [orig, resp].map(|end| end.ip().is_loopback() || addresses.binary_search(&end.ip()).is_ok())
    }

    fn sight(&self, sample: &SocketSample) -> KernelSight {
        let ownable = sample.sockets.iter().filter(|socket| socket.inode.is_some());
        let owned = |inode| sample.owners.by_inode.contains_key(&inode);
        KernelSight {
            source: sample.source,
            at: sample.ts,
            took: sample.took,
            sockets: sample.sockets.len() as u64,
            ownable: ownable.clone().count() as u64,
            owned: ownable.filter_map(|socket| socket.inode).filter(|inode| owned(*inode)).count() as u64,
            processes_denied: sample.owners.processes_denied,
        }
    }
}

fn listener_key(scope: Scope, socket: &Socket) -> (Scope, Endpoint, Option<u64>) {
    (scope, socket.local, socket.cookie.or(socket.inode))
}
