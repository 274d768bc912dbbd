//! Our own verdict in the schema: why segments were sent again, episodes of loss, what the capture cannot tell. Pure.

use serde::Serialize;

use crate::base::{Timestamp, nanos};
use crate::flow::{Cause, Episode, HalfVerdict, Injected, Limit, Recovery, Side, VerdictView};

/// How many segments of one end carried numbers that lie before the highest it had sent, by why. Each has one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerdictRecord {
    /// Sent again because the copy before it was lost (or, where nothing tells these apart, its ACK).
    pub lost: u32,
    /// Delivered late by the path, not sent again.
    pub reordered: u32,
    /// Sent again needlessly: the receiver had it.
    pub spurious: u32,
    pub tail_loss_probe: u32,
    pub zero_window_probe: u32,
    pub keep_alive: u32,
    /// The same datagram a second time.
    pub duplicate_frame: u32,
    /// Sent again, and the capture does not show why.
    pub unexplained: u32,
    /// What showed the latest of each cause, in words: `{"lost": "SACK hole"}`; absent where nothing was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What was sent again between a first sign of loss and the ACK of all that was sent by then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodeRecord {
    pub since_ns: i64,
    /// How long it took; absent while it is not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<u64>,
    pub lost: u16,
    pub spurious: u16,
    pub tail_loss_probe: u16,
    pub unexplained: u16,
    /// sack, fast_retransmission, tail_loss_probe, timeout; absent where it does not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<&'static str>,
    /// What showed the first loss, and the first needless repeat, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needless_evidence: Option<String>,
}

/// The episodes of one end; absent if there was none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodesRecord {
    /// How many ended, ever.
    pub ended: u32,
    /// The last few, oldest first; one that has not ended comes last.
    pub latest: Vec<EpisodeRecord>,
    /// The one in which most was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<EpisodeRecord>,
}

/// Why less is claimed of a flow than may have happened to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitRecord {
    /// one_direction (only `side` was captured), mid_stream, cut (options, by the snap length), capture_loss (`bytes`
    /// were acknowledged and never captured), dropped (frames, on their way into the capture while the flow lasted).
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A RST whose TTL is not that of its sender's other segments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResetRecord {
    pub possibly_injected: InjectedRecord,
}

/// In whose name it came, its TTL (or hop limit), and that of all other segments of that end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InjectedRecord {
    pub from: &'static str,
    pub ttl: u8,
    pub usual_ttl: u8,
}

impl VerdictRecord {
    pub(super) fn of(half: &HalfVerdict) -> Self {
        let count = |cause| half.counts.of(cause);
        let key = |cause: Cause| cause.words().replace([' ', '-'], "_");
        Self {
            lost: count(Cause::Lost),
            reordered: count(Cause::Reordered),
            spurious: count(Cause::Spurious),
            tail_loss_probe: count(Cause::TailLossProbe),
            zero_window_probe: count(Cause::ZeroWindowProbe),
            keep_alive: count(Cause::KeepAlive),
            duplicate_frame: count(Cause::DuplicateFrame),
            unexplained: count(Cause::Unexplained),
            evidence: (!half.shown.is_empty())
                .then(|| half.shown.iter().map(|(cause, shown)| (key(*cause), shown.to_string().into())).collect()),
        }
    }
}

impl EpisodesRecord {
    pub(super) fn of(half: &HalfVerdict) -> Option<Self> {
        let latest: Vec<_> = half.episodes.iter().chain(&half.open).map(EpisodeRecord::of).collect();
        let worst = half.worst.as_ref().map(EpisodeRecord::of);
        (!latest.is_empty()).then_some(Self { ended: half.ended, latest, worst })
    }
}

impl EpisodeRecord {
    fn of(episode: &Episode) -> Self {
        let took = |end: Timestamp| nanos(end.since(episode.since));
        Self {
            since_ns: episode.since.nanos(),
            took_ns: episode.ended.map(took),
            lost: episode.lost,
            spurious: episode.spurious,
            tail_loss_probe: episode.probes,
            unexplained: episode.unexplained,
            recovery: episode.how.map(|how| match how {
                Recovery::Sack => "sack",
                Recovery::FastRetransmission => "fast_retransmission",
                Recovery::TailLossProbe => "tail_loss_probe",
                Recovery::Timeout => "timeout",
            }),
            evidence: episode.evidence.map(|evidence| evidence.to_string()),
            needless_evidence: episode.needless.map(|evidence| evidence.to_string()),
        }
    }
}

/// The limits; absent if there is none.
pub(super) fn limits(view: &VerdictView) -> Option<Vec<LimitRecord>> {
    let record = |limit: &Limit| LimitRecord {
        kind: limit.name(),
        side: if let Limit::OneDirection(side) = limit { Some(side.name()) } else { None },
        bytes: if let Limit::CaptureLoss(bytes) = limit { Some(*bytes) } else { None },
    };
    (!view.limits.is_empty()).then(|| view.limits.iter().map(record).collect())
}

impl ResetRecord {
    pub(super) fn of(injected: &Injected) -> Self {
        let from: Side = injected.side;
        Self { possibly_injected: InjectedRecord { from: from.name(), ttl: injected.ttl, usual_ttl: injected.usual } }
    }
}
