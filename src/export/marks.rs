//! The marks of a recording, in reports. Pure.

use std::borrow::Cow;

use serde::Serialize;

use crate::base::{Mark, Timestamp};

use super::units::{from_start, utc};

/// An instant that somebody marked. `type` is "mark".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct MarkRecord<'a> {
    r#type: &'static str,
    ts_ns: i64,
    /// Absent where nothing was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

impl<'a> MarkRecord<'a> {
    pub(super) fn of(mark: &'a Mark) -> Self {
        let note = Some(mark.note.as_str()).filter(|note| !note.is_empty());
        Self { r#type: "mark", ts_ns: mark.ts.nanos(), note }
    }
}

/// When it is, by the time since the start of the source and by the clock, and what was noted.
pub(super) fn line(mark: &Mark, since: Option<Timestamp>) -> String {
    let after = since.filter(|since| *since <= mark.ts);
    let after = after.map_or_else(|| "before the start".to_owned(), |since| from_start(mark.ts.since(since)));
    let note = if mark.note.is_empty() { Cow::Borrowed("no note") } else { format!("“{}”", mark.note).into() };
    format!("{after} · {} · {note}", utc(mark.ts))
}
