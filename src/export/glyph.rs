//! Characters drawn as geometry: box drawing, block elements, braille, and the box for what the font lacks.
//!
//! Pure arithmetic on a grid of [`WIDTH`] × [`HEIGHT`] units a cell (half pixels of the picture), in which every edge
//! is a whole number: lines of neighbouring cells join, and nothing is blurred. Fonts draw these characters to their
//! own metrics, or (braille, in every common monospace font) not at all. Read first: the Unicode charts of
//! U+2500, U+2580 and U+2800.

mod lines;

/// A cell's width in units.
pub(super) const WIDTH: i32 = 18;
/// A cell's height in units.
pub(super) const HEIGHT: i32 = 40;

/// A filled rectangle in units, from the cell's top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    const fn spanning(x0: i32, y0: i32, x1: i32, y1: i32) -> Self {
        Self { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }
    }
}

/// What a character looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Glyph {
    /// Filled in the foreground colour.
    Rects(Vec<Rect>),
    /// The whole cell, this many percent of the way from background to foreground.
    Shade(u8),
    /// Lines of the light weight: each the data of an SVG path whose origin is the cell's corner.
    Strokes(Vec<Stroke>),
}

/// A line that is not upright: a rounded corner or a diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    /// From the middle of one upright edge to the middle of one level edge, with the corner rounded:
    /// whether it goes right (else left), and down (else up).
    Corner { right: bool, down: bool },
    /// From the bottom left to the top right (`rising`), or from the top left to the bottom right.
    Diagonal { rising: bool },
}

/// The geometry of `c`, if it is one of those drawn.
pub(super) fn geometry(c: char) -> Option<Glyph> {
    match c {
        '\u{2500}'..='\u{257f}' => Some(lines::box_drawing(c)),
        '\u{2580}'..='\u{259f}' => Some(block(c)),
        '\u{2800}'..='\u{28ff}' => Some(Glyph::Rects(braille(c))),
        _ => None,
    }
}

/// The open box (□) that stands for a character the font lacks, over `cells` cells.
pub(super) fn missing(cells: u16) -> Vec<Rect> {
    let (x0, y0, x1, y1) = (3, 8, WIDTH * i32::from(cells.max(1)) - 3, 32);
    vec![
        Rect::spanning(x0, y0, x1, y0 + 2),
        Rect::spanning(x0, y1 - 2, x1, y1),
        Rect::spanning(x0, y0 + 2, x0 + 2, y1 - 2),
        Rect::spanning(x1 - 2, y0 + 2, x1, y1 - 2),
    ]
}

fn block(c: char) -> Glyph {
    let eighths_up = |n: i32| HEIGHT * n / 8;
    let eighths_across = |n: i32| (WIDTH * n + 4) / 8;
    let code = c as i32;
    Glyph::Rects(match c {
        '▀' => vec![Rect::spanning(0, 0, WIDTH, HEIGHT / 2)],
        '▁'..='█' => vec![Rect::spanning(0, HEIGHT - eighths_up(code - 0x2580), WIDTH, HEIGHT)],
        '▉'..='▏' => vec![Rect::spanning(0, 0, eighths_across(0x2590 - code), HEIGHT)],
        '▐' => vec![Rect::spanning(WIDTH / 2, 0, WIDTH, HEIGHT)],
        '░' => return Glyph::Shade(25),
        '▒' => return Glyph::Shade(50),
        '▓' => return Glyph::Shade(75),
        '▔' => vec![Rect::spanning(0, 0, WIDTH, eighths_up(1))],
        '▕' => vec![Rect::spanning(WIDTH - eighths_across(1), 0, WIDTH, HEIGHT)],
        _ => quadrants(c),
    })
}

fn quadrants(c: char) -> Vec<Rect> {
    // Upper left, upper right, lower left, lower right.
    let which = match c {
        '▖' => [false, false, true, false],
        '▗' => [false, false, false, true],
        '▘' => [true, false, false, false],
        '▙' => [true, false, true, true],
        '▚' => [true, false, false, true],
        '▛' => [true, true, true, false],
        '▜' => [true, true, false, true],
        '▝' => [false, true, false, false],
        '▞' => [false, true, true, false],
        _ => [false, true, true, true],
    };
    let (w, h) = (WIDTH / 2, HEIGHT / 2);
    let corners = [(0, 0), (w, 0), (0, h), (w, h)];
    corners.into_iter().zip(which).filter(|(_, on)| *on).map(|((x, y), _)| Rect { x, y, w, h }).collect()
}

/// The dots of a braille pattern: bits 0–2 and 6 down the left column, 3–5 and 7 down the right.
fn braille(c: char) -> Vec<Rect> {
    const DOT: i32 = 5;
    const PLACES: [(i32, i32); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    let bits = c as u32 - 0x2800;
    let on = PLACES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    on.map(|(_, (column, row))| Rect { x: 2 + 9 * column, y: 3 + 10 * row, w: DOT, h: DOT }).collect()
}

#[cfg(test)]
mod tests;
