//! How much of a frame is headers.

use super::*;
use crate::wire::headers::place;

/// An Ethernet header before an IPv4 datagram.
fn over_ethernet(datagram: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &[8, 0], datagram].concat()
}

fn headers(link: u16, bytes: &[u8]) -> usize {
    let frame = frame(link, bytes, bytes.len());
    let len = frame.headers_len();
    assert!(frame.plain_headers_len().is_none_or(|short| short == len), "both ways lead there");
    len
}

#[test]
fn headers_end_where_the_payload_begins() {
    let tcp = v4();
    let in_all = tcp.len() - PAYLOAD.len();
    assert_eq!(headers(RAW, &tcp), in_all);
    assert_eq!(headers(ETHERNET, &over_ethernet(&tcp)), 14 + in_all);
    assert_eq!(headers(RAW, &v6()), 60);
    assert_eq!(headers(RAW, &tcp[..30]), 30, "no more than was captured");
    for port in [53, 9] {
        let mut udp = Vec::new();
        let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 61).udp(port, 4000);
        builder.write(&mut udp, b"what nobody may read").unwrap();
        assert_eq!(headers(RAW, &udp), 28, "from port {port}");
    }
    assert_eq!(headers(ETHERNET, &[1; 200]), 0, "nothing known");
}

#[test]
fn an_icmp_error_keeps_the_headers_that_it_quotes() {
    let mut error = Vec::new();
    let quoted = [v4(), vec![7; 100]].concat();
    let kind = etherparse::Icmpv4Type::Unknown { type_u8: 3, code_u8: 1, bytes5to8: [0; 4] };
    PacketBuilder::ipv4([192, 0, 2, 9], [192, 0, 2, 1], 61).icmpv4(kind).write(&mut error, &quoted).unwrap();
    let kept = headers(RAW, &error);
    assert_eq!(kept, 20 + 8 + (quoted.len() - PAYLOAD.len() - 100), "its options too");
    let Decoded::Icmp(whole) = decoded(RAW, &error) else { panic!("an error") };
    let Decoded::Icmp(cut) = decode(&frame(RAW, &error[..kept], error.len())) else { panic!("an error") };
    assert_eq!(whole, cut);
}

#[test]
fn of_a_fragment_only_its_own_headers_are_kept() {
    let fragment = |offset: u16, more: bool| {
        let mut bytes = v4();
        let place = (offset / 8) | if more { 0x2000 } else { 0 };
        bytes[6..8].copy_from_slice(&place.to_be_bytes());
        bytes
    };
    let whole = v4().len() - PAYLOAD.len();
    assert_eq!(headers(RAW, &fragment(0, true)), whole);
    assert_eq!(headers(RAW, &fragment(800, false)), 20);
}

#[test]
fn a_part_is_found_only_where_it_is() {
    let bytes = v4();
    assert_eq!(place(&bytes, &bytes[20..25]), Some(20));
    assert_eq!(place(&bytes, &bytes[bytes.len()..]), Some(bytes.len()));
    assert_eq!(place(&bytes, &bytes.clone()), None);
}
