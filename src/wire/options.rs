//! TCP options, read leniently: an option that runs past the header ends the reading, one of a wrong length is passed
//! over, and nothing is guessed.
//!
//! Read first: RFC 9293 §3.2, RFC 7323 §2–3, RFC 2018, RFC 7413 §4.1, RFC 8684 §3. etherparse's iterator ends at the
//! first option that it does not know, so the walk is ours.

use super::Options;
use crate::base::Seq;

/// The largest shift count that may be used (RFC 7323 §2.3).
const MAX_WSCALE: u8 = 14;
/// The experiment identifier of Fast Open (RFC 7413 §4.1, appendix A).
const FAST_OPEN_EXPERIMENT: [u8; 2] = [0xf9, 0x89];
/// Timestamps alone begin so, laid out as nearly everybody does (RFC 7323 appendix A).
const ALIGNED_TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];

/// Reads the option bytes of one header; `cut` tells that the snap length took some of them.
#[inline(never)]
pub(super) fn read(mut bytes: &[u8], cut: bool) -> Options {
    let mut options = Options::default().with_cut(cut);
    loop {
        match *bytes {
            [] | [0, ..] => return options,
            [1, ref rest @ ..] => bytes = rest,
            [kind, len, ref rest @ ..] => {
                let body = usize::from(len).checked_sub(2).and_then(|len| rest.split_at_checked(len));
                let Some((body, rest)) = body else { return options };
                options = take(options, kind, body);
                bytes = rest;
            }
            [_] => return options,
        }
    }
}

/// As [`read`], into what holds none.
#[inline(always)]
pub(super) fn read_into(into: &mut Options, bytes: &[u8], cut: bool) {
    if let (Some((head, stamps)), 12, false) = (bytes.split_first_chunk(), bytes.len(), cut)
        && *head == ALIGNED_TIMESTAMPS
        && let (&[value, echo], []) = stamps.as_chunks()
    {
        into.tell_timestamps(u32::from_be_bytes(value), u32::from_be_bytes(echo));
    } else {
        *into = read(bytes, cut);
    }
}

fn take(options: Options, kind: u8, body: &[u8]) -> Options {
    match (kind, body) {
        (2, &[a, b]) => options.with_mss(u16::from_be_bytes([a, b])),
        (3, &[shift]) => options.with_wscale(shift.min(MAX_WSCALE)),
        (4, []) => options.with_sack_permitted(true),
        (5, blocks) if blocks.len() % 8 == 0 => take_sack(options, blocks),
        (8, &[a, b, c, d, e, f, g, h]) => {
            options.with_timestamps((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
        }
        (30, &[first, ..]) => options.with_mptcp(options.mptcp().or(Some(first >> 4))),
        (34, _) => options.with_fast_open(true),
        (254, body) if body.starts_with(&FAST_OPEN_EXPERIMENT) => options.with_fast_open(true),
        _ => options,
    }
}

fn take_sack(options: Options, blocks: &[u8]) -> Options {
    let (blocks, _) = blocks.as_chunks();
    let edges = |&[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        (Seq(u32::from_be_bytes([a, b, c, d])), Seq(u32::from_be_bytes([e, f, g, h])))
    };
    options.with_sack(options.sack().chain(blocks.iter().map(edges)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_read(bytes: &[u8]) -> Options {
        let mut options = Options::default();
        read_into(&mut options, bytes, false);
        assert_eq!(options, read(bytes, false));
        options
    }

    #[test]
    fn a_linux_syn() {
        let syn = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
        let expected =
            Options::default().with_mss(1460).with_wscale(7).with_sack_permitted(true).with_timestamps((7, 0));
        assert_eq!(all_read(&syn), expected);
    }

    #[test]
    fn timestamps_alone_as_nearly_everybody_lays_them_out() {
        let expected = Options::default().with_timestamps((0x0102_0304, 0x0506_0708));
        assert_eq!(all_read(&[1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]), expected);
        assert_eq!(all_read(&[1, 1, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8]), Options::default());
    }

    #[test]
    fn sack_blocks_in_order() {
        let options = all_read(&[1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0]);
        assert!(options.sack().eq([(Seq(1), Seq(2)), (Seq(u32::MAX), Seq(0))]));
    }

    #[test]
    fn fast_open_by_its_number_and_by_its_experiment() {
        for (bytes, expected) in [
            (&[34, 2][..], true),
            (&[34, 10, 1, 2, 3, 4, 5, 6, 7, 8], true),
            (&[254, 4, 0xf9, 0x89], true),
            (&[254, 4, 0xf9, 0x88], false),
            (&[253, 4, 0xf9, 0x89], false),
            (&[254, 3, 0xf9], false),
        ] {
            assert_eq!(all_read(bytes).fast_open(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn the_first_mptcp_subtype_stays() {
        assert_eq!(all_read(&[30, 4, 0x01, 0x81, 30, 3, 0x20]).mptcp(), Some(0));
        assert_eq!(all_read(&[30, 2, 30, 3, 0x20]).mptcp(), Some(2), "one without a subtype says nothing");
    }

    #[test]
    fn a_scale_over_14_is_14() {
        assert_eq!(all_read(&[3, 3, 15]).wscale(), Some(14));
        assert_eq!(all_read(&[3, 3, 14]).wscale(), Some(14));
        assert_eq!(all_read(&[3, 3, 0]).wscale(), Some(0));
    }

    #[test]
    fn a_malformed_option_ends_the_reading_and_keeps_what_came_before() {
        let mss = Options::default().with_mss(536);
        for tail in [&[3, 0, 7][..], &[3, 1, 7], &[3, 9, 7], &[3], &[0, 3, 3, 7]] {
            assert_eq!(all_read(&[&[2, 4, 2, 24], tail].concat()), mss, "{tail:?}");
        }
        assert_eq!(all_read(&[3, 4, 7, 7, 2, 4, 2, 24]), mss, "a wrong length is passed over");
        assert_eq!(all_read(&[77, 3, 0, 2, 4, 2, 24]), mss, "so is a kind that is not known");
        assert_eq!(all_read(&[5, 11, 0, 0, 0, 1, 0, 0, 0, 2, 9, 2, 4, 2, 24]), mss);
    }

    #[test]
    fn what_the_snap_length_took_is_told() {
        let options = read(&[2, 4, 5, 0xb4, 8, 10, 0, 0], true);
        assert_eq!((options.mss(), options.timestamps(), options.cut()), (Some(1460), None, true));
    }
}
