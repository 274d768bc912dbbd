//! TIME-WAIT and local ports: the count over time and the limits, then who uses how many ports towards whom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::engine::{ListPane, PortRow};
use crate::ui::View;

use super::format::{ABSENT, address, clock, count, endpoint, percent, process};
use super::table::{self, Around, Column, Table, number, wide};
use super::theme::Severity;
use super::widgets::{bar, fit, left, middle, plain_bar, styled, width};
use super::{Context, headroom, time_wait};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let parts = context.ui.list_parts(View::TimeWait, area);
    if !parts.above.is_empty() {
        time_wait::draw_wide(context, parts.above, buf);
    }
    let window = if let ListPane::Ports(window) = &context.dashboard.list { Some(window) } else { None };
    let rest = if context.sees_kernel() { "connections by address and service" } else { "inferred from the wire" };
    let empty = if context.dashboard.now.is_some() {
        "no connection waits in TIME-WAIT, and none takes a local port".to_owned()
    } else {
        context.none_of("segment or socket")
    };
    let around = Around {
        name: "Ports",
        unit: "",
        filtered: false,
        rest: &[&context.and_age(rest, |sight| sight.time_wait_at), rest],
        empty: &empty,
    };
    table::draw(context, &Ports::new(context), window, &around, parts.list, buf);
}

pub(super) struct Ports<'a> {
    context: &'a Context<'a>,
    /// The most in TIME-WAIT of all rows in sight, for bars to be compared.
    most: u64,
}

impl<'a> Ports<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        let rows = if let ListPane::Ports(window) = &context.dashboard.list { &window.rows[..] } else { &[] };
        Self { context, most: rows.iter().map(|row| row.time_wait).max().unwrap_or(0) }
    }

    /// How long they will last, and how that is drawn.
    fn outlook(&self, row: &PortRow, room: usize) -> Option<(String, Style)> {
        let (outlook, theme) = (row.outlook?, self.context.theme);
        let clock = |at| clock(at, &theme.zone);
        let now = self.context.dashboard.now?;
        let words = outlook.words(Some(now), clock);
        let short = outlook.short(clock).filter(|_| width(&words) > room);
        let severity = outlook.severity(now).and_then(Severity::of);
        Some((short.unwrap_or(words), severity.map_or(theme.text, |severity| severity.style(theme))))
    }

    fn severity(row: &PortRow) -> Option<Severity> {
        let ports = row.ports?;
        headroom::severity(ports.taken, ports.range)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Holder,
    Service,
    TimeWait,
    Waiting,
    Open,
    Taken,
    Share,
    Fill,
    Outlook,
    Process,
}

impl Table for Ports<'_> {
    type Row = PortRow;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        wide(Kind::Service, "    to service", (19, 25, 51), 0),
        wide(Kind::Holder, "from", (15, 15, 39), 4),
        number(Kind::TimeWait, "TIME-WAIT", 10, 0),
        wide(Kind::Waiting, "", (8, 8, 24), 7),
        number(Kind::Open, "other", 7, 6),
        number(Kind::Taken, "ports", 8, 5),
        number(Kind::Share, "used", 6, 1),
        wide(Kind::Fill, "", (8, 10, 24), 6),
        wide(Kind::Outlook, "at this rate", (18, 18, 46), 2),
        wide(Kind::Process, "process", (15, 15, 30), 3),
    ];

    fn serves(&self, kind: Kind) -> bool {
        match kind {
            Kind::Process | Kind::Taken | Kind::Share | Kind::Fill | Kind::Outlook => self.context.sees_kernel(),
            Kind::Waiting => self.most > 0,
            _ => true,
        }
    }

    fn wish(&self, row: &PortRow, kind: Kind) -> usize {
        match kind {
            Kind::Holder => width(&row.holder.to_string()),
            Kind::Service => 4 + width(&row.service.to_string()),
            Kind::Process => row.process.as_ref().map_or(0, |(who, _)| width(&process(who)) + 6),
            Kind::Outlook => self.outlook(row, usize::MAX).map_or(0, |(words, _)| width(&words)),
            Kind::Fill | Kind::Waiting => usize::MAX,
            Kind::TimeWait | Kind::Open | Kind::Taken | Kind::Share => 0,
        }
    }

    fn cell(&self, row: &PortRow, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let severity = Self::severity(row);
        let marked = severity.map_or(theme.text, |severity| severity.style(theme));
        let absent = || vec![styled(ABSENT, theme.dim)];
        let amount = |n: u64| vec![styled(count(n), if n == 0 { theme.dim } else { theme.strong })];
        match kind {
            Kind::Service => {
                let mark = left(severity.map_or(" ", Severity::mark), 2);
                // The service's own end waits where it closed first.
                let arrow = if row.serves { "← " } else { "→ " };
                let service = endpoint(row.service, room - 4);
                vec![styled(mark, marked), styled(arrow, theme.dim), styled(service, marked)]
            }
            Kind::Holder => vec![styled(address(row.holder, room), theme.text)],
            Kind::TimeWait => amount(row.time_wait),
            Kind::Waiting => vec![styled(plain_bar(row.time_wait, self.most, room), theme.bar)],
            Kind::Open => amount(row.open),
            Kind::Taken => row.ports.map_or_else(absent, |ports| vec![styled(count(ports.taken), marked)]),
            Kind::Share => match row.ports.and_then(|ports| percent(ports.taken, ports.range)) {
                Some(share) => vec![styled(share, marked)],
                None => absent(),
            },
            Kind::Fill => match row.ports {
                Some(ports) => {
                    let style = if severity.is_some() { marked } else { theme.bar };
                    vec![styled(bar(ports.taken, ports.range, room), style)]
                }
                None => Vec::new(),
            },
            Kind::Outlook => match self.outlook(row, room) {
                Some((words, style)) => vec![styled(fit(&words, room).into_owned(), style)],
                None => absent(),
            },
            Kind::Process => match &row.process {
                None => absent(),
                Some((who, more)) => {
                    let rest = format!("[{}]{}", who.pid, if *more { " +more" } else { "" });
                    vec![styled(middle(who.comm.as_str(), room.saturating_sub(width(&rest))) + &rest, theme.text)]
                }
            },
        }
    }

    fn sorted_by(&self) -> Option<Kind> {
        Some(match self.context.ui.order().0 {
            "ports" => Kind::Taken,
            "other" => Kind::Open,
            "service" => Kind::Service,
            _ => Kind::TimeWait,
        })
    }
}
