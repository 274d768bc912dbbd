//! What holds of every trace: of the written cases under variation, and of arbitrary segments.

use proptest::prelude::*;

use super::tests::{belief, closes, handshakes, numbers};
use super::trace::{Variation, run};
use super::{Class, Flow, HandshakeOutcome, Side};
use crate::base::{Endpoint, Seq, TcpState, Timestamp};
use crate::wire::{Flags, Options, Segment};

fn all_cases() -> impl Iterator<Item = &'static str> {
    [belief::ALL, closes::ALL, handshakes::ALL, numbers::ALL].into_iter().flatten().copied()
}

/// Numbers that make every case wrap, and the sign bit flip, somewhere.
pub(super) fn shift() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (0u32..1_000).prop_map(u32::wrapping_neg), (0u32..1_000).prop_map(|n| (1 << 31) - n)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_the_numbers_start_does_not_matter(orig in shift(), resp in shift()) {
        for case in all_cases() {
            run(case, Variation { shift: [orig, resp], extra_expires: 0 });
        }
    }

    #[test]
    fn looking_at_the_timers_more_often_changes_nothing(extra_expires in 0u32..20) {
        for case in all_cases() {
            let usual = run(case, Variation::default());
            prop_assert_eq!(run(case, Variation { extra_expires, ..Variation::default() }), usual);
        }
    }
}

/// A segment whose numbers are near each other's often enough to mean something.
pub(super) fn segment() -> impl Strategy<Value = (Segment, Side)> {
    let number = prop_oneof![8 => 0u32..12, 1 => any::<u32>()];
    let payload = prop_oneof![4 => Just(0u32), 4 => 1u32..6, 1 => any::<u32>()];
    let common = [Flags::ACK, Flags::ACK | Flags::FIN, Flags::SYN, Flags::SYN | Flags::ACK, Flags::RST];
    let flags = prop_oneof![8 => prop::sample::select(common.to_vec()), 1 => (0u16..512).prop_map(Flags)];
    let ts = prop_oneof![8 => 0i64..200_000_000_000, 1 => any::<i64>()];
    let window = prop_oneof![Just(0u16), any::<u16>()];
    let options = (any::<Option<u16>>(), any::<Option<u8>>(), any::<bool>(), any::<bool>());
    (number.clone(), number, flags, ts, payload, window, options, any::<bool>()).prop_map(
        |(seq, ack, flags, ts, payload_len, window, (mss, wscale, fast_open, cut), from_orig)| {
            let segment = Segment {
                seq: Seq(seq),
                ack: Seq(ack),
                window,
                payload_len,
                options: Options::default().with_mss(mss).with_wscale(wscale).with_fast_open(fast_open).with_cut(cut),
                ..Segment::bare(Timestamp::from_nanos(ts), Endpoint::default(), Endpoint::default(), flags)
            };
            (segment, if from_orig { Side::Orig } else { Side::Resp })
        },
    )
}

/// What must be true of a flow whatever it was fed.
fn check(flow: &Flow) -> Result<(), TestCaseError> {
    let over = Side::BOTH.iter().all(|side| flow.state(*side) == Some(TcpState::Closed));
    prop_assert_eq!(over && flow.class() != Class::Closed, false);
    prop_assert_eq!(over && flow.next_deadline().is_some(), false);
    let waits = matches!(flow.outcome(), HandshakeOutcome::Waiting | HandshakeOutcome::Partial);
    prop_assert_eq!(flow.concluded_at().is_none(), waits);
    let handshake = flow.handshake();
    prop_assert!(handshake.rtt.is_none() || (handshake.syn_retries == 0 && handshake.syn_ack_retries == 0));
    let life = flow.life();
    prop_assert!(life.is_sorted_by_key(|event| event.ts));
    for side in Side::BOTH {
        prop_assert!(flow.state(side) != Some(TcpState::Listen));
        prop_assert_eq!(flow.half(side).window_raw == Some(0), flow.half(side).window == Some(0));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_segments_never_panic(segments in prop::collection::vec(segment(), 1..24)) {
        let mut flow = Flow::new(&segments[0].0);
        for (segment, from) in &segments[1..] {
            let _ = (flow.is_replaced_by(segment, *from), flow.still_owns(segment, *from));
            flow.expire(segment.ts);
            flow.feed(segment, *from);
            check(&flow)?;
        }
        while let Some(deadline) = flow.next_deadline() {
            flow.expire(deadline);
            check(&flow)?;
            prop_assert!(flow.next_deadline().is_none_or(|next| next >= deadline));
        }
        flow.superseded(Timestamp::MAX);
        check(&flow)?;
        prop_assert_eq!(flow.class(), Class::Closed);
    }

    /// Without a SYN nothing tells one side from the other.
    #[test]
    fn mid_stream_the_mirrored_flow_mirrors(segments in prop::collection::vec(segment(), 1..24)) {
        let segments: Vec<_> = segments.into_iter().filter(|(segment, _)| !segment.flags.syn()).collect();
        prop_assume!(!segments.is_empty());
        let (first, from) = segments[0];
        let mut flow = Flow::before(&first, from);
        let mut mirrored = Flow::before(&first, from.peer());
        for (segment, from) in &segments {
            flow.feed(segment, *from);
            mirrored.feed(segment, from.peer());
            for side in Side::BOTH {
                prop_assert_eq!(flow.half(side), mirrored.half(side.peer()));
                prop_assert_eq!(flow.unacked(side), mirrored.unacked(side.peer()));
            }
            prop_assert_eq!(flow.next_deadline(), mirrored.next_deadline());
            prop_assert_eq!(flow.completeness(), mirrored.completeness());
        }
    }
}

/// A connection that opens and then mostly speaks in order: what each next segment deviates by.
pub(super) fn conversation() -> impl Strategy<Value = Vec<(Segment, Side)>> {
    let slip = || prop_oneof![12 => Just(0i8), 1 => -3i8..4];
    let flags =
        prop_oneof![20 => Just(Flags::ACK), 6 => Just(Flags::ACK | Flags::PSH), 1 => (0u16..512).prop_map(Flags)];
    let window = prop_oneof![12 => Just(900u16), 1 => Just(0u16), 2 => any::<u16>()];
    let step = (any::<bool>(), slip(), slip(), 0u32..4, flags, window, 0i64..40_000_000);
    (any::<[u32; 2]>(), prop::collection::vec(step, 1..60)).prop_map(|(iss, steps)| {
        let opening = [(false, 0, 0, 0, Flags::SYN, 900, 0), (true, 0, 0, 0, Flags::SYN | Flags::ACK, 900, 0)];
        let opening = opening.into_iter().chain([(false, 0, 0, 0, Flags::ACK, 900, 0)]);
        let (mut nxt, mut ts) = (iss, 0);
        let of_step = |(by_resp, seq, ack, payload_len, flags, window, gap): (bool, i8, i8, u32, Flags, u16, i64)| {
            let (own, peer) = (usize::from(by_resp), usize::from(!by_resp));
            ts += gap;
            let ack = if flags.ack() { nxt[peer].wrapping_add_signed(ack.into()) } else { 0 };
            let segment = Segment {
                seq: Seq(nxt[own].wrapping_add_signed(seq.into())),
                ack: Seq(ack),
                window,
                payload_len,
                ..Segment::bare(Timestamp::from_nanos(ts), Endpoint::default(), Endpoint::default(), flags)
            };
            nxt[own] = Seq(nxt[own]).latest(segment.end()).0;
            (segment, if by_resp { Side::Resp } else { Side::Orig })
        };
        opening.chain(steps).map(of_step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_short_way_gives_what_the_long_way_gives(
        segments in conversation(),
        // Of some the capture misses the beginning, or one direction.
        missed in prop_oneof![Just(0usize), 1usize..6],
        missing in prop_oneof![3 => Just(None), 1 => Just(Some(Side::Orig)), 1 => Just(Some(Side::Resp))],
    ) {
        let captured = |(_, from): &(Segment, Side)| Some(*from) != missing;
        let segments: Vec<_> = segments.into_iter().skip(missed).filter(captured).collect();
        prop_assume!(!segments.is_empty());
        let mut flow = Flow::before(&segments[0].0, segments[0].1);
        flow.feed(&segments[0].0, segments[0].1);
        for (segment, from) in &segments[1..] {
            let (mut long, before) = (flow.clone(), flow.clone());
            long.feed(segment, *from);
            if flow.is_plain(segment, *from) {
                flow.feed_plain(segment, *from);
                prop_assert_eq!(&flow, &long);
                prop_assert_eq!(
                    (before.next_deadline(), before.class(), before.outcome(), before.concluded_at(), before.is_unproven()),
                    (flow.next_deadline(), flow.class(), flow.outcome(), flow.concluded_at(), flow.is_unproven())
                );
                prop_assert_eq!(Side::BOTH.map(|side| before.state(side)), Side::BOTH.map(|side| flow.state(side)));
            } else {
                prop_assert_eq!(&flow, &before);
                flow = long;
            }
        }
    }
}
