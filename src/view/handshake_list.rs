//! Handshakes, one a row: SYN, SYN-ACK and ACK on a logarithmic axis of time, what failed first.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::base::Timestamp;
use crate::engine::{HandshakeRow, ListPane};
use crate::flow::{HandshakeOutcome, Negotiated};
use crate::ui::View;

use super::format::{ABSENT, clock_ms, endpoint, owner, owner_in, span};
use super::table::{self, Around, Column, Table, number, text, wide};
use super::theme::Severity;
use super::widgets::{fit, left, middle, styled, width};
use super::{Context, handshakes, handshakes_wide};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let parts = context.ui.list_parts(View::Handshakes, area);
    if !parts.above.is_empty() {
        handshakes_wide::draw(context, parts.above, buf);
    }
    let window = if let ListPane::Handshakes(window) = &context.dashboard.list { Some(window) } else { None };
    let around = Around { name: "Handshakes", unit: "", filtered: true, rest: &LEGENDS, empty: &empty(context) };
    table::draw(context, &Handshakes { context }, window, &around, parts.list, buf);
}

/// What the letters of the axis stand for.
const LEGENDS: [&str; 5] = [
    "S SYN  A SYN-ACK  ● ACK  R RST  I ICMP error  ✗ no answer",
    "S SYN  A SYN-ACK  ● ACK  R RST  ✗ no answer",
    "S SYN A SYN-ACK ● ACK R RST ✗ none",
    "S SYN A SYN-ACK ● ACK ✗ none",
    "S A ● SYN, SYN-ACK, ACK",
];

fn empty(context: &Context<'_>) -> String {
    if context.dashboard.sees.wire {
        format!("no handshake: {}", context.none_of("SYN"))
    } else {
        handshakes::unseen(context)
    }
}

pub(super) struct Handshakes<'a> {
    context: &'a Context<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Outcome,
    Ends,
    Dns,
    Axis,
    Took,
    Tls,
    Retries,
    Note,
    Name,
    Begun,
    Process,
    Server,
}

impl Table for Handshakes<'_> {
    type Row = HandshakeRow;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        text(Kind::Outcome, "  outcome", 12, 14, 0),
        wide(Kind::Ends, "orig → resp", (25, 47, 103), 1),
        number(Kind::Dns, "DNS", 8, 6),
        wide(Kind::Axis, "", (22, 29, 57), 2),
        number(Kind::Took, "took", 8, 3),
        number(Kind::Tls, "TLS", 8, 6),
        number(Kind::Retries, "retries", 8, 5),
        text(Kind::Note, "note", 16, 64, 4),
        text(Kind::Name, "name", 14, 32, 7),
        text(Kind::Begun, "first SYN", 12, 12, 10),
        text(Kind::Process, "opened by", 15, 26, 8),
        text(Kind::Server, "answered by", 15, 26, 9),
    ];

    fn serves(&self, kind: Kind) -> bool {
        match kind {
            Kind::Process | Kind::Server => self.context.sees_kernel(),
            Kind::Name | Kind::Dns | Kind::Tls => self.context.dashboard.sees.names,
            _ => true,
        }
    }

    fn wish(&self, row: &HandshakeRow, kind: Kind) -> usize {
        match kind {
            Kind::Ends => width(&row.orig.to_string()) + 3 + width(&row.resp.to_string()),
            Kind::Axis => usize::MAX,
            Kind::Outcome => 2 + width(row.view.outcome.name()),
            Kind::Note => width(&note(row)),
            Kind::Process => width(&owner(&row.owner)),
            Kind::Server => width(&owner(&row.resp_owner)),
            Kind::Name => row.name.as_ref().map_or(0, |name| width(&name.text)),
            Kind::Took | Kind::Retries | Kind::Begun | Kind::Dns | Kind::Tls => 0,
        }
    }

    fn cell(&self, row: &HandshakeRow, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let failed = row.view.outcome.is_failure();
        let plain = if failed { theme.text } else { theme.dim };
        match kind {
            Kind::Outcome => {
                let (mark, style) = match row.view.outcome {
                    _ if failed => (Severity::Warning.mark(), theme.warning),
                    HandshakeOutcome::Waiting => (" ", theme.info),
                    _ => (" ", theme.good),
                };
                vec![styled(format!("{mark} "), style), styled(fit(row.view.outcome.name(), room - 2), style)]
            }
            Kind::Ends => ends(self.context, row, room),
            Kind::Axis => bars(self.context, row, room),
            Kind::Took => {
                let text = if row.view.outcome == HandshakeOutcome::Waiting { "…" } else { "" };
                match row.took {
                    Some(took) => vec![styled(span(took) + text, theme.text)],
                    None => vec![styled(ABSENT, theme.dim)],
                }
            }
            Kind::Dns | Kind::Tls => match if kind == Kind::Dns { row.dns } else { row.tls } {
                Some(waited) => vec![styled(span(waited), plain)],
                None => vec![styled(ABSENT, theme.dim)],
            },
            Kind::Retries => match row.view.syn_retries + row.view.syn_ack_retries {
                0 => vec![styled("0", theme.dim)],
                n => vec![styled(n.to_string(), theme.warning)],
            },
            Kind::Note => vec![styled(fit(&note(row), room), plain)],
            Kind::Begun => {
                let at = row.view.syn_at.map_or_else(String::new, |at| clock_ms(at, &theme.zone));
                vec![styled(at, plain)]
            }
            Kind::Name => match &row.name {
                Some(name) => vec![styled(middle(&name.text, room), plain)],
                None => vec![styled(ABSENT, theme.dim)],
            },
            Kind::Process => vec![styled(owner_in(&row.owner, room), plain)],
            Kind::Server => vec![styled(owner_in(&row.resp_owner, room), plain)],
        }
    }

    fn heading(&self, kind: Kind, room: usize) -> Option<String> {
        (kind == Kind::Axis).then(|| axis(room))
    }

    fn sorted_by(&self) -> Option<Kind> {
        match self.context.ui.order().0 {
            "slowest" => Some(Kind::Took),
            "recent" => Some(Kind::Begun),
            _ => Some(Kind::Outcome),
        }
    }
}

fn ends(context: &Context<'_>, row: &HandshakeRow, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let (from, to) = (row.orig.to_string(), row.resp.to_string());
    if width(&from) + 3 + width(&to) <= room {
        return vec![styled(from, theme.text), styled(" → ", theme.dim), styled(to, theme.text)];
    }
    // Where it went matters more than from where; of long addresses neither is shown whole.
    let share = if width(&to) <= 21 { room - 3 - 8 } else { (room - 3) * 3 / 5 };
    let to = endpoint(row.resp, share.min(width(&to)));
    let from = endpoint(row.orig, (room - 3).saturating_sub(width(&to)));
    vec![styled(from, theme.text), styled(" → ", theme.dim), styled(to, theme.text)]
}

/// What explains the outcome; of a handshake that went well, what was agreed on.
fn note(row: &HandshakeRow) -> String {
    match &row.rejected {
        Some(rejected) if row.view.outcome == HandshakeOutcome::Waiting => return format!("tries again, {rejected}"),
        Some(rejected) => return rejected.to_string(),
        None => {}
    }
    let times = |name: &str, retries: u32| match retries {
        0 => format!("1 {name}"),
        n => format!("{} {name}s", u64::from(n) + 1),
    };
    let view = &row.view;
    match view.outcome {
        HandshakeOutcome::Rejected => "ICMP error".to_owned(),
        HandshakeOutcome::Unanswered => format!("{}, no answer", times("SYN", view.syn_retries)),
        HandshakeOutcome::GivenUp => format!("{}, then let go", times("SYN", view.syn_retries)),
        HandshakeOutcome::HalfOpen => format!("{}, no ACK", times("SYN-ACK", view.syn_ack_retries)),
        HandshakeOutcome::Refused => "RST answered the SYN".to_owned(),
        HandshakeOutcome::Reset => "RST before it completed".to_owned(),
        HandshakeOutcome::Waiting if view.syn_ack_at.is_some() => "waits for the ACK".to_owned(),
        HandshakeOutcome::Waiting => "waits for the SYN-ACK".to_owned(),
        HandshakeOutcome::Completed | HandshakeOutcome::Simultaneous | HandshakeOutcome::Partial => {
            agreed(view.offered)
        }
    }
}

/// What both ends offered, as `ss` names it: only that is in force; the maximum segment sizes are each end's own.
fn agreed(offered: [Option<Negotiated>; 2]) -> String {
    let [Some(orig), Some(resp)] = offered else { return "options not captured".to_owned() };
    let mut parts = Vec::new();
    if let (Some(a), Some(b)) = (orig.mss, resp.mss) {
        parts.push(if a == b { format!("mss {a}") } else { format!("mss {a}/{b}") });
    }
    if let (Some(a), Some(b)) = (orig.wscale, resp.wscale) {
        parts.push(format!("wscale {a},{b}"));
    }
    let both = [
        (orig.sack && resp.sack, "sack"),
        (orig.timestamps && resp.timestamps, "ts"),
        (orig.fast_open && resp.fast_open, "fastopen"),
        (orig.mptcp && resp.mptcp, "mptcp"),
    ];
    parts.extend(both.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()));
    if parts.is_empty() { "no options".to_owned() } else { parts.join(" ") }
}

/// The axis begins at 10 µs, and has so many powers of ten.
const FIRST: f64 = 1e-5;
const DECADES: usize = 7;
const NAMES: [&str; DECADES] = ["10µs", "100µs", "1ms", "10ms", "100ms", "1s", "10s"];

/// The column in which something stands that came so long after the first SYN, which stands in the first.
fn column(after: Duration, room: usize) -> usize {
    let decades = (after.as_secs_f64().max(FIRST) / FIRST).log10() / DECADES as f64;
    let last = room.saturating_sub(2);
    1 + ((decades * last as f64).round() as usize).min(last)
}

/// The powers of ten, as many as stand apart.
fn axis(room: usize) -> String {
    let at = |decade: usize| column(Duration::from_secs_f64(FIRST * 10_f64.powi(decade as i32)), room);
    let step = (1..=DECADES).find(|step| room.saturating_sub(2) * step / DECADES >= 7).unwrap_or(DECADES);
    let mut line = String::new();
    // 1 ms stands at every width.
    for decade in (0..DECADES).filter(|decade| decade % step == 2 % step) {
        let label = format!("▏{}", NAMES[decade]);
        if width(&line) <= at(decade) && at(decade) + width(&label) <= room {
            line = left(&line, at(decade)) + &label;
        }
    }
    line
}

/// The handshake on the axis: each phase as a line that ends in the segment that ended it.
fn bars(context: &Context<'_>, row: &HandshakeRow, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let view = &row.view;
    let begun = view.syn_at.unwrap_or(row.since);
    let mut line: Vec<(char, Style)> = vec![(' ', theme.text); room];
    let mut at = 0;
    for Phase { until, stroke, mark } in phases(context, row) {
        let end = column(until.since(begun), room).max(at);
        // What went wrong is not hidden behind what happened as late, nor hides it; one try more of the same may be.
        let crowded = end == at && at > 0 && mark.1 == theme.warning && mark != line[at];
        let end = (end + usize::from(crowded)).min(room - 1);
        for cell in &mut line[at.min(end) + 1..=end] {
            *cell = stroke;
        }
        line[end] = mark;
        at = end;
    }
    line[0] = if view.syn_at.is_some() { ('S', theme.strong) } else { ('·', theme.dim) };
    merged(&line)
}

/// A part of a handshake: until when, drawn how, and what ended it.
struct Phase {
    until: Timestamp,
    stroke: (char, Style),
    mark: (char, Style),
}

/// The parts in the order of their time.
fn phases(context: &Context<'_>, row: &HandshakeRow) -> Vec<Phase> {
    use HandshakeOutcome::{
        Completed, GivenUp, HalfOpen, Partial, Refused, Rejected, Reset, Simultaneous, Unanswered, Waiting,
    };
    let (theme, view) = (context.theme, &row.view);
    let waited = ('┄', theme.warning);
    let went = ('━', theme.spark);
    let again = |all: &[Timestamp], mark| {
        all.iter().map(|until| Phase { until: *until, stroke: waited, mark: (mark, theme.warning) }).collect::<Vec<_>>()
    };
    let mut all = again(&row.syns_again, 'S');
    all.extend(again(&row.syn_acks_again, 'A'));
    all.extend(view.syn_ack_at.map(|until| Phase { until, stroke: went, mark: ('A', theme.strong) }));
    all.sort_by_key(|phase| phase.until);
    let (until, stroke, mark) = match view.outcome {
        Completed | Simultaneous => (view.ack_at.or(row.concluded), ('─', theme.spark), ('●', theme.good)),
        Unanswered | GivenUp => (row.concluded, waited, ('✗', theme.warning)),
        HalfOpen => (row.took.map(|took| row.since + took).max(row.concluded), waited, ('✗', theme.warning)),
        Refused | Reset => (row.concluded, went, ('R', theme.warning)),
        Rejected => (row.took.map(|took| row.since + took).or(row.concluded), went, ('I', theme.warning)),
        Waiting => (context.dashboard.now, ('┄', theme.dim), ('…', theme.info)),
        Partial => (None, waited, waited),
    };
    all.extend(until.map(|until| Phase { until, stroke, mark }));
    all
}

/// Neighbours of one style as one span.
fn merged(line: &[(char, Style)]) -> Vec<Span<'static>> {
    let mut spans: Vec<(String, Style)> = Vec::new();
    for (c, style) in line {
        match spans.last_mut() {
            Some((text, last)) if last == style => text.push(*c),
            _ => spans.push((c.to_string(), *style)),
        }
    }
    spans.into_iter().map(|(text, style)| styled(text, style)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_is_logarithmic_and_ends_at_100_s() {
        let at = |micros: u64| column(Duration::from_micros(micros), 72);
        assert_eq!([0, 10, 100, 1_000, 1_000_000, 100_000_000].map(at), [1, 1, 11, 21, 51, 71]);
        assert_eq!(at(u64::MAX), 71);
        assert_eq!(column(Duration::MAX, 22), 21);
    }

    #[test]
    fn the_axis_names_as_many_powers_as_stand_apart() {
        for room in 22..80 {
            let line = axis(room);
            assert!(line.contains("1ms") && width(&line) <= room, "{room}: {line}");
        }
        assert!(NAMES.iter().all(|name| axis(64).contains(name)));
    }
}
