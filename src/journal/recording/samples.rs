//! Readings of the socket table: a full one each minute, between them what changed.
//!
//! A reading is a list of steps, which tell its rows in their order by those that are known. It may be too long for one
//! entry: then it is told in parts, each of which ends behind a step.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::changes::{Rows, counters_between, owners_between};
use super::codec::{Code, Reader, Writer};
use super::columns::Columns;
use super::expected::{Shift, expected, is_expected, shift_of};
use super::known::Known;
use crate::base::{Scope, Timestamp};
use crate::kernel::{Covers, Limits, Owner, Owners, Socket, SocketSample, TableSource};

/// How often a reading is told in full.
const FULL_EVERY: Duration = Duration::from_secs(60);
/// Bytes after which a part ends. Wireshark takes no packet over 256 KiB.
const PART: usize = 128 << 10;

/// Steps of a reading.
pub(super) mod step {
    /// The reading begins: [`super::Head`].
    pub(in super::super) const BEGIN: u8 = 1;
    /// So many rows are as expected.
    pub(in super::super) const SAME: u8 = 2;
    /// The next row differs from what was expected.
    pub(in super::super) const CHANGED: u8 = 3;
    /// A row that was not there.
    pub(in super::super) const NEW: u8 = 4;
    /// The next row to tell of is so many rows on.
    pub(in super::super) const JUMP: u8 = 5;
    /// From here on the clock has moved by so much more than the time between the readings.
    pub(in super::super) const SHIFT: u8 = 6;
    /// Nobody holds this inode any more; these hold it. In order of inodes, each told from the one before.
    pub(in super::super) const RELEASED: u8 = 7;
    pub(in super::super) const HELD: u8 = 8;
    pub(in super::super) const END: u8 = 9;
}

/// What of a reading is no row, no owner and no counter.
pub(super) struct Head {
    /// Nothing is known before it.
    pub(super) full: bool,
    pub(super) scope: Scope,
    pub(super) source: TableSource,
    pub(super) covers: Covers,
    pub(super) took: Duration,
    pub(super) incomplete: bool,
    pub(super) bad_rows: u32,
    pub(super) processes_read: u32,
    pub(super) processes_denied: u32,
    /// `None` where they are those of the reading before.
    pub(super) limits: Option<Limits>,
    pub(super) local_addresses: Option<Vec<IpAddr>>,
    pub(super) denied: Option<Vec<u32>>,
}

fields!(Head {
    full,
    scope,
    source,
    covers,
    took,
    incomplete,
    bad_rows,
    processes_read,
    processes_denied,
    limits,
    local_addresses,
} 3 { denied });

/// Who is told what a reading shows for the first time.
pub(super) trait Fresh {
    /// A socket that was not there, or had no inode.
    fn socket(&mut self, socket: &Socket, owners: &Owners);
    /// An inode that others hold than before.
    fn held(&mut self, inode: u64, owners: &[Owner]);
}

/// Writes readings.
#[derive(Debug, Clone, Default)]
pub(super) struct Teller {
    known: Known,
    full_at: Option<Timestamp>,
}

impl Teller {
    /// Writes one reading; `part` takes what was written off whenever it is enough for an entry, and at the end.
    pub(super) fn tell(
        &mut self,
        sample: &Arc<SocketSample>,
        out: &mut Writer,
        fresh: &mut impl Fresh,
        mut part: impl FnMut(&mut Writer),
    ) {
        let before = std::mem::take(&mut self.known);
        let full = self.is_full_due(sample.ts);
        if full {
            self.full_at = Some(sample.ts);
            out.forget();
        } else {
            self.known = before.clone();
        }
        begin(sample, &self.known, full, out);
        let places = before.places(sample.scope, &sample.covers);
        let shifts = before.shifts(sample.ts);
        let mut telling = Telling { out, known: &before, rows: Rows::new(&before, &places), shifts, drift: 0, same: 0 };
        for socket in &sample.sockets {
            let at = telling.rows.find(socket);
            if at.is_none_or(|at| telling.rows.at(at).inode != socket.inode) {
                fresh.socket(socket, &sample.owners);
            }
            telling.row(socket, at.filter(|_| !full));
            if telling.out.bytes.len() > PART {
                telling.flush();
                part(telling.out);
            }
        }
        telling.flush();
        tell_owners(&self.known, sample, out, fresh, &mut part);
        out.bytes.push(step::END);
        part(out);
        self.known.learn(sample.clone());
    }

    /// The readings by which the next is told, in their order.
    pub(super) fn holding(&self) -> impl Iterator<Item = Arc<SocketSample>> {
        self.known.readings()
    }

    /// Whether the next is told in full.
    pub(super) fn is_full_due(&self, now: Timestamp) -> bool {
        // A clock set back far must not leave it undue for as long.
        self.full_at.is_none_or(|at| now.since(at).max(at.since(now)) >= FULL_EVERY)
    }
}

fn begin(sample: &SocketSample, known: &Known, full: bool, out: &mut Writer) {
    let SocketSample {
        ts: _,
        scope,
        source,
        ref covers,
        took,
        incomplete,
        bad_rows,
        sockets: _,
        ref owners,
        ref counters,
        ref limits,
        ref local_addresses,
    } = *sample;
    let changed = |same: fn(&SocketSample, &SocketSample) -> bool| known.last().is_none_or(|last| !same(last, sample));
    out.bytes.push(step::BEGIN);
    let head = Head {
        full,
        scope,
        source,
        covers: covers.clone(),
        took,
        incomplete,
        bad_rows,
        processes_read: owners.processes_read,
        processes_denied: owners.processes_denied,
        limits: changed(|a, b| a.limits == b.limits).then(|| (**limits).clone()),
        local_addresses: changed(|a, b| a.local_addresses == b.local_addresses).then(|| local_addresses.to_vec()),
        denied: changed(|a, b| a.owners.denied == b.owners.denied)
            .then(|| owners.denied.into_iter().flatten().collect()),
    };
    head.put(out);
    counters_between(known.counters(), counters, out);
}

/// Rows being told.
struct Telling<'a> {
    out: &'a mut Writer,
    known: &'a Known,
    rows: Rows<'a>,
    /// How far the clock has moved since each reading that is known, and how much more than that.
    shifts: Vec<Shift>,
    drift: Shift,
    /// Rows as expected that are not told yet.
    same: u64,
}

impl Telling<'_> {
    fn row(&mut self, now: &Socket, at: Option<usize>) {
        let Some(at) = at else {
            self.flush();
            self.out.bytes.push(step::NEW);
            now.local.put(self.out);
            now.peer.put(self.out);
            return Columns::of(now).put(&Columns::NOTHING, self.out);
        };
        if at != self.rows.next {
            self.flush();
            self.out.bytes.push(step::JUMP);
            self.out.signed(at as i128 - self.rows.next as i128);
        }
        self.rows.next = at + 1;
        let place = self.rows.places[at];
        let (before, moved) = (self.known.row(place), self.shifts[place.part()]);
        if is_expected(now, before, moved.saturating_add(self.drift)) {
            self.same += 1;
            return;
        }
        let drift = shift_of(now, before).and_then(|shift| shift.checked_sub(moved));
        let fits = |drift: &Shift| is_expected(now, before, moved.saturating_add(*drift));
        self.flush();
        if let Some(drift) = drift.filter(|drift| *drift != self.drift && fits(drift)) {
            self.out.bytes.push(step::SHIFT);
            drift.put(self.out);
            (self.drift, self.same) = (drift, 1);
            return;
        }
        self.out.bytes.push(step::CHANGED);
        let expected = expected(before, moved.saturating_add(self.drift));
        Columns::of(now).put(&Columns::of(&expected), self.out);
    }

    fn flush(&mut self) {
        if self.same > 0 {
            self.out.bytes.push(step::SAME);
            std::mem::take(&mut self.same).put(self.out);
        }
    }
}

fn tell_owners(
    known: &Known,
    sample: &SocketSample,
    out: &mut Writer,
    fresh: &mut impl Fresh,
    part: &mut impl FnMut(&mut Writer),
) {
    let mut last = 0u64;
    for (inode, owners) in owners_between(known.last().map(|last| &last.owners), &sample.owners) {
        out.bytes.push(if owners.is_some() { step::HELD } else { step::RELEASED });
        out.signed(i128::from(inode) - i128::from(last));
        last = inode;
        if let Some(owners) = owners {
            owners.put(out);
            fresh.held(inode, owners);
        }
        if out.bytes.len() > PART {
            part(out);
        }
    }
}
