//! What is told of the entry under the cursor of a ladder or graph.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{Arrow, Entry, EntryKind};
use crate::flow::Side;

use super::format::{bytes, clock_ms, count};
use super::ladder::{known_by, time};
use super::widgets::{gap, put_all, styled, width};
use super::{Context, segment_words};

/// Draws it, in as many lines as there are.
pub(super) fn draw(context: &Context<'_>, entries: &[Entry], cursor: usize, area: Rect, buf: &mut Buffer) {
    let Some(entry) = entries.get(cursor) else { return };
    let theme = context.theme;
    let when =
        format!("{} s  {}", time(context, entries, cursor).trim_start_matches('+'), clock_ms(entry.at, &theme.zone));
    let EntryKind::Segment(arrow) = &entry.what else {
        let line =
            Line::from(vec![styled(when, theme.dim), gap(2), styled("no segment: what else happened", theme.dim)]);
        return put_all(buf, area, &[line]);
    };
    let way = if arrow.from == Side::Orig { "orig → resp" } else { "resp → orig" };
    let mut parts = vec![(format!("#{}", count(arrow.number)), theme.strong), (way.to_owned(), theme.text)];
    parts.push((segment_words::kind(arrow), theme.strong));
    let known = known_by(context, entries);
    if let Some(trouble) = segment_words::trouble(arrow, known) {
        parts.push((trouble.full, if trouble.warns { theme.warning } else { theme.info }));
    }
    let marks: Vec<&str> = arrow.marks.iter().map(crate::flow::Mark::words).collect();
    if !marks.is_empty() {
        parts.push((format!("Wireshark: {}", marks.join(", ")), theme.dim));
    }
    let (own, ack) = segment_words::numbers(arrow);
    let numbers = own.into_iter().chain(ack).chain([segment_words::window(arrow)]);
    let mut rest: Vec<(String, ratatui::style::Style)> = numbers.map(|words| (words, theme.text)).collect();
    rest.extend(segment_words::other_flags(arrow).map(|flags| (flags, theme.text)));
    rest.extend(segment_words::options(arrow).map(|options| (options, theme.text)));
    rest.extend(segment_words::round_trip(arrow).map(|rtt| (rtt, theme.text)));
    rest.extend(entry.in_flight[arrow.from.index()].map(|n| (format!("in flight {}", bytes(n.into())), theme.text)));
    rest.push((when, theme.dim));
    rest.extend(raw(arrow).into_iter().map(|raw| (raw, theme.dim)));
    parts.extend(rest);
    put_all(buf, area, &packed(parts, usize::from(area.width), usize::from(area.height)));
}

/// What stood on the wire, as it stood there.
fn raw(arrow: &Arrow) -> Vec<String> {
    let segment = &arrow.segment;
    let stamps = segment.options.timestamps().map(|(value, echo)| format!("tsval {value} tsecr {echo}"));
    let through = segment.tunnel.map(|tunnel| tunnel.to_string());
    let vlan = segment.vlan.map(|id| format!("VLAN {}", id.number()));
    let raw = format!("raw seq {} ack {} win {}", segment.seq.0, segment.ack.0, segment.window);
    let frame = format!("frame {} B  ttl {}", count(segment.frame_len.into()), segment.ttl);
    [Some(raw), stamps, Some(frame), vlan, through].into_iter().flatten().collect()
}

/// The parts one behind the other in at most `height` lines; what has no room is left out from the end.
fn packed(parts: Vec<(String, ratatui::style::Style)>, room: usize, height: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Vec<Span<'static>>> = vec![Vec::new()];
    let mut used = 0;
    for (text, style) in parts.into_iter().filter(|(text, _)| !text.is_empty()) {
        let wide = width(&text);
        if used > 0 && used + 2 + wide > room {
            if lines.len() == height {
                break;
            }
            lines.push(Vec::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(gap(2));
                used += 2;
            }
            line.push(styled(text, style));
            used += wide;
        }
    }
    lines.into_iter().map(Line::from).collect()
}
