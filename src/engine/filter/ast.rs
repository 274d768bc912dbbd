//! What was typed, as a tree: terms of words, not yet of meanings. Its text, read again, is the same tree.

use std::fmt;
use std::ops::Range;

/// A filter, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// At least two, all of which must hold.
    All(Vec<Self>),
    /// At least two, one of which must hold.
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A word without a field.
    Word(Piece),
    Term(Term),
}

/// A field, and what it is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) field: Piece,
    pub(super) op: Op,
    /// At least one, of which one must fit.
    pub(super) values: Vec<Piece>,
}

/// How a field is held against its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// `:`, which is the loosest that makes sense of the field: a part of a text, the beginning of a name.
    Fits,
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Op {
    /// Those that are written as signs, longer ones before their beginnings.
    pub(super) const SIGNS: [Self; 6] = [Self::IsNot, Self::AtMost, Self::AtLeast, Self::Is, Self::Below, Self::Above];

    /// As it is written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fits => ":",
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A piece of what was typed. Where it stands makes it no other piece.
#[derive(Debug, Clone, Eq)]
pub(super) struct Piece {
    /// Without quotes.
    pub(super) text: String,
    /// In quotes it is text, whatever it looks like.
    pub(super) quoted: bool,
    /// Its bytes in the filter, quotes included.
    pub(super) at: Range<usize>,
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.quoted) == (&other.text, other.quoted)
    }
}

/// As it could be typed.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, parts: &[Self], glue: &str, loose: bool| {
            for (index, part) in parts.iter().enumerate() {
                f.write_str(if index > 0 { glue } else { "" })?;
                match part {
                    Self::Any(_) => write!(f, "({part})")?,
                    Self::All(_) if !loose => write!(f, "({part})")?,
                    _ => part.fmt(f)?,
                }
            }
            Ok(())
        };
        match self {
            Self::All(parts) => all(f, parts, " ", false),
            Self::Any(parts) => all(f, parts, " or ", true),
            Self::Not(inner) if matches!(**inner, Self::All(_) | Self::Any(_)) => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Word(word) => word.fmt(f),
            Self::Term(term) => term.fmt(f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.field, self.op.name())?;
        for (index, value) in self.values.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            value.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "\"{}\"", self.text.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            f.write_str(&self.text)
        }
    }
}
