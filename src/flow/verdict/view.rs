//! What is told of a flow: counts and evidence, episodes, limits.
//!
//! May touch this room's own.

use super::Verdict;
use super::cause::{Cause, CauseCounts, Evidence};
use super::edge::fact;
use super::episode::Episode;
use super::sight::{Injected, Limit};
use super::trail::Trail;
use crate::flow::Side;

impl Verdict {
    /// What was found, and what cannot be told.
    pub fn view(&self) -> VerdictView {
        let Some(trouble) = self.trouble.as_deref() else {
            return VerdictView { limits: self.limits(0), ..VerdictView::default() };
        };
        let missed = trouble.trails.iter().map(|trail| trail.missed_bytes).sum::<u64>();
        VerdictView {
            halves: trouble.trails.each_ref().map(HalfVerdict::of),
            limits: self.limits(missed),
            injected: trouble.injected,
        }
    }

    /// `missed`: bytes that were acknowledged and never captured.
    fn limits(&self, missed: u64) -> Vec<Limit> {
        let any = |bit| self.edges.iter().any(|edge| edge.has(bit));
        let alone = Side::BOTH.into_iter().find(|side| {
            let silent = &self.edges[side.peer().index()];
            self.edges[side.index()].has(fact::SENT) && !silent.has(fact::SENT) && silent.has(fact::HEARD)
        });
        let limits = [
            alone.map(Limit::OneDirection),
            (any(fact::SENT) && !any(fact::SYN)).then_some(Limit::MidStream),
            any(fact::CUT).then_some(Limit::Cut),
            (missed > 0).then_some(Limit::CaptureLoss(missed)),
        ];
        limits.into_iter().flatten().collect()
    }
}

/// What is told of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerdictView {
    /// The originator's half, and the responder's.
    pub halves: [HalfVerdict; 2],
    /// Why less is claimed than may have happened.
    pub limits: Vec<Limit>,
    /// The first RST that may not be its sender's.
    pub injected: Option<Injected>,
}

/// What is told of the segments that one end sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HalfVerdict {
    pub counts: CauseCounts,
    /// What showed the latest of each cause, in the order of [`Cause::ALL`].
    pub shown: Vec<(Cause, Evidence)>,
    /// Episodes that ended, ever; the last few of them; the one with most losses.
    pub ended: u32,
    pub episodes: Vec<Episode>,
    pub worst: Option<Episode>,
    /// The one that has not ended.
    pub open: Option<Episode>,
}

impl HalfVerdict {
    fn of(trail: &Trail) -> Self {
        let shown = Cause::ALL.into_iter().zip(trail.shown);
        Self {
            counts: trail.counts,
            shown: shown
                .filter(|(cause, _)| trail.counts.of(*cause) > 0)
                .filter_map(|(cause, shown)| Some((cause, shown?)))
                .collect(),
            ended: trail.episodes,
            episodes: trail.ended.iter().map(|kept| kept.told).collect(),
            worst: trail.worst.map(|kept| kept.told),
            open: trail.open.map(|kept| kept.told).filter(Episode::is_telling),
        }
    }

    /// The latest episode, ended or not.
    pub fn latest(&self) -> Option<&Episode> {
        self.open.as_ref().or(self.episodes.last())
    }

    /// Whether there is anything to tell.
    pub fn is_quiet(&self) -> bool {
        self.counts == CauseCounts::default()
    }
}
