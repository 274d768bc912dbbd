//! What holds of every trace: of the written cases under variation, and of arbitrary segments.

use proptest::prelude::*;

use super::Timing;
use super::tests::{ALL, run};
use crate::base::Seq;
use crate::flow::properties::{conversation, segment, shift};
use crate::flow::trace::Variation;
use crate::flow::{Brief, Side};
use crate::wire::Segment;

/// Segments with timestamps near each other's often enough to mean something.
fn stamped() -> impl Strategy<Value = (Segment, Side)> {
    (segment(), any::<bool>(), 0u32..6, 0u32..6).prop_map(|((mut segment, from), has, tsval, tsecr)| {
        segment.options = segment.options.with_timestamps(has.then_some((tsval, tsecr)));
        (segment, from)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_numbers_and_timestamps_start_does_not_matter(orig in shift(), resp in shift()) {
        for case in ALL {
            run(case, Variation { shift: [orig, resp], extra_expires: 0 }, false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_segments_never_panic_and_mirror(segments in prop::collection::vec(stamped(), 1..40)) {
        let (mut timing, mut mirrored) = (Timing::default(), Timing::default());
        for (segment, from) in &segments {
            timing.feed(segment, *from, || None);
            mirrored.feed(segment, from.peer(), || None);
        }
        mirrored.turn_around();
        prop_assert_eq!(&timing, &mirrored);
        for half in timing.view().iter().flat_map(|view| &view.halves) {
            for delays in [half.rtt_by_ack, half.rtt_by_timestamps, half.think].into_iter().flatten() {
                prop_assert!(delays.min <= delays.mean && delays.min <= delays.max && !delays.min.is_zero());
            }
            prop_assert!(half.in_flight.is_none_or(|flight| flight.now <= Some(flight.max) && flight.max <= 1 << 30));
        }
    }

    #[test]
    fn the_short_way_gives_what_the_long_way_gives(segments in conversation(), stamps in any::<bool>()) {
        let mut timing = Timing::default();
        for (mut segment, from) in segments {
            let stamp = (segment.ts.nanos() / 20_000_000) as u32;
            let stamps = stamps.then_some((stamp, stamp.wrapping_sub(segment.payload_len)));
            segment.options = segment.options.with_timestamps(stamps);
            let mut long = timing.data.clone().filter(|_| !segment.malformed);
            long.iter_mut().for_each(|data| data.feed(&Brief::of(&segment, from)));
            timing.feed(&segment, from, || None);
            prop_assert!(long.is_none() || timing.data == long, "{:?}\n{:?}", timing.data, long);
        }
    }

    #[test]
    fn arbitrary_segments_may_start_anywhere(
        segments in prop::collection::vec(stamped(), 1..40),
        orig in shift(),
        resp in shift(),
    ) {
        let (mut timing, mut shifted) = (Timing::default(), Timing::default());
        for (segment, from) in segments {
            let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
            let mut moved = Segment { seq: segment.seq + own, ack: segment.ack + peer, ..segment };
            let stamps = segment.options.timestamps();
            let stamps = stamps.map(|(val, ecr)| ((Seq(val) + own).0, (Seq(ecr) + peer).0));
            moved.options = moved.options.with_timestamps(stamps);
            timing.feed(&segment, from, || None);
            shifted.feed(&moved, from, || None);
        }
        prop_assert_eq!(timing.view(), shifted.view());
    }
}
