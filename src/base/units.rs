//! Numbers as readers read them: thousands separated, bytes in powers of 1000.

/// A count with thousands separators: `25,691`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 flow`, `12,345 flows`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Bytes in powers of 1000, rounded: `512 B`, `98.0 kB`, `1.2 MB`.
pub fn bytes(number: u64) -> String {
    if number < 1_000 {
        return format!("{number} B");
    }
    scaled(number as f64, &[" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

/// `value` in the largest of `units`, each a thousand times the one before, in which it is at least one; rounded to a
/// tenth.
pub fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_separated_and_bytes_rounded() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [999, 1_000, 3_888, 999_949, 999_950].map(bytes),
            ["999 B", "1.0 kB", "3.9 kB", "999.9 kB", "1.0 MB"]
        );
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }
}
