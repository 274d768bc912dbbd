//! What the engine is fed: the ordered list that everything is a pure function of.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::kernel::{KernelEvent, SocketSample};
use crate::names::{Dns, FlowName};
use crate::wire::{Decoded, FrameCounts, IcmpQuote, Segment};

/// One input. The list of kinds grows; the law (state is a function of the ordered inputs) stays.
///
/// As large as two lines of the processor's cache: batches of them cross from one core to another.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Segment(Segment),
    /// An ICMP error about a segment.
    Icmp(IcmpQuote),
    /// What the payload of the segment just before it says.
    Name(FlowName),
    Dns(Dns),
    Sample(Arc<SocketSample>),
    Kernel(KernelEvent),
    Loss(Box<Loss>),
    /// Time passed; nothing else happened.
    Tick(Timestamp),
}

impl Input {
    /// What of a decoded frame the engine is told; a frame of anything else is only counted.
    pub fn of(decoded: &Decoded) -> Option<Self> {
        match *decoded {
            Decoded::Tcp(segment) => Some(Self::Segment(segment)),
            Decoded::Icmp(quote) => Some(Self::Icmp(quote)),
            Decoded::NotTcp | Decoded::Undecoded(_) => None,
        }
    }

    /// Whether it is what a decoded frame itself gave ([`Input::of`]), and not what is told of that or besides.
    pub const fn is_frames_own(&self) -> bool {
        matches!(self, Self::Segment(_) | Self::Icmp(_))
    }

    /// When it happened, on the capture's clock.
    pub fn ts(&self) -> Timestamp {
        match self {
            Self::Segment(segment) => segment.ts,
            Self::Icmp(quote) => quote.ts,
            Self::Name(name) => name.ts,
            Self::Dns(dns) => dns.ts,
            Self::Sample(sample) => sample.ts,
            Self::Kernel(event) => event.ts(),
            Self::Loss(loss) => loss.ts,
            Self::Tick(ts) => *ts,
        }
    }
}

/// What the source has lost so far: totals since it began, never differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    pub ts: Timestamp,
    /// Frames that the kernel dropped before the reader took them (libpcap's `ps_drop`); `None` for a file.
    pub kernel: Option<u64>,
    /// Frames that the interface or its driver dropped (libpcap's `ps_ifdrop`); `None` for a file.
    pub interface: Option<u64>,
    /// Segments that a full queue of our own dropped.
    pub ours: u64,
    /// What became of the frames that arrived.
    pub frames: FrameCounts,
}

impl Loss {
    /// What was lost since it was as `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        self.with(before, u64::saturating_sub, FrameCounts::since)
    }

    /// What was lost in all, where `before` this began so much was lost.
    #[must_use]
    pub fn after(&self, before: &Self) -> Self {
        self.with(before, u64::saturating_add, FrameCounts::plus)
    }

    /// What this does not know stays unknown.
    fn with(
        &self,
        other: &Self,
        number: impl Fn(u64, u64) -> u64,
        frames: impl Fn(&FrameCounts, &FrameCounts) -> FrameCounts,
    ) -> Self {
        let known = |own: Option<u64>, other: Option<u64>| Some(number(own?, other.unwrap_or(0)));
        Self {
            ts: self.ts,
            kernel: known(self.kernel, other.kernel),
            interface: known(self.interface, other.interface),
            ours: number(self.ours, other.ours),
            frames: frames(&self.frames, &other.frames),
        }
    }

    /// Frames that passed and were not seen here. What the interface dropped, the kernel's TCP has not seen either.
    pub fn unseen(&self) -> u64 {
        self.kernel.unwrap_or(0).saturating_add(self.ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_as_large_as_two_lines_of_the_cache() {
        assert_eq!((size_of::<Input>(), size_of::<Segment>()), (128, 128));
    }
}
