//! How numbers are written for readers: one unit for one thing, and never a figure that was not recorded. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::Timestamp;
pub(super) use crate::base::units::{bytes, count, counted, watched};
use crate::engine::Loss;

/// Seconds of a day.
const DAY: u64 = 86_400;
/// From so many on, days are told as such.
const DAYS: u64 = 2 * DAY;

/// `400 µs`, `9.40 ms`, `22.1 ms`, `134.5 s`, `12 min 5 s`, `3 h 20 min`, `1122 d 8 h`: rounded.
pub(super) fn span(span: Duration) -> String {
    let micros = span.as_nanos().saturating_add(500) / 1_000;
    let secs = span.as_secs().saturating_add(u64::from(span.subsec_nanos() >= 500_000_000));
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..9_995 => format!("{:.2} ms", span.as_secs_f64() * 1e3),
        9_995..999_950 => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        999_950..9_995_000 => format!("{:.2} s", span.as_secs_f64()),
        9_995_000..599_950_000 => format!("{:.1} s", span.as_secs_f64()),
        599_950_000..36_000_000_000 => format!("{} min {} s", secs / 60, secs % 60),
        36_000_000_000..172_800_000_000 => format!("{} h {} min", secs / 3600, secs / 60 % 60),
        _ => format!("{} d {} h", secs / DAY, secs / 3600 % 24),
    }
}

const CLOCK: &str = "%H:%M:%S%.3f";
const DATED: &str = "%Y-%m-%d %H:%M:%S%.3f";

/// `2026-11-21 14:00:00.250 – 14:01:10.250 UTC`, the second day named only if it is another; seconds since the
/// epoch where no calendar reaches.
pub(super) fn utc_span(from: Timestamp, to: Timestamp) -> String {
    match (zoned(from), zoned(to)) {
        (Some(first), Some(last)) => {
            let format = if first.date() == last.date() { CLOCK } else { DATED };
            format!("{} – {} UTC", first.strftime(DATED), last.strftime(format))
        }
        _ => format!("{from} – {to} s"),
    }
}

/// `2026-11-21 14:00:00.250 UTC`; seconds since the epoch where no calendar reaches.
pub(super) fn utc(ts: Timestamp) -> String {
    zoned(ts).map_or_else(|| format!("{ts} s"), |at| format!("{} UTC", at.strftime(DATED)))
}

fn zoned(ts: Timestamp) -> Option<jiff::Zoned> {
    let millis = ts.nanos().div_euclid(1_000_000);
    Some(jiff::Timestamp::from_millisecond(millis).ok()?.to_zoned(TimeZone::UTC))
}

/// The four counters of loss.
pub(super) fn losses(loss: &Loss) -> String {
    let told = |number: Option<u64>| number.map_or_else(|| "not recorded".to_owned(), count);
    format!(
        "kernel {}, interface {}, ours {}, undecoded {}",
        told(loss.kernel),
        told(loss.interface),
        count(loss.ours),
        count(loss.frames.undecoded_total())
    )
}

/// From the start, to the millisecond: `+1.022 s`; from two days on `+1110 d 06:28:50.825`.
pub(super) fn from_start(time: Duration) -> String {
    match time.as_secs() {
        secs @ DAYS.. => {
            let (h, m, s) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
            format!("+{} d {h:02}:{m:02}:{s:02}.{:03}", secs / DAY, time.subsec_millis())
        }
        _ => format!("+{:.3} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_at_every_size() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "flow"), "1 flow");
        for (number, text) in [
            (999, "999 B"),
            (1000, "1.0 kB"),
            (98_049, "98.0 kB"),
            (3_888, "3.9 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (nanos, text) in [
            (0, "0 µs"),
            (99_999, "100 µs"),
            (400_000, "400 µs"),
            (999_600, "1.00 ms"),
            (9_996_000, "10.0 ms"),
            (999_960_000, "1.00 s"),
            (22_140_000, "22.1 ms"),
            (1_022_000_000, "1.02 s"),
            (134_500_000_000, "134.5 s"),
            (725_000_000_000, "12 min 5 s"),
            (725_600_000_000, "12 min 6 s"),
            (172_799_000_000_000, "47 h 59 min"),
            (172_800_000_000_000, "2 d 0 h"),
            (u64::MAX, "213503 d 23 h"),
        ] {
            assert_eq!(span(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn the_start_is_days_ago_in_days() {
        let told = |nanos| from_start(Duration::from_nanos(nanos));
        assert_eq!(told(172_799_999_000_000), "+172799.999 s");
        assert_eq!(told(95_924_930_825_000_000), "+1110 d 05:48:50.825");
    }

    #[test]
    fn times_are_utc_and_never_panic() {
        let at = Timestamp::from_secs_nanos(1_763_733_600, 250_999_999);
        assert_eq!(
            utc_span(at, at + Duration::from_secs(86_400)),
            "2025-11-21 14:00:00.250 – 2025-11-22 14:00:00.250 UTC"
        );
        for ts in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_nanos(-1)] {
            assert!(!utc_span(ts, Timestamp::MAX).is_empty());
        }
    }
}
