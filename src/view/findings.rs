//! What is wrong: the worst few above the other panes, a line each. Reason and remedy stand in the view of findings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::engine::Keyed;
use crate::findings::{Finding, Kind, Severity, Subject};

use super::Context;
use super::format::{address, endpoint};
use super::table::mark_cursor;
use super::theme::Theme;
use super::widgets::{gap, left, middle, pane, put, styled, title, width};

/// Columns before a finding's name: its mark.
const MARK: usize = 2;
/// What a finding is about has this room at least, though its numbers be cut.
const SUBJECT: usize = 18;

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, all) = (context.theme, &context.dashboard.findings);
    let height = usize::from(area.height.saturating_sub(2));
    let (cursor, first) = context.ui.finding();
    let first = first.min(all.len().saturating_sub(height));
    let counts = match all.len() {
        n if n > 1 && height == 1 => format!("{} of {n}   {}", first + 1, counts(all)),
        n if n > height => format!("{}–{} of {n}   {}", first + 1, first + height, counts(all)),
        _ => counts(all),
    };
    let inner = pane(buf, area, title("Findings", &counts, theme), focused, theme);
    let shown = &all[first..all.len().min(first + height)];
    let about = about_room(shown, usize::from(inner.width));
    for (finding, row) in shown.iter().zip(inner.rows()) {
        put(buf, row, &line(finding, about, usize::from(row.width), theme));
        if focused && cursor == Some(Keyed::key(finding)) {
            mark_cursor(context, row, buf);
        }
    }
}

/// `2 critical · 1 warning`.
pub(super) fn counts(all: &[Finding]) -> String {
    let of = |severity| all.iter().filter(|finding| finding.severity == severity).count();
    let told = [Severity::Critical, Severity::Warning, Severity::Info].map(|severity| (severity, of(severity)));
    let words = |(severity, number): (Severity, usize)| {
        let plural = if number > 1 && severity == Severity::Warning { "s" } else { "" };
        format!("{number} {}{plural}", severity.name())
    };
    told.into_iter().filter(|(_, number)| *number > 0).map(words).collect::<Vec<_>>().join(" · ")
}

/// `‼ ports run out  10.0.0.2 → 10.0.0.5:5432  none left in 5 s, 91% of 28,232 in use      pg-loop[880]`, what it is
/// about in `about` columns.
fn line(finding: &Finding, about: usize, room: usize, theme: &Theme) -> Line<'static> {
    let subject = left(&subject(finding, about), about);
    let used = MARK + name_room() + about + 2 + width(&finding.told);
    let mut spans = vec![
        styled(left(finding.severity.mark(), MARK), style(finding.severity, theme)),
        styled(left(finding.kind.name(), name_room()), style(finding.severity, theme)),
        styled(subject, theme.strong),
        gap(2),
        styled(finding.told.as_str(), theme.text),
    ];
    let who = finding.held_by().map(ToString::to_string);
    if let Some((who, blank)) = who.and_then(|who| Some((who.clone(), room.checked_sub(used + width(&who))?)))
        && blank >= 2
    {
        spans.extend([gap(blank), styled(who, theme.dim)]);
    }
    Line::from(spans)
}

/// Columns of the longest name and the gap behind it.
fn name_room() -> usize {
    Kind::ALL.into_iter().map(|kind| width(kind.name())).max().unwrap_or(0) + 2
}

/// Columns of what findings are about: as many as the longest needs, but that the longest numbers stand whole where
/// they can.
fn about_room(shown: &[Finding], room: usize) -> usize {
    let room = room.saturating_sub(MARK + name_room() + 2);
    let told = shown.iter().map(|finding| width(&finding.told)).max().unwrap_or(0);
    let about = shown.iter().map(|finding| width(&finding.about())).max().unwrap_or(0);
    about.min(room.saturating_sub(told).max(SUBJECT)).min(room)
}

/// What it is about; where that is too long the end that matters alone, or shortened in its middle.
pub(super) fn subject(finding: &Finding, room: usize) -> String {
    let whole = finding.about();
    if width(&whole) <= room {
        return whole;
    }
    match &finding.subject {
        Subject::Destination(end) | Subject::Listener(end) | Subject::Flow { local: end, .. } => endpoint(*end, room),
        Subject::Route { to, .. } => format!("→ {}", endpoint(*to, room.saturating_sub(2))),
        Subject::Path { to, .. } => format!("→ {}", address(*to, room.saturating_sub(2))),
        Subject::Connections { holder, .. } | Subject::Scanner(holder) => address(*holder, room),
        Subject::Capture | Subject::Host | Subject::Process { .. } => middle(&whole, room),
    }
}

pub(super) const fn style(severity: Severity, theme: &Theme) -> Style {
    match severity {
        Severity::Critical => theme.critical,
        Severity::Warning => theme.warning,
        Severity::Info => theme.info,
    }
}
