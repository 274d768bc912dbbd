//! What was probably meant where a field's name stands as a word by itself: `port 443`, as pcap-filter(7) has it, asks
//! for flows in which both of the words stand.

use super::ast::{Expr, Op, Piece, Term};
use super::fields::Field;
use super::{meaning, parse};

/// Words of pcap-filter(7) that may stand before such a name, and say nothing here: all is TCP, and a flow has both
/// directions.
const QUALIFIERS: [&str; 5] = ["tcp", "ip", "ip6", "src", "dst"];

/// The same with a term for each name of a field and the word behind it, as it could be typed; `None` where no name
/// stands so, or where what is behind it is no value of that field.
pub(super) fn of(typed: &Expr) -> Option<String> {
    let meant = changed(typed)?;
    let text = meant.to_string();
    (parse::parse(&text).ok()?? == meant).then_some(text)
}

fn changed(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::All(parts) => all(parts),
        Expr::Any(parts) => {
            let meant: Vec<_> = parts.iter().map(changed).collect();
            let any = meant.iter().any(Option::is_some);
            let or_as_typed = |(part, meant): (&Expr, Option<Expr>)| meant.unwrap_or_else(|| part.clone());
            any.then(|| Expr::Any(parts.iter().zip(meant).map(or_as_typed).collect()))
        }
        Expr::Not(inner) => changed(inner).map(|inner| Expr::Not(Box::new(inner))),
        Expr::Word(_) | Expr::Term(_) => None,
    }
}

fn all(parts: &[Expr]) -> Option<Expr> {
    let (mut meant, mut any) = (Vec::new(), false);
    let mut rest = parts;
    while let [first, behind @ ..] = rest {
        rest = behind;
        let joined = behind.first().and_then(|next| term(first, next));
        if joined.is_some() {
            rest = &behind[1..];
            while meant.last().is_some_and(is_qualifier) {
                meant.pop();
            }
        }
        let other = joined.or_else(|| changed(first));
        any |= other.is_some();
        meant.push(other.unwrap_or_else(|| first.clone()));
    }
    let one = if meant.len() == 1 { meant.pop() } else { None };
    any.then(|| one.unwrap_or(Expr::All(meant)))
}

fn is_qualifier(expr: &Expr) -> bool {
    matches!(expr, Expr::Word(word) if QUALIFIERS.iter().any(|other| !word.quoted && word.text.eq_ignore_ascii_case(other)))
}

/// The term of a name, or of one after `not`, and the value behind it.
fn term(name: &Expr, value: &Expr) -> Option<Expr> {
    match (name, value) {
        (Expr::Not(name), _) => term(name, value).map(|term| Expr::Not(Box::new(term))),
        (Expr::Word(name), Expr::Word(value)) if field(value).is_none() => {
            let usual = field(name)?.usual_op();
            let term = |op| Expr::Term(Term { field: name.clone(), op, values: values(value) });
            [usual, Op::Fits].into_iter().map(term).find(|term| meaning::of(term).is_ok())
        }
        _ => None,
    }
}

fn field(word: &Piece) -> Option<&'static Field> {
    Field::named(&word.text).filter(|_| !word.quoted)
}

/// In a term commas stand between values.
fn values(word: &Piece) -> Vec<Piece> {
    if word.quoted {
        return vec![word.clone()];
    }
    word.text.split(',').map(|text| Piece { text: text.to_owned(), ..word.clone() }).collect()
}
