//! What benches share: whether one is asked for, and the numbers that the environment gives it.
//!
//! May touch the arguments and the environment.
#![allow(dead_code, reason = "each bench that includes this file uses its own part of it")]

use std::str::FromStr;

/// Whether there is something to measure: `cargo test --benches` runs a bench too, with nothing.
pub(crate) fn is_asked_for() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}

/// The number that a variable holds, else the usual one.
pub(crate) fn number<T: FromStr>(variable: &str, usual: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The packets a second that are offered, and for how many seconds: so many unless told.
pub(crate) fn load(seconds: u64) -> (u64, u64) {
    (number("SOCKSCOPE_BENCH_RATE", 300_000), number("SOCKSCOPE_BENCH_SECONDS", seconds))
}
