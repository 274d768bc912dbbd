//! What stands between the two ends of a ladder in one line: an arrow with its words, a fold, a note at one side.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::base::Timestamp;
use crate::engine::{Arrow, Fate};
use crate::flow::{Cause, Mark, Side};
use crate::ui::Fold;

use super::Context;
use super::format::{bytes, count, counted, span};
use super::segment_words as words;
use super::widgets::{gap, styled, width};

/// A word of an arrow: how much it matters (0 most), the text, its style.
type Word = (u8, String, Style);

/// A segment between the ends, in `room` columns, as was known at `now`.
pub(super) fn segment(
    context: &Context<'_>,
    arrow: &Arrow,
    now: Timestamp,
    room: usize,
    notes: bool,
) -> Vec<Span<'static>> {
    let theme = context.theme;
    let trouble = words::trouble(arrow, now);
    let warns = trouble.as_ref().is_some_and(|trouble| trouble.warns);
    let fate = arrow.fate(now);
    let bare = words::is_bare_ack(arrow);
    let kind =
        arrow.ack.filter(|_| bare).map_or_else(|| words::kind(arrow), |ack| format!("ACK {}", count(ack.into())));
    let mut all: Vec<Word> = vec![(0, kind, theme.strong)];
    if let Some(trouble) = &trouble {
        let style = if trouble.warns { theme.warning } else { theme.info };
        // What has no room in full, or a column of its own, is told in a word.
        let fits = 8 + width(&all[0].1) + width(&trouble.arrow) <= room;
        let text = if fits && !notes { &trouble.arrow } else { &trouble.short };
        all.push((1, text.clone(), style));
    }
    if !bare {
        let (own, ack) = words::numbers(arrow);
        all.extend(own.map(|own| (2, own, theme.text)));
        all.extend(ack.map(|ack| (3, ack, theme.text)));
    }
    all.extend(arrow.said.iter().map(|said| (2, said.clone(), theme.info)));
    all.extend(words::other_flags(arrow).map(|flags| (7, flags, theme.dim)));
    all.push((6, words::window(arrow), theme.dim));
    all.extend(words::options(arrow).map(|options| (5, options, theme.dim)));
    let line = match arrow.cause(now) {
        Some((Cause::DuplicateFrame | Cause::KeepAlive, _)) => '┈',
        Some((Cause::Reordered, _)) => '─',
        Some(_) => '╌',
        None if arrow.marks.has(Mark::Retransmission) => '╌',
        None if arrow.marks.has(Mark::DuplicateAck) => '┈',
        None => '─',
    };
    let style = if warns { theme.warning } else { theme.border };
    draw(context, all, room, Shape { from: Some(arrow.from), line, style, fate })
}

/// A run of plain segments.
pub(super) fn fold(context: &Context<'_>, fold: &Fold, took: std::time::Duration, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let mut all: Vec<Word> = Vec::new();
    if let Some(from) = fold.from {
        let (own, peer) = (from.index(), from.peer().index());
        let segments = |n: u64| format!("{} {}", count(n), if n == 1 { "segment" } else { "segments" });
        let sent = fold.data[own] > 0;
        all.push((
            0,
            if sent { segments(fold.data[own]) } else { format!("{} ACKs", count(fold.bare[own])) },
            theme.strong,
        ));
        if sent {
            all.push((1, bytes(fold.bytes[own]), theme.strong));
        }
        all.extend(
            fold.numbers.map(|(first, end)| (3, format!("{}–{}", count(first.into()), count(end.into())), theme.text)),
        );
        all.push((2, format!("in {}", span(took)), theme.dim));
        let acks = |n: u64| format!("{} back", counted(n, "ACK"));
        match (fold.bare[peer], fold.duplicates[peer]) {
            (0, _) => {}
            (bare, 0) => all.push((4, acks(bare), theme.dim)),
            (bare, duplicates) => {
                all.push((4, format!("{}, {duplicates} of them dup", acks(bare)), theme.dim));
            }
        }
    } else {
        let of_side = |side: Side, sign: &str| {
            let at = side.index();
            format!("{sign} {}, {}", count(fold.data[at] + fold.bare[at]), bytes(fold.bytes[at]))
        };
        let segments = format!("{} segments", count(fold.entries.len() as u64));
        let each = format!("{}  {}", of_side(Side::Orig, "→"), of_side(Side::Resp, "←"));
        // One way alone would be taken for all.
        let has_room = width(&segments) + 2 + width(&each) <= room.saturating_sub(SHAFT);
        let sums = if has_room { each } else { bytes(fold.bytes.iter().sum()) };
        all.push((0, segments, theme.strong));
        all.push((1, sums, theme.text));
        all.push((2, format!("in {}", span(took)), theme.dim));
    }
    draw(context, all, room, Shape { from: fold.from, line: '═', style: theme.border, fate: None })
}

/// A note at the side of one end.
pub(super) fn note(context: &Context<'_>, side: Side, text: &str, style: Style, room: usize) -> Vec<Span<'static>> {
    let inner = room.saturating_sub(4);
    let text = super::widgets::fit(text, inner).into_owned();
    let fill = inner - width(&text);
    let (left, right) = if side == Side::Orig { (0, fill) } else { (fill, 0) };
    let lifeline = || styled("│", context.theme.border);
    vec![lifeline(), gap(1 + left), styled(text, style), gap(1 + right), lifeline()]
}

/// Nothing for a while.
pub(super) fn pause(context: &Context<'_>, text: &str, room: usize) -> Vec<Span<'static>> {
    let inner = room.saturating_sub(2);
    let text = super::widgets::fit(text, inner).into_owned();
    let (before, after) = ((inner - width(&text)) / 2, (inner - width(&text)).div_ceil(2));
    let lifeline = || styled("┊", context.theme.border);
    vec![lifeline(), gap(before), styled(text, context.theme.dim), gap(after), lifeline()]
}

/// Columns of an arrow without words: two lifelines, a dash and a space before them, a space, a dash and a head behind.
const SHAFT: usize = 7;

/// How an arrow looks.
#[derive(Clone, Copy)]
struct Shape {
    /// `None`: both ways.
    from: Option<Side>,
    line: char,
    style: Style,
    fate: Option<Fate>,
}

/// The arrow from lifeline to lifeline, its words at its tail. One that was lost ends before its goal.
fn draw(context: &Context<'_>, all: Vec<Word>, room: usize, shape: Shape) -> Vec<Span<'static>> {
    let Shape { from, line, style, fate } = shape;
    let words = that_fit(all, room.saturating_sub(SHAFT));
    let used: usize = words.iter().map(|word| width(&word.content)).sum();
    let fill = room.saturating_sub(6 + used);
    let short = if fate == Some(Fate::Lost) { (fill / 3).clamp(2, (room / 4).max(2)).min(fill) } else { 0 };
    let dashes = |count: usize| styled(line.to_string().repeat(count), style);
    let lifeline = |text: &str| styled(text.to_owned(), context.theme.border);
    let head = match (fate, from) {
        (Some(Fate::Lost), _) => "✗",
        (Some(Fate::Unanswered(_)), _) => "?",
        (None, Some(Side::Resp)) => "◀",
        (None, _) => "▶",
    };
    let near = |tail: &str| lifeline(if from.is_none() { "│" } else { tail });
    let far = |goal: &str| lifeline(if short > 0 { "│" } else { goal });
    let mut spans: Vec<Span<'static>> = Vec::new();
    if from == Some(Side::Resp) {
        spans.extend([far("├"), gap(short), styled(head, style), dashes(fill - short), gap(1)]);
        spans.extend(words);
        spans.extend([gap(1), dashes(1), near("┤")]);
    } else {
        let tail = if from.is_none() { styled("◀", style) } else { dashes(1) };
        spans.extend([near("├"), tail, gap(1)]);
        spans.extend(words);
        spans.extend([gap(1), dashes(fill - short), styled(head, style), gap(short), far("┤")]);
    }
    spans
}

/// The words that have room, the more important ones first, in their order, two spaces between them.
fn that_fit(all: Vec<Word>, room: usize) -> Vec<Span<'static>> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| all[*at].0);
    let (mut kept, mut left) = (vec![false; all.len()], room + 2);
    for at in order {
        if let Some(rest) = left.checked_sub(width(&all[at].1) + 2) {
            (kept[at], left) = (true, rest);
        }
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    for ((_, text, style), _) in all.into_iter().zip(kept).filter(|(_, kept)| *kept) {
        if !spans.is_empty() {
            spans.push(gap(2));
        }
        spans.push(styled(text, style));
    }
    spans
}
