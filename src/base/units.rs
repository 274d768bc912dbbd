//! Numbers as readers read them: thousands separated, bytes in powers of 1000, times in one unit, never rounded up to
//! what has not passed.

use std::time::Duration;

/// A count with thousands separators: `25,691`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 flow`, `12,345 flows`, `2 processes`.
pub fn counted(number: u64, one: &str) -> String {
    let many = if one.ends_with('s') { "es" } else { "s" };
    format!("{} {one}{}", count(number), if number == 1 { "" } else { many })
}

/// Bytes in powers of 1000, rounded: `512 B`, `98.0 kB`, `1.2 MB`.
pub fn bytes(number: u64) -> String {
    if number < 1_000 {
        return format!("{number} B");
    }
    scaled(number as f64, &[" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

/// `value` in the largest of `units`, each a thousand times the one before, in which it is at least one; rounded to a
/// tenth.
pub fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1}{}", units[unit])
}

/// A span to three figures or in whole units: `300 µs`, `4.21 ms`, `22.1 ms`, `1.02 s`, `41 s`, `3 min`, `2 h`, `5 d`.
pub fn span(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1_000.0;
    let secs = time.as_secs();
    match secs {
        0 if time.is_zero() => "0 µs".to_owned(),
        0 if ms < 0.000_95 => "<1 µs".to_owned(),
        0 if ms < 0.999_5 => format!("{:.0} µs", ms * 1_000.0),
        0 if ms < 9.995 => format!("{ms:.2} ms"),
        0 if ms < 99.95 => format!("{ms:.1} ms"),
        0 if ms < 999.5 => format!("{ms:.0} ms"),
        0..10 if ms < 9_995.0 => format!("{:.2} s", ms / 1_000.0),
        0..172_800 => coarse(time),
        _ => format!("{} d", count(secs / 86_400)),
    }
}

/// An age: whole seconds and above, since a finer figure would only flicker.
pub fn age(time: Duration) -> String {
    match time.as_secs() {
        0 => "<1 s".to_owned(),
        1..120 => coarse(time),
        _ => span(time),
    }
}

/// How long something was watched, to the nearest second, so that it holds still while it is looked at: `<1 s`, `2 s`,
/// `60 s`. A rate is over the exact time.
pub fn watched(time: Duration) -> String {
    match time.as_millis() {
        0..1_000 => "<1 s".to_owned(),
        ms @ 1_000..60_000 => format!("{} s", (ms + 500) / 1_000),
        _ => coarse(time),
    }
}

/// `count` over as much time: `0.4/s`, `16,753/s`; `None` before a second is complete, of which no rate is known.
pub fn rate_over(count: u64, watched: Duration) -> Option<String> {
    (watched.as_secs() > 0).then(|| rate(count as f64 / watched.as_secs_f64()))
}

/// So many a second: `0.4/s`, `12.6/s`, `16,753/s`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        ..999.95 => format!("{per_second:.1}/s"),
        _ => format!("{}/s", count(per_second.round() as u64)),
    }
}

/// A span no more exact than whole units, of which days are none: `41 s`, `3 min`, `50 h`.
pub fn coarse(time: Duration) -> String {
    match time.as_secs() {
        secs @ 0..120 => format!("{secs} s"),
        secs @ 120..7_200 => format!("{} min", secs / 60),
        secs => format!("{} h", secs / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_separated_and_bytes_rounded() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [999, 1_000, 3_888, 999_949, 999_950].map(bytes),
            ["999 B", "1.0 kB", "3.9 kB", "999.9 kB", "1.0 MB"]
        );
        assert_eq!(bytes(u64::MAX), "18.4 EB");
        assert_eq!([1, 1_000].map(|n| counted(n, "flow")), ["1 flow", "1,000 flows"]);
        assert_eq!([0, 1].map(|n| counted(n, "process")), ["0 processes", "1 process"]);
    }

    #[test]
    fn spans_keep_three_figures_and_never_round_up_to_a_strange_unit() {
        let cases: [(u64, &str); 16] = [
            (0, "0 µs"),
            (900, "<1 µs"),
            (300_000, "300 µs"),
            (999_600, "1.00 ms"),
            (9_996_000, "10.0 ms"),
            (22_100_000, "22.1 ms"),
            (99_960_000, "100 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1.00 s"),
            (1_022_000_000, "1.02 s"),
            (9_996_000_000, "9 s"),
            (41_900_000_000, "41 s"),
            (119_999_000_000, "119 s"),
            (180_000_000_000, "3 min"),
            (7_200_000_000_000, "2 h"),
            (432_000_000_000_000, "5 d"),
        ];
        for (nanos, text) in cases {
            assert_eq!(span(Duration::from_nanos(nanos)), text, "{nanos}");
        }
        assert_eq!(span(Duration::MAX), "213,503,982,334,601 d");
    }

    #[test]
    fn what_is_coarse_is_in_whole_units() {
        let spans = [0, 119, 120, 7_199, 7_200, 180_000].map(|secs| coarse(Duration::from_secs(secs)));
        assert_eq!(spans, ["0 s", "119 s", "2 min", "119 min", "2 h", "50 h"]);
    }

    #[test]
    fn what_was_watched_is_told_roughly_and_its_rate_exactly() {
        for (millis, text, rate) in [
            (999, "<1 s", None),
            (1_990, "2 s", Some("16,753/s")),
            (12_390, "12 s", Some("2,691/s")),
            (59_999, "60 s", Some("555.7/s")),
            (60_999, "60 s", Some("546.5/s")),
        ] {
            let time = Duration::from_millis(millis);
            assert_eq!((watched(time), rate_over(33_339, time).as_deref()), (text.to_owned(), rate));
        }
        assert_eq!([0.44, 999.96].map(super::rate), ["0.4/s", "1,000/s"]);
    }

    #[test]
    fn ages_are_whole_seconds() {
        let cases = [(0, "<1 s"), (1, "1 s"), (9, "9 s"), (10, "10 s"), (11, "11 s"), (110, "110 s"), (180, "3 min")];
        for (secs, text) in cases {
            assert_eq!(age(Duration::from_secs(secs)), text);
        }
    }
}
