//! [`Decoder`]: frame after frame of one source → what each turned out to be, counted.
//!
//! Its state is the fragments that wait for others. A frame that holds none takes neither state nor allocation.

use etherparse::ip_number;

use super::fragments::Fragments;
use super::ip::{self, Datagram, Part};
use super::link::{self, Header, Layer};
use super::route::Route;
use super::span::Span;
use super::{Decoded, Frame, FrameCounts, Plain, Segment, Stop, icmp, plain, tcp, tunnel};
use crate::base::Endpoint;

/// The port of DNS (RFC 1035 §4.2).
const DNS: u16 = 53;

/// Decodes the frames of one source.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    fragments: Fragments,
    counts: FrameCounts,
}

/// What stands behind a frame's last header, as far as it was captured; never empty.
#[derive(Debug, Clone, Copy)]
pub enum Carried<'a> {
    /// The payload of the segment that the frame is.
    Tcp(&'a Segment, &'a [u8]),
    /// The payload of a UDP datagram from or to the port of DNS.
    Dns { src: Endpoint, dst: Endpoint, payload: &'a [u8] },
}

/// Where the headers of a frame led.
enum Found<'a> {
    Tcp(Datagram<'a>),
    Icmp(Datagram<'a>),
    Dns(Datagram<'a>),
    Fragment(Datagram<'a>, Part),
}

impl Decoder {
    /// Decodes one frame: link headers, IP and tunnels down to TCP, or to an ICMP error that quotes TCP. The frame
    /// that completes a fragmented datagram is what the datagram is.
    pub fn decode(&mut self, frame: &Frame<'_>) -> Decoded {
        self.open(frame, |_| {})
    }

    /// The same, and shows what the frame carries, if it carries anything: of the frame that completes a fragmented
    /// datagram, what the datagram carries.
    pub fn open(&mut self, frame: &Frame<'_>, mut show: impl FnMut(Carried<'_>)) -> Decoded {
        if let Some(plain) = self.open_plain(frame) {
            let (mut segment, payload) = (plain.segment(frame), plain.payload());
            plain.read_options(&mut segment.options);
            if !payload.is_empty() {
                show(Carried::Tcp(&segment, payload));
            }
            return Decoded::Tcp(segment);
        }
        self.open_any(frame, show)
    }

    /// A frame as nearly every one is, which gives a segment; `None`, and nothing is counted, of any other.
    #[inline(always)]
    pub fn open_plain<'a>(&mut self, frame: &Frame<'a>) -> Option<Plain<'a>> {
        let plain = plain::open(frame)?;
        self.counts.count_segment();
        Some(plain)
    }

    /// As [`Self::open`], of a frame that [`Self::open_plain`] has refused.
    #[inline(never)]
    pub fn open_any(&mut self, frame: &Frame<'_>, mut show: impl FnMut(Carried<'_>)) -> Decoded {
        let decoded = self.any(frame, &mut show);
        self.counts.count(&decoded);
        decoded
    }

    /// Whatever the frame is.
    pub(super) fn any(&mut self, frame: &Frame<'_>, show: &mut impl FnMut(Carried<'_>)) -> Decoded {
        let layer = Layer::new(Header::Link(frame.link), Span::new(frame.bytes, frame.len));
        self.read(frame, layer, &mut Route::default(), show).unwrap_or_else(|stop| match stop {
            Stop::NotTcp => Decoded::NotTcp,
            Stop::Undecoded(reason) => Decoded::Undecoded(reason),
        })
    }

    /// What became of the frames so far.
    pub const fn counts(&self) -> FrameCounts {
        self.counts
    }

    fn read(
        &mut self,
        frame: &Frame<'_>,
        layer: Layer<'_>,
        route: &mut Route,
        show: &mut impl FnMut(Carried<'_>),
    ) -> Result<Decoded, Stop> {
        match follow(layer, route)? {
            Found::Tcp(datagram) => tcp_of(frame, route, &datagram, show),
            Found::Dns(datagram) => {
                let [src, dst] = udp_ports(&datagram).unwrap_or_default();
                let payload = datagram.payload.bytes.get(8..).unwrap_or_default();
                if !payload.is_empty() {
                    let (src, dst) = (Endpoint::new(datagram.src, src), Endpoint::new(datagram.dst, dst));
                    show(Carried::Dns { src, dst, payload });
                }
                Err(Stop::NotTcp)
            }
            Found::Icmp(datagram) => icmp::quote(frame, &datagram).map(Decoded::Icmp),
            Found::Fragment(datagram, part) => {
                let whole = self.fragments.add(frame.ts, frame.scope, &datagram, part)?;
                self.counts.join(whole.earlier);
                // No deeper than `Route` allows IP headers to nest.
                self.read(frame, Layer::new(Header::Ip, Span::new(&whole.bytes, whole.wire_len)), route, show)
            }
        }
    }
}

fn tcp_of(
    frame: &Frame<'_>,
    route: &Route,
    datagram: &Datagram<'_>,
    show: &mut impl FnMut(Carried<'_>),
) -> Result<Decoded, Stop> {
    let segment = tcp::segment(frame, route, datagram)?;
    if segment.payload_len > 0 {
        let payload = tcp::payload(datagram);
        if !payload.is_empty() {
            show(Carried::Tcp(&segment, payload));
        }
    }
    Ok(Decoded::Tcp(segment))
}

/// Takes off headers, tunnels and all, until TCP, ICMP or a fragment of what may be either or a tunnel.
fn follow<'a>(mut layer: Layer<'a>, route: &mut Route) -> Result<Found<'a>, Stop> {
    loop {
        let span = link::network(layer, route)?;
        route.deeper()?;
        let datagram = ip::slice(span)?;
        if let Some(part) = datagram.part {
            return if may_hold_tcp(&datagram) { Ok(Found::Fragment(datagram, part)) } else { Err(Stop::NotTcp) };
        }
        layer = match datagram.protocol {
            ip_number::TCP => return Ok(Found::Tcp(datagram)),
            ip_number::ICMP | ip_number::IPV6_ICMP => return Ok(Found::Icmp(datagram)),
            protocol => match tunnel::behind(protocol, datagram.payload, route) {
                Err(Stop::NotTcp) if is_dns(&datagram) => return Ok(Found::Dns(datagram)),
                behind => behind?,
            },
        };
    }
}

fn is_dns(datagram: &Datagram<'_>) -> bool {
    datagram.protocol == ip_number::UDP && udp_ports(datagram).is_some_and(|ports| ports.contains(&DNS))
}

/// Source and destination port.
fn udp_ports(datagram: &Datagram<'_>) -> Option<[u16; 2]> {
    Some([datagram.payload.u16(0)?, datagram.payload.u16(2)?])
}

/// Whether a fragment is worth keeping: what its datagram's payload begins with may lead to TCP.
fn may_hold_tcp(datagram: &Datagram<'_>) -> bool {
    use ip_number::{AUTH, GRE, IPV4, IPV6, IPV6_DEST_OPTIONS, IPV6_ROUTE, TCP, UDP};
    matches!(datagram.protocol, TCP | UDP | GRE | IPV4 | IPV6 | AUTH | IPV6_DEST_OPTIONS | IPV6_ROUTE)
        || matches!(datagram.protocol.0, 97 | 137 | 143)
}
