//! What a flow that is over, and in which nothing was irregular, has of its own: its times, and what Zeek would log.
//!
//! Most flows are so, and a report asks of every one. What else a [course](super::course) tells is the same of all of
//! them, so it is not made again.

use crate::base::{Endpoint, Packing};
use crate::flow::{Beginning, Brief, Flow, Timing, Zeek};

/// Both, made from its segments.
#[derive(Debug)]
pub(super) struct Regular {
    pub(super) timing: Timing,
    pub(super) zeek: Zeek,
}

impl Regular {
    /// Of a flow whose segments are packed; `flow` is as it is after the last of them.
    pub(super) fn unpack(flow: &Flow, ends: [Endpoint; 2], from: &mut impl Packing) -> Self {
        let (mut stands, mut regular) = (Beginning::NONE, Self { timing: Timing::default(), zeek: Zeek::blank() });
        let (mut briefs, mut is_first) = (Beginning::told(flow, from), true);
        while let Some(brief) = regular.feed_plain(&mut briefs) {
            regular.feed(is_first, &brief, &stands, flow, ends);
            // Nobody asks any more once times have begun, which those that are plain come after.
            stands.pass(&brief);
            is_first = false;
        }
        regular
    }

    /// Takes in those that come next while they are plain, once data came; gives the first that is not.
    #[inline]
    fn feed_plain(&mut self, briefs: &mut impl Iterator<Item = Brief>) -> Option<Brief> {
        let Self { timing, zeek } = self;
        let row = if timing.has_begun() { zeek.open_row() } else { None };
        let Some(mut row) = row else { return briefs.next() };
        briefs.find(|brief| {
            let is_plain = row.take(brief);
            if is_plain {
                timing.feed_plain(brief);
            }
            !is_plain
        })
    }

    /// Takes in any.
    #[inline(never)]
    fn feed(&mut self, is_first: bool, brief: &Brief, stands: &Beginning, flow: &Flow, ends: [Endpoint; 2]) {
        let (segment, from) = (brief.segment(ends), brief.from());
        if is_first {
            self.zeek = Zeek::new(&segment, from);
        } else {
            self.zeek.feed(&segment, from);
        }
        self.timing.feed(&segment, from, || Some(stands.starts(flow)));
    }
}
