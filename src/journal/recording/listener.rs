//! Readings of the socket table, read back: see `samples` for how they are told.

use std::sync::Arc;

use super::changes::counters_from;
use super::codec::{Code, Reader};
use super::columns::Columns;
use super::expected::{Shift, expected};
use super::known::{Known, Place};
use super::samples::{Head, step};
use crate::base::Endpoint;
use crate::kernel::{Socket, SocketSample};

/// Reads readings back.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener {
    known: Known,
    heard: Option<Heard>,
}

/// A reading of which parts are read.
#[derive(Debug, Clone)]
struct Heard {
    sample: SocketSample,
    /// The rows that its own are told by, and which of them were used: each once, so that a reading is no longer than
    /// what was told of it.
    places: Vec<Place>,
    used: Vec<bool>,
    next: usize,
    shifts: Vec<Shift>,
    drift: Shift,
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
            if head.full {
                self.known = Known::default();
                from.people.clear();
            } else if self.known.last().is_none() {
                return Some(Part::Lost);
            }
            self.heard = Some(Heard::begin(head, &self.known, from)?);
        }
        let Some(mut heard) = self.heard.take() else { return Some(Part::Lost) };
        while !from.rest.is_empty() {
            if heard.step(&self.known, from)? {
                let sample = Arc::new(heard.sample);
                self.known.learn(sample.clone());
                return Some(Part::Whole(sample));
            }
        }
        self.heard = Some(heard);
        Some(Part::More)
    }
}

impl Heard {
    fn begin(head: Head, known: &Known, from: &mut Reader<'_>) -> Option<Self> {
        let counters = counters_from(known.counters(), from)?;
        let last = known.last();
        let mut owners = last.map(|last| last.owners.clone()).unwrap_or_default();
        let denied = head.denied.map_or(owners.denied, |pids| {
            let mut pids = pids.into_iter();
            std::array::from_fn(|_| pids.next())
        });
        let counts = (head.processes_read, head.processes_denied, denied);
        if (owners.processes_read, owners.processes_denied, owners.denied) != counts {
            let owners = Arc::make_mut(&mut owners);
            (owners.processes_read, owners.processes_denied, owners.denied) = counts;
        }
        let limits = match head.limits {
            Some(limits) => Arc::new(limits),
            None => last?.limits.clone(),
        };
        let local_addresses = match head.local_addresses {
            Some(addresses) => addresses.into(),
            None => last?.local_addresses.clone(),
        };
        let Head { scope, source, covers, took, incomplete, bad_rows, .. } = head;
        let (ts, places) = (from.base, known.places(scope, &covers));
        let sample = SocketSample {
            ts,
            scope,
            source,
            covers,
            took,
            incomplete,
            bad_rows,
            sockets: Vec::new(),
            owners,
            counters,
            limits,
            local_addresses,
        };
        let used = vec![false; places.len()];
        Some(Self { sample, places, used, next: 0, shifts: known.shifts(ts), drift: 0, inode: 0 })
    }

    /// Takes one step; whether it was the last. `None` where there is no such step.
    fn step(&mut self, known: &Known, from: &mut Reader<'_>) -> Option<bool> {
        match from.byte()? {
            step::SAME => {
                for _ in 0..u64::get(from)? {
                    let row = self.take(known)?;
                    self.sample.sockets.push(row);
                }
            }
            step::CHANGED => {
                let row = self.take(known)?;
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
            step::SHIFT => self.drift = Shift::get(from)?,
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

    /// The next row that is known, as it is expected to be.
    fn take(&mut self, known: &Known) -> Option<Socket> {
        let used = self.used.get_mut(self.next).filter(|used| !**used)?;
        *used = true;
        let place = self.places[self.next];
        self.next += 1;
        Some(expected(known.row(place), self.shifts[place.part()].saturating_add(self.drift)))
    }

    fn inode(&mut self, from: &mut Reader<'_>) -> Option<u64> {
        let inode = i128::from(self.inode).checked_add(from.signed()?)?;
        self.inode = u64::try_from(inode).ok()?;
        Some(self.inode)
    }
}
