//! `struct tcp_info` decoded by the length that this kernel gave: what it did not write is absent.
//!
//! May touch `base`. Read first: linux/tcp.h (struct tcp_info grows at its end only), net/ipv4/tcp.c (tcp_get_info).

use std::time::Duration;

use super::bytes::{u8_at, u32_at, u64_at};
use super::sample::TcpInfo;

/// `TCPI_OPT_WSCALE`: window scaling was agreed.
const OPT_WSCALE: u8 = 4;
/// `TCP_INFINITE_SSTHRESH`: no congestion seen yet, so there is no threshold.
const INFINITE_SSTHRESH: u32 = 0x7fff_ffff;
const SYN_SENT: u8 = 2;

/// Decodes the bytes of `INET_DIAG_INFO` (or of `getsockopt(TCP_INFO)`). Where the kernel writes a number that stands
/// for "not measured" (no round trip yet, no pacing limit, no slow-start threshold), the field is `None`.
pub(super) fn decode(bytes: &[u8]) -> TcpInfo {
    let number = |offset| u32_at(bytes, offset);
    let wide = |offset| u64_at(bytes, offset);
    let millis = |offset| number(offset).map(|value| Duration::from_millis(value.into()));
    let micros = |offset| number(offset).map(|value| Duration::from_micros(value.into()));
    let wide_micros = |offset| wide(offset).map(Duration::from_micros);

    let (snd_wscale, rcv_wscale) = window_scales(bytes);
    let rtt = micros(68).filter(|rtt| !rtt.is_zero());
    // Before the handshake ends these three count from a time that never was.
    let connected = u8_at(bytes, 0).is_some_and(|state| state != SYN_SENT);
    TcpInfo {
        snd_wscale,
        rcv_wscale,
        retransmits: u8_at(bytes, 2),
        rto: micros(8),
        snd_mss: number(16),
        rcv_mss: number(20),
        unacked: number(24),
        lost: number(32),
        last_data_sent: millis(44).filter(|_| connected),
        last_data_recv: millis(52).filter(|_| connected),
        last_ack_recv: millis(56).filter(|_| connected),
        pmtu: number(60),
        rtt,
        rttvar: rtt.and(micros(72)),
        snd_ssthresh: number(76).filter(|&threshold| threshold != INFINITE_SSTHRESH),
        snd_cwnd: number(80),
        rcv_space: number(96),
        total_retrans: number(100),
        pacing_rate: wide(104).filter(|&rate| rate != u64::MAX),
        bytes_acked: wide(120),
        bytes_received: wide(128),
        segs_out: number(136),
        segs_in: number(140),
        notsent_bytes: number(144),
        min_rtt: number(148).filter(|&rtt| rtt != u32::MAX && rtt != 0).map(|rtt| Duration::from_micros(rtt.into())),
        delivery_rate: wide(160).filter(|&rate| rate != 0),
        busy_time: wide_micros(168),
        rwnd_limited: wide_micros(176),
        sndbuf_limited: wide_micros(184),
        bytes_sent: wide(200),
        bytes_retrans: wide(208),
        snd_wnd: number(228),
    }
}

/// The shifts of (send, receive) windows. Without the option's bit they are 0 once the handshake told so, and unknown
/// before that.
fn window_scales(bytes: &[u8]) -> (Option<u8>, Option<u8>) {
    let (Some(state), Some(options), Some(packed)) = (u8_at(bytes, 0), u8_at(bytes, 5), u8_at(bytes, 6)) else {
        return (None, None);
    };
    if options & OPT_WSCALE == 0 {
        let none_agreed = (state != SYN_SENT).then_some(0);
        return (none_agreed, none_agreed);
    }
    let (low, high) = (packed & 0xf, packed >> 4);
    // Two C bit fields of 4 bits: the first is the low one on little-endian machines and the high one on the others.
    if cfg!(target_endian = "little") { (Some(low), Some(high)) } else { (Some(high), Some(low)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tcp_info of `len` bytes in ESTAB with window scales 7 and 9 and the given numbers written over it.
    fn info(len: usize, numbers: &[(usize, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; len.max(8)];
        bytes[0] = 1;
        bytes[5] = OPT_WSCALE;
        bytes[6] = if cfg!(target_endian = "little") { 0x97 } else { 0x79 };
        for &(offset, value) in numbers {
            bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        }
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn fields_stand_at_their_offsets() {
        let numbers =
            [(8, 204_000), (16, 1448), (24, 3), (32, 1), (44, 120), (56, 90), (60, 1500), (68, 4000), (72, 250)];
        let more = [(76, 10), (80, 12), (100, 5), (136, 7), (140, 8), (144, 4096), (148, 3100), (228, 65_000)];
        let got = decode(&info(280, &[&numbers[..], &more[..]].concat()));
        assert_eq!((got.snd_wscale, got.rcv_wscale), (Some(7), Some(9)));
        assert_eq!((got.rto, got.rtt), (Some(Duration::from_millis(204)), Some(Duration::from_millis(4))));
        assert_eq!((got.snd_mss, got.unacked, got.lost), (Some(1448), Some(3), Some(1)));
        assert_eq!((got.last_data_sent, got.pmtu), (Some(Duration::from_millis(120)), Some(1500)));
        assert_eq!(got.last_ack_recv, Some(Duration::from_millis(90)));
        assert_eq!((got.snd_ssthresh, got.snd_cwnd, got.total_retrans), (Some(10), Some(12), Some(5)));
        assert_eq!((got.segs_out, got.segs_in, got.notsent_bytes), (Some(7), Some(8), Some(4096)));
        assert_eq!(got.min_rtt, Some(Duration::from_micros(3100)));
        assert_eq!(got.rttvar, Some(Duration::from_micros(250)));
        assert_eq!((got.snd_wnd, decode(&info(231, &[])).snd_wnd), (Some(65_000), None));
    }

    #[test]
    fn wide_fields_stand_at_their_offsets() {
        let mut bytes = info(280, &[]);
        for (offset, value) in [(104, 11_u64), (120, 12), (128, 13), (160, 14), (168, 15), (200, 16), (208, 17)] {
            bytes[offset..offset + 8].copy_from_slice(&value.to_ne_bytes());
        }
        let got = decode(&bytes);
        assert_eq!((got.pacing_rate, got.bytes_acked, got.bytes_received), (Some(11), Some(12), Some(13)));
        assert_eq!((got.delivery_rate, got.busy_time), (Some(14), Some(Duration::from_micros(15))));
        assert_eq!((got.bytes_sent, got.bytes_retrans), (Some(16), Some(17)));
    }

    #[test]
    fn a_field_cut_by_one_byte_is_absent() {
        // Linux 3.x ended after total_retrans (104 bytes), 4.9 after sndbuf_limited (192).
        let old = decode(&info(104, &[(100, 5)]));
        assert_eq!((old.total_retrans, old.pacing_rate, old.bytes_sent), (Some(5), None, None));
        assert_eq!(decode(&info(103, &[])).total_retrans, None);
        let middle = decode(&info(192, &[]));
        assert_eq!((middle.sndbuf_limited, middle.bytes_sent), (Some(Duration::ZERO), None));
        assert_eq!(decode(&info(191, &[])).sndbuf_limited, None);
        assert_eq!(decode(&[]), TcpInfo::default());
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let got = decode(&info(280, &[(72, 250_000), (76, 0x7fff_ffff), (148, u32::MAX)]));
        assert_eq!((got.rtt, got.rttvar, got.snd_ssthresh, got.min_rtt), (None, None, None, None));
        assert_eq!(decode(&info(280, &[(104, u32::MAX), (108, u32::MAX)])).pacing_rate, None);
    }

    #[test]
    fn scaling_not_agreed_is_zero_and_not_yet_agreed_is_unknown() {
        let mut bytes = info(280, &[(52, 1_000_000)]);
        bytes[5] = 0;
        assert_eq!((decode(&bytes).snd_wscale, decode(&bytes).rcv_wscale), (Some(0), Some(0)));
        assert!(decode(&bytes).last_data_recv.is_some());
        bytes[0] = SYN_SENT;
        assert_eq!((decode(&bytes).snd_wscale, decode(&bytes).last_data_recv), (None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let got = decode(&bytes);
            prop_assert_eq!(got.bytes_retrans.is_some(), bytes.len() >= 216);
        }
    }
}
