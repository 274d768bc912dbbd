//! How much of a frame is headers: where what it carries begins.
//!
//! Follows the very headers that [`super::Decoder`] follows, but takes no fragments together.

use etherparse::ip_number;

use super::ip::{self, Datagram};
use super::link::{self, Header, Layer};
use super::route::Route;
use super::span::Span;
use super::{Frame, tunnel};

const TCP: usize = 20;
const UDP: usize = 8;
const ICMP: usize = 8;

/// How many captured bytes of a frame are headers: of its link, of tunnels, of IP, and of the TCP or UDP behind them
/// (of an ICMP error what it quotes of those). Of a frame that leads elsewhere, those as far as they were read.
pub fn headers(frame: &Frame<'_>) -> usize {
    if let Some(len) = plain(frame) {
        return len;
    }
    let mut route = Route::default();
    let mut layer = Layer::new(Header::Link(frame.link), Span::new(frame.bytes, frame.len));
    let mut read = 0;
    loop {
        let Ok(datagram) = link::network(layer, &mut route).and_then(ip::slice) else { return read };
        let payload = datagram.payload;
        read = place(frame.bytes, payload.bytes) + of_transport(&datagram);
        if datagram.part.is_some() || route.deeper().is_err() {
            return read;
        }
        match tunnel::behind(datagram.protocol, payload, &mut route) {
            Ok(behind) => layer = behind,
            Err(_) => return read,
        }
    }
}

/// The short way: TCP in an IP header of the usual length behind Ethernet, or in a cooked frame (LINUX_SLL2).
fn plain(frame: &Frame<'_>) -> Option<usize> {
    let (kind_at, link) = match frame.link.0 {
        1 => (12, 14),
        276 => (0, 20),
        _ => return None,
    };
    let kind = frame.bytes.get(kind_at..kind_at + 2)?;
    let ip = frame.bytes.get(link..)?;
    let two = |at: usize| ip.get(at..at + 2).map(|bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
    let (header, len) = match (kind, *ip.first()?) {
        ([8, 0], 0x45) if ip.get(9) == Some(&6) && two(6)? & 0x3fff == 0 => (20, two(2)?),
        ([0x86, 0xdd], 0x60..=0x6f) if ip.get(6) == Some(&6) => (40, 40 + two(4)?),
        _ => return None,
    };
    let headers = header + usize::from(ip.get(header + 12)? >> 4) * 4;
    (headers >= header + TCP && headers <= len).then(|| (link + headers).min(frame.bytes.len()))
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
    let Some(Ok(datagram)) = icmp.skip(ICMP).map(ip::slice) else { return 0 };
    let headers = place(icmp.bytes, datagram.payload.bytes).saturating_sub(ICMP);
    let transport = match datagram.protocol {
        ip_number::ICMP | ip_number::IPV6_ICMP => ICMP.min(datagram.payload.bytes.len()),
        _ => of_transport(&datagram),
    };
    headers + transport
}

/// Where `part` begins in `whole`, which it is a part of.
fn place(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}
