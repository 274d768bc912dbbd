//! A list as a table: only the visible rows are laid out, columns give way by weight, the row under the cursor is marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{Keyed, Window};

use super::Context;
use super::format::count;
use super::widgets::{fit, gap, left, message, pane, put, right, styled, title, width};

/// A column of a table.
pub(super) struct Column<K> {
    pub(super) kind: K,
    pub(super) head: &'static str,
    /// Columns of the screen that it takes at least, and at most where rows need them.
    pub(super) least: usize,
    pub(super) most: usize,
    /// 0 is the last to give way, and the first to be widened.
    pub(super) weight: u8,
    /// Numbers stand at the right.
    pub(super) number: bool,
}

/// A column of text.
pub(super) const fn text<K>(kind: K, head: &'static str, least: usize, most: usize, weight: u8) -> Column<K> {
    Column { kind, head, least, most, weight, number: false }
}

/// A column of numbers.
pub(super) const fn number<K>(kind: K, head: &'static str, width: usize, weight: u8) -> Column<K> {
    Column { kind, head, least: width, most: width, weight, number: true }
}

/// What a view says of its rows.
pub(super) trait Table {
    type Row: Keyed;
    type Kind: Copy + PartialEq + 'static;
    const COLUMNS: &'static [Column<Self::Kind>];

    /// Whether what was seen can fill the column at all.
    fn serves(&self, _kind: Self::Kind) -> bool {
        true
    }

    /// How wide a row would like the column to be.
    fn wish(&self, row: &Self::Row, kind: Self::Kind) -> usize;

    /// A row's cell in `room` columns.
    fn cell(&self, row: &Self::Row, kind: Self::Kind, room: usize) -> Vec<Span<'static>>;

    /// A heading that depends on the column's width.
    fn heading(&self, _kind: Self::Kind, _room: usize) -> Option<String> {
        None
    }

    /// The column that the list is ordered by, if it is shown.
    fn sorted_by(&self) -> Option<Self::Kind>;
}

/// What stands around a table.
pub(super) struct Around<'a> {
    pub(super) name: &'a str,
    /// What the title says beside the count.
    pub(super) rest: String,
    /// What stands in place of rows where there are none.
    pub(super) empty: String,
}

/// Between two columns.
const GAP: usize = 2;

pub(super) fn draw<T: Table>(
    context: &Context<'_>,
    table: &T,
    window: Option<&Window<T::Row>>,
    around: &Around<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = context.theme;
    let visible = usize::from(area.height.saturating_sub(3));
    let matching = window.map_or(0, |window| window.matching);
    let rest = summary(context, matching, visible, &around.rest);
    let inner = pane(buf, area, title(around.name, &rest, theme), true, theme);
    // The answer to what another view asked has no rows for this one: they come with the next.
    let Some(window) = window else { return };
    if window.matching == 0 {
        return message(buf, inner, &empty(context, &around.empty), theme);
    }
    let skip = context.ui.offset().saturating_sub(window.offset);
    let rows: Vec<&T::Row> = window.rows.iter().skip(skip).take(visible).collect();
    let columns = columns(table, &rows, usize::from(inner.width));
    let mut lines = inner.rows();
    if let Some(row) = lines.next() {
        put(buf, row, &head(context, table, &columns));
    }
    // Rows that the engine has not sent yet leave the top empty.
    let missing = window.offset.saturating_sub(context.ui.offset());
    for (data, row) in rows.into_iter().zip(lines.skip(missing)) {
        put(buf, row, &line(table, data, &columns));
        if context.ui.row() == Some(data.key()) {
            mark_cursor(context, row, buf);
        }
    }
}

/// Styles the row under the cursor to the pane's edge, and marks it at its left where nothing else stands.
pub(super) fn mark_cursor(context: &Context<'_>, row: Rect, buf: &mut Buffer) {
    buf.set_style(row, context.theme.cursor);
    if buf[(row.x, row.y)].symbol() == " " {
        put(buf, Rect { width: 1, ..row }, &Line::from(styled("▸", context.theme.cursor)));
    }
}

/// How many rows there are, which of them are in sight, by what they are ordered.
fn summary(context: &Context<'_>, matching: usize, visible: usize, rest: &str) -> String {
    let (by, _) = context.ui.order();
    let first = context.ui.offset().min(matching) + 1;
    let last = (first + visible).saturating_sub(1).min(matching);
    let place = match matching {
        0 => String::new(),
        _ if matching > visible => format!("{first}–{last} of {}, by {by}", count(matching as u64)),
        _ => format!("{}, by {by}", count(matching as u64)),
    };
    if rest.is_empty() || place.is_empty() { place + rest } else { format!("{place}   {rest}") }
}

fn empty(context: &Context<'_>, otherwise: &str) -> String {
    match context.ui.filter() {
        "" => otherwise.to_owned(),
        filter => format!("nothing here matches \"{filter}\" (Esc clears the filter)"),
    }
}

struct Placed<K: 'static> {
    column: &'static Column<K>,
    width: usize,
}

/// Chooses columns by weight, then widens those that need it, the weightiest first.
fn columns<T: Table>(table: &T, rows: &[&T::Row], room: usize) -> Vec<Placed<T::Kind>> {
    let mut order: Vec<usize> = (0..T::COLUMNS.len()).filter(|at| table.serves(T::COLUMNS[*at].kind)).collect();
    order.sort_by_key(|at| T::COLUMNS[*at].weight);
    let mut left = room + GAP;
    let mut chosen = Vec::new();
    for at in order {
        // Nothing lighter takes the place of a column that did not fit: the table would change its face at random.
        let Some(rest) = left.checked_sub(T::COLUMNS[at].least + GAP) else { break };
        left = rest;
        chosen.push(at);
    }
    let mut widths: Vec<(usize, usize)> = Vec::new();
    for at in chosen {
        let column = &T::COLUMNS[at];
        let wish = || rows.iter().map(|row| table.wish(row, column.kind)).max().unwrap_or(0);
        let more =
            if column.most > column.least { wish().min(column.most).saturating_sub(column.least).min(left) } else { 0 };
        left -= more;
        widths.push((at, column.least + more));
    }
    widths.sort_unstable();
    widths.into_iter().map(|(at, width)| Placed { column: &T::COLUMNS[at], width }).collect()
}

fn head<T: Table>(context: &Context<'_>, table: &T, columns: &[Placed<T::Kind>]) -> Line<'static> {
    let theme = context.theme;
    let (_, reverse) = context.ui.order();
    let mut spans = Vec::new();
    for Placed { column, width: room } in columns {
        let sorted = table.sorted_by() == Some(column.kind);
        let arrow = match (sorted, reverse) {
            (false, _) => "",
            (true, true) => "▲",
            (true, false) => "▼",
        };
        let name = table.heading(column.kind, *room).unwrap_or_else(|| column.head.to_owned());
        let text = fit(&format!("{name}{arrow}"), *room).into_owned();
        let text = if column.number { right(&text, *room) } else { left(&text, *room) };
        spans.extend([styled(text, if sorted { theme.strong } else { theme.dim }), gap(GAP)]);
    }
    spans.pop();
    Line::from(spans)
}

fn line<T: Table>(table: &T, row: &T::Row, columns: &[Placed<T::Kind>]) -> Line<'static> {
    let mut spans = Vec::with_capacity(columns.len() * 3);
    for Placed { column, width: room } in columns {
        let cell = table.cell(row, column.kind, *room);
        let used: usize = cell.iter().map(|span| width(&span.content)).sum();
        let fill = gap(room.saturating_sub(used));
        if column.number {
            spans.push(fill);
            spans.extend(cell);
        } else {
            spans.extend(cell);
            spans.push(fill);
        }
        spans.push(gap(GAP));
    }
    spans.pop();
    Line::from(spans)
}
