//! The last inputs of a source that goes on, so that one can go back in it while it does. Readings of the socket table,
//! of which each holds every socket, are kept as a recording keeps them: by what changed.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::engine::Input;
use crate::wire::Segment;

use super::kept::Kept;
use super::recording::{Hearing, Readings};
use super::{Lost, Next, Tape};

/// Inputs given at once to whoever goes back, and rows of readings among them.
const AT_ONCE: usize = 1_024;
const ROWS: usize = 16_384;
/// About how many bytes of inputs lie together. No more than these, and the input that fills them up, are held for one of
/// them alone.
const CHUNK: usize = 64 << 10;
/// Segments in a chunk, where it has nothing else.
const SEGMENTS: usize = CHUNK.div_ceil(size_of::<Segment>());
/// Of chunks whose inputs went so many are kept for their memory.
const SPARE: usize = 64;

/// The last inputs, by their number since the source began. As a [`Tape`] it is played from any of them on; its end is
/// where the source is now, and there may be more later. A copy shares its inputs, and costs next to nothing.
#[derive(Debug, Clone, Default)]
pub struct Past {
    chunks: VecDeque<Chunk>,
    /// Empty, for their memory: whoever fills them anew spares the kernel its pages.
    spare: Vec<Arc<Kept>>,
    /// In the chunks a tick stands for each.
    readings: Readings,
    /// The number of the first that is kept, and that of the next to come.
    first: u64,
    end: u64,
    /// The next that is given.
    place: PastPlace,
    /// Of the chunks.
    bytes: usize,
    /// What those told that are forgotten.
    lost_before: Lost,
}

/// A place in what is kept of the past, with what must be known there to go on.
#[derive(Debug, Clone, Default)]
pub struct PastPlace {
    next: u64,
    hearing: Hearing,
    readings_from: Option<Timestamp>,
}

impl PastPlace {
    /// Before the input of that number.
    pub fn before(number: u64) -> Self {
        Self { next: number, ..Self::default() }
    }

    /// The same for whom readings before an instant tell nothing: a tick stands for each.
    pub fn with_readings_from(self, ts: Timestamp) -> Self {
        Self { readings_from: Some(ts), ..self }
    }

    /// The number of the next input.
    pub const fn next(&self) -> u64 {
        self.next
    }
}

/// Some that follow one another.
#[derive(Debug, Clone)]
struct Chunk {
    /// The number of the first.
    first: u64,
    inputs: Arc<Kept>,
}

impl Chunk {
    /// Of an input's number its place here.
    fn place_of(&self, number: u64) -> usize {
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        place.min(self.inputs.len())
    }
}

impl Past {
    /// Takes in what the engine has taken in.
    pub fn extend(&mut self, inputs: &[Input]) {
        let mut inputs = inputs.iter();
        while !inputs.as_slice().is_empty() {
            if self.chunks.back().is_none_or(|chunk| chunk.inputs.bytes() >= CHUNK) {
                let inputs = self.spare.pop().unwrap_or_else(|| Arc::new(Kept::with_capacity(SEGMENTS)));
                self.chunks.push_back(Chunk { first: self.end, inputs });
            }
            let Some(chunk) = self.chunks.back_mut() else { return };
            let kept = Arc::make_mut(&mut chunk.inputs);
            let had = kept.bytes();
            while kept.bytes() < CHUNK
                && let Some(input) = inputs.next()
            {
                match input {
                    Input::Segment(segment) => kept.push_segment(segment),
                    Input::Sample(sample) => {
                        self.readings.push(self.end, sample);
                        kept.push_other(Input::Tick(sample.ts));
                    }
                    other => kept.push_other(other.clone()),
                }
                self.end += 1;
            }
            self.bytes += kept.bytes() - had;
        }
    }

    /// The number of the first that is kept, and that of the next to come.
    pub const fn span(&self) -> (u64, u64) {
        (self.first, self.end)
    }

    /// Those of that number and after it which are kept, but for readings: a tick stands for each.
    pub fn since(&self, number: u64) -> impl Iterator<Item = Input> {
        let number = number.max(self.first);
        let chunk = self.chunks.partition_point(|chunk| chunk.first <= number).saturating_sub(1);
        self.chunks.range(chunk..).flat_map(move |chunk| chunk.inputs.since(chunk.place_of(number)))
    }

    /// Gives `each` of the next inputs, of which the place is then behind: some at once, and none where there are no
    /// more. What is kept no longer is passed over.
    pub fn read(&self, place: &mut PastPlace, mut each: impl FnMut(&Input)) {
        place.next = place.next.max(self.first);
        let mut rows = 0;
        for input in self.since(place.next).take(AT_ONCE) {
            let number = place.next;
            place.next += 1;
            let is_wanted = place.readings_from.is_none_or(|from| input.ts() >= from);
            let reading = match input {
                Input::Tick(_) if is_wanted => self.readings.hear(number, &mut place.hearing),
                _ => None,
            };
            let Some(reading) = reading else {
                each(&input);
                continue;
            };
            rows += reading.sockets.len();
            each(&Input::Sample(reading));
            if rows > ROWS {
                break;
            }
        }
    }

    /// What was lost before the first that is kept, as far as it was told.
    pub const fn lost_before(&self) -> Lost {
        self.lost_before
    }

    /// About how many bytes it holds.
    pub const fn bytes(&self) -> usize {
        self.bytes + self.readings.bytes()
    }

    /// Whether all that is kept was given.
    pub fn is_at_end(&self) -> bool {
        self.place.next >= self.end
    }

    /// Gives from that number on.
    pub const fn stand_at(&mut self, next: u64) {
        self.place.next = next;
    }

    /// Forgets what comes before that number.
    pub fn forget_before(&mut self, number: u64) {
        let until = number.clamp(self.first, self.end);
        while let Some(chunk) = self.chunks.front_mut() {
            let (from, place) = (chunk.place_of(self.first), chunk.place_of(until));
            chunk.inputs.note_lost(from, place, &mut self.lost_before);
            self.bytes -= chunk.inputs.bytes_before(place) - chunk.inputs.bytes_before(from);
            self.first = chunk.first + place as u64;
            if place < chunk.inputs.len() {
                break;
            }
            let gone = self.chunks.pop_front();
            self.reuse(gone);
        }
        self.first = until;
        self.readings.forget_before(until);
    }

    /// Keeps a chunk's memory, unless a copy has its inputs.
    fn reuse(&mut self, chunk: Option<Chunk>) {
        if let Some(Chunk { mut inputs, .. }) = chunk.filter(|_| self.spare.len() < SPARE)
            && let Some(kept) = Arc::get_mut(&mut inputs)
        {
            kept.clear();
            self.spare.push(inputs);
        }
    }
}

impl Tape for Past {
    type Place = u64;

    fn next(&mut self, _wait: bool) -> Next<u64> {
        if !(self.first..self.end).contains(&self.place.next) {
            return Next::NoMore;
        }
        let (mut inputs, mut place) = (Vec::new(), std::mem::take(&mut self.place));
        self.read(&mut place, |input| inputs.push(input.clone()));
        self.place = place;
        Next::Inputs(inputs, Some(self.place.next))
    }

    fn go(&mut self, place: &u64) -> Result<(), String> {
        if *place < self.first {
            return Err("that is longer ago than what is kept: --rewind SIZE keeps more".to_owned());
        }
        self.place.next = *place;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::crowd;
    use super::*;

    fn given(past: &mut Past) -> usize {
        std::iter::from_fn(|| match past.next(false) {
            Next::Inputs(inputs, _) => Some(inputs.len()),
            _ => None,
        })
        .sum()
    }

    #[test]
    fn it_is_played_from_any_number_that_is_kept() {
        let (mut past, inputs) = (Past::default(), crowd(5, 3_000));
        past.extend(&inputs);
        let whole = past.bytes();
        assert_eq!((given(&mut past), past.is_at_end()), (3_000, true));
        past.forget_before(1_000);
        assert_eq!((past.span(), past.bytes()), ((1_000, 3_000), whole / 3 * 2));
        assert!(past.go(&999).is_err() && past.is_at_end(), "it stands where it stood");
        assert!(past.go(&2_500).is_ok());
        let Next::Inputs(rest, Some(3_000)) = past.next(false) else { panic!("the rest") };
        assert_eq!(rest, inputs[2_500..]);
        let since = |number| past.since(number).count();
        for (number, count) in [(0, 2_000), (1_000, 2_000), (2_999, 1), (3_000, 0), (9_000, 0)] {
            assert_eq!(since(number), count, "{number}");
        }
        let copy = past.clone();
        past.extend(&inputs[..1]);
        assert_eq!((given(&mut past), copy.span().1), (1, 3_000), "there may be more later");
        assert!(copy.since(0).eq(inputs[1_000..].iter().cloned()), "which a copy does not have");
        assert!(past.since(0).eq(inputs[1_000..].iter().chain(&inputs[..1]).cloned()));
        past.forget_before(u64::MAX);
        assert_eq!((past.span(), past.bytes(), given(&mut past)), ((3_001, 3_001), 0, 0));
        past.extend(&inputs[..1]);
        assert_eq!((past.span(), given(&mut past), past.since(0).count()), ((3_001, 3_002), 1, 1));
    }
}
