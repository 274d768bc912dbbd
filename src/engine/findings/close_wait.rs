//! Who leaves connections in CLOSE-WAIT: groups of them over time by the kernel, by their ages on the wire.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Endpoint, TcpState, Timestamp};
use crate::findings::{
    CLOSE_WAIT_FEW as FEW, CLOSE_WAIT_PATIENCE as PATIENCE, CLOSE_WAIT_WATCHED as WATCHED_FOR, CloseWait, Holder,
};
use crate::flow::{Flow, Side};

use super::super::Engine;
use super::super::end::End;
use super::super::record::Record;
use super::super::table::Slot;
use super::holder;

/// The span over which growth is measured.
const MEASURED: Duration = Duration::from_secs(60);
/// How far apart the readings are that are kept of it.
const STEP: Duration = Duration::from_secs(1);
/// Groups watched, the largest.
const WATCHED: usize = 64;

/// Whose sockets they are: a process (pid and start time), or an address and a service where none is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    Process(u32, Option<u64>),
    Unknown(IpAddr, Endpoint),
}

/// The groups of a reading: what each is, and when its sockets were first seen in CLOSE-WAIT.
pub(super) type Groups = BTreeMap<Whose, Group>;

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    holder: Option<IpAddr>,
    who: Option<Holder>,
    services: BTreeMap<Endpoint, u64>,
    end_read: u64,
    end_unread: u64,
    bytes_unread: u64,
    never_accepted: u64,
    by_wire: u64,
    young: u64,
    sending: u64,
    entered: Vec<Timestamp>,
}

/// The groups that are large enough to matter, over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Leaks {
    watched: BTreeMap<Whose, Growth>,
    groups: Vec<CloseWait>,
}

/// How many there were at readings of the last [`MEASURED`], [`STEP`] or more apart.
#[derive(Debug, Clone)]
struct Growth {
    since: Timestamp,
    readings: VecDeque<(Timestamp, u64)>,
    /// Whether they have grown for long enough to tell it, at any reading since then.
    has_grown: bool,
}

impl Leaks {
    /// Takes in what a reading shows.
    pub(super) fn take(&mut self, at: Timestamp, groups: Groups) {
        let mut large: Vec<(Whose, Group)> =
            groups.into_iter().filter(|(_, group)| group.entered.len() as u64 >= FEW).collect();
        large.sort_by_key(|(whose, group)| (std::cmp::Reverse(group.entered.len()), *whose));
        large.truncate(WATCHED);
        let mut before = std::mem::take(&mut self.watched);
        self.groups.clear();
        for (whose, group) in large {
            let fresh = || Growth { since: at, readings: VecDeque::new(), has_grown: false };
            let mut growth = before.remove(&whose).unwrap_or_else(fresh);
            growth.take(at, group.entered.len() as u64);
            let (rate, measured) = growth.rate();
            growth.has_grown |= rate > 0.0 && measured >= WATCHED_FOR;
            let told = group.told(growth.since, rate, measured);
            self.groups.extend(told.map(|told| CloseWait { has_grown: growth.has_grown, ..told }));
            self.watched.insert(whose, growth);
        }
    }

    /// As of the last reading.
    pub(super) fn groups(&self) -> &[CloseWait] {
        &self.groups
    }
}

impl Growth {
    fn take(&mut self, at: Timestamp, count: u64) {
        // The newest stands until the next is a step away from the one before it.
        let newest_is_near = self.readings.iter().rev().nth(1).is_some_and(|(then, _)| at.since(*then) < STEP);
        if newest_is_near {
            self.readings.pop_back();
        }
        self.readings.push_back((at, count));
        while self.readings.get(1).is_some_and(|(then, _)| at.since(*then) > MEASURED) {
            self.readings.pop_front();
        }
    }

    /// How many more a second, and over how long: 0 unless they have grown through both halves of the span.
    fn rate(&self) -> (f64, Duration) {
        let (Some((began, first)), Some((now, last))) = (self.readings.front(), self.readings.back()) else {
            return (0.0, Duration::ZERO);
        };
        let (_, middle) = self.readings[self.readings.len() / 2];
        let span = now.since(*began);
        let grew = *first < middle && middle < *last;
        (if grew { (last - first) as f64 / span.as_secs_f64() } else { 0.0 }, span)
    }
}

impl Group {
    fn add(&mut self, record: &Record, local: Endpoint, entered: Timestamp) {
        self.holder.get_or_insert(local.ip());
        *self.services.entry(record.resp).or_default() += 1;
        self.entered.push(entered);
    }

    fn add_socket(&mut self, record: &Record, end: &End) {
        self.add(record, end.socket.local, end.state_since);
        self.who =
            self.who.take().or_else(|| holder(&end.owner).map(|holder| Holder { fd: None, others: 0, ..holder }));
        match (end.socket.inode, end.socket.recv_q) {
            (None, _) => self.never_accepted += 1,
            (Some(_), 0) => self.end_read += 1,
            (Some(_), 1) => self.end_unread += 1,
            (Some(_), _) => self.bytes_unread += 1,
        }
    }

    fn told(&self, since: Timestamp, growth: f64, measured: Duration) -> Option<CloseWait> {
        let most = self.services.iter().max_by_key(|(service, count)| (**count, std::cmp::Reverse(**service)))?;
        Some(CloseWait {
            holder: self.holder?,
            service: *most.0,
            who: self.who.clone(),
            end_read: self.end_read,
            end_unread: self.end_unread,
            bytes_unread: self.bytes_unread,
            never_accepted: self.never_accepted,
            by_wire: self.by_wire,
            young: self.young,
            sending: self.sending,
            oldest: *self.entered.iter().min()?,
            since,
            growth,
            measured,
            has_grown: false,
        })
    }

    /// By the wire alone: those that came in the last minute, and when the [`FEW`]th of all had stayed too long.
    fn told_by_wire(mut self, now: Timestamp) -> Option<CloseWait> {
        self.entered.sort_unstable();
        let since = *self.entered.get(FEW as usize - 1)? + PATIENCE;
        let span = now.since(*self.entered.first()?).min(MEASURED);
        let came = self.entered.iter().filter(|entered| now.since(**entered) < MEASURED).count();
        self.told(since, came as f64 / span.as_secs_f64().max(1.0), span)
    }
}

/// Whether it sends on to a peer that has closed its own half only (shutdown(2)), or has yet to.
fn is_sending(end: &End) -> bool {
    let lately = end.socket.info.as_ref().and_then(|info| info.last_data_sent).is_some_and(|ago| ago < PATIENCE);
    lately && end.socket.info.as_ref().and_then(|info| info.bytes_sent) != Some(0) || end.socket.send_q > Some(0)
}

/// Flows of which the wire shows an end in CLOSE-WAIT, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct HalfClosed(Vec<Slot>);

impl HalfClosed {
    /// Counts a flow, if it is one.
    pub(in super::super) fn offer(&mut self, slot: Slot, record: &Record) {
        let waits = |flow: &Flow| Side::BOTH.into_iter().any(|side| flow.state(side) == Some(TcpState::CloseWait));
        if record.wire.as_ref().is_some_and(waits) {
            self.0.push(slot);
        }
    }
}

impl Engine {
    /// The sockets that the kernel shows to stay in CLOSE-WAIT. What waits in an accept queue over its limit is told by
    /// the listener's finding.
    pub(super) fn in_close_wait(&self, at: Timestamp) -> Groups {
        let mut groups = Groups::new();
        let is_in = |end: &End| end.socket.state.0 == TcpState::CloseWait && end.is_there();
        for (record, end) in self.present_ends().filter(|(_, end)| is_in(end)) {
            let local = end.socket.local;
            if end.socket.inode.is_none() && self.is_full(local, at) {
                continue;
            }
            let whose = match end.owner.process() {
                Some(process) => Whose::Process(process.pid, process.start_time),
                None => Whose::Unknown(local.ip(), record.resp),
            };
            let group = groups.entry(whose).or_default();
            if at.since(end.state_since) < PATIENCE {
                group.young += 1;
            } else if is_sending(end) {
                group.sending += 1;
            } else {
                group.add_socket(record, end);
            }
        }
        groups
    }

    /// The ends that the wire shows to stay in CLOSE-WAIT, where the kernel does not show them.
    pub(super) fn close_wait_by_wire(&self, half_closed: &HalfClosed, now: Timestamp) -> Vec<CloseWait> {
        let mut groups = Groups::new();
        for record in half_closed.0.iter().map(|slot| self.table.get(*slot)) {
            for side in Side::BOTH {
                // What the first segments seen did not show, the end may have sent before.
                let claimed = record.claimed(side).filter(|(state, _)| *state == TcpState::CloseWait);
                let Some((_, since)) = claimed.filter(|(_, since)| now.since(*since) >= PATIENCE) else { continue };
                let seen_by_kernel = record.end(side).is_some() || record.local[side.index()];
                // One that has closed its half only may go on to read what the other sends.
                let is_quiet = now.since(record.touched) >= PATIENCE;
                if !seen_by_kernel && !record.is_closed() && is_quiet {
                    let local = record.endpoint(side);
                    let group = groups.entry(Whose::Unknown(local.ip(), record.resp)).or_default();
                    group.add(record, local, since);
                    group.by_wire += 1;
                }
            }
        }
        groups.into_values().filter_map(|group| group.told_by_wire(now)).collect()
    }
}
