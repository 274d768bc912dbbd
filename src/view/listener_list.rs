//! Listeners, one a row: accept queue against its limit, what it dropped, who came in.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::engine::{CameIn, ListPane, ListenerRow, Ownership};

use super::Context;
use super::chart::{History, spark};
use super::format::{ABSENT, count, endpoint, owner, owner_in};
use super::queues::{accept_severity, overflow_words};
use super::table::{self, Around, Column, Table, number, wide};
use super::theme::Severity;
use super::widgets::{bar, styled, width};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let window = if let ListPane::Listeners(window) = &context.dashboard.list { Some(window) } else { None };
    let around = Around {
        name: "Listeners",
        unit: "",
        filtered: false,
        rest: &[&context.and_age(&rest(context), |sight| sight.listeners_at), &rest(context)],
        empty: &empty(context),
    };
    table::draw(context, &Listeners { context }, window, &around, area, buf);
}

fn rest(context: &Context<'_>) -> String {
    if !context.sees_kernel() {
        return format!("ends that answered a SYN; accept queues {}", context.unread());
    }
    match overflow_words(context) {
        Some(words) => format!("{} this host: {words}", Severity::Warning.mark()),
        None => "no overflow seen".to_owned(),
    }
}

fn empty(context: &Context<'_>) -> String {
    match (context.sees_kernel(), context.dashboard.sees.wire) {
        (true, _) => "no process listens on TCP".to_owned(),
        (false, true) => {
            let unread = context.unread();
            format!("no end answered a SYN yet (what listens is the kernel's to tell, and it was {unread})")
        }
        (false, false) => context.none_of("segment or socket"),
    }
}

pub(super) struct Listeners<'a> {
    context: &'a Context<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Local,
    Who,
    Waiting,
    Fill,
    Limit,
    History,
    Drops,
    SynRecv,
    Estab,
    CloseWait,
    Closing,
    CameIn,
}

impl Table for Listeners<'_> {
    type Row = ListenerRow;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        wide(Kind::Local, "  local", (17, 23, 49), 0),
        wide(Kind::Who, "process", (14, 18, 36), 3),
        number(Kind::Waiting, "accept-Q", 9, 0),
        number(Kind::Limit, "limit", 6, 1),
        wide(Kind::Fill, "", (8, 8, 20), 3),
        wide(Kind::History, "over time", (10, 12, 48), 8),
        number(Kind::Drops, "drops", 7, 2),
        number(Kind::SynRecv, "SYN-RECV", 8, 5),
        number(Kind::Estab, "ESTAB", 7, 6),
        number(Kind::CloseWait, "CLOSE-WAIT", 10, 9),
        number(Kind::Closing, "closing", 7, 10),
        number(Kind::CameIn, "came in", 8, 7),
    ];

    fn serves(&self, kind: Kind) -> bool {
        let by_kernel =
            matches!(kind, Kind::Who | Kind::Waiting | Kind::Fill | Kind::Limit | Kind::History | Kind::Drops);
        !by_kernel || self.context.sees_kernel()
    }

    fn wish(&self, row: &ListenerRow, kind: Kind) -> usize {
        match kind {
            Kind::Local => 2 + width(&row.local.to_string()),
            Kind::Who => width(&owner(&row.owner)),
            Kind::Fill => 20,
            Kind::History => usize::MAX,
            _ => 0,
        }
    }

    fn cell(&self, row: &ListenerRow, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let severity = severity(self.context, row);
        let marked = severity.map_or(theme.text, |severity| severity.style(theme));
        let amount = |n: Option<u64>| match n {
            None => vec![styled(ABSENT, theme.dim)],
            Some(0) => vec![styled("0", theme.dim)],
            Some(n) => vec![styled(count(n), theme.strong)],
        };
        let came_in = |of: fn(&CameIn) -> u64| amount(row.came_in.as_ref().map(of));
        match kind {
            Kind::Local => {
                let mark = severity.map_or(" ", Severity::mark);
                vec![styled(format!("{mark} {}", endpoint(row.local, room - 2)), marked)]
            }
            Kind::Who => vec![match &row.owner {
                Ownership::NotRecorded => styled("not recorded", theme.dim),
                who => styled(owner_in(who, room), theme.text),
            }],
            Kind::Waiting if !row.listens => vec![styled("bound", theme.dim)],
            Kind::Waiting if severity.is_some() => vec![styled(count(row.waiting.unwrap_or(0).into()), marked)],
            Kind::Waiting => amount(row.waiting.map(u64::from)),
            Kind::Limit => {
                row.limit.map_or_else(|| amount(None), |limit| vec![styled(count(limit.into()), theme.text)])
            }
            Kind::Fill => {
                let style = if severity.is_some() { marked } else { theme.bar };
                let fill = |(waiting, limit): (u32, u32)| styled(bar(waiting.into(), limit.into(), room), style);
                row.waiting.zip(row.limit).map(fill).into_iter().collect()
            }
            Kind::History => vec![styled(spark(History::of_readings(&row.history), room), theme.spark)],
            Kind::Drops => match row.drops {
                Some(drops @ 1..) => vec![styled(count(drops.into()), theme.warning)],
                drops => amount(drops.map(u64::from)),
            },
            Kind::SynRecv => came_in(|n| n.syn_recv),
            Kind::Estab => came_in(|n| n.estab),
            Kind::CloseWait => came_in(|n| n.close_wait),
            Kind::Closing => came_in(|n| n.closing),
            Kind::CameIn => came_in(|n| n.completed),
        }
    }

    fn sorted_by(&self) -> Option<Kind> {
        Some(match self.context.ui.order().0 {
            "port" => Kind::Local,
            "ESTAB" => Kind::Estab,
            "came in" => Kind::CameIn,
            "process" => Kind::Who,
            _ => Kind::Waiting,
        })
    }
}

/// Over its limit it drops what comes in; what it dropped before is past, and may come again.
fn severity(context: &Context<'_>, row: &ListenerRow) -> Option<Severity> {
    let dropped = row.drops.is_some_and(|drops| drops > 0).then_some(Severity::Warning);
    row.waiting.and_then(|waiting| accept_severity(context, row.local, waiting, row.limit)).or(dropped)
}
