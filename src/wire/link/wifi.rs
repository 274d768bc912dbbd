//! IEEE 802.11 data frames, bare or behind what a radio adds: radiotap, Prism, AVS, PPI.
//!
//! Read first: IEEE 802.11 §9.2.4 and §9.3.2, <https://www.radiotap.org>, the PPI specification.

use super::{Header, Layer, whole};
use crate::wire::span::Span;
use crate::wire::{LinkType, Stop, Undecoded};

/// Two addresses and a length before each part of an aggregate.
const SUBFRAME_HEADER: usize = 14;

/// How an IEEE 802.11 header was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) enum Wifi {
    Plain,
    /// Filled up to a multiple of 4 bytes, by some radios.
    Padded,
    /// With the two bytes of frame control exchanged, by Cisco's controllers.
    Swapped,
}

/// A data frame: its header's length follows from its flags, and LLC follows it.
pub(super) fn frame(span: Span<'_>, form: Wifi) -> Result<Layer<'_>, Stop> {
    const DATA: u8 = 2;
    const NO_DATA: u8 = 0x4;
    const QOS: u8 = 0x8;
    const BOTH_DS: u8 = 0x03;
    const MORE_FRAGMENTS: u8 = 0x04;
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    let ([first, second], _) = whole(span.header::<2>())?;
    let (control, flags) = if form == Wifi::Swapped { (second, first) } else { (first, second) };
    let (version, kind, subtype) = (control & 3, (control >> 2) & 3, control >> 4);
    if version != 0 || kind != DATA || subtype & NO_DATA != 0 {
        return Err(Stop::NotTcp);
    }
    if flags & PROTECTED != 0 {
        return Err(Undecoded::Encrypted.into());
    }
    let fragment = whole(span.u8(22))? & 0x0f;
    if fragment != 0 || flags & MORE_FRAGMENTS != 0 {
        return Err(Undecoded::Fragment.into());
    }
    let mut header = if flags & BOTH_DS == BOTH_DS { 30 } else { 24 };
    let mut aggregate = false;
    if subtype & QOS != 0 {
        aggregate = whole(span.u8(header))? & 0x80 != 0;
        header += if flags & ORDER != 0 { 6 } else { 2 };
    }
    if form == Wifi::Padded {
        header = header.next_multiple_of(4);
    }
    // Of an aggregate, the first part is read.
    header += if aggregate { SUBFRAME_HEADER } else { 0 };
    Ok(Layer::new(Header::Llc, whole(span.skip(header))?))
}

/// Radiotap: its flags tell whether the frame's header is padded and whether a checksum ends it.
pub(super) fn radiotap(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    const CHECKSUM: u8 = 0x10;
    const PADDED: u8 = 0x20;
    let ([version, _, low, high], _) = whole(span.header::<4>())?;
    if version != 0 {
        return Err(Undecoded::Link.into());
    }
    let len = usize::from(u16::from_le_bytes([low, high]));
    let frame = whole(span.skip(len))?;
    let flags = whole(radiotap_flags(&span.bytes[..len]))?;
    let frame = if flags & CHECKSUM == 0 { frame } else { frame.limit(frame.wire_len.saturating_sub(4)) };
    Ok(Layer::new(Header::Wifi(if flags & PADDED == 0 { Wifi::Plain } else { Wifi::Padded }), frame))
}

/// The flags field, 0 where it is not there; `None` where the header is too short for what it announces.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const TIME: u32 = 1;
    const FLAGS: u32 = 2;
    const MORE: u32 = 1 << 31;
    let word = |at: usize| header.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let present = word(4)?;
    let mut at = 8;
    let mut last = present;
    while last & MORE != 0 {
        last = word(at)?;
        at += 4;
    }
    if present & FLAGS == 0 {
        return Some(0);
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied()
}

/// Prism's header tells its length in the byte order of its machine; some files hold AVS headers instead.
pub(super) fn prism(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    const AVS: u32 = 0x8021_1000;
    const MESSAGES: [u32; 2] = [0x44, 0x41];
    let magic = whole(span.u32(0))?;
    let len = whole(span.u32(4))?;
    if magic & 0xffff_f000 == AVS {
        return avs(span);
    }
    let len = if MESSAGES.contains(&magic) { len } else { len.swap_bytes() };
    behind(span, len)
}

pub(super) fn avs(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    behind(span, whole(span.u32(4))?)
}

fn behind(span: Span<'_>, len: u32) -> Result<Layer<'_>, Stop> {
    let frame = usize::try_from(len).ok().filter(|len| *len >= 8).and_then(|len| span.skip(len));
    Ok(Layer::new(Header::Wifi(Wifi::Plain), whole(frame)?))
}

/// PPI: version, flags, length, and the link type of what follows.
pub(super) fn ppi(span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let ([version, _flags, low, high, link @ ..], _) = whole(span.header::<8>())?;
    let len = usize::from(u16::from_le_bytes([low, high]));
    if version != 0 || len < 8 {
        return Err(Undecoded::Link.into());
    }
    let link = u16::try_from(u32::from_le_bytes(link)).map_err(|_| Undecoded::LinkType)?;
    Ok(Layer::new(Header::Link(LinkType(link)), whole(span.skip(len))?))
}
