//! The end of most flows: the FINs, next in line, and what acknowledges them.
//!
//! May touch `base` and `wire::Segment`. As in a [beginning](super::Beginning), nothing irregular is seen in it.

use super::half::mark;
use super::zeek::LITTLE;
use super::{Brief, Flow, Side};
use crate::base::{Seq, TcpState};
use crate::wire::{Flags, Segment};

impl Flow {
    /// Whether a segment is a FIN of an end that goes on from the numbers that the flow believes, or acknowledges some
    /// that were not, and nothing more. It is no retransmission where none before was irregular.
    pub fn closes_with(&self, segment: &Segment, from: Side) -> bool {
        const KINDS: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0 | Flags::ACK.0;
        let Segment { seq, ack, payload_len: len, window, .. } = *segment;
        let (own, peer) = (&self.halves[from.index()], &self.halves[from.peer().index()]);
        let is_fin = segment.flags.fin();
        let kind = if is_fin { Flags::FIN.0 | Flags::ACK.0 } else { Flags::ACK.0 };
        let bare = segment.flags.0 & KINDS == kind && window != 0 && ack != Seq(0) && Brief::tells(segment);
        let acked = ack.0.wrapping_sub(peer.una.0) <= peer.nxt.0.wrapping_sub(peer.una.0);
        let in_line = own.is_in_line() && peer.is_in_line() && seq == own.nxt && acked;
        // The same acknowledgment again, while something waits for one, is a duplicate.
        let news = ack != peer.una || peer.una == peer.nxt;
        let says = if is_fin {
            !own.has(mark::FIN) && len != 1 && len <= LITTLE && (len > 0 || news)
        } else {
            len == 0 && ack != peer.una
        };
        bare && in_line && says && !self.is_pending() && !self.rst_at.is_set()
    }
}

impl super::half::Half {
    /// Whether it is known of both ways, synchronized, and without a hole.
    fn is_in_line(&self) -> bool {
        const KNOWN: u8 = mark::BASE | mark::SENT | mark::ACKED;
        let open = self.state.is_some_and(|state| state.is_synchronized() && state != TcpState::Closed);
        open && self.segments > 0 && self.marks.among(KNOWN | mark::DOUBTFUL_FIN) == KNOWN && self.contig == self.nxt
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Guard, check_guards};
    use super::Flow;

    const OPEN: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301";
    const DATA: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > P. 101 ack 301 len 10";
    const HOLE: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > P. 111 ack 301 len 10";
    const CLOSING: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > F. 101 ack 301";
    const CLOSED: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > F. 101 ack 301
        0.04 < F. 301 ack 102\n0.05 > . 102 ack 302";
    const RESET: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > R. 101 ack 301";
    const ONE_SIDED: &str = "0.00 > . 101 ack 301\n0.01 > P. 101 ack 301 len 100";

    /// What guards, how the flow goes before, what is no part of its end, and what would be.
    const ROWS: &[Guard] = &[
        ("a FIN", OPEN, "0.1 > R. 101 ack 301", "0.1 > F. 101 ack 301"),
        ("with ACK", OPEN, "0.1 > F 101", "0.1 > FP. 101 ack 301 ts"),
        ("no SYN", OPEN, "0.1 > SF. 101 ack 301", "0.1 > F. 101 ack 301"),
        ("next in line", OPEN, "0.1 > F. 102 ack 301", "0.1 > F. 101 ack 301"),
        ("nothing twice", CLOSING, "0.1 > F. 101 ack 301", "0.1 < F. 301 ack 102"),
        ("one FIN", CLOSING, "0.1 > F. 102 ack 301", "0.1 < . 301 ack 102"),
        ("acks what was sent", OPEN, "0.1 < F. 301 ack 102", "0.1 < F. 301 ack 101"),
        ("acks no less", CLOSED, "0.1 > . 102 ack 301", ""),
        ("no ack again", DATA, "0.1 < F. 301 ack 101", "0.1 < F. 301 ack 111"),
        ("no ack again of an ack", CLOSED, "0.1 > . 102 ack 302", ""),
        ("no ack again but data", DATA, "0.1 < F. 301 ack 101 len 1", "0.1 < F. 301 ack 101 len 2"),
        ("little", OPEN, "0.1 > F. 101 ack 301 len 10485761", "0.1 > F. 101 ack 301 len 10485760"),
        ("no data behind", CLOSING, "0.1 < P. 301 ack 102 len 5", "0.1 < . 301 ack 102"),
        ("open window", OPEN, "0.1 > F. 101 ack 301 win 0", "0.1 > F. 101 ack 301 win 1"),
        ("says no more", OPEN, "0.1 > F. 101 ack 301 mptcp 2", "0.1 > F. 101 ack 301"),
        ("no SACK", CLOSING, "0.1 < . 301 ack 102 block 5 6", "0.1 < . 301 ack 102"),
        ("well formed", OPEN, "0.1 > F. 101 ack 301 malformed", "0.1 > F. 101 ack 301"),
        ("no hole", HOLE, "0.1 > F. 121 ack 301", ""),
        ("not closed", RESET, "0.1 < F. 301 ack 101", ""),
        ("who was seen", ONE_SIDED, "0.1 > F. 201 ack 301", ""),
    ];

    #[test]
    fn what_goes_on_with_an_end() {
        check_guards(ROWS, Flow::closes_with);
    }
}
