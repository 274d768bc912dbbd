//! Readings of the socket table: a full one each minute, between them what changed.
//!
//! A reading is a list of steps, which tell its rows in their order by those of the reading before. It may be too long
//! for one entry: then it is told in parts, each of which ends behind a step.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::changes::{Rows, counters_between, counters_from, owners_between};
use super::codec::{Code, Reader, Writer};
use super::columns::{self, Columns, Shift};
use crate::base::{Endpoint, Scope, Timestamp};
use crate::kernel::{Limits, Owner, Owners, Socket, SocketSample, TableSource};

/// How often a reading is told in full.
const KEYFRAME: Duration = Duration::from_secs(60);
/// Bytes after which a part ends. Wireshark takes no packet over 256 KiB.
const PART: usize = 128 << 10;

/// Steps of a reading.
mod step {
    /// The reading begins: [`super::Head`].
    pub(super) const BEGIN: u8 = 1;
    /// So many rows are as expected.
    pub(super) const SAME: u8 = 2;
    /// The next row differs from what was expected.
    pub(super) const CHANGED: u8 = 3;
    /// A row that was not there.
    pub(super) const NEW: u8 = 4;
    /// The next row to tell of is so many rows on.
    pub(super) const JUMP: u8 = 5;
    /// From here on the clock has moved so far.
    pub(super) const SHIFT: u8 = 6;
    /// Nobody holds this inode any more; these hold it. In order of inodes, each told from the one before.
    pub(super) const RELEASED: u8 = 7;
    pub(super) const HELD: u8 = 8;
    pub(super) const END: u8 = 9;
}

/// What of a reading is no row and no owner.
struct Head {
    full: bool,
    scope: Scope,
    source: TableSource,
    took: Duration,
    incomplete: bool,
    processes_read: u32,
    processes_denied: u32,
    shift: Shift,
    /// `None` where they are those of the reading before.
    limits: Option<Limits>,
    local_addresses: Option<Vec<IpAddr>>,
}

fields!(Head {
    full,
    scope,
    source,
    took,
    incomplete,
    processes_read,
    processes_denied,
    shift,
    limits,
    local_addresses
});

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
    before: Option<Arc<SocketSample>>,
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
        let before = self.before.replace(sample.clone());
        let known = before.as_deref().filter(|before| before.scope == sample.scope);
        let base = known.filter(|_| !self.is_full_due(sample.ts));
        if base.is_none() {
            self.full_at = Some(sample.ts);
            out.forget();
        }
        let shift = base.map_or(0, |base| shift_between(base.ts, sample.ts));
        begin(sample, base, shift, out);
        let mut rows = Telling { out, rows: Rows::new(known.map_or(&[], |known| &known.sockets)), shift, same: 0 };
        for socket in &sample.sockets {
            let at = rows.rows.find(socket);
            if at.is_none_or(|at| rows.rows.all[at].inode != socket.inode) {
                fresh.socket(socket, &sample.owners);
            }
            rows.row(socket, at.filter(|_| base.is_some()));
            if rows.out.bytes.len() > PART {
                rows.flush();
                part(rows.out);
            }
        }
        rows.flush();
        tell_owners(base, sample, out, fresh, &mut part);
        out.bytes.push(step::END);
        part(out);
    }

    fn is_full_due(&self, now: Timestamp) -> bool {
        // A clock set back far must not leave it undue for as long.
        self.full_at.is_none_or(|at| now.since(at).max(at.since(now)) >= KEYFRAME)
    }
}

/// How far the clock will have moved for most rows: their times are in milliseconds.
fn shift_between(before: Timestamp, now: Timestamp) -> Shift {
    let millis = |span: Duration| Shift::try_from(span.as_millis()).unwrap_or_default();
    millis(now.since(before)) - millis(before.since(now))
}

fn begin(sample: &SocketSample, base: Option<&SocketSample>, shift: Shift, out: &mut Writer) {
    let SocketSample {
        scope, source, took, incomplete, ref owners, ref counters, ref limits, ref local_addresses, ..
    } = *sample;
    let changed = |same: fn(&SocketSample, &SocketSample) -> bool| base.is_none_or(|base| !same(base, sample));
    out.bytes.push(step::BEGIN);
    let head = Head {
        full: base.is_none(),
        scope,
        source,
        took,
        incomplete,
        processes_read: owners.processes_read,
        processes_denied: owners.processes_denied,
        shift,
        limits: changed(|a, b| a.limits == b.limits).then(|| (**limits).clone()),
        local_addresses: changed(|a, b| a.local_addresses == b.local_addresses).then(|| local_addresses.to_vec()),
    };
    head.put(out);
    counters_between(base.map(|base| &base.counters), counters, out);
}

/// Rows being told.
struct Telling<'a> {
    out: &'a mut Writer,
    rows: Rows<'a>,
    shift: Shift,
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
        let all = self.rows.all;
        let before = &all[at];
        if columns::is_expected(now, before, self.shift) {
            self.same += 1;
            return;
        }
        let shift = columns::shift_of(now, before).filter(|shift| *shift != self.shift);
        if let Some(shift) = shift.filter(|shift| columns::is_expected(now, before, *shift)) {
            self.flush();
            self.out.bytes.push(step::SHIFT);
            shift.put(self.out);
            (self.shift, self.same) = (shift, 1);
            return;
        }
        self.flush();
        self.out.bytes.push(step::CHANGED);
        Columns::of(now).put(&Columns::of(&columns::expected(before, self.shift)), self.out);
    }

    fn flush(&mut self) {
        if self.same > 0 {
            self.out.bytes.push(step::SAME);
            std::mem::take(&mut self.same).put(self.out);
        }
    }
}

fn tell_owners(
    base: Option<&SocketSample>,
    sample: &SocketSample,
    out: &mut Writer,
    fresh: &mut impl Fresh,
    part: &mut impl FnMut(&mut Writer),
) {
    let mut last = 0u64;
    for (inode, owners) in owners_between(base.map(|base| &base.owners), &sample.owners) {
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

/// Reads readings back.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener {
    before: Option<Arc<SocketSample>>,
    heard: Option<Heard>,
}

/// A reading of which parts are read.
#[derive(Debug, Clone)]
struct Heard {
    sample: SocketSample,
    /// What its rows are told by, and which of them were used: each once, so that a reading is no longer than what
    /// was told of it.
    before: Option<Arc<SocketSample>>,
    used: Vec<bool>,
    next: usize,
    shift: Shift,
    inode: u64,
}

/// What a part gave.
pub(super) enum Part {
    /// The reading goes on in the next entry.
    More,
    Whole(Arc<SocketSample>),
    /// It is told by one that is not there.
    Lost,
}

impl Listener {
    /// Entries are missing here: what is told by what they told is lost.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Reads a part; `None` where it is malformed.
    pub(super) fn hear(&mut self, from: &mut Reader<'_>) -> Option<Part> {
        if from.rest.first() == Some(&step::BEGIN) {
            from.byte();
            self.heard = None;
            let head = Head::get(from)?;
            if !head.full && self.before.is_none() {
                return Some(Part::Lost);
            }
            if head.full {
                from.people.clear();
            }
            self.heard = Some(Heard::begin(head, self.before.clone(), from)?);
        }
        let Some(mut heard) = self.heard.take() else { return Some(Part::Lost) };
        while !from.rest.is_empty() {
            if heard.step(from)? {
                let sample = Arc::new(heard.sample);
                self.before = Some(sample.clone());
                return Some(Part::Whole(sample));
            }
        }
        self.heard = Some(heard);
        Some(Part::More)
    }
}

impl Heard {
    fn begin(head: Head, before: Option<Arc<SocketSample>>, from: &mut Reader<'_>) -> Option<Self> {
        let before = before.filter(|_| !head.full);
        let counters = counters_from(before.as_ref().map(|before| &before.counters), from)?;
        let mut owners = before.as_ref().map(|before| before.owners.clone()).unwrap_or_default();
        if (owners.processes_read, owners.processes_denied) != (head.processes_read, head.processes_denied) {
            let owners = Arc::make_mut(&mut owners);
            (owners.processes_read, owners.processes_denied) = (head.processes_read, head.processes_denied);
        }
        let limits = match head.limits {
            Some(limits) => Arc::new(limits),
            None => before.as_ref()?.limits.clone(),
        };
        let local_addresses = match head.local_addresses {
            Some(addresses) => addresses.into(),
            None => before.as_ref()?.local_addresses.clone(),
        };
        let Head { scope, source, took, incomplete, shift, .. } = head;
        let sockets = Vec::new();
        let sample = SocketSample {
            ts: from.base,
            scope,
            source,
            took,
            incomplete,
            sockets,
            owners,
            counters,
            limits,
            local_addresses,
        };
        let used = vec![false; before.as_ref().map_or(0, |before| before.sockets.len())];
        Some(Self { sample, before, used, next: 0, shift, inode: 0 })
    }

    /// Takes one step; whether it was the last. `None` where there is no such step.
    fn step(&mut self, from: &mut Reader<'_>) -> Option<bool> {
        match from.byte()? {
            step::SAME => {
                for _ in 0..u64::get(from)? {
                    let row = self.take()?;
                    self.sample.sockets.push(row);
                }
            }
            step::CHANGED => {
                let row = self.take()?;
                let columns = Columns::get(&Columns::of(&row), from)?;
                self.sample.sockets.push(columns.socket(row.local, row.peer)?);
            }
            step::NEW => {
                let (local, peer) = (Endpoint::get(from)?, Endpoint::get(from)?);
                self.sample.sockets.push(Columns::get(&Columns::NOTHING, from)?.socket(local, peer)?);
            }
            step::JUMP => {
                let next = i128::try_from(self.next).ok()?.checked_add(from.signed()?)?;
                self.next = usize::try_from(next).ok()?;
            }
            step::SHIFT => self.shift = Shift::get(from)?,
            step::RELEASED => {
                let inode = self.inode(from)?;
                Arc::make_mut(&mut self.sample.owners).by_inode.remove(&inode)?;
            }
            step::HELD => {
                let inode = self.inode(from)?;
                let owners = Vec::get(from)?;
                Arc::make_mut(&mut self.sample.owners).by_inode.insert(inode, owners);
            }
            step::END => return from.rest.is_empty().then_some(true),
            _ => return None,
        }
        Some(false)
    }

    /// The next row of the reading before, as it is expected to be.
    fn take(&mut self) -> Option<Socket> {
        let used = self.used.get_mut(self.next).filter(|used| !**used)?;
        *used = true;
        self.next += 1;
        let row = self.before.as_ref()?.sockets.get(self.next - 1)?;
        Some(columns::expected(row, self.shift))
    }

    fn inode(&mut self, from: &mut Reader<'_>) -> Option<u64> {
        let inode = i128::from(self.inode).checked_add(from.signed()?)?;
        self.inode = u64::try_from(inode).ok()?;
        Some(self.inode)
    }
}
