//! Above the list of handshakes: outcomes, latency and who fails beside each other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Context;
use super::format::watched;
use super::handshakes::{self, begun, begun_history, completed, failing, failures, histogram, latency, waiting};
use super::widgets::{pane, put_all, styled, title};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.handshakes);
    if data.latency.is_none() && data.failing.is_empty() {
        return handshakes::draw(context, false, area, buf);
    }
    let [outcomes, latencies, failures] = columns(area);
    let window = format!("last {}", watched(data.window));
    let inner = pane(buf, outcomes, title("Outcomes", &window, theme), false, theme);
    put_all(buf, inner, &outcome_lines(context, usize::from(inner.width), usize::from(inner.height)));
    let inner = pane(buf, latencies, title("Latency", "SYN to ACK", theme), false, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = latency(data, room, theme);
    match lines.is_empty() {
        true => lines.push(Line::from(styled(format!("none completed in the {window}"), theme.dim))),
        false => lines.extend(histogram(data, room, height.saturating_sub(2), theme)),
    }
    put_all(buf, inner, &lines);
    if !failures.is_empty() {
        let inner = pane(buf, failures, title("Failing", &window, theme), false, theme);
        let lines = match data.failing.is_empty() {
            true => vec![Line::from(styled(format!("none in the {window}"), theme.dim))],
            false => failing(context, &data.failing, usize::from(inner.width)).split_off(1),
        };
        put_all(buf, inner, &lines);
    }
}

/// Three beside each other, or two where there is no room for a third.
fn columns(area: Rect) -> [Rect; 3] {
    let width = area.width;
    let shares = if width < 110 { [width / 2, width - width / 2, 0] } else { [width * 7 / 20, width * 3 / 10, 0] };
    let shares = [shares[0], shares[1], width - shares[0] - shares[1]];
    let mut x = area.x;
    shares.map(|share| {
        let column = Rect { x, width: share, ..area };
        x += share;
        column
    })
}

fn outcome_lines(context: &Context<'_>, room: usize, height: usize) -> Vec<Line<'static>> {
    let (theme, data) = (context.theme, &context.dashboard.handshakes);
    let mut lines = failures(data, room, theme);
    lines.push(completed(data, room, theme));
    lines.extend(waiting(data, room, theme));
    lines.push(begun(data, room, theme));
    let spare = height.saturating_sub(lines.len());
    lines.extend(begun_history(context, data, room, spare.min(8)));
    lines
}
