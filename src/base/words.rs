//! The words of a text, for whoever breaks it into lines: a number and its unit are one.

/// What may stand behind a number and its space.
const UNITS: [&str; 18] = [
    "µs", "ms", "s", "min", "h", "d", "B", "kB", "MB", "GB", "TB", "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "B/s",
    "kB/s", "MB/s",
];

/// The words of a text in their order, without the spaces between them: `44 s`, `(98.0 kB)` and `12.4 Mbit/s,` are one
/// each.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let word = first(rest)?;
        let unit = rest[word.len()..].strip_prefix(' ').and_then(first).filter(|unit| is_number(word) && is_unit(unit));
        let (whole, behind) = rest.split_at(word.len() + unit.map_or(0, |unit| 1 + unit.len()));
        rest = behind.trim_start();
        Some(whole)
    })
}

fn first(text: &str) -> Option<&str> {
    text.split(char::is_whitespace).next().filter(|word| !word.is_empty())
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['(', '<', '+', '~']);
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.ends_with(|c: char| c.is_ascii_digit())
}

fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_are_one_word() {
        for (text, expected) in [
            ("  up  for 44 s now", &["up", "for", "44 s", "now"][..]),
            ("12 min 5 s, then", &["12 min", "5 s,", "then"]),
            ("(98.0 kB) at 1.2 Mbit/s", &["(98.0 kB)", "at", "1.2 Mbit/s"]),
            ("<1 s.", &["<1 s."]),
            ("5 sockets, min 3", &["5", "sockets,", "min", "3"]),
            ("p50 s", &["p50", "s"]),
            ("5, s", &["5,", "s"]),
            ("44  s", &["44", "s"]),
            ("44 ", &["44"]),
            ("", &[]),
        ] {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
