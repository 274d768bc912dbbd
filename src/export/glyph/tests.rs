use super::*;

/// The cell as rows of `#` and `.`, for the characters that are rectangles.
fn grid(c: char) -> Vec<Vec<bool>> {
    let Some(Glyph::Rects(rects)) = geometry(c) else { panic!("{c} is not rectangles") };
    let mut cells = vec![vec![false; WIDTH as usize]; HEIGHT as usize];
    for Rect { x, y, w, h } in rects {
        assert!(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= WIDTH && y + h <= HEIGHT, "{c}: {x},{y} {w}x{h}");
        for row in &mut cells[y as usize..(y + h) as usize] {
            row[x as usize..(x + w) as usize].fill(true);
        }
    }
    cells
}

/// What a cell shows at its four edges: the profile that a neighbour must meet. Up, right, down, left.
fn edges(c: char) -> [Vec<bool>; 4] {
    let grid = grid(c);
    let column = |x: usize| grid.iter().map(|row| row[x]).collect();
    [grid[0].clone(), column(WIDTH as usize - 1), grid[HEIGHT as usize - 1].clone(), column(0)]
}

fn runs(edge: &[bool]) -> usize {
    edge.split(|on| !on).filter(|run| !run.is_empty()).count()
}

#[test]
fn every_character_of_the_three_blocks_is_drawn() {
    for code in (0x2500..=0x259f).chain(0x2800..=0x28ff) {
        let c = char::from_u32(code).unwrap();
        let drawn = match geometry(c).unwrap() {
            Glyph::Rects(rects) => !rects.is_empty(),
            Glyph::Strokes(strokes) => !strokes.is_empty(),
            Glyph::Shade(percent) => percent > 0,
        };
        assert!(drawn || c == '\u{2800}', "{c} (U+{code:04X}) draws nothing");
    }
    for c in ['a', '\u{24ff}', '\u{25a0}', '\u{27ff}', '\u{2900}'] {
        assert_eq!(geometry(c), None);
    }
}

#[test]
fn arms_reach_the_edges_that_their_names_say() {
    for (c, expected) in [
        ('─', [0, 1, 0, 1]),
        ('│', [1, 0, 1, 0]),
        ('┼', [1, 1, 1, 1]),
        ('├', [1, 1, 1, 0]),
        ('┬', [0, 1, 1, 1]),
        ('┗', [1, 1, 0, 0]),
        ('╢', [2, 0, 2, 1]),
        ('╤', [0, 2, 1, 2]),
        ('╬', [2, 2, 2, 2]),
        ('╘', [1, 2, 0, 0]),
        ('╸', [0, 0, 0, 1]),
        ('╽', [1, 0, 1, 0]),
    ] {
        assert_eq!(edges(c).map(|edge| runs(&edge)), expected, "{c}");
    }
}

#[test]
fn neighbours_join() {
    let (level, upright, double) = (edges('─'), edges('│'), edges('═'));
    for c in ['┐', '┘', '┤', '┬', '┴', '┼', '╴', '╖', '╜'] {
        assert_eq!(edges(c)[3], level[1], "─{c}");
    }
    for c in ['└', '┘', '├', '┴', '┼', '╵', '╛', '╘'] {
        assert_eq!(edges(c)[0], upright[2], "│ above {c}");
    }
    for c in ['╗', '╝', '╣', '╦', '╩', '╬', '╕', '╛'] {
        assert_eq!(edges(c)[3], double[1], "═{c}");
    }
}

#[test]
fn every_line_is_one_piece_and_double_corners_keep_their_gap() {
    for c in ['┌', '┼', '┏', '╋', '╔', '╗', '╚', '╝', '╠', '╦', '╬', '╒', '╓', '╕', '╡', '╤', '╪', '╫', '╟', '╿', '┡']
    {
        let pieces = pieces(&grid(c));
        let expected = match c {
            '╔' | '╗' | '╚' | '╝' => 2,
            '╠' | '╦' => 3,
            '╬' => 4,
            '╪' | '╫' | '╒' | '╓' | '╕' | '╡' => 1,
            '╤' | '╟' => 2,
            _ => 1,
        };
        assert_eq!(pieces, expected, "{c}");
    }
}

fn pieces(grid: &[Vec<bool>]) -> usize {
    let mut left = grid.to_vec();
    let mut count = 0;
    while let Some((y, x)) = (0..left.len()).find_map(|y| left[y].iter().position(|on| *on).map(|x| (y, x))) {
        count += 1;
        let mut stack = vec![(y, x)];
        while let Some((y, x)) = stack.pop() {
            if left.get(y).and_then(|row| row.get(x)) != Some(&true) {
                continue;
            }
            left[y][x] = false;
            stack.extend([(y + 1, x), (y.wrapping_sub(1), x), (y, x + 1), (y, x.wrapping_sub(1))]);
        }
    }
    count
}

#[test]
fn blocks_fill_their_share() {
    let share = |c| grid(c).iter().flatten().filter(|on| **on).count();
    let all = (WIDTH * HEIGHT) as usize;
    for (n, c) in "▁▂▃▄▅▆▇█".chars().enumerate() {
        assert_eq!(share(c), all * (n + 1) / 8, "{c}");
    }
    let across: Vec<usize> = "▏▎▍▌▋▊▉█".chars().map(share).collect();
    assert!(across.windows(2).all(|pair| pair[0] < pair[1]), "{across:?}");
    for (c, quarters) in [('▖', 1), ('▙', 3), ('▚', 2), ('▟', 3), ('▀', 2), ('▐', 2)] {
        assert_eq!(share(c), all * quarters / 4, "{c}");
    }
    assert_eq!(geometry('▒'), Some(Glyph::Shade(50)));
}

#[test]
fn braille_has_a_dot_for_each_bit_in_its_place() {
    for bit in 0..8 {
        let c = char::from_u32(0x2800 + (1 << bit)).unwrap();
        let Some(Glyph::Rects(dots)) = geometry(c) else { panic!() };
        assert_eq!(dots.len(), 1);
        let place = (dots[0].x / 9, dots[0].y / 10);
        let expected = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)][bit];
        assert_eq!(place, expected, "dot {}", bit + 1);
    }
    assert_eq!(geometry('⣿').map(|g| matches!(g, Glyph::Rects(r) if r.len() == 8)), Some(true));
}
