//! A TCP header → a [`Segment`].
//!
//! Read first: RFC 9293 §3.1.

use etherparse::{TcpHeader, TcpHeaderSlice};

use super::ip::Datagram;
use super::{Flags, Frame, Segment, Stop, Undecoded, options};
use crate::base::{Endpoint, Seq};

/// Reads the header; the options may be cut by the snap length, the fixed 20 bytes may not.
pub(super) fn segment(frame: &Frame<'_>, vlan: Option<u16>, datagram: &Datagram<'_>) -> Result<Segment, Stop> {
    const FIXED: usize = TcpHeader::MIN_LEN;
    if datagram.tcp_len < FIXED as u32 {
        return Err(Undecoded::TcpMalformed.into());
    }
    let (fixed, rest) = datagram.tcp.split_first_chunk::<FIXED>().ok_or(Undecoded::TcpCut)?;
    let header_len = usize::from(fixed[12] >> 4) * 4;
    let options_len = header_len.checked_sub(FIXED).ok_or(Undecoded::TcpMalformed)?;
    let payload_len = datagram.tcp_len.checked_sub(header_len as u32).ok_or(Undecoded::TcpMalformed)?;

    // etherparse refuses a header whose options are cut: show it one without.
    let mut bare = *fixed;
    bare[12] = ((FIXED as u8 / 4) << 4) | (fixed[12] & 0x0f);
    let header = TcpHeaderSlice::from_slice(&bare).map_err(|_| Undecoded::TcpMalformed)?;
    Ok(Segment {
        ts: frame.ts,
        scope: frame.scope,
        iface: frame.iface,
        src: Endpoint::new(datagram.src, header.source_port()),
        dst: Endpoint::new(datagram.dst, header.destination_port()),
        seq: Seq(header.sequence_number()),
        ack: Seq(header.acknowledgment_number()),
        flags: Flags(u16::from_be_bytes([fixed[12], fixed[13]]) & 0x1ff),
        window: header.window_size(),
        payload_len,
        frame_len: frame.len,
        options: options::read(&rest[..options_len.min(rest.len())], options_len > rest.len()),
        ttl: datagram.ttl,
        vlan,
        digest: datagram.digest,
    })
}
