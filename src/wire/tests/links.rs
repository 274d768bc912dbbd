//! Every link type: the header as it stands in a file, and what looks like it and is not.

use super::*;

/// A link header, byte by byte, in front of an IPv4 datagram; for IPv6 `six` says which bytes change.
pub(super) struct Road {
    pub(super) name: &'static str,
    pub(super) link: u16,
    pub(super) header: Vec<u8>,
    six: &'static [(usize, u8)],
}

fn road(name: &'static str, link: u16, header: &[u8], six: &'static [(usize, u8)]) -> Road {
    Road { name, link, header: header.to_vec(), six }
}

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
const MACS: [u8; 12] = [2; 12];

fn wifi(control: [u8; 2], more: &[u8]) -> Vec<u8> {
    [&control[..], &[0; 22], more, &SNAP].concat()
}

/// Radiotap of 16 bytes with time (to be aligned) and flags, without alignment to spare.
fn radiotap(flags: u8, frame: &[u8]) -> Vec<u8> {
    [&[0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, flags][..], frame].concat()
}

pub(super) fn all() -> Vec<Road> {
    let avs = [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56], &wifi([8, 1], &[])].concat();
    let prism = |len: [u8; 4]| [&[0x44, 0, 0, 0][..], &len, &[0; 136], &wifi([8, 1], &[])].concat();
    let ppi = [&[0, 0, 12, 0, 105, 0, 0, 0, 1, 2, 3, 4][..], &wifi([8, 1], &[])].concat();
    let pktap = [&[16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9, 9, 9][..], &MACS, &[8, 0]].concat();
    vec![
        road("802.11 to the access point", 105, &wifi([8, 1], &[]), &[(30, 0x86), (31, 0xdd)]),
        road("802.11 bridge, four addresses", 105, &wifi([8, 3], &[0; 6]), &[(36, 0x86), (37, 0xdd)]),
        road("802.11 QoS", 105, &wifi([0x88, 2], &[0, 0]), &[(32, 0x86), (33, 0xdd)]),
        road("802.11 QoS, high throughput", 105, &wifi([0x88, 0x82], &[0; 6]), &[(36, 0x86), (37, 0xdd)]),
        road(
            "802.11 aggregate",
            105,
            &wifi([0x88, 2], &[&[0x80, 0][..], &[7; 14]].concat()),
            &[(46, 0x86), (47, 0xdd)],
        ),
        road("radiotap", 127, &[&[0, 0, 8, 0, 0, 0, 0, 0][..], &wifi([8, 1], &[])].concat(), &[(38, 0x86), (39, 0xdd)]),
        road("radiotap, QoS padded", 127, &radiotap(0x20, &wifi([0x88, 2], &[0; 4])), &[(51, 0x86), (52, 0xdd)]),
        road("Prism", 119, &prism([144, 0, 0, 0]), &[(174, 0x86), (175, 0xdd)]),
        road("AVS as Prism", 119, &avs, &[(94, 0x86), (95, 0xdd)]),
        road("AVS", 163, &avs, &[(94, 0x86), (95, 0xdd)]),
        road("PPI", 192, &ppi, &[(42, 0x86), (43, 0xdd)]),
        road("PPP", 9, &[0xff, 3, 0, 0x21], &[(3, 0x57)]),
        road("PPP, protocol alone", 9, &[0, 0x21], &[(1, 0x57)]),
        road("PPP, protocol of one byte", 50, &[0x21], &[(0, 0x57)]),
        road("PPP with direction", 204, &[1, 0xff, 3, 0, 0x21], &[(4, 0x57)]),
        road("PPP of pppd", 166, &[0, 3, 0, 0x21], &[(3, 0x57)]),
        road("PPPoE link", 51, &[0x11, 0, 0, 7, 0, 0, 0, 0x21], &[(7, 0x57)]),
        road("Cisco HDLC", 104, &[0x0f, 0, 8, 0], &[(2, 0x86), (3, 0xdd)]),
        road("Cisco HDLC as PPP", 50, &[0x8f, 0, 8, 0], &[(2, 0x86), (3, 0xdd)]),
        road("Cisco HDLC with direction", 205, &[1, 0x0f, 0, 8, 0], &[(3, 0x86), (4, 0xdd)]),
        road("Frame Relay", 107, &[0x18, 0x41, 3, 0xcc], &[(3, 0x8e)]),
        road("Frame Relay, SNAP", 107, &[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &[(8, 0x86), (9, 0xdd)]),
        road("Frame Relay, Cisco", 206, &[0, 0x18, 0x41, 8, 0], &[(3, 0x86), (4, 0xdd)]),
        road("FDDI", 10, &[&[0x51][..], &MACS, &SNAP].concat(), &[(19, 0x86), (20, 0xdd)]),
        road("Token Ring", 6, &[&[0x10, 0x40][..], &MACS, &SNAP].concat(), &[(20, 0x86), (21, 0xdd)]),
        road(
            "Token Ring, routed",
            6,
            &[&[0x10, 0x40][..], &[2; 6], &[0x82], &[2; 5], &[4, 0, 0, 0], &SNAP].concat(),
            &[(24, 0x86), (25, 0xdd)],
        ),
        road("RFC 1483", 100, &SNAP, &[(6, 0x86), (7, 0xdd)]),
        road("IP's own SAP", 100, &[6, 6, 3], &[]),
        road("Fibre Channel", 122, &[&[0; 16][..], &SNAP].concat(), &[(22, 0x86), (23, 0xdd)]),
        road("SLIP", 8, &[0; 16], &[]),
        road("IEEE 1394", 138, &[&[0; 16][..], &[8, 0]].concat(), &[(16, 0x86), (17, 0xdd)]),
        road("enc(4)", 109, &[0; 12], &[]),
        road("pflog", 117, &[&[61, 2][..], &[0; 62]].concat(), &[]),
        road("MPLS", 219, &[0, 1, 0x11, 64], &[]),
        road("NFLOG", 239, &[2, 0, 0, 5, 5, 0, 10, 0, b'x', 0, 0, 0, 72, 0, 9, 0], &[(0, 10), (12, 80)]),
        road("NFLOG, big-endian", 239, &[2, 0, 0, 5, 0, 8, 0, 1, 8, 0, 0, 0, 0, 72, 0, 9], &[(0, 10), (13, 80)]),
        road("netANALYZER", 240, &[&[0; 4][..], &MACS, &[8, 0]].concat(), &[(16, 0x86), (17, 0xdd)]),
        road("netANALYZER with preamble", 241, &[&[0; 12][..], &MACS, &[8, 0]].concat(), &[(24, 0x86), (25, 0xdd)]),
        road("PKTAP of Ethernet", 258, &pktap, &[(28, 0x86), (29, 0xdd)]),
        road("cooked LLC", 113, &[&[0; 14][..], &[0, 4], &SNAP].concat(), &[(22, 0x86), (23, 0xdd)]),
        road("MPLS on loopback", 0, &[33, 0, 0, 0, 0, 1, 0x11, 64], &[]),
        road("PPPoE", 1, &[&MACS[..], &[0x88, 0x64, 0x11, 0, 0, 7, 0, 70, 0, 0x21]].concat(), &[(19, 78), (21, 0x57)]),
        road("MPLS stack", 1, &[&MACS[..], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat(), &[]),
        road(
            "Ethernet over MPLS, control word",
            1,
            &[&MACS[..], &[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 9], &MACS, &[8, 0]].concat(),
            &[(34, 0x86), (35, 0xdd)],
        ),
        road(
            "Ethernet over MPLS",
            1,
            &[&MACS[..], &[0x88, 0x48, 0, 1, 1, 64], &MACS, &[8, 0]].concat(),
            &[(30, 0x86), (31, 0xdd)],
        ),
        road(
            "Ethernet over MPLS to an address that looks like IPv4",
            1,
            &[&MACS[..], &[0x88, 0x47, 0, 1, 1, 64], &[0x45; 12], &[8, 0]].concat(),
            &[(30, 0x86), (31, 0xdd)],
        ),
        road(
            "Ethernet over MPLS to an address that looks like IPv6",
            1,
            &[&MACS[..], &[0x88, 0x47, 0, 1, 1, 64], &[0x62; 12], &[8, 0]].concat(),
            &[(30, 0x86), (31, 0xdd)],
        ),
        road(
            "802.1ah",
            1,
            &[&MACS[..], &[0x88, 0xa8, 0, 5, 0x88, 0xe7, 0, 0, 3, 0xe8], &MACS, &[8, 0]].concat(),
            &[(34, 0x86), (35, 0xdd)],
        ),
        road("FabricPath", 1, &[&MACS[..], &[0x89, 3, 0x00, 0x60], &MACS, &[8, 0]].concat(), &[(28, 0x86), (29, 0xdd)]),
        road("VN-Tag", 1, &[&MACS[..], &[0x89, 0x26, 0, 0, 0, 1, 8, 0]].concat(), &[(18, 0x86), (19, 0xdd)]),
        road("HSR", 1, &[&MACS[..], &[0x89, 0x2f, 0, 60, 0, 1, 8, 0]].concat(), &[(18, 0x86), (19, 0xdd)]),
        road("E-Tag", 1, &[&MACS[..], &[0x89, 0x3f, 0, 0, 0, 1, 0, 0, 8, 0]].concat(), &[(20, 0x86), (21, 0xdd)]),
        road("Cisco metadata", 1, &[&MACS[..], &[0x89, 9, 1, 1, 0, 1, 0, 9, 8, 0]].concat(), &[(20, 0x86), (21, 0xdd)]),
        road("NSH", 1, &[&MACS[..], &[0x89, 0x4f, 0, 2, 2, 1, 0, 0, 5, 255]].concat(), &[(17, 2)]),
        road("PPP as ether type", 1, &[&MACS[..], &[0x88, 0x0b, 0, 0x21]].concat(), &[(15, 0x57)]),
    ]
}

#[test]
fn every_link_header_leads_to_ip() {
    for road in all() {
        let mut header = road.header;
        for (six, datagram) in [(false, v4()), (true, v6())] {
            for (at, byte) in road.six.iter().filter(|_| six) {
                header[*at] = *byte;
            }
            let bytes = [&header[..], &datagram].concat();
            let Decoded::Tcp(segment) = decoded(road.link, &bytes) else { panic!("{} ({six}): no segment", road.name) };
            assert_eq!((segment.dst.port(), segment.payload_len), (80, 16), "{}", road.name);
            assert_eq!(segment.digest, self::segment(RAW, &datagram).digest, "{}", road.name);
            assert_eq!(segment.frame_len as usize, bytes.len());
        }
    }
}

#[test]
fn a_cut_link_header_is_counted_and_no_guess() {
    for road in all() {
        for cut in 0..road.header.len() {
            let bytes = &road.header[..cut];
            let decoded = decode(&frame(road.link, bytes, road.header.len() + 68));
            assert!(
                matches!(decoded, Decoded::Undecoded(Undecoded::Link | Undecoded::Ip) | Decoded::NotTcp),
                "{} cut at {cut}: {decoded:?}",
                road.name
            );
        }
    }
}

#[test]
fn what_stands_in_links_and_holds_no_tcp() {
    let not_tcp: [(&str, u16, Vec<u8>); 18] = [
        ("802.11 beacon", 105, wifi([0x80, 0], &[])),
        ("802.11 null data", 105, wifi([0x48, 1], &[])),
        ("802.11 of another version", 105, wifi([9, 1], &[])),
        ("PPP control", 9, vec![0xff, 3, 0xc0, 0x21]),
        ("PPPoE discovery", 51, vec![0x11, 9, 0, 0, 0, 4, 0, 0x21]),
        ("PPPoE of another version", 51, vec![0x21, 0, 0, 7, 0, 0, 0, 0x21]),
        ("PPP where Cisco HDLC should be", 104, vec![0xff, 3, 0, 0x21]),
        ("Cisco's keepalive", 104, vec![0x8f, 0, 0x80, 0x35]),
        ("Frame Relay's OSI", 107, vec![0x18, 0x41, 3, 0x81]),
        ("FDDI station management", 10, [&[0x41][..], &MACS, &SNAP].concat()),
        ("Token Ring's MAC frame", 6, [&[0x10, 0][..], &MACS, &SNAP].concat()),
        ("spanning tree", 100, vec![0x42, 0x42, 3]),
        ("Novell as Linux tells it", 113, [&[0; 14][..], &[0, 1]].concat()),
        ("an associated channel", 219, vec![0, 1, 1, 64, 0x10, 0, 0, 0]),
        ("a control word before what is no Ethernet", 219, vec![0, 1, 1, 64, 0, 0, 0, 0]),
        ("a bridged frame of FDDI", 100, vec![0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 4]),
        ("another family", 0, vec![7, 0, 0, 0]),
        ("LLDP", 1, [&MACS[..], &[0x88, 0xcc]].concat()),
    ];
    for (name, link, header) in not_tcp {
        assert_eq!(decoded(link, &[&header[..], &v4()].concat()), Decoded::NotTcp, "{name}");
    }
    let undecoded: [(&str, u16, Vec<u8>, Undecoded); 11] = [
        ("802.11 protected", 105, wifi([8, 0x41], &[]), Undecoded::Encrypted),
        ("802.11 first fragment", 105, wifi([8, 5], &[]), Undecoded::Fragment),
        ("radiotap of another version", 127, vec![1, 0, 8, 0, 0, 0, 0, 0], Undecoded::Link),
        ("radiotap that never ends", 127, vec![0, 0, 8, 0, 0, 0, 0, 0x80], Undecoded::Link),
        ("PPI in PPI of a link not read", 192, vec![0, 0, 8, 0, 147, 0, 0, 0], Undecoded::LinkType),
        ("NFLOG of another version", 239, vec![2, 1, 0, 0], Undecoded::Link),
        ("NFLOG without a packet", 239, vec![2, 0, 0, 0, 5, 0, 10, 0, b'x', 0, 0, 0, 0, 0, 9, 0], Undecoded::Link),
        ("PPP, headers compressed", 9, vec![0xff, 3, 0, 0x2d], Undecoded::Tunnel),
        ("MACsec", 1, [&MACS[..], &[0x88, 0xe5]].concat(), Undecoded::Encrypted),
        ("NSH of no length", 1, [&MACS[..], &[0x89, 0x4f, 0, 1, 1, 1, 0, 0, 5, 255]].concat(), Undecoded::Link),
        ("PPP, encrypted", 9, vec![0xff, 3, 0, 0x53], Undecoded::Encrypted),
    ];
    for (name, link, header, reason) in undecoded {
        assert_eq!(self::undecoded(link, &[&header[..], &v4()].concat()), reason, "{name}");
    }
}

#[test]
fn a_checksum_behind_the_frame_is_no_payload() {
    let offload = patched(v4(), 2, &[0, 0]);
    let with = |flags: u8| segment(127, &[&radiotap(flags, &wifi([8, 1], &[]))[..], &offload, &[1, 2, 3, 4]].concat());
    assert_eq!((with(0x10).payload_len, with(0).payload_len), (16, 20));
}

#[test]
fn labels_and_sessions_are_told() {
    let tunnel = |name: &str| {
        let road = all().into_iter().find(|road| road.name == name).expect("a road of that name");
        let segment = segment(road.link, &[road.header, v4()].concat());
        (segment.vlan.map(VlanId::number), segment.tunnel.map(|tunnel| tunnel.to_string()))
    };
    for (name, vlan, expected) in [
        ("PPPoE", None, Some("PPPoE 7")),
        ("MPLS stack", None, Some("MPLS 16")),
        ("NSH", None, Some("NSH 5")),
        ("802.1ah", Some(5), Some("802.1ah 1000")),
        ("FabricPath", None, Some("FabricPath 1")),
        ("VN-Tag", None, None),
    ] {
        assert_eq!(tunnel(name), (vlan, expected.map(str::to_owned)), "{name}");
    }
}
