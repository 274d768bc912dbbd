//! Frames on their way beside the inputs that they gave, so that a recording has them in the order that the engine saw.
//!
//! A capture's thread keeps the bytes of a batch in one arena ([`FrameBatch`]); the thread that merges the sources holds
//! a [`Trail`] for each, and asks it for the frames that belong before an input.

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::{Scope, Timestamp};
use crate::wire::{Frame, LinkType};

/// Bytes kept of the frames of a batch at most; of a frame that no longer fits, only its place is kept.
const MOST: usize = 8 << 20;

/// The frames of a batch of inputs, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrameBatch {
    bytes: Vec<u8>,
    frames: Vec<Kept>,
    /// Frames whose bytes found no room.
    lost: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Kept {
    ts: Timestamp,
    scope: Scope,
    iface: u32,
    link: LinkType,
    len: u32,
    /// Its bytes in the arena.
    bytes: Range<usize>,
    /// How many inputs it gave, one behind the other.
    inputs: u32,
}

impl FrameBatch {
    /// A batch with room for so many bytes and frames, before it must grow.
    pub fn with_room(bytes: usize, frames: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes.min(MOST)), frames: Vec::with_capacity(frames), lost: 0 }
    }

    /// Keeps the first `keep` bytes of a frame that gave so many inputs.
    pub fn push(&mut self, frame: &Frame<'_>, keep: usize, inputs: usize) {
        let bytes = &frame.bytes[..keep.min(frame.bytes.len())];
        if self.bytes.len() + bytes.len() > MOST {
            self.lost += 1;
            // Its inputs belong to nothing now; those before it keep theirs.
            return self.skip(inputs);
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let Frame { ts, scope, iface, link, len, .. } = *frame;
        let inputs = u32::try_from(inputs).unwrap_or(u32::MAX);
        self.frames.push(Kept { ts, scope, iface, link, len, bytes: start..self.bytes.len(), inputs });
    }

    /// So many inputs came without a frame that is kept.
    fn skip(&mut self, inputs: usize) {
        if let Some(last) = self.frames.last_mut() {
            last.inputs = last.inputs.saturating_add(u32::try_from(inputs).unwrap_or(u32::MAX));
        }
    }

    /// How many frames are kept.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The same batch again, empty: for its memory.
    pub fn emptied(mut self) -> Self {
        self.bytes.clear();
        self.frames.clear();
        Self { lost: 0, ..self }
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Frames that found no room.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    fn frame(&self, at: usize) -> Option<(Frame<'_>, u32)> {
        let Kept { ts, scope, iface, link, len, bytes, inputs } = self.frames.get(at)?;
        let bytes = &self.bytes[bytes.clone()];
        Some((Frame { ts: *ts, scope: *scope, iface: *iface, link: *link, bytes, len: *len }, *inputs))
    }
}

/// What one source has delivered and the merge has not let go: how many inputs, and which frames they came from.
#[derive(Debug, Default)]
pub struct Trail {
    batches: VecDeque<Batch>,
}

#[derive(Debug)]
struct Batch {
    /// Inputs of the batch that are still to come.
    inputs: usize,
    frames: Option<FrameBatch>,
    /// The next frame.
    next: usize,
    /// Inputs still to come of the frame before it.
    rest: u32,
}

impl Trail {
    /// The source delivered so many inputs, and these frames if they are wanted.
    pub fn push(&mut self, inputs: usize, frames: Option<FrameBatch>) {
        if inputs > 0 || frames.as_ref().is_some_and(|frames| !frames.is_empty()) {
            self.batches.push_back(Batch { inputs, frames, next: 0, rest: 0 });
        }
    }

    /// Lets go of the frames that wait, and keeps count of the inputs. Returns as [`Trail::pass`].
    pub fn forget_frames(&mut self) -> Vec<FrameBatch> {
        self.batches.iter_mut().filter_map(|batch| batch.frames.take()).collect()
    }

    /// The next input is let go: gives `each` frame that stands before it, its own last and told to be (true). Returns
    /// what is done with, which is nearly always nothing.
    pub fn pass(&mut self, mut each: impl FnMut(&Frame<'_>, bool)) -> Vec<FrameBatch> {
        let mut done = Vec::new();
        while let Some(batch) = self.batches.front_mut() {
            if batch.inputs > 0 {
                batch.inputs -= 1;
                batch.pass(&mut each);
                break;
            }
            batch.leave(Timestamp::MAX, &mut |frame| each(frame, false));
            done.extend(self.drop_first());
        }
        done
    }

    /// Gives `each` frame up to an instant that no input follows in its batch. Returns as [`Trail::pass`].
    pub fn settle(&mut self, upto: Timestamp, mut each: impl FnMut(&Frame<'_>)) -> Vec<FrameBatch> {
        let mut done = Vec::new();
        while let Some(batch) = self.batches.front_mut()
            && batch.inputs == 0
            && batch.leave(upto, &mut each)
        {
            done.extend(self.drop_first());
        }
        done
    }

    fn drop_first(&mut self) -> Option<FrameBatch> {
        self.batches.pop_front()?.frames
    }
}

impl Batch {
    fn pass(&mut self, each: &mut impl FnMut(&Frame<'_>, bool)) {
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        while let Some((frame, inputs)) = self.frames.as_ref().and_then(|frames| frames.frame(self.next)) {
            each(&frame, inputs > 0);
            self.next += 1;
            if inputs > 0 {
                self.rest = inputs - 1;
                return;
            }
        }
    }

    /// Gives the frames up to an instant; whether that were all.
    fn leave(&mut self, upto: Timestamp, each: &mut impl FnMut(&Frame<'_>)) -> bool {
        while let Some((frame, _)) = self.frames.as_ref().and_then(|frames| frames.frame(self.next)) {
            if frame.ts > upto {
                return false;
            }
            each(&frame);
            self.next += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames named by their only byte, which gave so many inputs each.
    fn batch(frames: &[(u8, usize)]) -> FrameBatch {
        let mut batch = FrameBatch::default();
        for (name, inputs) in frames {
            let ts = Timestamp::from_nanos(i64::from(*name));
            let bytes = [*name, 0, 0];
            let frame = Frame { ts, scope: Scope::FILE, iface: 0, link: LinkType(1), bytes: &bytes, len: 3 };
            batch.push(&frame, 1, *inputs);
        }
        batch
    }

    fn passed(trail: &mut Trail) -> Vec<u8> {
        let mut names = Vec::new();
        let mut its_own = false;
        trail.pass(|frame, own| {
            assert!(!std::mem::replace(&mut its_own, own), "its own is the last");
            assert_eq!((frame.bytes.len(), frame.len), (1, 3), "cut, and its length on the wire is told");
            names.push(frame.bytes[0]);
        });
        names
    }

    #[test]
    fn a_frame_comes_before_the_first_of_its_inputs() {
        let mut trail = Trail::default();
        trail.push(2, None);
        trail.push(4, Some(batch(&[(1, 0), (2, 1), (3, 2), (4, 0), (5, 1), (6, 0)])));
        trail.push(1, Some(batch(&[(7, 1)])));
        let order: Vec<Vec<u8>> = (0..7).map(|_| passed(&mut trail)).collect();
        assert_eq!(order, [vec![], vec![], vec![1, 2], vec![3], vec![], vec![4, 5], vec![6, 7]]);
        assert!(passed(&mut trail).is_empty(), "more than was delivered is let go of without harm");
    }

    #[test]
    fn frames_that_are_forgotten_shift_nothing() {
        let mut trail = Trail::default();
        trail.push(3, Some(batch(&[(1, 1), (2, 2)])));
        assert_eq!(passed(&mut trail), [1]);
        assert_eq!(trail.forget_frames().iter().map(FrameBatch::bytes).sum::<usize>(), 2);
        trail.push(1, Some(batch(&[(3, 1)])));
        let order: Vec<Vec<u8>> = (0..3).map(|_| passed(&mut trail)).collect();
        assert_eq!(order, [vec![], vec![], vec![3]]);
    }

    #[test]
    fn what_gave_no_input_goes_with_time() {
        let mut trail = Trail::default();
        trail.push(0, Some(batch(&[(1, 0), (5, 0)])));
        trail.push(1, Some(batch(&[(6, 1)])));
        let mut names = Vec::new();
        let mut settle = |trail: &mut Trail, upto| {
            let done = trail.settle(Timestamp::from_nanos(upto), |frame| names.push(frame.bytes[0]));
            (done.iter().map(FrameBatch::bytes).sum::<usize>(), std::mem::take(&mut names))
        };
        assert_eq!(settle(&mut trail, 4), (0, vec![1]));
        assert_eq!(settle(&mut trail, 9), (2, vec![5]), "a frame whose input is held back is held back with it");
        assert_eq!(passed(&mut trail), [6]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let mut frames = FrameBatch::default();
        let bytes = vec![9; MOST / 2];
        let frame =
            Frame { ts: Timestamp::MIN, scope: Scope::FILE, iface: 0, link: LinkType(1), bytes: &bytes, len: 3 };
        for _ in 0..3 {
            frames.push(&frame, usize::MAX, 1);
        }
        assert_eq!((frames.len(), frames.lost(), frames.bytes()), (2, 1, MOST));
        let mut frames = frames.emptied();
        assert_eq!(frames, FrameBatch::default());
        (0..3).for_each(|_| frames.push(&frame, usize::MAX, 1));
        let mut trail = Trail::default();
        trail.push(4, Some(frames));
        let mut seen = Vec::new();
        for input in 0..4 {
            trail.pass(|_, _| seen.push(input));
        }
        assert_eq!(seen, [0, 1], "what found no room shifts nothing");
    }
}
