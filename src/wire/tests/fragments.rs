//! Fragments: joined in any order, bounded, and refused where they contradict each other.

use super::tunnels::{ipv4, ipv6};
use super::*;

/// A fragment of an IPv4 or IPv6 datagram that carries TCP.
pub(super) fn fragment(six: bool, id: u16, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    fragment_of(6, six, id, offset, more, payload)
}

fn fragment_of(protocol: u8, six: bool, id: u16, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    let id = id.to_be_bytes();
    if six {
        let place = (offset | u16::from(more)).to_be_bytes();
        let header = [protocol, 0, place[0], place[1], 0, 0, id[0], id[1]];
        return ipv6(44, &[&header[..], payload].concat());
    }
    let place = ((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes();
    patched(patched(ipv4(protocol, payload), 4, &id), 6, &place)
}

/// The TCP part of `v4` in three parts: 16, 24 and 8 bytes.
fn parts(six: bool) -> [Vec<u8>; 3] {
    let tcp = &v4()[20..];
    [
        fragment(six, 7, 0, true, &tcp[..16]),
        fragment(six, 7, 16, true, &tcp[16..40]),
        fragment(six, 7, 40, false, &tcp[40..]),
    ]
}

fn at(secs: i64, bytes: &[u8]) -> Frame<'_> {
    Frame { ts: Timestamp::from_nanos(secs * 1_000_000_000), ..frame(RAW, bytes, bytes.len()) }
}

/// What each of the frames was, one a second.
fn run(decoder: &mut Decoder, frames: &[&[u8]]) -> Vec<Decoded> {
    frames.iter().zip(0..).map(|(bytes, secs)| decoder.decode(&at(secs, bytes))).collect()
}

const WAITS: Decoded = Decoded::Undecoded(Undecoded::Fragment);
const OVERLAPS: Decoded = Decoded::Undecoded(Undecoded::Overlap);

#[test]
fn joined_in_any_order_at_the_last_ones_time() {
    for six in [false, true] {
        let parts = parts(six);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut decoder = Decoder::default();
            let got = run(&mut decoder, &order.map(|at| &parts[at][..]));
            assert_eq!(got[..2], [WAITS, WAITS]);
            let Decoded::Tcp(segment) = &got[2] else { panic!("{:?} in {order:?}", got[2]) };
            assert_eq!((segment.ts, segment.payload_len, segment.dst.port()), (at(2, &[]).ts, 16, 80));
            assert_eq!(segment.options.timestamps(), Some((9, 8)));
            let counts = decoder.counts();
            assert_eq!((counts.frames, counts.segments, counts.joined, counts.undecoded_total()), (3, 1, 2, 0));
        }
    }
}

#[test]
fn the_digest_of_a_joined_datagram_is_the_same_whatever_its_order() {
    let [a, b, c] = &parts(false);
    let digest = |frames: [&[u8]; 3]| match run(&mut Decoder::default(), &frames).pop() {
        Some(Decoded::Tcp(segment)) => segment.digest,
        other => panic!("{other:?}"),
    };
    assert_eq!(digest([a, b, c]), digest([c, b, a]));
}

#[test]
fn a_repeated_fragment_is_passed_over() {
    let [a, b, c] = &parts(false);
    let mut decoder = Decoder::default();
    let got = run(&mut decoder, &[a, b, a, b, c]);
    assert!(matches!(got[4], Decoded::Tcp(_)), "{:?}", got[4]);
    assert_eq!((decoder.counts().joined, decoder.counts().undecoded_total()), (4, 0));
}

#[test]
fn whatever_overlaps_spoils_its_datagram() {
    let tcp = &v4()[20..];
    for six in [false, true] {
        let [a, b, c] = &parts(six);
        for (name, other) in [
            ("into the next", fragment(six, 7, 8, true, &tcp[8..24])),
            ("the same place, other bytes", fragment(six, 7, 16, true, &[9; 24])),
            ("the same place, shorter", fragment(six, 7, 16, true, &tcp[16..24])),
            ("around it", fragment(six, 7, 8, true, &tcp[8..])),
            ("another end", fragment(six, 7, 48, false, &[9; 8])),
            ("past the end", fragment(six, 7, 48, true, &[9; 8])),
            ("an end before", fragment(six, 7, 8, false, &tcp[8..16])),
        ] {
            let got = run(&mut Decoder::default(), &[c, b, &other, a, b, c]);
            assert_eq!(got[..2], [WAITS, WAITS], "{name}");
            assert_eq!(got[2..], [OVERLAPS, OVERLAPS, OVERLAPS, OVERLAPS], "{name}");
        }
    }
}

#[test]
fn what_tells_datagrams_apart() {
    let [a, b, c] = &parts(false);
    for (name, other) in [
        ("identification", patched(b.clone(), 5, &[8])),
        ("source", patched(b.clone(), 15, &[8])),
        ("destination", patched(b.clone(), 19, &[8])),
        ("protocol", patched(b.clone(), 9, &[17])),
    ] {
        let got = run(&mut Decoder::default(), &[a, &other, c]);
        assert_eq!(got, [WAITS, WAITS, WAITS], "{name}");
    }
    let mut decoder = Decoder::default();
    let other_scope = Frame { scope: Scope(8), ..at(1, b) };
    for (frame, expected) in [(at(0, a), WAITS), (other_scope, WAITS), (at(2, c), WAITS)] {
        assert_eq!(decoder.decode(&frame), expected);
    }
}

#[test]
fn a_datagram_that_takes_over_a_minute_is_forgotten() {
    let [a, b, c] = &parts(false);
    for (last, joined) in [(60, true), (61, false)] {
        let mut decoder = Decoder::default();
        decoder.decode(&at(0, a));
        decoder.decode(&at(1, b));
        assert_eq!(matches!(decoder.decode(&at(last, c)), Decoded::Tcp(_)), joined, "after {last} s");
    }
}

#[test]
fn memory_is_bounded() {
    let mut decoder = Decoder::default();
    let [a, b, c] = &parts(false);
    decoder.decode(&at(0, a));
    for id in 0..1024 {
        decoder.decode(&at(0, &fragment(false, 1000 + id, 0, true, &[0; 8])));
    }
    assert_eq!([b, c].map(|bytes| decoder.decode(&at(0, bytes))), [WAITS, WAITS], "the oldest went");
    let mut decoder = Decoder::default();
    decoder.decode(&at(0, a));
    for id in 0..66 {
        decoder.decode(&at(0, &fragment(false, 1000 + id, 0, true, &vec![0; 65_504])));
    }
    assert_eq!([b, c].map(|bytes| decoder.decode(&at(0, bytes))), [WAITS, WAITS], "the oldest went");
    let mut decoder = Decoder::default();
    decoder.decode(&at(0, a));
    for id in 0..60 {
        decoder.decode(&at(0, &fragment(false, 1000 + id, 0, true, &vec![0; 65_504])));
    }
    assert_eq!(decoder.decode(&at(0, b)), WAITS);
    assert!(matches!(decoder.decode(&at(0, c)), Decoded::Tcp(_)), "4 MB may wait");
}

#[test]
fn impossible_fragments() {
    assert_eq!(undecoded(RAW, &fragment(false, 7, 65_528, false, &[0; 64])), Undecoded::Ip, "past 65,535");
    assert_eq!(
        undecoded(RAW, &fragment(false, 7, 0, true, &[0; 60])),
        Undecoded::Ip,
        "no multiple of 8, and not the last"
    );
    assert_eq!(undecoded(RAW, &fragment(true, 7, 8, false, &[])), Undecoded::Ip, "of nothing");
    assert_eq!(segment(RAW, &patched(v4(), 6, &[0x40, 0])).payload_len, 16, "don't fragment is no fragment");
}

#[test]
fn only_what_may_hold_tcp_waits() {
    for (protocol, waits) in
        [(6, true), (17, true), (47, true), (4, true), (51, true), (1, false), (50, false), (132, false)]
    {
        let got = decoded(RAW, &fragment_of(protocol, false, 7, 8, true, &[0; 8]));
        assert_eq!(got, if waits { WAITS } else { Decoded::NotTcp }, "protocol {protocol}");
    }
    let routed: &[u8] = &[0, 0, 1, 4, 0, 0, 0, 0];
    let place: &[u8] = &[0, 0, 0, 8, 0, 0, 0, 7];
    assert_eq!(decoded(RAW, &v6_with(&[(0, routed), (44, place)])), WAITS, "behind another extension header");
}

#[test]
fn a_fragmented_tunnel_is_joined_and_opened() {
    let inner = ipv4(4, &v4());
    let whole = &inner[20..];
    let first = fragment_of(4, false, 7, 0, true, &whole[..40]);
    let last = fragment_of(4, false, 7, 40, false, &whole[40..]);
    let got = run(&mut Decoder::default(), &[&first, &last]);
    let Decoded::Tcp(segment) = &got[1] else { panic!("{:?}", got[1]) };
    assert_eq!((segment.payload_len, segment.src), (16, Endpoint::new([192, 0, 2, 1], 4000)));
}

#[test]
fn fragments_cut_by_the_snap_length_keep_their_lengths() {
    let tcp = [&v4()[20..], &[0; 1952]].concat();
    let first = fragment(false, 7, 0, true, &tcp[..1480]);
    let last = fragment(false, 7, 1480, false, &tcp[1480..]);
    let mut decoder = Decoder::default();
    assert_eq!(decoder.decode(&frame(RAW, &first[..96], first.len())), WAITS);
    let Decoded::Tcp(segment) = decoder.decode(&frame(RAW, &last[..96], last.len())) else { panic!("TCP") };
    assert_eq!(segment.payload_len, 16 + 1952);
    assert_eq!(segment.options.timestamps(), Some((9, 8)));
}

#[test]
fn the_last_fragment_shows_what_the_datagram_carries() {
    let [first, second, third] = parts(false);
    let mut decoder = Decoder::default();
    let mut show = |bytes: &[u8]| carried(&mut decoder, &frame(RAW, bytes, bytes.len()));
    assert_eq!((show(&first), show(&third)), (None, None));
    assert_eq!(show(&second).as_deref(), Some("80 GET / HTTP/1.1\r\n"));
}
