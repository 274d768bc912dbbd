//! Whatever is typed is read or refused; and a tree written out is read as the same tree.

use proptest::prelude::*;

use super::Filter;
use super::ast::{Expr, Op, Piece, Term};
use super::complete::complete;
use super::fields::Field;
use super::parse::parse;

fn plain(text: String) -> Piece {
    Piece { text, quoted: false, at: 0..0 }
}

fn quoted() -> impl Strategy<Value = Piece> {
    "\\PC{0,8}|[\"\\\\ ]{0,4}".prop_map(|text| Piece { text, quoted: true, at: 0..0 })
}

fn word() -> impl Strategy<Value = Piece> {
    let joins = |text: &String| !["and", "or", "not"].contains(&text.to_lowercase().as_str());
    // No colon after letters: that would be a term.
    let plain = "[a-zA-Zµ0-9./*,_-]{1,10}|:[0-9]{1,3}|[0-9a-f]{1,4}::[0-9]".prop_filter("joins", joins).prop_map(plain);
    prop_oneof![plain, quoted()]
}

fn term() -> impl Strategy<Value = Term> {
    let names: Vec<&str> = Field::names().collect();
    let name = prop_oneof![prop::sample::select(names).prop_map(str::to_owned), "[g-z][a-z_-]{0,6}"];
    let op = prop::sample::select(vec![Op::Fits, Op::Is, Op::IsNot, Op::Below, Op::AtMost, Op::Above, Op::AtLeast]);
    let value = prop_oneof!["[a-zA-Zµ0-9./:*_-]{1,10}".prop_map(plain), quoted()];
    (name, op, prop::collection::vec(value, 1..4)).prop_map(|(name, op, values)| Term {
        field: plain(name),
        op,
        values,
    })
}

fn tree() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![word().prop_map(Expr::Word), term().prop_map(Expr::Term)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Any),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_out_is_read_as_the_same(tree in tree()) {
        let text = tree.to_string();
        prop_assert_eq!(parse(&text), Ok(Some(tree)), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place(text in "\\PC{0,40}") {
        check(&text)?;
    }

    #[test]
    fn so_is_any_that_looks_like_a_filter(
        parts in prop::collection::vec(prop::sample::select(vec![
            "state:", "rtt>", "port", ":", "80", ",", "-", "(", ")", "\"", "\\", "not", "!", "or", "and", "||", "&&", " ",
            "=", "!=", "<=", "10.0.0.0/8", "100ms", "time-wait", "µ", "\u{3000}", "dead:beef", "unknown", "is:", "history=", "\u{202e}",
            "tcp ", "name ",
        ]), 0..16),
    ) {
        check(&parts.concat())?;
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let filter = Filter::parse(text);
    if let Some(meant) = filter.as_ref().ok().and_then(Filter::meant) {
        prop_assert!(Filter::parse(meant).is_ok_and(|filter| filter.meant().is_none()), "{} for {}", meant, text);
    }
    if let Err(fault) = filter {
        prop_assert!(text.get(fault.at.clone()).is_some(), "{:?} of {:?}", fault, text);
        prop_assert!(!fault.message.is_empty());
        prop_assert!(Filter::begun(text).is_none() || fault.is_incomplete());
    }
    for cursor in 0..=text.len() {
        let found = complete(text, cursor);
        prop_assert!(text.get(found.at).is_some());
    }
    Ok(())
}

#[test]
fn depth_is_bounded() {
    for text in ["(".repeat(100_000), "!".repeat(100_000), "not ".repeat(100_000), "(! ".repeat(50_000)] {
        let fault = Filter::parse(&text).unwrap_err();
        assert!(fault.message.contains("32"), "{fault}");
    }
    assert!(Filter::parse(&format!("{}80{}", "(".repeat(30), ")".repeat(30))).is_ok());
    assert!(Filter::parse(&"a or b ".repeat(10_000)).is_ok());
}
