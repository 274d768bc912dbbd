//! What may stand where the cursor is: names of fields, and the values of those whose values are known words.

use std::ops::Range;

use super::fields::{FIELDS, Field};
use super::value::{spelled, squash};

/// What could be put in place of what is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The bytes that a candidate replaces; they end at the cursor.
    pub at: Range<usize>,
    /// In the order in which they are offered; empty where nothing is known.
    pub candidates: Vec<String>,
}

/// What `text` could go on with at the byte `cursor`.
pub fn complete(text: &str, cursor: usize) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let none = Completion { at: before.len()..before.len(), candidates: Vec::new() };
    // A backslash inside quotes hides one of them: then nothing is offered, or too much, and no harm is done.
    if before.matches('"').count() % 2 == 1 {
        return none;
    }
    let start = before
        .rfind(|c: char| c.is_whitespace() || "()!&|\"".contains(c))
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let word = &before[start..];
    let Some(op) = word.find([':', '=', '<', '>']) else { return fields(word, start) };
    let Some(field) = Field::named(&word[..op]) else { return none };
    let value = word.rfind([':', '=', '<', '>', ',']).map_or(op, |at| at) + 1;
    let typed = squash(&word[value..]);
    let begins = |word: &str| squash(word).starts_with(&typed);
    let by_other = |word: &str| field.other_words().iter().any(|(other, of)| *of == word && begins(other));
    let words = field.words().into_iter().filter(|word| begins(word) || by_other(word));
    let candidates = words.map(spelled).collect();
    Completion { at: start + value..before.len(), candidates }
}

fn fields(word: &str, start: usize) -> Completion {
    let begun = |field: &&Field| {
        let is = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        is(field.name) || (!word.is_empty() && field.also.iter().any(|also| is(also)))
    };
    let candidates = FIELDS.iter().filter(begun).map(|field| format!("{}{}", field.name, field.usual_op()));
    Completion { at: start..start + word.len(), candidates: candidates.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_known_values_are_offered() {
        for (text, at, expected) in [
            ("st", 0..2, vec!["state:"]),
            ("port:80 and not sen", 16..19, vec!["sendq>"]),
            ("(RT", 1..3, vec!["rtt>"]),
            ("hand", 0..4, vec!["outcome:"]),
            ("state:time", 6..10, vec!["time-wait"]),
            ("state:estab,fin", 12..15, vec!["fin-wait-1", "fin-wait-2"]),
            ("st=FinW", 3..7, vec!["fin-wait-1", "fin-wait-2"]),
            ("outcome:unan", 8..12, vec!["unanswered"]),
            ("outcome:timed", 8..13, vec!["unanswered"]),
            ("outcome:timer", 8..13, vec![]),
            ("is:z", 3..4, vec!["zero-window"]),
            ("port:8", 5..6, vec![]),
            ("nix:8", 5..5, vec![]),
            ("proc:\"st", 8..8, vec![]),
            ("zz", 0..2, vec![]),
        ] {
            let found = complete(text, text.len());
            assert_eq!(
                (found.at, found.candidates),
                (at, expected.iter().map(ToString::to_string).collect()),
                "{text}"
            );
        }
        assert_eq!(complete("", 0).candidates.len(), FIELDS.len());
        assert_eq!(complete("sta x", 3).candidates, ["state:"], "what stands after the cursor does not count");
        assert_eq!(complete("é", 1).candidates.len(), 0, "a cursor inside a letter");
    }
}
