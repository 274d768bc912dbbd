//! What a recording lost in all. Each of its sections counts from its own beginning, so that it stands alone.

use crate::base::Timestamp;
use crate::engine::{Input, Loss};
use crate::wire::FrameCounts;

/// What was told so far, and what was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    /// In the sections before this one, and in all.
    before: Option<Loss>,
    told: Option<Loss>,
    /// Frames that are there, and those of them that gave a segment.
    frames: u64,
    segments: u64,
}

impl Totals {
    /// A section begins.
    pub(super) const fn begin_section(&mut self) {
        self.before = self.told;
    }

    /// A frame that is there, with what it gave.
    pub(super) const fn count(&mut self, gave: Option<&Input>) {
        self.frames += 1;
        self.segments += matches!(gave, Some(Input::Segment(_))) as u64;
    }

    /// What a section tells of itself, as it is of all.
    pub(super) fn tell(&mut self, loss: Loss) -> Loss {
        let told = self.before.map_or(loss, |before| loss.after(&before));
        self.told = Some(told);
        told
    }

    /// What is left to be told where the recording ends: frames that came after what was told last. `None` where all
    /// is told, which it is of a recording that was ended.
    pub(super) fn rest(&self, ts: Timestamp) -> Option<Loss> {
        let nothing = Loss { ts, kernel: None, interface: None, ours: 0, frames: FrameCounts::default() };
        let told = self.told.unwrap_or(nothing);
        let frames = told.frames.at_least(self.frames, self.segments);
        (frames != told.frames).then_some(Loss { ts, frames, ..told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(frames: u64, kernel: u64) -> Loss {
        let frames = FrameCounts::default().at_least(frames, 0);
        Loss { ts: Timestamp::MIN, kernel: Some(kernel), interface: None, ours: 0, frames }
    }

    #[test]
    fn sections_count_from_their_own_beginning() {
        let mut totals = Totals::default();
        totals.begin_section();
        assert_eq!([loss(3, 0), loss(5, 1)].map(|loss| totals.tell(loss)), [loss(3, 0), loss(5, 1)]);
        totals.begin_section();
        assert_eq!([loss(1, 0), loss(4, 2)].map(|loss| totals.tell(loss)), [loss(6, 1), loss(9, 3)]);
        totals.begin_section();
        assert_eq!(totals.tell(loss(u64::MAX, 1)), loss(u64::MAX, 4), "a file may tell of any number");
    }

    #[test]
    fn frames_that_nobody_told_of_are_told_at_the_end() {
        let mut totals = Totals::default();
        assert_eq!(totals.rest(Timestamp::MIN), None);
        totals.tell(loss(3, 1));
        (0..3).for_each(|_| totals.count(None));
        assert_eq!(totals.rest(Timestamp::MIN), None);
        totals.count(None);
        assert_eq!(totals.rest(Timestamp::MIN), Some(loss(4, 1)));
    }
}
