//! The short way: a run of segments of which none needs a second look.
//!
//! May touch `base`.

use super::Verdict;
use super::edge::{Edge, fact};
use crate::base::Seq;
use crate::flow::Side;
use crate::flow::run::Line;

impl Verdict {
    /// Whether a run may begin at these lines.
    pub(in crate::flow) fn joins(&self, lines: &[Line; 2]) -> bool {
        let [orig, resp] = &self.edges;
        let [of_orig, of_resp] = lines;
        self.trouble.is_none() && orig.stands_at(of_orig, of_resp) && resp.stands_at(of_resp, of_orig)
    }

    /// Just past what `side` sent, and past what its peer acknowledged of that, where both were seen.
    pub(in crate::flow) fn stands(&self, side: Side) -> (Seq, Seq) {
        let edge = &self.edges[side.index()];
        (edge.high, edge.una)
    }

    /// Takes in the run that has come to these lines.
    pub(in crate::flow) fn take_run(&mut self, lines: &[Line; 2]) {
        for side in Side::BOTH {
            self.edges[side.index()].take_run(&lines[side.index()], lines[side.peer().index()].segments > 0);
        }
    }
}

impl Edge {
    /// Whether it is where its flow is.
    fn stands_at(&self, own: &Line, peer: &Line) -> bool {
        let sent = if own.is_seen { self.has(fact::SENT) && self.high == own.nxt } else { !self.has(fact::SENT) };
        sent && (!peer.is_seen || (self.has(fact::ACKED) && self.una == own.una))
    }

    fn take_run(&mut self, own: &Line, peer_spoke: bool) {
        if peer_spoke && self.una != own.una {
            self.una = own.una;
            self.facts.set(fact::HEARD);
        }
        if own.segments == 0 {
            return;
        }
        if self.high != own.nxt {
            self.high = own.nxt;
            self.facts.clear(fact::PROBED);
        }
        self.facts.put(fact::TTL_VARIES, self.has(fact::TTL_VARIES) || own.ttl_varies || own.first_ttl != self.ttl);
        (self.ttl, self.digest) = (own.ttl, own.digest);
    }
}
