//! What nothing else tells of a capture that was read: journal entries that say nothing here, and that a recording lacks
//! its end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::journal::Captures;

/// As the reading thread notes it.
#[derive(Debug, Default)]
pub(super) struct Notes {
    foreign: AtomicU64,
    skipped: AtomicU64,
    cut_off: AtomicBool,
}

impl Notes {
    /// Notes it of what was read so far; `to_the_end`: that is all.
    pub(super) fn note(&self, reader: &Captures, to_the_end: bool) {
        self.foreign.store(reader.foreign(), Ordering::Relaxed);
        self.skipped.store(reader.skipped(), Ordering::Relaxed);
        self.cut_off.fetch_or(to_the_end && reader.lacks_end(), Ordering::Relaxed);
    }

    /// What was noted so far.
    pub(super) fn told(&self) -> PassedOver {
        PassedOver {
            foreign: self.foreign.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            cut_off: self.cut_off.load(Ordering::Relaxed),
        }
    }
}

/// What was passed over, and what is missing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PassedOver {
    /// As [`Captures::foreign`] and [`Captures::skipped`].
    foreign: u64,
    skipped: u64,
    /// It is a recording, all of it was read, and it does not say that it ends there.
    cut_off: bool,
}

impl PassedOver {
    /// What two readers of one capture told, of whom either may have come further.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            foreign: self.foreign.max(other.foreign),
            skipped: self.skipped.max(other.skipped),
            cut_off: self.cut_off || other.cut_off,
        }
    }

    /// In words; nothing of what is as it should be.
    pub(super) fn words(self) -> impl Iterator<Item = String> {
        const FOREIGN: &str = "of another program's journal: passed over";
        const SKIPPED: &str = "of the recording not told, since another was taken out of the file";
        const CUT_OFF: &str = "the recording was not ended: it was cut off or is still being written, or its writer was \
                               killed or stopped by a full disk; all that is there was used";
        let told = |(count, what)| match count {
            0 => None,
            1 => Some(format!("1 entry {what}")),
            count => Some(format!("{count} entries {what}")),
        };
        let entries = [(self.foreign, FOREIGN), (self.skipped, SKIPPED)];
        entries.into_iter().filter_map(told).chain(self.cut_off.then(|| CUT_OFF.to_owned()))
    }
}
