//! [`Readings`]: those of the socket table that are kept in memory, told as a recording tells them: in full now and then,
//! between by what changed. A table at rest takes next to nothing so, where the readings themselves hold each row anew.

use std::collections::VecDeque;
use std::sync::Arc;

use super::VERSION;
use super::codec::{People, Reader, Writer};
use super::listener::{Listener, Part};
use super::samples::{Fresh, Teller};
use crate::base::Timestamp;
use crate::kernel::{Owner, Owners, Socket, SocketSample};

/// Rows that are told by those before them at most, before a reading is told in full again, so that any reading is had
/// within some 10 ms; and as often at least as so many full readings have rows, where the table is larger than that.
const ROWS: usize = 100_000;
const FULLS: usize = 8;

/// Readings, each with its number in a list of inputs. A copy shares them.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Readings {
    groups: VecDeque<Arc<Group>>,
    bytes: usize,
    teller: Teller,
    writer: Writer,
    /// Rows that the newest group told.
    rows: usize,
}

/// A reading that is told in full, and those that are told by it. Never empty.
#[derive(Debug, Clone, Default)]
struct Group(Vec<Told>);

#[derive(Debug, Clone)]
struct Told {
    number: u64,
    ts: Timestamp,
    steps: Box<[u8]>,
}

/// What was heard of readings, by which the next can be.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Hearing {
    listener: Listener,
    people: People,
    /// The number of the reading that was heard last.
    last: Option<u64>,
}

impl Group {
    fn first(&self) -> u64 {
        self.0.first().map_or(u64::MAX, |told| told.number)
    }
}

impl Told {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.steps.len()
    }
}

impl Readings {
    /// Takes in a reading; its number is above those before.
    pub(in super::super) fn push(&mut self, number: u64, sample: &Arc<SocketSample>) {
        let rows = sample.sockets.len();
        let is_far = self.rows + rows > ROWS.max(rows * FULLS);
        if is_far || self.groups.is_empty() || self.teller.is_full_due(sample.ts) {
            self.teller = Teller::default();
            self.writer.forget();
            self.groups.push_back(Arc::default());
            self.rows = 0;
        }
        self.rows += rows;
        let mut steps = Vec::new();
        self.writer.base = sample.ts;
        self.teller.tell(sample, &mut self.writer, &mut Nobody, |writer| steps.append(&mut writer.bytes));
        let told = Told { number, ts: sample.ts, steps: steps.into() };
        self.bytes += told.bytes();
        if let Some(group) = self.groups.back_mut() {
            Arc::make_mut(group).0.push(told);
        }
    }

    /// The reading of that number; sooner where the one before it was heard last.
    pub(in super::super) fn hear(&self, number: u64, hearing: &mut Hearing) -> Option<Arc<SocketSample>> {
        let group = self.groups.partition_point(|group| group.first() <= number).checked_sub(1)?;
        let Group(all) = &*self.groups[group];
        let at = all.binary_search_by_key(&number, |told| told.number).ok()?;
        let heard = hearing.last.filter(|last| (all[0].number..number).contains(last));
        let from = heard.map_or(0, |last| all.partition_point(|told| told.number <= last));
        all[from..at].iter().try_for_each(|told| hearing.hear(told).map(drop))?;
        hearing.hear(&all[at])
    }

    /// About how many bytes they take.
    pub(in super::super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets those before that number by which none from it on is told.
    pub(in super::super) fn forget_before(&mut self, number: u64) {
        while self.groups.get(1).is_some_and(|second| second.first() <= number) {
            let gone = self.groups.pop_front();
            self.bytes -= gone.iter().flat_map(|group| &group.0).map(Told::bytes).sum::<usize>();
        }
    }
}

impl Hearing {
    /// Hears one: the next, or one that is told in full.
    fn hear(&mut self, told: &Told) -> Option<Arc<SocketSample>> {
        let Self { listener, people, .. } = self;
        let mut from = Reader { rest: &told.steps, base: told.ts, people, version: VERSION };
        self.last = Some(told.number);
        match listener.hear(&mut from)? {
            Part::Whole(sample) => Some(sample),
            Part::More | Part::Lost => None,
        }
    }
}

/// Nobody asks what is new.
struct Nobody;

impl Fresh for Nobody {
    fn socket(&mut self, _socket: &Socket, _owners: &Owners) {}

    fn held(&mut self, _inode: u64, _owners: &[Owner]) {}
}
