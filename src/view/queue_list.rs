//! Every queue that is not empty, one a row, with its limit and how it went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::engine::{ListPane, Ownership, QueueEntry};

use super::Context;
use super::chart::{History, spark};
use super::format::{ABSENT, age, bytes, count, endpoint, owner, owner_in};
use super::queues::{Parts, Who, entry_parts, overflow_words};
use super::table::{self, Around, Column, Table, number, text, wide};
use super::theme::Severity;
use super::widgets::{bar, fit, styled, width};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let window = if let ListPane::Queues(window) = &context.dashboard.list { Some(window) } else { None };
    let around = Around {
        name: "Queues",
        unit: "",
        filtered: true,
        rest: &[&context.and_age(&rest(context), |sight| Some(sight.at)), &rest(context)],
        empty: &super::queues::empty(context),
    };
    table::draw(context, &Queues { context }, window, &around, area, buf);
}

/// What the kernel dropped from accept queues, or that its side is missing.
fn rest(context: &Context<'_>) -> String {
    let data = &context.dashboard.queues;
    match (overflow_words(context), &data.kernel) {
        (Some(words), _) => format!("{} accept queues: {words}", Severity::Warning.mark()),
        (None, None) if context.dashboard.sees.wire => format!("by the wire; the kernel's {}", context.unread()),
        _ => String::new(),
    }
}

pub(super) struct Queues<'a> {
    context: &'a Context<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Queue,
    Length,
    Fill,
    Limit,
    History,
    Since,
    Who,
    Local,
    Peer,
}

impl Queues<'_> {
    fn any_note(&self) -> bool {
        let rows = if let ListPane::Queues(window) = &self.context.dashboard.list { &window.rows[..] } else { &[] };
        rows.iter().any(|row| !entry_parts(self.context, row).who.is_empty())
    }
}

impl Table for Queues<'_> {
    type Row = QueueEntry;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        text(Kind::Queue, "  queue", 9, 9, 0),
        number(Kind::Length, "length", 9, 0),
        wide(Kind::Fill, "of limit", (8, 8, 20), 2),
        number(Kind::Limit, "limit", 9, 7),
        wide(Kind::History, "over time", (10, 12, 60), 6),
        number(Kind::Since, "for", 7, 3),
        wide(Kind::Who, "process", (14, 17, 34), 4),
        wide(Kind::Local, "local", (15, 21, 47), 1),
        wide(Kind::Peer, "  peer", (17, 23, 49), 5),
    ];

    fn serves(&self, kind: Kind) -> bool {
        match kind {
            Kind::Fill | Kind::Limit | Kind::History => self.context.sees_kernel(),
            // Without the kernel it holds what is told of a closed window, where there is any.
            Kind::Who => self.context.sees_kernel() || self.any_note(),
            _ => true,
        }
    }

    fn wish(&self, row: &QueueEntry, kind: Kind) -> usize {
        let parts = entry_parts(self.context, row);
        match kind {
            Kind::Who => match &parts.who {
                Who::Owner(who) => width(&owner(who)),
                Who::Note(note) => width(note),
            },
            Kind::Local => width(&parts.ends[0].1.to_string()),
            Kind::Peer => parts.ends.get(1).map_or(0, |(_, end)| 2 + width(&end.to_string())),
            Kind::History => {
                if matches!(row, QueueEntry::Wire(..)) {
                    0
                } else {
                    usize::MAX
                }
            }
            Kind::Fill => 20,
            Kind::Queue | Kind::Length | Kind::Limit | Kind::Since => 0,
        }
    }

    fn cell(&self, row: &QueueEntry, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let parts = entry_parts(self.context, row);
        let marked = parts.severity.map_or(theme.text, |severity| severity.style(theme));
        match kind {
            Kind::Queue => {
                let mark = parts.severity.map_or(" ", Severity::mark);
                vec![styled(format!("{mark} {}", parts.kind), marked)]
            }
            Kind::Length => {
                vec![styled(parts.amount.clone(), if parts.severity.is_some() { marked } else { theme.strong })]
            }
            Kind::Fill => match parts.fill {
                Some((part, whole)) => {
                    vec![styled(bar(part, whole, room), if parts.severity.is_some() { marked } else { theme.bar })]
                }
                None => vec![styled(ABSENT, theme.dim)],
            },
            Kind::Limit => vec![limit(self.context, row, &parts)],
            Kind::History => vec![styled(spark(History::of_readings(parts.history), room), theme.spark)],
            Kind::Since => {
                let since = parts.since.map_or_else(|| ABSENT.to_owned(), |since| age(self.context.ago(since)));
                vec![styled(since, if parts.since.is_some() { marked } else { theme.dim })]
            }
            Kind::Who => vec![match &parts.who {
                Who::Owner(Ownership::NotRecorded) => styled("not recorded", theme.dim),
                Who::Owner(who) => styled(owner_in(who, room), theme.text),
                Who::Note(note) if note.is_empty() => styled(ABSENT, theme.dim),
                Who::Note(note) => styled(fit(note, room), theme.dim),
            }],
            Kind::Local => vec![styled(endpoint(parts.ends[0].1, room), theme.text)],
            Kind::Peer => match parts.ends.get(1) {
                Some((arrow, end)) => {
                    vec![styled(format!("{} ", arrow.trim()), theme.dim), styled(endpoint(*end, room - 2), theme.text)]
                }
                None => Vec::new(),
            },
        }
    }

    fn sorted_by(&self) -> Option<Kind> {
        Some(match self.context.ui.order().0 {
            "kind" => Kind::Queue,
            "longest" => Kind::Since,
            _ => Kind::Length,
        })
    }
}

/// The limit in the unit of the queue: connections of an accept queue, else bytes.
fn limit(context: &Context<'_>, row: &QueueEntry, parts: &Parts<'_>) -> Span<'static> {
    let theme = context.theme;
    match (parts.fill, row) {
        (Some((_, whole)), QueueEntry::Accept(..)) => styled(count(whole), theme.text),
        (Some((_, whole)), _) => styled(bytes(whole), theme.text),
        (None, _) => styled(ABSENT, theme.dim),
    }
}
