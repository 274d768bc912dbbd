//! Brings what a batch's segments will touch into the processor's cache, before they are taken in one by one.
//!
//! Next to every segment of a busy table is one of another flow, of which nothing is at hand: what takes the time is to
//! wait for memory. Loads that do not depend on each other overlap, so all that one look leads to is looked at for the
//! whole batch before anything behind it is. Changes nothing; a wrong guess costs only time.

use triomphe::Arc;

use super::{FlowTable, Likely, NONE, PAGE, Slot, WARMED};
use crate::engine::FlowId;
use crate::engine::going::Going;
use crate::engine::input::Input;
use crate::engine::record::Record;
use crate::wire::Flags;

impl FlowTable {
    /// Where each hash of a segment's tuple seems to lead; what else was read is of no use but for having been read.
    pub(in crate::engine) fn warm(&self, inputs: &[Input], hashes: &[u64]) -> [Likely; WARMED] {
        // A table that fits the cache is warm.
        const COLD: usize = 1 << 10;
        let mut likely = [Likely::UNKNOWN; WARMED];
        if self.len < COLD {
            return likely;
        }
        let sum = self.warm_index(hashes);
        for ((hash, input), likely) in hashes.iter().zip(inputs).zip(&mut likely) {
            if !matches!(input, Input::Segment(_)) {
                continue;
            }
            // The first whose hash looks alike: the index is read, records are not.
            let found = self.by_tuple.find(*hash, |_| true);
            *likely = Likely { slot: found.unwrap_or(NONE), rerouted: self.rerouted };
        }
        // What it says is not asked for; that it was read counts.
        std::hint::black_box(sum ^ self.warm_victims(hashes.len()) ^ self.warm_records(inputs, &likely));
        likely
    }

    /// Reads where they are listed. Nothing is asked of it here: a branch on what has not come yet, guessed wrong, has all
    /// that is behind it wait.
    fn warm_index(&self, hashes: &[u64]) -> u64 {
        hashes.iter().fold(0, |sum, hash| sum ^ self.by_tuple.warm(*hash))
    }

    /// Reads of the records where they lead what a segment's way asks for.
    fn warm_records(&self, inputs: &[Input], likely: &[Likely; WARMED]) -> u64 {
        let mut sum = 0;
        let mut places: [Option<&Option<Record>>; WARMED] = [None; WARMED];
        for (Likely { slot, .. }, place) in likely.iter().zip(&mut places) {
            let Some(page) = self.pages.get(*slot as usize / PAGE) else { continue };
            // Whether it is shared is asked of every page that is written.
            sum ^= Arc::strong_count(page) as u64;
            *place = page.get(*slot as usize % PAGE);
        }
        let mut goings: [Option<&Going>; WARMED] = [None; WARMED];
        for ((place, input), going) in places.iter().zip(inputs).zip(&mut goings) {
            let Some(record) = place.and_then(Option::as_ref) else { continue };
            sum ^= record.warm();
            if is_any(input, Flags::FIN | Flags::SYN | Flags::RST) {
                sum ^= record.warm_rest() ^ u64::from(record.place.next);
            }
            *going = record.course.going();
        }
        sum ^ warm_goings(&goings, inputs)
    }

    /// The same of flows that are over: [`WARMED`] at most. What waits of them is not asked for here.
    pub(in crate::engine) fn warm_all_of(&self, flows: &[(Slot, FlowId)]) {
        let mut due = Few::NONE;
        let records = || flows.iter().filter_map(|(slot, id)| self.still(*slot, *id));
        let sum = records().fold(0, |sum, record| sum ^ record.warm() ^ record.warm_rest());
        let goings = || records().filter_map(|record| record.course.going());
        let heads = goings().fold(sum, |sum, going| sum ^ going.warm());
        goings().for_each(|going| due.push(going, going.known_course().is_some()));
        std::hint::black_box(heads ^ warm_due(&due));
    }

    /// The same of those whose numbers these are, at most [`WARMED`], as far as a deadline asks for it.
    pub(in crate::engine) fn warm_numbers(&self, ids: impl Iterator<Item = FlowId>) {
        let (mut slots, mut count) = ([NONE; WARMED], 0);
        for (id, slot) in ids.zip(&mut slots) {
            (*slot, count) = (self.by_id.likely(id), count + 1);
        }
        let at = |slot: u32| self.pages.get(slot as usize / PAGE)?[slot as usize % PAGE].as_ref();
        let records = slots[..count].iter().filter_map(|slot| at(*slot));
        std::hint::black_box(records.fold(0, |sum, record| sum ^ record.id.0 ^ record.armed.nanos().cast_unsigned()));
    }

    /// The same of those who must go next, where the table is full.
    fn warm_victims(&self, count: usize) -> u64 {
        if self.len + count < self.max {
            return 0;
        }
        let mut slot = self.lists.iter().map(|list| list.head).find(|head| *head != NONE).unwrap_or(NONE);
        let at = |slot: u32| self.pages.get(slot as usize / PAGE)?[slot as usize % PAGE].as_ref();
        // Who came one behind the other mostly stands so. Along the list each is waited for before the next is known.
        let is_row = at(slot).is_some_and(|first| first.place.next == slot.saturating_add(1));
        let (mut hashes, mut found, mut sum) = ([0; WARMED], 0, 0);
        for hash in &mut hashes[..count] {
            let Some(entry) = at(slot) else { break };
            sum ^= entry.warm() ^ entry.warm_rest();
            (*hash, found) = (self.hash(&entry.tuple()), found + 1);
            slot = if is_row { slot + 1 } else { entry.place.next };
        }
        sum ^ self.warm_index(&hashes[..found])
    }
}

/// The same of what is told of the flows that the inputs are for. A branch on what has not come yet, guessed wrong, costs
/// as much as to wait for it: so it is looked at before anything is asked of it, and sorted without one.
fn warm_goings(goings: &[Option<&Going>; WARMED], inputs: &[Input]) -> u64 {
    let sum = goings.iter().flatten().fold(0, |sum, going| sum ^ going.warm());
    // Next to most of these, segments wait.
    let (mut waiting, mut due) = (Few::NONE, Few::NONE);
    for (going, input) in goings.iter().zip(inputs) {
        let Some(going) = going else { continue };
        let is_due = !going.lets_next_wait() | is_any(input, Flags::SYN | Flags::RST);
        waiting.push(going, !is_due);
        due.push(going, is_due);
    }
    waiting.iter().fold(sum, |sum, going| sum ^ going.pending().warm()) ^ warm_due(&due)
}

/// The same of those whose course will be asked for.
fn warm_due(due: &Few<'_>) -> u64 {
    let sum = due.iter().fold(0, |sum, going| sum ^ going.pending().warm_all());
    let courses = || due.iter().filter_map(Going::known_course);
    let sum = courses().fold(sum, |sum, course| sum ^ course.warm());
    let sum = courses().fold(sum, |sum, course| sum ^ course.timing.warm());
    courses().fold(sum, |sum, course| sum ^ course.timing.warm_measures())
}

/// Some of them.
struct Few<'a> {
    goings: [Option<&'a Going>; WARMED],
    count: usize,
}

impl<'a> Few<'a> {
    const NONE: Self = Self { goings: [None; WARMED], count: 0 };

    /// Adds one, if it `counts`.
    fn push(&mut self, going: &'a Going, counts: bool) {
        self.goings[self.count] = Some(going);
        self.count += usize::from(counts);
    }

    fn iter(&self) -> impl Iterator<Item = &'a Going> {
        self.goings[..self.count].iter().flatten().copied()
    }
}

/// Whether the input is a segment with any of these flags.
fn is_any(input: &Input, kinds: Flags) -> bool {
    matches!(input, Input::Segment(segment) if segment.flags.0 & kinds.0 != 0)
}
