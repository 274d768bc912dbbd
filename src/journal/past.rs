//! The last inputs of a source that goes on, so that one can go back in it while it does.

use std::collections::VecDeque;

use crate::engine::Input;
use crate::kernel::{Owners, Socket};

use super::{Next, Tape};

/// Inputs given at once to whoever goes back.
const AT_ONCE: usize = 1_024;

/// The last inputs, by their number since the source began. As a [`Tape`] it is played from any of them on; its end is
/// where the source is now, and there may be more later.
#[derive(Debug, Default)]
pub struct Past {
    inputs: VecDeque<Input>,
    /// The number of the first that is kept.
    first: u64,
    /// The number of the next that is given.
    next: u64,
    bytes: usize,
}

impl Past {
    /// Takes in what the engine has taken in.
    pub fn push(&mut self, input: Input) {
        self.bytes += weight(&input);
        self.inputs.push_back(input);
    }

    /// The number of the first that is kept, and that of the next to come.
    pub fn span(&self) -> (u64, u64) {
        (self.first, self.first + self.inputs.len() as u64)
    }

    /// Those of that number and after it which are kept.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Input> {
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.inputs.range(place.min(self.inputs.len())..)
    }

    /// The same in two parts, as they lie in memory.
    pub fn parts_since(&self, number: u64) -> [&[Input]; 2] {
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let (front, back) = self.inputs.as_slices();
        let from = |part: &'_ [Input], skipped: usize| place.saturating_sub(skipped).min(part.len());
        [&front[from(front, 0)..], &back[from(back, front.len())..]]
    }

    /// About how many bytes it holds.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all that is kept was given.
    pub fn is_at_end(&self) -> bool {
        self.next >= self.span().1
    }

    /// Gives from that number on.
    pub const fn stand_at(&mut self, next: u64) {
        self.next = next;
    }

    /// Forgets what comes before that number.
    pub fn forget_before(&mut self, number: u64) {
        while self.first < number
            && let Some(input) = self.inputs.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(weight(&input));
            self.first += 1;
        }
    }
}

impl Tape for Past {
    type Place = u64;

    fn next(&mut self, _wait: bool) -> Next<u64> {
        let place = self.next.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let Some(place) = place.filter(|place| *place < self.inputs.len()) else { return Next::NoMore };
        let end = self.inputs.len().min(place + AT_ONCE);
        self.next = self.first + end as u64;
        Next::Inputs(self.inputs.range(place..end).cloned().collect(), Some(self.next))
    }

    fn go(&mut self, place: &u64) -> Result<(), String> {
        if *place < self.first {
            return Err("that is longer ago than what is kept: --rewind SIZE keeps more".to_owned());
        }
        self.next = *place;
        Ok(())
    }
}

/// About how many bytes an input takes; what samples share with one another counts once with each.
fn weight(input: &Input) -> usize {
    let more = match input {
        Input::Sample(sample) => sample.sockets.len() * (size_of::<Socket>() + 280) + size_of::<Owners>(),
        Input::Name(_) | Input::Dns(_) | Input::Kernel(_) => 200,
        Input::Segment(_) | Input::Icmp(_) | Input::Loss(_) | Input::Tick(_) => 0,
    };
    size_of::<Input>() + more
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
        inputs.iter().for_each(|input| past.push(input.clone()));
        let whole = past.bytes();
        assert_eq!((given(&mut past), past.is_at_end()), (3_000, true));
        past.forget_before(1_000);
        assert_eq!((past.span(), past.bytes()), ((1_000, 3_000), whole / 3 * 2));
        assert!(past.go(&999).is_err() && past.is_at_end(), "it stands where it stood");
        assert!(past.go(&2_500).is_ok());
        let Next::Inputs(rest, Some(3_000)) = past.next(false) else { panic!("the rest") };
        assert_eq!(rest, inputs[2_500..]);
        let since = |number| past.since(number).count();
        let in_parts = |number| past.parts_since(number).concat().len();
        for (number, count) in [(0, 2_000), (1_000, 2_000), (2_999, 1), (3_000, 0), (9_000, 0)] {
            assert_eq!((since(number), in_parts(number)), (count, count), "{number}");
        }
        past.push(inputs[0].clone());
        assert_eq!(given(&mut past), 1, "there may be more later");
        past.forget_before(u64::MAX);
        assert_eq!((past.span(), past.bytes(), given(&mut past)), ((3_001, 3_001), 0, 0));
    }
}
