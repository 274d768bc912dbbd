//! The last inputs of a source that goes on, so that one can go back in it while it does.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Input;
use crate::kernel::{Owners, Socket};

use super::{Next, Tape};

/// Inputs given at once to whoever goes back.
const AT_ONCE: usize = 1_024;
/// About how many bytes of inputs lie together. No more than these, and the input that fills them up, are held for one of
/// them alone.
const CHUNK: usize = 64 << 10;

/// The last inputs, by their number since the source began. As a [`Tape`] it is played from any of them on; its end is
/// where the source is now, and there may be more later. A copy shares its inputs, and costs next to nothing.
#[derive(Debug, Clone, Default)]
pub struct Past {
    chunks: VecDeque<Chunk>,
    /// The number of the first that is kept, and that of the next to come.
    first: u64,
    end: u64,
    /// The number of the next that is given.
    next: u64,
    bytes: usize,
    /// What those of the first chunk took that are kept no more.
    gone: usize,
}

/// Some that follow one another.
#[derive(Debug, Clone)]
struct Chunk {
    /// The number of the first.
    first: u64,
    inputs: Arc<Vec<Input>>,
    bytes: usize,
}

impl Past {
    /// Takes in what the engine has taken in.
    pub fn extend(&mut self, mut inputs: &[Input]) {
        while !inputs.is_empty() {
            let chunk = self.open();
            let had = chunk.bytes;
            let fits = |input: &&Input| {
                let fits = chunk.bytes < CHUNK;
                chunk.bytes += if fits { weight(input) } else { 0 };
                fits
            };
            let (now, later) = inputs.split_at(inputs.iter().take_while(fits).count());
            Arc::make_mut(&mut chunk.inputs).extend_from_slice(now);
            self.bytes += chunk.bytes - had;
            self.end += now.len() as u64;
            inputs = later;
        }
    }

    /// The last chunk, if that has room for more, or a new one.
    fn open(&mut self) -> &mut Chunk {
        if self.chunks.back().is_none_or(|chunk| chunk.bytes >= CHUNK) {
            let inputs = Arc::new(Vec::with_capacity(CHUNK / size_of::<Input>() + 1));
            self.chunks.push_back(Chunk { first: self.end, inputs, bytes: 0 });
        }
        self.chunks.back_mut().expect("there is one")
    }

    /// The number of the first that is kept, and that of the next to come.
    pub const fn span(&self) -> (u64, u64) {
        (self.first, self.end)
    }

    /// Those of that number and after it which are kept.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Input> {
        self.parts_since(number).flatten()
    }

    /// The same in parts, as they lie in memory.
    pub fn parts_since(&self, number: u64) -> impl Iterator<Item = &[Input]> {
        let number = number.max(self.first);
        let chunk = self.chunks.partition_point(|chunk| chunk.first <= number).saturating_sub(1);
        self.chunks.range(chunk..).map(move |chunk| {
            let place = usize::try_from(number.saturating_sub(chunk.first)).unwrap_or(usize::MAX);
            &chunk.inputs[place.min(chunk.inputs.len())..]
        })
    }

    /// About how many bytes it holds.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all that is kept was given.
    pub fn is_at_end(&self) -> bool {
        self.next >= self.end
    }

    /// Gives from that number on.
    pub const fn stand_at(&mut self, next: u64) {
        self.next = next;
    }

    /// Forgets what comes before that number.
    pub fn forget_before(&mut self, number: u64) {
        let until = number.clamp(self.first, self.end);
        // What goes as a whole is not looked at: it has lain for long, so that takes time.
        while let Some(chunk) = self.chunks.front().filter(|chunk| chunk.end() <= until) {
            self.bytes -= chunk.bytes - std::mem::take(&mut self.gone);
            self.first = chunk.end();
            self.chunks.pop_front();
        }
        let part = usize::try_from(until - self.first).unwrap_or(usize::MAX);
        let freed: usize = self.since(self.first).take(part).map(weight).sum();
        (self.bytes, self.gone, self.first) = (self.bytes - freed, self.gone + freed, until);
    }
}

impl Chunk {
    /// The number behind the last.
    fn end(&self) -> u64 {
        self.first + self.inputs.len() as u64
    }
}

impl Tape for Past {
    type Place = u64;

    fn next(&mut self, _wait: bool) -> Next<u64> {
        if !(self.first..self.end).contains(&self.next) {
            return Next::NoMore;
        }
        let inputs: Vec<Input> = self.since(self.next).take(AT_ONCE).cloned().collect();
        self.next += inputs.len() as u64;
        Next::Inputs(inputs, Some(self.next))
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
        let in_parts = |number| past.parts_since(number).map(<[Input]>::len).sum::<usize>();
        for (number, count) in [(0, 2_000), (1_000, 2_000), (2_999, 1), (3_000, 0), (9_000, 0)] {
            assert_eq!((since(number), in_parts(number)), (count, count), "{number}");
        }
        let copy = past.clone();
        past.extend(&inputs[..1]);
        assert_eq!((given(&mut past), copy.span().1), (1, 3_000), "there may be more later");
        assert!(copy.since(0).eq(&inputs[1_000..]), "which a copy does not have");
        assert!(past.since(0).eq(inputs[1_000..].iter().chain(&inputs[..1])));
        past.forget_before(u64::MAX);
        assert_eq!((past.span(), past.bytes(), given(&mut past)), ((3_001, 3_001), 0, 0));
        past.extend(&inputs[..1]);
        assert_eq!((past.span(), given(&mut past), past.since(0).count()), ((3_001, 3_002), 1, 1));
    }
}
