//! Slips of the hand: how far a word is from the one that was meant.

/// How many letters must be added, left out, changed or swapped with the next to make one word of the other (optimal
/// string alignment), of their first 16 letters.
pub fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(16).collect(), b.chars().take(16).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Which of `known` was meant by `word`, if one is near enough: two slips, of a short word one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let far = if word.chars().count() > 4 { 2 } else { 1 };
    let measured = known.into_iter().map(|name| (slips(&word, &name.to_lowercase()), name));
    measured.filter(|(slips, _)| *slips <= far).min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_slip() {
        for (a, b, expected) in [("reprot", "report", 1), ("sate", "state", 1), ("", "ab", 2), ("abc", "abc", 0)] {
            assert_eq!(slips(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near_is_meant() {
        let known = ["state", "sendq", "TIME-WAIT"];
        for (word, meant) in
            [("sate", Some("state")), ("sned", None), ("SENDQ", Some("sendq")), ("tim-wait", Some("TIME-WAIT"))]
        {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
