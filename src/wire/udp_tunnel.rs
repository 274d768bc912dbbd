//! Tunnels in UDP, known by their port and then by their own header, so that a client's port met by chance is none:
//! VXLAN and VXLAN-GPE, Geneve, GTP-U, Teredo, L2TP, GRE and MPLS in UDP, AYIYA, LISP, CAPWAP, TZSP.
//!
//! Read first: RFC 7348, draft-ietf-nvo3-vxlan-gpe-12, RFC 8926, 3GPP TS 29.281 §5, RFC 4380 §5.1.1, RFC 2661 §3.1,
//! RFC 8086, RFC 7510, draft-massar-v6ops-ayiya-02, RFC 9300 §5.3, RFC 5415 §4.3.

use super::link::{Header, Layer, Wifi};
use super::route::{Route, TunnelKind};
use super::span::Span;
use super::tunnel::{cut, gre};
use super::{Stop, Undecoded};

/// What follows a UDP header, if its ports are a tunnel's; the destination's is asked first.
pub(super) fn behind<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let ([a, b, c, d, ..], payload) = span.header::<8>().ok_or(Stop::NotTcp)?;
    for port in [u16::from_be_bytes([c, d]), u16::from_be_bytes([a, b])] {
        let layer = match port {
            // 8472 is what Linux took before the port was assigned; overlay networks still do.
            4789 | 8472 => vxlan(payload, route),
            4790 => vxlan_gpe(payload, route),
            6081 => geneve(payload, route),
            2152 => gtp_u(payload, route),
            3544 => teredo(payload, route),
            1701 => l2tp(payload, route),
            4754 => gre(payload, route),
            5072 => ayiya(payload, route),
            4341 => lisp(payload, route),
            5247 => capwap(payload, route),
            37008 => tzsp(payload, route),
            6635 => Ok(Layer::new(Header::Mpls, payload)),
            _ => continue,
        };
        return layer;
    }
    Err(Stop::NotTcp)
}

/// Flags of which only "instance" may be set (others mark extensions of it), 24 bits of VNI.
fn vxlan<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const INSTANCE: u8 = 0x08;
    let (header, rest) = cut(span.header::<8>())?;
    if header[0] & INSTANCE == 0 {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::Vxlan, Some(u32::from_be_bytes([0, header[4], header[5], header[6]])));
    Ok(Layer::new(Header::Ethernet, rest))
}

fn vxlan_gpe<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const INSTANCE: u8 = 0x08;
    const NEXT_PROTOCOL: u8 = 0x04;
    let (header, rest) = cut(span.header::<8>())?;
    if header[0] & INSTANCE == 0 {
        return Err(Stop::NotTcp);
    }
    let next = match (header[0] & NEXT_PROTOCOL != 0, header[3]) {
        (false, _) | (true, 3) => Header::Ethernet,
        (true, 1 | 2) => Header::Ip,
        (true, 4) => Header::Nsh,
        (true, 5) => Header::Mpls,
        _ => return Err(Stop::NotTcp),
    };
    route.through(TunnelKind::Vxlan, Some(u32::from_be_bytes([0, header[4], header[5], header[6]])));
    Ok(Layer::new(next, rest))
}

/// Version 0, the options' length in units of 4 bytes, an ether type, 24 bits of VNI.
fn geneve<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (header, rest) = cut(span.header::<8>())?;
    if header[0] >> 6 != 0 {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::Geneve, Some(u32::from_be_bytes([0, header[4], header[5], header[6]])));
    let kind = u16::from_be_bytes([header[2], header[3]]);
    Ok(Layer::new(Header::EtherType(kind), cut(rest.skip(4 * usize::from(header[0] & 0x3f)))?))
}

/// A G-PDU of version 1, behind whatever extension headers.
fn gtp_u<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const VERSION_1: u8 = 0x30;
    const G_PDU: u8 = 0xff;
    const EXTENSION: u8 = 0x04;
    const OPTIONAL: u8 = 0x07;
    let (header, mut rest) = cut(span.header::<8>())?;
    if header[0] & 0xf0 != VERSION_1 || header[1] != G_PDU {
        return Err(Stop::NotTcp);
    }
    if header[0] & OPTIONAL != 0 {
        let ([_, _, _, mut next], behind) = cut(rest.header::<4>())?;
        rest = behind;
        while header[0] & EXTENSION != 0 && next != 0 {
            // In units of 4 bytes; the last byte tells what is next.
            let len = usize::from(cut(rest.u8(0))?) * 4;
            next = cut(len.checked_sub(1).and_then(|last| rest.u8(last)))?;
            rest = cut(rest.skip(len))?;
        }
    }
    if !matches!(cut(rest.u8(0))? >> 4, 4 | 6) {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::GtpU, Some(u32::from_be_bytes([header[4], header[5], header[6], header[7]])));
    Ok(Layer::new(Header::Ip, rest))
}

/// IPv6, behind an authentication header and an origin indication where they are there.
fn teredo<'a>(mut span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    if let [0, 1, client, auth, ..] = *span.bytes {
        span = cut(span.skip(4 + usize::from(client) + usize::from(auth) + 9))?;
    }
    if span.bytes.starts_with(&[0, 0]) {
        span = cut(span.skip(8))?;
    }
    if span.u8(0).is_none_or(|first| first >> 4 != 6) {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::Teredo, None);
    Ok(Layer::new(Header::Ip, span))
}

/// A data message of version 2, which carries PPP.
fn l2tp<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    let flags = cut(span.u16(0))?;
    if flags & CONTROL != 0 || flags & 0x000f != 2 {
        return Err(Stop::NotTcp);
    }
    let ids = if flags & LENGTH != 0 { 4 } else { 2 };
    let id = cut(span.u32(ids))?;
    let mut at = ids + 4 + if flags & SEQUENCE != 0 { 4 } else { 0 };
    if flags & OFFSET != 0 {
        at += 2 + usize::from(cut(span.u16(at))?);
    }
    route.through(TunnelKind::L2tp, Some(id));
    Ok(Layer::new(Header::Ppp, cut(span.skip(at))?))
}

/// Lengths of identity (a power of 2) and signature (units of 4 bytes), an operation, then IPv6 or IPv4.
fn ayiya<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const FORWARD: u8 = 1;
    let ([identity, signature, operation, next, ..], rest) = cut(span.header::<8>())?;
    if operation & 0x0f != FORWARD || !matches!(next, 4 | 41) {
        return Err(Stop::NotTcp);
    }
    let len = (1 << (identity >> 4)) + 4 * usize::from(signature >> 4);
    route.through(TunnelKind::Ayiya, None);
    Ok(Layer::new(Header::Ip, cut(rest.skip(len))?))
}

/// Eight bytes of which only the instance is of interest, then IP.
fn lisp<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (_, rest) = cut(span.header::<8>())?;
    if !matches!(cut(rest.u8(0))? >> 4, 4 | 6) {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::Lisp, None);
    Ok(Layer::new(Header::Ip, rest))
}

/// The data channel between an access point and its controller: IEEE 802.11 frames, or Ethernet.
fn capwap<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const DTLS: u8 = 1;
    const KEEP_ALIVE: u32 = 0x08;
    const FRAGMENT: u32 = 0x80;
    const NATIVE: u32 = 0x100;
    let fields = cut(span.u32(0))?;
    match cut(span.u8(0))? {
        0 => {}
        DTLS => return Err(Undecoded::Encrypted.into()),
        _ => return Err(Stop::NotTcp),
    }
    if fields & KEEP_ALIVE != 0 {
        return Err(Stop::NotTcp);
    }
    if fields & FRAGMENT != 0 {
        return Err(Undecoded::Fragment.into());
    }
    route.through(TunnelKind::Capwap, None);
    let len = 4 * ((fields >> 19) & 0x1f) as usize;
    if len < 8 {
        return Err(Undecoded::Tunnel.into());
    }
    let rest = cut(span.skip(len))?;
    if fields & NATIVE == 0 {
        return Ok(Layer::new(Header::Ethernet, rest));
    }
    // Where the protocol version stands, which is 0, a frame to or from an access point has a flag if exchanged.
    let form = if cut(rest.u8(0))? & 3 == 0 { Wifi::Plain } else { Wifi::Swapped };
    Ok(Layer::new(Header::Wifi(form), rest))
}

/// A sniffer's stream: version 1, the protocol of the frame, tagged fields to an end tag.
fn tzsp<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const PADDING: u8 = 0;
    const END: u8 = 1;
    let ([version, _kind, high, low], mut rest) = cut(span.header::<4>())?;
    let next = match (version, u16::from_be_bytes([high, low])) {
        (1, 1) => Header::Ethernet,
        (1, 18) => Header::Wifi(Wifi::Plain),
        _ => return Err(Stop::NotTcp),
    };
    loop {
        let tag = cut(rest.u8(0))?;
        let len = match tag {
            PADDING | END => 1,
            _ => 2 + usize::from(cut(rest.u8(1))?),
        };
        rest = cut(rest.skip(len))?;
        if tag == END {
            route.through(TunnelKind::Tzsp, None);
            return Ok(Layer::new(next, rest));
        }
    }
}
