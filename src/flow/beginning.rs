//! The beginning of most flows: SYN, SYN-ACK, ACK, then what is next in line. Who takes in segments later, all of them
//! together, need not know the flow as it was before each: where both ends stood then, the beginning itself tells.
//!
//! May touch `base` and `wire::Segment`. Nothing irregular is seen in a beginning: no number is skipped or comes again,
//! none is acknowledged that was not sent, no end says again what it said, and no window is 0.

use super::plain::is_text;
use super::timing::Starts;
use super::zeek::LITTLE;
use super::{Brief, Flow, HandshakeOutcome, Side};
use crate::base::{Seq, Timestamp};
use crate::wire::{Flags, Segment};

impl Flow {
    /// Whether a segment is the SYN-ACK of the beginning, or the ACK of that; the first one was a SYN that says nothing
    /// but numbers, and how its windows are scaled. It is no retransmission.
    pub fn opens_with(&self, segment: &Segment, from: Side) -> bool {
        let [orig, resp] = &self.halves;
        segment.window != 0
            && match (orig.segments, resp.segments, from) {
                (1, 0, Side::Resp) => self.is_syn_ack_in_line(segment),
                (1, 1, Side::Orig) => self.is_ack_in_line(segment),
                _ => false,
            }
    }

    /// Whether a segment goes on with the beginning, which all segments so far were of: new bytes, or an acknowledgment
    /// of some, between two ends that are established. It is [plain](Self::is_plain), and no retransmission.
    #[inline]
    pub fn goes_on_with(&self, segment: &Segment, from: Side) -> bool {
        let Segment { ack, payload_len: len, window, .. } = *segment;
        let completed = self.outcome == HandshakeOutcome::Completed;
        let brings = if len == 0 { ack != self.halves[from.peer().index()].una } else { len != 1 && len <= LITTLE };
        let open = window != 0 && ack != Seq(0);
        completed && brings && open && Brief::tells(segment) && self.is_plain(segment, from)
    }

    /// The answer to a SYN without data.
    fn is_syn_ack_in_line(&self, segment: &Segment) -> bool {
        const KINDS: u16 = Flags::FIN.0 | Flags::SYN.0 | Flags::RST.0 | Flags::PSH.0 | Flags::ACK.0 | Flags::URG.0;
        let [orig, _] = &self.halves;
        let bare = segment.flags.0 & KINDS == Flags::SYN.0 | Flags::ACK.0 && segment.payload_len == 0;
        bare && Brief::tells_of_syn(segment) && orig.payload_bytes == 0 && orig.nxt() == Some(segment.ack)
    }

    /// The acknowledgment of a SYN-ACK.
    fn is_ack_in_line(&self, segment: &Segment) -> bool {
        let [orig, resp] = &self.halves;
        let bare = is_text(segment) && Brief::tells(segment) && segment.payload_len == 0;
        bare && orig.nxt() == Some(segment.seq) && resp.nxt() == Some(segment.ack)
    }

    /// By how much a SYN or SYN-ACK of the beginning offers to scale windows.
    pub fn scale_offered_by(&self, segment: &Segment, from: Side) -> Option<u8> {
        let offered = self.halves[from.index()].offered().filter(|_| segment.flags.syn());
        offered.and_then(|offered| offered.wscale)
    }
}

/// Where both ends stand after some segments of a beginning.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    pub(super) nxt: [Option<Seq>; 2],
    pub(super) una: [Option<Seq>; 2],
    pub(super) windows: [u16; 2],
    last: Timestamp,
}

impl Beginning {
    /// Before the first.
    pub const NONE: Self = Self { nxt: [None; 2], una: [None; 2], windows: [0; 2], last: Timestamp::MIN };

    /// After one more.
    pub fn pass(&mut self, brief: &Brief) {
        let (from, to) = (brief.from().index(), brief.from().peer().index());
        self.nxt[from] = Some(brief.end());
        if brief.flags().ack() {
            self.una[to] = Some(brief.ack);
        }
        self.windows[from] = brief.window;
        self.last = self.last.max(brief.ts);
    }

    /// What times begin from, if data comes next; `flow` has taken in the handshake at least.
    pub fn starts(&self, flow: &Flow) -> Starts {
        Starts::at(flow, self.nxt, self.una, [false; 2], self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Guard, check_guards};

    const SYN: &str = "0.00 > S 100 ws 3";
    const SYN_WITH_DATA: &str = "0.00 > S 100 len 5";
    const ANSWERED: &str = "0.00 > S 100\n0.01 < S. 300 ack 101";
    const OPEN: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301";
    const DATA: &str = "0.00 > S 100\n0.01 < S. 300 ack 101\n0.02 > . 101 ack 301\n0.03 > P. 101 ack 301 len 10";
    const MID_STREAM: &str = "0.03 > P. 101 ack 301 len 100\n0.04 < P. 301 ack 201 len 100";

    /// What guards, how the flow begins, what does not go on with it, and what would.
    const ROWS: &[Guard] = &[
        ("the answer", SYN, "0.1 > S. 300 ack 101", "0.1 < S. 300 ack 101"),
        ("no crossing SYN", SYN, "0.1 < S 300", "0.1 < S. 300 ack 101 ws 2 mss 9 sack ts tfo"),
        ("refused", SYN, "0.1 < R. 0 ack 101", "0.1 < S. 300 ack 101"),
        ("no urgent data", SYN, "0.1 < SP. 300 ack 101", "0.1 < S. 300 ack 101"),
        ("answers the SYN", SYN, "0.1 < S. 300 ack 102", "0.1 < S. 300 ack 101"),
        ("no data in the SYN", SYN_WITH_DATA, "0.1 < S. 300 ack 106", ""),
        ("no data in the answer", SYN, "0.1 < S. 300 ack 101 len 5", "0.1 < S. 300 ack 101"),
        ("the answer's window", SYN, "0.1 < S. 300 ack 101 win 0", "0.1 < S. 300 ack 101 win 1"),
        ("no MPTCP", SYN, "0.1 < S. 300 ack 101 mptcp 0", "0.1 < S. 300 ack 101"),
        ("whole options", SYN, "0.1 < S. 300 ack 101 cut", "0.1 < S. 300 ack 101"),
        ("well formed", SYN, "0.1 < S. 300 ack 101 malformed", "0.1 < S. 300 ack 101"),
        ("no SACK", SYN, "0.1 < S. 300 ack 101 block 5 6", "0.1 < S. 300 ack 101"),
        ("no SYN again", SYN, "0.1 > S 100", "0.1 < S. 300 ack 101"),
        ("no answer again", ANSWERED, "0.1 < S. 300 ack 101", "0.1 > . 101 ack 301"),
        ("acks the answer", ANSWERED, "0.1 > . 101 ack 300", "0.1 > . 101 ack 301"),
        ("follows the SYN", ANSWERED, "0.1 > . 102 ack 301", "0.1 > . 101 ack 301"),
        ("the ack first", ANSWERED, "0.1 > P. 101 ack 301 len 5", "0.1 > . 101 ack 301 ts"),
        ("the ack's window", ANSWERED, "0.1 > . 101 ack 301 win 0", "0.1 > . 101 ack 301 win 1"),
        ("the ack of who opened", ANSWERED, "0.1 < . 301 ack 101", "0.1 > . 101 ack 301"),
        ("no RST", ANSWERED, "0.1 > R. 101 ack 301", "0.1 > . 101 ack 301"),
        ("next in line", OPEN, "0.1 > P. 102 ack 301 len 5", "0.1 > P. 101 ack 301 len 5"),
        ("nothing twice", DATA, "0.1 > P. 101 ack 301 len 10", "0.1 > P. 111 ack 301 len 10"),
        ("acks what was sent", DATA, "0.1 < . 301 ack 112", "0.1 < . 301 ack 111"),
        ("acks something", DATA, "0.1 < . 301 ack 101", "0.1 < . 301 ack 102"),
        ("no probe", OPEN, "0.1 > P. 101 ack 301 len 1", "0.1 > P. 101 ack 301 len 2"),
        ("little", OPEN, "0.1 > P. 101 ack 301 len 10485761", "0.1 > P. 101 ack 301 len 10485760"),
        ("open window", OPEN, "0.1 > P. 101 ack 301 len 5 win 0", "0.1 > P. 101 ack 301 len 5 win 1"),
        ("bare data", OPEN, "0.1 > P. 101 ack 301 len 5 mss 9", "0.1 > P. 101 ack 301 len 5 ts"),
        ("no SACK of data", DATA, "0.1 < . 301 ack 111 block 5 6", "0.1 < . 301 ack 111"),
        ("no FIN", OPEN, "0.1 > F. 101 ack 301", "0.1 > P. 101 ack 301 len 5"),
        ("from the SYN on", MID_STREAM, "0.1 > P. 201 ack 401 len 5", ""),
    ];

    #[test]
    fn what_goes_on_with_a_beginning() {
        check_guards(ROWS, |flow, segment, from| flow.opens_with(segment, from) || flow.goes_on_with(segment, from));
    }
}
