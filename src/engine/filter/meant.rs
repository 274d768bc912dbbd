//! What was probably meant where a field's name stands as a word by itself: `port 443`, as pcap-filter(7) has it, asks
//! for flows in which both of the words stand.

use super::ast::{Expr, Op, Piece, Term};
use super::fields::Field;
use super::{Filter, meaning, parse};
use crate::base::scrub;
use crate::engine::FlowPane;

/// Words of pcap-filter(7) that may stand before such a name, and say nothing here: all is TCP, and a flow has both
/// directions.
const NEEDLESS: [&str; 3] = ["tcp", "src", "dst"];
/// Others of them that are no field.
const OTHERS: [&str; 3] = ["ip6", "udp", "portrange"];

impl FlowPane {
    /// Whether no flow matches, though there are flows.
    pub const fn fits_none(&self) -> bool {
        self.matching == 0 && self.all > 0
    }

    /// What was probably meant by such a filter.
    pub fn meant<'a>(&self, filter: &'a Filter) -> Option<&'a str> {
        filter.meant().filter(|_| self.fits_none())
    }

    /// The same as it goes behind "no flow matches".
    pub fn hint(&self, filter: &Filter) -> String {
        self.meant(filter).map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"))
    }
}

/// The same with a term for each name of a field and the word behind it, as it could be typed. `None` where no name
/// stands so, where what is behind it is no value of that field, and where some such word would be left as it is.
pub(super) fn of(typed: &Expr) -> Option<String> {
    let meant = joined(typed);
    if meant == *typed || any_left(&meant) {
        return None;
    }
    let text = meant.to_string();
    (scrub(&text) == text && parse::parse(&text).ok()?.as_ref() == Some(&meant)).then_some(text)
}

fn joined(expr: &Expr) -> Expr {
    match expr {
        Expr::All(parts) => all(parts),
        Expr::Any(parts) => Expr::Any(parts.iter().map(joined).collect()),
        Expr::Not(inner) => Expr::Not(Box::new(joined(inner))),
        Expr::Word(_) | Expr::Term(_) => expr.clone(),
    }
}

fn all(mut parts: &[Expr]) -> Expr {
    let mut meant = Vec::new();
    while let [first, behind @ ..] = parts {
        let pair = behind.first().and_then(|next| term(first, next));
        parts = &behind[usize::from(pair.is_some())..];
        while pair.is_some() && meant.last().is_some_and(is_needless) {
            meant.pop();
        }
        meant.push(pair.unwrap_or_else(|| joined(first)));
    }
    if meant.len() == 1 { meant.remove(0) } else { Expr::All(meant) }
}

/// The term of a name, or of one after `not`, and the value behind it.
fn term(name: &Expr, value: &Expr) -> Option<Expr> {
    match (name, value) {
        (Expr::Not(name), _) => term(name, value).map(|term| Expr::Not(Box::new(term))),
        (Expr::Word(name), Expr::Word(value)) if is_field(name) && !is_field(value) => {
            let term = Expr::Term(Term { field: name.clone(), op: Op::Fits, values: values(value) });
            meaning::of(&term).is_ok().then_some(term)
        }
        _ => None,
    }
}

/// In a term commas stand between values.
fn values(word: &Piece) -> Vec<Piece> {
    if word.quoted {
        return vec![word.clone()];
    }
    let piece = |text: &str| Piece { text: text.to_owned(), quoted: false, at: word.at.clone() };
    word.text.split(',').map(piece).collect()
}

/// Whether a word that names a field, or means something to pcap-filter(7), stands by itself.
fn any_left(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(any_left),
        Expr::Not(inner) => any_left(inner),
        Expr::Word(word) => is_field(word) || is_one_of(word, &NEEDLESS) || is_one_of(word, &OTHERS),
        Expr::Term(_) => false,
    }
}

fn is_needless(expr: &Expr) -> bool {
    matches!(expr, Expr::Word(word) if is_one_of(word, &NEEDLESS))
}

fn is_field(word: &Piece) -> bool {
    !word.quoted && Field::named(&word.text).is_some()
}

fn is_one_of(word: &Piece, words: &[&str]) -> bool {
    !word.quoted && words.iter().any(|other| word.text.eq_ignore_ascii_case(other))
}
