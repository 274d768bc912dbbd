//! What stands for each character beyond ASCII where a terminal has nothing else: one for one, so that columns stay.

/// The stand-in of a character of one column; `None` where there is none (letters of other scripts, pictures).
pub fn stand_in(c: char) -> Option<char> {
    Some(match c {
        ' '..='~' => c,
        '·' | '–' | '—' | '−' | '•' => '-',
        '…' => '*',
        '→' | '▸' | '▶' | '►' | '»' | '›' => '>',
        '←' | '◂' | '◀' | '◄' | '«' | '‹' | '≤' => '<',
        '↑' | '▲' | '△' => '^',
        '↓' | '▼' | '▽' => 'v',
        '↔' | '⇄' => '=',
        '‼' => 'X',
        '✓' => 'y',
        '✗' => 'n',
        '≠' => '#',
        '≥' => '>',
        '≈' => '~',
        '±' => '+',
        '×' => 'x',
        'µ' | 'μ' => 'u',
        '∞' => '8',
        '‖' => '|',
        '■' | '●' | '◆' => '#',
        '□' | '○' | '◇' => 'o',
        // Eighths of a column's height, lowest first.
        '▁' => '_',
        '▂' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        '▏' | '▎' | '▍' | '▕' => '|',
        '░' => '.',
        '▒' => ':',
        '\u{2580}'..='\u{259f}' => '#',
        '\u{2500}'..='\u{257f}' => of_line(c),
        '\u{2800}'..='\u{28ff}' => by_dots(c as u32 & 0xff),
        _ => return None,
    })
}

/// Of a line: what is neither level nor upright is a corner or a crossing.
const fn of_line(c: char) -> char {
    match c {
        '─' | '┄' | '┈' | '╌' | '╴' | '╶' | '╼' | '╾' => '-',
        '━' | '═' | '┅' | '┉' | '╍' | '╸' | '╺' => '=',
        '│' | '┃' | '║' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' | '╵' | '╷' | '╹' | '╻' | '╽' | '╿' => {
            '|'
        }
        '╱' => '/',
        '╲' => '\\',
        _ => '+',
    }
}

/// As high as a braille character's dots stand, where they are an area filled from below; else as dark as they are many.
const fn by_dots(dots: u32) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
    let (mut left, mut right, mut level) = (None, None, 0);
    while level < LEFT.len() {
        if dots & 0x47 == LEFT[level] {
            left = Some(level);
        }
        if dots & 0xb8 == RIGHT[level] {
            right = Some(level);
        }
        level += 1;
    }
    if let (Some(left), Some(right)) = (left, right) {
        return [' ', '.', ':', '+', '#'][if left > right { left } else { right }];
    }
    match dots.count_ones() {
        0 => ' ',
        1 => '.',
        2 => ':',
        3 | 4 => '-',
        5 | 6 => '+',
        _ => '#',
    }
}

/// `text` in ASCII: what has no stand-in is a question mark.
pub fn in_ascii(text: &str) -> String {
    text.chars().map(|c| stand_in(c).unwrap_or('?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_known_becomes_ascii() {
        for c in '\0'..=char::MAX {
            assert!(stand_in(c).is_none_or(|other| other.is_ascii_graphic() || other == ' '), "{c}");
        }
        assert_eq!(in_ascii("ESTAB ≠ ▁▂▃▄▅▆▇█ ╭─╮ ⣿⠁ 10.….5 日"), "ESTAB # _.:-=+*# +-+ #. 10.*.5 ?");
    }

    #[test]
    fn what_must_be_told_apart_still_is() {
        for group in ["▁▂▃▄▅▆▇█", " ⣀⣤⣶⣿", "‼!", "✓✗", "≠!·", "━─ ", "▲▼"] {
            let mut all: Vec<Option<char>> = group.chars().map(stand_in).collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), group.chars().count(), "{group}");
        }
    }
}
