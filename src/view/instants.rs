//! Instants in tables and lives: how long ago, by the clock, or from the start.

use std::time::Duration;

use crate::base::Timestamp;
use crate::flow::LifeEvent;
use crate::ui::TimeStyle;

use super::Context;
use super::format::{age, clock, clock_ms, position, span};

/// Columns that an instant needs.
pub(super) const WIDTH: usize = 8;

/// What a column of instants is called, as times are told now: `age` or `first`, `idle` or `last`, `for` or `since`.
pub(super) fn heading(style: TimeStyle, relative: &'static str) -> &'static str {
    const HEADINGS: [(&str, &str); 3] = [("age", "first"), ("idle", "last"), ("for", "since")];
    let absolute = HEADINGS.iter().find(|(name, _)| *name == relative && style != TimeStyle::Relative);
    absolute.map_or(relative, |(_, absolute)| absolute)
}

/// An instant in a table, in [`WIDTH`] columns.
pub(super) fn instant(context: &Context<'_>, at: Timestamp) -> String {
    match context.ui.times() {
        TimeStyle::Relative => age(context.ago(at)),
        TimeStyle::Absolute => clock(at, &context.theme.zone),
        TimeStyle::Delta => from_start(context.dashboard.since.map_or(Duration::ZERO, |start| at.since(start))),
    }
}

/// `+1:09.8`; from an hour on without tenths, from ten in hours, from a thousand in days.
fn from_start(time: Duration) -> String {
    let text = position(time);
    match time.as_secs() {
        0..3_600 => format!("+{text}"),
        3_600..36_000 => format!("+{}", text.split('.').next().unwrap_or_default()),
        secs @ 36_000..3_600_000 => format!("+{} h", secs / 3_600),
        secs => format!("+{} d", secs / 86_400),
    }
}

/// When an event of a life was, before the words that say what: by the clock where there is room for it, and how long
/// after the first event, or the one before.
pub(super) fn in_life(context: &Context<'_>, life: &[LifeEvent], at: usize, narrow: bool) -> (String, String) {
    let event = &life[at];
    let clock = || clock_ms(event.ts, &context.theme.zone);
    let style = context.ui.times();
    let wide = if narrow || style == TimeStyle::Absolute { String::new() } else { clock() + "  " };
    let told = match style {
        TimeStyle::Relative => after(event.ts.since(life[0].ts)),
        TimeStyle::Absolute => clock(),
        TimeStyle::Delta => format!("+{}", after(event.ts.since(life[at.saturating_sub(1)].ts))),
    };
    (wide, told)
}

/// To the millisecond where seconds matter.
fn after(time: Duration) -> String {
    match time.as_secs() {
        _ if time.is_zero() => "0".to_owned(),
        0 => span(time),
        1..1_000 => format!("{:.3} s", time.as_secs_f64()),
        _ => span(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_never_further_than_its_column() {
        for (secs, expected) in [
            (0.0, "+0:00.0"),
            (69.84, "+1:09.8"),
            (3_599.9, "+59:59.9"),
            (3_723.5, "+1:02:03"),
            (360_000.0, "+100 h"),
            (95_924_930.0, "+1110 d"),
        ] {
            let text = from_start(Duration::from_secs_f64(secs));
            assert_eq!(text, expected);
            assert!(text.len() <= WIDTH, "{text}");
        }
    }
}
