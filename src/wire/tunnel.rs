//! Tunnels that an IP protocol number announces: IP in IP of all four kinds (6to4 is one), GRE, ERSPAN, EtherIP, MPLS
//! in IP; and UDP's, which ports announce.
//!
//! Read first: RFC 2003, RFC 2473, RFC 4213 (IP in IP), RFC 2784, RFC 2890, RFC 2637 §4.1 (GRE), RFC 3378 (EtherIP),
//! draft-foschiano-erspan-03.

use etherparse::{IpNumber, ip_number};

use super::link::{Header, Layer, Wifi};
use super::route::{Route, TunnelKind};
use super::span::Span;
use super::{Stop, Undecoded, udp_tunnel};

/// What follows an IP header that announced `protocol`, if it can lead to TCP.
pub(super) fn behind<'a>(protocol: IpNumber, span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const ETHER_IP: IpNumber = IpNumber(97);
    const MPLS_IN_IP: IpNumber = IpNumber(137);
    /// RFC 8986 §4.9.
    const ETHERNET: IpNumber = IpNumber(143);
    match protocol {
        ip_number::UDP => udp_tunnel::behind(span, route),
        ip_number::IPV4 | ip_number::IPV6 => {
            route.through(TunnelKind::IpInIp, None);
            Ok(Layer::new(Header::Ip, span))
        }
        ip_number::GRE => gre(span, route),
        ETHER_IP => {
            let (_version, rest) = cut(span.header::<2>())?;
            route.through(TunnelKind::EtherIp, None);
            Ok(Layer::new(Header::Ethernet, rest))
        }
        MPLS_IN_IP => Ok(Layer::new(Header::Mpls, span)),
        ETHERNET => Ok(Layer::new(Header::Ethernet, span)),
        _ => Err(Stop::NotTcp),
    }
}

/// A tunnel's header that was not captured whole.
pub(super) fn cut<T>(read: Option<T>) -> Result<T, Stop> {
    read.ok_or(Stop::Undecoded(Undecoded::Tunnel))
}

/// What of a GRE header tells what is behind it.
struct Gre<'a> {
    protocol: u16,
    key: Option<u32>,
    is_numbered: bool,
    rest: Span<'a>,
}

/// Reads a GRE header, whose flags tell which optional fields there are.
fn gre_header(span: Span<'_>) -> Result<Gre<'_>, Stop> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    const VERSION: u16 = 0x0007;

    let (flags, protocol) = (cut(span.u16(0))?, cut(span.u16(2))?);
    let has = |flag: u16| flags & flag != 0;
    let version = flags & VERSION;
    if version > 1 {
        return Err(Undecoded::Tunnel.into());
    }
    let mut at = 4;
    at += if has(CHECKSUM | ROUTING) { 4 } else { 0 };
    let key = if has(KEY) { Some(cut(span.u32(at))?) } else { None };
    at += if has(KEY) { 4 } else { 0 };
    at += if has(SEQUENCE) { 4 } else { 0 };
    at += if version == 1 && has(ACKNOWLEDGMENT) { 4 } else { 0 };
    let mut rest = cut(span.skip(at))?;
    if version == 0 && has(ROUTING) {
        rest = behind_routing(rest)?;
    }
    Ok(Gre { protocol, key, is_numbered: has(SEQUENCE), rest })
}

/// GRE: the protocol is an ether type.
pub(super) fn gre<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const ERSPAN: u16 = 0x88be;
    const ERSPAN_III: u16 = 0x22eb;
    const WCCP: u16 = 0x883e;

    let Gre { protocol, key, is_numbered, rest } = gre_header(span)?;
    match protocol {
        ERSPAN if is_numbered => return erspan_ii(rest, route),
        ERSPAN => {
            route.through(TunnelKind::Erspan, None);
            return Ok(Layer::new(Header::Ethernet, rest));
        }
        ERSPAN_III => return erspan_iii(rest, route),
        _ => {}
    }
    route.through(TunnelKind::Gre, key);
    // WCCP's redirect header of four bytes is left out by its first version, which IP's own version shows.
    let is_ip = |span: Span<'_>| span.u8(0).is_some_and(|first| first >> 4 == 4);
    match protocol {
        aruba if (0x8200..=0x8370).contains(&aruba) && aruba & 0xf == 0 => {
            Ok(Layer::new(Header::Wifi(Wifi::Plain), rest))
        }
        WCCP => Ok(Layer::new(Header::Ip, if is_ip(rest) { rest } else { cut(rest.skip(4))? })),
        protocol => Ok(Layer::new(Header::EtherType(protocol), rest)),
    }
}

/// Source route entries (RFC 1701): family, offset, length, the route; one of no family and no length ends them.
fn behind_routing(mut span: Span<'_>) -> Result<Span<'_>, Stop> {
    loop {
        let ([high, low, _offset, len], rest) = cut(span.header::<4>())?;
        span = cut(rest.skip(len.into()))?;
        if [high, low, len] == [0, 0, 0] {
            return Ok(span);
        }
    }
}

/// Type II: eight bytes, the session in the low ten bits of the first four.
fn erspan_ii<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (_, rest) = cut(span.header::<8>())?;
    let first = cut(span.u32(0))?;
    if first >> 28 != 1 {
        return Err(Undecoded::Tunnel.into());
    }
    route.through(TunnelKind::Erspan, Some(first & 0x3ff));
    Ok(Layer::new(Header::Ethernet, rest))
}

/// Type III: twelve bytes, eight more if the last bit says so; the frame's type tells Ethernet from IP.
fn erspan_iii<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (header, mut rest) = cut(span.header::<12>())?;
    let first = cut(span.u32(0))?;
    if first >> 28 != 2 {
        return Err(Undecoded::Tunnel.into());
    }
    route.through(TunnelKind::Erspan, Some(first & 0x3ff));
    if header[11] & 1 != 0 {
        rest = cut(rest.skip(8))?;
    }
    match (header[10] >> 2) & 0x1f {
        0 => Ok(Layer::new(Header::Ethernet, rest)),
        2 => Ok(Layer::new(Header::Ip, rest)),
        _ => Err(Stop::NotTcp),
    }
}
