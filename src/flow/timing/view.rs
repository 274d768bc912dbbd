//! What the times of a flow tell: plain values for screens and reports.
//!
//! Every time is as the capture point saw it. What is absent was not measured.

use std::time::Duration;

use crate::base::Timestamp;

/// The times of a flow that carried data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimingView {
    /// Of what the originator sent; of what the responder sent.
    pub halves: [HalfTiming; 2],
    /// The longest time without a segment, from the handshake's end on.
    pub idle: Option<IdleGap>,
}

/// Of one half: what its sender sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HalfTiming {
    /// From its data to the acknowledgment of just that data, both seen at the capture point: the way from there to the
    /// **peer** and back, with whatever the peer delays its acknowledgments. Nothing that was sent twice is in it
    /// (Karn).
    pub rtt_by_ack: Option<Delays>,
    /// The same by the echo of its timestamp: what was sent twice is in it too.
    pub rtt_by_timestamps: Option<Delays>,
    /// `None` where no acknowledgment by the peer was seen.
    pub in_flight: Option<InFlight>,
    /// `None` unless its data spans some time.
    pub throughput: Option<Throughput>,
    /// From the peer's last byte to its first, turn by turn: of the responder the server's think time. The way from the
    /// capture point to it and back (the peer's round trip) is in it.
    pub think: Option<Delays>,
    /// `None` if none was recognised.
    pub stalls: Option<Stalls>,
}

impl HalfTiming {
    /// The round trips by acknowledgment; where there are none, by timestamps.
    pub fn round_trip(&self) -> Option<&Delays> {
        self.rtt_by_ack.as_ref().or(self.rtt_by_timestamps.as_ref())
    }
}

/// A set of measured times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    pub samples: u32,
    pub min: Duration,
    pub mean: Duration,
    pub max: Duration,
    /// RFC 3550 §6.4.1's estimate, from one sample to the next; `None` of a single one.
    pub jitter: Option<Duration>,
    /// To an eighth, of all but the first 16 samples; `None` of fewer than 32.
    pub p50: Option<Duration>,
    pub p95: Option<Duration>,
}

#[cfg(test)]
impl Delays {
    /// As so many samples might give, for screens and reports; times in microseconds.
    pub(crate) fn sketched(samples: u32, min: u64, mean: u64, max: u64) -> Self {
        let us = Duration::from_micros;
        let [p50, p95] = [mean, max - 100].map(|time| (samples >= 32).then_some(us(time)));
        let jitter = (samples > 1).then_some(us(mean / 9));
        Self { samples, min: us(min), mean: us(mean), max: us(max), jitter, p50, p95 }
    }
}

/// Payload bytes sent and not acknowledged, as the capture point saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// `None` while acknowledgments may be missing.
    pub now: Option<u32>,
    pub max: u32,
}

/// New payload (each byte once) over the time from its first to its last data; only where that is 10 ms or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throughput {
    pub bytes: u64,
    pub time: Duration,
    /// Most bytes in one second, counted from its first data; `None` of less than a second.
    pub peak: Option<u64>,
}

impl Throughput {
    /// Bytes a second.
    pub fn rate(&self) -> u64 {
        let rate = u128::from(self.bytes) * 1_000_000_000 / self.time.as_nanos().max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// A time without a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleGap {
    pub time: Duration,
    /// When it ended.
    pub until: Timestamp,
}

/// What its sender waited for acknowledgments that came late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stalls {
    /// Acknowledgments of data that travelled alone, without data, 35 to 500 ms longer after it than the path takes: as
    /// delayed ones are.
    pub late_acks: u32,
    /// Of these, how often a small write waited for a delayed ack (Nagle), at least; how long those acknowledgments
    /// took together, and the longest.
    pub small_writes: u32,
    pub waited: Duration,
    pub worst: Duration,
}
