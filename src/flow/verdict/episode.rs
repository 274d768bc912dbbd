//! Episodes: what was lost together, told as one event from its first sign until all that was outstanding then is
//! acknowledged.
//!
//! May touch `base`. Read first: RFC 6582 §3.2 and RFC 6675 §5 (the recovery point), RFC 6298 §5.

use std::fmt;
use std::time::Duration;

use super::cause::{Cause, Evidence, span};
use crate::base::{Seq, Timestamp};

/// How a sender repaired a loss. Of several, the last in this order is told: it is the one that took longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recovery {
    /// Selective acknowledgments showed what was missing (RFC 6675).
    Sack,
    /// Duplicate ACKs asked for it (RFC 5681 §3.2).
    FastRetransmission,
    /// A probe of the last segment was the repair itself (RFC 8985 §7).
    TailLossProbe,
    /// The retransmission timer ran out (RFC 6298).
    Timeout,
}

impl Recovery {
    /// In words, after "recovered by".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sack => "SACK",
            Self::FastRetransmission => "fast retransmission",
            Self::TailLossProbe => "a tail-loss probe",
            Self::Timeout => "RTO",
        }
    }

    /// What a repair that rests on `evidence` is called.
    pub(super) const fn of(evidence: Evidence) -> Option<Self> {
        match evidence {
            Evidence::SackHole => Some(Self::Sack),
            Evidence::DuplicateAcks(_) | Evidence::PartialAck => Some(Self::FastRetransmission),
            Evidence::Probe(_) => Some(Self::TailLossProbe),
            Evidence::Timeout(_) | Evidence::AfterTimeout => Some(Self::Timeout),
            _ => None,
        }
    }
}

/// What was sent again, and why, between a first sign of loss and the acknowledgment of all that was sent by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Episode {
    /// The first sign of loss: a hole in the numbers, a SACK, three duplicate ACKs, or a
    /// segment sent again; where a timer had to run out, its start.
    pub since: Timestamp,
    /// When the acknowledgment passed the recovery point; `None` while it has not.
    pub ended: Option<Timestamp>,
    /// Segments lost, sent again needlessly, sent again as probes of the tail, and sent again with no cause shown.
    pub lost: u16,
    pub spurious: u16,
    pub probes: u16,
    pub unexplained: u16,
    /// How the loss was repaired, where that shows.
    pub how: Option<Recovery>,
    /// What showed the first loss, and what the first needless repeat.
    pub evidence: Option<Evidence>,
    pub needless: Option<Evidence>,
}

/// An episode with what only its half needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) told: Episode,
    /// Its place among the half's episodes.
    pub(super) number: u32,
    /// The highest number sent when it began.
    pub(super) point: Seq,
}

impl Episode {
    pub(super) const fn begin(since: Timestamp) -> Self {
        Self {
            since,
            ended: None,
            lost: 0,
            spurious: 0,
            probes: 0,
            unexplained: 0,
            how: None,
            evidence: None,
            needless: None,
        }
    }

    /// From the first sign to the end, or to `now`.
    pub fn took(&self, now: Timestamp) -> Duration {
        self.ended.unwrap_or(now).since(self.since)
    }

    /// Something was sent again: without that it is no event.
    pub const fn is_telling(&self) -> bool {
        self.lost > 0 || self.spurious > 0 || self.probes > 0 || self.unexplained > 0
    }

    fn counter(&mut self, cause: Cause) -> Option<&mut u16> {
        match cause {
            Cause::Lost => Some(&mut self.lost),
            Cause::Spurious => Some(&mut self.spurious),
            Cause::TailLossProbe => Some(&mut self.probes),
            Cause::Unexplained => Some(&mut self.unexplained),
            _ => None,
        }
    }

    /// Counts a segment that was sent again.
    pub(super) fn add(&mut self, cause: Cause, evidence: Evidence, how: Option<Recovery>) {
        if let Some(counter) = self.counter(cause) {
            *counter = counter.saturating_add(1);
        }
        self.note(cause, evidence);
        self.how = self.how.max(how);
    }

    /// A segment's cause turned out to be another.
    pub(super) fn revise(&mut self, was: Cause, is: Cause, evidence: Evidence) {
        for (cause, step) in [(was, -1), (is, 1)] {
            if let Some(counter) = self.counter(cause) {
                *counter = counter.saturating_add_signed(step);
            }
        }
        if self.lost == 0 {
            self.evidence = None;
        }
        self.note(is, evidence);
    }

    fn note(&mut self, cause: Cause, evidence: Evidence) {
        match cause {
            Cause::Lost => self.evidence.get_or_insert(evidence),
            Cause::Spurious => self.needless.get_or_insert(evidence),
            _ => return,
        };
    }

    /// The episode in words, as of `now`; of a flow that is `over`, what is not recovered never will be.
    pub fn tell(&self, now: Timestamp, over: bool) -> String {
        Telling { episode: self, now, over }.to_string()
    }
}

/// Writes the sentence.
struct Telling<'a> {
    episode: &'a Episode,
    now: Timestamp,
    over: bool,
}

impl fmt::Display for Telling<'_> {
    /// "3 segments lost, recovered by SACK in 41 ms".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Episode { lost, spurious, probes, unexplained, .. } = *self.episode;
        let parts = [
            (lost, "lost", None),
            (probes, "sent again as a tail-loss probe", None),
            (spurious, "sent again needlessly", self.episode.needless),
            (unexplained, "sent again, cause not shown", None),
        ];
        for (at, (count, what, evidence)) in parts.into_iter().filter(|(count, ..)| *count > 0).enumerate() {
            let noun = match (at, count) {
                (0, 1) => " segment",
                (0, _) => " segments",
                _ => "",
            };
            write!(f, "{}{count}{noun} {what}", if at > 0 { ", " } else { "" })?;
            if let Some(evidence) = evidence {
                write!(f, " ({evidence})")?;
            }
            if at == 0 && lost > 0 {
                self.recovery(f)?;
            }
        }
        if lost == 0 && self.episode.ended.is_none() { self.recovery(f) } else { Ok(()) }
    }
}

impl Telling<'_> {
    fn recovery(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = span(self.episode.took(self.now));
        match (self.episode.ended, self.episode.how) {
            (Some(_), Some(how)) => write!(f, ", recovered by {} in {took}", how.words()),
            (Some(_), None) => write!(f, ", recovered in {took}"),
            (None, _) if self.over => write!(f, ", never recovered"),
            (None, _) => write!(f, ", not yet recovered, for {took}"),
        }
    }
}
