//! Headers that are made anew say what the segment said.

use super::*;

#[test]
fn what_is_decoded_of_them_is_the_segment() {
    let options = [
        &[2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7][..],
        &[1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4],
        &[34, 2, 30, 4, 0x10, 0],
        &[],
    ];
    for (options, payload) in options.into_iter().flat_map(|options| [(options, 0), (options, 1_400)]) {
        let mut tcp = vec![0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0xff, 0, 0, 2, 0, 0x98, 0x12, 0x34, 0, 0, 0, 0];
        tcp.extend(options);
        tcp.resize(tcp.len().next_multiple_of(4), 0);
        tcp[12] = (tcp.len() as u8 / 4) << 4 | 1;
        let len = tcp.len() as u16 + payload;
        let [total, rest] = [len + 20, len].map(u16::to_be_bytes);
        let v4 = [&[0x45, 0, total[0], total[1], 0, 0, 0, 0, 63, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], &tcp].concat();
        let v6 = [&[0x60, 0, 0, 0, rest[0], rest[1], 6, 63][..], &[0x20; 16], &[0x30; 16], &tcp].concat();
        let [ether4, ether6] = [(0x0800, &v4), (0x86dd, &v6)].map(|(kind, datagram)| ethernet(kind, datagram));
        for (link, bytes) in [(ETHERNET, ether4), (ETHERNET, ether6), (RAW, v4), (RAW, v6)] {
            let wire = bytes.len() + usize::from(payload);
            let Decoded::Tcp(segment) = decode(&frame(link, &bytes, wire)) else { panic!("a segment") };
            let headers = segment.headers();
            let Decoded::Tcp(again) = decode(&segment.frame(&headers)) else { panic!("a segment") };
            if link == ETHERNET {
                assert_eq!(again.frame_len, segment.frame_len);
            }
            // The digest is of all bytes, those too that a segment does not tell; of raw IP the link header is new.
            let Segment { digest, frame_len, .. } = segment;
            assert_eq!(Segment { digest, frame_len, ..again }, segment, "{link}, {payload} bytes");
        }
    }
}

#[test]
fn whatever_a_segment_says_they_are_headers() {
    let mut segment = segment(RAW, &v4());
    segment.payload_len = u32::MAX;
    let blocks = (0..4).map(|n| (crate::base::Seq(n), crate::base::Seq(n + 1)));
    segment.options = segment.options.with_mss(9).with_fast_open(true).with_mptcp(200).with_sack(blocks);
    segment.dst = crate::base::Endpoint::new([0x20; 16], 1);
    let headers = segment.headers();
    assert!(headers.len() <= 14 + 40 + 60 && headers.len().is_multiple_of(2));
    assert!(matches!(decode(&segment.frame(&headers)), Decoded::Tcp(_)));
}
