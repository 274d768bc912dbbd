#![no_main]
#[path = "../../support/doors.rs"]
#[allow(dead_code)] // One door of them.
mod doors;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| doors::filter(bytes));
