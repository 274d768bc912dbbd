//! The columns of the flow table: which of them there is room for, by weight, and how wide each is.

use ratatui::layout::Rect;

use crate::engine::{FlowRow, SortKey};
use crate::flow::Side;

use super::flows::{name_text, visible_rows};
use super::widgets::{room_for_rows, width};
use super::{Context, instants};

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mark,
    Process,
    Orig,
    Resp,
    Name,
    State(Side),
    /// The state of the end on this host, else the originator's: where there is room for one only.
    NearState,
    Outcome,
    RecvQ,
    SendQ,
    Rtt,
    Retrans,
    Lost,
    Rate,
    Bytes,
    Age,
    Idle,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) width: usize,
}

/// From this width on, an IPv4 end has the room that it needs before lighter columns have any.
const ROOMY: usize = 100;

/// From this width on, a client's process and its server's have the room that they need, too.
const WIDE: usize = 180;

/// Between two columns at most, where there is room to spare.
const WIDEST_GAP: usize = 4;

/// The weight of the column that the table is ordered by, if it has no more: it has room at 80 columns.
const ORDER: u8 = 2;

/// No column is made narrower.
const NARROWEST: usize = 4;

/// Every column in the order of the screen: least width, and weight (0 is the last to go).
const COLUMNS: [(Kind, usize, u8); 17] = [
    (Kind::Mark, 1, 0),
    (Kind::Process, 14, 2),
    (Kind::Orig, 15, 0),
    (Kind::Resp, 17, 0),
    (Kind::Name, 16, 8),
    (Kind::State(Side::Orig), 12, 1),
    (Kind::State(Side::Resp), 12, 4),
    (Kind::Outcome, 11, 7),
    (Kind::RecvQ, 8, 3),
    (Kind::SendQ, 8, 3),
    (Kind::Rtt, 9, 6),
    (Kind::Retrans, 7, 7),
    (Kind::Lost, 5, 11),
    (Kind::Rate, 12, 5),
    (Kind::Bytes, 9, 9),
    (Kind::Age, instants::WIDTH, 7),
    (Kind::Idle, instants::WIDTH, 10),
];

/// Chooses columns by weight, then widens those that hold names as far as the visible rows need it.
pub(super) fn columns(context: &Context<'_>, rows: &[&FlowRow], room: usize) -> Vec<Column> {
    let chosen_by_user = context.ui.columns();
    let serves = |kind: Kind| chosen_by_user.shows(name(kind)) && serves(context, kind);
    let base = |at: usize| {
        let (kind, width, _) = COLUMNS[at];
        let narrowest = width.min(NARROWEST);
        width.saturating_add_signed(chosen_by_user.extra(name(kind))).max(narrowest)
    };
    let least = |at: usize| match COLUMNS[at].0 {
        Kind::Orig | Kind::Resp if room >= ROOMY => base(at) + 3,
        Kind::Process if room >= WIDE => base(at) + 28,
        _ => base(at),
    };
    let sort = context.ui.sort().by;
    // What the table is ordered by is worth more than most.
    let weight = |at: usize| {
        let (kind, _, weight) = COLUMNS[at];
        if heading(kind).1 == Some(sort) { weight.min(ORDER) } else { weight }
    };
    let (mut chosen, mut left) = chosen_by_weight(room, serves, least, weight);
    chosen.sort_unstable();
    // What was kept free for addresses goes to whoever needs it.
    left += chosen.iter().map(|at| least(*at) - base(*at)).sum::<usize>();
    let mut columns: Vec<Column> =
        chosen.into_iter().map(|at| Column { kind: COLUMNS[at].0, width: base(at) }).collect();
    if !columns.iter().any(|column| column.kind == Kind::State(Side::Resp)) {
        for column in columns.iter_mut().filter(|column| column.kind == Kind::State(Side::Orig)) {
            column.kind = Kind::NearState;
        }
    }
    let left = widen(context, rows, &mut columns, left);
    // What nobody needs stands between the columns.
    let more = left.checked_div(columns.len().saturating_sub(1)).unwrap_or(0).min(WIDEST_GAP - 1);
    columns.iter_mut().filter(|column| column.kind != Kind::Mark).for_each(|column| column.width += more);
    columns
}

/// Whether what was seen can fill the column at all.
fn serves(context: &Context<'_>, kind: Kind) -> bool {
    let (kernel, wire) = (context.sees_kernel(), context.dashboard.sees.wire);
    match kind {
        Kind::Process | Kind::RecvQ | Kind::SendQ => kernel,
        Kind::Name => context.dashboard.sees.names,
        Kind::Retrans => kernel || wire,
        Kind::Outcome | Kind::Rate | Kind::Bytes | Kind::Lost => wire,
        _ => true,
    }
}

/// The columns that fit by weight, and what room they leave.
fn chosen_by_weight(
    room: usize,
    serves: impl Fn(Kind) -> bool,
    least: impl Fn(usize) -> usize,
    weight: impl Fn(usize) -> u8,
) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..COLUMNS.len()).filter(|at| serves(COLUMNS[*at].0)).collect();
    order.sort_by_key(|at| weight(*at));
    let mut chosen = Vec::new();
    let mut left = room + 1;
    for at in order {
        let need = least(at) + 1;
        // Nothing lighter takes the place of a column that did not fit: the table would change its face at random.
        if need > left {
            break;
        }
        left -= need;
        chosen.push(at);
    }
    (chosen, left)
}

/// Widens columns as far as the rows in sight need it; the room that nobody needs.
fn widen(context: &Context<'_>, rows: &[&FlowRow], columns: &mut [Column], mut left: usize) -> usize {
    let need = |kind: Kind| rows.iter().map(|row| width(&name_text(context, row, kind))).max().unwrap_or(0);
    // First a full IPv4 endpoint with its port, then what most processes need, then IPv6, then a client and a server.
    let wishes = [
        (Kind::Resp, 23),
        (Kind::Orig, 21),
        (Kind::Process, 20),
        (Kind::Process, 26),
        (Kind::Name, 28),
        (Kind::Orig, 47),
        (Kind::Resp, 49),
        (Kind::Process, 50),
        (Kind::Name, 60),
    ];
    for (kind, most) in wishes {
        let Some(column) = columns.iter_mut().find(|column| column.kind == kind) else { continue };
        let more = need(kind).min(most).saturating_sub(column.width).min(left);
        column.width += more;
        left -= more;
    }
    left
}

/// What a column is called, and the order by it.
pub(super) const fn heading(kind: Kind) -> (&'static str, Option<SortKey>) {
    match kind {
        Kind::Mark => ("", None),
        Kind::Process => ("process", Some(SortKey::Process)),
        Kind::Orig => ("orig", Some(SortKey::Orig)),
        Kind::Resp => ("  resp", Some(SortKey::Resp)),
        Kind::Name => ("name", None),
        Kind::State(Side::Orig) => ("orig state", Some(SortKey::State)),
        Kind::State(Side::Resp) => ("resp state", None),
        Kind::NearState => ("state", Some(SortKey::State)),
        Kind::Outcome => ("handshake", None),
        Kind::RecvQ => ("Recv-Q", Some(SortKey::RecvQ)),
        Kind::SendQ => ("Send-Q", Some(SortKey::SendQ)),
        Kind::Rtt => ("RTT", Some(SortKey::Rtt)),
        Kind::Retrans => ("retrans", None),
        Kind::Lost => ("lost", None),
        Kind::Rate => ("rate", Some(SortKey::Rate)),
        Kind::Bytes => ("payload", Some(SortKey::Bytes)),
        Kind::Age => ("age", Some(SortKey::First)),
        Kind::Idle => ("idle", Some(SortKey::Recent)),
    }
}

/// The same as the menu has it.
fn name(kind: Kind) -> &'static str {
    heading(kind).0.trim()
}

pub(super) const fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::RecvQ
            | Kind::SendQ
            | Kind::Rtt
            | Kind::Retrans
            | Kind::Lost
            | Kind::Rate
            | Kind::Bytes
            | Kind::Age
            | Kind::Idle
    )
}

/// Whether a heading tells what the table is ordered by.
pub(super) fn marks_order(context: &Context<'_>, columns: &[Column]) -> bool {
    let by = context.ui.sort().by;
    columns.iter().any(|column| heading(column.kind).1 == Some(by))
}

/// Why a column of the menu is not in the table in `area`, though it is chosen; nothing of one that is.
pub(super) fn why_hidden(context: &Context<'_>, area: Rect) -> impl Fn(&str) -> Option<&'static str> {
    let (height, room) = room_for_rows(area);
    let columns = columns(context, &visible_rows(context, height), room);
    move |name| {
        let kind = COLUMNS.iter().map(|(kind, ..)| *kind).find(|kind| self::name(*kind) == name)?;
        let near = matches!(kind, Kind::State(Side::Orig)).then_some(Kind::NearState);
        let is_shown = columns.iter().any(|column| column.kind == kind || Some(column.kind) == near);
        match serves(context, kind) {
            false => Some("not recorded"),
            true => (!is_shown).then_some("no room"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_lists_every_column() {
        let named: Vec<&str> = COLUMNS.iter().map(|(kind, ..)| name(*kind)).collect();
        assert_eq!(named[1..], crate::ui::FLOW_COLUMNS);
    }
}
