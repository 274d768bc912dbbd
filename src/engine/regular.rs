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
        let mut is_first = true;
        Beginning::tell(flow, from, |brief| {
            if !regular.feed_plain(brief) {
                regular.feed(is_first, brief, &stands, flow, ends);
            }
            stands.pass(brief);
            is_first = false;
        });
        regular
    }

    /// Takes in one that is plain, once data came; false, and nothing is changed, if it is none.
    #[inline]
    fn feed_plain(&mut self, brief: &Brief) -> bool {
        let plain = self.timing.has_begun() && self.zeek.feed_plain(brief);
        if plain {
            self.timing.feed_plain(brief);
        }
        plain
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
