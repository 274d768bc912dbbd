//! The marks that the user set: instants with a note. What is being recorded takes them from here.

use crate::base::{Mark, Scrubbed, Timestamp};

/// Marks at most.
const MOST: usize = 1_000;

/// The marks, in order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    all: Vec<Mark>,
    /// Those of a recording that were taken in.
    taken: u64,
}

impl Marks {
    /// Sets one at an instant; where one stands there already, it gets the new note, or goes if that is empty.
    pub(super) fn set(&mut self, at: Option<Timestamp>, note: &str) {
        let Some(ts) = at else { return };
        let place = self.all.partition_point(|mark| mark.ts < ts);
        let there = self.all.get(place).is_some_and(|mark| mark.ts == ts);
        if there {
            self.all.remove(place);
        }
        if !(there && note.is_empty()) && self.all.len() < MOST {
            self.all.insert(place, Mark { ts, note: Scrubbed::new(note) });
        }
    }

    /// Takes one that a recording holds, as it was set: once, however often the recording is read.
    pub(super) fn take(&mut self, number: u64, mark: &Mark) {
        if number >= self.taken {
            self.taken = number + 1;
            self.set(Some(mark.ts), &mark.note);
        }
    }

    /// The next one after an instant, or the last before it.
    pub(super) fn beside(&self, at: Timestamp, forwards: bool) -> Option<Timestamp> {
        Mark::beside(&self.all, at, forwards).map(|mark| mark.ts)
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Mark] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(marks: &Marks) -> Vec<(i64, &str)> {
        marks.all().iter().map(|mark| (mark.ts.nanos(), mark.note.as_str())).collect()
    }

    #[test]
    fn what_a_recording_holds_is_taken_as_it_was_set_and_once() {
        let at = Timestamp::from_nanos;
        let mut marks = Marks::default();
        let recorded = [(5, "first"), (3, "slip"), (5, "second"), (3, ""), (9, "later")];
        let read = |marks: &mut Marks, from: usize| {
            for (number, (nanos, note)) in recorded.iter().enumerate().skip(from) {
                marks.take(number as u64, &Mark { ts: at(*nanos), note: Scrubbed::new(note) });
            }
        };
        read(&mut marks, 0);
        assert_eq!(told(&marks), [(5, "second"), (9, "later")]);
        marks.set(Some(at(5)), "mine");
        // From anywhere, as often as one goes back.
        for from in 0..recorded.len() {
            read(&mut marks, from);
            assert_eq!(told(&marks), [(5, "mine"), (9, "later")], "{from}");
        }
    }
}
