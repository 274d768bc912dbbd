//! The beginning of most flows: SYN, SYN-ACK, ACK, then what is next in line. Who takes in segments later, all of them
//! together, need not know the flow as it was before each: where both ends stood then, the beginning itself tells.
//!
//! May touch `base` and `wire::Segment`. Nothing irregular is seen in a beginning: no number is skipped or comes again,
//! none is acknowledged that was not sent, no end says again what it said, and no window is 0.

use super::plain::is_text;
use super::run::LITTLE;
use super::timing::Starts;
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
    nxt: [Option<Seq>; 2],
    una: [Option<Seq>; 2],
    last: Timestamp,
}

impl Beginning {
    /// Before the first.
    pub const NONE: Self = Self { nxt: [None; 2], una: [None; 2], last: Timestamp::MIN };

    /// After one more.
    pub fn pass(&mut self, brief: &Brief) {
        let (from, to) = (brief.from().index(), brief.from().peer().index());
        self.nxt[from] = Some(brief.end());
        if brief.flags().ack() {
            self.una[to] = Some(brief.ack);
        }
        self.last = self.last.max(brief.ts);
    }

    /// What times begin from, if data comes next; `flow` has taken in the handshake at least.
    pub fn starts(&self, flow: &Flow) -> Starts {
        Starts::of_beginning(flow, self.nxt, self.una, self.last)
    }
}
