//! What stands under every picture: what it shows, of when, what was lost and which program drew it.
//!
//! Never the wall clock: the same capture gives the same picture.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::base::{Timestamp, in_ascii, scrub};
use crate::engine::{Dashboard, Loss};

use super::units;

/// The footer's facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Footer {
    /// The file's name or the interfaces.
    pub source: String,
    /// The first and the last instant that the picture knows of.
    pub window: Option<(Timestamp, Timestamp)>,
    /// What the source lost; `None` before it said anything.
    pub loss: Option<Loss>,
    /// Nothing beyond ASCII.
    pub ascii: bool,
}

impl Footer {
    /// Of a dashboard drawn from `source`.
    pub fn of(source: &str, dashboard: &Dashboard) -> Self {
        Self { source: scrub(source), window: dashboard.since.zip(dashboard.now), loss: dashboard.loss, ascii: false }
    }

    /// The same with nothing beyond ASCII.
    #[must_use]
    pub fn in_ascii(self) -> Self {
        Self { ascii: true, ..self }
    }

    /// `buffer` with the footer's lines under it, in a buffer whose origin is 0, 0.
    pub(super) fn under(&self, buffer: &Buffer) -> Buffer {
        let lines = self.lines(usize::from(buffer.area.width));
        let added = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let area = Rect::new(0, 0, buffer.area.width, buffer.area.height.saturating_add(added));
        let mut framed = Buffer::empty(area);
        for y in 0..buffer.area.height {
            for x in 0..buffer.area.width {
                framed[(x, y)] = buffer[(buffer.area.left() + x, buffer.area.top() + y)].clone();
            }
        }
        let style = Style::new().add_modifier(Modifier::DIM);
        for (y, line) in (buffer.area.height..area.height).zip(&lines) {
            framed.set_stringn(1, y, line, usize::from(area.width.saturating_sub(1)), style);
        }
        framed
    }

    /// Its facts, as many on a line as fit in `width` columns with a margin of one.
    fn lines(&self, width: usize) -> Vec<String> {
        let facts = [
            format!("sockscope {}", env!("CARGO_PKG_VERSION")),
            self.source.clone(),
            self.window.map_or_else(|| "no time seen".to_owned(), |(from, to)| units::utc_span(from, to)),
            format!("lost: {}", self.loss.map_or_else(|| "not told".to_owned(), |loss| units::losses(&loss))),
        ];
        let mut lines: Vec<String> = Vec::new();
        for fact in facts {
            match lines.last_mut() {
                Some(line) if line.width() + 3 + fact.width() + 2 <= width => {
                    line.push_str(" · ");
                    line.push_str(&fact);
                }
                _ => lines.push(fact),
            }
        }
        if self.ascii { lines.iter().map(|line| in_ascii(line)).collect() } else { lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::FrameCounts;

    fn footer() -> Footer {
        let at = |secs: i64| Timestamp::from_secs_nanos(1_763_733_600 + secs, 250_000_000);
        let loss = Loss { ts: at(9), kernel: Some(3), interface: None, ours: 12_345, frames: FrameCounts::default() };
        Footer { source: "edge.pcap".to_owned(), window: Some((at(0), at(70))), loss: Some(loss), ascii: false }
    }

    #[test]
    fn says_source_window_losses_and_version() {
        let text = footer().lines(160).join("\n");
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            text,
            format!(
                "sockscope {version} · edge.pcap · 2025-11-21 14:00:00.250 – 14:01:10.250 UTC · lost: kernel 3, \
                 interface not recorded, ours 12,345, undecoded 0"
            )
        );
    }

    #[test]
    fn wraps_between_facts_and_stands_under_the_screen() {
        let screen = Buffer::with_lines(["screen"; 2]);
        let wide = Buffer::empty(Rect::new(5, 7, 80, 2));
        assert_eq!(footer().under(&wide).area, Rect::new(0, 0, 80, 4));
        let framed = footer().under(&screen);
        assert_eq!(framed[(0, 1)].symbol(), "s");
        assert_eq!(framed[(1, 2)].symbol(), "s", "sockscope, cut to the screen's width");
        assert_eq!(framed.area.height, 2 + 4);
    }
}
