//! Findings, one a row, the worst first; the one under the cursor stands in full beside or below them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::engine::{Keyed, ListPane};
use crate::findings::Finding;
use crate::ui::View;

use super::Context;
use super::findings::{counts, style, subject};
use super::instants::instant;
use super::table::{self, Around, Column, Table, number, text, wide};
use super::widgets::{fit, left, middle, styled, width};
use super::{finding_detail, instants};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let parts = context.ui.list_parts(View::Findings, area);
    let (window, flows) = match &context.dashboard.list {
        ListPane::Findings(window, flows) => (Some(window), Some(flows)),
        _ => (None, None),
    };
    let counts = counts(&context.dashboard.findings);
    let around = Around { name: "Findings", unit: "", filtered: true, rest: &[&counts], empty: &empty(context) };
    if !parts.list.is_empty() {
        table::draw(context, &Findings { context }, window, &around, parts.list, buf);
    }
    let (under_cursor, _) = context.ui.finding();
    let shown = window.and_then(|window| {
        let chosen = window.rows.iter().find(|row| Some(Keyed::key(*row)) == under_cursor);
        chosen.or(window.rows.first())
    });
    if let Some(finding) = shown.filter(|_| !parts.detail.is_empty()) {
        finding_detail::draw(context, finding, flows, parts.detail, buf);
    }
}

/// What the rules look for.
const LOOKED_FOR: &str = "Looked for: connects that are refused, rejected or not answered, scans, processes that do not \
                          read, peers that went silent, paths that do not take what is sent, CLOSE-WAIT leaks, SYN \
                          floods, accept queues over their limit, ports that run out, a capture that loses packets";

/// Why there are none.
pub(super) fn empty(context: &Context<'_>) -> String {
    match context.dashboard.now {
        Some(_) if !context.dashboard.handshakes.failing.is_empty() => format!(
            "nothing is wrong often enough to be told, but some handshakes failed in the last minute: 3 lists them. \
             {LOOKED_FOR}"
        ),
        Some(_) => format!(
            "nothing is wrong as far as can be seen. {LOOKED_FOR}. What is not seen (the first lines tell) is not \
             looked at"
        ),
        None => context.none_of("segment or socket"),
    }
}

pub(super) struct Findings<'a> {
    context: &'a Context<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Since,
    About,
    Told,
    Who,
    Confidence,
}

impl Table for Findings<'_> {
    type Row = Finding;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        text(Kind::Name, "  finding", 15, 15, 0),
        number(Kind::Since, "for", instants::WIDTH, 2),
        wide(Kind::About, "about", (18, 36, 90), 1),
        wide(Kind::Told, "in numbers", (24, 60, 100), 3),
        text(Kind::Who, "held by", 14, 28, 4),
        text(Kind::Confidence, "confidence", 10, 10, 5),
    ];

    fn serves(&self, kind: Kind) -> bool {
        kind != Kind::Who || self.context.dashboard.findings.iter().any(|finding| finding.held_by().is_some())
    }

    fn wish(&self, row: &Finding, kind: Kind) -> usize {
        match kind {
            Kind::About => width(&row.about()),
            Kind::Told => width(&row.told),
            Kind::Who => row.held_by().map_or(0, |who| width(&who.to_string())),
            Kind::Name | Kind::Since | Kind::Confidence => 0,
        }
    }

    fn cell(&self, row: &Finding, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let plain = |text: &str, style: Style| vec![styled(fit(text, room), style)];
        match kind {
            Kind::Name => {
                let severity = style(row.severity, theme);
                vec![styled(left(row.severity.mark(), 2), severity), styled(fit(row.kind.name(), room - 2), severity)]
            }
            Kind::Since => plain(&instant(self.context, row.since), theme.text),
            Kind::About => plain(&subject(row, room), theme.strong),
            Kind::Told => plain(&row.told, theme.text),
            Kind::Who => row.held_by().map_or_else(Vec::new, |who| plain(&middle(&who.to_string(), room), theme.text)),
            Kind::Confidence => plain(row.confidence.name(), theme.dim),
        }
    }

    fn heading(&self, kind: Kind, _room: usize) -> Option<String> {
        (kind == Kind::Since).then(|| instants::heading(self.context.ui.times(), "for").to_owned())
    }

    fn sorted_by(&self) -> Option<Kind> {
        Some(if self.context.ui.order().0 == "recent" { Kind::Since } else { Kind::Name })
    }
}

#[cfg(test)]
mod tests {
    use crate::findings::Kind;

    #[test]
    fn whatever_a_rule_finds_is_looked_for() {
        let words = |kind| match kind {
            Kind::ConnectsRefused => "connects that are refused",
            Kind::ConnectsRejected => "rejected",
            Kind::ConnectsUnanswered => "or not answered",
            Kind::Scan => "scans",
            Kind::NotReading => "processes that do not read",
            Kind::PeerSilent => "peers that went silent",
            Kind::PathUnreachable | Kind::PathMtu => "paths that do not take what is sent",
            Kind::CloseWaitLeak => "CLOSE-WAIT leaks",
            Kind::SynFlood => "SYN floods",
            Kind::AcceptOverflow => "accept queues over their limit",
            Kind::PortsRunOut => "ports that run out",
            Kind::CaptureLoss => "a capture that loses packets",
        };
        let listed: Vec<&str> = super::LOOKED_FOR.trim_start_matches("Looked for: ").split(", ").collect();
        let of_rule = |part: &&str| Kind::ALL.into_iter().any(|kind| part.contains(words(kind)));
        assert!(listed.iter().all(of_rule), "{listed:?}");
        for kind in Kind::ALL {
            assert!(listed.iter().any(|part| part.contains(words(kind))), "{kind:?} is not looked for: {listed:?}");
        }
    }
}
