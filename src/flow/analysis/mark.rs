//! The words: what a segment can be marked with, sets of them, and counts.
//!
//! May touch `base`.

use crate::base::Packing;

/// What Wireshark says of a segment (its field is `tcp.analysis.` and [`Self::name`]). The sender is whoever sent the
/// segment that is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mark {
    /// Its numbers were sent before. Fast and spurious retransmissions are marked with this too.
    Retransmission,
    /// Sent at once because the receiver's duplicate acks asked for it, without waiting for a timer.
    FastRetransmission,
    /// All of it had been acknowledged already.
    SpuriousRetransmission,
    /// Its numbers lie before the highest seen, but it came too soon after that to have been sent again.
    OutOfOrder,
    /// The same acknowledgment and window again, with nothing new.
    DuplicateAck,
    /// It closes its sender's receive window.
    ZeroWindow,
    /// One new byte into a closed window.
    ZeroWindowProbe,
    /// The answer to such a probe: the window is still closed.
    ZeroWindowProbeAck,
    /// It fills the receiver's window to the last byte.
    WindowFull,
    /// It changes nothing but the window.
    WindowUpdate,
    /// At most one byte, just before the next number.
    KeepAlive,
    /// The answer to a keep-alive.
    KeepAliveAck,
    /// The segment before this one was not captured.
    LostSegment,
    /// It acknowledges a segment that was not captured.
    AckLostSegment,
    /// It begins a connection on ports of one that was seen before.
    ReusedPorts,
}

impl Mark {
    /// Every mark, in the order reports list them.
    pub const ALL: [Self; 15] = [
        Self::Retransmission,
        Self::FastRetransmission,
        Self::SpuriousRetransmission,
        Self::OutOfOrder,
        Self::DuplicateAck,
        Self::ZeroWindow,
        Self::ZeroWindowProbe,
        Self::ZeroWindowProbeAck,
        Self::WindowFull,
        Self::WindowUpdate,
        Self::KeepAlive,
        Self::KeepAliveAck,
        Self::LostSegment,
        Self::AckLostSegment,
        Self::ReusedPorts,
    ];

    /// As Wireshark's fields and our JSON name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::FastRetransmission => "fast_retransmission",
            Self::SpuriousRetransmission => "spurious_retransmission",
            Self::OutOfOrder => "out_of_order",
            Self::DuplicateAck => "duplicate_ack",
            Self::ZeroWindow => "zero_window",
            Self::ZeroWindowProbe => "zero_window_probe",
            Self::ZeroWindowProbeAck => "zero_window_probe_ack",
            Self::WindowFull => "window_full",
            Self::WindowUpdate => "window_update",
            Self::KeepAlive => "keep_alive",
            Self::KeepAliveAck => "keep_alive_ack",
            Self::LostSegment => "lost_segment",
            Self::AckLostSegment => "ack_lost_segment",
            Self::ReusedPorts => "reused_ports",
        }
    }

    /// In words, for screens.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::FastRetransmission => "fast retransmission",
            Self::SpuriousRetransmission => "spurious retransmission",
            Self::OutOfOrder => "out-of-order",
            Self::DuplicateAck => "duplicate ack",
            Self::ZeroWindow => "zero window",
            Self::ZeroWindowProbe => "zero window probe",
            Self::ZeroWindowProbeAck => "zero window probe ack",
            Self::WindowFull => "window full",
            Self::WindowUpdate => "window update",
            Self::KeepAlive => "keep-alive",
            Self::KeepAliveAck => "keep-alive ack",
            Self::LostSegment => "lost segment",
            Self::AckLostSegment => "ack of lost segment",
            Self::ReusedPorts => "reused ports",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What one segment is marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    bits: u16,
    duplicate: u32,
}

impl Marks {
    /// Whether the segment is marked with `mark`.
    pub const fn has(self, mark: Mark) -> bool {
        self.bits & mark.bit() != 0
    }

    /// Whether it is not marked at all.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The how-manieth duplicate ack of its kind it is, from 1; `None` if it is none.
    pub fn duplicate_ack(self) -> Option<u32> {
        self.has(Mark::DuplicateAck).then_some(self.duplicate)
    }

    /// Its marks, in the order of [`Mark::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL.into_iter().filter(move |mark| self.has(*mark))
    }

    pub(super) fn put(&mut self, mark: Mark, holds: bool) {
        self.bits |= if holds { mark.bit() } else { 0 };
    }

    pub(super) fn put_duplicate(&mut self, number: u32) {
        self.put(Mark::DuplicateAck, true);
        self.duplicate = number;
    }

    pub(super) const fn bits(self) -> u16 {
        self.bits
    }

    pub(super) const fn of_bits(bits: u16) -> Self {
        Self { bits, duplicate: 0 }
    }
}

/// How many of a half's segments have each mark. A count stops at 4,294,967,295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnalysisCounts([u32; Mark::ALL.len()]);

impl AnalysisCounts {
    /// How many segments are marked with `mark`.
    pub fn of(&self, mark: Mark) -> u64 {
        self.0[mark as usize].into()
    }

    /// The marks that occur, with their counts, in the order of [`Mark::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Mark, u64)> {
        Mark::ALL.into_iter().map(|mark| (mark, self.of(mark))).filter(|(_, count)| *count > 0)
    }

    /// Few of them occur.
    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        for count in &mut self.0 {
            let mut occurs = *count > 0;
            into.flag(&mut occurs);
            if occurs {
                into.word(count);
            }
        }
    }

    pub(super) fn add(&mut self, marks: Marks) {
        for mark in marks.iter() {
            let count = &mut self.0[mark as usize];
            *count = count.saturating_add(1);
        }
    }
}

/// Counts as given, for made-up flows; of a mark named twice the last is taken.
impl FromIterator<(Mark, u32)> for AnalysisCounts {
    fn from_iter<I: IntoIterator<Item = (Mark, u32)>>(counts: I) -> Self {
        let mut all = Self::default();
        for (mark, count) in counts {
            all.0[mark as usize] = count;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_has_its_own_bit_name_and_place() {
        for (place, mark) in Mark::ALL.into_iter().enumerate() {
            assert_eq!(mark as usize, place);
            let mut marks = Marks::default();
            marks.put(mark, true);
            assert_eq!(marks.iter().map(Mark::name).collect::<Vec<_>>(), [mark.name()]);
            let mut counts = AnalysisCounts::default();
            counts.add(marks);
            assert_eq!(counts.iter().collect::<Vec<_>>(), [(mark, 1)]);
        }
    }

    #[test]
    fn counts_stop_at_their_highest() {
        let mut counts: AnalysisCounts = [(Mark::KeepAlive, u32::MAX)].into_iter().collect();
        let mut marks = Marks::default();
        marks.put(Mark::KeepAlive, true);
        counts.add(marks);
        assert_eq!(counts.of(Mark::KeepAlive), u64::from(u32::MAX));
    }
}
