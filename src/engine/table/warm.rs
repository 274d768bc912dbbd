//! Brings what a batch's segments will touch into the processor's cache, before they are taken in one by one.
//!
//! Next to every segment of a busy table is one of another flow, of which nothing is at hand: what takes the time is to
//! wait for memory. Loads that do not depend on each other overlap, so all that one look leads to is looked at for the
//! whole batch before anything behind it is. Changes nothing; a wrong guess costs only time.

use triomphe::Arc;

use super::{FlowTable, Key, Likely, NONE, PAGE, WARMED};
use crate::engine::course::Course;
use crate::engine::input::Input;
use crate::engine::record::Record;
use crate::wire::Flags;

impl FlowTable {
    /// Where each key seems to lead; what else was read is of no use but for having been read.
    pub(in crate::engine) fn warm(&self, inputs: &[Input], keys: &[Option<Key>]) -> [Likely; WARMED] {
        // A table that fits the cache is warm.
        const COLD: usize = 1 << 10;
        let mut likely = [Likely::UNKNOWN; WARMED];
        if self.len < COLD {
            return likely;
        }
        for (key, likely) in keys.iter().zip(&mut likely) {
            // The first whose hash looks alike: the index is read, records are not.
            let found = key.as_ref().and_then(|key| self.by_tuple.find(key.hash, |_| true));
            *likely = Likely { slot: found.map_or(NONE, |slot| *slot), rerouted: self.rerouted };
        }
        // What it says is not asked for; that it was read counts.
        std::hint::black_box(self.warm_victims(keys.len()) ^ self.warm_records(inputs, &likely));
        likely
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
        let mut courses: [Option<&Course>; WARMED] = [None; WARMED];
        for (place, course) in places.iter().zip(&mut courses) {
            let Some(record) = place.and_then(Option::as_ref) else { continue };
            sum ^= record.warm() ^ u64::from(record.place.next);
            *course = record.course.going();
        }
        sum ^ warm_courses(courses, inputs)
    }

    /// The same of those who must go next, where the table is full.
    fn warm_victims(&self, count: usize) -> u64 {
        if self.len + count < self.max {
            return 0;
        }
        let mut slot = self.lists.iter().map(|list| list.head).find(|head| *head != NONE).unwrap_or(NONE);
        let mut sum = 0;
        for _ in 0..count {
            let Some(page) = self.pages.get(slot as usize / PAGE) else { break };
            let Some(entry) = &page[slot as usize % PAGE] else { break };
            let listed = self.by_tuple.find(self.hash(&entry.tuple()), |_| true);
            (sum, slot) = (sum ^ listed.map_or(0, |slot| u64::from(*slot)) ^ entry.warm(), entry.place.next);
        }
        sum
    }
}

/// The same of the courses that the inputs are for.
fn warm_courses(mut courses: [Option<&Course>; WARMED], inputs: &[Input]) -> u64 {
    // What is asked below is there by then: to guess wrong at what has not come yet costs as much as to wait for it.
    let counts = courses.iter().flatten().fold(0, |sum, course| sum ^ course.warm_count());
    // Next to most of these, segments wait.
    let mut due: [Option<&Course>; WARMED] = [None; WARMED];
    for ((course, due), input) in courses.iter_mut().zip(&mut due).zip(inputs) {
        let Some(read) = *course else { continue };
        if !read.lets_next_wait() || says_more(input) {
            *due = course.take();
        }
    }
    let waiting = courses.iter().flatten().fold(counts, |sum, course| sum ^ course.warm_waiting());
    let due = || due.iter().flatten();
    let parts = due().fold(waiting, |sum, course| sum ^ course.warm());
    let times = due().fold(parts, |sum, course| sum ^ course.timing.warm());
    due().fold(times, |sum, course| sum ^ course.timing.warm_measures())
}

/// Whether the input is no plain segment for sure.
fn says_more(input: &Input) -> bool {
    const KINDS: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0;
    matches!(input, Input::Segment(segment) if segment.flags.0 & KINDS != 0)
}
