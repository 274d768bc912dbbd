//! Frames on their way beside the inputs that they gave, so that a recording has them in the order that the engine saw.
//!
//! A capture's thread makes the blocks of a batch in one arena ([`FrameBatch`]), while the frames are at hand; the
//! thread that merges the sources holds a [`Trail`] for each, and asks it for the blocks that belong before an input.

use std::collections::VecDeque;

use crate::base::Timestamp;

/// Bytes kept of a batch at most, but for its last frame; of a frame beyond them, only its place is kept.
const MOST: usize = 8 << 20;

/// The frames of a batch of inputs, in order, each as the block that a recording has of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrameBatch {
    blocks: Vec<u8>,
    frames: Vec<Kept>,
    /// Frames whose blocks found no room.
    lost: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    ts: Timestamp,
    /// Where its block ends, and the next begins.
    end: usize,
    /// How many inputs it gave, one behind the other.
    inputs: u32,
}

/// A frame as it was kept: when it was captured, and its block.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    pub ts: Timestamp,
    pub block: &'a [u8],
}

impl FrameBatch {
    /// A batch with room for so many bytes and frames, before it must grow.
    pub fn with_room(bytes: usize, frames: usize) -> Self {
        Self { blocks: Vec::with_capacity(bytes.min(MOST)), frames: Vec::with_capacity(frames), lost: 0 }
    }

    /// Keeps a frame that gave so many inputs, as the block that is put behind the others.
    pub fn push(&mut self, ts: Timestamp, inputs: usize, put: impl FnOnce(&mut Vec<u8>)) {
        let inputs = u32::try_from(inputs).unwrap_or(u32::MAX);
        if self.blocks.len() >= MOST {
            self.lost += 1;
            // Its inputs belong to nothing now; those before it keep theirs.
            return self.skip(inputs);
        }
        put(&mut self.blocks);
        self.frames.push(Kept { ts, end: self.blocks.len(), inputs });
    }

    /// So many inputs came without a frame that is kept.
    fn skip(&mut self, inputs: u32) {
        if let Some(last) = self.frames.last_mut() {
            last.inputs = last.inputs.saturating_add(inputs);
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
        self.blocks.clear();
        self.frames.clear();
        Self { lost: 0, ..self }
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.blocks.len()
    }

    /// Frames that found no room.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The frame of that number whose block begins at `from`, with its end and how many inputs it gave.
    fn frame(&self, at: usize, from: usize) -> Option<(Packed<'_>, usize, u32)> {
        let Kept { ts, end, inputs } = *self.frames.get(at)?;
        Some((Packed { ts, block: &self.blocks[from..end] }, end, inputs))
    }
}

/// What one source has delivered and the merge has not let go: how many inputs, and which frames they came from.
#[derive(Debug, Default)]
pub struct Trail {
    batches: VecDeque<Batch>,
    /// Those whose frames have all been let go of.
    done: Vec<FrameBatch>,
}

#[derive(Debug)]
struct Batch {
    /// Inputs of the batch that are still to come.
    inputs: usize,
    frames: Option<FrameBatch>,
    /// The next frame, and where its block begins.
    next: usize,
    from: usize,
    /// Inputs still to come of the frame before it.
    rest: u32,
}

impl Trail {
    /// The source delivered so many inputs, and these frames if they are wanted.
    pub fn push(&mut self, inputs: usize, frames: Option<FrameBatch>) {
        if inputs > 0 || frames.as_ref().is_some_and(|frames| !frames.is_empty()) {
            self.batches.push_back(Batch { inputs, frames, next: 0, from: 0, rest: 0 });
        }
    }

    /// Lets go of the frames that wait, and keeps count of the inputs.
    pub fn forget_frames(&mut self) {
        self.done.extend(self.batches.iter_mut().filter_map(|batch| batch.frames.take()));
    }

    /// The next input is let go: gives `each` frame that stands before it, its own last and told to be (true).
    pub fn pass(&mut self, mut each: impl FnMut(&Packed<'_>, bool)) {
        while let Some(batch) = self.batches.front_mut() {
            if batch.inputs > 0 {
                batch.inputs -= 1;
                return batch.pass(&mut each);
            }
            batch.leave(Timestamp::MAX, &mut |frame| each(frame, false));
            self.drop_first();
        }
    }

    /// The next inputs, so many, are let go, where nobody asks for their frames.
    pub fn skip(&mut self, mut count: usize) {
        while let Some(batch) = self.batches.front_mut().filter(|_| count > 0) {
            if batch.frames.is_none() && batch.inputs > 0 {
                let skipped = batch.inputs.min(count);
                (batch.inputs, count) = (batch.inputs - skipped, count - skipped);
            } else {
                self.pass(|_, _| {});
                count -= 1;
            }
        }
    }

    /// Gives `each` frame up to an instant that no input follows in its batch.
    pub fn settle(&mut self, upto: Timestamp, mut each: impl FnMut(&Packed<'_>)) {
        while let Some(batch) = self.batches.front_mut()
            && batch.inputs == 0
            && batch.leave(upto, &mut each)
        {
            self.drop_first();
        }
    }

    /// The batches that are done with since this was asked last.
    pub fn done(&mut self) -> impl Iterator<Item = FrameBatch> {
        self.done.drain(..)
    }

    fn drop_first(&mut self) {
        self.done.extend(self.batches.pop_front().and_then(|batch| batch.frames));
    }
}

impl Batch {
    fn pass(&mut self, each: &mut impl FnMut(&Packed<'_>, bool)) {
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        while let Some((frame, end, inputs)) = self.frames.as_ref().and_then(|batch| batch.frame(self.next, self.from))
        {
            each(&frame, inputs > 0);
            (self.next, self.from) = (self.next + 1, end);
            if inputs > 0 {
                self.rest = inputs - 1;
                return;
            }
        }
    }

    /// Gives the frames up to an instant; whether that were all.
    fn leave(&mut self, upto: Timestamp, each: &mut impl FnMut(&Packed<'_>)) -> bool {
        while let Some((frame, end, _)) = self.frames.as_ref().and_then(|batch| batch.frame(self.next, self.from)) {
            if frame.ts > upto {
                return false;
            }
            each(&frame);
            (self.next, self.from) = (self.next + 1, end);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames whose blocks are their name alone, which gave so many inputs each.
    fn batch(frames: &[(u8, usize)]) -> FrameBatch {
        let mut batch = FrameBatch::default();
        for (name, inputs) in frames {
            batch.push(Timestamp::from_nanos(i64::from(*name)), *inputs, |blocks| blocks.push(*name));
        }
        batch
    }

    fn passed(trail: &mut Trail) -> Vec<u8> {
        let mut names = Vec::new();
        let mut its_own = false;
        trail.pass(|frame, own| {
            assert!(!std::mem::replace(&mut its_own, own), "its own is the last");
            assert_eq!(frame.ts.nanos(), i64::from(frame.block[0]));
            names.extend(frame.block);
        });
        names
    }

    /// Bytes of the batches that are done with.
    fn done(trail: &mut Trail) -> usize {
        trail.done().map(|batch| batch.bytes()).sum()
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
    fn to_skip_inputs_is_to_pass_each() {
        let order = |skips: bool| {
            let mut trail = Trail::default();
            trail.push(2, None);
            trail.push(4, Some(batch(&[(1, 0), (2, 1), (3, 2), (4, 0), (5, 1), (6, 0)])));
            trail.push(3, None);
            trail.push(1, Some(batch(&[(7, 1)])));
            let mut names = vec![passed(&mut trail)];
            if skips {
                trail.skip(3);
            } else {
                (0..3).for_each(|_| trail.pass(|_, _| {}));
            }
            names.extend((0..2).map(|_| passed(&mut trail)));
            trail.skip(3);
            names.push(passed(&mut trail));
            trail.skip(5);
            names
        };
        assert_eq!(order(true), order(false));
        assert_eq!(order(true), [vec![], vec![], vec![4, 5], vec![7]]);
    }

    #[test]
    fn frames_that_are_forgotten_shift_nothing() {
        let mut trail = Trail::default();
        trail.push(3, Some(batch(&[(1, 1), (2, 2)])));
        assert_eq!(passed(&mut trail), [1]);
        trail.forget_frames();
        assert_eq!(done(&mut trail), 2);
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
            trail.settle(Timestamp::from_nanos(upto), |frame| names.extend(frame.block));
            (done(trail), std::mem::take(&mut names))
        };
        assert_eq!(settle(&mut trail, 4), (0, vec![1]));
        assert_eq!(settle(&mut trail, 9), (2, vec![5]), "a frame whose input is held back is held back with it");
        assert_eq!(passed(&mut trail), [6]);
    }

    #[test]
    fn a_batch_is_bounded() {
        let mut frames = FrameBatch::default();
        let fill = |frames: &mut FrameBatch| {
            (0..3).for_each(|_| frames.push(Timestamp::MIN, 1, |blocks| blocks.resize(blocks.len() + MOST / 2, 9)));
        };
        fill(&mut frames);
        assert_eq!((frames.len(), frames.lost(), frames.bytes()), (2, 1, MOST));
        let mut frames = frames.emptied();
        assert_eq!(frames, FrameBatch::default());
        fill(&mut frames);
        let mut trail = Trail::default();
        trail.push(4, Some(frames));
        let mut seen = Vec::new();
        for input in 0..4 {
            trail.pass(|_, _| seen.push(input));
        }
        assert_eq!(seen, [0, 1], "what found no room shifts nothing");
    }
}
