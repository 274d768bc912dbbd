//! Fragments → the datagram they were, bounded in memory and in the capture's time.
//!
//! Read first: RFC 791 §3.2, RFC 8200 §4.5, RFC 5722 and RFC 1858 (why overlaps are refused). etherparse's pool lets
//! the last writer of an overlap win and keeps what never completes, so this is our own. What the snap length cut
//! is missing in the datagram's bytes, not in its length.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::Undecoded;
use super::ip::{Datagram, Part};
use crate::base::{Scope, Timestamp};

/// How long a datagram may take to arrive: Linux's for IPv6 (RFC 8200 §4.5), and above its 30 s for IPv4.
const PATIENCE: Duration = Duration::from_secs(60);
/// Datagrams under way, and bytes held for them, at most. The oldest goes first.
const MAX_DATAGRAMS: usize = 1024;
const MAX_HELD: usize = 4 << 20;
/// What holding a fragment costs beside its bytes.
const PIECE_COST: usize = 64;
/// What a length field of 16 bits can tell.
const MAX_PAYLOAD: u32 = 65_535 - 20;

/// The datagrams under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    waiting: FxHashMap<Key, Waiting>,
    /// In order of their first fragment; may name some that are gone.
    order: VecDeque<(Timestamp, Key, u64)>,
    held: usize,
    begun: u64,
    now: Timestamp,
}

/// A datagram that its last fragment completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// An IP header without options or extensions, and the payload as far as it was captured.
    pub(super) bytes: Vec<u8>,
    pub(super) wire_len: u32,
    /// Fragments that waited for the last.
    pub(super) earlier: u64,
}

/// What the fragments of one datagram have in common (RFC 791: the protocol too; RFC 8200: not the protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    scope: Scope,
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: Option<u8>,
}

#[derive(Debug, Clone, Default)]
struct Waiting {
    number: u64,
    /// In order, and without overlap.
    pieces: Vec<Piece>,
    covered: u32,
    end: Option<u32>,
    /// Fragments taken, repeats too.
    frames: u64,
    held: usize,
    /// Pieces overlapped: whatever else comes of this datagram is refused.
    spoiled: bool,
}

#[derive(Debug, Clone)]
struct Piece {
    offset: u32,
    len: u32,
    bytes: Box<[u8]>,
}

impl Fragments {
    /// Takes a fragment in; gives the datagram if it is whole now.
    pub(super) fn add(
        &mut self,
        ts: Timestamp,
        scope: Scope,
        datagram: &Datagram<'_>,
        part: Part,
    ) -> Result<Whole, Undecoded> {
        self.forget_late(ts);
        let piece = check(datagram, part)?;
        let protocol = datagram.src.is_ipv4().then_some(datagram.protocol.0);
        let key = Key { scope, src: datagram.src, dst: datagram.dst, id: part.id, protocol };
        if !self.waiting.contains_key(&key) {
            self.begin(key);
        }
        let waiting = self.waiting.get_mut(&key).ok_or(Undecoded::Fragment)?;
        let held = waiting.held;
        let taken = waiting.take(piece, part.more);
        self.held = self.held + waiting.held - held;
        taken?;
        if waiting.end != Some(waiting.covered) {
            self.make_room();
            return Err(Undecoded::Fragment);
        }
        let whole = waiting.join(datagram);
        self.remove(&key);
        Ok(whole)
    }

    fn begin(&mut self, key: Key) {
        self.begun += 1;
        self.waiting.insert(key, Waiting { number: self.begun, ..Waiting::default() });
        self.order.push_back((self.now, key, self.begun));
    }

    fn forget_late(&mut self, ts: Timestamp) {
        self.now = self.now.max(ts);
        while let Some((began, ..)) = self.order.front()
            && self.now.since(*began) > PATIENCE
        {
            self.forget_oldest();
        }
    }

    fn make_room(&mut self) {
        while self.waiting.len() > MAX_DATAGRAMS || self.held > MAX_HELD || self.order.len() > 2 * MAX_DATAGRAMS {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, key, number)) = self.order.pop_front() else { return };
        if self.waiting.get(&key).is_some_and(|waiting| waiting.number == number) {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(gone) = self.waiting.remove(key) {
            self.held -= gone.held;
        }
    }
}

/// A fragment whose place and length are possible.
fn check(datagram: &Datagram<'_>, part: Part) -> Result<Piece, Undecoded> {
    let len = datagram.payload.wire_len;
    let end = part.offset.checked_add(len).filter(|end| *end <= MAX_PAYLOAD);
    let ragged = part.more && !len.is_multiple_of(8);
    if end.is_none() || ragged || len == 0 {
        return Err(Undecoded::Ip);
    }
    Ok(Piece { offset: part.offset, len, bytes: datagram.payload.bytes.into() })
}

impl Waiting {
    fn take(&mut self, piece: Piece, more: bool) -> Result<(), Undecoded> {
        self.frames += 1;
        let end = piece.offset + piece.len;
        let at = self.pieces.partition_point(|known| known.offset < piece.offset);
        if self.pieces.get(at).is_some_and(|known| known.is_repeated_by(&piece)) && !self.spoiled {
            return Ok(());
        }
        let into_next = self.pieces.get(at).is_some_and(|next| next.offset < end);
        let into_previous = at > 0 && self.pieces[at - 1].end() > piece.offset;
        let last = self.pieces.last().map_or(end, |last| last.end().max(end));
        let past_end = self.end.is_some_and(|known| last > known || !more) || (!more && last > end);
        if into_next || into_previous || past_end || self.spoiled {
            *self = Self { number: self.number, spoiled: true, ..Self::default() };
            return Err(Undecoded::Overlap);
        }
        if !more {
            self.end = Some(end);
        }
        self.covered += piece.len;
        self.held += piece.bytes.len() + PIECE_COST;
        self.pieces.insert(at, piece);
        Ok(())
    }

    /// The datagram: a header made from `last`'s, and the payload up to where something was not captured.
    fn join(&self, last: &Datagram<'_>) -> Whole {
        let mut payload = Vec::new();
        for piece in &self.pieces {
            payload.extend_from_slice(&piece.bytes);
            if piece.bytes.len() < piece.len as usize {
                break;
            }
        }
        let header = header(last, self.covered);
        let wire_len = self.covered + header.len() as u32;
        Whole { bytes: [header, payload].concat(), wire_len, earlier: self.frames - 1 }
    }
}

impl Piece {
    const fn end(&self) -> u32 {
        self.offset + self.len
    }

    /// The same fragment once more: of what both captured, every byte is equal.
    fn is_repeated_by(&self, other: &Self) -> bool {
        let both = self.bytes.len().min(other.bytes.len());
        (self.offset, self.len) == (other.offset, other.len) && self.bytes[..both] == other.bytes[..both]
    }
}

/// An IP header for a payload of `len` bytes, with what `of` tells; `len` is at most [`MAX_PAYLOAD`].
fn header(of: &Datagram<'_>, len: u32) -> Vec<u8> {
    let len = len as u16;
    match (of.src, of.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let total = (len + 20).to_be_bytes();
            let fixed = [0x45, 0, total[0], total[1], 0, 0, 0, 0, of.ttl, of.protocol.0, 0, 0];
            [&fixed[..], &src.octets(), &dst.octets()].concat()
        }
        (src, dst) => {
            let octets = |ip: IpAddr| match ip {
                IpAddr::V6(ip) => ip.octets(),
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            };
            let payload = len.to_be_bytes();
            let fixed = [0x60, 0, 0, 0, payload[0], payload[1], of.protocol.0, of.ttl];
            [&fixed[..], &octets(src), &octets(dst)].concat()
        }
    }
}
