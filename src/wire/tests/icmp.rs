//! ICMP errors that quote TCP.

use super::tunnels::{ipv4, ipv6};
use super::*;

/// An error from a router (10.0.0.1 or fd00::1) that quotes `quoted`.
fn error(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ipv4(1, &[&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat())
}

fn error_v6(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ipv6(58, &[&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat())
}

pub(super) fn all() -> Vec<Vec<u8>> {
    vec![error(3, 10, &v4()), error(3, 1, &v4()[..28]), error_v6(1, 1, &v6())]
}

fn quote(bytes: &[u8]) -> Option<IcmpQuote> {
    match decoded(RAW, bytes) {
        Decoded::Icmp(quote) => Some(quote),
        Decoded::NotTcp => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_said_what_of_which_segment() {
    let expected = IcmpQuote {
        ts: Timestamp::from_nanos(42),
        scope: Scope(7),
        from: [10, 0, 0, 1].into(),
        error: IcmpError { v6: false, kind: 3, code: 10 },
        src: Endpoint::new([192, 0, 2, 1], 4000),
        dst: Endpoint::new([192, 0, 2, 2], 80),
        seq: Seq(0x0102_0304),
        flags: Some(Flags::PSH | Flags::ACK),
        mtu: None,
    };
    assert_eq!(quote(&error(3, 10, &v4())), Some(expected));
    let short = IcmpQuote { flags: None, ..expected };
    assert_eq!(quote(&error(3, 10, &v4()[..28])), Some(short), "the eight bytes of RFC 792");
    assert_eq!(quote(&error(3, 10, &v4()[..33])), Some(short), "half of the flags");
    let six = quote(&error_v6(1, 1, &v6())).expect("a quote");
    assert_eq!((six.from.to_string(), six.seq, six.flags), ("fd00::1".to_owned(), Seq(7), Some(Flags::SYN)));
    assert_eq!(six.error.meaning(), "administratively prohibited");
}

#[test]
fn what_the_next_link_takes_is_told_where_it_is() {
    let mtu = |protocol: u8, kind: u8, code: u8, rest: [u8; 4]| {
        let head = [&[kind, code, 0, 0], &rest[..]].concat();
        let bytes =
            if protocol == 1 { ipv4(1, &[&head, &v4()[..]].concat()) } else { ipv6(58, &[&head, &v6()[..]].concat()) };
        quote(&bytes).expect("a quote").mtu
    };
    assert_eq!(mtu(1, 3, 4, [9, 9, 0x05, 0x78]), Some(1_400), "the first half is unused (RFC 1191 §4)");
    assert_eq!(mtu(1, 3, 4, [9, 9, 0, 0]), None, "of an old router");
    assert_eq!(mtu(1, 3, 1, [0, 0, 0x05, 0x78]), None, "unreachable");
    assert_eq!(mtu(58, 2, 0, [0, 1, 0x05, 0x78]), Some(66_936));
    assert_eq!(mtu(58, 1, 0, [0, 0, 0x05, 0x78]), None);
}

#[test]
fn what_quotes_no_tcp() {
    for (name, bytes) in [
        ("a short quote", error(3, 1, &v4()[..27])),
        ("another protocol", error(3, 1, &patched(v4(), 9, &[17]))),
        ("a later fragment", error(3, 1, &patched(v4(), 6, &[0, 1]))),
        ("an echo request", error(8, 0, &v4())),
        ("a redirect", error(5, 0, &v4())),
        ("an ICMPv6 echo", error_v6(128, 0, &v6())),
        ("a cut header", error(3, 1, &[])),
    ] {
        assert_eq!(quote(&bytes), None, "{name}");
    }
}

#[test]
fn a_quoted_segment_counts_as_none() {
    let mut decoder = Decoder::default();
    let bytes = error(3, 3, &v4());
    decoder.decode(&frame(RAW, &bytes, bytes.len()));
    let counts = decoder.counts();
    assert_eq!((counts.frames, counts.segments, counts.not_tcp, counts.undecoded_total()), (1, 0, 1, 0));
}

#[test]
fn meanings() {
    let error = |v6, kind, code| IcmpError { v6, kind, code };
    for (error, meaning, unreachable) in [
        (error(false, 3, 0), "network unreachable", true),
        (error(false, 3, 1), "host unreachable", true),
        (error(false, 3, 3), "port unreachable", true),
        (error(false, 3, 4), "fragmentation needed", false),
        (error(false, 3, 9), "network prohibited", true),
        (error(false, 3, 10), "host prohibited", true),
        (error(false, 3, 13), "administratively prohibited", true),
        (error(false, 3, 99), "unreachable", true),
        (error(false, 11, 0), "time to live exceeded", false),
        (error(false, 12, 0), "parameter problem", false),
        (error(true, 1, 0), "no route", true),
        (error(true, 1, 3), "address unreachable", true),
        (error(true, 1, 4), "port unreachable", true),
        (error(true, 2, 0), "packet too big", false),
        (error(true, 3, 0), "time to live exceeded", false),
    ] {
        assert_eq!((error.to_string().as_str(), error.is_unreachable()), (meaning, unreachable));
    }
}
