//! The axis of time that all charts of a flow's graph share, and the words beside and below them.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::Timestamp;
use crate::ui::GRAPH_LABELS;

use super::Context;
use super::widgets::{left, put, put_all, right, styled, width};

/// A span of time over columns (or dots) of a chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// The flow's first segment: times are told from there.
    pub(super) zero: Timestamp,
}

impl Axis {
    /// The place of an instant among so many; `None` outside.
    pub(super) fn place(&self, at: Timestamp, count: usize) -> Option<usize> {
        (self.from <= at && at <= self.to && count > 0).then(|| self.clamped(at, count))
    }

    /// The same, at the end where it lies outside.
    pub(super) fn clamped(&self, at: Timestamp, count: usize) -> usize {
        let whole = self.to.since(self.from).as_nanos().max(1);
        let passed = at.since(self.from).as_nanos().min(whole);
        usize::try_from(passed * count as u128 / whole).unwrap_or(usize::MAX).min(count.saturating_sub(1))
    }
}

/// Words in the columns before a chart, one below the other; names and values.
pub(super) fn label(context: &Context<'_>, chart: Rect, words: &[(&str, bool)], buf: &mut Buffer) {
    let width = GRAPH_LABELS.min(chart.x);
    let area = Rect { x: chart.x - width, width: width.saturating_sub(1), ..chart };
    let line = |(word, is_name): &(&str, bool)| {
        let style = if *is_name { context.theme.strong } else { context.theme.dim };
        Line::from(styled(right(word, usize::from(area.width)), style))
    };
    // Where there is one line only, name and value cannot both stand.
    put_all(buf, area, &words.iter().map(line).collect::<Vec<_>>());
}

/// The step between labels of which `whole` has room for so many: 1, 2 or 5 of a decade.
pub(super) fn nice_step(whole: u64, labels: usize) -> u64 {
    const STEPS: [u64; 3] = [1, 2, 5];
    let wanted = whole.div_ceil((labels as u64).max(1)).max(1);
    let decades = (0..19).map(|power| 10_u64.pow(power));
    decades
        .flat_map(|decade| STEPS.map(|step| step.saturating_mul(decade)))
        .find(|step| *step >= wanted)
        .unwrap_or(u64::MAX)
}

/// Times below the charts.
pub(super) fn ticks(context: &Context<'_>, axis: Axis, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width);
    let whole = axis.to.since(axis.from).as_nanos() as u64;
    let step = nice_step(whole, room / 14);
    let start = axis.from.since(axis.zero).as_nanos() as u64;
    let mut line = String::new();
    let mut tick = start.div_ceil(step).saturating_mul(step);
    while let Some(column) = axis.place(axis.zero + Duration::from_nanos(tick), room) {
        let text = format!("╵{}", tick_words(tick, step, start + whole));
        if width(&line) <= column && column + width(&text) <= room {
            line = left(&line, column) + &text;
        }
        tick = tick.saturating_add(step);
        if tick == u64::MAX {
            break;
        }
    }
    put(buf, area, &Line::from(styled(line, context.theme.dim)));
    label(context, area, &[("time", true)], buf);
}

/// A time in the unit that `last` has, with just the decimals that tell it from the next tick's; where those are many,
/// in a smaller unit.
fn tick_words(nanos: u64, step: u64, last: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    let decimals = |unit: u64| {
        (0..=9_u32).find(|digits| step.saturating_mul(10_u64.pow(*digits)).is_multiple_of(unit)).unwrap_or(9)
    };
    let fits = |(unit, _): &&(u64, &str)| last >= *unit && decimals(*unit) <= 3;
    let (unit, name) = *UNITS.iter().find(fits).unwrap_or(&UNITS[3]);
    match decimals(unit) as usize {
        0 => format!("{} {name}", super::format::count(nanos / unit)),
        digits => format!("{:.digits$} {name}", nanos as f64 / unit as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_tell_what_sets_them_apart() {
        for (tick, step, last, words) in [
            (1_500_000, 500_000, 9_000_000, "1.5 ms"),
            (300, 100, 900, "300 ns"),
            (20_000_000, 5_000_000, 90_000_000, "20 ms"),
            (1_200_000_000, 200_000_000, 1_900_000_000, "1.2 s"),
            (2_000_000_000_000, 1_000_000_000, 2_000_000_000_000, "2,000 s"),
            (61_000_020_000, 10_000, 61_000_090_000, "61000.02 ms"),
        ] {
            assert_eq!(tick_words(tick, step, last), words);
        }
    }

    #[test]
    fn instants_have_their_places() {
        let at = |nanos| Timestamp::from_nanos(nanos);
        let axis = Axis { from: at(100), to: at(200), zero: at(0) };
        assert_eq!(
            [99, 100, 149, 150, 200, 201].map(|n| axis.place(at(n), 2)),
            [None, Some(0), Some(0), Some(1), Some(1), None]
        );
        assert_eq!((axis.clamped(at(0), 2), axis.clamped(at(999), 2), axis.place(at(150), 0)), (0, 1, None));
    }
}
