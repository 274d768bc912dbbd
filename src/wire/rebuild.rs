//! A segment → headers that decode to it, for what is decoded and whose frame is kept no longer.
//!
//! What a segment does not tell is 0 or left out: the link's addresses, identification, checksums, VLAN and tunnel,
//! options that nobody reads. Read first: RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1.

use std::net::IpAddr;

use super::{Frame, LinkType, Options, Segment};

const TCP: u8 = 6;
/// What a header's length field leaves for options.
const ROOM: usize = 40;

impl Segment {
    /// What [`Segment::headers`] begin with.
    pub const REBUILT: LinkType = LinkType::ETHERNET;

    /// Headers of Ethernet, IP and TCP that say what the segment says. The payload, which lies behind them, is gone.
    pub fn headers(&self) -> Vec<u8> {
        let options = options(&self.options);
        let tcp = 20 + options.len();
        let len = (tcp as u32).saturating_add(self.payload_len);
        let mut out = vec![0; 12];
        match (self.src.ip(), self.dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                // A length beyond the field's is written as 0, as offload does; of IPv6 0 means something else.
                let total = u16::try_from(len.saturating_add(20)).unwrap_or(0).to_be_bytes();
                out.extend([8, 0, 0x45, 0, total[0], total[1], 0, 0, 0x40, 0, self.ttl, TCP, 0, 0]);
                out.extend(src.octets().into_iter().chain(dst.octets()));
            }
            (src, dst) => {
                let len = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
                out.extend([0x86, 0xdd, 0x60, 0, 0, 0, len[0], len[1], TCP, self.ttl]);
                [src, dst].into_iter().for_each(|ip| out.extend(v6(ip)));
            }
        }
        out.extend([self.src.port(), self.dst.port()].map(u16::to_be_bytes).as_flattened());
        out.extend([self.seq.0, self.ack.0].map(u32::to_be_bytes).as_flattened());
        let offset_and_flags = ((tcp as u16 / 4) << 12) | (self.flags.0 & 0x1ff);
        out.extend([offset_and_flags, self.window, 0, 0].map(u16::to_be_bytes).as_flattened());
        out.extend(options);
        out
    }

    /// The frame that these [`Segment::headers`] begin: as long as the segment's was, or longer where that had less of a
    /// link header (raw IP has none) than Ethernet's, so that the payload has room behind them.
    pub fn frame<'a>(&self, headers: &'a [u8]) -> Frame<'a> {
        let Self { ts, scope, iface, .. } = *self;
        let needed = (headers.len() as u32).saturating_add(self.payload_len);
        Frame { ts, scope, iface, link: Self::REBUILT, bytes: headers, len: self.frame_len.max(needed) }
    }
}

fn v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The option bytes, filled up to whole words; what finds no room is left out.
fn options(told: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |kind: u8, body: &[u8]| {
        if out.len() + body.len() + 2 <= ROOM {
            out.extend([kind, body.len() as u8 + 2]);
            out.extend(body);
        }
    };
    told.mss().iter().for_each(|mss| put(2, &mss.to_be_bytes()));
    if told.sack_permitted() {
        put(4, &[]);
    }
    told.timestamps()
        .iter()
        .for_each(|(value, echo)| put(8, [value, echo].map(|stamp| stamp.to_be_bytes()).as_flattened()));
    told.wscale().iter().for_each(|shift| put(3, &[*shift]));
    let edges = told.sack().flat_map(|(left, right)| [left.0, right.0]);
    let edges: Vec<u8> = edges.flat_map(u32::to_be_bytes).collect();
    if !edges.is_empty() {
        put(5, &edges);
    }
    if told.fast_open() {
        put(34, &[]);
    }
    told.mptcp().iter().for_each(|subtype| put(30, &[subtype << 4]));
    out.resize(out.len().next_multiple_of(4), 0);
    out
}
