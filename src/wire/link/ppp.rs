//! PPP, over HDLC or Ethernet. Read first: RFC 1661 §2, RFC 1662 §3, RFC 2516.

use super::{Header, Layer, serial, whole};
use crate::wire::route::{Route, TunnelKind};
use crate::wire::span::Span;
use crate::wire::{Stop, Undecoded};

const ALL_STATIONS: u8 = 0xff;
const UNNUMBERED_INFORMATION: u8 = 0x03;

/// PPP in HDLC-like framing, of which some files hold Cisco HDLC.
pub(super) fn hdlc(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    if serial::is_cisco_address(whole(span.u8(0))?) {
        return serial::cisco_hdlc(span);
    }
    ppp(span)
}

/// Address and control where they are there (whole or, after a direction byte, half), then the protocol: one byte if
/// that is odd, else two.
pub(super) fn ppp(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let address = match *span.bytes {
        [ALL_STATIONS, UNNUMBERED_INFORMATION, ..] => 2,
        // No protocol has this number alone, so it is a control byte.
        [UNNUMBERED_INFORMATION, ..] => 1,
        _ => 0,
    };
    let span = whole(span.skip(address))?;
    let first = whole(span.u8(0))?;
    let (protocol, len) = if first & 1 == 1 { (u16::from(first), 1) } else { (whole(span.u16(0))?, 2) };
    let rest = whole(span.skip(len))?;
    match protocol {
        0x0021 | 0x0057 | 0x0800 | 0x86dd => Ok(Layer::new(Header::Ip, rest)),
        0x0281 | 0x0283 => Ok(Layer::new(Header::Mpls, rest)),
        // Headers compressed by RFC 1144, and parts of packets (RFC 1990).
        0x002d | 0x002f | 0x003d => Err(Undecoded::Tunnel.into()),
        0x0053 | 0x0055 => Err(Undecoded::Encrypted.into()),
        _ => Err(Stop::NotTcp),
    }
}

/// A PPPoE session frame: six bytes, of which the last two tell the length.
pub(super) fn pppoe<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (header, rest) = whole(span.header::<6>())?;
    let [version_and_type, code, session_high, session_low, high, low] = header;
    if version_and_type != 0x11 || code != 0 {
        return Err(Stop::NotTcp);
    }
    route.through(TunnelKind::PppoE, Some(u32::from(u16::from_be_bytes([session_high, session_low]))));
    let len = u16::from_be_bytes([high, low]);
    Ok(Layer::new(Header::Ppp, if len == 0 { rest } else { rest.limit(len.into()) }))
}
