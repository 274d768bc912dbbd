//! The verdict on one segment, for whoever goes through a flow segment by segment.
//!
//! May touch `base` and `wire::Segment`. What is told here is what [`Verdict::feed`] counts; it changes nothing.

use std::time::Duration;

use super::cause::{Cause, Evidence};
use super::edge::fact;
use super::judge::Look;
use super::trail::{RESENT_KEPT, Trail};
use super::{Around, Verdict};
use crate::base::{Seq, Timestamp};
use crate::flow::half::REACH;
use crate::flow::{Analysis, Side};
use crate::wire::Segment;

/// A segment that was sent again, as it stands by now: later evidence may have revised its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentAgain {
    /// When it was sent, and its sequence number: by these it is known.
    pub at: Timestamp,
    pub seq: Seq,
    pub cause: Cause,
    pub evidence: Evidence,
}

/// What one end sends again and again, or probes with, while nothing at all comes from its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InVain {
    /// How often its oldest segment that is not acknowledged was sent again since its peer was heard; as often at least,
    /// where that is more than is remembered. Of probes: how many were sent.
    pub times: u32,
    /// Since when it waits for an answer (to its first probe), and when it tried last.
    pub since: Timestamp,
    pub last: Timestamp,
    /// Between its last two tries.
    pub gap: Duration,
    /// Bytes of the segment, as it was sent last; 0 of probes.
    pub len: u32,
}

/// The oldest segment that one end's peer has not acknowledged, sent again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmoved {
    /// How often it was sent again, as far as is remembered; whether it may have been more often.
    pub times: u32,
    pub more: bool,
    /// Since when it waits, and when it was sent last.
    pub since: Timestamp,
    pub last: Timestamp,
    /// Its bytes, as it was sent last.
    pub len: u32,
    /// Its peer has what was sent behind it (SACK), but nothing that is as long.
    pub shorter_arrive: bool,
}

impl Verdict {
    /// What `side` sends again and its peer does not acknowledge, whether or not it says anything else.
    pub fn unmoved(&self, side: Side) -> Option<Unmoved> {
        let own = &self.edges[side.index()];
        let trail = &self.trouble.as_ref()?.trails[side.index()];
        let open = trail.open.filter(|_| own.is_outstanding())?;
        let copies = || trail.resent.iter().filter(|copy| copy.start == own.una);
        let latest = copies().next_back()?;
        let len = latest.numbers();
        Some(Unmoved {
            times: u32::try_from(copies().count()).unwrap_or(u32::MAX),
            more: trail.resent.len() == RESENT_KEPT,
            since: open.told.since,
            last: latest.at,
            len,
            shorter_arrive: trail.sacked.longest().is_some_and(|longest| longest < len),
        })
    }

    /// What `side` sends again in vain; `None` where nothing of it is, or its peer was never heard (its segments may go
    /// another way). `analysis` is that of the same segments.
    pub fn in_vain(&self, analysis: &Analysis, side: Side) -> Option<InVain> {
        let own = &self.edges[side.index()];
        let trail = &self.trouble.as_ref()?.trails[side.index()];
        let heard = analysis.heard_at(side.peer())?;
        let open = trail.open.filter(|_| own.is_outstanding())?;
        let mut again = trail.resent.iter().filter(|copy| copy.start == own.una && copy.at > heard);
        let first = again.next()?;
        let (mut times, mut before, mut last) = (1, first.evidence.since(first.at), first);
        for copy in again {
            (times, before, last) = (times + 1, last.at, copy);
        }
        let (since, gap, len) = (open.told.since.max(heard), last.at.since(before), last.numbers());
        Some(InVain { times, since, last: last.at, gap, len })
    }

    /// The keep-alives that `side` sends in vain: nothing else of it since, and nothing of its peer, which was heard
    /// before. `analysis` is that of the same segments.
    pub fn probes_in_vain(&self, analysis: &Analysis, side: Side) -> Option<InVain> {
        self.probes_unanswered(analysis, side).filter(|probes| analysis.heard_at(side) == Some(probes.last))
    }

    /// The same, whatever else `side` has sent since: a RST, say, when it gave up.
    pub fn probes_unanswered(&self, analysis: &Analysis, side: Side) -> Option<InVain> {
        let probes = self.trouble.as_ref()?.trails[side.index()].keep_alives?;
        (analysis.heard_at(side.peer())? < probes.since).then_some(probes)
    }

    /// Why the next segment, sent by `from`, carries numbers that were sent before; `None` of one that does not. To be
    /// asked before [`Verdict::feed`] takes it in, with the same `around`.
    pub fn cause_of(&self, segment: &Segment, from: Side, around: &Around) -> Option<(Cause, Evidence)> {
        let (own, peer) = (&self.edges[from.index()], &self.edges[from.peer().index()]);
        let (flags, above) = (segment.flags, segment.seq.offset_from(own.high));
        if segment.malformed || flags.rst() || flags.syn() || !own.has(fact::SENT) {
            return None;
        }
        if above.unsigned_abs() > REACH {
            return None;
        }
        if segment.payload_len == 1 && around.peer_window == Some(0) && above == 0 {
            return Some((Cause::ZeroWindowProbe, Evidence::ZeroWindow));
        }
        let quiet = Trail::default();
        let trail = self.trouble.as_ref().map_or(&quiet, |trouble| &trouble.trails[from.index()]);
        if above < 0 { Look { segment, own, peer, trail, around }.judge() } else { None }
    }

    /// What `side` sent again lately, oldest first: the segments of which the cause may still be revised.
    pub fn sent_again(&self, side: Side) -> impl Iterator<Item = SentAgain> {
        let trail = self.trouble.as_ref().map(|trouble| &trouble.trails[side.index()]);
        let resent = trail.into_iter().flat_map(|trail| &trail.resent);
        resent.map(|copy| SentAgain { at: copy.at, seq: copy.start, cause: copy.cause, evidence: copy.evidence })
    }
}
