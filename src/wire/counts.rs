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
        let mut undecoded = self.undecoded;
        for (sum, more) in undecoded.iter_mut().zip(other.undecoded) {
            *sum += more;
        }
        Self {
            frames: self.frames + other.frames,
            segments: self.segments + other.segments,
            not_tcp: self.not_tcp + other.not_tcp,
            joined: self.joined + other.joined,
            undecoded,
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
        // A recording may tell of any number.
        self.undecoded.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }
}
