//! Tree → tests: each field's values are read as what the field holds; what they cannot be is told with its place.

use std::ops::RangeInclusive;

use crate::base::{TcpState, nearest};

use super::FilterError;
use super::ast::{Expr, Op, Piece, Term};
use super::fields::{Ends, FIELDS, Field, Kind, Number, Set, Unit};
use super::test::{Check, Pattern, Test};
use super::value::{self, Place};
use super::word::{Word, long_name};

/// Of a field of which nothing is known.
const UNKNOWN: &str = "unknown";

/// What the tree asks.
///
/// # Errors
/// Where a field does not exist, or does not take its value or operator.
pub(super) fn of(expr: &Expr) -> Result<Test, FilterError> {
    let all = |parts: &[Expr]| parts.iter().map(of).collect::<Result<Vec<_>, _>>();
    Ok(match expr {
        Expr::All(parts) => Test::All(all(parts)?),
        Expr::Any(parts) => Test::Any(all(parts)?),
        Expr::Not(inner) => Test::Not(Box::new(of(inner)?)),
        Expr::Word(piece) => Test::Word(Word::read(piece)),
        Expr::Term(term) => term_of(term)?,
    })
}

fn term_of(term: &Term) -> Result<Test, FilterError> {
    let field = Field::named(&term.field.text).ok_or_else(|| unknown_field(&term.field))?;
    let is_unknown = |value: &Piece| !value.quoted && value.text.eq_ignore_ascii_case(UNKNOWN);
    if term.values.len() == 1 && is_unknown(&term.values[0]) && can_be_unknown(field) {
        let test = Test::Unknown(anything(field.kind));
        return match term.op {
            Op::Fits | Op::Is => Ok(test),
            Op::IsNot => Ok(Test::Not(Box::new(test))),
            _ => Err(FilterError::new(term.values[0].at.clone(), "what is unknown is neither more nor less")),
        };
    }
    let check = Test::Field(check(field, term)?);
    Ok(if term.op == Op::IsNot { Test::Not(Box::new(check)) } else { check })
}

fn unknown_field(name: &Piece) -> FilterError {
    let text = &name.text;
    let message = match nearest(text, Field::names()) {
        Some(meant) => format!("unknown field \"{text}\": did you mean {meant}?"),
        None => format!("unknown field \"{text}\" (a text with a colon goes in quotes)"),
    };
    FilterError::new(name.at.clone(), message)
}

/// What is asked by `is:` is, or is not; and an address is always known.
fn can_be_unknown(field: &Field) -> bool {
    !matches!(field.kind, Kind::Set(Set::Is) | Kind::Address(_) | Kind::Number(Number::Port(_), _))
}

/// The check that holds whatever a field is, if it is known.
fn anything(kind: Kind) -> Check {
    let part = || vec![Pattern { text: String::new(), whole: false }];
    match kind {
        Kind::State(claim) => Check::State(claim, u32::MAX),
        Kind::Address(ends) => Check::Address(ends, Vec::new()),
        Kind::Number(number, _) => Check::Number(number, vec![0..=u64::MAX]),
        Kind::Text(text) => Check::Text(text, part()),
        Kind::History => Check::History(part()),
        Kind::Set(set) => Check::Set(set, u32::MAX),
    }
}

fn check(field: &Field, term: &Term) -> Result<Check, FilterError> {
    let compared = matches!(term.op, Op::Below | Op::AtMost | Op::Above | Op::AtLeast);
    if let (true, Kind::State(_) | Kind::Address(_) | Kind::Text(_) | Kind::History | Kind::Set(_)) =
        (compared, field.kind)
    {
        let at = term.field.at.end..term.values[0].at.start;
        let message = format!("{} is no number: {}: or {}= go with it", field.name, field.name, field.name);
        return Err(FilterError::new(at, message));
    }
    let whole = term.op != Op::Fits;
    Ok(match field.kind {
        Kind::State(claim) => Check::State(claim, bits(field, term, &states(), whole)?),
        Kind::Set(set) => Check::Set(set, bits(field, term, &spellings(set), whole)?),
        Kind::Address(ends) => Check::Address(
            ends,
            each(term, |piece| {
                let expected = "10.0.0.5, 10.0.0.0/8, 10. (a network), 10.0.0.5:80, 80 (a port) or lo";
                Place::read(&piece.text).ok_or_else(|| match ports_of(ends).filter(|_| is_range(piece)) {
                    Some(ports) => {
                        FilterError::new(piece.at.clone(), format!("for ports from {piece}: {ports}:{piece}"))
                    }
                    None => wrong(piece, "address", expected),
                })
            })?,
        ),
        Kind::Number(number, unit) => Check::Number(number, ranges(term, unit)?),
        Kind::Text(text) => {
            Check::Text(text, each(term, |piece| Ok(Pattern { text: piece.text.to_lowercase(), whole }))?)
        }
        Kind::History => Check::History(each(term, |piece| Ok(Pattern { text: piece.text.clone(), whole }))?),
    })
}

fn is_range(piece: &Piece) -> bool {
    piece.text.contains('-') && value::range(&piece.text, Unit::Label).is_some()
}

/// The field of the ports of these ends.
fn ports_of(ends: Ends) -> Option<&'static str> {
    let field = FIELDS.iter().find(|field| matches!(field.kind, Kind::Number(Number::Port(of), _) if of == ends));
    field.map(|field| field.name)
}

fn each<T>(term: &Term, read: impl Fn(&Piece) -> Result<T, FilterError>) -> Result<Vec<T>, FilterError> {
    term.values.iter().map(read).collect()
}

fn wrong(piece: &Piece, what: &str, expected: &str) -> FilterError {
    FilterError::new(piece.at.clone(), format!("{piece} is no {what}: {expected}"))
}

/// Every spelling of every state.
fn states() -> Vec<(usize, &'static str)> {
    TcpState::ALL
        .into_iter()
        .flat_map(|state| [state.name(), long_name(state)].map(|name| (state.index(), name)))
        .collect()
}

/// Every word of a set, with the others for it behind it.
fn spellings(set: Set) -> Vec<(usize, &'static str)> {
    let others = |word| set.other_words().iter().filter(move |(_, of)| *of == word).map(|(other, _)| *other);
    let words = set.words().into_iter().enumerate();
    words.flat_map(|(at, word)| std::iter::once(word).chain(others(word)).map(move |word| (at, word))).collect()
}

fn bits(field: &Field, term: &Term, words: &[(usize, &str)], whole: bool) -> Result<u32, FilterError> {
    let bits = each(term, |piece| {
        value::words(&piece.text, whole, words).map_err(|meant| {
            let meant = meant.map_or_else(|| list(words), |word| format!("did you mean {word}?"));
            FilterError::new(piece.at.clone(), format!("{} is never {piece}: {meant}", field.name))
        })
    })?;
    Ok(bits.into_iter().fold(0, |all, bits| all | bits))
}

/// All words, each once.
fn list(words: &[(usize, &str)]) -> String {
    let mut last = None;
    let first = words.iter().filter(|(at, _)| last.replace(*at) != Some(*at));
    first.map(|(_, word)| value::spelled(word)).collect::<Vec<_>>().join(" ")
}

fn ranges(term: &Term, unit: Unit) -> Result<Vec<RangeInclusive<u64>>, FilterError> {
    let (what, expected) = match unit {
        Unit::Label => ("number", "80, 80,443 or 8000-8999"),
        Unit::Count => ("number", "5, 10k or 5-9"),
        Unit::Bytes => ("size", "512, 64k, 2MiB or 1k-2k"),
        Unit::BitsPerS => ("rate", "500k, 10M or 1Gbit/s"),
        Unit::Time => ("time", "250us, 100ms, 1.5s, 5m or 1h"),
    };
    let one = |piece: &Piece| value::number(&piece.text, unit).ok_or_else(|| wrong(piece, what, expected));
    let bound = || match term.values.as_slice() {
        [piece] => one(piece),
        [_, more, ..] => {
            Err(FilterError::new(more.at.clone(), format!("{} takes one value, not several", term.op.name())))
        }
        [] => Ok(0),
    };
    /// Holds nothing: nothing is below 0.
    const NOTHING: RangeInclusive<u64> = RangeInclusive::new(1, 0);
    Ok(match term.op {
        Op::Fits | Op::Is | Op::IsNot => {
            each(term, |piece| value::range(&piece.text, unit).ok_or_else(|| wrong(piece, what, expected)))?
        }
        Op::Below => vec![bound()?.checked_sub(1).map_or(NOTHING, |most| 0..=most)],
        Op::AtMost => vec![0..=bound()?],
        Op::Above => vec![bound()?.checked_add(1).map_or(NOTHING, |least| least..=u64::MAX)],
        Op::AtLeast => vec![bound()?..=u64::MAX],
    })
}
