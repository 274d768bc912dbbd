//! What holds of every trace: of the written facts under variation, and of arbitrary segments.

use proptest::prelude::*;

use super::super::properties::{conversation, segment};
use super::super::trace::Variation;
use super::tests::{holes, letters, originator, rows, states};
use super::trace::run;
use super::{ROWS, Side, Zeek};
use crate::base::Timestamp;

/// Numbers that make every case wrap, and the sign bit flip, somewhere.
fn shift() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (0u32..1_000).prop_map(u32::wrapping_neg), (0u32..1_000).prop_map(|n| (1 << 31) - n)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_the_numbers_start_does_not_matter(orig in shift(), resp in shift()) {
        // Zeek compares a SYN with the originator's number whoever sends it: the two must not meet.
        prop_assume!(orig == resp || (orig.wrapping_sub(resp) as i32).unsigned_abs() > 10_000);
        for case in [holes::ALL, letters::ALL, originator::ALL, rows::ALL, states::ALL].into_iter().flatten() {
            run(case, Variation { shift: [orig, resp], extra_expires: 0 });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_segments_never_panic_and_every_segment_is_in_a_row(
        segments in prop::collection::vec(segment(), 1..80),
        turned in 0usize..80,
    ) {
        let mut zeek = Zeek::new(&segments[0].0, segments[0].1);
        for (n, (segment, from)) in segments.iter().enumerate().skip(1) {
            // The flow may exchange its sides at any time.
            if n == turned {
                let before = zeek.rows(Timestamp::MIN);
                zeek.turn_around();
                let after = zeek.rows(Timestamp::MIN);
                for (before, after) in before.rows.iter().zip(&after.rows) {
                    prop_assert_eq!(before.orig, after.orig.peer());
                }
            }
            zeek.feed(segment, if n >= turned { from.peer() } else { *from });
        }
        let view = zeek.rows(Timestamp::MAX);
        prop_assert!(view.rows.len() <= ROWS && view.chosen().is_some());
        prop_assert!(view.rows.iter().all(|row| row.ended.is_some()));
        let told: u64 = view.rows.iter().flat_map(|row| row.packets).map(u64::from).sum();
        prop_assert!(told <= segments.len() as u64);
        if view.beyond == 0 {
            prop_assert_eq!(told, segments.len() as u64);
        }
        for row in &view.rows {
            prop_assert!(row.bytes.is_none() == row.duration.is_none());
            prop_assert!(row.missed_bytes == 0 || row.established);
        }
    }

    /// What the flow calls the sides changes names only.
    #[test]
    fn the_names_of_the_sides_do_not_matter(segments in prop::collection::vec(segment(), 1..24)) {
        let told = |turned: bool| {
            let name = |from: Side| if turned { from.peer() } else { from };
            let mut zeek = Zeek::new(&segments[0].0, name(segments[0].1));
            segments[1..].iter().for_each(|(segment, from)| zeek.feed(segment, name(*from)));
            zeek
        };
        let mut turned = told(true);
        turned.turn_around();
        prop_assert_eq!(turned, told(false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_short_way_gives_what_the_long_way_gives(segments in conversation()) {
        let mut row = Zeek::new(&segments[0].0, segments[0].1).row;
        for (segment, from) in &segments[1..] {
            let (mut long, before) = (row.clone(), row.clone());
            let ends = row.due(segment.ts).is_some() || row.is_reused_by(segment);
            long.take(segment, *from);
            let plain = row.take_plain(segment, *from);
            prop_assert_eq!(&row, if plain { &long } else { &before });
            prop_assert!(!(plain && ends));
            // What comes behind it may be plain, and need not ask again.
            prop_assert!(!plain || row.if_open().is_some());
            row = if ends { Zeek::new(segment, *from).row } else { long };
        }
    }
}
