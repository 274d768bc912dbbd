//! What charts are drawn with: blocks of eighths, and braille dots (two in a column, four in a line). No axes, no units.
//!
//! The lowest block or dot is 0 and nothing else, so that a small value is seen; what was not recorded stays empty.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub(super) const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// 0 for 0, else 1 to `top`, rounded up.
pub(super) fn level(value: u64, max: u64, top: usize) -> usize {
    let scaled = (u128::from(value) * top as u128).div_ceil(u128::from(max.max(1)));
    usize::try_from(scaled).unwrap_or(top).min(top)
}

/// Values in one line of blocks. The highest leaves a gap, so that lines one under the other do not run together.
pub(super) fn blocks(values: &[Option<u64>]) -> String {
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    values.iter().map(|value| value.map_or(' ', |value| LEVELS[level(value, most, LEVELS.len() - 2)])).collect()
}

/// Values as bars of blocks under `top`, top line first; with a gap above the highest where others stand above them.
pub(super) fn bars(values: &[Option<u64>], top: u64, height: usize, gap: bool) -> Vec<String> {
    let eighths = (height * LEVELS.len()).saturating_sub(usize::from(gap));
    let tall = |value: u64| if value == 0 { 1 } else { level(value, top, eighths).max(2) };
    let block = |value: &Option<u64>, row: usize| {
        let above = value.map_or(0, tall).saturating_sub(row * LEVELS.len()).min(LEVELS.len());
        above.checked_sub(1).map_or(' ', |at| LEVELS[at])
    };
    (0..height).rev().map(|row| values.iter().map(|value| block(value, row)).collect()).collect()
}

/// Values as an area of dots under `top`, top line first.
pub(super) fn area(values: &[Option<u64>], top: u64, height: usize) -> Vec<String> {
    let most = height * 4;
    let dots = |value: Option<u64>| match value {
        None => 0,
        Some(0) => 1,
        Some(value) => level(value, top, most).max(2.min(most)),
    };
    let pairs: Vec<(usize, usize)> = values.chunks(2).map(|pair| (dots(pair[0]), dots(pair[pair.len() - 1]))).collect();
    let row = |above: usize| {
        let cell = |(left, right): &(usize, usize)| braille(left.saturating_sub(above), right.saturating_sub(above));
        pairs.iter().map(cell).collect()
    };
    (0..height).rev().map(|line| row(line * 4)).collect()
}

/// The braille pattern of two columns of dots, each so high from below.
fn braille(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
    match LEFT[left.min(4)] | RIGHT[right.min(4)] {
        0 => ' ',
        dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
    }
}

/// Dots over an area of the screen, from its upper left corner.
pub(super) struct Dots {
    area: Rect,
    cells: Vec<(u8, Style)>,
}

impl Dots {
    pub(super) fn new(area: Rect) -> Self {
        Self { area, cells: vec![(0, Style::new()); usize::from(area.width) * usize::from(area.height)] }
    }

    /// How many dots stand side by side, and one below the other.
    pub(super) fn size(&self) -> (usize, usize) {
        (usize::from(self.area.width) * 2, usize::from(self.area.height) * 4)
    }

    pub(super) fn dot(&mut self, x: usize, y: usize, style: Style) {
        /// Unicode's order of the dots: down the left, down the right, then the two at the bottom.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (width, height) = self.size();
        if x < width && y < height {
            let cell = &mut self.cells[y / 4 * usize::from(self.area.width) + x / 2];
            *cell = (cell.0 | BITS[y % 4][x % 2], style);
        }
    }

    /// A line straight down (or up), both ends included.
    pub(super) fn upright(&mut self, x: usize, (from, to): (usize, usize), step: usize, style: Style) {
        (from.min(to)..=from.max(to)).filter(|y| y % step == 0).for_each(|y| self.dot(x, y, style));
    }

    /// A level line, both ends included; of every `step`th dot.
    pub(super) fn level(&mut self, (from, to): (usize, usize), y: usize, step: usize, style: Style) {
        (from..=to.max(from)).filter(|x| x % step == 0).for_each(|x| self.dot(x, y, style));
    }

    pub(super) fn draw(&self, buf: &mut Buffer) {
        for (cell, position) in self.cells.iter().zip(self.area.positions()) {
            if cell.0 > 0 {
                let symbol = char::from_u32(0x2800 + u32::from(cell.0)).unwrap_or(' ');
                buf[position].set_char(symbol).set_style(cell.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_nothing_and_zero_is_seen() {
        assert_eq!(bars(&[None, Some(0), Some(1), Some(8), Some(16)], 16, 2, true), ["    ▇", " ▁▂██"]);
        assert_eq!(bars(&[Some(16)], 16, 1, false), ["█"]);
        assert_eq!(area(&[None, Some(0), Some(1), Some(1_000)], 1_000, 1), ["⢀⣼"]);
        assert_eq!(area(&[Some(0), Some(1), Some(1_000), Some(500)], 1_000, 2), [" ⡇", "⣠⣿"]);
    }

    #[test]
    fn dots_stand_where_they_are_put() {
        let area = Rect::new(1, 0, 2, 1);
        let mut dots = Dots::new(area);
        dots.level((0, 3), 3, 1, Style::new());
        dots.upright(0, (3, 0), 1, Style::new());
        dots.dot(9, 9, Style::new());
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 1));
        dots.draw(&mut buf);
        assert_eq!(buf.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>(), " ⣇⣀");
        assert_eq!(dots.size(), (4, 4));
    }
}
