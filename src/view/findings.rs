//! What is wrong: the worst few above the other panes, a line each; zoomed, each with its reason and its remedy.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::findings::{Finding, Kind, Severity, Subject};
use crate::ui::{Pane, wrap};

use super::Context;
use super::format::{address, clock, endpoint};
use super::theme::Theme;
use super::widgets::{gap, left, message, middle, pane, put_all, styled, title, width};

/// Columns before a finding's name: its mark.
const MARK: usize = 2;
/// What a finding is about has this room at least, though its numbers be cut.
const SUBJECT: usize = 18;

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, all) = (context.theme, &context.dashboard.findings);
    let inner = pane(buf, area, title("Findings", &counts(all), theme), focused, theme);
    let room = usize::from(inner.width);
    if all.is_empty() {
        return message(buf, inner, empty(context), theme);
    }
    let in_full = context.ui.zoomed() == Some(Pane::Findings);
    let lines: Vec<Line<'static>> = all
        .iter()
        .take(usize::from(inner.height))
        .flat_map(|finding| {
            let more = if in_full { reasons(context, finding, room) } else { Vec::new() };
            std::iter::once(line(finding, room, theme)).chain(more)
        })
        .collect();
    put_all(buf, inner, &lines);
}

fn empty(context: &Context<'_>) -> &'static str {
    match context.dashboard.now {
        Some(_) => "nothing that can be seen is wrong",
        None => "waiting for the first segment or socket",
    }
}

/// `2 critical · 1 warning`.
fn counts(all: &[Finding]) -> String {
    let of = |severity| all.iter().filter(|finding| finding.severity == severity).count();
    let words = [(Severity::Critical, "critical"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let told = words.into_iter().map(|(severity, word)| (of(severity), word)).filter(|(number, _)| *number > 0);
    let plural = |number, word| if number > 1 && word == "warning" { "s" } else { "" };
    told.map(|(number, word)| format!("{number} {word}{}", plural(number, word))).collect::<Vec<_>>().join(" · ")
}

/// `‼ ports run out  10.0.0.2 → 10.0.0.5:5432: none left in 5 s, 91% of 28,232 in use      pg-loop[880]`.
fn line(finding: &Finding, room: usize, theme: &Theme) -> Line<'static> {
    let name = Kind::ALL.into_iter().map(|kind| width(kind.name())).max().unwrap_or(0);
    let told = format!(": {}", finding.told);
    let subject = subject(finding, room.saturating_sub(MARK + name + 2 + width(&told)).max(SUBJECT));
    let used = MARK + name + 2 + width(&subject) + width(&told);
    let mut spans = vec![
        styled(left(finding.severity.mark(), MARK), style(finding.severity, theme)),
        styled(left(finding.kind.name(), name + 2), style(finding.severity, theme)),
        styled(subject, theme.strong),
        styled(told, theme.text),
    ];
    let who = finding.held_by().map(ToString::to_string);
    if let Some((who, blank)) = who.and_then(|who| Some((who.clone(), room.checked_sub(used + width(&who))?)))
        && blank >= 2
    {
        spans.extend([gap(blank), styled(who, theme.dim)]);
    }
    Line::from(spans)
}

/// What it is about; where that is too long the end that matters alone, or shortened in its middle.
fn subject(finding: &Finding, room: usize) -> String {
    let whole = finding.about();
    if width(&whole) <= room {
        return whole;
    }
    match &finding.subject {
        Subject::Destination(end) | Subject::Listener(end) | Subject::Flow { local: end, .. } => endpoint(*end, room),
        Subject::Route { to, .. } => format!("→ {}", endpoint(*to, room.saturating_sub(2))),
        Subject::Connections { holder, .. } => address(*holder, room),
        Subject::Capture | Subject::Host | Subject::Process { .. } => middle(&whole, room),
    }
}

/// Why, what to do, how sure it is and since when.
fn reasons(context: &Context<'_>, finding: &Finding, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let sure = format!("confidence {}, since {}", finding.confidence.name(), clock(finding.since, &theme.zone));
    let who = finding.held_by().map(|who| format!(", {who}")).unwrap_or_default();
    let parts = [(&finding.why, theme.text), (&finding.remedy, theme.text), (&format!("{sure}{who}"), theme.dim)];
    let indented = |text: &String, style| {
        let lines = wrap(text, room.saturating_sub(MARK)).into_iter();
        lines.map(|line| Line::from(vec![gap(MARK), styled(line, style)])).collect::<Vec<_>>()
    };
    let mut lines: Vec<Line<'static>> = parts.into_iter().flat_map(|(text, style)| indented(text, style)).collect();
    lines.push(Line::default());
    lines
}

const fn style(severity: Severity, theme: &Theme) -> Style {
    match severity {
        Severity::Critical => theme.critical,
        Severity::Warning => theme.warning,
        Severity::Info => theme.info,
    }
}
