//! [`Decoder`]: frame after frame of one source → what each turned out to be, counted.
//!
//! Its state is the fragments that wait for others. A frame that holds none takes neither state nor allocation.

use etherparse::ip_number;

use super::fragments::Fragments;
use super::ip::{self, Datagram, Part};
use super::link::{self, Header, Layer};
use super::route::Route;
use super::span::Span;
use super::{Decoded, Frame, FrameCounts, Stop, icmp, plain, tcp, tunnel};

/// Decodes the frames of one source.
#[derive(Debug, Clone)]
pub struct Decoder {
    fragments: Fragments,
    counts: FrameCounts,
    with_digests: bool,
}

/// For a source that shows datagrams on several interfaces.
impl Default for Decoder {
    fn default() -> Self {
        Self { fragments: Fragments::default(), counts: FrameCounts::default(), with_digests: true }
    }
}

/// Where the headers of a frame led.
enum Found<'a> {
    Tcp(Datagram<'a>),
    Icmp(Datagram<'a>),
    Fragment(Datagram<'a>, Part),
}

impl Decoder {
    /// For a capture file, where every frame counts: segments get no digest.
    pub fn of_file() -> Self {
        Self { with_digests: false, ..Self::default() }
    }

    /// Decodes one frame: link headers, IP and tunnels down to TCP, or to an ICMP error that quotes TCP. The frame
    /// that completes a fragmented datagram is what the datagram is.
    #[inline]
    pub fn decode(&mut self, frame: &Frame<'_>) -> Decoded {
        if let Some(segment) = plain::segment(frame, self.with_digests) {
            self.counts.count_segment();
            return Decoded::Tcp(segment);
        }
        let decoded = self.any(frame);
        self.counts.count(&decoded);
        decoded
    }

    /// Whatever the frame is.
    #[inline(never)]
    pub(super) fn any(&mut self, frame: &Frame<'_>) -> Decoded {
        let layer = Layer::new(Header::Link(frame.link), Span::new(frame.bytes, frame.len));
        self.read(frame, layer, &mut Route::default()).unwrap_or_else(|stop| match stop {
            Stop::NotTcp => Decoded::NotTcp,
            Stop::Undecoded(reason) => Decoded::Undecoded(reason),
        })
    }

    /// What became of the frames so far.
    pub const fn counts(&self) -> FrameCounts {
        self.counts
    }

    fn read(&mut self, frame: &Frame<'_>, layer: Layer<'_>, route: &mut Route) -> Result<Decoded, Stop> {
        match follow(layer, route)? {
            Found::Tcp(datagram) => tcp::segment(frame, route, &datagram, self.with_digests).map(Decoded::Tcp),
            Found::Icmp(datagram) => icmp::quote(frame, &datagram).map(Decoded::Icmp),
            Found::Fragment(datagram, part) => {
                let whole = self.fragments.add(frame.ts, frame.scope, &datagram, part)?;
                self.counts.join(whole.earlier);
                // No deeper than `Route` allows IP headers to nest.
                self.read(frame, Layer::new(Header::Ip, Span::new(&whole.bytes, whole.wire_len)), route)
            }
        }
    }
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
            protocol => tunnel::behind(protocol, datagram.payload, route)?,
        };
    }
}

/// Whether a fragment is worth keeping: what its datagram's payload begins with may lead to TCP.
fn may_hold_tcp(datagram: &Datagram<'_>) -> bool {
    use ip_number::{AUTH, GRE, IPV4, IPV6, IPV6_DEST_OPTIONS, IPV6_ROUTE, TCP, UDP};
    matches!(datagram.protocol, TCP | UDP | GRE | IPV4 | IPV6 | AUTH | IPV6_DEST_OPTIONS | IPV6_ROUTE)
        || matches!(datagram.protocol.0, 97 | 137 | 143)
}
