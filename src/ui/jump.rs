//! Reads a time as it is typed, after the key that jumps or `--at`: a span from the start (`12.5`, `90s`, `1m30s`,
//! `1:30`), the clock as the views write it (`14:03:22`, `14:03`, `2026-11-21 14:03:22`) or an instant (RFC 3339).

use std::time::Duration;

use jiff::Zoned;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::base::Timestamp;

/// What can be gone to, and how its instants are written.
#[derive(Debug, Clone)]
pub struct Ground {
    /// `None` before anything was read.
    pub start: Option<Timestamp>,
    /// `None` while it is not known: then no instant lies beyond it.
    pub end: Option<Timestamp>,
    pub zone: TimeZone,
}

/// Why there is no instant to go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nowhere {
    #[error("a time is 12.5, 1m30s or 1:30 from the start, 14:03:22, or 2026-11-21T14:03:22Z")]
    NoTime,
    #[error("nothing has been read yet")]
    NothingRead,
    /// It lies before the start or beyond the end; how it was read.
    #[error("{0}")]
    Outside(String),
}

impl Ground {
    /// The instant that `text` names.
    ///
    /// # Errors
    /// As [`Nowhere`] has them.
    pub fn instant(&self, text: &str) -> Result<Timestamp, Nowhere> {
        let text = text.trim();
        let Some(span) = span(text) else {
            return self.check(self.or_start(instant(text, &self.zone).ok_or(Nowhere::NoTime)?));
        };
        let start = self.start.ok_or(Nowhere::NothingRead)?;
        self.check(start + span).or_else(|_| {
            // A clock's hours are a span too, of which few sources are that long.
            let seconds_are_told = text.matches(':').count() == 2;
            match self.by_the_clock(text).map(|at| self.check(at)) {
                Some(read) if read.is_ok() || seconds_are_told => read,
                _ => Err(self.beyond_the_end(&in_words(text))),
            }
        })
    }

    /// The other instant that `text` names, by the clock, where it reads as a span from the start too.
    pub fn otherwise(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        span(text)?;
        self.by_the_clock(text)
    }

    fn check(&self, at: Timestamp) -> Result<Timestamp, Nowhere> {
        match (self.start, self.end) {
            (Some(start), _) if at < start => {
                Err(Nowhere::Outside(format!("before the start ({})", self.clock(start))))
            }
            (_, Some(end)) if at > end => Err(self.beyond_the_end("")),
            _ => Ok(at),
        }
    }

    fn beyond_the_end(&self, read: &str) -> Nowhere {
        let end = self.end.map_or_else(String::new, |end| self.clock(end));
        Nowhere::Outside(format!("{read}beyond the end ({end})"))
    }

    fn clock(&self, at: Timestamp) -> String {
        self.in_zone(at).map_or_else(|| at.to_string(), |at| at.strftime("%H:%M:%S").to_string())
    }

    fn in_zone(&self, at: Timestamp) -> Option<Zoned> {
        let at = jiff::Timestamp::from_nanosecond(at.nanos().into()).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    /// The start's own second, which is written without its fraction, is the start.
    fn or_start(&self, at: Timestamp) -> Timestamp {
        self.start.filter(|start| at.seconds() == start.seconds()).map_or(at, |start| at.max(start))
    }

    /// The instant at which the clock shows `text` (`HH:MM:SS` or `HH:MM`): of the start's day, or of the end's where
    /// that is less far off. A clock of a later day is a span within the source, and taken as that.
    fn by_the_clock(&self, text: &str) -> Option<Timestamp> {
        let start = self.start?;
        let time: Time = text.parse().ok().filter(|_| text.contains(':'))?;
        let on_the_day_of = |day: Timestamp| {
            let at = zoned(self.in_zone(day)?.date().to_datetime(time), &self.zone)?;
            let is_its_minute = text.matches(':').count() == 1 && at < start && at + MINUTE > start;
            Some(if is_its_minute { start } else { self.or_start(at) })
        };
        let days = [Some(start), self.end].into_iter().flatten();
        days.filter_map(on_the_day_of).min_by_key(|at| self.outside(*at))
    }

    /// How far off the source an instant is.
    fn outside(&self, at: Timestamp) -> Duration {
        let before = self.start.map_or(Duration::ZERO, |start| start.since(at));
        before.max(self.end.map_or(Duration::ZERO, |end| at.since(end)))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// How a span that reads as a clock too was read: nothing of one that does not.
fn in_words(text: &str) -> String {
    let number = |part: &str| match part.trim_start_matches('0') {
        "" => "0".to_owned(),
        part => part.to_owned(),
    };
    let parts: Vec<String> = text.split(':').map(number).collect();
    match &parts[..] {
        [minutes, seconds] => format!("{minutes} min {seconds} s from the start lies "),
        [hours, minutes, seconds] => format!("{hours} h {minutes} min {seconds} s from the start lies "),
        _ => String::new(),
    }
}

/// With an offset from UTC, which may stand apart as in the header, or without one by the clock of `zone`.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let joined = text.replace(" +", "+").replace(" -", "-");
    match joined.parse::<jiff::Timestamp>() {
        Ok(instant) => i64::try_from(instant.as_nanosecond()).map(Timestamp::from_nanos).ok(),
        Err(_) => zoned(text.parse::<DateTime>().ok().filter(|_| text.contains(':'))?, zone),
    }
}

fn zoned(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let nanos = at.to_zoned(zone.clone()).ok()?.timestamp().as_nanosecond();
    i64::try_from(nanos).map(Timestamp::from_nanos).ok()
}

/// `+90s`, `-1:30`: by how much to go from where one is, and whether forwards.
pub(super) fn from_here(text: &str) -> Option<(Duration, bool)> {
    let text = text.trim();
    let (forwards, rest) =
        text.strip_prefix('+').map(|rest| (true, rest)).or(text.strip_prefix('-').map(|rest| (false, rest)))?;
    Some((span(rest)?, forwards))
}

fn span(text: &str) -> Option<Duration> {
    let total = if text.contains(':') { clock(text)? } else { units(text)? };
    Duration::try_from_secs_f64(total).ok()
}

/// `H:M:S` or `M:S`; below the first, none reaches 60.
fn clock(text: &str) -> Option<f64> {
    let (first, rest) = text.split_once(':')?;
    if rest.matches(':').count() > 1 {
        return None;
    }
    rest.split(':').try_fold(number(first)?, |sum, part| Some(sum * 60.0 + number(part).filter(|part| *part < 60.0)?))
}

/// `1h2m3.5s`, units in any order; a last number without a unit is seconds.
fn units(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let value = number(&rest[..end])?;
        let tail = &rest[end..];
        let (factor, used) = match tail {
            "" => (1.0, 0),
            _ if tail.starts_with("ms") => (0.001, 2),
            _ if tail.starts_with('s') => (1.0, 1),
            _ if tail.starts_with('m') => (60.0, 1),
            _ if tail.starts_with('h') => (3600.0, 1),
            _ => return None,
        };
        sum += value * factor;
        rest = &tail[used..];
    }
    (!text.is_empty()).then_some(sum)
}

fn number(text: &str) -> Option<f64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 2026-11-21 23:59:58.4 for 100 s by a clock an hour east of UTC.
    fn ground() -> Ground {
        let start = Timestamp::from_secs_nanos(1_795_301_998, 400_000_000);
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        Ground { start: Some(start), end: Some(start + Duration::from_secs(100)), zone }
    }

    fn endless(start: Option<Timestamp>) -> Ground {
        Ground { start, end: None, zone: TimeZone::UTC }
    }

    #[test]
    fn spans_count_from_the_start() {
        let start = Timestamp::from_secs_nanos(1_000, 0);
        let cases = [
            ("12.5", 12_500),
            (" 90s ", 90_000),
            ("1m30s", 90_000),
            ("1m30", 90_000),
            ("1:30", 90_000),
            ("1:00:01.5", 3_601_500),
            ("250ms", 250),
            ("0", 0),
        ];
        for (text, millis) in cases {
            assert_eq!(endless(Some(start)).instant(text), Ok(start + Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_has_a_sign_counts_from_here() {
        let secs = Duration::from_secs;
        for (text, expected) in [
            ("+90", Some((secs(90), true))),
            (" -1m30s ", Some((secs(90), false))),
            ("-1:30", Some((secs(90), false))),
            ("90", None),
            ("+", None),
            ("+-5", None),
            ("- 5", None),
            ("+soon", None),
        ] {
            assert_eq!(from_here(text), expected, "{text}");
        }
    }

    #[test]
    fn instants_need_no_start() {
        let expected = Timestamp::from_secs_nanos(1_795_269_802, 250_000_000);
        assert_eq!(endless(None).instant("2026-11-21T14:03:22.25Z"), Ok(expected));
        assert_eq!(endless(None).instant("2026-11-21T15:03:22.25+01:00"), Ok(expected));
    }

    #[test]
    fn the_clock_is_read_as_the_views_write_it() {
        let start = ground().start.unwrap();
        for (text, millis) in [
            ("23:59:58", 0),
            ("23:59:59", 600),
            ("23:59:59.75", 1_350),
            ("2026-11-22 00:00:50.25", 51_850),
            ("2026-11-22 00:00:50.25 +01:00", 51_850),
            ("2026-11-21 23:00:50.25 +00:00", 51_850),
            ("2026-11-21T23:59:58+01:00", 0),
            ("23:59", 0),
            ("00:01", 1_000),
            ("00:01:30", 90_000),
            ("100", 100_000),
        ] {
            assert_eq!(ground().instant(text), Ok(start + Duration::from_millis(millis)), "{text}");
        }
        for (text, told) in [
            ("23:59:57", "before the start (23:59:58)"),
            ("2026-11-21 23:59:57", "before the start (23:59:58)"),
            ("2026-11-21T23:59:57+01:00", "before the start (23:59:58)"),
            ("18:00:00", "before the start (23:59:58)"),
            ("00:01:41", "beyond the end (00:01:38)"),
            ("2026-11-22 00:01:39", "beyond the end (00:01:38)"),
            ("100.1", "beyond the end (00:01:38)"),
            ("1h", "beyond the end (00:01:38)"),
            ("2:00", "2 min 0 s from the start lies beyond the end (00:01:38)"),
            ("24:07", "24 min 7 s from the start lies beyond the end (00:01:38)"),
            ("23:58", "23 min 58 s from the start lies beyond the end (00:01:38)"),
            ("24:00:00", "24 h 0 min 0 s from the start lies beyond the end (00:01:38)"),
        ] {
            assert_eq!(ground().instant(text), Err(Nowhere::Outside(told.into())), "{text}");
        }
        let hours = Ground { end: Some(start + Duration::from_secs(90_000)), ..ground() };
        assert_eq!(hours.instant("08:01:50"), Ok(start + Duration::from_secs(28_910)), "a span where there is one");
    }

    #[test]
    fn hours_and_minutes_are_a_clock_where_they_are_no_span() {
        let start = ground().start.unwrap();
        let later = Ground { start: Some(start + Duration::from_secs(12 * 3600)), ..ground() };
        let later = Ground { end: later.start.map(|start| start + Duration::from_secs(600)), ..later };
        // From 11:59:58.4 to 12:09:58.4.
        for (text, secs) in [("12:05", 301.6), ("11:59", 0.0), ("09:58", 598.0)] {
            let expected = later.start.unwrap() + Duration::from_secs_f64(secs);
            assert_eq!(later.instant(text), Ok(expected), "{text}");
        }
        let told = |text: &str| later.instant(text).unwrap_err().to_string();
        assert_eq!(told("12:10"), "12 min 10 s from the start lies beyond the end (12:09:58)");
        assert_eq!(told("10:00:00"), "before the start (11:59:58)");
        assert_eq!(told("13:00:00"), "beyond the end (12:09:58)");
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let start = Some(Timestamp::from_secs_nanos(1_000, 0));
        for text in [
            "",
            ".",
            "-5",
            "99:99",
            "1:60",
            "11:60:00",
            "11:22:60",
            "5:",
            "1x",
            "1:2:3:4",
            "soon",
            "1e9",
            "1..2",
            "m",
            "inf",
            "9999999999999999999999999:1",
        ] {
            assert!(endless(start).instant(text).is_err(), "{text}");
        }
        assert_eq!(endless(None).instant("5"), Err(Nowhere::NothingRead));
    }
}
