//! The last line: what is being typed, what was said, or the keys that matter here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use tui_input::Input;

use crate::ui::{BINDINGS, Msg, Prompt, View};

use super::Context;
use super::widgets::{fit, gap, put, styled, width};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width);
    let theme = context.theme;
    let line = match (context.ui.prompt(), context.ui.message()) {
        (Some(Prompt::Filter { input, selected, .. }), _) => typed(
            context,
            "/",
            input,
            *selected,
            "Enter keeps  Esc clears: words of address, port, state, process",
            room,
        ),
        (Some(Prompt::Jump(input)), _) => {
            typed(context, "to time: ", input, false, "12.5 or 1m30s from the start, or 2026-11-21T14:03:22Z", room)
        }
        (None, Some(message)) => Line::from(vec![gap(1), styled(message, theme.strong)]),
        (None, None) => hints(context, room),
    };
    put(buf, area, &line);
}

fn typed(context: &Context<'_>, label: &str, input: &Input, selected: bool, help: &str, room: usize) -> Line<'static> {
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
    Line::from(spans)
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
    let back = context.ui.help_open() || context.ui.view() == View::Flow || context.ui.zoomed().is_some();
    let mut spans = vec![gap(1)];
    let mut used = 1;
    let mut push = |key: &str, word: &str, reserve: usize| {
        let cost = width(key) + 1 + word.len() + 2;
        if used + cost + reserve <= room + 2 {
            used += cost;
            spans.extend([styled(key, theme.strong), gap(1), styled(word, theme.dim), gap(2)]);
        }
    };
    if back {
        push("Esc", "back", 0);
    }
    if context.ui.help_open() || context.ui.view() == View::Flow {
        push("j k", "scroll", 0);
    }
    let idle = |msg: Msg| {
        (msg == Msg::Zoom && context.ui.view() != View::Overview)
            || matches!(
                (context.ui.help_open(), context.ui.view(), msg),
                (true, _, Msg::Open | Msg::Zoom | Msg::NextSort)
                    | (false, View::Flow, Msg::Open | Msg::Filter | Msg::NextSort)
            )
    };
    let rows = BINDINGS.iter().filter(|row| row.when.holds(replay) && !idle(row.msg));
    let rows = rows.filter_map(|row| Some((row, row.hint?)));
    let last_two = width("? help  q quit  ");
    for (row, word) in rows {
        let reserve = if matches!(word, "help" | "quit") { 0 } else { last_two };
        let key = row.keys[0].to_string();
        push(fit(&key, 9).as_ref(), word, reserve);
    }
    Line::from(spans)
}
