//! What goes unanswered: keep-alives, and segments of which only shorter ones arrive.

use std::time::Duration;

use super::watched;
use crate::base::Timestamp;
use crate::flow::Side;
use crate::flow::trace::time_of;

/// How many keep-alives the originator sends in vain after these segments, since when, when the last, and how far apart.
fn probes(text: &str) -> Option<(u32, Timestamp, Timestamp, Duration)> {
    let watch = watched(text);
    let probes = watch.verdict.probes_in_vain(&watch.analysis, Side::Orig);
    probes.map(|probes| (probes.times, probes.since, probes.last, probes.gap))
}

#[test]
fn keep_alives_in_vain_are_told_until_the_peer_is_heard() {
    let vain = "
        0 < . 301 ack 101 len 5
        0.1 > . 101 ack 306
        20 > . 100 ack 306
        35 > . 100 ack 306
        50.5 > . 100 ack 306";
    let told = |times, since, last, gap| Some((times, time_of(since), time_of(last), Duration::from_millis(gap)));
    assert_eq!(probes(vain), told(3, "20", "50.5", 15_500));
    let and = |more: &str| probes(&format!("{vain}\n{more}"));
    assert_eq!(and("50.6 < . 306 ack 101"), None, "answered");
    assert_eq!(and("50.6 < . 306 ack 101\n65 > . 100 ack 306"), told(1, "65", "65", 0), "and silent anew");
    assert_eq!(and("50.6 > . 101 ack 306 len 9"), None, "it has something to send");
    assert_eq!(
        probes("0 > . 101 ack 301\n15 > . 100 ack 301\n30 > . 100 ack 301"),
        None,
        "a peer that was never heard"
    );
}

#[test]
fn what_is_sent_again_while_only_shorter_segments_arrive_is_told_so() {
    let unmoved = |text: &str| watched(text).verdict.unmoved(Side::Orig);
    let stuck = "
        0 < . 301 ack 101 len 5
        1 > . 101 ack 306 len 1448
        1 > . 1549 ack 306 len 200
        1.01 < . 306 ack 101 block 1549 1749
        1.3 > . 101 ack 306 len 1448
        1.9 > . 101 ack 306 len 1448";
    let told = unmoved(stuck).unwrap();
    assert_eq!((told.times, told.last, told.len, told.shorter_arrive), (2, time_of("1.9"), 1_448, true));
    let copies =
        |count: u32| (0..count).map(|nth| format!("\n{} > . 101 ack 306 len 1448", 2 + nth)).collect::<String>();
    for (more, times, oftener) in [(13, 15, false), (14, 16, true), (20, 16, true)] {
        let told = unmoved(&format!("{stuck}{}", copies(more))).unwrap();
        assert_eq!((told.times, told.more), (times, oftener), "no more than 16 are remembered");
    }
    let and = |more: &str| unmoved(&format!("{stuck}\n{more}"));
    assert_eq!(and("2 < . 306 ack 1749"), None, "it got through");
    let long = and("2 > . 1749 ack 306 len 1448\n2.01 < . 306 ack 101 block 1549 3197");
    assert!(!long.unwrap().shorter_arrive, "one as long got through");
    let shorter = and("2.5 > . 101 ack 306 len 100").unwrap();
    assert_eq!((shorter.len, shorter.shorter_arrive), (100, false), "it tries with less");
    let silent = "0 < . 301 ack 101 len 5\n1 > . 101 ack 306 len 1448\n1.3 > . 101 ack 306 len 1448";
    assert!(!unmoved(silent).unwrap().shorter_arrive, "nothing arrives");
}
