//! The time-sequence graph: numbers sent, acknowledged, allowed and SACKed over time, with a letter for what matters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::Timestamp;

use super::Context;
use super::format::bytes;
use super::graph_axis::{Axis, label, nice_step};
use super::graph_points::Points;
use super::ink::Dots;

pub(super) fn draw(context: &Context<'_>, points: &Points, axis: Axis, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let Some((low, high)) = points.range((axis.from, axis.to)).filter(|_| !area.is_empty()) else {
        return label(context, area, &[("sent", true), ("nothing", false), ("in sight", false)], buf);
    };
    // A window far above what is sent would press that to the ground: its edge is then beyond the top.
    let edges = points.edge.iter().filter(|(at, _)| axis.place(*at, 2).is_some());
    let edge = edges.map(|(_, number)| *number).max().filter(|edge| *edge <= low + (high - low).max(1) * 2);
    let top = edge.map_or(high, |edge| edge.max(high)).max(low + 1);
    let mut plot = Plot { dots: Dots::new(area), area, axis, low, top };
    plot.stairs(&points.edge, 2, theme.dim);
    plot.stairs(&points.acked, 1, theme.good);
    for sent in &points.sent {
        plot.upright(sent.at, (sent.from, sent.to), 1, if sent.again { theme.warning } else { theme.text });
    }
    for (at, from, to) in &points.sacked {
        plot.upright(*at, (*from, *to), 2, theme.info);
    }
    plot.dots.draw(buf);
    points.sacked.iter().for_each(|(at, _, to)| plot.letter(*at, *to, ('s', theme.info), buf));
    points.closed.iter().for_each(|(at, number)| plot.letter(*at, *number, ('z', theme.warning), buf));
    for sent in &points.sent {
        let sign = if sent.again { Some(('R', theme.warning)) } else { sent.ends.map(|letter| (letter, theme.strong)) };
        if let Some(sign) = sign {
            plot.letter(sent.at, sent.to, sign, buf);
        }
    }
    // Often what was lost and its repeat share a place: the loss is what happened, the repeat follows from it.
    for lost in points.sent.iter().filter(|sent| sent.lost) {
        plot.letter(lost.at, lost.to, ('✗', theme.warning), buf);
    }
    label(context, area, &[("sent", true)], buf);
    plot.name_numbers(context, buf);
}

/// Lines that one label of the numbers has for itself, at least.
const LINES_EACH: usize = 3;

/// Numbers from `low` to `top` over the axis.
struct Plot {
    dots: Dots,
    area: Rect,
    axis: Axis,
    low: i64,
    top: i64,
}

impl Plot {
    /// Writes round numbers beside the lines that they stand on, below the first, whose label tells what they are.
    fn name_numbers(&self, context: &Context<'_>, buf: &mut Buffer) {
        let Self { area, low, top, .. } = *self;
        let step = nice_step((top - low).unsigned_abs(), usize::from(area.height) / LINES_EACH);
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let first = low.div_euclid(step) * step;
        let numbers = std::iter::successors(Some(first), |number| number.checked_add(step));
        for number in numbers.skip_while(|number| *number < low).take_while(|number| *number <= top) {
            let y = area.y + (self.y(number) / 4) as u16;
            if y > area.y {
                let told = bytes(number.max(0).unsigned_abs());
                label(context, Rect { y, height: 1, ..area }, &[(&told, false)], buf);
            }
        }
    }

    fn x(&self, at: Timestamp) -> usize {
        self.axis.clamped(at, self.dots.size().0)
    }

    /// A number's place, in dots from above.
    fn y(&self, number: i64) -> usize {
        let lines = self.dots.size().1;
        let above = u128::from((number.clamp(self.low, self.top) - self.low).unsigned_abs());
        let up = above * (lines as u128 - 1) / u128::from((self.top - self.low).unsigned_abs());
        lines - 1 - usize::try_from(up).unwrap_or(0)
    }

    /// Numbers of one instant.
    fn upright(&mut self, at: Timestamp, (from, to): (i64, i64), step: usize, style: Style) {
        if self.axis.place(at, 2).is_some() {
            let (x, ends) = (self.x(at), (self.y(from), self.y(to)));
            self.dots.upright(x, ends, step, style);
        }
    }

    /// A line that stays level until it steps, of every `step`th dot. What is beyond the top is not drawn.
    fn stairs(&mut self, steps: &[(Timestamp, i64)], step: usize, style: Style) {
        for (at, (begin, number)) in steps.iter().enumerate() {
            let end = steps.get(at + 1).map_or(self.axis.to, |(next, _)| *next);
            if *begin > self.axis.to || end < self.axis.from || *number > self.top {
                continue;
            }
            let (from, to, level) = (self.x(*begin), self.x(end), self.y(*number));
            self.dots.level((from, to), level, step, style);
            let before = at.checked_sub(1).map(|before| steps[before].1);
            if let Some(before) = before.filter(|before| *begin >= self.axis.from && *before <= self.top) {
                self.dots.upright(from, (self.y(before), level), step, style);
            }
        }
    }

    fn letter(&self, at: Timestamp, number: i64, (sign, style): (char, Style), buf: &mut Buffer) {
        if let Some(column) = self.axis.place(at, usize::from(self.area.width)) {
            let position = (self.area.x + column as u16, self.area.y + (self.y(number) / 4) as u16);
            buf[position].set_char(sign).set_style(style);
        }
    }
}
