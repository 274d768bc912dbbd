//! Says plainly what a test skips and why: past the harness, which keeps quiet about what passing tests print.

use std::io::Write;

/// Says that the running test skips something.
pub(crate) fn skip(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Nothing is left to do where stderr is gone.
    let _unheard = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}
