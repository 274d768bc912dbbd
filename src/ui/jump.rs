//! Reads a time as it is typed: a span from the start (`12.5`, `90s`, `1m30s`, `1:30`), the clock as the views write it
//! (`14:03:22`, `2026-11-21 14:03:22`) or an instant (RFC 3339).

use std::time::Duration;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::base::Timestamp;

/// What can be gone to, and how its instants are written.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// `None` before anything was read.
    pub(super) start: Option<Timestamp>,
    /// `None` while it is not known.
    pub(super) end: Option<Timestamp>,
    pub(super) zone: TimeZone,
}

/// The instant that `text` names; `Err` says what is expected, or that the source ends before.
pub(super) fn parse(text: &str, ground: &Ground) -> Result<Timestamp, String> {
    let text = text.trim();
    let Some(span) = span(text) else { return ground.check(instant(text, &ground.zone).ok_or(EXPECTED)?) };
    let at = ground.start.ok_or("nothing has been read yet")? + span;
    // A clock's hours are a span too, of which few sources are that long.
    ground.check(at).or_else(|beyond| ground.by_the_clock(text).ok_or(beyond))
}

const EXPECTED: &str = "a time is 12.5 or 1m30s or 1:30 from the start, 14:03:22, or 2026-11-21T14:03:22Z";

impl Ground {
    fn check(&self, at: Timestamp) -> Result<Timestamp, String> {
        match self.end {
            Some(end) if at > end => Err(format!("beyond the end ({})", self.clock(end))),
            _ => Ok(at),
        }
    }

    fn clock(&self, at: Timestamp) -> String {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(at.nanos()));
        instant.map_or_else(|_| at.to_string(), |at| at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string())
    }

    /// The instant of the start's day at which the clock shows `text` (`HH:MM:SS`), if the source has it. A clock of a
    /// later day is a span within the source, and taken as that.
    fn by_the_clock(&self, text: &str) -> Option<Timestamp> {
        let (start, end) = (self.start?, self.end?);
        let time: Time = text.parse().ok().filter(|_| text.matches(':').count() == 2)?;
        let first = jiff::Timestamp::from_nanosecond(start.nanos().into()).ok()?.to_zoned(self.zone.clone());
        let at = zoned(first.date().to_datetime(time), &self.zone)?;
        // The start's own second, which is written without its fraction, is the start.
        (at <= end && at.seconds() >= start.seconds()).then(|| at.max(start))
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

fn span(text: &str) -> Option<Duration> {
    let total = if text.contains(':') { clock(text)? } else { units(text)? };
    Duration::try_from_secs_f64(total).ok()
}

/// `H:M:S` or `M:S`.
fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    parts.iter().try_fold(0.0, |sum, part| Some(sum * 60.0 + number(part)?))
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
            assert_eq!(parse(text, &endless(Some(start))), Ok(start + Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn instants_need_no_start() {
        let expected = Timestamp::from_secs_nanos(1_795_269_802, 250_000_000);
        assert_eq!(parse("2026-11-21T14:03:22.25Z", &endless(None)), Ok(expected));
        assert_eq!(parse("2026-11-21T15:03:22.25+01:00", &endless(None)), Ok(expected));
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
            ("00:01:30", 90_000),
            ("100", 100_000),
        ] {
            assert_eq!(parse(text, &ground()), Ok(start + Duration::from_millis(millis)), "{text}");
        }
        for text in ["23:59:57", "00:01:41", "100.1", "1h", "2:00", "24:00:00", "2026-11-22 00:01:39"] {
            assert_eq!(parse(text, &ground()), Err("beyond the end (00:01:38)".into()), "{text}");
        }
        let hours = Ground { end: Some(start + Duration::from_secs(90_000)), ..ground() };
        assert_eq!(parse("08:01:50", &hours), Ok(start + Duration::from_secs(28_910)), "a span where there is one");
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let start = Some(Timestamp::from_secs_nanos(1_000, 0));
        for text in ["", ".", "-5", "1x", "1:2:3:4", "soon", "1e9", "1..2", "m", "inf", "9999999999999999999999999:1"] {
            assert!(parse(text, &endless(start)).is_err(), "{text}");
        }
        assert_eq!(parse("5", &endless(None)), Err("nothing has been read yet".into()));
    }
}
