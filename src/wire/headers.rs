//! How much of a frame is headers: what a recording keeps of it where payloads are nobody's business.
//!
//! Read first: RFC 9293 §3.1, RFC 792 (what an error quotes), RFC 791 §3.2 (what a fragment begins with).

use etherparse::ip_number;

use super::Frame;
use super::decoder::{Found, follow};
use super::ip::{self, Datagram};
use super::link::{self, Header, Layer};
use super::route::Route;
use super::span::Span;

/// UDP's header, ICMP's, GRE's shortest with a key: what is kept behind an IP header whatever follows it.
const SHORT: usize = 8;
/// TCP's header without options: of a quoted segment, what is read.
const FIXED: usize = 20;
/// Kept of a frame in which no IP header could be read.
const UNREAD: usize = 64;

impl Frame<'_> {
    /// Where `part` begins in the captured bytes; `None` of bytes that are not among them (a datagram that was joined
    /// from fragments).
    pub fn place_of(&self, part: &[u8]) -> Option<usize> {
        let at = part.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?;
        (at + part.len() <= self.bytes.len()).then_some(at)
    }

    /// Bytes from the frame's start to the end of its transport header, as far as they were captured: TCP with its
    /// options, UDP, an ICMP error with the headers that it quotes. Of a fragment, the header that it holds.
    pub fn headers_len(&self) -> usize {
        self.end_of_headers().unwrap_or(UNREAD).min(self.bytes.len())
    }

    fn end_of_headers(&self) -> Option<usize> {
        let layer = Layer::new(Header::Link(self.link), Span::new(self.bytes, self.len));
        let (payload, behind) = match follow(layer, &mut Route::default()) {
            Ok(Found::Tcp(datagram)) => (datagram.payload, tcp(&datagram)),
            Ok(Found::Icmp(datagram)) => icmp(&datagram),
            Ok(Found::Dns(datagram)) => (datagram.payload, SHORT),
            Ok(Found::Fragment(datagram, part)) => {
                let first = if datagram.protocol == ip_number::TCP { tcp(&datagram) } else { SHORT };
                (datagram.payload, if part.offset == 0 { first } else { 0 })
            }
            Err(_) => {
                let span = link::network(layer, &mut Route::default()).ok()?;
                (ip::slice(span).ok()?.payload, SHORT)
            }
        };
        Some(self.place_of(payload.bytes)? + behind)
    }
}

fn tcp(datagram: &Datagram<'_>) -> usize {
    datagram.payload.bytes.get(12).map_or(usize::MAX >> 1, |offset| usize::from(offset >> 4) * 4)
}

/// What an ICMP message carries, and how much of that is headers: of an error, those that it quotes.
fn icmp<'a>(datagram: &Datagram<'a>) -> (Span<'a>, usize) {
    match datagram.payload.skip(SHORT).map(ip::slice) {
        Some(Ok(inner)) => (inner.payload, if inner.protocol == ip_number::TCP { FIXED } else { SHORT }),
        _ => (datagram.payload, SHORT),
    }
}
