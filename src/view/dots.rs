//! A field of braille dots, two in a column and four in a line, each cell with the style of what was last drawn in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

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
