//! Ethernet and what ether types announce: VLAN tags, LLC and SNAP, MPLS, NSH, 802.1ah, FabricPath, and tags that
//! switches add.
//!
//! Read first: IEEE 802.1Q (tags; clause 9.7 for 802.1ah's I-TAG), RFC 1042 (SNAP), RFC 3032 (MPLS), RFC 4448
//! (Ethernet over MPLS).

use super::{Header, Layer, whole};
use crate::wire::route::{Route, TunnelKind};
use crate::wire::span::Span;
use crate::wire::{Stop, Undecoded};

/// Smaller numbers in the place of an ether type are lengths of IEEE 802.3 frames.
const MIN_ETHER_TYPE: u16 = 0x600;

mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const ARP: u16 = 0x0806;
    pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
    pub(super) const VLAN: u16 = 0x8100;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const PPP: u16 = 0x880b;
    pub(super) const MPLS: u16 = 0x8847;
    pub(super) const MPLS_MULTICAST: u16 = 0x8848;
    pub(super) const PPPOE_SESSION: u16 = 0x8864;
    pub(super) const JUMBO_LLC: u16 = 0x8870;
    pub(super) const PROVIDER_BRIDGE: u16 = 0x88a8;
    pub(super) const PROVIDER_BACKBONE: u16 = 0x88e7;
    pub(super) const FABRIC_PATH: u16 = 0x8903;
    pub(super) const VN_TAG: u16 = 0x8926;
    pub(super) const OLD_QINQ: u16 = 0x9100;
    pub(super) const FRAME_RELAY: u16 = 0x6559;
    pub(super) const MACSEC: u16 = 0x88e5;
    pub(super) const CISCO_METADATA: u16 = 0x8909;
    pub(super) const HSR: u16 = 0x892f;
    pub(super) const E_TAG: u16 = 0x893f;
    pub(super) const NSH: u16 = 0x894f;
}

/// Two addresses and an ether type, or a length.
pub(super) fn ethernet(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let (header, rest) = whole(span.header::<14>())?;
    Ok(Layer::new(Header::EtherType(u16::from_be_bytes([header[12], header[13]])), rest))
}

/// What `kind` announces.
pub(super) fn behind<'a>(kind: u16, span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    use ether_type as known;
    let next = |header, skip: usize| Ok(Layer::new(header, whole(span.skip(skip))?));
    match kind {
        known::IPV4 | known::IPV6 => next(Header::Ip, 0),
        known::VLAN | known::PROVIDER_BRIDGE | known::OLD_QINQ => tag(span, route),
        known::MPLS | known::MPLS_MULTICAST => next(Header::Mpls, 0),
        known::PPPOE_SESSION => next(Header::PppoE, 0),
        known::PROVIDER_BACKBONE => {
            let tag = whole(span.u32(0))?;
            route.through(TunnelKind::Pbb, Some(tag & 0x00ff_ffff));
            next(Header::Ethernet, 4)
        }
        known::FABRIC_PATH => {
            let tag = whole(span.u16(0))?;
            route.through(TunnelKind::FabricPath, Some(u32::from(tag >> 6)));
            next(Header::Ethernet, 2)
        }
        known::VN_TAG | known::HSR => {
            let kind = whole(span.u16(4))?;
            next(Header::EtherType(kind), 6)
        }
        known::CISCO_METADATA | known::E_TAG => {
            let kind = whole(span.u16(6))?;
            next(Header::EtherType(kind), 8)
        }
        known::NSH => next(Header::Nsh, 0),
        known::FRAME_RELAY => next(Header::FrameRelay, 0),
        known::MACSEC => Err(Undecoded::Encrypted.into()),
        known::TRANSPARENT_ETHERNET => next(Header::Ethernet, 0),
        known::PPP => next(Header::Ppp, 0),
        known::JUMBO_LLC => next(Header::Llc, 0),
        length if length < MIN_ETHER_TYPE => next(Header::Llc, 0),
        _ => Err(Stop::NotTcp),
    }
}

/// A VLAN tag: priority and id, then the ether type of what follows.
fn tag<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (tag, rest) = whole(span.header::<4>())?;
    route.through_vlan(u16::from_be_bytes([tag[0], tag[1]]));
    Ok(Layer::new(Header::EtherType(u16::from_be_bytes([tag[2], tag[3]])), rest))
}

/// An IEEE 802.2 header: IP by its own SAP (RFC 948), or SNAP with an organization and its protocol number.
pub(super) fn llc(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    const IP_SAP: u8 = 0x06;
    const SNAP_SAP: u8 = 0xaa;
    const UNNUMBERED_INFORMATION: u8 = 0x03;
    match *span.bytes {
        [IP_SAP, IP_SAP, UNNUMBERED_INFORMATION, ..] => Ok(Layer::new(Header::Ip, whole(span.skip(3))?)),
        [SNAP_SAP, SNAP_SAP, UNNUMBERED_INFORMATION, ..] => snap(whole(span.skip(3))?),
        _ => Err(Stop::NotTcp),
    }
}

/// The five bytes of SNAP: an ether type where the organization is none (RFC 1042) or 802.1H's bridge tunnel;
/// Ethernet where it is 802.1's own (RFC 2427, RFC 2684).
pub(super) fn snap(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let ([a, b, c, high, low], rest) = whole(span.header::<5>())?;
    let kind = u16::from_be_bytes([high, low]);
    match [a, b, c] {
        // A length again would begin a chain of headers that no one sends.
        [0, 0, 0] | [0, 0, 0xf8] if kind >= MIN_ETHER_TYPE => Ok(Layer::new(Header::EtherType(kind), rest)),
        [0, 0x80, 0xc2] if matches!(kind, 1 | 7) => Ok(Layer::new(Header::Ethernet, rest)),
        _ => Err(Stop::NotTcp),
    }
}

/// The network service header (RFC 8300): its length in units of 4 bytes, what follows it, and the path.
pub(super) fn nsh<'a>(span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    let (header, _) = whole(span.header::<8>())?;
    let len = 4 * usize::from(header[1] & 0x3f);
    let next = match header[3] {
        1 | 2 => Header::Ip,
        3 => Header::Ethernet,
        5 => Header::Mpls,
        _ => return Err(Stop::NotTcp),
    };
    if header[0] >> 6 != 0 || len < 8 {
        return Err(Undecoded::Link.into());
    }
    route.through(TunnelKind::Nsh, Some(u32::from_be_bytes([0, header[4], header[5], header[6]])));
    Ok(Layer::new(next, whole(span.skip(len))?))
}

/// A stack of labels. What follows the last is not told: IP by its version, else Ethernet.
pub(super) fn mpls<'a>(mut span: Span<'a>, route: &mut Route) -> Result<Layer<'a>, Stop> {
    const BOTTOM_OF_STACK: u32 = 0x100;
    loop {
        let entry = whole(span.u32(0))?;
        route.through(TunnelKind::Mpls, Some(entry >> 12));
        route.further()?;
        span = whole(span.skip(4))?;
        if entry & BOTTOM_OF_STACK != 0 {
            return behind_labels(span);
        }
    }
}

fn behind_labels(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    /// Four zero bits, then flags, length and sequence number (RFC 4448 §4.6).
    const CONTROL_WORD: usize = 4;
    let first = whole(span.u8(0))?;
    let ethernet_at = |at: usize| span.u16(at + 12).is_some_and(is_likely);
    match first >> 4 {
        4 if is_ipv4(span) => Ok(Layer::new(Header::Ip, span)),
        6 if !ethernet_at(0) || span.u8(6).is_some_and(|next| matches!(next, 6 | 17 | 58)) => {
            Ok(Layer::new(Header::Ip, span))
        }
        0 if ethernet_at(CONTROL_WORD) => Ok(Layer::new(Header::Ethernet, whole(span.skip(CONTROL_WORD))?)),
        _ if ethernet_at(0) => Ok(Layer::new(Header::Ethernet, span)),
        4 => Err(Undecoded::Ip.into()),
        _ => Err(Stop::NotTcp),
    }
}

/// Whether an IPv4 header's own lengths agree with the room there is.
fn is_ipv4(span: Span<'_>) -> bool {
    let header = u16::from(span.bytes[0] & 0x0f) * 4;
    span.u16(2)
        .is_some_and(|total| header >= 20 && (total == 0 || total >= header) && u32::from(total) <= span.wire_len)
}

/// Ether types that would stand in a customer's frame: what tells Ethernet from chance.
fn is_likely(kind: u16) -> bool {
    use ether_type::{ARP, IPV4, IPV6, MPLS, PPPOE_SESSION, PROVIDER_BRIDGE, VLAN};
    matches!(kind, IPV4 | IPV6 | ARP | VLAN | PROVIDER_BRIDGE | MPLS | PPPOE_SESSION)
}
