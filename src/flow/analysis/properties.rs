//! What holds of every trace: of the written cases under variation, and of arbitrary segments.

use proptest::prelude::*;

use super::tests::{ALL, run};
use super::{Analysis, Mark};
use crate::base::Seq;
use crate::flow::Side;
use crate::flow::properties::{conversation, segment, shift};
use crate::flow::trace::Variation;
use crate::wire::Segment;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_the_numbers_start_does_not_matter(orig in shift(), resp in shift()) {
        for case in ALL {
            run(case, Variation { shift: [orig, resp], extra_expires: 0 }, false);
        }
    }
}

#[test]
fn the_mirror_image_gives_mirrored_counts() {
    for case in ALL {
        let [orig, resp] = run(case, Variation::default(), false).counts();
        assert_eq!(run(case, Variation::default(), true).counts(), [resp, orig]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_segments_never_panic_and_mirror(segments in prop::collection::vec(segment(), 1..40)) {
        let (mut analysis, mut mirrored) = (Analysis::new(), Analysis::new());
        for (segment, from) in &segments {
            let marks = analysis.feed(segment, *from);
            prop_assert_eq!(mirrored.feed(segment, from.peer()), marks);
            let has = |mark| u8::from(marks.has(mark));
            let kinds = has(Mark::FastRetransmission) + has(Mark::SpuriousRetransmission) + has(Mark::OutOfOrder);
            prop_assert!(kinds <= 1, "at most one kind of repetition");
            prop_assert!(has(Mark::Retransmission) + has(Mark::OutOfOrder) <= 1);
            prop_assert!(kinds == has(Mark::OutOfOrder) || marks.has(Mark::Retransmission), "the inclusive mark");
        }
        let [orig, resp] = analysis.counts();
        prop_assert_eq!(mirrored.counts(), [resp, orig]);
    }

    #[test]
    fn arbitrary_segments_may_start_anywhere(
        segments in prop::collection::vec(segment(), 1..40),
        orig in shift(),
        resp in shift(),
    ) {
        let (mut analysis, mut shifted) = (Analysis::new(), Analysis::new());
        for (mut segment, from) in segments {
            // Without its flag the field holds no number of the connection.
            segment.ack = if segment.flags.ack() { segment.ack } else { Seq(0) };
            let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
            let moved = Segment {
                seq: segment.seq + own,
                ack: if segment.flags.ack() { segment.ack + peer } else { segment.ack },
                ..segment
            };
            prop_assert_eq!(shifted.feed(&moved, from), analysis.feed(&segment, from));
        }
        prop_assert_eq!(shifted.counts(), analysis.counts());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_short_way_gives_what_the_long_way_gives(segments in conversation()) {
        let mut analysis = Analysis::new();
        for (segment, from) in &segments {
            let (mut long, before) = (analysis.clone(), analysis.clone());
            let marks = long.feed_any(segment, *from);
            if analysis.feed_plain(segment, *from) {
                prop_assert!(marks.is_empty());
                prop_assert_eq!(&analysis, &long);
            } else {
                prop_assert_eq!(&analysis, &before);
                analysis = long;
            }
        }
    }
}
