//! The times of a flow, as JSON: what the capture point saw.

use std::time::Duration;

use serde::Serialize;

use crate::base::nanos;
use crate::flow::{Delays, HalfTiming, IdleGap, Stalls};

/// The longest time without a segment, from the handshake's end on, of a flow that carried data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdleRecord {
    pub longest_ns: u64,
    /// When it ended.
    pub until_ns: i64,
}

/// The round trip of one end's data: from the capture point to the other end and back, with whatever that end delays
/// its acknowledgments. Both ends' together are the round trip of the whole path. Fields that are absent inside say
/// that nothing could be measured that way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RttRecord {
    /// From data to the acknowledgment of just that data; nothing that was sent twice (Karn's rule, RFC 6298 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_ack: Option<DelaysRecord>,
    /// From data to the echo of its timestamp (RFC 7323 §4.1); what was sent twice too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_timestamps: Option<DelaysRecord>,
}

/// A set of measured times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DelaysRecord {
    pub samples: u32,
    pub min_ns: u64,
    pub mean_ns: u64,
    pub max_ns: u64,
    /// RFC 3550 §6.4.1's estimate, from one sample to the next; absent of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ns: Option<u64>,
    /// To an eighth, of all but the first 16 samples; absent of fewer than 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ns: Option<u64>,
}

/// Payload bytes that an end sent and that were not acknowledged, as the capture point saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InFlightRecord {
    /// Most at once.
    pub max_bytes: u32,
    /// At the end; absent where acknowledgments may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_bytes: Option<u32>,
}

/// New payload of an end, each byte once, over the time from its first to its last data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThroughputRecord {
    pub new_bytes: u64,
    pub active_ns: u64,
    pub bytes_per_s: u64,
    /// Most bytes in a second, counted from its first data; absent of less than a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_bytes_per_s: Option<u64>,
}

/// What an end's data waited for acknowledgments that came late.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StallsRecord {
    /// Acknowledgments of data that travelled alone, without data, 35 to 500 ms longer after it than the path takes: as
    /// delayed ones are (RFC 1122 §4.2.3.2).
    pub late_acks: u32,
    /// Of these, how often a small write waited for a delayed ack (Nagle, RFC 896), at least: the next small segment
    /// followed the ack at once. How long those acknowledgments took in all, and the longest.
    pub small_writes: u32,
    pub waited_ns: u64,
    pub worst_ns: u64,
}

impl IdleRecord {
    pub(super) fn of(idle: &IdleGap) -> Self {
        Self { longest_ns: nanos(idle.time), until_ns: idle.until.nanos() }
    }
}

impl DelaysRecord {
    pub(super) fn of(delays: &Delays) -> Self {
        let maybe = |time: Option<Duration>| time.map(nanos);
        Self {
            samples: delays.samples,
            min_ns: nanos(delays.min),
            mean_ns: nanos(delays.mean),
            max_ns: nanos(delays.max),
            jitter_ns: maybe(delays.jitter),
            p50_ns: maybe(delays.p50),
            p95_ns: maybe(delays.p95),
        }
    }
}

impl StallsRecord {
    pub(super) fn of(stalls: &Stalls) -> Self {
        Self {
            late_acks: stalls.late_acks,
            small_writes: stalls.small_writes,
            waited_ns: nanos(stalls.waited),
            worst_ns: nanos(stalls.worst),
        }
    }
}

impl RttRecord {
    pub(super) fn of(half: &HalfTiming) -> Option<Self> {
        let [by_ack, by_timestamps] =
            [&half.rtt_by_ack, &half.rtt_by_timestamps].map(|delays| delays.as_ref().map(DelaysRecord::of));
        (by_ack.is_some() || by_timestamps.is_some()).then_some(Self { by_ack, by_timestamps })
    }
}

impl InFlightRecord {
    pub(super) fn of(half: &HalfTiming) -> Option<Self> {
        half.in_flight.map(|told| Self { max_bytes: told.max, last_bytes: told.now })
    }
}

impl ThroughputRecord {
    pub(super) fn of(half: &HalfTiming) -> Option<Self> {
        half.throughput.map(|told| Self {
            new_bytes: told.bytes,
            active_ns: nanos(told.time),
            bytes_per_s: told.rate(),
            peak_bytes_per_s: told.peak,
        })
    }
}
