//! An instant that somebody marked. Pure.

use super::{Scrubbed, Timestamp};

/// A marked instant, with what was noted; the note may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub ts: Timestamp,
    pub note: Scrubbed,
}

impl Mark {
    /// Of marks in order of time, the next after an instant, or the last before it.
    pub fn beside(all: &[Self], ts: Timestamp, forwards: bool) -> Option<&Self> {
        let mut all = all.iter();
        if forwards { all.find(|mark| mark.ts > ts) } else { all.rfind(|mark| mark.ts < ts) }
    }
}
