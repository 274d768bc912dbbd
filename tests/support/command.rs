//! The program as a script runs it: its words in, what it printed and returned out.
//!
//! May touch child processes.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::process::{Command, Output, Stdio};

/// The program with these words, to be run.
pub(crate) fn sockscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockscope"));
    command.args(args).env_remove("NO_COLOR").env("TERM", "xterm-256color").stdin(Stdio::null());
    command
}

/// Runs it; its exit code, stdout and stderr.
#[track_caller]
pub(crate) fn run(args: &[&str]) -> (i32, String, String) {
    told(&sockscope(args).output().expect("it starts"))
}

/// The same of what was run.
#[track_caller]
pub(crate) fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}
