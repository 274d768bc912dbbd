//! The grammar: text → tree, with `winnow`; what cannot be read is told with its place.
//!
//! ```text
//! any    = all { ("or" | "||") all }
//! all    = not { ["and" | "&&"] not }
//! not    = { "not" | "!" } ( "(" any ")" | term | word )
//! term   = name ":" values | name [space] ("=" | "!=" | "<" | "<=" | ">" | ">=") [space] values
//! values = value { "," value }
//! word, value = what ends at a space, a bracket, a quote or a sign of the grammar; or "text in quotes"
//! ```
//! An address or a network is a word (`dead:beef::/32`); so is what could be a part of one, unless a field has the name
//! before its first colon.

use std::ops::Range;

use winnow::combinator::{alt, opt, peek};
use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stream};
use winnow::token::{any, literal, take_while};

use super::ast::{Expr, Op, Piece, Term};
use super::fields::Field;
use super::value::Place;
use super::{FilterError, Mend};

type Input<'a> = LocatingSlice<&'a str>;
type Parsed<T> = Result<T, ErrMode<FilterError>>;

/// How deep brackets and negations may stand in each other.
const DEEPEST: usize = 32;

impl ParserError<Input<'_>> for FilterError {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        let at = input.current_token_start();
        Self::new(at..at, "this cannot be read")
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// Reads `text`; `None` if nothing but spaces is in it.
///
/// # Errors
/// Where it is no filter.
pub(super) fn parse(text: &str) -> Result<Option<Expr>, FilterError> {
    let mut input = LocatingSlice::new(text);
    let read = |input: &mut Input<'_>| -> Parsed<Option<Expr>> {
        space(input)?;
        if input.is_empty() {
            return Ok(None);
        }
        let expr = any_of(input, 0)?;
        if input.is_empty() { Ok(Some(expr)) } else { Err(stray(input)) }
    };
    read(&mut input).map_err(|error| {
        let unread = FilterError::new(text.len()..text.len(), "this cannot be read");
        error.into_inner().unwrap_or(unread)
    })
}

/// What stands where a term should begin and begins none.
fn stray(input: &Input<'_>) -> ErrMode<FilterError> {
    let at = input.current_token_start();
    let Some(c) = input.chars().next() else { return fault(at..at, "a word or a field is missing here") };
    let message = match c {
        ')' => "this bracket closes none".to_owned(),
        '<' | '>' | '=' => format!("a field is missing before \"{c}\""),
        _ => format!("{c:?} cannot stand here"),
    };
    fault(at..at + c.len_utf8(), message)
}

fn fault(at: Range<usize>, message: impl Into<String>) -> ErrMode<FilterError> {
    ErrMode::Cut(FilterError::new(at, message))
}

fn any_of(input: &mut Input<'_>, depth: usize) -> Parsed<Expr> {
    let mut parts = vec![all_of(input, depth)?];
    while let Some(at) = joint(input, "or", "||")? {
        parts.push(operand(input, depth, &at, all_of)?);
    }
    Ok(one_or(parts, Expr::Any))
}

fn all_of(input: &mut Input<'_>, depth: usize) -> Parsed<Expr> {
    let mut parts = vec![negation(input, depth)?];
    loop {
        if let Some(at) = joint(input, "and", "&&")? {
            parts.push(operand(input, depth, &at, negation)?);
        } else if at_end(input) {
            return Ok(one_or(parts, Expr::All));
        } else {
            parts.push(negation(input, depth)?);
        }
    }
}

fn one_or(mut parts: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() > 1 { many(parts) } else { parts.remove(0) }
}

/// Whether what is being read ends here: with the filter, its bracket, or before an `or`.
fn at_end(input: &mut Input<'_>) -> bool {
    let or: Parsed<Option<Range<usize>>> = peek(|input: &mut Input<'_>| joint(input, "or", "||")).parse_next(input);
    input.is_empty() || input.starts_with(')') || matches!(or, Ok(Some(_)))
}

/// What must follow the operator that stands at `at`.
fn operand<'a>(
    input: &mut Input<'a>,
    depth: usize,
    at: &Range<usize>,
    read: fn(&mut Input<'a>, usize) -> Parsed<Expr>,
) -> Parsed<Expr> {
    let message = "nothing comes after this";
    if input.is_empty() {
        return Err(ErrMode::Cut(FilterError::open(at.clone(), message, Mend::LeaveOut(at.start))));
    }
    if input.starts_with(')') {
        return Err(fault(at.clone(), message));
    }
    read(input, depth)
}

fn negation(input: &mut Input<'_>, depth: usize) -> Parsed<Expr> {
    let start = input.current_token_start();
    if depth > DEEPEST {
        let next = input.chars().next().map_or(0, char::len_utf8);
        return Err(fault(start..start + next, format!("more than {DEEPEST} brackets and negations in each other")));
    }
    if let Some(at) = joint(input, "not", "!")? {
        return operand(input, depth + 1, &at, negation).map(|inner| Expr::Not(Box::new(inner)));
    }
    for (word, mark) in [("and", "&&"), ("or", "||")] {
        if let Some(at) = joint(input, word, mark)? {
            return Err(fault(at, "nothing comes before this"));
        }
    }
    if opt(sign("(")).parse_next(input)?.is_some() {
        return bracketed(input, depth, start);
    }
    let read = match opt(term).parse_next(input)? {
        Some(term) => Expr::Term(term),
        None => Expr::Word(opt(alt((quoted, bare))).parse_next(input)?.ok_or_else(|| stray(input))?),
    };
    space(input)?;
    Ok(read)
}

/// What follows the bracket that was opened at `start`, and the one that closes it.
fn bracketed(input: &mut Input<'_>, depth: usize, start: usize) -> Parsed<Expr> {
    let at = start..start + 1;
    if input.starts_with(')') {
        return Err(fault(start..input.current_token_start() + 1, "nothing stands in these brackets"));
    }
    let inner = operand(input, depth + 1, &at, any_of)?;
    match opt(sign(")")).parse_next(input)? {
        Some(()) => Ok(inner),
        None if input.is_empty() => {
            Err(ErrMode::Cut(FilterError::open(at, "this bracket is not closed", Mend::Close(')'))))
        }
        None => Err(stray(input)),
    }
}

/// A word that joins or negates, in any case, or its sign; where it stands.
fn joint(input: &mut Input<'_>, word: &str, mark: &str) -> Parsed<Option<Range<usize>>> {
    let start = input.checkpoint();
    let mut found = opt(literal(mark).span()).parse_next(input)?;
    if found.is_none() {
        found = opt(letters.verify(|found: &str| found.eq_ignore_ascii_case(word)).span()).parse_next(input)?;
        // `or` alone is one; `or:`, `or>`, `or-else` are not.
        let goes_on = |c: char| is_of_word(c) || "<>=".contains(c);
        if found.is_some() && input.starts_with(goes_on) {
            input.reset(&start);
            return Ok(None);
        }
    }
    if found.is_some() {
        space(input)?;
    }
    Ok(found)
}

fn letters<'a>(input: &mut Input<'a>) -> Parsed<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphabetic()).parse_next(input)
}

fn space(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

fn sign<'a>(text: &'static str) -> impl Parser<Input<'a>, (), ErrMode<FilterError>> {
    (literal(text), space).void()
}

fn term(input: &mut Input<'_>) -> Parsed<Term> {
    let word: Option<&str> = peek(opt(take_while(1.., is_of_word))).parse_next(input)?;
    if word.is_none_or(is_address) {
        return Err(ErrMode::Backtrack(FilterError::from_input(input)));
    }
    let (text, at) = take_while(1.., is_of_name).with_span().parse_next(input)?;
    let field = Piece { text: text.to_owned(), quoted: false, at };
    let op = alt((literal(":").value(Op::Fits), (space, signs, space).map(|(_, op, _)| op))).parse_next(input)?;
    Ok(Term { values: values(input, &field, op)?, field, op })
}

/// Whether it is an address, a network, or a part of one, and no term.
fn is_address(word: &str) -> bool {
    let named = word.split_once(':').is_some_and(|(name, _)| Field::named(name).is_some());
    let hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
    word.contains(':') && (Place::read(word).is_some() || (hexadecimal && !named))
}

fn signs(input: &mut Input<'_>) -> Parsed<Op> {
    for op in Op::SIGNS {
        if opt(literal(op.name())).parse_next(input)?.is_some() {
            return Ok(op);
        }
    }
    Err(ErrMode::Backtrack(FilterError::from_input(input)))
}

fn values(input: &mut Input<'_>, field: &Piece, op: Op) -> Parsed<Vec<Piece>> {
    let mut values: Vec<Piece> = Vec::new();
    loop {
        match opt(alt((quoted, value))).parse_next(input)? {
            Some(value) => values.push(value),
            None => {
                let at = input.current_token_start();
                let next = input.chars().next().filter(|c| !c.is_whitespace()).map_or(0, char::len_utf8);
                let after = values.last().map_or_else(|| format!("{field}{}", op.name()), |last| format!("{last},"));
                let message = format!("a value is missing after {after}");
                let from = values.last().map_or(field.at.start, |last| last.at.end);
                let open = FilterError::open(at..at + next, &*message, Mend::LeaveOut(from));
                return Err(if input.is_empty() { ErrMode::Cut(open) } else { fault(at..at + next, message) });
            }
        }
        if opt(literal(",")).parse_next(input)?.is_none() {
            return Ok(values);
        }
    }
}

fn value(input: &mut Input<'_>) -> Parsed<Piece> {
    let read = take_while(1.., |c| is_of_word(c) && c != ',').with_span();
    read.map(|(text, at): (&str, _)| Piece { text: text.to_owned(), quoted: false, at }).parse_next(input)
}

fn bare(input: &mut Input<'_>) -> Parsed<Piece> {
    let read = take_while(1.., is_of_word).with_span();
    read.map(|(text, at): (&str, _)| Piece { text: text.to_owned(), quoted: false, at }).parse_next(input)
}

/// Text in quotes, in which `\"` is a quote and `\\` a backslash.
fn quoted(input: &mut Input<'_>) -> Parsed<Piece> {
    let start = input.current_token_start();
    literal("\"").parse_next(input)?;
    let mut text = String::new();
    loop {
        match opt(any).parse_next(input)? {
            Some('"') => break,
            Some('\\') => text.extend(opt(any).parse_next(input)?),
            Some(c) => text.push(c),
            None => {
                let at = start..input.current_token_start();
                return Err(ErrMode::Cut(FilterError::open(at, "this quote is not closed", Mend::Close('"'))));
            }
        }
    }
    Ok(Piece { text, quoted: true, at: start..input.current_token_start() })
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphabetic() || "-_".contains(c)
}

fn is_of_word(c: char) -> bool {
    !c.is_whitespace() && !"()\"<>=!&|".contains(c)
}
