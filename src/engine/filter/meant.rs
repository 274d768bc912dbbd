//! What was probably meant where a field's name stands as a word by itself: `port 443`, as pcap-filter(7) has it, asks
//! for flows in which both of the words stand.

use super::ast::{Expr, Op, Piece, Term};
use super::fields::Field;
use super::meaning;

/// The same with a term for each name of a field and the word behind it; `None` where no name stands so, or where what
/// is behind it is no value of that field.
pub(super) fn of(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::All(parts) => all(parts),
        Expr::Any(parts) => {
            let meant: Vec<_> = parts.iter().map(of).collect();
            let any = meant.iter().any(Option::is_some);
            let or_as_typed = |(part, meant): (&Expr, Option<Expr>)| meant.unwrap_or_else(|| part.clone());
            any.then(|| Expr::Any(parts.iter().zip(meant).map(or_as_typed).collect()))
        }
        Expr::Not(inner) => of(inner).map(|inner| Expr::Not(Box::new(inner))),
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
        }
        let other = joined.or_else(|| of(first));
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
        (Expr::Word(name), Expr::Word(value)) => {
            let term = Expr::Term(Term { field: name.clone(), op: op_of(name)?, values: vec![value.clone()] });
            meaning::of(&term).is_ok().then_some(term)
        }
        _ => None,
    }
}

fn op_of(name: &Piece) -> Option<Op> {
    Field::named(&name.text).filter(|_| !name.quoted).map(Field::usual_op)
}
