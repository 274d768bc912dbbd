//! Where the parts of a flow's ladder and graph stand.

use ratatui::layout::Rect;

use crate::base::Timestamp;

/// The parts of a ladder, inside its border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderParts {
    /// Who stands at its sides.
    pub head: Rect,
    pub rows: Rect,
    /// What is told of the row under the cursor.
    pub detail: Rect,
}

/// Divides the body for a ladder.
pub fn ladder_parts(body: Rect) -> LadderParts {
    let inner = inside(body);
    let detail = match inner.height {
        ..6 => 0,
        6..12 => 1,
        _ => 2,
    };
    let head = 1.min(inner.height);
    let rows = inner.height - head - detail;
    LadderParts {
        head: Rect { height: head, ..inner },
        rows: Rect { y: inner.y + head, height: rows, ..inner },
        detail: Rect { y: inner.y + head + rows, height: detail, ..inner },
    }
}

/// The parts of a graph, inside its border. All charts have the columns of the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphParts {
    pub legend: Rect,
    /// Sequence numbers over time.
    pub numbers: Rect,
    pub rtt: Rect,
    pub in_flight: Rect,
    /// Empty where no queues were recorded.
    pub queues: Rect,
    pub axis: Rect,
    /// What is told of the entry under the cursor.
    pub detail: Rect,
}

/// Columns before the charts, for what their values are.
pub const GRAPH_LABELS: u16 = 10;

/// Divides the body for a graph.
pub fn graph_parts(body: Rect, with_queues: bool) -> GraphParts {
    let inner = inside(body);
    let detail = match inner.height {
        ..8 => 0,
        8..24 => 1,
        _ => 2,
    };
    let mut y = inner.y;
    let mut left = inner.height;
    let mut take = |wanted: u16| {
        let height = wanted.min(left);
        let part = Rect { y, height, ..inner };
        (y, left) = (y + height, left - height);
        part
    };
    let legend = take(1);
    let room = inner.height.saturating_sub(legend.height + detail + 1);
    let charts = if with_queues { 3 } else { 2 };
    let small = if room < 8 { 0 } else { (room / 7).clamp(2, 6) };
    let numbers = take(room - charts * small);
    let (rtt, in_flight) = (take(small), take(small));
    let queues = take(if with_queues { small } else { 0 });
    let axis = take(1);
    let beside = |part: Rect| {
        let labels = GRAPH_LABELS.min(part.width);
        Rect { x: part.x + labels, width: part.width - labels, ..part }
    };
    let [numbers, rtt, in_flight, queues, axis] = [numbers, rtt, in_flight, queues, axis].map(beside);
    GraphParts { legend, numbers, rtt, in_flight, queues, axis, detail: take(detail) }
}

/// The instant in the middle of a column of a chart that shows `window`.
pub(super) fn instant_at(column: u16, width: u16, (from, to): (Timestamp, Timestamp)) -> Timestamp {
    let span = to.since(from).as_nanos();
    let passed = span * (2 * u128::from(column) + 1) / (2 * u128::from(width.max(1)));
    from + std::time::Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX))
}

/// Inside a border, with an empty column at each side.
fn inside(body: Rect) -> Rect {
    Rect {
        x: body.x + 2.min(body.width),
        y: body.y + 1.min(body.height),
        width: body.width.saturating_sub(4),
        height: body.height.saturating_sub(2),
    }
}
