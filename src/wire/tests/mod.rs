//! Frames of bytes → what they are. The plain roads here; links, tunnels, fragments and ICMP in files of their own.

mod fragments;
mod headers;
mod icmp;
mod links;
mod never_panics;
mod plain;
mod rebuild;
mod tunnels;

use etherparse::PacketBuilder;

use super::*;
use crate::base::{Endpoint, Seq};

const ETHERNET: u16 = 1;
const RAW: u16 = 101;
const PAYLOAD: &[u8] = b"GET / HTTP/1.1\r\n";

fn frame(link: u16, bytes: &[u8], len: usize) -> Frame<'_> {
    let ts = Timestamp::from_nanos(42);
    Frame { ts, scope: Scope(7), iface: 3, link: LinkType(link), bytes, len: u32::try_from(len).unwrap() }
}

/// One frame, with no frame before it.
fn decode(frame: &Frame<'_>) -> Decoded {
    Decoder::default().decode(frame)
}

fn decoded(link: u16, bytes: &[u8]) -> Decoded {
    decode(&frame(link, bytes, bytes.len()))
}

fn segment(link: u16, bytes: &[u8]) -> Segment {
    match decoded(link, bytes) {
        Decoded::Tcp(segment) => segment,
        other => panic!("{other:?} of link type {link}, {bytes:02x?}"),
    }
}

fn undecoded(link: u16, bytes: &[u8]) -> Undecoded {
    match decoded(link, bytes) {
        Decoded::Undecoded(reason) => reason,
        other => panic!("{other:?} of link type {link}, {bytes:02x?}"),
    }
}

/// 192.0.2.1:4000 > 192.0.2.2:80 with 12 bytes of options (timestamps).
fn v4() -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 61)
        .tcp(4000, 80, 0x0102_0304, 512)
        .ack(0x0506_0708)
        .psh()
        .options_raw(&[1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8])
        .unwrap()
        .write(&mut bytes, PAYLOAD)
        .unwrap();
    bytes
}

fn v6() -> Vec<u8> {
    let mut bytes = Vec::new();
    let (src, dst) =
        ("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap(), "2001:db8::2".parse::<std::net::Ipv6Addr>().unwrap());
    let builder = PacketBuilder::ipv6(src.octets(), dst.octets(), 61).tcp(4000, 80, 7, 512).syn();
    builder.write(&mut bytes, PAYLOAD).unwrap();
    bytes
}

/// `v6` with extension headers (number and bytes each, the first byte of which this fills in) before TCP.
fn v6_with(extensions: &[(u8, &[u8])]) -> Vec<u8> {
    let bytes = v6();
    let (mut header, tcp) = (bytes[..40].to_vec(), &bytes[40..]);
    let mut next = 6;
    let mut chain: Vec<u8> = Vec::new();
    for (number, extension) in extensions.iter().rev() {
        let mut extension = extension.to_vec();
        extension[0] = next;
        chain.splice(0..0, extension);
        next = *number;
    }
    header[6] = next;
    header[4..6].copy_from_slice(&((chain.len() + tcp.len()) as u16).to_be_bytes());
    [&header, &chain, tcp].concat()
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2; 12], &ether_type.to_be_bytes()[..], payload].concat()
}

/// `bytes` with others put at `at`.
fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

#[test]
fn every_field() {
    let bytes = ethernet(0x0800, &v4());
    let mut expected = segment(ETHERNET, &bytes);
    assert_ne!(expected.digest, 0);
    expected.digest = 0;
    let options = Options::default().with_timestamps((9, 8));
    assert_eq!(
        expected,
        Segment {
            ts: Timestamp::from_nanos(42),
            scope: Scope(7),
            iface: 3,
            src: Endpoint::new([192, 0, 2, 1], 4000),
            dst: Endpoint::new([192, 0, 2, 2], 80),
            seq: Seq(0x0102_0304),
            ack: Seq(0x0506_0708),
            flags: Flags::PSH | Flags::ACK,
            window: 512,
            payload_len: 16,
            malformed: false,
            frame_len: 14 + 20 + 32 + 16,
            options,
            ttl: 61,
            vlan: None,
            tunnel: None,
            digest: 0,
            app_records: AppRecords::default(),
        }
    );
    let six = segment(ETHERNET, &ethernet(0x86dd, &v6()));
    assert_eq!(six.src.to_string(), "[2001:db8::1]:4000");
    assert_eq!((six.dst.port(), six.seq, six.flags, six.ttl, six.payload_len), (80, Seq(7), Flags::SYN, 61, 16));
    let all_flags = patched(v4(), 32, &[0x8f, 0xff]);
    assert_eq!(segment(RAW, &all_flags).flags, Flags(0x1ff), "the reserved bits are left out");
}

#[test]
fn every_link_type() {
    let sll = |protocol: u16| [&[0; 14][..], &protocol.to_be_bytes()].concat();
    let sll2 = |protocol: u16| [&protocol.to_be_bytes()[..], &[0; 18]].concat();
    let ether = |kind: u16| ethernet(kind, &[]);
    let family = |family: u32| [family.to_be_bytes().to_vec(), family.to_le_bytes().to_vec()];
    for (links, header4, header6) in [
        (&[1][..], vec![ether(0x0800)], vec![ether(0x86dd)]),
        (&[12, 14, 101], vec![vec![]], vec![vec![]]),
        (&[0, 108], family(2).to_vec(), [10, 24, 28, 30].map(family).concat()),
        (&[113], vec![sll(0x0800)], vec![sll(0x86dd)]),
        (&[276], vec![sll2(0x0800)], vec![sll2(0x86dd)]),
        (&[228], vec![vec![]], vec![]),
        (&[229], vec![], vec![vec![]]),
    ] {
        for link in links {
            for (headers, datagram) in [(&header4, v4()), (&header6, v6())] {
                for header in headers {
                    let segment = segment(*link, &[&header[..], &datagram].concat());
                    assert_eq!((segment.dst.port(), segment.payload_len, segment.vlan), (80, 16, None));
                    assert_eq!(segment.digest, self::segment(RAW, &datagram).digest, "on {link}");
                }
            }
        }
    }
}

#[test]
fn link_headers_that_hold_no_ip() {
    assert_eq!(undecoded(147, &v4()), Undecoded::LinkType);
    for (link, header) in [(1, 14), (0, 4), (108, 4), (113, 16), (276, 20)] {
        for len in 0..header {
            assert_eq!(undecoded(link, &vec![0; len]), Undecoded::Link, "{len} bytes of {link}");
        }
    }
    assert_eq!(decoded(0, &[0, 0, 0, 7, 0x45]), Decoded::NotTcp);
    assert_eq!(decoded(ETHERNET, &ethernet(0x0806, &[0; 28])), Decoded::NotTcp, "ARP");
}

#[test]
fn vlan_tags_keep_the_outermost_id() {
    let tag = |id: u16, next: u16| [(0xe000 | id).to_be_bytes(), next.to_be_bytes()].concat();
    for (kind, tags, vlan) in [
        (0x8100, vec![tag(5, 0x0800)], 5),
        (0x8100, vec![tag(0, 0x0800)], 0),
        (0x88a8, vec![tag(100, 0x8100), tag(7, 0x0800)], 100),
        (0x9100, vec![tag(4095, 0x8100), tag(7, 0x0800)], 4095),
        (0x8100, vec![tag(1, 0x8100), tag(2, 0x88a8), tag(3, 0x9100), tag(4, 0x8100), tag(5, 0x0800)], 1),
    ] {
        let payload = [tags.concat(), v4()].concat();
        let segment = segment(ETHERNET, &ethernet(kind, &payload));
        assert_eq!((segment.vlan.map(VlanId::number), segment.payload_len), (Some(vlan), 16));
        assert_eq!(segment.digest, self::segment(RAW, &v4()).digest);
    }
    assert_eq!(undecoded(ETHERNET, &ethernet(0x8100, &[0, 1, 8])), Undecoded::Link);
    assert_eq!(undecoded(ETHERNET, &ethernet(0x8100, &tag(1, 0x8100).repeat(9))), Undecoded::Link);
    assert_eq!(undecoded(ETHERNET, &ethernet(0x8100, &tag(1, 0x8100).repeat(99))), Undecoded::Tunnel, "too deep");
    let cooked = [&[0; 14][..], &[0x81, 0], &tag(9, 0x0800), &v4()].concat();
    assert_eq!(segment(113, &cooked).vlan.map(VlanId::number), Some(9));
}

#[test]
fn ip_over_snap() {
    let snap = |protocol_id: [u8; 5]| [&[0xaa, 0xaa, 3][..], &protocol_id, &v4()].concat();
    assert_eq!(segment(ETHERNET, &ethernet(90, &snap([0, 0, 0, 8, 0]))).payload_len, 16);
    assert_eq!(decoded(ETHERNET, &ethernet(90, &snap([0, 0, 12, 8, 0]))), Decoded::NotTcp, "Cisco's");
    assert_eq!(decoded(ETHERNET, &ethernet(90, &snap([0, 0, 0, 0, 9]))), Decoded::NotTcp, "a length again");
    assert_eq!(decoded(ETHERNET, &ethernet(90, &[0x42, 0x42, 3])), Decoded::NotTcp, "spanning tree");
}

#[test]
fn ethernet_padding_is_no_payload() {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64)
        .tcp(1, 2, 3, 4)
        .write(&mut bytes, &[])
        .unwrap();
    let bare = segment(ETHERNET, &bytes);
    bytes.resize(60, 0xee);
    let padded = segment(ETHERNET, &bytes);
    assert_eq!((padded.payload_len, padded.frame_len), (0, 60));
    assert_eq!(padded.digest, bare.digest);
}

#[test]
fn total_length_0_is_offload() {
    let bytes = patched(v4(), 2, &[0, 0]);
    assert_eq!(segment(RAW, &bytes).payload_len, 16);
    let Decoded::Tcp(cut) = decode(&frame(RAW, &bytes, 70_000)) else { panic!("TCP") };
    assert_eq!(cut.payload_len, 70_000 - 52, "to the frame's original length");
}

#[test]
fn lengths_that_lie() {
    let tcp_of = |bytes: &[u8], len: usize| match decode(&frame(RAW, bytes, len)) {
        Decoded::Tcp(segment) => Ok(segment.payload_len),
        Decoded::Undecoded(reason) => Err(reason),
        other => panic!("{other:?}: TCP or a reason"),
    };
    let total = |len: u16| patched(v4(), 2, &len.to_be_bytes());
    assert_eq!(tcp_of(&total(1500), 1000), Ok(1000 - 52), "the frame holds less than the header tells");
    assert_eq!(tcp_of(&total(1500), 9000), Ok(1500 - 52), "it holds more");
    assert_eq!(tcp_of(&v4(), 0), Ok(16), "what was captured was there");
    assert_eq!(tcp_of(&total(19), 68), Err(Undecoded::Ip));
    assert_eq!(tcp_of(&total(20), 68), Err(Undecoded::TcpMalformed));
    assert_eq!(tcp_of(&total(35), 68), Err(Undecoded::TcpMalformed), "no room for the window");
    for total in [total(36), total(39), total(51)] {
        assert_eq!(tcp_of(&total, 68), Ok(0), "the header ends past the segment");
        assert!(segment(RAW, &total).malformed);
    }
    assert_eq!(tcp_of(&total(52), 68), Ok(0));
    assert_eq!(tcp_of(&patched(v4(), 0, &[0x44]), 68), Err(Undecoded::Ip), "a header of 16 bytes");
    assert_eq!(tcp_of(&patched(v4(), 0, &[0x55]), 68), Err(Undecoded::Ip), "IP version 5");
    for offset in [0x00, 0x10, 0x40] {
        assert_eq!(tcp_of(&patched(v4(), 32, &[offset]), 68), Err(Undecoded::TcpMalformed));
    }
    assert_eq!(tcp_of(&patched(v4(), 32, &[0xc0]), 68), Ok(0), "48 bytes of header are all of it");
    assert!(!segment(RAW, &patched(v4(), 32, &[0xc0])).malformed);
    assert!(segment(RAW, &patched(v4(), 32, &[0xd0])).malformed);
}

#[test]
fn cut_by_the_snap_length() {
    for (datagram, header, needed) in [(v4(), 52, 36), (v6(), 60, 56)] {
        let whole = segment(RAW, &datagram);
        for cut in 0..datagram.len() {
            match decode(&frame(RAW, &datagram[..cut], datagram.len())) {
                Decoded::Tcp(segment) => {
                    assert!(cut >= needed);
                    assert_eq!(segment.options.cut(), cut < header);
                    assert_eq!((segment.payload_len, segment.seq, segment.flags), (16, whole.seq, whole.flags));
                    assert_eq!(segment.frame_len, whole.frame_len);
                }
                Decoded::Undecoded(Undecoded::Ip) => assert!(cut < needed - 16),
                Decoded::Undecoded(Undecoded::TcpCut) => assert!((needed - 16..needed).contains(&cut)),
                other => panic!("{other:?} at {cut}"),
            }
        }
    }
    let Decoded::Tcp(cut) = decode(&frame(RAW, &v4()[..50], 68)) else { panic!("TCP") };
    assert_eq!(cut.options, Options::default().with_cut(true), "half an option is none");
}

#[test]
fn ipv4_options_and_authentication() {
    let options = patched(v4(), 0, &[0x46]);
    let with_options = [&options[..20], &[1, 1, 1, 0], &options[20..]].concat();
    let bytes = patched(with_options, 2, &72u16.to_be_bytes());
    assert_eq!((segment(RAW, &bytes).payload_len, segment(RAW, &bytes).dst.port()), (16, 80));

    let plain = v4();
    let authentication = [6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
    let bytes = [&plain[..20], &authentication, &plain[20..]].concat();
    let bytes = patched(patched(bytes, 2, &92u16.to_be_bytes()), 9, &[51]);
    assert_eq!((segment(RAW, &bytes).payload_len, segment(RAW, &bytes).dst.port()), (16, 80));
}

#[test]
fn ipv6_extension_headers() {
    let eight: &[u8] = &[0, 0, 1, 4, 0, 0, 0, 0];
    let sixteen: &[u8] = &[0, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let authentication: &[u8] = &[0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
    let atomic: &[u8] = &[0, 0, 0, 0, 1, 2, 3, 4];
    for chain in [
        &[(0, eight)][..],
        &[(43, eight)],
        &[(60, sixteen)],
        &[(51, authentication)],
        &[(44, atomic)],
        &[(0, sixteen), (60, eight), (43, eight), (44, atomic), (51, authentication), (60, eight)],
    ] {
        let segment = segment(RAW, &v6_with(chain));
        assert_eq!((segment.payload_len, segment.dst.port(), segment.ttl), (16, 80, 61), "{chain:?}");
    }
    let beyond: &[u8] = &[0, 200, 0, 0, 0, 0, 0, 0];
    assert_eq!(undecoded(RAW, &v6_with(&[(60, beyond)])), Undecoded::Ip);
    assert_eq!(undecoded(RAW, &v6_with(&[(60, eight), (0, eight)])), Undecoded::Ip, "hop-by-hop must be first");
}

#[test]
fn ipv6_without_a_payload_length() {
    let none = |bytes: Vec<u8>| patched(bytes, 4, &[0, 0]);
    assert_eq!(undecoded(RAW, &none(v6())), Undecoded::Ip);
    let jumbo = |len: u32| {
        let option = [&[0, 0, 0xc2, 4], &len.to_be_bytes()[..]].concat();
        none(v6_with(&[(0, &option)]))
    };
    let payload = |bytes: &[u8], len: usize| match decode(&frame(RAW, bytes, len)) {
        Decoded::Tcp(segment) => Some(segment.payload_len),
        _ => None,
    };
    assert_eq!(payload(&jumbo(100_000), 200_000), Some(100_000 - 8 - 20));
    assert_eq!(payload(&jumbo(100_000), 90_000), Some(90_000 - 40 - 8 - 20));
    assert_eq!(payload(&jumbo(65_535), 60_000), None, "a jumbo option may not tell so little");
    assert_eq!(payload(&none(v6()), 80_000), Some(80_000 - 60), "Linux leaves the option out");
    assert_eq!(payload(&none(v6()), 65_575), None, "65,535 could have been told");
}

#[test]
fn what_is_not_tcp() {
    let protocol = |number: u8| patched(v4(), 9, &[number]);
    for number in [1, 2, 17, 50, 132] {
        assert_eq!(decoded(RAW, &protocol(number)), Decoded::NotTcp);
    }
}

#[test]
fn the_digest_tells_datagrams_apart_and_hops_not() {
    let digest = |bytes: Vec<u8>| segment(RAW, &bytes).digest;
    let original = digest(v4());
    assert_eq!(digest(patched(v4(), 8, &[60])), original, "TTL");
    assert_eq!(digest(patched(v4(), 10, &[1, 2])), original, "header checksum");
    assert_ne!(digest(patched(v4(), 4, &[1, 2])), original, "IP identification");
    assert_ne!(digest(patched(v4(), 27, &[9])), original, "sequence number");
    assert_eq!(digest(patched(v6(), 7, &[60])), digest(v6()), "hop limit");
}

#[test]
fn mapped_addresses_become_ipv4() {
    let mapped = patched(v6(), 8, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]);
    assert_eq!(segment(RAW, &mapped).src, Endpoint::new([192, 0, 2, 1], 4000));
}

#[test]
fn counts_add_up() {
    let mut counts = FrameCounts::default();
    for (link, bytes) in [(RAW, v4()), (RAW, vec![]), (147, v4()), (ETHERNET, ethernet(0x0806, &[])), (RAW, v6())] {
        counts.count(&decoded(link, &bytes));
    }
    assert_eq!((counts.frames, counts.segments, counts.not_tcp, counts.undecoded_total()), (5, 2, 1, 2));
    assert_eq!((counts.undecoded(Undecoded::Ip), counts.undecoded(Undecoded::LinkType)), (1, 1));
    assert!(Undecoded::ALL.iter().enumerate().all(|(at, reason)| *reason as usize == at));
}

/// What a frame carries, as text.
fn carried(decoder: &mut Decoder, frame: &Frame<'_>) -> Option<String> {
    let mut shown = None;
    decoder.open(frame, |carried| {
        let text = match carried {
            Carried::Tcp(segment, payload) => format!("{} {}", segment.dst.port(), String::from_utf8_lossy(payload)),
            Carried::Dns { src, dst, payload } => format!("{src} {dst} {}", String::from_utf8_lossy(payload)),
        };
        assert!(shown.replace(text).is_none(), "once");
    });
    shown
}

#[test]
fn payloads_are_shown_as_far_as_they_were_captured() {
    let (bytes, payload) = (v4(), "80 GET / HTTP/1.1\r\n");
    let head = bytes.len() - PAYLOAD.len();
    let show = |bytes: &[u8], len: usize| carried(&mut Decoder::default(), &frame(RAW, bytes, len));
    assert_eq!(show(&bytes, bytes.len()).as_deref(), Some(payload));
    assert_eq!(show(&bytes[..head + 3], bytes.len()).as_deref(), Some("80 GET"));
    assert_eq!(show(&bytes[..head], bytes.len()), None, "nothing of it was captured");
    let padded = [&bytes[..], &[0; 6]].concat();
    assert_eq!(show(&padded, padded.len()).as_deref(), Some(payload), "link padding is no payload");
    let mut beyond = bytes.clone();
    beyond[32] = 0xf0;
    assert_eq!(show(&beyond, beyond.len()), None, "a header that ends past its datagram");
}

#[test]
fn datagrams_of_dns_are_shown_and_count_as_not_tcp() {
    let datagram = |port: u16| {
        let mut bytes = Vec::new();
        PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 61).udp(4000, port).write(&mut bytes, b"query").unwrap();
        bytes
    };
    let mut decoder = Decoder::default();
    let (dns, other) = (datagram(53), datagram(54));
    let shown = carried(&mut decoder, &frame(RAW, &dns, dns.len()));
    assert_eq!(shown.as_deref(), Some("192.0.2.1:4000 192.0.2.2:53 query"));
    assert_eq!(carried(&mut decoder, &frame(RAW, &other, other.len())), None);
    assert_eq!((decoder.counts().frames, decoder.counts().not_tcp), (2, 2));
}
