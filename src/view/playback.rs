//! The header's line of a source that is played: where one is in it, and how it goes on.

use std::time::Duration;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::base::{Progress, Timestamp, nanos};
use crate::ui::Playback;

use super::Context;
use super::format::position;
use super::widgets::{bar, gap, styled, width};

/// Columns under which words are left out.
const NARROW: usize = 60;

/// Where one is, and how it goes on; with a bar where no timeline stands beside it or below.
pub(super) fn line(context: &Context<'_>, playback: &Playback, room: usize) -> Line<'static> {
    let theme = context.theme;
    let mut spans = vec![gap(1)];
    if let Some(live) = playback.live {
        let behind = context.dashboard.now.map_or_else(|| "nothing yet".to_owned(), |now| behind(live.since(now)));
        let style = theme.warning.add_modifier(Modifier::BOLD);
        spans.extend([styled(format!("◀ {behind} · live goes on · L returns"), style), gap(2)]);
        spans.extend(pace(context, playback, room, room < NARROW));
        return Line::from(spans);
    }
    // As fast as it goes, what counts is how far the file is read.
    let reading = playback.reading.filter(|_| playback.speed.is_infinite());
    let tight = room < NARROW && reading.is_some();
    spans.extend(pace(context, playback, room, tight));
    spans.push(gap(3));
    let Some((start, now)) = playback.start.zip(context.dashboard.now) else {
        let nothing = if playback.at_end { "nothing in it" } else { "nothing read yet" };
        spans.push(styled(nothing, theme.dim));
        return Line::from(spans);
    };
    spans.push(styled(position(now.since(start)), theme.strong));
    let (words, part) = match reading {
        Some(reading) => {
            let waits = playback.paused && !playback.going;
            (how_far_read(context, &reading, tight, waits), Some((reading.done, reading.whole)))
        }
        None => {
            let used: usize = spans.iter().map(Span::width).sum();
            how_far_played(context, playback, start, now, room.saturating_sub(used))
        }
    };
    spans.extend(words);
    let has_timeline = context.source.track.is_some() && context.ui.area().width >= 80;
    if let Some((done, whole)) = part.filter(|_| !has_timeline || reading.is_some()) {
        let used: usize = spans.iter().map(Span::width).sum();
        spans.push(styled(bar(done, whole, room.saturating_sub(used + 1)), theme.bar));
    }
    Line::from(spans)
}

/// Whether it goes on, and how fast.
fn pace(context: &Context<'_>, playback: &Playback, room: usize, tight: bool) -> [Span<'static>; 3] {
    let theme = context.theme;
    let (sign, word) = match playback {
        Playback { going: true, .. } => ("»", "going there"),
        Playback { at_end: true, live: None, .. } => ("■", "at the end"),
        Playback { paused: true, .. } => ("‖", "paused"),
        Playback { .. } => ("▶", "playing"),
    };
    let state = if tight { sign.to_owned() } else { format!("{sign} {word}") };
    let narrow = room < NARROW;
    let speed = match playback.speed {
        speed if speed.is_finite() => styled(format!("{speed}×"), theme.text),
        _ if narrow && playback.at_end => gap(0),
        _ if narrow => styled("full speed", theme.text),
        _ => styled("as fast as it goes", theme.text),
    };
    [styled(state, theme.strong), gap(if tight { 1 } else { 2 }), speed]
}

/// How far the file is read; where reading `waits` with the playing, nothing tells how long it takes.
fn how_far_read(context: &Context<'_>, reading: &Progress, tight: bool, waits: bool) -> Vec<Span<'static>> {
    let words = match (tight, waits) {
        (true, _) => format!("{:>3}%", reading.percent()),
        (false, true) => Progress { took: Duration::ZERO, ..*reading }.words() + "  reading waits",
        (false, false) => reading.words(),
    };
    vec![styled(format!("  read {words}  "), context.theme.text)]
}

/// How far one is towards the end, in words and, where the end is known, as a part of the whole.
fn how_far_played(
    context: &Context<'_>,
    playback: &Playback,
    start: Timestamp,
    now: Timestamp,
    room: usize,
) -> (Vec<Span<'static>>, Option<(u64, u64)>) {
    let theme = context.theme;
    let Some(end) = playback.end else { return (Vec::new(), None) };
    let (at, whole) = (now.since(start), end.since(start));
    let whole_words = format!(" / {}", position(whole));
    let left = room.saturating_sub(width(&whole_words));
    let mut spans = vec![styled(whole_words, theme.text)];
    // Until all is read, nobody knows how long it is.
    if playback.growing {
        let words = [" so far  ", " so far", "+"].into_iter().find(|words| width(words) <= left);
        spans.extend(words.map(|words| styled(words, theme.dim)));
        return (spans, None);
    }
    let percent = (at.as_nanos() * 100).checked_div(whole.as_nanos()).unwrap_or(100).min(100);
    spans.push(styled(format!("  {percent:>3}%  "), theme.text));
    (spans, Some((nanos(at), nanos(whole))))
}

/// How long ago, in words that do not jump about: tenths of seconds, then minutes.
fn behind(time: Duration) -> String {
    let secs = time.as_secs();
    if secs < 100 {
        format!("−{:.1} s", time.as_secs_f64())
    } else {
        format!("−{}:{:02} min", secs / 60, secs % 60)
    }
}
