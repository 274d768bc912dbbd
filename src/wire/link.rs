//! Link headers → the datagram behind them: which bytes are IP, and the outermost VLAN id.
//!
//! Read first: <https://www.tcpdump.org/linktypes.html>, IEEE 802.1Q.

use etherparse::{EtherType, Ethernet2Slice, SingleVlanSlice, ether_type};

use super::{LinkType, Stop, Undecoded};

/// The bytes of a frame from the IP header on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network<'a> {
    pub(super) datagram: &'a [u8],
    /// The outermost VLAN id, if the frame was tagged.
    pub(super) vlan: Option<u16>,
}

/// Takes the link header off.
pub(super) fn network(link: LinkType, bytes: &[u8]) -> Result<Network<'_>, Stop> {
    match link.0 {
        1 => {
            let frame = Ethernet2Slice::from_slice_without_fcs(bytes).map_err(|_| Undecoded::Link)?;
            behind_ether_type(frame.ether_type(), frame.payload_slice())
        }
        // RAW as the registry numbers it, and as DLT_RAW stands in files of Linux (12) and OpenBSD (14); IPV4; IPV6.
        101 | 12 | 14 | 228 | 229 => Ok(Network { datagram: bytes, vlan: None }),
        0 | 108 => behind_address_family(bytes),
        113 => cooked(bytes, 14, 16),
        276 => cooked(bytes, 0, 20),
        _ => Err(Undecoded::LinkType.into()),
    }
}

/// LINUX_SLL and LINUX_SLL2: the protocol, an ether type, stands at `protocol`; the payload begins at `payload`.
fn cooked(bytes: &[u8], protocol: usize, payload: usize) -> Result<Network<'_>, Stop> {
    let (header, payload) = bytes.split_at_checked(payload).ok_or(Undecoded::Link)?;
    let protocol = u16::from_be_bytes([header[protocol], header[protocol + 1]]);
    behind_ether_type(EtherType(protocol), payload)
}

/// NULL and LOOP: four bytes of address family, for NULL in the byte order of the machine that captured. AF_INET is 2
/// everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
fn behind_address_family(bytes: &[u8]) -> Result<Network<'_>, Stop> {
    let (family, datagram) = bytes.split_first_chunk::<4>().ok_or(Undecoded::Link)?;
    let big = u32::from_be_bytes(*family);
    match big.min(big.swap_bytes()) {
        2 | 10 | 24 | 28 | 30 => Ok(Network { datagram, vlan: None }),
        _ => Err(Stop::NotTcp),
    }
}

/// Follows VLAN tags, however many, to the network layer.
fn behind_ether_type(mut kind: EtherType, mut payload: &[u8]) -> Result<Network<'_>, Stop> {
    use ether_type::{IPV4, IPV6, PROVIDER_BRIDGING, VLAN_DOUBLE_TAGGED_FRAME, VLAN_TAGGED_FRAME};
    const MPLS: EtherType = EtherType(0x8847);
    const MPLS_MULTICAST: EtherType = EtherType(0x8848);
    const PPPOE_SESSION: EtherType = EtherType(0x8864);
    const PROVIDER_BACKBONE: EtherType = EtherType(0x88e7);
    const FABRIC_PATH: EtherType = EtherType(0x8903);

    let mut vlan = None;
    loop {
        match kind {
            IPV4 | IPV6 => return Ok(Network { datagram: payload, vlan }),
            VLAN_TAGGED_FRAME | PROVIDER_BRIDGING | VLAN_DOUBLE_TAGGED_FRAME => {
                let tag = SingleVlanSlice::from_slice(payload).map_err(|_| Undecoded::Link)?;
                vlan = vlan.or(Some(tag.vlan_identifier().value()));
                (kind, payload) = (tag.ether_type(), tag.payload_slice());
            }
            MPLS | MPLS_MULTICAST | PPPOE_SESSION | PROVIDER_BACKBONE | FABRIC_PATH => {
                return Err(Undecoded::Tunnel.into());
            }
            length if length.0 < 0x600 => (kind, payload) = behind_snap(payload).ok_or(Stop::NotTcp)?,
            _ => return Err(Stop::NotTcp),
        }
    }
}

/// An IEEE 802.2 SNAP header with the zero organization code: an ether type follows (RFC 1042).
fn behind_snap(payload: &[u8]) -> Option<(EtherType, &[u8])> {
    let (snap, payload) = payload.split_first_chunk::<8>()?;
    let kind = u16::from_be_bytes([snap[6], snap[7]]);
    // A length again would begin a chain of headers that no one sends.
    (snap[..6] == [0xaa, 0xaa, 3, 0, 0, 0] && kind >= 0x600).then_some((EtherType(kind), payload))
}
