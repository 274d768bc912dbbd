//! A filter's meaning, and whether a flow fits it. A test has three answers: yes, no, and not known (`None`), by
//! Kleene's rules, so that what is not known of a flow fits neither a test nor its `not`.

use std::ops::RangeInclusive;

use super::fields::{Claim, Ends, Number, Set, Text};
use super::subject::Subject;
use super::value::Place;
use super::word::Word;

/// What a filter asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Word(Word),
    Field(Check),
    /// Whether nothing is known of a field.
    Unknown(Check),
}

/// What is asked of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    /// A bit for each state, at its index.
    State(Claim, u32),
    Address(Ends, Vec<Place>),
    Number(Number, Vec<RangeInclusive<u64>>),
    Text(Text, Vec<Pattern>),
    History(Vec<Pattern>),
    /// A bit for each word of the set.
    Set(Set, u32),
}

/// What a text must be or have as a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// In lower case, where case does not count.
    pub(super) text: String,
    pub(super) whole: bool,
}

impl Test {
    pub(super) fn holds(&self, flow: Subject<'_>) -> Option<bool> {
        match self {
            Self::All(tests) => all(tests.iter().map(|test| test.holds(flow))),
            Self::Any(tests) => all(tests.iter().map(|test| not(test.holds(flow)))).map(|none| !none),
            Self::Not(test) => not(test.holds(flow)),
            Self::Word(word) => Some(word.matches(flow)),
            Self::Field(check) => check.holds(flow),
            Self::Unknown(check) => Some(check.holds(flow).is_none()),
        }
    }
}

fn not(answer: Option<bool>) -> Option<bool> {
    answer.map(|yes| !yes)
}

/// No if any is no; else not known if any is not.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

impl Check {
    fn holds(&self, flow: Subject<'_>) -> Option<bool> {
        match self {
            Self::State(claim, bits) => flow.states(*claim).map(|state| bits >> state.index() & 1 == 1).max(),
            Self::Address(ends, places) => {
                Some(flow.endpoints(*ends).any(|end| places.iter().any(|place| place.holds(end))))
            }
            Self::Number(number, ranges) => {
                flow.any_number(*number, |value| ranges.iter().any(|range| range.contains(&value)))
            }
            Self::Text(text, patterns) => {
                flow.any_text(*text, |text| patterns.iter().any(|pattern| pattern.fits(text)))
            }
            Self::History(patterns) => {
                let history = flow.history()?;
                let fits = |pattern: &Pattern| match pattern.whole {
                    true => history.as_str() == pattern.text,
                    false => history.as_str().contains(&pattern.text),
                };
                Some(patterns.iter().any(fits))
            }
            Self::Set(set, bits) => {
                let held = flow.held(*set);
                if held.holds & bits != 0 { Some(true) } else { (held.known & bits == *bits).then_some(false) }
            }
        }
    }
}

impl Pattern {
    /// Whether `text` fits, whatever its case.
    pub(super) fn fits(&self, text: &str) -> bool {
        if !text.is_ascii() || !self.text.is_ascii() {
            let text = text.to_lowercase();
            return if self.whole { text == self.text } else { text.contains(&self.text) };
        }
        if self.whole {
            return text.eq_ignore_ascii_case(&self.text);
        }
        let wanted = self.text.as_bytes();
        wanted.is_empty() || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
    }
}
