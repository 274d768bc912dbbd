//! The last line: what is being typed, what was said, or the keys that matter here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use tui_input::Input;

use crate::base::scrub;
use crate::engine::FilterError;
use crate::ui::{BINDINGS, FilterPrompt, FlowPart, Msg, Prompt, View};

use super::Context;
use super::widgets::{fit, gap, put, put_all, styled, width};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width);
    let theme = context.theme;
    let line = match (context.ui.prompt(), context.ui.message()) {
        (Some(Prompt::Filter(prompt)), _) => return filter(context, prompt, area, buf),
        (Some(Prompt::Jump(input)), _) => {
            typed(
                context,
                "to time: ",
                input,
                false,
                "12.5 or 1m30s from the start, +90s from here, 14:03:22, or 2026-11-21T14:03:22Z",
                room,
            )
            .0
        }
        (Some(Prompt::Mark(input)), _) => {
            typed(context, "mark: ", input, false, "a note, or none; Enter sets it, at the instant that is shown", room)
                .0
        }
        (None, Some(message)) => Line::from(vec![gap(1), styled(message, theme.strong)]),
        (None, None) => hints(context, room),
    };
    put(buf, area, &line);
}

/// The filter as it is typed; below it what is wrong, under the word that is, or what Tab offers.
fn filter(context: &Context<'_>, prompt: &FilterPrompt, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width);
    let (line, hidden) =
        typed(context, "/", prompt.input(), prompt.selected(), "Enter keeps  Esc clears  Tab completes", room);
    let mut lines = vec![line];
    match prompt.fault() {
        Some(fault) => lines.push(pointing(context, prompt.input().value(), fault, hidden, room)),
        None => lines.push(offered(context, prompt, room)),
    }
    if area.height < 2 {
        lines.remove(usize::from(prompt.fault().is_none()));
    }
    put_all(buf, area, &lines);
}

/// A caret under what is wrong, and what is wrong with it beside that. `hidden`: columns of the text that are scrolled
/// out at the left.
fn pointing(context: &Context<'_>, text: &str, fault: &FilterError, hidden: usize, room: usize) -> Line<'static> {
    let theme = context.theme;
    let text = scrub(text);
    let part = |range: std::ops::Range<usize>| width(text.get(range).unwrap_or_default());
    let start = (2 + part(0..fault.at.start)).saturating_sub(hidden).clamp(2, room.saturating_sub(1).max(2));
    let carets = part(fault.at.clone()).clamp(1, room.saturating_sub(start).max(1));
    let message = fault.to_string();
    let mark = styled("^".repeat(carets), theme.warning);
    if start + carets + 1 + width(&message) <= room {
        return Line::from(vec![gap(start), mark, gap(1), styled(message, theme.text)]);
    }
    // Beside the carets there is no room at the right: at their left, or in their place.
    if width(&message) + 2 <= start {
        let left = start - width(&message) - 1;
        return Line::from(vec![gap(left), styled(message, theme.text), gap(1), mark]);
    }
    Line::from(vec![gap(1), styled(message, theme.text)])
}

/// What Tab offers, the one that stands there marked.
fn offered(context: &Context<'_>, prompt: &FilterPrompt, room: usize) -> Line<'static> {
    let theme = context.theme;
    let (candidates, chosen) = prompt.candidates();
    let mut spans = vec![gap(2)];
    let mut used = 2;
    // What is chosen stays in sight.
    let widest = candidates.iter().map(|candidate| width(candidate) + 2).max().unwrap_or(1);
    let each = (room.saturating_sub(4) / widest).max(1);
    let first = chosen.map_or(0, |at| at.saturating_sub(each.saturating_sub(1)));
    for (at, candidate) in candidates.iter().enumerate().skip(first) {
        if used + width(candidate) + 3 > room {
            spans.push(styled("…", theme.dim));
            break;
        }
        used += width(candidate) + 2;
        let style = if chosen == Some(at) { theme.cursor } else { theme.dim };
        spans.extend([styled(candidate.as_str(), style), gap(2)]);
    }
    Line::from(spans)
}

/// What is typed, and how many columns of it are scrolled out at the left.
fn typed(
    context: &Context<'_>,
    label: &str,
    input: &Input,
    selected: bool,
    help: &str,
    room: usize,
) -> (Line<'static>, usize) {
    let theme = context.theme;
    let (before, rest): (String, String) = {
        let mut chars = input.value().chars();
        let before: String = chars.by_ref().take(input.cursor()).collect();
        (before, chars.collect())
    };
    let at: String = rest.chars().take(1).collect();
    let after: String = rest.chars().skip(1).collect();
    let cursor = if at.is_empty() { " ".to_owned() } else { at };
    // The end of what is typed stays in sight.
    let left = room.saturating_sub(width(label) + 3);
    let tail: String = tail_that_fits(&before, left);
    let hidden = width(&before) - width(&tail);
    let chosen = if selected { theme.strong.add_modifier(Modifier::REVERSED) } else { theme.strong };
    let mut spans = vec![
        gap(1),
        styled(label, theme.info),
        styled(tail, chosen),
        styled(cursor, theme.strong.add_modifier(Modifier::REVERSED)),
        styled(after, theme.strong),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    if used + 3 + width(help) < room {
        spans.push(gap(room - used - width(help) - 1));
        spans.push(styled(help, theme.dim));
    }
    (Line::from(spans), hidden)
}

fn tail_that_fits(text: &str, room: usize) -> String {
    let mut start = 0;
    while width(&text[start..]) > room {
        start += text[start..].chars().next().map_or(1, char::len_utf8);
    }
    text[start..].to_owned()
}

fn hints(context: &Context<'_>, room: usize) -> Line<'static> {
    let theme = context.theme;
    let replay = context.source.playback.is_some();
    let mut spans = vec![gap(1)];
    let mut used = 1;
    let mut push = |key: &str, word: &str, reserve: usize| {
        let cost = width(key) + 1 + word.len() + 2;
        if used + cost + reserve <= room + 2 {
            used += cost;
            spans.extend([styled(key, theme.strong), gap(1), styled(word, theme.dim), gap(2)]);
        }
    };
    if context.ui.leads_back() {
        push("Esc", "back", 0);
    }
    let of_flow = of_flow(context);
    if context.ui.help_open() || context.ui.view() == View::Flow {
        push("j k", if of_flow.len() > 1 { "move" } else { "scroll" }, 0);
    }
    of_flow.iter().for_each(|(key, word)| push(key, word, 0));
    let rows = BINDINGS.iter().filter(|row| row.when.holds(replay) && !is_idle(context, row.msg));
    let rows = rows.filter_map(|row| Some((row, row.hint?)));
    let last_two = width("? help  q quit  ");
    for (row, word) in rows {
        let reserve = if matches!(word, "help" | "quit") { 0 } else { last_two };
        let key = row.keys[0].to_string();
        push(fit(&key, 9).as_ref(), word, reserve);
    }
    // The gap after the last is no reason to cut that.
    spans.pop();
    Line::from(spans)
}

/// The keys that matter in the part of a flow that is shown.
fn of_flow(context: &Context<'_>) -> &'static [(&'static str, &'static str)] {
    match context.ui.flow().part() {
        _ if context.ui.help_open() || context.ui.view() != View::Flow => &[],
        FlowPart::Summary => &[("l", "ladder")],
        FlowPart::Ladder => &[("l", "graph"), ("Enter", "unfold")],
        FlowPart::Graph => &[("h", "ladder"), ("r", "turn"), ("z Z", "zoom"), ("{ }", "pan")],
    }
}

/// Whether a message changes nothing in what is shown.
fn is_idle(context: &Context<'_>, msg: Msg) -> bool {
    let (help, view) = (context.ui.help_open(), context.ui.view());
    match msg {
        Msg::Open | Msg::NextSort => help || view == View::Flow,
        Msg::Filter => !help && view == View::Flow,
        Msg::Zoom => help || !matches!(view, View::Overview | View::Findings),
        _ => false,
    }
}
