//! Has what the next segments will touch brought near, while those before them are taken in.
//!
//! Next to every segment of a busy table is one of another flow, of which nothing is at hand: what would take the time is
//! to wait for memory. Where a segment leads shows step by step: its hash tells the bucket, that the record, that what
//! is told of the flow. Each step is taken for a segment a few segments later than the one before, so that none of them
//! waits for the other. Who walks over all flows, or tells many, asks ahead in the same way. Changes nothing; a wrong guess
//! costs only time.

use super::{FlowTable, NONE, PAGE, Slot};
use crate::base::{prefetch, prefetch_part};
use crate::engine::FlowId;
use crate::engine::course::Told;
use crate::engine::going::Going;
use crate::engine::input::Input;
use crate::engine::record::Record;
use crate::wire::Flags;

/// Inputs between one step and the next: while as many are taken in, memory has answered.
const STRIDE: usize = 4;
/// How many inputs the first step is ahead of the input that is taken in.
pub(in crate::engine) const LEAD: usize = 5 * STRIDE;
/// More than that.
const KEPT: usize = 32;
const _: () = assert!(KEPT.is_power_of_two() && KEPT > LEAD);
/// Inputs for which it is looked at together who is due, and who must go.
pub(in crate::engine) const ROUND: usize = 16;
/// How many inputs before its first step an input is asked for: long before it is looked at as the last of a round.
const FETCHED: usize = ROUND + 2 * STRIDE;
/// As many flows and what is told of them take some hundreds of KiB, which a processor's own cache holds.
const NEAR: usize = 1 << 8;

/// Records between one that a walk has come to and one whose flow is asked for, and as many more to one that itself is.
const WALK_LEAD: u32 = 16;

/// Where the tuple of an input seemed to lead when that was looked at.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Likely {
    /// Its tuple's, if it is a segment.
    pub(in crate::engine) hash: u64,
    /// [`FlowTable::rerouted`] at the time; no number that it comes to, if nobody has looked.
    pub(super) rerouted: u64,
    /// [`NONE`] if it seemed to lead nowhere.
    pub(super) slot: u32,
    /// Whether the times of the course there will be asked for.
    asks_times: bool,
}

impl Likely {
    /// Nobody has looked.
    const fn unknown(hash: u64) -> Self {
        Self { hash, rerouted: u64::MAX, slot: NONE, asks_times: false }
    }
}

/// What the steps found for the inputs ahead.
#[derive(Debug)]
pub(in crate::engine) struct Ahead([Likely; KEPT]);

impl Ahead {
    pub(in crate::engine) const NONE: Self = Self([Likely::unknown(0); KEPT]);

    /// Of the input at that place.
    #[inline]
    pub(in crate::engine) const fn of(&self, at: usize) -> Likely {
        self.0[at % KEPT]
    }
}

impl FlowTable {
    /// Whether all of it is at hand anyway. In tests none is, so that they look ahead.
    pub(in crate::engine) const fn is_near(&self) -> bool {
        !cfg!(any(test, fuzzing)) && self.len < NEAR
    }

    /// Of an input of which nobody has looked where it leads.
    #[inline]
    pub(in crate::engine) fn unlooked(&self, input: &Input) -> Likely {
        Likely::unknown(if let Input::Segment(segment) = input { self.hash_of(segment) } else { 0 })
    }

    /// Takes each step for one of the inputs; the first for that at `first`, and the others for those before it.
    #[inline]
    pub(in crate::engine) fn look_ahead(&self, ahead: &mut Ahead, inputs: &[Input], first: usize) {
        // Another processor has written them.
        if let Some(input) = inputs.get(first + FETCHED) {
            prefetch(input);
        }
        if let Some(input) = inputs.get(first) {
            let unlooked = self.unlooked(input);
            ahead.0[first % KEPT] = unlooked;
            self.by_tuple.prefetch(unlooked.hash);
        }
        if let Some((at, Input::Segment(_))) = behind(inputs, first, 1) {
            let likely = &mut ahead.0[at % KEPT];
            likely.rerouted = self.rerouted;
            // The first whose hash looks alike: the index is read, records are not.
            if let Some(slot) = self.by_tuple.find(likely.hash, |_| true) {
                likely.slot = slot;
                self.prefetch_record(slot, Record::PLAIN);
            }
        }
        if let Some((at, input)) = behind(inputs, first, 2)
            && let Some(record) = self.at(ahead.of(at).slot)
        {
            if is_any(input, Flags::FIN | Flags::SYN | Flags::RST) {
                record.prefetch_rest();
            }
            if let Some(going) = record.course.going() {
                prefetch_part(going, 0..Going::HEAD);
            }
        }
        if let Some((at, input)) = behind(inputs, first, 3)
            && let Some(record) = self.at(ahead.of(at).slot)
            && let Some(going) = record.course.going()
        {
            if going.opens_or_closes() {
                record.prefetch_rest();
            }
            ahead.0[at % KEPT].asks_times = going.prefetch(is_any(input, Flags::SYN | Flags::RST));
        }
        if let Some((at, _)) = behind(inputs, first, 4)
            && ahead.of(at).asks_times
            && let Some(going) = self.going_at(ahead.of(at).slot)
        {
            going.prefetch_times();
        }
    }

    /// The same of those whose numbers these are, as far as a deadline asks for it: of the first, where they are many.
    pub(in crate::engine) fn prefetch_numbers(&self, ids: impl Iterator<Item = FlowId>) {
        for id in ids.take(LEAD + ROUND) {
            self.prefetch_record(self.by_id.likely(id), size_of::<Record>());
        }
    }

    /// The same of those who must go next, where the table is full: for as many inputs as one round is of.
    pub(in crate::engine) fn prefetch_victims(&self) {
        if self.len + LEAD + 2 * ROUND < self.max {
            return;
        }
        let first = self.lists.iter().flatten().map(|list| list.head).find(|head| *head != NONE).unwrap_or(NONE);
        // Who came one behind the other mostly stands so. Along a list that is no row each would be waited for.
        if self.at(first).is_some_and(|record| record.place.next == first.saturating_add(1)) {
            let row = |from: usize| (first as usize + from..).take(ROUND).filter_map(|slot| u32::try_from(slot).ok());
            row(LEAD + ROUND).for_each(|slot| self.prefetch_record(slot, size_of::<Record>()));
            let there = row(LEAD).filter_map(|slot| self.at(slot));
            there.for_each(|record| self.by_tuple.prefetch(self.hash(&record.tuple())));
        }
    }

    /// The same of flows that are over, as far as sealing asks for it: nothing more of those whose segments all wait.
    pub(in crate::engine) fn prefetch_all_of(&self, flows: &[(Slot, FlowId)]) {
        flows.iter().for_each(|(slot, _)| self.prefetch_record(slot.0, size_of::<Record>()));
        let goings = || flows.iter().filter_map(|(slot, id)| self.still(*slot, *id)?.course.going());
        goings().for_each(|going| prefetch_part(going, 0..Going::HEAD));
        let courses = || goings().filter(|going| going.known_course().is_some());
        courses().for_each(|going| _ = going.prefetch(true));
        courses().for_each(Going::prefetch_times);
    }

    /// [Every record](Self::iter), for who looks at most of each: it is brought near before, and so are the ends of what is
    /// told of a flow that goes on.
    pub(in crate::engine) fn walk(&self) -> impl Iterator<Item = (Slot, &Record)> {
        self.iter().inspect(|(slot, _)| {
            self.prefetch_record(slot.0.saturating_add(2 * WALK_LEAD), size_of::<Record>());
            if let Some(going) = self.going_at(slot.0.saturating_add(WALK_LEAD)) {
                going.prefetch_ends();
            }
        })
    }

    /// Has what is told of flows brought near that will be asked for next, one by one and in this order: takes a step for
    /// each of the few behind the first. While one is told memory has answered, so that a step is one flow.
    pub(in crate::engine) fn prefetch_told(&self, ids: &[FlowId]) {
        let step = |step: usize| ids.get(step).map(|id| self.by_id.likely(*id));
        if let Some(slot) = step(4) {
            self.prefetch_record(slot, size_of::<Record>());
        }
        let course = |slot: Option<u32>| Some(&self.at(slot?)?.course);
        if let Some(course) = course(step(3)) {
            course.prefetch();
        }
        if let Some(Told::Over(block, _)) = course(step(2)) {
            block.prefetch();
        }
        if let Some(Told::Over(block, at)) = course(step(1)) {
            block.prefetch_one(*at);
        }
    }

    /// The first bytes of a record.
    #[inline]
    pub(super) fn prefetch_record(&self, slot: u32, bytes: usize) {
        if let Some(page) = self.pages.get(slot as usize / PAGE) {
            prefetch_part(&page[slot as usize % PAGE], 0..bytes);
        }
    }

    #[inline]
    fn going_at(&self, slot: u32) -> Option<&Going> {
        self.at(slot)?.course.going()
    }

    #[inline]
    pub(super) fn at(&self, slot: u32) -> Option<&Record> {
        self.pages.get(slot as usize / PAGE)?[slot as usize % PAGE].as_ref()
    }
}

/// The input that is so many steps behind the first.
#[inline]
fn behind(inputs: &[Input], first: usize, steps: usize) -> Option<(usize, &Input)> {
    // Before the first there is none, and none so far behind the last.
    let at = first.wrapping_sub(steps * STRIDE);
    inputs.get(at).map(|input| (at, input))
}

/// Whether the input is a segment with any of these flags.
#[inline]
fn is_any(input: &Input, kinds: Flags) -> bool {
    matches!(input, Input::Segment(segment) if segment.flags.0 & kinds.0 != 0)
}
