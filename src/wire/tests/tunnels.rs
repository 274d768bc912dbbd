//! Every tunnel: its headers as they stand on the wire, nested, and what looks like one and is not.

use super::*;

/// A datagram that holds another through a tunnel.
pub(super) struct Road {
    name: &'static str,
    pub(super) bytes: Vec<u8>,
    tunnel: &'static str,
}

/// `payload` in an IPv4 datagram of another protocol.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    let header = [0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&header[..], payload].concat()
}

pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u16).to_be_bytes();
    let mut addresses = [0; 32];
    (addresses[0], addresses[15], addresses[16], addresses[31]) = (0xfd, 1, 0xfd, 2);
    [&[0x60, 0, 0, 0, len[0], len[1], next, 64], &addresses[..], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    let header = [[0xc0, 0], port.to_be_bytes(), len, [0, 0]].concat();
    ipv4(17, &[&header[..], payload].concat())
}

fn gre(header: &[u8], payload: &[u8]) -> Vec<u8> {
    ipv4(47, &[header, payload].concat())
}

fn over(header: &[u8], payload: &[u8]) -> Vec<u8> {
    [header, payload].concat()
}

pub(super) fn all() -> Vec<Road> {
    let road = |name, bytes, tunnel| Road { name, bytes, tunnel };
    let ether = ethernet(0x0800, &v4());
    let wifi = [&[8, 1][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &v4()].concat();
    let swapped = patched(wifi.clone(), 0, &[1, 8]);
    vec![
        road("IPv4 in IPv4", ipv4(4, &v4()), "IP in IP"),
        road("IPv6 in IPv4 (6to4)", ipv4(41, &v6()), "IP in IP"),
        road("IPv4 in IPv6", ipv6(4, &v4()), "IP in IP"),
        road("IPv6 in IPv6", ipv6(41, &v6()), "IP in IP"),
        road("GRE", gre(&[0, 0, 8, 0], &v4()), "GRE"),
        road("GRE of IPv6", gre(&[0, 0, 0x86, 0xdd], &v6()), "GRE"),
        road("GRE in IPv6", ipv6(47, &over(&[0, 0, 8, 0], &v4())), "GRE"),
        road(
            "GRE, checksum, key, sequence",
            gre(&[0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9], &v4()),
            "GRE 258",
        ),
        road("GRE, routed", gre(&[0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 1, 1, 1, 0, 0, 0, 0], &v4()), "GRE"),
        road("GRE, transparent Ethernet", gre(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 7], &ether), "GRE 7"),
        road("GRE of MPLS", gre(&[0, 0, 0x88, 0x47, 0, 1, 1, 64], &v4()), "GRE"),
        road(
            "PPTP",
            gre(&[0x30, 0x81, 0x88, 0x0b, 0, 72, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21], &v4()),
            "GRE 4718597",
        ),
        road("WCCP", gre(&[0, 0, 0x88, 0x3e, 0, 0, 0, 0], &v4()), "GRE"),
        road("WCCP, first version", gre(&[0, 0, 0x88, 0x3e], &v4()), "GRE"),
        road("ERSPAN I", gre(&[0, 0, 0x88, 0xbe], &ether), "ERSPAN"),
        road("ERSPAN II", gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 0x64, 0, 0, 0, 0], &ether), "ERSPAN 100"),
        road(
            "ERSPAN III",
            gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 0x64, 0, 0, 0, 0, 0, 0, 0, 0], &ether),
            "ERSPAN 100",
        ),
        road(
            "ERSPAN III, subheader, of IP",
            gre(
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0],
                &v4(),
            ),
            "ERSPAN 1",
        ),
        road("VXLAN", udp(4789, &over(&[8, 0, 0, 0, 0, 0, 42, 0], &ether)), "VXLAN 42"),
        road("VXLAN as Linux had it", udp(8472, &over(&[8, 0, 0, 0, 0, 0, 1, 0], &ether)), "VXLAN 1"),
        road("VXLAN-GPE", udp(4790, &over(&[0x0c, 0, 0, 1, 0, 0, 42, 0], &v4())), "VXLAN 42"),
        road("VXLAN-GPE of Ethernet", udp(4790, &over(&[0x0c, 0, 0, 3, 0, 0, 42, 0], &ether)), "VXLAN 42"),
        road("Geneve", udp(6081, &over(&[0, 0, 0x65, 0x58, 0, 0, 42, 0], &ether)), "Geneve 42"),
        road("Geneve, options, of IP", udp(6081, &over(&[1, 0, 8, 0, 0, 0, 42, 0, 9, 9, 9, 9], &v4())), "Geneve 42"),
        road("GTP-U", udp(2152, &over(&[0x30, 0xff, 0, 68, 0, 0, 0, 3], &v4())), "GTP-U 3"),
        road("GTP-U, sequence", udp(2152, &over(&[0x32, 0xff, 0, 72, 0, 0, 0, 3, 0, 1, 0, 0], &v4())), "GTP-U 3"),
        road(
            "GTP-U, extensions",
            udp(2152, &over(&[0x34, 0xff, 0, 80, 0, 0, 0, 3, 0, 0, 0, 0x85, 1, 0, 9, 0xc0, 1, 0, 0, 0], &v4())),
            "GTP-U 3",
        ),
        road("Teredo", udp(3544, &v6()), "Teredo"),
        road(
            "Teredo, authenticated, with origin",
            udp(3544, &over(&[0, 1, 1, 1, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6], &v6())),
            "Teredo",
        ),
        road("L2TP", udp(1701, &over(&[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &v4())), "L2TP 65538"),
        road(
            "L2TP, length, sequence, offset",
            udp(1701, &over(&[0x4a, 2, 0, 86, 0, 1, 0, 2, 0, 0, 0, 0, 0, 2, 7, 7, 0, 0x21], &v4())),
            "L2TP 65538",
        ),
        road("GRE in UDP", udp(4754, &over(&[0, 0, 8, 0], &v4())), "GRE"),
        road("AYIYA", udp(5072, &over(&[&[0x41, 0x52, 0x11, 41, 0, 0, 0, 0][..], &[7; 36]].concat(), &v6())), "AYIYA"),
        road("LISP", udp(4341, &over(&[0x80, 0, 0, 1, 0, 0, 0, 1], &v4())), "LISP"),
        road("CAPWAP of Ethernet", udp(5247, &over(&[0, 0x10, 2, 0, 0, 0, 0, 0], &ether)), "CAPWAP"),
        road("CAPWAP of 802.11", udp(5247, &over(&[0, 0x10, 3, 0, 0, 0, 0, 0], &wifi)), "CAPWAP"),
        road("CAPWAP of 802.11, as Cisco has it", udp(5247, &over(&[0, 0x10, 3, 0, 0, 0, 0, 0], &swapped)), "CAPWAP"),
        road("TZSP", udp(37008, &over(&[1, 0, 0, 1, 0, 13, 1, 9, 1], &ether)), "TZSP"),
        road("Aruba's GRE", gre(&[0, 0, 0x82, 0x10], &wifi), "GRE"),
        road("GRE of Frame Relay", gre(&[0, 0, 0x65, 0x59, 0x18, 0x41, 3, 0xcc], &v4()), "GRE"),
        road("Ethernet in IPv6", ipv6(143, &ether), "none"),
        road(
            "NSH in VXLAN-GPE",
            udp(4790, &over(&[0x0c, 0, 0, 4, 0, 0, 42, 0, 0, 2, 2, 3, 0, 0, 5, 255], &ether)),
            "VXLAN 42",
        ),
        road("MPLS in UDP", udp(6635, &over(&[0, 1, 1, 64], &v4())), "MPLS 16"),
        road("MPLS in IP", ipv4(137, &over(&[0, 1, 1, 64], &v4())), "MPLS 16"),
        road("EtherIP", ipv4(97, &over(&[0x30, 0], &ether)), "EtherIP"),
        road(
            "VXLAN in GRE in IPv6",
            ipv6(47, &over(&[0, 0, 8, 0], &udp(4789, &over(&[8, 0, 0, 0, 0, 0, 42, 0], &ether)))),
            "GRE",
        ),
    ]
}

#[test]
fn every_tunnel_leads_to_its_inner_segment() {
    for road in all() {
        let Decoded::Tcp(got) = decoded(RAW, &road.bytes) else {
            panic!("{}: {:?}", road.name, decoded(RAW, &road.bytes))
        };
        let inner = if got.src.ip().is_ipv4() { v4() } else { v6() };
        let alone = segment(RAW, &inner);
        let expected = Segment { frame_len: road.bytes.len() as u32, tunnel: got.tunnel, ..alone };
        assert_eq!(got, expected, "{}", road.name);
        assert_eq!(got.tunnel.map_or("none".to_owned(), |tunnel| tunnel.to_string()), road.tunnel, "{}", road.name);
    }
}

#[test]
fn a_cut_tunnel_header_is_counted_and_no_guess() {
    for road in all() {
        let len = road.bytes.len();
        for cut in 0..len - 36 {
            match decode(&frame(RAW, &road.bytes[..cut], len)) {
                Decoded::Tcp(got) => {
                    let cut_segment = Segment { options: Options::default(), digest: 0, ..got };
                    let whole = Segment { options: Options::default(), digest: 0, ..segment(RAW, &road.bytes) };
                    assert_eq!(cut_segment, whole, "{} cut at {cut}", road.name);
                }
                Decoded::Icmp(quote) => panic!("{} cut at {cut}: {quote:?}", road.name),
                Decoded::NotTcp | Decoded::Undecoded(_) => {}
            }
        }
    }
}

#[test]
fn ports_met_by_chance_and_other_messages_are_no_tunnel() {
    let ether = ethernet(0x0800, &v4());
    for (name, bytes) in [
        ("no tunnel's port", udp(4788, &over(&[8, 0, 0, 0, 0, 0, 42, 0], &ether))),
        ("VXLAN without an instance", udp(4789, &over(&[0, 0, 0, 0, 0, 0, 42, 0], &ether))),
        ("VXLAN-GPE of something else", udp(4790, &over(&[0x0c, 0, 0, 9, 0, 0, 42, 0], &v4()))),
        ("Geneve of another version", udp(6081, &over(&[0x40, 0, 0x65, 0x58, 0, 0, 42, 0], &ether))),
        ("GTP echo", udp(2152, &over(&[0x32, 1, 0, 68, 0, 0, 0, 3, 0, 0, 0, 0], &v4()))),
        ("GTP of another version", udp(2152, &over(&[0x50, 0xff, 0, 68, 0, 0, 0, 3], &v4()))),
        ("GTP-U of something else", udp(2152, &over(&[0x30, 0xff, 0, 68, 0, 0, 0, 3, 0], &v4()))),
        ("Teredo of IPv4", udp(3544, &v4())),
        ("L2TP control", udp(1701, &over(&[0xc8, 2, 0, 84, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0x21], &v4()))),
        ("L2TP of version 3", udp(1701, &over(&[0, 3, 0, 1, 0, 2, 0, 0x21], &v4()))),
        ("AYIYA without a payload", udp(5072, &over(&[0x41, 0x52, 0x10, 59, 0, 0, 0, 0], &v4()))),
        ("LISP of something else", udp(4341, &over(&[0x80, 0, 0, 1, 0, 0, 0, 1, 0], &v4()))),
        ("CAPWAP's keep-alive", udp(5247, &over(&[0, 0x10, 2, 8, 0, 0, 0, 0], &ether))),
        ("TZSP of another version", udp(37008, &over(&[2, 0, 0, 1, 1], &ether))),
        ("GRE of something else", gre(&[0, 0, 0x12, 0x34], &v4())),
        (
            "ERSPAN III of InfiniBand",
            gre(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0], &ether),
        ),
    ] {
        assert_eq!(decoded(RAW, &bytes), Decoded::NotTcp, "{name}");
    }
    assert_eq!(undecoded(RAW, &udp(5247, &over(&[1, 0, 0, 0], &ether))), Undecoded::Encrypted, "CAPWAP in DTLS");
    assert_eq!(undecoded(RAW, &udp(5247, &over(&[0, 0x10, 2, 0x80, 0, 0, 0, 0], &ether))), Undecoded::Fragment);
    for (name, bytes) in [
        ("TZSP without end", udp(37008, &[1, 0, 0, 1, 0, 0])),
        ("CAPWAP of no length", udp(5247, &over(&[0, 0, 2, 0, 0, 0, 0, 0], &ether))),
        ("GRE of version 2", gre(&[0, 2, 8, 0], &v4())),
        ("GRE, routing without end", gre(&[0x40, 0, 8, 0, 0, 0, 0, 0], &[0, 1].repeat(9))),
        ("ERSPAN II of another version", gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x30, 5, 0, 1, 0, 0, 0, 0], &ether)),
        (
            "GTP-U, an extension of no length",
            udp(2152, &over(&[0x34, 0xff, 0, 80, 0, 0, 0, 3, 0, 0, 0, 0x85, 0], &v4())),
        ),
    ] {
        assert_eq!(undecoded(RAW, &bytes), Undecoded::Tunnel, "{name}");
    }
}

#[test]
fn the_tunnels_source_port_counts_too() {
    let bytes = patched(
        patched(udp(4789, &over(&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(0x0800, &v4()))), 20, &[0x12, 0xb5]),
        22,
        &[0, 53],
    );
    assert_eq!(segment(RAW, &bytes).dst.port(), 80);
}

#[test]
fn tunnels_nest_to_a_bound() {
    let nested = |times: usize| (0..times).fold(v4(), |inner, _| ipv4(4, &inner));
    assert_eq!(segment(RAW, &nested(7)).payload_len, 16);
    assert_eq!(undecoded(RAW, &nested(8)), Undecoded::Tunnel);
}

#[test]
fn the_inner_length_is_bounded_by_the_outer_datagram() {
    let padded = [&ipv4(4, &patched(v4(), 2, &[0, 0]))[..], &[0; 30]].concat();
    assert_eq!(segment(RAW, &padded).payload_len, 16, "what follows the outer datagram is padding");
}
