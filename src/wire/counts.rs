//! What became of frames, by reason.

use super::{Decoded, Undecoded};

/// What became of the frames of a source, so that nothing is lost silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameCounts {
    pub frames: u64,
    pub segments: u64,
    pub not_tcp: u64,
    /// Fragments of datagrams that a later one completed; that one counts as what the datagram was.
    pub joined: u64,
    undecoded: [u64; Undecoded::ALL.len()],
}

impl FrameCounts {
    /// Counts one frame.
    pub fn count(&mut self, decoded: &Decoded) {
        self.frames += 1;
        match decoded {
            Decoded::Tcp(_) => self.segments += 1,
            Decoded::NotTcp | Decoded::Icmp(_) => self.not_tcp += 1,
            Decoded::Undecoded(reason) => self.undecoded[*reason as usize] += 1,
        }
    }

    /// Counts a frame that gave a segment.
    pub(super) fn count_segment(&mut self) {
        self.frames += 1;
        self.segments += 1;
    }

    /// So many fragments that were counted as such have become part of a datagram.
    pub(super) fn join(&mut self, fragments: u64) {
        let waiting = &mut self.undecoded[Undecoded::Fragment as usize];
        let joined = fragments.min(*waiting);
        *waiting -= joined;
        self.joined += joined;
    }

    /// The counts of two sources together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        // A recording may tell of any number.
        self.with(other, u64::saturating_add)
    }

    /// What came since the counts were `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        self.with(before, u64::saturating_sub)
    }

    /// The same of at least so many frames and segments.
    #[must_use]
    pub fn at_least(&self, frames: u64, segments: u64) -> Self {
        Self { frames: self.frames.max(frames), segments: self.segments.max(segments), ..*self }
    }

    /// The same of just so many frames and segments. Of the others no more than there are, whichever they were.
    #[must_use]
    pub fn just(&self, frames: u64, segments: u64) -> Self {
        let mut others = frames.saturating_sub(segments);
        let mut fitting = |told: u64| {
            let kept = told.min(others);
            others -= kept;
            kept
        };
        let (not_tcp, joined) = (fitting(self.not_tcp), fitting(self.joined));
        Self { frames, segments, not_tcp, joined, undecoded: self.undecoded.map(fitting) }
    }

    fn with(&self, other: &Self, both: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            frames: both(self.frames, other.frames),
            segments: both(self.segments, other.segments),
            not_tcp: both(self.not_tcp, other.not_tcp),
            joined: both(self.joined, other.joined),
            undecoded: std::array::from_fn(|reason| both(self.undecoded[reason], other.undecoded[reason])),
        }
    }

    /// The same with so many frames that could not be decoded, in the order of [`Undecoded::ALL`].
    #[must_use]
    pub fn with_undecoded(mut self, counts: &[u64]) -> Self {
        self.undecoded.iter_mut().zip(counts).for_each(|(count, told)| *count = *told);
        self
    }

    /// How many frames could not be decoded for `reason`.
    pub const fn undecoded(&self, reason: Undecoded) -> u64 {
        self.undecoded[reason as usize]
    }

    /// How many frames could not be decoded, for any reason.
    pub fn undecoded_total(&self) -> u64 {
        self.undecoded.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}
