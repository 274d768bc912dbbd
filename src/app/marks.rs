//! The marks that the user set: instants with a note. What is being recorded takes them from here.

use crate::base::{Scrubbed, Timestamp};
use crate::ui::Mark;

/// Marks at most.
const MOST: usize = 1_000;

/// The marks, in order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    /// Sets one at an instant; where one stands there already, it gets the new note, or goes if that is empty.
    pub(super) fn set(&mut self, at: Option<Timestamp>, note: &str) {
        let Some(at) = at else { return };
        let place = self.0.partition_point(|mark| mark.at < at);
        let there = self.0.get(place).is_some_and(|mark| mark.at == at);
        if there {
            self.0.remove(place);
        }
        if !(there && note.is_empty()) && self.0.len() < MOST {
            self.0.insert(place, Mark { at, note: Scrubbed::new(note) });
        }
    }

    /// Takes one that a recording holds, unless there is one at its instant.
    pub(super) fn take(&mut self, at: Timestamp, note: &str) {
        if !self.0.iter().any(|mark| mark.at == at) {
            self.set(Some(at), note);
        }
    }

    /// The next one after an instant, or the last before it.
    pub(super) fn beside(&self, at: Timestamp, forwards: bool) -> Option<Timestamp> {
        Mark::beside(&self.0, at, forwards).map(|mark| mark.at)
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Mark] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_recording_holds_never_takes_the_place_of_what_the_user_set() {
        let at = Timestamp::from_nanos;
        let mut marks = Marks::default();
        marks.set(Some(at(5)), "mine");
        for (nanos, note) in [(5, "recorded"), (3, ""), (3, ""), (9, "later")] {
            marks.take(at(nanos), note);
        }
        let told: Vec<_> = marks.all().iter().map(|mark| (mark.at.nanos(), mark.note.as_str())).collect();
        assert_eq!(told, [(3, ""), (5, "mine"), (9, "later")]);
    }
}
