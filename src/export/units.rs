//! How numbers are written for readers: one unit for one thing, and never a figure that was not recorded. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::Timestamp;
use crate::engine::Loss;

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 flow`, `12,345 flows`.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `512 B`, `98.0 kB`, `1.2 MB`: powers of 1000.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut tenths = u128::from(number) / 100;
    for unit in UNITS {
        if tenths < 10_000 || unit == "EB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        tenths /= 1000;
    }
    format!("{number} B")
}

/// `85 µs`, `0.40 ms`, `22.1 ms`, `134.5 s`, `12 min 5 s`, `3 h 20 min`.
pub(super) fn span(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0..100 => format!("{micros} µs"),
        100..10_000 => format!("{:.2} ms", span.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        1_000_000..10_000_000 => format!("{:.2} s", span.as_secs_f64()),
        10_000_000..600_000_000 => format!("{:.1} s", span.as_secs_f64()),
        600_000_000..36_000_000_000 => format!("{} min {} s", span.as_secs() / 60, span.as_secs() % 60),
        _ => format!("{} h {} min", span.as_secs() / 3600, span.as_secs() / 60 % 60),
    }
}

/// `2026-11-21 14:00:00.250 – 14:01:10.250 UTC`, the second day named only if it is another; seconds since the
/// epoch where no calendar reaches.
pub(super) fn utc_span(from: Timestamp, to: Timestamp) -> String {
    match (zoned(from), zoned(to)) {
        (Some(first), Some(last)) => {
            let format = if first.date() == last.date() { "%H:%M:%S%.3f UTC" } else { "%Y-%m-%d %H:%M:%S%.3f UTC" };
            format!("{} – {}", first.strftime("%Y-%m-%d %H:%M:%S%.3f"), last.strftime(format))
        }
        _ => format!("{from} – {to} s"),
    }
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
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (nanos, text) in [
            (0, "0 µs"),
            (99_999, "99 µs"),
            (400_000, "0.40 ms"),
            (22_140_000, "22.1 ms"),
            (1_022_000_000, "1.02 s"),
            (134_500_000_000, "134.5 s"),
            (725_000_000_000, "12 min 5 s"),
            (u64::MAX, "5124095 h 34 min"),
        ] {
            assert_eq!(span(Duration::from_nanos(nanos)), text);
        }
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
