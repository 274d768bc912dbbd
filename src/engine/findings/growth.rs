//! A counter that grows: since when, and by how much.

use crate::base::Timestamp;
use crate::findings::{Grown, Run};

/// A counter, as readings tell it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct Growth {
    read: Option<(Timestamp, i64)>,
    growing: Option<Growing>,
}

/// The run in which it grows, and what the last reading before that was.
#[derive(Debug, Clone, Copy)]
struct Growing {
    run: Run,
    before: (Timestamp, i64),
}

impl Growth {
    /// Of one that began at 0.
    pub(in crate::engine) const FROM_0: Self = Self { read: Some((Timestamp::MIN, 0)), growing: None };

    /// Takes in a reading at `ts`; `None` where that does not tell of it.
    pub(in crate::engine) fn take(&mut self, ts: Timestamp, count: Option<i64>) {
        let Some(count) = count else { return };
        if let Some(before) = self.read.filter(|before| count > before.1) {
            let run = Run::on(self.growing.map(|grew| grew.run), ts);
            let lasting = self.growing.filter(|grew| grew.run.since == run.since);
            self.growing = Some(Growing { run, before: lasting.map_or(before, |grew| grew.before) });
        }
        self.read = Some((ts, count));
    }

    /// By how much it has grown in its last run.
    pub(in crate::engine) fn told(&self) -> Option<Grown> {
        let Growing { run, before: (since, before) } = self.growing?;
        // One that has fallen since, as where the host was started anew, tells nothing.
        let count = u64::try_from(self.read?.1.saturating_sub(before)).ok().filter(|count| *count > 0)?;
        Some(Grown { count, since, run })
    }
}
