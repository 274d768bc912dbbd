//! The small charts below a flow's time-sequence graph: bars over the axis that they share with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::Timestamp;

use super::Context;
use super::chart::round_up;
use super::format::bytes;
use super::graph_axis::{Axis, label};
use super::graph_points::Points;
use super::ink::bars;
use super::widgets::{put_all, styled};

/// A small chart of bars.
pub(super) struct Chart<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a [(Timestamp, u64)],
    /// A value holds until the next; else it is of its instant alone.
    pub(super) holds: bool,
    pub(super) unit: fn(u64) -> String,
    pub(super) area: Rect,
}

impl Chart<'_> {
    pub(super) fn draw(&self, context: &Context<'_>, axis: Axis, buf: &mut Buffer) {
        if self.area.is_empty() {
            return;
        }
        let columns = self.columns(axis, usize::from(self.area.width));
        let Some(most) = columns.iter().flatten().copied().max() else {
            return label(context, self.area, &[(self.name, true), ("no value", false)], buf);
        };
        let top = round_up(most);
        let lines = bars(&columns, top, usize::from(self.area.height), true);
        let lines: Vec<Line<'_>> =
            lines.into_iter().map(|line| Line::from(styled(line, context.theme.spark))).collect();
        put_all(buf, self.area, &lines);
        self.scale(context, top, buf);
    }

    /// The top of its scale beside the top line, 0 beside the last; its name between them. In one line the name.
    fn scale(&self, context: &Context<'_>, top: u64, buf: &mut Buffer) {
        let top = (self.unit)(top);
        let height = usize::from(self.area.height);
        if height == 1 {
            return label(context, self.area, &[(self.name, true)], buf);
        }
        let mut words = vec![(top.as_str(), false), (self.name, true)];
        if height > words.len() {
            words.resize(height - 1, ("", false));
            words.push(("0", false));
        }
        label(context, self.area, &words, buf);
    }

    /// The highest value of each column.
    fn columns(&self, axis: Axis, count: usize) -> Vec<Option<u64>> {
        let mut columns: Vec<Option<u64>> = vec![None; count];
        let mut holding = None;
        let mut from = 0;
        for (at, value) in self.values {
            if *at < axis.from {
                holding = Some(*value);
                continue;
            }
            let Some(column) = axis.place(*at, count) else { break };
            if self.holds {
                columns[from..=column].iter_mut().for_each(|place| *place = (*place).max(holding));
                (holding, from) = (Some(*value), column);
            }
            columns[column] = columns[column].max(Some(*value));
        }
        if self.holds {
            columns[from..].iter_mut().for_each(|place| *place = (*place).max(holding));
        }
        columns
    }
}

/// The sender's Send-Q and the receiver's Recv-Q, one above the other.
pub(super) fn queues(context: &Context<'_>, points: &Points, axis: Axis, area: Rect, buf: &mut Buffer) {
    let all = [("Send-Q", &points.send_q), ("Recv-Q", &points.recv_q)];
    let there: Vec<_> = all.into_iter().filter(|(_, values)| !values.is_empty()).collect();
    let each = area.height.checked_div(there.len() as u16).unwrap_or(0);
    for (place, (name, values)) in there.into_iter().enumerate() {
        let area = Rect { y: area.y + place as u16 * each, height: each, ..area };
        Chart { name, values, holds: true, unit: bytes, area }.draw(context, axis, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_the_next_where_it_does() {
        let at = |nanos| Timestamp::from_nanos(nanos);
        let axis = Axis { from: at(100), to: at(200), zero: at(0) };
        let values = [(at(50), 7), (at(145), 9), (at(146), 1)];
        let chart = |holds| Chart { name: "", values: &values, holds, unit: bytes, area: Rect::ZERO }.columns(axis, 4);
        assert_eq!(chart(false), [None, Some(9), None, None]);
        assert_eq!(chart(true), [Some(7), Some(9), Some(1), Some(1)]);
    }
}
