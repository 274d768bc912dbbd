//! The short way through plain frames gives exactly what the long way gives.

use proptest::prelude::*;

use super::*;
use crate::journal::CaptureReader;

/// Frames in the built-in incident that are taken from its beginning.
const TAKEN: usize = 400;

fn short_way<'a>(frame: &Frame<'a>) -> Option<(Segment, &'a [u8])> {
    let plain = crate::wire::plain::open(frame)?;
    let mut segment = plain.segment(frame);
    plain.read_options(&mut segment.options);
    Some((segment, plain.payload()))
}

/// The short way's answer, where it has one, is the long way's.
fn agrees(frame: &Frame<'_>) -> bool {
    let mut decoder = Decoder::default();
    short_way(frame).is_none_or(|(segment, payload)| {
        let mut shown = Vec::new();
        let decoded = decoder.any(frame, &mut |carried| match carried {
            Carried::Tcp(_, bytes) => shown.extend_from_slice(bytes),
            Carried::Dns { .. } => panic!("{carried:?}"),
        });
        Decoded::Tcp(segment) == decoded && shown == payload
    })
}

/// Frames of a real capture and made ones: link type, bytes, len.
fn frames() -> Vec<(u16, Vec<u8>, usize)> {
    let mut reader = CaptureReader::open(Box::new(&include_bytes!("../../../tests/captures/incident.pcap.gz")[..]))
        .expect("a capture");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame().expect("whole").filter(|_| frames.len() < TAKEN) {
        // As Ethernet, whatever its link type.
        let layer = link::network(
            link::Layer::new(link::Header::Link(frame.link), span::Span::new(frame.bytes, frame.len)),
            &mut route::Route::default(),
        );
        if let Ok(ip) = layer {
            let kind = if ip.bytes[0] >> 4 == 4 { 0x0800 } else { 0x86dd };
            frames.push((ETHERNET, ethernet(kind, ip.bytes), ip.wire_len as usize + 14));
        }
    }
    let hop: &[u8] = &[0, 0, 0xc2, 4, 0, 1, 0, 0];
    for bytes in [ethernet(0x0800, &v4()), ethernet(0x86dd, &v6()), ethernet(0x86dd, &v6_with(&[(0, hop)]))] {
        let len = bytes.len();
        frames.push((ETHERNET, bytes, len));
    }
    frames
}

#[test]
fn plain_frames_take_the_short_way() {
    for bytes in [ethernet(0x0800, &v4()), ethernet(0x86dd, &v6())] {
        assert!(short_way(&frame(ETHERNET, &bytes, bytes.len())).is_some());
    }
    let short = frames().iter().filter(|(link, bytes, len)| short_way(&frame(*link, bytes, *len)).is_some()).count();
    assert!(short > TAKEN / 2, "{short}");
}

#[test]
fn what_is_captured_is_read_alike_whole_and_cut_anywhere() {
    for (link, bytes, len) in frames() {
        for cut in 0..=bytes.len().min(120) {
            assert!(agrees(&frame(link, &bytes[..cut], len)), "{bytes:02x?} cut at {cut}");
        }
        assert!(agrees(&frame(link, &bytes, len)), "{bytes:02x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn changed_frames_are_read_alike(
        of in proptest::sample::select(frames()),
        changes in proptest::collection::vec((prop_oneof![12..24usize, 0..140usize], any::<u8>()), 0..5),
        cut in prop_oneof![Just(usize::MAX), 0..200usize],
        longer in prop_oneof![Just(0usize), 0..100_000usize],
    ) {
        let (link, mut bytes, len) = of;
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(cut);
        prop_assert!(agrees(&frame(link, &bytes, len + longer)));
        prop_assert!(agrees(&frame(link, &bytes, len.saturating_sub(longer))));
    }
}
