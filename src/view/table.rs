//! A list as a table: only the visible rows are laid out, columns give way by weight, the row under the cursor is
//! marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{Keyed, Window};
use crate::ui::View;

use super::Context;
use super::format::count;
use super::widgets::{fit, gap, left, message, pane, put, right, room_for_rows, styled, title, width};

/// A column of a table.
pub(super) struct Column<K> {
    pub(super) kind: K,
    pub(super) head: &'static str,
    /// Columns of the screen that it takes at least; how many it should have before lighter ones have any; at most.
    least: usize,
    good: usize,
    most: usize,
    /// 0 is the last to give way, and the first to be widened.
    weight: u8,
    /// Numbers stand at the right.
    number: bool,
}

/// A column of text.
pub(super) const fn text<K>(kind: K, head: &'static str, least: usize, most: usize, weight: u8) -> Column<K> {
    Column { kind, head, least, good: most, most, weight, number: false }
}

/// A column of text or of a drawing that makes do with `good` where there is more to show.
pub(super) const fn wide<K>(
    kind: K,
    head: &'static str,
    (least, good, most): (usize, usize, usize),
    weight: u8,
) -> Column<K> {
    Column { kind, head, least, good, most, weight, number: false }
}

/// A column of numbers.
pub(super) const fn number<K>(kind: K, head: &'static str, width: usize, weight: u8) -> Column<K> {
    Column { kind, head, least: width, good: width, most: width, weight, number: true }
}

/// Columns of a lower weight than this have their good width before others have any.
const CORE: u8 = 4;

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
    /// What the rows are, where they are not all what the name says.
    pub(super) unit: &'a str,
    /// What the title says beside the count: the first that fits.
    pub(super) rest: &'a [&'a str],
    /// Whether the filter picks rows of it: they are of connections.
    pub(super) filtered: bool,
    /// What stands in place of rows where there are none.
    pub(super) empty: &'a str,
}

/// Of a list in which no row is a connection, while a filter is in force.
const UNFILTERED: &str = "the filter picks connections, not these";

/// Between two columns at least, and at most where there is room to spare.
const GAP: usize = 2;
const WIDEST_GAP: usize = 5;

pub(super) fn draw<T: Table>(
    context: &Context<'_>,
    table: &T,
    window: Option<&Window<T::Row>>,
    around: &Around<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = context.theme;
    let (visible, room) = room_for_rows(area);
    let matching = window.map_or(0, |window| window.matching);
    let skip = window.map_or(0, |window| context.ui.offset().saturating_sub(window.offset));
    let rows = window.map_or(&[][..], |window| &window.rows);
    let rows: Vec<&T::Row> = rows.iter().skip(skip).take(visible).collect();
    let columns = columns(table, &rows, room);
    let marked = table.sorted_by().is_some_and(|kind| columns.iter().any(|placed| placed.column.kind == kind));
    let place = summary(context, matching, visible, (around.unit, marked));
    let room = usize::from(area.width).saturating_sub(11 + width(around.name) + width(&place));
    let idle = !around.filtered && !context.ui.filter().is_empty();
    let mut rests = [UNFILTERED].into_iter().filter(|_| idle).chain(around.rest.iter().copied());
    let rest = rests.find(|rest| width(rest) <= room).unwrap_or_default();
    let between = if rest.is_empty() || place.is_empty() { "" } else { "   " };
    let inner = pane(buf, area, title(around.name, &format!("{place}{between}{rest}"), theme), true, theme);
    // The answer to what another view asked has no rows for this one: they come with the next.
    let Some(window) = window else { return };
    if window.matching == 0 {
        return message(buf, inner, &empty(context, around), theme);
    }
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

/// How many rows there are, which of them are in sight, by what they are ordered; where the column that tells it has no
/// room (`marked`), in which direction too.
pub(super) fn summary(context: &Context<'_>, matching: usize, visible: usize, (unit, marked): (&str, bool)) -> String {
    let (by, reverse) = context.ui.order();
    let by = if marked { by.to_owned() } else { format!("{by} {}", direction(reverse)) };
    let first = context.ui.offset().min(matching) + 1;
    let last = (first + visible).saturating_sub(1).min(matching);
    // The row under the cursor stays on its line: what comes to stand above it is out of sight.
    // Among findings some row always has the cursor.
    let lets_go = context.ui.view() != View::Findings;
    let held = if first > 1 && lets_go && context.ui.row().is_some() { ", ▸ held" } else { "" };
    let [first, last, all] = [first, last, matching].map(|n| count(n as u64));
    let unit = if matching == 1 { unit.trim_end_matches('s') } else { unit };
    match matching {
        0 => String::new(),
        _ if matching > 1 && visible == 1 => format!("{first} of {all}{unit}, by {by}{held}"),
        _ if matching > visible => format!("{first}–{last} of {all}{unit}, by {by}{held}"),
        _ => format!("{all}{unit}, by {by}"),
    }
}

/// Which way a list is ordered: `▼` as its order says, `▲` turned round.
pub(super) const fn direction(reverse: bool) -> &'static str {
    if reverse { "▲" } else { "▼" }
}

fn empty(context: &Context<'_>, around: &Around<'_>) -> String {
    let filter = context.ui.filter();
    if filter.is_empty() || !around.filtered {
        return around.empty.to_owned();
    }
    let meant = context.dashboard.flows.meant(filter);
    let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
    format!("nothing here matches \"{}\" ({meant}Esc clears the filter)", filter.text())
}

struct Placed<K: 'static> {
    column: &'static Column<K>,
    width: usize,
    /// Empty columns before it.
    gap: usize,
}

/// Chooses columns by weight, then widens those that need it, the weightiest first; what is left stands between them.
fn columns<T: Table>(table: &T, rows: &[&T::Row], room: usize) -> Vec<Placed<T::Kind>> {
    let all: Vec<&'static Column<T::Kind>> = T::COLUMNS.iter().filter(|column| table.serves(column.kind)).collect();
    let wish = |at: usize| rows.iter().map(|row| table.wish(row, all[at].kind)).max().unwrap_or(0);
    let wishes: Vec<usize> = (0..all.len()).map(wish).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| all[*at].weight);
    let (core, light): (Vec<usize>, Vec<usize>) = order.iter().partition(|at| all[**at].weight < CORE);
    let mut shares = Shares { left: room + GAP, widths: vec![0; all.len()], all: &all };
    // Nothing lighter takes the place of a column that did not fit: the table would change its face at random.
    let complete = core.iter().all(|at| shares.add(*at));
    core.iter().for_each(|at| shares.widen(*at, wishes[*at].min(all[*at].good)));
    for at in light.into_iter().take_while(|_| complete) {
        if !shares.add(at) {
            break;
        }
        shares.widen(at, wishes[at].min(all[at].good));
    }
    order.iter().for_each(|at| shares.widen(*at, wishes[*at].min(all[*at].most)));
    placed(&all, &shares.widths, shares.left)
}

/// How the room is shared out among columns; one of width 0 is not shown.
struct Shares<'a, K: 'static> {
    all: &'a [&'static Column<K>],
    widths: Vec<usize>,
    left: usize,
}

impl<K> Shares<'_, K> {
    /// Shows a column at its least width, if there is room for it.
    fn add(&mut self, at: usize) -> bool {
        let Some(left) = self.left.checked_sub(self.all[at].least + GAP) else { return false };
        (self.left, self.widths[at]) = (left, self.all[at].least);
        true
    }

    /// Widens a column that is shown as far as there is room.
    fn widen(&mut self, at: usize, wanted: usize) {
        let more = match self.widths[at] {
            0 => 0,
            width => wanted.saturating_sub(width).min(self.left),
        };
        self.left -= more;
        self.widths[at] += more;
    }
}

fn placed<K>(all: &[&'static Column<K>], widths: &[usize], left: usize) -> Vec<Placed<K>> {
    let shown = widths.iter().filter(|width| **width > 0).count();
    let gap = GAP + left.checked_div(shown.saturating_sub(1)).unwrap_or(0).min(WIDEST_GAP - GAP);
    let mut columns: Vec<Placed<K>> = Vec::with_capacity(shown);
    for (column, width) in all.iter().zip(widths).filter(|(_, width)| **width > 0) {
        let gap = if columns.is_empty() { 0 } else { gap };
        columns.push(Placed { column, width: *width, gap });
    }
    columns
}

fn head<T: Table>(context: &Context<'_>, table: &T, columns: &[Placed<T::Kind>]) -> Line<'static> {
    let theme = context.theme;
    let (_, reverse) = context.ui.order();
    let mut spans = Vec::new();
    for Placed { column, width: room, gap: before } in columns {
        let sorted = table.sorted_by() == Some(column.kind);
        let arrow = if sorted { direction(reverse) } else { "" };
        let name = table.heading(column.kind, *room).unwrap_or_else(|| column.head.to_owned());
        let text = fit(&format!("{name}{arrow}"), *room).into_owned();
        let text = if column.number { right(&text, *room) } else { left(&text, *room) };
        spans.extend([gap(*before), styled(text, if sorted { theme.strong } else { theme.dim })]);
    }
    Line::from(spans)
}

fn line<T: Table>(table: &T, row: &T::Row, columns: &[Placed<T::Kind>]) -> Line<'static> {
    let mut spans = Vec::with_capacity(columns.len() * 3);
    for Placed { column, width: room, gap: before } in columns {
        spans.push(gap(*before));
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
    }
    Line::from(spans)
}
