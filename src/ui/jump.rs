//! Reads a time as it is typed: a span from the start (`12.5`, `90s`, `1m30s`, `1:30`) or an instant (RFC 3339).

use std::time::Duration;

use crate::base::Timestamp;

/// The instant that `text` names in a capture that begins at `start`; `Err` says what is expected.
pub(super) fn parse(text: &str, start: Option<Timestamp>) -> Result<Timestamp, &'static str> {
    let text = text.trim();
    if let Some(span) = span(text) {
        return Ok(start.ok_or("nothing has been read yet")? + span);
    }
    let instant: jiff::Timestamp = text.parse().map_err(|_| EXPECTED)?;
    i64::try_from(instant.as_nanosecond()).map(Timestamp::from_nanos).map_err(|_| "out of range")
}

const EXPECTED: &str = "a time is 12.5 or 1m30s or 1:30 from the start, or 2026-11-21T14:03:22Z";

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
            assert_eq!(parse(text, Some(start)), Ok(start + Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn instants_need_no_start() {
        let expected = Timestamp::from_secs_nanos(1_795_269_802, 250_000_000);
        assert_eq!(parse("2026-11-21T14:03:22.25Z", None), Ok(expected));
        assert_eq!(parse("2026-11-21T15:03:22.25+01:00", None), Ok(expected));
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let start = Some(Timestamp::from_secs_nanos(1_000, 0));
        for text in ["", ".", "-5", "1x", "1:2:3:4", "soon", "1e9", "1..2", "m", "inf", "9999999999999999999999999:1"] {
            assert!(parse(text, start).is_err(), "{text}");
        }
        assert_eq!(parse("5", None), Err("nothing has been read yet"));
    }
}
