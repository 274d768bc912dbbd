//! The few phrases that rules share.

pub(super) use crate::base::units::{bytes, coarse as time, count, counted, watched};

/// `0.4/s`, `12/s`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 10.0 { format!("{per_second:.1}/s") } else { format!("{}/s", count(per_second.round() as u64)) }
}

/// `part` of `whole` in percent, rounded, but 100 only where it is all, and 0 only where it is none.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    let rounded = (u128::from(part) * 200 + u128::from(whole)).checked_div(u128::from(whole) * 2).unwrap_or(0);
    match u64::try_from(rounded).unwrap_or(100) {
        100.. if part < whole => 99,
        0 if part > 0 => 1,
        rounded => rounded,
    }
}

/// The same in words: `<1%` where it is less.
pub(super) fn share(part: u64, whole: u64) -> String {
    if part > 0 && part < whole.div_ceil(100) { "<1%".to_owned() } else { format!("{}%", percent(part, whole)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_all_or_nothing_only_where_it_is() {
        let shares =
            [(0, 9), (1, 1_000), (1, 2), (999, 1_000), (7, 7), (0, 0)].map(|(part, whole)| percent(part, whole));
        assert_eq!(shares, [0, 1, 50, 99, 100, 0]);
        assert_eq!([0.44, 9.96, 12.6].map(rate), ["0.4/s", "10.0/s", "13/s"]);
    }
}
