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

    /// The next one after an instant, or the last before it.
    pub(super) fn beside(&self, at: Timestamp, forwards: bool) -> Option<Timestamp> {
        let mut all = self.0.iter().map(|mark| mark.at);
        if forwards { all.find(|mark| *mark > at) } else { all.rfind(|mark| *mark < at) }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Mark] {
        &self.0
    }
}
