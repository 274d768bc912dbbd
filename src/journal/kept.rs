//! Inputs that follow one another, kept so that they cost little to take in and to let go of.
//!
//! Nearly all are segments. Those hold nothing beside themselves, so they lie apart: none is looked at when all go.

use crate::engine::Input;
use crate::wire::Segment;

use super::Lost;

/// Inputs in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    segments: Vec<Segment>,
    /// With the place of each among all.
    others: Vec<(u32, Input)>,
    bytes: usize,
}

impl Kept {
    /// With room for so many segments.
    pub(super) fn with_capacity(segments: usize) -> Self {
        Self { segments: Vec::with_capacity(segments), others: Vec::new(), bytes: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.segments.len() + self.others.len()
    }

    /// About how many bytes they take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same of those before a place.
    pub(super) fn bytes_before(&self, place: usize) -> usize {
        let others = &self.others[..self.others_before(place)];
        let segments = place.min(self.len()) - others.len();
        segments * size_of::<Segment>() + others.iter().map(|(_, other)| weight(other)).sum::<usize>()
    }

    #[inline]
    pub(super) fn push_segment(&mut self, segment: &Segment) {
        self.segments.push(*segment);
        self.bytes += size_of::<Segment>();
    }

    /// Adds one that is no segment.
    pub(super) fn push_other(&mut self, input: Input) {
        let place = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.bytes += weight(&input);
        self.others.push((place, input));
    }

    /// Those from a place on.
    pub(super) fn since(&self, place: usize) -> impl Iterator<Item = Input> {
        let passed = self.others_before(place);
        let mut others = self.others[passed..].iter().peekable();
        let mut segments = self.segments.iter().skip(place - passed);
        (place..self.len()).filter_map(move |place| match others.next_if(|(at, _)| *at as usize == place) {
            Some((_, other)) => Some(other.clone()),
            None => segments.next().map(|segment| Input::Segment(*segment)),
        })
    }

    /// Takes note of what those before a place tell of what was lost, from another place on.
    pub(super) fn note_lost(&self, from: usize, until: usize, lost: &mut Lost) {
        let (from, until) = (self.others_before(from), self.others_before(until));
        self.others[from..until].iter().for_each(|(_, other)| lost.note(other));
    }

    /// Lets all go, and keeps the room for segments: of others there are many now and then only.
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        self.others = Vec::new();
        self.bytes = 0;
    }

    fn others_before(&self, place: usize) -> usize {
        self.others.partition_point(|(at, _)| (*at as usize) < place)
    }
}

/// About how many bytes one takes that is no segment.
const fn weight(other: &Input) -> usize {
    let more = match other {
        Input::Name(_) | Input::Dns(_) | Input::Kernel(_) => 200,
        Input::Segment(_) | Input::Icmp(_) | Input::Sample(_) | Input::Loss(_) | Input::Tick(_) => 0,
    };
    size_of::<(u32, Input)>() + more
}

#[cfg(test)]
mod tests {
    use super::super::fixture::crowd;
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn they_come_back_in_their_order() {
        let segments = crowd(2, 60);
        for every in [1, 2, 7, 100] {
            let (mut kept, mut all) = (Kept::with_capacity(8), Vec::new());
            for (at, input) in segments.iter().enumerate() {
                if at % every == 0 {
                    let tick = Input::Tick(Timestamp::from_nanos(at as i64));
                    kept.push_other(tick.clone());
                    all.push(tick);
                }
                if let Input::Segment(segment) = input {
                    kept.push_segment(segment);
                    all.push(input.clone());
                }
            }
            for place in 0..=all.len() {
                assert!(kept.since(place).eq(all[place..].iter().cloned()), "{every}, from {place}");
                let before =
                    |input: &Input| if let Input::Segment(_) = input { size_of::<Segment>() } else { weight(input) };
                assert_eq!(kept.bytes_before(place), all[..place].iter().map(before).sum::<usize>());
            }
            kept.clear();
            assert_eq!((kept.len(), kept.bytes(), kept.since(0).count()), (0, 0, 0));
        }
    }
}
