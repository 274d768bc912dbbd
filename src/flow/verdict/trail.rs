//! What is kept of a half from its first irregular segment on, bounded: holes, what was SACKed, what was sent again.
//!
//! May touch `base` and `wire::Segment`.

use std::time::Duration;

use super::cause::{Cause, CauseCounts, Evidence};
use super::episode::{Episode, Kept, Recovery};
use super::ranges::Ranges;
use super::telling::InVain;
use crate::base::{Seq, Timestamp};
use crate::wire::Segment;

/// Segments sent again of which the cause may still be revised.
pub(super) const RESENT_KEPT: usize = 16;
/// Ended episodes that are kept.
const EPISODES_KEPT: usize = 4;
/// Datagrams by which a duplicate is known.
const DATAGRAMS_KEPT: usize = 16;

/// Numbers that the capture has not shown although higher ones were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hole {
    /// When the segment above it was seen, and with which TSval.
    pub(super) at: Timestamp,
    pub(super) tsval: Option<Seq>,
    /// When an ACK first passed by that tells its sender of the hole.
    pub(super) told: Option<Timestamp>,
}

/// A segment that was sent again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Resent {
    pub(super) start: Seq,
    pub(super) end: Seq,
    pub(super) at: Timestamp,
    pub(super) tsval: Option<Seq>,
    /// Whether that is newer than any TSval of the copies before.
    pub(super) newest: bool,
    pub(super) cause: Cause,
    pub(super) evidence: Evidence,
    /// Of which episode.
    pub(super) episode: Option<u32>,
}

impl Resent {
    /// How many numbers it has.
    pub(super) fn numbers(&self) -> u32 {
        self.end.offset_from(self.start).unsigned_abs()
    }
}

/// By what a datagram is known again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Datagram {
    digest: u32,
    at: Timestamp,
    ttl: u8,
}

/// One half's irregularities.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Trail {
    pub(super) counts: CauseCounts,
    /// What showed the latest of each cause.
    pub(super) shown: [Option<Evidence>; Cause::ALL.len()],
    pub(super) holes: Ranges<Hole>,
    /// What the receiver's SACKs named.
    pub(super) sacked: Ranges<()>,
    /// What was acknowledged and never captured, while it may still come late; how many numbers that were in all.
    pub(super) missed: Ranges<Timestamp>,
    pub(super) missed_bytes: u64,
    /// Holes that had to go for newer ones before they were filled or acknowledged: past the highest, and how many
    /// numbers.
    forgotten: Option<(Seq, u64)>,
    pub(super) duplicate_acks: u32,
    /// The highest TSval that it sent.
    pub(super) tsval: Option<Seq>,
    pub(super) resent: Vec<Resent>,
    datagrams: Vec<Datagram>,
    pub(super) open: Option<Kept>,
    pub(super) ended: Vec<Kept>,
    pub(super) worst: Option<Kept>,
    /// Episodes that ended with something sent again, and those that began at all.
    pub(super) episodes: u32,
    begun: u32,
    /// The keep-alives that it sent in a row while nothing came from its peer.
    pub(super) keep_alives: Option<InVain>,
}

impl Trail {
    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.holes.held()
            + self.sacked.held()
            + self.missed.held()
            + self.resent.capacity() * size_of::<Resent>()
            + self.datagrams.capacity() * size_of::<Datagram>()
            + self.ended.capacity() * size_of::<Kept>()
    }

    /// Gives back the room that is not taken.
    pub(super) fn shrink(&mut self) {
        self.holes.shrink();
        self.sacked.shrink();
        self.missed.shrink();
        self.resent.shrink_to_fit();
        self.datagrams.shrink_to_fit();
        self.ended.shrink_to_fit();
    }

    /// Notes a keep-alive sent at `at`, when its peer was last heard at `heard`.
    pub(super) fn probe(&mut self, at: Timestamp, heard: Option<Timestamp>) {
        let again = self.keep_alives.filter(|before| heard.is_none_or(|heard| heard < before.last));
        let first = InVain { times: 1, since: at, last: at, gap: Duration::ZERO, len: 0 };
        self.keep_alives = Some(again.map_or(first, |before| InVain {
            times: before.times.saturating_add(1),
            last: at,
            gap: at.since(before.last),
            ..before
        }));
    }

    /// Counts a segment under its cause.
    pub(super) fn count(&mut self, cause: Cause, evidence: Evidence) {
        self.counts.add(cause);
        self.shown[cause as usize] = Some(evidence);
    }

    /// Keeps a segment that was sent again, so that what comes later may revise its cause.
    pub(super) fn keep(
        &mut self,
        segment: &Segment,
        end: Seq,
        cause: Cause,
        evidence: Evidence,
        how: Option<Recovery>,
    ) {
        if let Some(open) = &mut self.open {
            open.told.add(cause, evidence, how);
        }
        if self.resent.len() == RESENT_KEPT {
            self.resent.remove(0);
        }
        let (start, at, tsval) = (segment.seq, segment.ts, tsval(segment));
        let newest = self.tsval.zip(tsval).is_some_and(|(before, now)| now.after(before));
        let episode = self.open.map(|open| open.number);
        self.resent.push(Resent { start, end, at, tsval, newest, cause, evidence, episode });
    }

    /// The latest copy of anything in `start..end` that was sent again.
    pub(super) fn latest_resent(&self, start: Seq, end: Seq) -> Option<usize> {
        self.resent.iter().rposition(|copy| copy.start.before(end) && start.before(copy.end))
    }

    /// The cause of what was sent again as the `at`th turns out to be another.
    pub(super) fn revise(&mut self, at: usize, cause: Cause, evidence: Evidence) {
        let Some(copy) = self.resent.get_mut(at) else { return };
        let (was, number) = (copy.cause, copy.episode);
        (copy.cause, copy.evidence) = (cause, evidence);
        self.shown[cause as usize] = Some(evidence);
        if was == cause {
            return;
        }
        // What showed the cause that it was not is no evidence of the others'.
        if let Some(other) = self.resent.iter().rfind(|copy| copy.cause == was) {
            self.shown[was as usize] = Some(other.evidence);
        }
        self.counts.take(was);
        self.counts.add(cause);
        let kept = self.open.iter_mut().chain(&mut self.ended).chain(&mut self.worst);
        for episode in kept.filter(|episode| Some(episode.number) == number) {
            episode.told.revise(was, cause, evidence);
        }
    }

    /// A hole above all others, below what was just seen.
    pub(super) fn push_hole(&mut self, start: Seq, end: Seq, hole: Hole) {
        let Some(gone) = self.holes.push(start, end, hole) else { return };
        let before = self.forgotten.map_or(0, |(_, numbers)| numbers);
        self.forgotten = Some((gone.end, before + u64::from(gone.numbers())));
    }

    /// How many numbers of forgotten holes an acknowledgment of all before `ack` shows to have arrived.
    pub(super) fn arrived_unseen(&mut self, ack: Seq) -> u64 {
        self.forgotten.take_if(|(end, _)| !ack.before(*end)).map_or(0, |(_, numbers)| numbers)
    }

    /// A first sign of loss, when its sender had sent up to `point`.
    pub(super) fn begin_episode(&mut self, at: Timestamp, point: Seq) {
        if self.open.is_none() {
            self.open = Some(Kept { told: Episode::begin(at), number: self.begun, point });
            self.begun += 1;
        }
    }

    /// All before `ack` is acknowledged.
    pub(super) fn end_episode(&mut self, at: Timestamp, ack: Seq) {
        let Some(mut episode) = self.open.take_if(|open| !ack.before(open.point)) else { return };
        if !episode.told.is_telling() {
            return;
        }
        episode.told.ended = Some(at);
        self.episodes = self.episodes.saturating_add(1);
        let weight = |episode: &Kept| (episode.told.lost, episode.told.took(at));
        if self.worst.as_ref().is_none_or(|worst| weight(worst) < weight(&episode)) {
            self.worst = Some(episode);
        }
        if self.ended.len() == EPISODES_KEPT {
            self.ended.remove(0);
        }
        self.ended.push(episode);
    }

    /// Whether the datagram was seen within `within` before.
    pub(super) fn has_seen(&self, segment: &Segment, within: Duration) -> bool {
        self.datagrams.iter().any(|seen| seen.digest == segment.digest && segment.ts.since(seen.at) <= within)
    }

    /// Whether the datagram was seen with another TTL.
    pub(super) fn has_seen_at_another_hop(&self, segment: &Segment) -> bool {
        self.datagrams.iter().any(|seen| seen.digest == segment.digest && seen.ttl != segment.ttl)
    }

    /// Remembers what every segment of the half tells, now that it is watched closely.
    pub(super) fn remember(&mut self, segment: &Segment) {
        if let Some(tsval) = tsval(segment) {
            self.tsval = Some(self.tsval.map_or(tsval, |highest| highest.latest(tsval)));
        }
        if self.datagrams.iter().any(|seen| seen.digest == segment.digest) {
            return;
        }
        if self.datagrams.len() == DATAGRAMS_KEPT {
            self.datagrams.remove(0);
        }
        self.datagrams.push(Datagram { digest: segment.digest, at: segment.ts, ttl: segment.ttl });
    }

    /// Its numbers have begun anew, or jumped: what was known of them is of no use.
    pub(super) fn restart(&mut self) {
        self.holes.clear();
        self.sacked.clear();
        self.missed.clear();
        self.forgotten = None;
        self.resent.clear();
        self.duplicate_acks = 0;
        (self.open, self.keep_alives) = (None, None);
    }
}

/// TSval as a number that wraps (RFC 7323 §5.2 compares it like a sequence number).
pub(super) fn tsval(segment: &Segment) -> Option<Seq> {
    segment.options.timestamps().map(|(value, _)| Seq(value))
}
