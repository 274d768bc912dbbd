//! What the flow room tells: plain values for screens and reports.

use std::time::Duration;

use crate::base::{Seq, TcpState, Timestamp};

/// One end of a flow: the sender of the SYN, or its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Orig,
    Resp,
}

impl Side {
    /// Both, originator first.
    pub const BOTH: [Self; 2] = [Self::Orig, Self::Resp];

    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }

    /// 0 for the originator, 1 for the responder.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// `orig` or `resp`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orig => "orig",
            Self::Resp => "resp",
        }
    }
}

/// How a handshake went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum HandshakeOutcome {
    /// Under way: a SYN or SYN-ACK waits for its answer, and not yet for too long.
    Waiting,
    /// SYN, SYN-ACK, ACK.
    Completed,
    /// Both ends sent a SYN to each other and both were acknowledged (RFC 9293 §3.5, figure 7).
    Simultaneous,
    /// The SYN was answered by a RST that acknowledges it.
    Refused,
    /// An ICMP error about the very SYN said that it cannot be delivered, and no answer came.
    Rejected,
    /// No answer to the SYN or any of its retries, and the next retry is overdue or the originator's socket is gone.
    /// Which of the two ended it, its process or its kernel, is not known.
    Unanswered,
    /// No answer so far, and the originator's socket is gone before its timer ran out: its process let go.
    GivenUp,
    /// SYN-ACK seen, the ACK that completes it overdue.
    HalfOpen,
    /// A RST after the SYN-ACK, or from the originator, before it completed.
    Reset,
    /// First seen mid-stream: the handshake was not captured.
    #[default]
    Partial,
}

impl HandshakeOutcome {
    /// The outcomes that conclude a handshake that was seen, in the order screens list them.
    pub const CONCLUDED: [Self; 8] = [
        Self::Completed,
        Self::Simultaneous,
        Self::Refused,
        Self::Rejected,
        Self::Unanswered,
        Self::GivenUp,
        Self::HalfOpen,
        Self::Reset,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Simultaneous => "simultaneous",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Unanswered => "unanswered",
            Self::GivenUp => "given up",
            Self::HalfOpen => "half-open",
            Self::Reset => "reset",
            Self::Partial => "partial",
        }
    }

    /// Whether the connection was opened, one way or the other.
    pub const fn is_completed(self) -> bool {
        matches!(self, Self::Completed | Self::Simultaneous)
    }

    /// Whether a handshake was seen to go wrong.
    pub const fn is_failure(self) -> bool {
        self.is_silence() || matches!(self, Self::Refused | Self::HalfOpen | Self::Reset)
    }

    /// Whether the SYN was never answered by the end that it was sent to, and nobody tries any more.
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Rejected | Self::Unanswered | Self::GivenUp)
    }
}

/// What is to be thrown out first when the table is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Each end that is seen has closed (by FINs, reset, refused, given up); TIME-WAIT may go on.
    Closed,
    /// Its handshake is not complete, and somebody may still try.
    HalfOpen,
    /// All others.
    Live,
}

/// Wireshark's tcp.completeness: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Completeness(pub u8);

/// A handshake in full. Times are absent where their segments were not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandshakeView {
    pub outcome: HandshakeOutcome,
    /// The first SYN.
    pub syn_at: Option<Timestamp>,
    pub syn_ack_at: Option<Timestamp>,
    /// The ACK that completed it.
    pub ack_at: Option<Timestamp>,
    /// SYNs sent again, SYN-ACKs sent again.
    pub syn_retries: u32,
    pub syn_ack_retries: u32,
    /// From the last SYN before it to the SYN-ACK: the network beyond the capture point, and the responder.
    pub syn_to_syn_ack: Option<Duration>,
    /// From the last SYN-ACK to the ACK: the originator's side of the capture point.
    pub syn_ack_to_ack: Option<Duration>,
    /// The two together, of segments that were sent once only (Karn's rule); absent after retries.
    pub rtt: Option<Duration>,
    /// From the first SYN to the ACK (what connect() took), retries included; absent if no SYN-ACK was seen between.
    pub connect_time: Option<Duration>,
    /// What each end offered, originator first; absent if its SYN was not seen.
    pub offered: [Option<Negotiated>; 2],
}

impl HandshakeView {
    /// Whether a SYN-ACK came, or the handshake was completed behind one that was not captured.
    pub const fn is_answered(&self) -> bool {
        self.syn_ack_at.is_some() || self.outcome.is_completed()
    }
}

/// What a SYN offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Negotiated {
    pub mss: Option<u16>,
    pub wscale: Option<u8>,
    pub sack: bool,
    pub timestamps: bool,
    pub fast_open: bool,
    pub mptcp: bool,
    /// The snap length cut the options: what is absent may have been offered.
    pub cut: bool,
}

/// One half: what its sender sent, and what its peer acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HalfView {
    pub state: Option<TcpState>,
    pub segments: u64,
    pub payload_bytes: u64,
    /// ISS, where the SYN was seen or the handshake's ACK tells it.
    pub iss: Option<Seq>,
    /// SND.UNA: the oldest number not acknowledged by the peer.
    pub una: Option<Seq>,
    /// SND.NXT: the next number to be sent, as far as captured.
    pub nxt: Option<Seq>,
    /// The window it last advertised, as on the wire.
    pub window_raw: Option<u16>,
    /// The same in bytes, where the scale is known (or the raw value is 0).
    pub window: Option<u32>,
    pub zero_window_since: Option<Timestamp>,
    /// FINs and RSTs it sent, repeats included. These counts and the next two stop at 65,535.
    pub fins: u32,
    pub rsts: u32,
    /// SYNs without and with ACK that it sent, repeats included.
    pub syns: u32,
    pub syn_acks: u32,
}

/// A landmark in the life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeEvent {
    pub ts: Timestamp,
    /// Who sent the segment, or whose timer ran out; of [`LifeEventKind::FinAcked`], whose FIN it was.
    pub side: Side,
    pub kind: LifeEventKind,
}

/// Which landmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LifeEventKind {
    /// The first SYN; the last of its retries (with their number).
    Syn,
    SynRetry(u32),
    SynAck,
    SynAckRetry(u32),
    /// The ACK that completed the handshake.
    HandshakeAck,
    /// The first captured segment of a flow whose handshake was not.
    FirstSeen,
    FirstData,
    LastData,
    ZeroWindow,
    Fin,
    /// The peer acknowledged this side's FIN.
    FinAcked,
    Rst,
    /// This side entered TIME-WAIT; it ended.
    TimeWait,
    TimeWaitOver,
    /// Of the originator: nobody tries any more, its SYN was not answered. Of the responder: the ACK of its SYN-ACK is
    /// overdue, which it may yet send again.
    TimedOut,
}
