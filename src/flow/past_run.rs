//! A [run](super::Run) among segments that wait from the beginning of a flow, which has gone on since: where both ends
//! stood, the segments themselves tell.
//!
//! May touch `base`.

use super::beginning::Beginning;
use super::run::{Line, Run};
use super::{Analysis, Brief, Side, Verdict, Zeek};
use crate::base::{Seq, Timestamp};

/// A run, and where it has come to.
#[derive(Debug, Clone)]
pub struct PastRun {
    run: Run,
    /// When its last segment came, if any did.
    last: Option<Timestamp>,
    lines: [Line; 2],
}

impl PastRun {
    /// A run that the next segment may begin of a flow that stood so; `None` where it must go the long way.
    pub fn begin(stands: &Beginning, analysis: &Analysis, verdict: &Verdict, zeek: &Zeek) -> Option<Self> {
        let side = |side: usize| Some(Line::at(stands.nxt[side]?, stands.una[side]?, stands.windows[side]));
        let lines = [side(0)?, side(1)?];
        Some(Self { run: Run::begin_at(&lines, analysis, verdict, zeek)?, last: None, lines })
    }

    /// Takes in a segment that the beginning let wait, if the run goes on with it.
    #[inline]
    pub fn takes(&mut self, brief: &Brief) -> bool {
        let [orig, resp] = &self.lines;
        let from = brief.from();
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        let Brief { ts, ack, payload_len: len, window, .. } = *brief;
        let (news, outstanding, open) = (ack != peer.una, own.nxt.0.wrapping_sub(own.una.0), peer.window);
        let goes_on = self.run.goes_on(ts) & self.run.brings(from, news, len, outstanding, open);
        if brief.flags().fin() | !goes_on | (window == 0) | (ack == Seq(0)) {
            return false;
        }
        Line::pass(&mut self.lines, brief);
        self.last = Some(ts);
        true
    }

    /// Has the three take over where the run has come to.
    pub fn end(self, analysis: &mut Analysis, verdict: &mut Verdict, zeek: &mut Zeek) {
        let Self { run: _, last, lines } = self;
        Run::take_over(&lines, last, analysis, verdict, zeek);
    }
}
