//! Link headers → the datagram behind them.
//!
//! One file a family; this one knows which link type begins with which header, and follows them to IP.
//! Read first: <https://www.tcpdump.org/linktypes.html>.

mod ether;
mod logged;
mod ppp;
mod serial;
mod wifi;

pub(super) use wifi::Wifi;

use super::route::Route;
use super::span::Span;
use super::{LinkType, Stop, Undecoded};

/// What the next header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Ip,
    Link(LinkType),
    Ethernet,
    /// What an ether type announced.
    EtherType(u16),
    /// IEEE 802.2, with SNAP or without.
    Llc,
    Ppp,
    PppoE,
    Mpls,
    /// The network service header.
    Nsh,
    FrameRelay,
    /// IEEE 802.11.
    Wifi(Wifi),
}

/// The rest of a frame: which header is next, and the bytes from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer<'a> {
    pub(super) header: Header,
    pub(super) span: Span<'a>,
}

impl<'a> Layer<'a> {
    pub(super) const fn new(header: Header, span: Span<'a>) -> Self {
        Self { header, span }
    }
}

/// A header that is not whole, or not told as a `None` where something was looked for.
fn whole<T>(read: Option<T>) -> Result<T, Stop> {
    read.ok_or(Stop::Undecoded(Undecoded::Link))
}

/// Takes headers off until IP is next.
pub(super) fn network<'a>(mut layer: Layer<'a>, route: &mut Route) -> Result<Span<'a>, Stop> {
    loop {
        let span = layer.span;
        layer = match layer.header {
            Header::Ip => return Ok(span),
            Header::Link(link) => begin(link, span)?,
            Header::Ethernet => ether::ethernet(span)?,
            Header::EtherType(kind) => ether::behind(kind, span, route)?,
            Header::Llc => ether::llc(span)?,
            Header::Ppp => ppp::ppp(span)?,
            Header::PppoE => ppp::pppoe(span, route)?,
            Header::Mpls => ether::mpls(span, route)?,
            Header::Nsh => ether::nsh(span, route)?,
            Header::FrameRelay => serial::frame_relay(span)?,
            Header::Wifi(form) => wifi::frame(span, form)?,
        };
        route.further()?;
    }
}

/// Takes off what stands before the first protocol header of a link type.
fn begin(link: LinkType, span: Span<'_>) -> Result<Layer<'_>, Stop> {
    let behind = |header: usize, next: Header| Ok(Layer::new(next, whole(span.skip(header))?));
    match link.0 {
        1 => ether::ethernet(span),
        // RAW as the registry numbers it, and as DLT_RAW stands in files of Linux (12) and OpenBSD (14); IPV4; IPV6.
        101 | 12 | 14 | 228 | 229 => behind(0, Header::Ip),
        0 | 108 => serial::behind_address_family(span),
        113 => logged::cooked(span, 14, 16),
        276 => logged::cooked(span, 0, 20),
        105 => behind(0, Header::Wifi(Wifi::Plain)),
        119 => wifi::prism(span),
        127 => wifi::radiotap(span),
        163 => wifi::avs(span),
        192 => wifi::ppi(span),
        9 | 50 => ppp::hdlc(span),
        51 => behind(0, Header::PppoE),
        // One byte of direction first; in PPP_PPPD it stands for the address byte.
        166 | 204 => behind(1, Header::Ppp),
        104 => serial::cisco_hdlc(span),
        205 => serial::cisco_hdlc(whole(span.skip(1))?),
        107 => serial::frame_relay(span),
        206 => serial::frame_relay(whole(span.skip(1))?),
        6 => serial::token_ring(span),
        10 => serial::fddi(span),
        // ATM by RFC 1483 as LLC; classical IP over ATM, in Linux and in other files.
        100 | 106 | 19 => behind(0, Header::Llc),
        // IP over Fibre Channel (RFC 2625): two network addresses.
        122 => behind(16, Header::Llc),
        // SLIP: direction and 15 bytes of compressed header before each datagram.
        8 => behind(16, Header::Ip),
        // IP over IEEE 1394 (RFC 2734): two addresses of 8 bytes and an ether type.
        138 => {
            let kind = whole(span.u16(16))?;
            behind(18, Header::EtherType(kind))
        }
        // OpenBSD's enc(4): family, SPI, flags.
        109 => behind(12, Header::Ip),
        117 => logged::pflog(span),
        219 => behind(0, Header::Mpls),
        239 => logged::nflog(span),
        // netANALYZER, its transparent form with preamble and start delimiter.
        240 => behind(4, Header::Ethernet),
        241 => behind(12, Header::Ethernet),
        258 => logged::pktap(span),
        _ => Err(Undecoded::LinkType.into()),
    }
}
