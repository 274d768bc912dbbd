//! Box drawing (U+2500–257F): which arms a character has, of what weight, and how they meet. Pure.

use super::{Glyph, HEIGHT, Rect, Stroke, WIDTH};

/// The weight of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    None,
    Light,
    Heavy,
    Double,
}

/// Arms from the centre: up, right, down, left; 0 none, 1 light, 2 heavy, 3 double. `----` is no set of arms (dashes,
/// rounded corners, diagonals). A row of sixteen characters a line, from U+2500.
const ARMS: &str = "\
0101 0202 1010 2020 ---- ---- ---- ---- ---- ---- ---- ---- 0110 0210 0120 0220 \
0011 0012 0021 0022 1100 1200 2100 2200 1001 1002 2001 2002 1110 1210 2110 1120 \
2120 2210 1220 2220 1011 1012 2011 1021 2021 2012 1022 2022 0111 0112 0211 0212 \
0121 0122 0221 0222 1101 1102 1201 1202 2101 2102 2201 2202 1111 1112 1211 1212 \
2111 1121 2121 2112 2211 1122 1221 2212 1222 2122 2221 2222 ---- ---- ---- ---- \
0303 3030 0310 0130 0330 0013 0031 0033 1300 3100 3300 1003 3001 3003 1310 3130 \
3330 1013 3031 3033 0313 0131 0333 1303 3101 3303 1313 3131 3333 ---- ---- ---- \
---- ---- ---- ---- 0001 1000 0100 0010 0002 2000 0200 0020 0201 1020 0102 2010";

/// Half the thickness of a light line, of a heavy one, and of the whole of a double one; units.
const LIGHT: i32 = 1;
const HEAVY: i32 = 3;
const DOUBLE: i32 = 4;

/// The geometry of a character of U+2500–257F.
pub(super) fn box_drawing(c: char) -> Glyph {
    let corner = |right, down| Glyph::Strokes(vec![Stroke::Corner { right, down }]);
    let diagonal = |rising| Stroke::Diagonal { rising };
    match c {
        '┄' | '┅' | '┆' | '┇' => Glyph::Rects(dashes(3, c)),
        '┈' | '┉' | '┊' | '┋' => Glyph::Rects(dashes(4, c)),
        '╌' | '╍' | '╎' | '╏' => Glyph::Rects(dashes(2, c)),
        '╭' => corner(true, true),
        '╮' => corner(false, true),
        '╯' => corner(false, false),
        '╰' => corner(true, false),
        '╱' => Glyph::Strokes(vec![diagonal(true)]),
        '╲' => Glyph::Strokes(vec![diagonal(false)]),
        '╳' => Glyph::Strokes(vec![diagonal(true), diagonal(false)]),
        _ => Glyph::Rects(arms(weights(c))),
    }
}

fn weights(c: char) -> [Weight; 4] {
    let start = (c as usize - 0x2500) * 5;
    let mut found = [Weight::None; 4];
    for (weight, digit) in found.iter_mut().zip(ARMS.as_bytes()[start..].iter()) {
        *weight = match digit {
            b'1' => Weight::Light,
            b'2' => Weight::Heavy,
            b'3' => Weight::Double,
            _ => Weight::None,
        };
    }
    found
}

/// `count` dashes along the cell; the code point's low bits say heavy (odd) and upright (2 or 3 of 4).
fn dashes(count: i32, c: char) -> Vec<Rect> {
    let code = c as u32;
    let half = if code % 2 == 1 { HEAVY } else { LIGHT };
    let upright = code & 2 != 0;
    let length = if upright { HEIGHT } else { WIDTH };
    let edge = |n: i32| length * n / count;
    let gap = (length / count / 3).max(2);
    (0..count)
        .map(|n| {
            let (from, to) = (edge(n) + gap / 2, edge(n + 1) - (gap - gap / 2));
            if upright {
                Rect::spanning(WIDTH / 2 - half, from, WIDTH / 2 + half, to)
            } else {
                Rect::spanning(from, HEIGHT / 2 - half, to, HEIGHT / 2 + half)
            }
        })
        .collect()
}

/// The rectangles of four arms. Each is worked out as if it pointed right from the centre, with the arms before and
/// after it (counter-clockwise and clockwise) as "above" and "below", then turned into place.
fn arms(weights: [Weight; 4]) -> Vec<Rect> {
    let mut rects = Vec::new();
    // Left before right, so that level lines continue from cell to cell and can be drawn as one.
    for direction in [3, 1, 0, 2] {
        let weight = weights[direction];
        let above = weights[(direction + 3) % 4];
        let opposite = weights[(direction + 2) % 4];
        let below = weights[(direction + 1) % 4];
        match weight {
            Weight::None => {}
            Weight::Light | Weight::Heavy => {
                let half = if weight == Weight::Light { LIGHT } else { HEAVY };
                let start = single_start(above, opposite, below);
                rects.push(turned(direction, start, -half, half));
            }
            Weight::Double => {
                let inner = DOUBLE - 2 * LIGHT;
                rects.push(turned(direction, double_start(above, opposite, below), -DOUBLE, -inner));
                rects.push(turned(direction, double_start(below, opposite, above), inner, DOUBLE));
            }
        }
    }
    rects
}

/// Where a single line begins, along its direction from the centre: it covers the lines that it meets, stops at the
/// near side of a double line that passes by, and reaches the far side of one that turns into it.
fn single_start(above: Weight, opposite: Weight, below: Weight) -> i32 {
    match (above, below) {
        (Weight::Double, Weight::Double) if opposite == Weight::None => DOUBLE - 2 * LIGHT,
        (Weight::Double, Weight::None) | (Weight::None, Weight::Double) if opposite == Weight::None => -DOUBLE,
        _ => -half(above).max(half(below)),
    }
}

/// Where the line of a double arm begins that lies on the side of `near`, with `far` on the other.
fn double_start(near: Weight, opposite: Weight, far: Weight) -> i32 {
    match (near, far) {
        (Weight::Double, _) => DOUBLE - 2 * LIGHT,
        (Weight::None, Weight::Double) if opposite == Weight::None => -DOUBLE,
        (Weight::None, Weight::Double) => 0,
        _ => -half(near).max(half(far)),
    }
}

const fn half(weight: Weight) -> i32 {
    match weight {
        Weight::None | Weight::Double => 0,
        Weight::Light => LIGHT,
        Weight::Heavy => HEAVY,
    }
}

/// The rectangle from `start` to the cell's edge along `direction` (0 up, 1 right, 2 down, 3 left), between `side0`
/// and `side1` clockwise across it.
fn turned(direction: usize, start: i32, side0: i32, side1: i32) -> Rect {
    let (cx, cy) = (WIDTH / 2, HEIGHT / 2);
    match direction {
        0 => Rect::spanning(cx + side0, 0, cx + side1, cy - start),
        1 => Rect::spanning(cx + start, cy + side0, WIDTH, cy + side1),
        2 => Rect::spanning(cx - side1, cy + start, cx - side0, HEIGHT),
        _ => Rect::spanning(0, cy - side1, cx - start, cy - side0),
    }
}
