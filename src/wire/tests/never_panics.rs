//! Hostile frames: any bytes, on every link type, and valid frames of every road with bytes changed or cut.

use proptest::prelude::*;

use super::*;

/// A frame of every road: link type and bytes.
fn roads() -> Vec<(u16, Vec<u8>)> {
    let hop: &[u8] = &[0, 0, 0xc2, 4, 0, 1, 0, 0];
    let plain = [
        (ETHERNET, ethernet(0x0800, &v4())),
        (ETHERNET, ethernet(0x86dd, &v6())),
        (ETHERNET, ethernet(0x86dd, &v6_with(&[(0, hop), (44, hop)]))),
        (ETHERNET, ethernet(0x8100, &[&[0, 1, 8, 0], &v4()[..]].concat())),
    ];
    let links = links::all().into_iter().map(|road| (road.link, [road.header, v4()].concat()));
    let tunnels = tunnels::all().into_iter().map(|road| (RAW, road.bytes));
    let quotes = icmp::all().into_iter().map(|bytes| (RAW, bytes));
    plain.into_iter().chain(links).chain(tunnels).chain(quotes).collect()
}

fn link_types() -> impl Strategy<Value = u16> {
    let known: Vec<u16> = roads().into_iter().map(|(link, _)| link).collect();
    prop_oneof![proptest::sample::select(known), any::<u16>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(link in link_types(), bytes in proptest::collection::vec(any::<u8>(), 0..200), len: u32) {
        decode(&Frame { len, ..frame(link, &bytes, 0) });
    }

    #[test]
    fn changed_frames(
        road in proptest::sample::select(roads()),
        changes in proptest::collection::vec((0..140usize, any::<u8>()), 0..6),
        cut in 0..200usize,
        len: u32,
    ) {
        let (link, mut bytes) = road;
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(cut);
        if let Decoded::Tcp(segment) = decode(&Frame { len, ..frame(link, &bytes, 0) }) {
            prop_assert!(segment.payload_len <= len.max(bytes.len() as u32));
        }
    }

    #[test]
    fn a_stream_of_fragments(
        fragments in proptest::collection::vec((0..6u16, any::<bool>(), 0..4u8, 0..40usize, 0..90i64, any::<bool>()), 1..60),
    ) {
        let mut decoder = Decoder::default();
        for (offset, more, id, len, secs, six) in fragments {
            let bytes = fragments::fragment(six, id.into(), offset * 8, more, &vec![id; len]);
            decoder.decode(&Frame { ts: Timestamp::from_nanos(secs * 1_000_000_000), ..frame(RAW, &bytes, bytes.len()) });
        }
        let counts = decoder.counts();
        let sum = counts.segments + counts.not_tcp + counts.joined + counts.undecoded_total();
        prop_assert_eq!(counts.frames, sum);
    }
}
