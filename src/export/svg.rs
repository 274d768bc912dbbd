//! A `Buffer` as SVG: our own cell renderer.
//!
//! The picture is measured in half pixels (see [`glyph`]), so that its edges are whole numbers at the PNG's scale. A
//! row is drawn as backgrounds, then geometry, then text; every character of a run has its own `x`, so that no font
//! can make the columns drift. Read first: SVG 1.1 §10.4 (the `x` list of `<text>`).

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

use super::font::{FAMILY, Face};
use super::glyph::{self, Glyph, HEIGHT, Rect, Stroke, WIDTH};
use super::palette::Palette;
use super::text;
use crate::base::Rgb;

/// Units from a row's top to its baseline, for the font size below: the line is 1.164 em high, 0.928 above.
const BASELINE: i32 = 30;
const FONT_SIZE: i32 = 30;

/// The picture of `buffer`, complete in itself.
pub(super) fn draw(buffer: &Buffer, palette: &Palette) -> String {
    let (columns, rows) = (i32::from(buffer.area.width), i32::from(buffer.area.height));
    let (width, height) = (columns * WIDTH, rows * HEIGHT);
    let mut svg = String::new();
    line(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\">",
            width / 2,
            height / 2
        ),
    );
    line(&mut svg, format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>", palette.background));
    line(
        &mut svg,
        format_args!("<g font-family=\"'{FAMILY}', monospace\" font-size=\"{FONT_SIZE}\" xml:space=\"preserve\">"),
    );
    for (row, y) in (buffer.area.top()..buffer.area.bottom()).enumerate() {
        let mut layers = Layers::default();
        for (column, cells, symbol) in text::symbols(buffer, y) {
            let paint = Paint::of(&buffer[(buffer.area.left() + column, y)], palette);
            layers.cell(i32::from(column) * WIDTH, cells, symbol, paint, palette);
        }
        layers.write(&mut svg, i32::try_from(row).unwrap_or(i32::MAX).saturating_mul(HEIGHT));
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Writing to a `String` cannot fail.
fn line(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = svg.write_fmt(arguments);
    svg.push('\n');
}

/// How a cell is painted, with the theme and reverse video worked in.
#[derive(Debug, Clone, Copy)]
struct Paint {
    fg: Rgb,
    bg: Rgb,
    face: Face,
    underlined: Option<Rgb>,
    crossed_out: bool,
    hidden: bool,
}

impl Paint {
    fn of(cell: &Cell, palette: &Palette) -> Self {
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut fg, mut bg) = (palette.foreground_of(cell.fg), palette.background_of(cell.bg));
        if has(Modifier::REVERSED) {
            std::mem::swap(&mut fg, &mut bg);
        }
        if has(Modifier::DIM) {
            fg = fg.mix(bg, 40);
        }
        let line = if cell.underline_color == ratatui::style::Color::Reset {
            fg
        } else {
            palette.foreground_of(cell.underline_color)
        };
        Self {
            fg,
            bg,
            face: Face { bold: has(Modifier::BOLD), oblique: has(Modifier::ITALIC) },
            underlined: has(Modifier::UNDERLINED).then_some(line),
            crossed_out: has(Modifier::CROSSED_OUT),
            hidden: has(Modifier::HIDDEN),
        }
    }
}

/// A stretch of characters of one face and colour, each with its `x`.
#[derive(Debug)]
struct Run {
    fg: Rgb,
    face: Face,
    xs: Vec<i32>,
    text: String,
}

/// One row, by what is painted over what.
#[derive(Debug, Default)]
struct Layers {
    backgrounds: BTreeMap<Rgb, Vec<Rect>>,
    shapes: BTreeMap<Rgb, Vec<Rect>>,
    strokes: BTreeMap<Rgb, Vec<(i32, Stroke)>>,
    runs: Vec<Run>,
}

impl Layers {
    fn cell(&mut self, x: i32, cells: u16, symbol: &str, paint: Paint, palette: &Palette) {
        let width = WIDTH * i32::from(cells);
        let all = Rect { x, y: 0, w: width, h: HEIGHT };
        if paint.bg != palette.background {
            push(&mut self.backgrounds, paint.bg, all);
        }
        if paint.hidden {
            return;
        }
        if let Some(color) = paint.underlined {
            push(&mut self.shapes, color, Rect { y: 34, h: 2, ..all });
        }
        if paint.crossed_out {
            push(&mut self.shapes, paint.fg, Rect { y: 20, h: 2, ..all });
        }
        let mut characters = symbol.chars();
        match (characters.next().and_then(glyph::geometry), characters.next()) {
            (Some(Glyph::Rects(rects)), None) => self.rects(x, paint.fg, &rects),
            (Some(Glyph::Shade(percent)), None) => push(&mut self.shapes, paint.bg.mix(paint.fg, percent), all),
            (Some(Glyph::Strokes(strokes)), None) => {
                let row = self.strokes.entry(paint.fg).or_default();
                row.extend(strokes.into_iter().map(|stroke| (x, stroke)));
            }
            _ if symbol.trim().is_empty() => self.blank(x),
            _ if paint.face.draws(symbol) => self.text(x, symbol, paint),
            _ => self.rects(x, paint.fg, &glyph::missing(cells)),
        }
    }

    fn rects(&mut self, x: i32, fg: Rgb, rects: &[Rect]) {
        for rect in rects {
            push(&mut self.shapes, fg, Rect { x: rect.x + x, ..*rect });
        }
    }

    /// A blank keeps a run together, so that the text of a picture can be searched and copied.
    fn blank(&mut self, x: i32) {
        if let Some(run) = self.runs.last_mut().filter(|run| run.xs.last() == Some(&(x - WIDTH))) {
            run.xs.push(x);
            run.text.push(' ');
        }
    }

    fn text(&mut self, x: i32, symbol: &str, paint: Paint) {
        let single = symbol.chars().nth(1).is_none();
        let fits = |run: &&mut Run| {
            single && run.fg == paint.fg && run.face == paint.face && run.xs.len() == run.text.chars().count()
        };
        if let Some(run) = self.runs.last_mut().filter(fits) {
            run.xs.push(x);
            run.text.push_str(symbol);
        } else {
            self.runs.push(Run { fg: paint.fg, face: paint.face, xs: vec![x], text: symbol.to_owned() });
        }
    }

    fn write(&self, svg: &mut String, top: i32) {
        for (color, rects) in self.backgrounds.iter().chain(&self.shapes) {
            line(
                svg,
                format_args!("<path shape-rendering=\"crispEdges\" fill=\"{color}\" d=\"{}\"/>", outline(rects, top)),
            );
        }
        for (color, strokes) in &self.strokes {
            let data: String = strokes.iter().map(|(x, stroke)| stroke_data(*x, top, *stroke)).collect();
            line(svg, format_args!("<path fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" d=\"{data}\"/>"));
        }
        for run in &self.runs {
            run.write(svg, top + BASELINE);
        }
    }
}

/// Adds `rect`, joined to one that it continues to the right: fewer seams, smaller files.
fn push(layer: &mut BTreeMap<Rgb, Vec<Rect>>, color: Rgb, rect: Rect) {
    let rects = layer.entry(color).or_default();
    let continued =
        rects.iter_mut().rev().take(4).find(|last| last.x + last.w == rect.x && last.y == rect.y && last.h == rect.h);
    match continued {
        Some(last) => last.w += rect.w,
        None => rects.push(rect),
    }
}

fn outline(rects: &[Rect], top: i32) -> String {
    rects.iter().map(|Rect { x, y, w, h }| format!("M{x} {}h{w}v{h}h-{w}z", y + top)).collect()
}

fn stroke_data(x: i32, top: i32, stroke: Stroke) -> String {
    let (cx, cy) = (x + WIDTH / 2, top + HEIGHT / 2);
    match stroke {
        Stroke::Corner { right, down } => {
            let (edge, toward) = if down { (top + HEIGHT, cy + 9) } else { (top, cy - 9) };
            let side = if right { x + WIDTH } else { x };
            format!("M{cx} {edge}V{toward}Q{cx} {cy} {side} {cy}")
        }
        Stroke::Diagonal { rising: true } => format!("M{x} {}L{} {top}", top + HEIGHT, x + WIDTH),
        Stroke::Diagonal { rising: false } => format!("M{x} {top}L{} {}", x + WIDTH, top + HEIGHT),
    }
}

impl Run {
    fn write(&self, svg: &mut String, baseline: i32) {
        let text = self.text.trim_end();
        // A cluster of several characters stands alone, at one x; trimmed blanks take their positions with them.
        let count = if self.xs.len() == 1 { 1 } else { text.chars().count() };
        let xs: Vec<String> = self.xs.iter().take(count).map(ToString::to_string).collect();
        let weight = if self.face.bold { " font-weight=\"bold\"" } else { "" };
        let slant = if self.face.oblique { " font-style=\"oblique\"" } else { "" };
        line(
            svg,
            format_args!(
                "<text x=\"{}\" y=\"{baseline}\" fill=\"{}\"{weight}{slant}>{}</text>",
                xs.join(" "),
                self.fg,
                escaped(text)
            ),
        );
    }
}

/// Text that XML may hold as it is: what the font lacks (control characters among it) never comes here.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(c),
        }
    }
    safe
}
