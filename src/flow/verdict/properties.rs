//! What holds of every trace: of the written cases under variation, and of arbitrary segments.

use proptest::prelude::*;

use super::tests::{Watch, limits, probes, repeats, run};
use crate::base::Seq;
use crate::flow::Side;
use crate::flow::properties::{segment, shift};
use crate::flow::trace::Variation;
use crate::wire::{Options, Segment};

/// Every written case.
fn all() -> impl Iterator<Item = &'static str> {
    [limits::ALL, probes::ALL, repeats::ALL].into_iter().flatten().copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn where_the_numbers_start_does_not_matter(orig in shift(), resp in shift()) {
        for case in all() {
            run(case, Variation { shift: [orig, resp], extra_expires: 0 }, false);
        }
    }
}

#[test]
fn the_mirror_image_gives_the_mirrored_verdict() {
    for case in all() {
        let mut mirrored = run(case, Variation::default(), true);
        mirrored.turn_around();
        assert_eq!(mirrored.view(), run(case, Variation::default(), false).view(), "{case}");
    }
}

/// Segments with SACK blocks, timestamps, TTLs and digests as near each other as the numbers are.
fn rich() -> impl Strategy<Value = (Segment, Side)> {
    let blocks = prop::collection::vec((0u32..12, 0u32..12), 0..3);
    let timestamps = prop::option::of((0u32..6, 0u32..6));
    (segment(), blocks, timestamps, 60u8..63, 0u32..20).prop_map(
        |((mut segment, from), blocks, timestamps, ttl, id)| {
            let blocks = blocks.into_iter().map(|(left, right)| (Seq(left), Seq(right)));
            segment.options = Options::default().with_sack(blocks).with_timestamps(timestamps);
            (segment.ttl, segment.digest) = (ttl, id);
            (segment, from)
        },
    )
}

/// The segment with all its numbers moved by what its sender's and its peer's start with.
fn moved(segment: &Segment, own: u32, peer: u32) -> Segment {
    let blocks = segment.options.sack().map(|(left, right)| (left + peer, right + peer));
    let mut moved = Segment { seq: segment.seq + own, ..*segment };
    moved.ack = if segment.flags.ack() { segment.ack + peer } else { segment.ack };
    moved.options = moved.options.with_sack(blocks);
    moved
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn arbitrary_segments_mirror_and_each_has_one_cause(segments in prop::collection::vec(rich(), 1..60)) {
        // Without a SYN nothing tells one side from the other.
        let segments: Vec<_> = segments.into_iter().filter(|(segment, _)| !segment.flags.syn()).collect();
        let (mut watch, mut mirrored) = (Watch::default(), Watch::default());
        let total = |watch: &Watch| -> u32 {
            watch.verdict.view().halves.iter().flat_map(|half| half.counts.iter().map(|(_, n)| n)).sum()
        };
        for (segment, from) in &segments {
            let before = total(&watch);
            watch.feed(segment, *from);
            mirrored.feed(segment, from.peer());
            prop_assert!(total(&watch) - before <= 1, "at most one cause a segment, and none goes away");
            for half in watch.verdict.view().halves {
                for episode in half.episodes.iter().chain(&half.open) {
                    prop_assert!(u32::from(episode.lost) <= half.counts.of(super::Cause::Lost));
                }
            }
        }
        mirrored.verdict.turn_around();
        prop_assert_eq!(mirrored.verdict.view(), watch.verdict.view());
    }

    #[test]
    fn arbitrary_segments_may_start_anywhere(
        segments in prop::collection::vec(rich(), 1..60),
        orig in shift(),
        resp in shift(),
    ) {
        let (mut watch, mut shifted) = (Watch::default(), Watch::default());
        for (mut segment, from) in segments {
            segment.ack = if segment.flags.ack() { segment.ack } else { Seq(0) };
            let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
            watch.feed(&segment, from);
            shifted.feed(&moved(&segment, own, peer), from);
        }
        prop_assert_eq!(shifted.verdict.view(), watch.verdict.view());
    }
}
