//! The last minute, of which panes and findings tell: 60 complete seconds and the one that goes on, or as much of that as
//! was watched. Whole seconds, so that every count of it is of the same ones.

use std::time::Duration;

use crate::base::{Series, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const COMPLETE: u32 = 60;

/// Those that it consists of.
pub(super) const SECONDS: usize = COMPLETE as usize + 1;

/// How many seconds ago `at` was, the one that goes on being 0; `None` of what was not yet.
pub(super) fn seconds_ago(at: Timestamp, now: Timestamp) -> Option<usize> {
    usize::try_from(now.bin(SECOND) - at.bin(SECOND)).ok()
}

/// Whether what happened at `at` counts as of the last minute.
pub(super) fn lately(at: Timestamp, now: Timestamp) -> bool {
    now.bin(SECOND) - at.bin(SECOND) <= i64::from(COMPLETE)
}

/// The sum of a series of seconds over it.
pub(super) fn sum(series: &Series, now: Timestamp) -> u64 {
    series.sum(now, SECOND * (COMPLETE + 1))
}

/// How much of it was watched by who watches since then: what a rate divides by.
pub(super) fn watched(since: Option<Timestamp>, now: Timestamp) -> Duration {
    let goes_on = u64::try_from(now.nanos() - now.bin_span(SECOND).start).unwrap_or(0);
    let whole = SECOND * COMPLETE + Duration::from_nanos(goes_on);
    since.map_or(Duration::ZERO, |since| now.since(since)).min(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn what_is_counted_is_what_was_watched() {
        let mut each_tenth = Series::new(SECOND, 240);
        (0..1_000).for_each(|tenth| each_tenth.add(at(400 + tenth * 100), 1));
        let since = Some(at(400));
        for (now, millis) in
            [(400, 0), (2_390, 1_990), (60_990, 60_590), (61_000, 60_000), (61_400, 60_400), (99_990, 60_990)]
        {
            let told = watched(since, at(now));
            assert_eq!(told, Duration::from_millis(millis), "{now}");
            let first = at(now - millis as i64);
            assert!(lately(first, at(now)), "{now}");
            let before = at(now - millis as i64 - 1);
            assert!(!lately(before, at(now)) || before < at(400), "{now}");
        }
        assert_eq!(sum(&each_tenth, at(100_300)), 604, "60.3 s, both ends of them");
        assert_eq!(watched(None, at(5)), Duration::ZERO);
    }
}
