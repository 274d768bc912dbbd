//! The flow table: bounded, in pages of records that copies of the engine share until one writes.
//!
//! Look-up is by tuple (newest incarnation) through a keyed hash, since packets choose the keys, or by [`FlowId`]. When
//! it is full, the victim is of the lowest [`Class`]: closed, then half-open, then the rest; within a class about the one
//! that was idle longest (see `order`).

mod ahead;
mod numbers;
mod order;
mod page;
mod tuples;

use std::hash::{BuildHasher, Hash, Hasher};
use std::mem;

use foldhash::fast::FixedState;

use crate::base::{Endpoint, Scope};
use crate::flow::{Class, Side};
use crate::wire::Segment;

use super::FlowId;
use super::dashboard::Evicted;
use super::record::Record;
pub(super) use ahead::{Ahead, LEAD, Likely, ROUND};
use numbers::Numbers;
use order::Lists;
pub(super) use order::Place;
use page::PAGE;
pub(super) use page::Page;
use tuples::Tuples;

const NONE: u32 = u32::MAX;

/// Places of flows that were found lately.
const LATELY: usize = 1024;

/// A tuple without direction: what segments of both directions and sockets of both ends have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tuple {
    scope: Scope,
    /// In an order of their own, which is not seen.
    low: Endpoint,
    high: Endpoint,
}

impl Tuple {
    pub(super) fn new(scope: Scope, a: Endpoint, b: Endpoint) -> Self {
        let swap = (a.word(), a.port()) > (b.word(), b.port());
        let (low, high) = if swap { (b, a) } else { (a, b) };
        Self { scope, low, high }
    }
}

/// All of it in few whole words.
impl Hash for Tuple {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let ports = u64::from(self.low.port()) << 16 | u64::from(self.high.port());
        hasher.write_u128(self.low.word());
        hasher.write_u128(self.high.word());
        hasher.write_u64(u64::from(self.scope.0) << 32 | ports);
    }
}

/// Where a record lives. Valid until the record is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(u32);

/// The table.
#[derive(Debug, Clone)]
pub(super) struct FlowTable {
    pub(super) pages: Vec<Page>,
    pub(super) free: Vec<u32>,
    by_tuple: Tuples,
    by_id: Numbers,
    hasher: FixedState,
    /// `None` until somebody asks who has to go.
    lists: Option<Lists>,
    len: usize,
    max: usize,
    next_id: u64,
    /// How often a tuple has come to lead elsewhere than before, so that what was found may be wrong.
    rerouted: u64,
    /// What segments led to lately, by the lower bits of their hash; [`NONE`] where that may be wrong.
    lately: Box<[u32; LATELY]>,
    pub(super) evicted: Evicted,
}

impl FlowTable {
    /// An empty table of at most `max` flows (at least one); `seed` keys the hash.
    pub(super) fn new(max: usize, seed: u64) -> Self {
        Self {
            pages: Vec::new(),
            free: Vec::new(),
            by_tuple: Tuples::default(),
            by_id: Numbers::default(),
            hasher: FixedState::with_seed(seed),
            lists: None,
            len: 0,
            max: max.clamp(1, NONE as usize),
            next_id: 0,
            rerouted: 0,
            lately: Box::new([NONE; LATELY]),
            evicted: Evicted::default(),
        }
    }

    /// Has the pages shared with copies that are made from now on.
    pub(super) fn share(&mut self) {
        self.pages = mem::take(&mut self.pages).into_iter().map(Page::shared).collect();
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Keyed, for keys that packets choose.
    pub(super) fn hasher(&self) -> FixedState {
        self.hasher.clone()
    }

    /// Flows ever begun.
    pub(super) const fn begun(&self) -> u64 {
        self.next_id
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len >= self.max
    }

    /// The newest incarnation of a tuple.
    pub(super) fn find(&self, tuple: &Tuple) -> Option<Slot> {
        let Tuple { scope, low, high } = tuple;
        let is_it = |slot: u32| self.entry(slot).side_of_one(*scope, low, high).is_some();
        self.by_tuple.find(self.hash(tuple), is_it).map(Slot)
    }

    /// What [`FlowTable::find_segment`] asks for; it stays valid.
    #[inline]
    pub(super) fn hash_of(&self, segment: &Segment) -> u64 {
        hash_between(&self.hasher, segment.scope, segment.src, segment.dst)
    }

    /// The newest incarnation of the tuple of a segment, and which side of it sends that; sooner where a look just before
    /// was right.
    #[inline]
    pub(super) fn find_segment(&mut self, segment: &Segment, likely: Likely) -> Option<(Slot, Side)> {
        let Likely { hash, rerouted, slot, .. } = likely;
        // A small table's segments are mostly of flows that were found lately.
        let slot = if rerouted == self.rerouted { slot } else { self.lately[hash as usize % LATELY] };
        if slot != NONE
            && let Some(from) = self.entry(slot).sender_of(segment)
        {
            return Some((Slot(slot), from));
        }
        self.search(segment, hash)
    }

    /// The same where nobody knows where to look.
    #[inline(never)]
    fn search(&mut self, segment: &Segment, hash: u64) -> Option<(Slot, Side)> {
        let sender_of = |slot: u32| self.entry(slot).sender_of(segment);
        let found = self.by_tuple.find(hash, |slot| sender_of(slot).is_some())?;
        let from = sender_of(found)?;
        self.lately[hash as usize % LATELY] = found;
        Some((Slot(found), from))
    }

    /// The flow of that number, if it is still there.
    pub(super) fn find_id(&self, id: FlowId) -> Option<Slot> {
        self.by_id.find(id, |slot| self.entry(slot).id == id).map(Slot)
    }

    /// The flow of that number, if it still is where it was: the same as [`FlowTable::find_id`] tells, sooner.
    pub(super) fn still(&self, slot: Slot, id: FlowId) -> Option<&Record> {
        let page = self.pages.get(slot.0 as usize / PAGE)?;
        page[slot.0 as usize % PAGE].as_ref().filter(|record| record.id == id)
    }

    pub(super) fn get(&self, slot: Slot) -> &Record {
        self.entry(slot.0)
    }

    /// The record, to be written: its page is copied first if another copy of the engine shares it.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: Slot) -> &mut Record {
        self.entry_mut(slot.0)
    }

    /// Every record, in no order that may be shown.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Record)> {
        self.pages.iter().enumerate().flat_map(|(page, entries)| {
            entries.iter().enumerate().filter_map(move |(index, entry)| {
                let slot = Slot(u32::try_from(page * PAGE + index).ok()?);
                entry.as_ref().map(|record| (slot, record))
            })
        })
    }

    /// Adds a flow, which becomes the newest incarnation of its tuple. `fill` is given a blank record with its number.
    /// The caller has made room: see [`FlowTable::victim`].
    pub(super) fn insert(&mut self, fill: impl FnOnce(&mut Record)) -> Slot {
        let slot = self.place(fill);
        self.index_tuple(&self.entry(slot).tuple(), slot);
        Slot(slot)
    }

    /// The same of a flow whose tuple leads nowhere yet; `hash` is the tuple's.
    #[inline]
    pub(super) fn insert_first(&mut self, hash: u64, fill: impl FnOnce(&mut Record)) -> Slot {
        let slot = self.place(fill);
        self.index_first(hash, slot);
        Slot(slot)
    }

    /// Gives a record that is filled by `fill` a slot and a number; its tuple does not lead to it yet.
    #[inline]
    fn place(&mut self, fill: impl FnOnce(&mut Record)) -> u32 {
        let id = FlowId(self.next_id);
        self.next_id += 1;
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        let record = self.place_mut(slot).insert(Record::BLANK);
        record.id = id;
        fill(record);
        record.listed = record.class();
        self.len += 1;
        self.append(slot);
        let pages = &self.pages;
        self.by_id.insert(id, slot, |slot| entry_in(pages, slot).id);
        slot
    }

    /// What finds flows, bytes.
    pub(super) fn index_bytes(&self) -> usize {
        self.by_tuple.bytes() + self.by_id.bytes()
    }

    /// Counts a flow that is about to be thrown out.
    pub(super) fn count_eviction(&mut self, slot: Slot) {
        match self.entry(slot.0).listed {
            Class::Closed => self.evicted.closed += 1,
            Class::HalfOpen => self.evicted.half_open += 1,
            Class::Live => self.evicted.idle += 1,
        }
    }

    /// Takes a flow out.
    pub(super) fn remove(&mut self, slot: Slot) {
        let slot = slot.0;
        self.unlink(slot);
        let record = self.entry(slot);
        let (tuple_hash, id) = (self.hash(&record.tuple()), record.id);
        self.by_tuple.remove(tuple_hash, slot);
        self.by_id.remove(id, slot);
        *self.place_mut(slot) = None;
        self.free.push(slot);
        self.len -= 1;
        self.rerouted += 1;
        self.lately[tuple_hash as usize % LATELY] = NONE;
    }

    /// Makes a record the one that its tuple finds: the newest incarnation.
    fn index_tuple(&mut self, tuple: &Tuple, slot: u32) {
        let hash = self.hash(tuple);
        if let Some(before) = self.by_tuple.find(hash, |other| self.entry(other).tuple() == *tuple) {
            self.by_tuple.replace(hash, before, slot);
            self.rerouted += 1;
            self.lately[hash as usize % LATELY] = NONE;
            return;
        }
        self.index_first(hash, slot);
    }

    /// The same where its tuple, of that hash, leads nowhere yet.
    fn index_first(&mut self, hash: u64, slot: u32) {
        if self.by_tuple.is_full() {
            self.grow_index();
        }
        self.by_tuple.insert(hash, slot);
    }

    /// Makes room in the index, which is full. Tuples are hashed in the order in which their records stand: in that of
    /// the index each would be waited for. A page of them together, while the next is brought near.
    #[cold]
    fn grow_index(&mut self) {
        let mut leads = vec![false; self.pages.len() * PAGE];
        self.by_tuple.iter().for_each(|slot| leads[slot as usize] = true);
        let mut index = Tuples::with_capacity(self.by_tuple.len() + 1);
        let mut page = Vec::with_capacity(PAGE);
        let slots = |first: usize| (first..first + PAGE).filter_map(|slot| u32::try_from(slot).ok());
        for first in (0..leads.len()).step_by(PAGE) {
            slots(first + PAGE).for_each(|slot| self.prefetch_record(slot, Record::TUPLE));
            let leading = slots(first).filter(|slot| leads[*slot as usize]);
            page.extend(leading.map(|slot| (self.hash(&self.entry(slot).tuple()), slot)));
            page.iter().for_each(|(hash, _)| index.prefetch(*hash));
            page.drain(..).for_each(|(hash, slot)| index.insert(hash, slot));
        }
        self.by_tuple = index;
    }

    #[inline]
    fn hash(&self, key: &Tuple) -> u64 {
        hash_between(&self.hasher, key.scope, key.low, key.high)
    }

    fn grow(&mut self) -> u32 {
        let first = self.pages.len() * PAGE;
        self.pages.push(Page::empty());
        self.free.extend((first + 1..first + PAGE).rev().filter_map(|slot| u32::try_from(slot).ok()));
        u32::try_from(first).expect("the table's bound is below 2^32")
    }

    #[inline]
    fn entry(&self, slot: u32) -> &Record {
        entry_in(&self.pages, slot)
    }

    #[inline]
    fn entry_mut(&mut self, slot: u32) -> &mut Record {
        self.place_mut(slot).as_mut().expect("a slot in use")
    }

    #[inline]
    fn place_mut(&mut self, slot: u32) -> &mut Option<Record> {
        &mut self.pages[slot as usize / PAGE].write()[slot as usize % PAGE]
    }
}

/// The same whichever end comes first, and without a look at which: directions alternate as they like, so a branch on
/// them would be guessed wrong. Each end is hashed with the key before the two come together.
#[inline]
fn hash_between(hasher: &FixedState, scope: Scope, a: Endpoint, b: Endpoint) -> u64 {
    let hash = |end: Endpoint| {
        let mut hasher = hasher.build_hasher();
        hasher.write_u128(end.word());
        hasher.write_u64(u64::from(scope.0) << 16 | u64::from(end.port()));
        hasher.finish()
    };
    hash(a).wrapping_add(hash(b))
}

#[inline]
fn entry_in(pages: &[Page], slot: u32) -> &Record {
    pages[slot as usize / PAGE][slot as usize % PAGE].as_ref().expect("a slot in use")
}

/// Which side of `record` sends from `source`.
pub(super) fn side_of(record: &Record, source: Endpoint) -> Side {
    if record.orig == source { Side::Orig } else { Side::Resp }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::course::Course;
    use crate::engine::going::Going;

    /// A table holds a million flows.
    #[test]
    fn a_flow_is_small() {
        assert!(size_of::<Option<Record>>() <= 384, "{}", size_of::<Option<Record>>());
        assert_eq!(Record::PLAIN.div_ceil(64), 4, "{}", Record::PLAIN);
        assert!(size_of::<Course>() <= 384, "{}", size_of::<Course>());
        assert!(size_of::<Going>() <= 320, "{}", size_of::<Going>());
        assert_eq!(Going::HEAD, 64, "the segments that wait fill whole lines");
    }
}
