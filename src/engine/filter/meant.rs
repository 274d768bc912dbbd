//! What was probably meant where a field's name stands as a word by itself: `port 443`, as pcap-filter(7) has it, asks
//! for flows in which both of the words stand.

use super::ast::{Expr, Op, Piece, Term};
use super::fields::Field;
use super::{meaning, parse};
use crate::base::scrub;

/// Words of pcap-filter(7) that may stand before such a name, and say nothing here: all is TCP, and a flow has both
/// directions.
const NEEDLESS: [&str; 3] = ["tcp", "src", "dst"];
/// Others of them that are no field.
const OTHERS: [&str; 3] = ["ip6", "udp", "portrange"];

/// The same with a term for each name of a field and the word behind it, as it could be typed. `None` where no name
/// stands so, where what is behind it is no value of that field, and where some such word would be left as it is.
pub(super) fn of(typed: &Expr) -> Option<String> {
    let meant = joined(typed)?;
    let text = meant.to_string();
    let is_it = !any_left(&meant) && scrub(&text) == text && parse::parse(&text).ok()?.as_ref() == Some(&meant);
    is_it.then_some(text)
}

fn joined(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::All(parts) => all(parts),
        Expr::Any(parts) => {
            let meant: Vec<_> = parts.iter().map(joined).collect();
            let any = meant.iter().any(Option::is_some);
            let or_as_typed = |(part, meant): (&Expr, Option<Expr>)| meant.unwrap_or_else(|| part.clone());
            any.then(|| Expr::Any(parts.iter().zip(meant).map(or_as_typed).collect()))
        }
        Expr::Not(inner) => joined(inner).map(|inner| Expr::Not(Box::new(inner))),
        Expr::Word(_) | Expr::Term(_) => None,
    }
}

fn all(parts: &[Expr]) -> Option<Expr> {
    let (mut meant, mut any) = (Vec::new(), false);
    let mut rest = parts;
    while let [first, behind @ ..] = rest {
        rest = behind;
        let pair = behind.first().and_then(|next| term(first, next));
        if pair.is_some() {
            rest = &behind[1..];
            while meant.last().is_some_and(|before| is_one_of(before, &NEEDLESS)) {
                meant.pop();
            }
        }
        let other = pair.or_else(|| joined(first));
        any |= other.is_some();
        meant.push(other.unwrap_or_else(|| first.clone()));
    }
    let one = if meant.len() == 1 { meant.pop() } else { None };
    any.then(|| one.unwrap_or(Expr::All(meant)))
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
        Expr::Word(word) => is_field(word) || is_one_of(expr, &NEEDLESS) || is_one_of(expr, &OTHERS),
        Expr::Term(_) => false,
    }
}

fn is_field(word: &Piece) -> bool {
    !word.quoted && Field::named(&word.text).is_some()
}

fn is_one_of(expr: &Expr, words: &[&str]) -> bool {
    matches!(expr, Expr::Word(word) if !word.quoted && words.iter().any(|other| word.text.eq_ignore_ascii_case(other)))
}
