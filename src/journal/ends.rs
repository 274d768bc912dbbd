//! Whether a recording was ended: each of its sections says so itself.

use super::recording::Memory;

/// What the sections say of their ends, and is to be told of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ends {
    /// Those before this one that are recordings were ended.
    #[default]
    There,
    /// The same, and behind a recording began this one, which holds nothing yet.
    Unheard,
    /// One before this one was not ended.
    Lacking,
}

impl Ends {
    /// A section begins; the one before it was a recording if it has a memory.
    pub(super) fn begin_section(&mut self, before: Option<&Memory>) {
        *self = match (*self, before) {
            (Self::There, None) => Self::There,
            (Self::There, Some(memory)) if memory.has_ended() => Self::Unheard,
            _ => Self::Lacking,
        };
    }

    /// This section holds something.
    #[inline]
    pub(super) fn hear(&mut self) {
        if *self == Self::Unheard {
            *self = Self::There;
        }
    }

    /// Whether an end is lacking where nothing follows.
    pub(super) fn are_lacking(self, now: Option<&Memory>) -> bool {
        self != Self::There || now.is_some_and(|memory| !memory.has_ended())
    }
}
