//! First halves of messages that go on in the next segment: few, small, and not for long.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Endpoint, Scope, Seq, Timestamp};
use crate::wire::Segment;

/// Halves kept, and bytes of all of them, at most. The oldest goes first.
const MAX_PIECES: usize = 64;
const MAX_BYTES: usize = 256 << 10;
/// The longest half that is kept: a TLS record.
const MAX_PIECE: usize = 16 << 10;
/// How long the other half may take: a retransmission or two.
const PATIENCE: Duration = Duration::from_secs(3);
/// Places of the filter before the search.
const PLACES: usize = 256;

/// The first half of a message.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    scope: Scope,
    src: Endpoint,
    dst: Endpoint,
    next: Seq,
    pub(super) since: Timestamp,
    pub(super) seq: Seq,
    pub(super) bytes: Box<[u8]>,
}

/// The halves that wait, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pieces: VecDeque<Piece>,
    held: usize,
    /// How many of them wait for a number that falls on each place, so that most segments need no search.
    places: [u8; PLACES],
    /// Halves given up before the other one came.
    pub(super) dropped: u64,
}

impl Default for Pending {
    fn default() -> Self {
        Self { pieces: VecDeque::new(), held: 0, places: [0; PLACES], dropped: 0 }
    }
}

impl Pending {
    /// Keeps the first half of a message, if all of it was captured.
    pub(super) fn keep(&mut self, segment: &Segment, payload: &[u8]) {
        let captured = payload.len() as u64 == u64::from(segment.payload_len);
        if !captured || payload.len() > MAX_PIECE || segment.flags.fin() {
            return;
        }
        let Segment { scope, src, dst, ts, .. } = *segment;
        let seq = first_byte(segment);
        let known = |piece: &Piece| (piece.scope, piece.src, piece.dst, piece.seq) == (scope, src, dst, seq);
        if self.places[place(segment.end())] > 0 && self.pieces.iter().any(known) {
            return;
        }
        self.held += payload.len();
        self.places[place(segment.end())] += 1;
        self.pieces.push_back(Piece { scope, src, dst, next: segment.end(), since: ts, seq, bytes: payload.into() });
        while self.pieces.len() > MAX_PIECES || self.held > MAX_BYTES {
            self.drop_oldest();
        }
    }

    /// Whether there may be a half that goes on with this number.
    #[inline]
    pub(super) fn may_wait_for(&self, first: Seq) -> bool {
        self.places[place(first)] > 0
    }

    /// The half that this segment continues, if any.
    pub(super) fn continued_by(&mut self, segment: &Segment) -> Option<Piece> {
        let seq = first_byte(segment);
        if !self.may_wait_for(seq) {
            return None;
        }
        while self.pieces.front().is_some_and(|oldest| segment.ts.since(oldest.since) > PATIENCE) {
            self.drop_oldest();
        }
        let Segment { scope, src, dst, .. } = *segment;
        let fits = |piece: &Piece| (piece.scope, piece.src, piece.dst, piece.next) == (scope, src, dst, seq);
        let at = self.pieces.iter().position(fits)?;
        let piece = self.pieces.remove(at)?;
        self.forget(&piece);
        Some(piece)
    }

    fn drop_oldest(&mut self) {
        if let Some(piece) = self.pieces.pop_front() {
            self.forget(&piece);
            self.dropped += 1;
        }
    }

    fn forget(&mut self, piece: &Piece) {
        self.held -= piece.bytes.len();
        self.places[place(piece.next)] -= 1;
    }
}

/// The sequence number of the first payload byte: a SYN takes one before it.
pub(super) fn first_byte(segment: &Segment) -> Seq {
    segment.seq + u32::from(segment.flags.syn())
}

fn place(seq: Seq) -> usize {
    (seq.0.wrapping_mul(0x9e37_79b9) >> 24) as usize % PLACES
}
