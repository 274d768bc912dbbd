//! How much of a frame is headers: what a recording keeps of it where payloads are nobody's business.
//!
//! Read first: RFC 9293 §3.1, RFC 792 (what an error quotes), RFC 791 §3.2 (what a fragment begins with).

use etherparse::ip_number;

use super::ip::{self, Datagram};
use super::link::{self, Header, Layer};
use super::route::Route;
use super::span::Span;
use super::{Frame, LinkType, tunnel};

/// TCP's header without options, UDP's, and ICMP's.
const TCP: usize = 20;
const UDP: usize = 8;
const ICMP: usize = 8;

impl Frame<'_> {
    /// Captured bytes from the frame's start to the end of its last header: of its link, of tunnels, of IP, and of the
    /// TCP (with its options) or UDP behind them; of an ICMP error those that it quotes; of a fragment those that it
    /// holds. Of a frame that leads elsewhere those that were read, which may be none.
    pub fn headers_len(&self) -> usize {
        let mut route = Route::default();
        let mut layer = Layer::new(Header::Link(self.link), Span::new(self.bytes, self.len));
        let mut read = 0;
        loop {
            let Ok(datagram) = link::network(layer, &mut route).and_then(ip::slice) else { return read };
            let payload = datagram.payload;
            read = place(self.bytes, payload.bytes).unwrap_or(read) + of_transport(&datagram);
            if datagram.part.is_some() || route.deeper().is_err() {
                return read;
            }
            match tunnel::behind(datagram.protocol, payload, &mut route) {
                Ok(behind) => layer = behind,
                Err(_) => return read,
            }
        }
    }

    /// [`Self::headers_len`] by the short way: of TCP in an IP header of the usual length behind Ethernet, or in a
    /// cooked frame (LINUX_SLL2), captured to its end. Of such a frame all that a segment tells, but for what its
    /// payload shows, stands in these bytes and the frame's length.
    pub fn plain_headers_len(&self) -> Option<usize> {
        let (kind_at, link) = match self.link {
            LinkType::ETHERNET => (12, 14),
            LinkType::LINUX_SLL2 => (0, 20),
            _ => return None,
        };
        let kind = self.bytes.get(kind_at..kind_at + 2)?;
        let ip = self.bytes.get(link..)?;
        let two = |at: usize| ip.get(at..at + 2).map(|bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
        let (header, len) = match (kind, *ip.first()?) {
            ([8, 0], 0x45) if ip.get(9) == Some(&6) && two(6)? & 0x3fff == 0 => (20, two(2)?),
            ([0x86, 0xdd], 0x60..=0x6f) if ip.get(6) == Some(&6) => (40, 40 + two(4)?),
            _ => return None,
        };
        let headers = header + usize::from(ip.get(header + 12)? >> 4) * 4;
        let is_whole = headers >= header + TCP && headers <= len && link + headers <= self.bytes.len();
        is_whole.then_some(link + headers)
    }
}

/// Captured bytes of the header that a datagram's payload begins with.
fn of_transport(datagram: &Datagram<'_>) -> usize {
    if datagram.part.is_some_and(|part| part.offset > 0) {
        return 0;
    }
    let payload = datagram.payload;
    let len = match datagram.protocol {
        ip_number::TCP => payload.u8(12).map_or(TCP, |offset| (usize::from(offset >> 4) * 4).max(TCP)),
        ip_number::UDP => UDP,
        ip_number::ICMP if matches!(payload.u8(0), Some(3 | 11 | 12)) => ICMP + quoted(payload),
        ip_number::IPV6_ICMP if matches!(payload.u8(0), Some(1..=4)) => ICMP + quoted(payload),
        ip_number::ICMP | ip_number::IPV6_ICMP => ICMP,
        _ => 0,
    };
    len.min(payload.bytes.len())
}

/// Headers of the datagram that an ICMP error quotes.
fn quoted(icmp: Span<'_>) -> usize {
    let Some(quoted) = icmp.skip(ICMP) else { return 0 };
    let Ok(datagram) = ip::slice(quoted) else { return 0 };
    let headers = place(quoted.bytes, datagram.payload.bytes).unwrap_or(0);
    let transport = match datagram.protocol {
        ip_number::ICMP | ip_number::IPV6_ICMP => ICMP.min(datagram.payload.bytes.len()),
        _ => of_transport(&datagram),
    };
    headers + transport
}

/// Where a part of captured bytes begins among them; `None` of bytes that are not (a datagram that was joined from
/// fragments).
pub(super) fn place(whole: &[u8], part: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (at + part.len() <= whole.len()).then_some(at)
}
