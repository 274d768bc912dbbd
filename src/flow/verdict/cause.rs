//! The words: why a segment repeats or disturbs the order of numbers, and what shows it.
//!
//! May touch `base`.

use std::fmt;
use std::time::Duration;

use crate::base::Timestamp;

/// Why a segment carries numbers that lie before the highest its sender was seen to send. Each such segment has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// Sent again because the copy before it was lost on the path, or (where nothing tells these apart) its ACK was.
    Lost,
    /// Not sent again: the path delivered it late.
    Reordered,
    /// Sent again needlessly: its receiver had it.
    Spurious,
    /// The last segment of the flight again, to draw an ACK that tells whether it was lost (RFC 8985 §7).
    TailLossProbe,
    /// To learn whether a window of 0 has opened (RFC 9293 §3.8.6.1).
    ZeroWindowProbe,
    /// At most one byte that was acknowledged already, after silence (RFC 9293 §3.8.4).
    KeepAlive,
    /// The same datagram a second time: the capture, or the path, doubled it. No event of TCP.
    DuplicateFrame,
    /// Sent again, and the capture does not show why.
    Unexplained,
}

impl Cause {
    /// Every cause, in the order reports list them.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::Reordered,
        Self::Spurious,
        Self::TailLossProbe,
        Self::ZeroWindowProbe,
        Self::KeepAlive,
        Self::DuplicateFrame,
        Self::Unexplained,
    ];

    /// In words, as a list of counts has them.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Reordered => "reordered",
            Self::Spurious => "spurious",
            Self::TailLossProbe => "tail-loss probe",
            Self::ZeroWindowProbe => "zero-window probe",
            Self::KeepAlive => "keep-alive",
            Self::DuplicateFrame => "duplicate frame",
            Self::Unexplained => "unexplained",
        }
    }
}

/// What shows a [`Cause`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The very datagram was seen within a millisecond before.
    SameDatagram,
    /// Its TSval is older than that of a segment seen before it (RFC 7323 §3.2: TSval never falls).
    OlderTsval,
    /// Its TSval is newer than that of the segment which showed the hole it fills.
    NewerTsval,
    /// It filled a hole so long after the hole was seen: sooner than its sender can have known of a loss.
    TooSoon(Duration),
    /// The ACK of it was captured before it.
    AckFirst,
    /// The receiver had taken in what lies above it, and not it (RFC 2018, RFC 6675 §4).
    SackHole,
    /// So many ACKs asked for it (RFC 5681 §3.2).
    DuplicateAcks(u32),
    /// During a fast recovery an ACK asked for it (RFC 6582 §3.2).
    PartialAck,
    /// It came after so long without an ACK (RFC 6298 §5).
    Timeout(Duration),
    /// It followed one that a timeout had sent again.
    AfterTimeout,
    /// It came so long after the end of the flight, sooner than a timeout does (RFC 8985 §7.2).
    Probe(Duration),
    /// The receiver said that it got it twice (RFC 2883 §4).
    Dsack,
    /// The ACK of it echoes the TSval of which copy had arrived (RFC 3522 §3.2).
    TimestampEcho,
    /// It had been acknowledged before.
    AckedBefore,
    /// The receiver's SACK had named it before.
    SackedBefore,
    /// What it repeats came after it, with an older TSval.
    OriginalCame,
    /// The receiver's window was 0.
    ZeroWindow,
    /// All was acknowledged, for so long.
    Idle(Duration),
    /// None.
    Nothing,
}

impl Evidence {
    /// When the trouble began that it shows at `now`: of a timer, when that began to run.
    pub(super) fn since(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Timeout(waited) | Self::Probe(waited) => now - waited,
            _ => now,
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::SameDatagram => "same datagram",
            Self::OlderTsval => "older TSval",
            Self::NewerTsval => "newer TSval",
            Self::TooSoon(waited) => return write!(f, "{} after the hole, too soon for a repeat", span(*waited)),
            Self::AckFirst => "its ACK was captured first",
            Self::SackHole => "SACK hole",
            Self::DuplicateAcks(count) => return write!(f, "{count} duplicate ACKs"),
            Self::PartialAck => "partial ACK",
            Self::Timeout(waited) => return write!(f, "RTO after {}", span(*waited)),
            Self::AfterTimeout => "after an RTO",
            Self::Probe(waited) => return write!(f, "probe after {}", span(*waited)),
            Self::Dsack => "DSACK",
            Self::TimestampEcho => "timestamp echo",
            Self::AckedBefore => "acknowledged before",
            Self::SackedBefore => "SACKed before",
            Self::OriginalCame => "the original came after it",
            Self::ZeroWindow => "window of 0",
            Self::Idle(waited) => return write!(f, "all acknowledged for {}", span(*waited)),
            Self::Nothing => "no evidence",
        };
        f.pad(text)
    }
}

/// `400 µs`, `41 ms`, `1.2 s`, `134 s`: two digits tell enough of how long something took.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 0.000_999_5 => format!("{:.0} µs", s * 1e6),
        s if s < 0.009_95 => format!("{:.1} ms", s * 1e3),
        s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        s => format!("{s:.0} s"),
    }
}

/// How often each cause was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CauseCounts([u32; Cause::ALL.len()]);

impl CauseCounts {
    /// How often `cause` was found.
    pub const fn of(&self, cause: Cause) -> u32 {
        self.0[cause as usize]
    }

    /// Segments that were sent again, for whatever reason but to keep alive or to probe a window.
    pub fn sent_again(&self) -> u32 {
        [Cause::Lost, Cause::Spurious, Cause::TailLossProbe, Cause::Unexplained]
            .map(|cause| self.of(cause))
            .iter()
            .sum()
    }

    /// The causes that were found, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, u32)> {
        Cause::ALL.into_iter().map(|cause| (cause, self.of(cause))).filter(|(_, count)| *count > 0)
    }

    pub(super) fn add(&mut self, cause: Cause) {
        self.0[cause as usize] = self.of(cause).saturating_add(1);
    }

    pub(super) fn take(&mut self, cause: Cause) {
        self.0[cause as usize] = self.of(cause).saturating_sub(1);
    }
}
