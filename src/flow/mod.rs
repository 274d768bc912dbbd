//! Segments → what each endpoint's TCP must be doing.
//!
//! May touch `base` and `wire::Segment`; no kernel, no bytes, no text, no clock but the segments'. Each half (one
//! direction's sender) has its own RFC 9293 state, driven by sequence numbers and flags. The observer is not an
//! endpoint: what it did not see it says, and what an endpoint would not believe it does not believe (RFC 5961).
//! Read first: RFC 9293 §3.3.2, §3.6, §3.10; RFC 5961 §3–5; RFC 6191.

mod view;

pub use view::{
    Class, Completeness, HalfView, HandshakeOutcome, HandshakeView, LifeEvent, LifeEventKind, Negotiated, Side,
};

use crate::base::{TcpState, Timestamp};
use crate::wire::Segment;

/// One incarnation of a 4-tuple, as the wire shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    first: Timestamp,
    last: Timestamp,
}

impl Flow {
    /// Which side sent the first segment of a new flow: the responder if it is a SYN-ACK, else the originator.
    pub fn side_of_first(segment: &Segment) -> Side {
        if segment.flags.syn_ack() { Side::Resp } else { Side::Orig }
    }

    /// A flow that begins with this segment.
    pub fn new(segment: &Segment, _from: Side) -> Self {
        Self { first: segment.ts, last: segment.ts }
    }

    /// Whether `segment`, sent by `from`, begins a new incarnation of the tuple (a SYN with another ISS).
    pub fn is_replaced_by(&self, _segment: &Segment, _from: Side) -> bool {
        false
    }

    /// Whether `segment` fits this flow's numbers although a newer incarnation of the tuple exists (the answer to a
    /// SYN that the endpoint did not believe: RFC 5961 §4).
    pub fn still_owns(&self, _segment: &Segment, _from: Side) -> bool {
        false
    }

    /// Takes in a segment sent by `from`. The caller has fired every deadline up to its time.
    pub fn feed(&mut self, segment: &Segment, _from: Side) {
        self.last = self.last.max(segment.ts);
    }

    /// When something happens without a segment: TIME-WAIT's end, a handshake given up.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    pub fn supersede(&mut self, _at: Timestamp) {}

    /// Fires the deadlines that are due at `now`.
    pub fn expire(&mut self, _now: Timestamp) {}

    /// The inferred state of the endpoint on `side`; `None` where nothing shows it (one direction only).
    pub fn state(&self, _side: Side) -> Option<TcpState> {
        None
    }

    /// Since when both inferred states are what they are.
    pub fn state_since(&self) -> Timestamp {
        self.first
    }

    /// How the handshake went so far.
    pub fn outcome(&self) -> HandshakeOutcome {
        HandshakeOutcome::Partial
    }

    /// When the outcome was concluded; `None` while it waits (and for a partial flow).
    pub fn concluded_at(&self) -> Option<Timestamp> {
        None
    }

    /// For eviction: what kind of flow this is now.
    pub fn class(&self) -> Class {
        Class::Live
    }

    /// The side that sent the first captured segment.
    pub fn first_from(&self) -> Side {
        Side::Orig
    }

    /// Time of the first and of the latest segment.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.first, self.last)
    }

    /// Segments and payload bytes sent by `side`.
    pub fn sent(&self, _side: Side) -> (u64, u64) {
        (0, 0)
    }

    /// Bytes that `side` sent and its peer has not acknowledged.
    pub fn unacked(&self, _side: Side) -> u32 {
        0
    }

    /// Since when `side` has advertised a window of 0.
    pub fn zero_window_since(&self, _side: Side) -> Option<Timestamp> {
        None
    }

    /// The handshake in full.
    pub fn handshake(&self) -> HandshakeView {
        HandshakeView::default()
    }

    /// What is known of the half whose sender is `side`.
    pub fn half(&self, _side: Side) -> HalfView {
        HalfView::default()
    }

    /// Wireshark's completeness mask.
    pub fn completeness(&self) -> Completeness {
        Completeness::default()
    }

    /// The landmarks of its life, in order of time.
    pub fn life(&self) -> Vec<LifeEvent> {
        Vec::new()
    }
}
