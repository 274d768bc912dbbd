//! A TCP header → a [`Segment`].
//!
//! Read first: RFC 9293 §3.1.

use super::digest::digest;
use super::ip::Datagram;
use super::route::Route;
use super::{AppRecords, Flags, Frame, Segment, Stop, Undecoded, options};
use crate::base::{Endpoint, Seq};

/// The header's length without options.
const FIXED: usize = 20;
/// Ports, sequence numbers, flags and window: what a segment cannot be told without. The checksum and the urgent
/// pointer, which follow, nobody asks for.
const NEEDED: usize = 16;

/// Reads the header; the options may be cut by the snap length, and so may the end of the fixed part.
pub(super) fn segment(frame: &Frame<'_>, route: &Route, datagram: &Datagram<'_>) -> Result<Segment, Stop> {
    let tcp = datagram.payload;
    if tcp.wire_len < NEEDED as u32 {
        return Err(Undecoded::TcpMalformed.into());
    }
    let fixed = tcp.bytes.first_chunk::<NEEDED>().ok_or(Undecoded::TcpCut)?;
    let header_len = usize::from(fixed[12] >> 4) * 4;
    let options_len = header_len.checked_sub(FIXED).ok_or(Undecoded::TcpMalformed)?;
    // Its own header tells that it ends past the datagram: what it carries nobody knows.
    let payload_len = tcp.wire_len.checked_sub(header_len as u32);
    let options = tcp.bytes.get(FIXED..).unwrap_or_default();
    let options = &options[..options_len.min(options.len())];
    let cut = options_len > options.len() || tcp.bytes.len() < FIXED;
    let two = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    let four = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    Ok(Segment {
        ts: frame.ts,
        scope: frame.scope,
        iface: frame.iface,
        src: Endpoint::new(datagram.src, two(0)),
        dst: Endpoint::new(datagram.dst, two(2)),
        seq: Seq(four(4)),
        ack: Seq(four(8)),
        flags: Flags(two(12) & 0x1ff),
        window: two(14),
        payload_len: payload_len.unwrap_or(0),
        malformed: payload_len.is_none(),
        frame_len: frame.len,
        options: options::read(options, cut),
        ttl: datagram.ttl,
        vlan: route.vlan,
        tunnel: route.tunnel,
        digest: digest(datagram.captured),
        app_records: AppRecords::default(),
    })
}

/// What follows the header, as far as it was captured.
pub(super) fn payload<'a>(datagram: &Datagram<'a>) -> &'a [u8] {
    let bytes = datagram.payload.bytes;
    bytes.get(12).and_then(|offset| bytes.get(usize::from(offset >> 4) * 4..)).unwrap_or_default()
}
