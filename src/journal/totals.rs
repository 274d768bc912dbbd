//! What was lost in all, by the inputs that tell it in running totals. Those who make them count from their own
//! beginning; each section of a recording counts from where it begins itself, so that it stands alone.

use crate::base::Timestamp;
use crate::engine::{Input, Loss};
use crate::kernel::{KernelEvent, LostEvents};
use crate::wire::FrameCounts;

/// What was told so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    pub loss: Option<Loss>,
    /// Events of the trace, and last words of sockets.
    pub events: u64,
    pub last_words: u64,
}

impl Lost {
    /// Takes note of what an input tells of it, if anything.
    pub const fn note(&mut self, input: &Input) {
        match input {
            Input::Loss(loss) => self.loss = Some(**loss),
            Input::Kernel(KernelEvent::Lost(lost)) => self.events = lost.total,
            Input::Kernel(KernelEvent::LastWordsLost(lost)) => self.last_words = lost.total,
            _ => {}
        }
    }

    /// What an input tells of what was lost since then; `None` of one that tells nothing of it.
    pub fn before(&self, input: &Input) -> Option<Input> {
        self.told_otherwise(input, Loss::since, u64::saturating_sub)
    }

    /// The other way round: what it tells that counts from then on, of all.
    pub(in crate::journal) fn and(&self, input: Input) -> Input {
        self.told_otherwise(&input, Loss::after, u64::saturating_add).unwrap_or(input)
    }

    /// An input that tells a total, with that and what was lost so far made into another.
    fn told_otherwise(
        &self,
        input: &Input,
        loss: fn(&Loss, &Loss) -> Loss,
        total: fn(u64, u64) -> u64,
    ) -> Option<Input> {
        let events = |lost: &LostEvents, so_far: u64| LostEvents { total: total(lost.total, so_far), ..*lost };
        Some(match input {
            Input::Loss(told) => {
                Input::Loss(self.loss.map_or_else(|| told.clone(), |so_far| Box::new(loss(told, &so_far))))
            }
            Input::Kernel(KernelEvent::Lost(lost)) => Input::Kernel(KernelEvent::Lost(events(lost, self.events))),
            Input::Kernel(KernelEvent::LastWordsLost(lost)) => {
                Input::Kernel(KernelEvent::LastWordsLost(events(lost, self.last_words)))
            }
            _ => return None,
        })
    }
}

/// What a recording told so far, and what was read of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    /// In the sections before this one, and in all.
    before: Lost,
    told: Lost,
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
    pub(super) fn tell(&mut self, input: Input) -> Input {
        let told = self.before.and(input);
        self.told.note(&told);
        told
    }

    /// What is left to be told where the recording ends: frames that came after what was told last. Of one that is
    /// `cut_off` there may have been told of frames that never came into it: then, of those that are there. `None` where
    /// all is told, which it is of a recording that was ended.
    pub(super) fn rest(&self, ts: Timestamp, cut_off: bool) -> Option<Loss> {
        let nothing = Loss { ts, kernel: None, interface: None, ours: 0, frames: FrameCounts::default() };
        let told = self.told.loss.unwrap_or(nothing);
        let frames = match cut_off {
            true => told.frames.just(self.frames, self.segments),
            false => told.frames.at_least(self.frames, self.segments),
        };
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

    fn tell(totals: &mut Totals, told: Loss) -> Loss {
        let Input::Loss(loss) = totals.tell(Input::Loss(told.into())) else { panic!("a loss") };
        *loss
    }

    #[test]
    fn sections_count_from_their_own_beginning() {
        let mut totals = Totals::default();
        totals.begin_section();
        assert_eq!([loss(3, 0), loss(5, 1)].map(|loss| tell(&mut totals, loss)), [loss(3, 0), loss(5, 1)]);
        totals.begin_section();
        assert_eq!([loss(1, 0), loss(4, 2)].map(|loss| tell(&mut totals, loss)), [loss(6, 1), loss(9, 3)]);
        totals.begin_section();
        assert_eq!(tell(&mut totals, loss(u64::MAX, 1)), loss(u64::MAX, 4), "a file may tell of any number");
    }

    #[test]
    fn events_that_were_lost_are_counted_from_where_one_begins() {
        let lost = |total: u64| LostEvents { ts: Timestamp::MIN, until: Timestamp::MIN, total };
        for of in [KernelEvent::Lost, KernelEvent::LastWordsLost] {
            let event = |total: u64| Input::Kernel(of(lost(total)));
            let (mut source, mut totals) = (Lost::default(), Totals::default());
            source.note(&event(40));
            let mut section = |told: [u64; 2], own: [u64; 2], in_all: [u64; 2]| {
                let began = source;
                totals.begin_section();
                for ((told, own), in_all) in told.into_iter().zip(own).zip(in_all) {
                    source.note(&event(told));
                    let recorded = began.before(&event(told)).expect("it tells a total");
                    assert_eq!((&recorded, totals.tell(recorded.clone())), (&event(own), event(in_all)));
                }
            };
            section([41, 45], [1, 5], [1, 5]);
            section([45, 52], [0, 7], [5, 12]);
        }
        assert_eq!(Lost::default().before(&Input::Tick(Timestamp::MIN)), None);
    }

    #[test]
    fn frames_that_nobody_told_of_are_told_at_the_end() {
        let mut totals = Totals::default();
        let either = |totals: &Totals| [false, true].map(|cut_off| totals.rest(Timestamp::MIN, cut_off));
        assert_eq!(either(&totals), [None; 2]);
        tell(&mut totals, loss(3, 1));
        (0..3).for_each(|_| totals.count(None));
        assert_eq!(either(&totals), [None; 2]);
        totals.count(None);
        assert_eq!(either(&totals), [Some(loss(4, 1)); 2]);
    }

    #[test]
    fn frames_that_never_came_into_a_recording_that_is_cut_off_are_not_told_of() {
        let mut totals = Totals::default();
        let told = |frames, segments, not_tcp| {
            let mut counts = FrameCounts::default().at_least(frames, segments);
            counts.not_tcp = not_tcp;
            Loss { frames: counts, ..loss(0, 2) }
        };
        tell(&mut totals, told(10, 6, 4));
        (0..5).for_each(|_| totals.count(None));
        assert_eq!(totals.rest(Timestamp::MIN, true), Some(told(5, 0, 4)));
        (5..7).for_each(|_| totals.count(None));
        assert_eq!(totals.rest(Timestamp::MIN, true), Some(told(7, 0, 4)));
        assert_eq!(
            totals.rest(Timestamp::MIN, false),
            None,
            "what was captured as it began is told of one that was ended"
        );
        let mut few = Totals::default();
        tell(&mut few, told(10, 6, 4));
        few.count(None);
        assert_eq!(few.rest(Timestamp::MIN, true), Some(told(1, 0, 1)), "no kind is more than all");
    }
}
