//! The program as a user runs it: in a real terminal, keys in, a screen out, and the terminal as it was when it ends.
//!
//! May touch ptys, child processes, and as root the sockets of this host (read only).
#![cfg(all(feature = "live", feature = "tui"))]
#![allow(clippy::print_stdout, reason = "measured figures, and what is skipped, are told")]

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sockscope::journal::CaptureReader;
use sockscope::wire::{Decoded, Decoder};
use tempfile::TempDir;

#[path = "support/incident.rs"]
mod incident;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/skip.rs"]
mod skip;

use incident::incident;
use skip::skip;

use pty::{DEADLINE, Pty, command, process, sockscope};

/// The incident as a file: it is at its end at once, so that nothing moves but what keys move.
struct Capture {
    dir: TempDir,
    path: String,
}

fn capture() -> Capture {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("incident.pcap");
    fs::write(&path, incident()).expect("a capture");
    Capture { path: path.to_str().expect("a plain name").to_owned(), dir }
}

impl Capture {
    fn open(&self, columns: u16, rows: u16) -> Pty {
        let mut pty = Pty::start(sockscope(&["-r", &self.path]), columns, rows);
        pty.shows(&["at the end", "quit"]);
        pty
    }

    fn pictures(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path()).expect("the directory").map(|entry| entry.expect("a file").path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "png")).collect()
    }
}

fn quit(mut pty: Pty) {
    pty.keys("q");
    let status = pty.end();
    assert_eq!((status.exit_code(), pty.left_behind()), (0, vec![]), "{}", pty.text());
}

#[test]
fn the_first_screen_at_every_size() {
    let capture = capture();
    let panes = ["─ Handshakes", "States", "Queues", "TIME-WAIT", "refused", "198.5"];
    for (columns, rows, more) in [(80, 24, vec![]), (120, 40, vec!["of 567"]), (200, 60, vec!["of 567", "Traffic"])] {
        let mut file = capture.open(columns, rows);
        file.shows(&[&panes[..], &more].concat());
        file.shows(&["REPLAY", "1:09.8 / 1:09.8", "100%", "1 Over", "help  q quit"]);
        assert!(file.screen().alternate_screen() && file.screen().hide_cursor());
        quit(file);

        let mut demo = Pty::start(sockscope(&["demo"]), columns, rows);
        demo.shows(&["DEMO", "playing", "1×", "─ Handshakes", "States", "Queues", "TIME-WAIT", "ESTAB"]);
        // It moves: a second of the capture passes in a second.
        demo.shows(&["0:02."]);
        quit(demo);
    }
}

#[test]
fn a_damage_is_told_once_more_on_exit() {
    let whole = incident();
    let capture = capture();
    fs::write(&capture.path, &whole[..whole.len() - 5]).expect("a capture");
    let mut pty = capture.open(120, 40);
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 2);
    assert!(!pty.screen().alternate_screen());
    pty.shows(&["sockscope: ", "incident.pcap: ", "everything before it was used"]);
}

#[test]
fn every_tab_leads_to_its_list() {
    let capture = capture();
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let mut pty = capture.open(columns, rows);
        pty.keys("3");
        pty.shows(&["outcome", "by failures", "unanswered", "refused", "┄", "━R"]);
        pty.keys("4");
        pty.shows(&["window", "closed", "192.0.2.10:9000"]);
        pty.keys("5");
        pty.shows(&["to service", "→ 198.51.100.5:5432", "entered"]);
        pty.keys("j\r");
        pty.shows(&["198.51.100.5:5432", "by rate"]);
        pty.shows_no("to service");
        pty.keys("\x1b");
        pty.shows(&["to service"]);
        pty.keys("6");
        pty.shows(&["came in", "SYN-RECV", "192.0.2.10:80"]);
        pty.keys("7");
        pty.shows(&["not recorded"]);
        pty.keys("x");
        pty.shows(&["lsof(8)"]);
        pty.keys("\x1b");
        pty.shows_no("lsof(8)");
        pty.keys("\t");
        pty.shows(&["in numbers", "‼ refused", "what to do", "failed 20"]);
        pty.keys("\r");
        pty.shows(&["198.51.100.20:6379", "by rate"]);
        pty.keys("\x1b");
        pty.shows(&["in numbers"]);
        pty.keys("\t");
        pty.shows(&["1 Over", "─ States"]);
        // The cursor stands where it stood: on the first.
        pty.keys("j\r");
        pty.shows(&["what to do", "ss -tnmp"]);
        quit(pty);
    }
    let mut named = Pty::start(sockscope(&["demo", "--view", "handshakes"]), 120, 40);
    named.shows(&["DEMO", "orig → resp"]);
    quit(named);
}

#[test]
fn views_open_and_close() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("2");
    pty.shows(&["orig state", "handshake"]);
    pty.shows_no("─ Handshakes");
    pty.keys("j\r");
    pty.shows(&["Flow ", "─ orig ", "─ resp ", "─ Life ", "─ Handshake ", " inferred"]);
    pty.keys("\x1b");
    pty.shows(&["orig state"]);
    pty.keys("1");
    pty.shows(&["─ Handshakes", "TIME-WAIT  473 inferred"]);
    pty.keys("z");
    pty.shows_no("─ Handshakes");
    pty.shows(&["of 567"]);
    pty.keys("z");
    pty.shows(&["─ Handshakes"]);
    pty.keys("?");
    pty.shows(&["Views and panes", "one segment on", "jump to a time", "Ctrl-Z", "Marks and columns"]);
    pty.keys("?");
    pty.shows_no("Views and panes");
    quit(pty);
}

#[test]
fn a_flow_is_told_segment_by_segment() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("2/:9000\r");
    pty.shows(&["198.51.100.105:53046"]);
    pty.keys("j\r");
    pty.shows(&["Flow 20 ", "─ Life "]);
    pty.keys("l");
    pty.shows(&["SYN-SENT   0.000000", "═ 9 segments  13.0 kB  1–13,033", "again, needlessly", "zero-window probe"]);
    pty.keys("jjj");
    pty.shows(&["#4  orig → resp  1,448 B"]);
    pty.keys("\r");
    pty.shows_no("9 segments");
    pty.keys("l");
    pty.shows(&["window edge", "in flight", "#4  orig → resp  1,448 B"]);
    // A click on the graph puts the cursor there, one on a tab leads to that part.
    pty.keys("\x1b[<0;110;15M\x1b[<0;110;15m");
    pty.shows_no("#4  orig → resp");
    pty.keys("\x1b[<0;98;5M\x1b[<0;98;5m");
    pty.shows(&["zero-window probe"]);
    pty.keys("\x1b");
    pty.shows_no("zero-window probe");
    quit(pty);
}

#[test]
fn the_filter_works_as_it_is_typed() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("2/6379 refused");
    pty.shows(&["20 of 567", "198.51.100.20:6379"]);
    pty.shows_no("completed");
    // What are commands elsewhere are letters here.
    pty.keys(" q?");
    pty.shows(&["0 of 567", "refused q?"]);
    pty.keys("\x7f\x7f\x7f\r");
    pty.shows(&["20 of 567"]);
    pty.keys("\x1b");
    pty.shows_no("20 of 567");
    // A paste is text, whatever it holds: no key of it may quit.
    pty.keys("/\x1b[200~5432\rq\x1b[201~");
    pty.shows(&["5432·q"]);
    pty.keys("\x1b");
    pty.shows_no("5432·q");
    quit(pty);
}

#[test]
fn the_order_changes() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("2");
    pty.shows(&["sort rate ▼"]);
    pty.keys("s");
    pty.shows_no("sort rate");
    pty.shows(&["▼"]);
    pty.keys("S");
    pty.shows(&["▲"]);
    quit(pty);
}

#[test]
fn the_mouse_points_and_its_motions_cost_little() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    // Reports are 1-based (xterm's SGR mode): the tab "2 Flows" in the sixth line, below the timeline.
    pty.keys("\x1b[<0;18;6M\x1b[<0;18;6m");
    pty.shows(&["orig state", "handshake"]);
    pty.shows_no("─ Handshakes");
    pty.keys("s");
    pty.shows(&["sort recent ▼"]);
    // The second row, twice: it is selected, and opened.
    pty.keys("\x1b[<0;30;10M\x1b[<0;30;10m");
    pty.keys("\r");
    pty.shows(&["─ orig  198.51.100.102:58216 "]);
    let pid = pty.pid();
    let before = process(pid).expect("it runs").1;
    for _ in 0..50 {
        let motions: String = (0..100).map(|at| format!("\x1b[<35;{};{}M", 1 + at, 1 + at % 40)).collect();
        pty.keys(&motions);
    }
    pty.keys("\x1b[<0;5;6M\x1b[<0;5;6m");
    pty.shows(&["─ Handshakes", "TIME-WAIT"]);
    let used = process(pid).expect("it runs").1 - before;
    println!("5,000 motions of the pointer took {used:?} of processor time");
    assert!(used < Duration::from_secs(5), "a frame for each");
    quit(pty);
}

#[test]
fn a_long_paste_is_taken_in_whole() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys(&format!("2/\x1b[200~{}\x1b[201~", "5432 ".repeat(1_000)));
    pty.shows(&["5432 5432", "of 567"]);
    pty.keys("\x1b");
    pty.shows_no("5432 5432");
    quit(pty);
}

/// What is typed faster than frames are drawn means the same as typed slowly.
#[test]
fn no_key_is_lost_when_typed_fast() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("2/6379 refused\rjjj\r");
    pty.shows(&["─ orig  192.0.2.10:44732 ", "─ resp  198.51.100.20:6379 ", "Refused"]);
    pty.keys("2g");
    pty.shows(&["20 of 567"]);
    pty.keys("jjjjjjkkkG\r");
    pty.shows(&["─ orig  192.0.2.10:49290 "]);
    quit(pty);
}

#[test]
fn playback_as_the_help_says() {
    let mut pty = Pty::start(sockscope(&["demo"]), 120, 40);
    pty.shows(&["▶ playing  1×", "0:00."]);
    pty.keys(" ");
    pty.shows(&["‖ paused"]);
    pty.keys("+");
    pty.shows(&["2×"]);
    pty.keys("-");
    pty.shows(&["  1×"]);
    pty.keys("t1m5\r");
    pty.shows(&["‖ paused", "1:05.0 /"]);
    pty.keys("\x1b[D");
    pty.shows(&["‖ paused", "1:00.0 /"]);
    pty.keys("\x1b[C");
    pty.shows(&["‖ paused", "1:05.0 /"]);
    pty.keys("0");
    pty.shows(&["‖ paused", "0:00.0 /"]);
    pty.keys("tsoon\r");
    pty.shows_no("to time");
    pty.shows(&["0:00.0 /"]);
    pty.keys("+++++++ ");
    pty.shows(&["■ at the end", "100%"]);
    quit(pty);
}

/// A file is shown whole at once; who then jumps back wants to stay there and watch, not to run on to the end.
#[test]
fn a_jump_back_from_the_end_stays_there() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.keys("t12.5\r");
    pty.shows(&["‖ paused  1×", "0:12.5 /"]);
    pty.keys(" ");
    pty.shows(&["▶ playing  1×", "0:13."]);
    pty.keys(" ");
    pty.shows(&["‖ paused"]);
    pty.keys("t12.5\r");
    pty.shows(&["‖ paused", "0:12.5 /"]);
    quit(pty);
}

#[test]
fn a_step_is_one_segment() {
    let capture = capture();
    let mut pty = capture.open(200, 60);
    pty.keys("t20\r");
    pty.shows(&["‖ paused", "0:20.0 /"]);
    let before = segments_within(Duration::from_secs(20));
    pty.wait("its segments", |screen| traffic(screen) == Some(before));
    for more in 1..=5 {
        pty.keys(".");
        pty.wait("one segment more", |screen| traffic(screen) == Some(before + more));
    }
    quit(pty);
}

/// How many segments of the incident lie within `span` of its first.
fn segments_within(span: Duration) -> u64 {
    let mut reader = CaptureReader::open(Box::new(std::io::Cursor::new(incident()))).expect("a capture");
    let mut times = Vec::new();
    let mut decoder = Decoder::default();
    while let Some(frame) = reader.next_frame().expect("it is whole") {
        times.extend(matches!(decoder.decode(&frame), Decoded::Tcp(_)).then_some(frame.ts));
    }
    let end = times[0] + span;
    times.iter().filter(|ts| **ts <= end).count() as u64
}

/// The segments so far, of the title of the traffic pane.
fn traffic(screen: &vt100::Screen) -> Option<u64> {
    let text = screen.contents();
    let (_, rest) = text.split_once("Traffic  ")?;
    rest.split(' ').next()?.replace(',', "").parse().ok()
}

#[test]
fn a_picture_is_saved_beside_the_others() {
    let capture = capture();
    let mut command = sockscope(&["-r", &capture.path]);
    command.cwd(capture.dir.path());
    let mut pty = Pty::start(command, 80, 24);
    pty.shows(&["at the end"]);
    for pictures in 1..=2 {
        pty.keys("p");
        pty.shows(&["picture: sockscope-"]);
        assert_eq!(capture.pictures().len(), pictures);
        pty.keys("1");
        pty.shows_no("picture: sockscope-");
    }
    quit(pty);
}

#[test]
fn the_size_changes_while_it_runs() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    pty.shows(&["of 567"]);
    for (columns, rows) in [(80, 24), (200, 60), (40, 10), (79, 24)] {
        pty.resize(columns, rows);
        pty.wait(&format!("a screen of {columns}x{rows}"), |screen| fills(screen, rows));
    }
    for (columns, rows) in [(39, 24), (80, 9), (12, 4), (1, 1)] {
        pty.resize(columns, rows);
        if columns > 10 {
            pty.shows(&[&format!("{columns}x{rows}")]);
        }
    }
    pty.resize(80, 24);
    pty.shows(&["Handshakes", "TIME-WAIT", "q quit"]);
    pty.wait("a whole screen", |screen| fills(screen, 24));
    quit(pty);
}

/// Whether the last line is the footer.
fn fills(screen: &vt100::Screen, rows: u16) -> bool {
    let text = screen.contents();
    text.lines().nth(usize::from(rows) - 1).is_some_and(|line| line.contains("quit"))
}

#[test]
fn quitting_a_screen_too_small_works() {
    let mut pty = Pty::start(sockscope(&["demo"]), 30, 8);
    pty.shows(&["too small", "needs 40x10"]);
    quit(pty);
}

#[test]
fn the_terminal_is_given_back_whatever_ends_the_program() {
    let capture = capture();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut pty = capture.open(80, 24);
        assert!(!pty.left_behind().is_empty(), "the terminal is taken over");
        pty.send_signal(signal);
        assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]), "{signal:?}");
    }
    let mut pty = capture.open(80, 24);
    pty.keys("\x03");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]), "Ctrl-C");
    // A prompt takes letters, but not Ctrl-C.
    let mut pty = capture.open(80, 24);
    pty.keys("/q");
    pty.shows(&["/q"]);
    pty.keys("\x03");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]), "Ctrl-C in a prompt");
}

#[test]
fn suspended_and_resumed() {
    let capture = capture();
    let script = format!(
        "set -m; {} -r {}; echo \"[stopped $?]\"; read line; fg >/dev/null; echo \"[ended $?]\"",
        env!("CARGO_BIN_EXE_sockscope"),
        capture.path
    );
    let mut pty = Pty::start(command("bash", &["--norc", "-c", &script]), 80, 24);
    pty.shows(&["at the end", "Handshakes"]);
    pty.keys("\x1a");
    pty.shows(&["[stopped 148]"]);
    assert_eq!(pty.left_behind(), Vec::<&str>::new(), "{}", pty.text());
    // The size changes while nobody looks.
    pty.resize(120, 40);
    pty.keys("\n");
    pty.shows(&["at the end", "Handshakes", "of 567"]);
    pty.wait("a whole screen", |screen| fills(screen, 40) && screen.alternate_screen() && screen.hide_cursor());
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
    assert!(pty.text().contains("[ended 0]"), "{}", pty.text());
    assert_eq!(pty.left_behind(), Vec::<&str>::new());
}

#[test]
fn stopped_from_outside_it_draws_all_again() {
    let capture = capture();
    let mut pty = capture.open(80, 24);
    pty.send_signal(Signal::STOP);
    let pid = pty.pid();
    until("it has stopped", || process(pid).is_some_and(|(state, _)| state == 'T'));
    let drawn = pty.raw().len();
    pty.send_signal(Signal::CONT);
    pty.writes("\x1b[?1049h", drawn);
    pty.shows(&["Handshakes", "TIME-WAIT", "q quit"]);
    // Draws all again when asked, too.
    let drawn = pty.raw().len();
    pty.keys("\x0c");
    pty.writes("Handshakes", drawn);
    quit(pty);
}

#[track_caller]
fn until(what: &str, test: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !test() {
        assert!(Instant::now() < deadline, "waited for this: {what}");
        std::thread::yield_now();
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_in_any_thread_gives_the_terminal_back_and_is_printed() {
    let capture = capture();
    for (thread, keys) in [("engine", " "), ("ui", "\x0c")] {
        let mut command = sockscope(&["-r", &capture.path]);
        command.env("SOCKSCOPE_TEST_PANIC", thread);
        let mut pty = Pty::start(command, 120, 40);
        pty.shows(&["at the end", "Handshakes"]);
        pty.keys(keys);
        ended_by_panic(&mut pty, thread);
    }
    // The reader of a stream, in the middle of it.
    let fifo = Fifo::new();
    let mut command = sockscope(&["-r", &fifo.path]);
    command.env("SOCKSCOPE_TEST_PANIC", "reader");
    let mut pty = Pty::start(command, 120, 40);
    let mut input = fifo.open();
    input.write_all(&incident()).expect("it reads");
    pty.shows(&["playing", "Handshakes", "1:09.8"]);
    drop(input);
    ended_by_panic(&mut pty, "reader");
}

#[cfg(debug_assertions)]
#[track_caller]
fn ended_by_panic(pty: &mut Pty, thread: &str) {
    let status = pty.end();
    assert_ne!(status.exit_code(), 0, "{thread}");
    assert_eq!(pty.left_behind(), Vec::<&str>::new(), "{thread}");
    let text = pty.text();
    assert!(text.contains(&format!("SOCKSCOPE_TEST_PANIC={thread}")) && text.contains("panicked"), "{text}");
    // Nothing was drawn over it.
    assert!(!text.contains("Handshakes"), "{text}");
}

/// A named pipe.
struct Fifo {
    _dir: TempDir,
    path: String,
}

impl Fifo {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("stream").to_str().expect("a plain name").to_owned();
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        Self { _dir: dir, path }
    }

    /// Waits for the program to read.
    fn open(&self) -> File {
        File::options().write(true).open(&self.path).expect("the named pipe")
    }
}

/// What comes through a pipe is shown when it comes, not when there is more of it; one can leave at any time.
#[test]
fn a_stream_is_shown_as_it_comes() {
    let fifo = Fifo::new();
    let mut pty = Pty::start(sockscope(&["-r", &fifo.path]), 200, 60);
    let mut input = fifo.open();
    let bytes = incident();
    let (head, frames) = bytes.split_at(24);
    input.write_all(head).expect("it reads");
    pty.shows(&["nothing read yet"]);
    // The screen moves while the stream is silent, and a step waits without stopping anything.
    pty.keys(".?");
    pty.shows(&["Views and panes"]);
    pty.keys("?");
    let mut frames = frames;
    let mut next = || {
        let length = u32::from_le_bytes(frames[8..12].try_into().expect("four bytes")) as usize;
        let (frame, rest) = frames.split_at(16 + length);
        frames = rest;
        input.write_all(frame).expect("it reads");
        // Ethernet's type and IP's protocol: is it TCP?
        let ethernet = &frame[16..];
        u64::from(match ethernet[12..14] {
            [0x08, 0x00] => ethernet[23] == 6,
            [0x86, 0xdd] => ethernet[20] == 6,
            _ => false,
        })
    };
    // The step is made once there is a segment; then it goes on.
    let mut count = next();
    pty.wait("the first segment", |screen| traffic(screen) == Some(1));
    pty.shows(&["‖ paused"]);
    pty.keys(" ");
    for _ in 0..8 {
        count += next();
        pty.wait(&format!("segment {count}"), |screen| traffic(screen).unwrap_or_default() == count);
    }
    assert!(count > 3, "segments among them");
    // Back cannot be: that is said.
    pty.keys("0");
    pty.shows(&["a stream cannot be played again"]);
    pty.keys("q");
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
}

#[test]
fn a_stream_that_is_silent_can_be_left() {
    let fifo = Fifo::new();
    let mut pty = Pty::start(sockscope(&["-r", &fifo.path]), 80, 24);
    let mut input = fifo.open();
    input.write_all(&incident()[..24]).expect("it reads");
    pty.shows(&["nothing read yet"]);
    pty.keys("..");
    quit(pty);
    drop(input);
}

#[test]
fn a_capture_on_stdin_leaves_the_keys_to_the_terminal() {
    let capture = capture();
    let script = format!("exec {} -r - < {}", env!("CARGO_BIN_EXE_sockscope"), capture.path);
    let mut pty = Pty::start(command("sh", &["-c", &script]), 120, 40);
    pty.shows(&["stdin", "at the end", "of 567"]);
    pty.keys("2");
    pty.shows(&["orig state"]);
    pty.keys("\x1b[D");
    pty.shows(&["a stream cannot be played again: save it to a file to go back"]);
    pty.keys("j\rl");
    pty.shows(&["no segments to show: segments of a stream are not kept"]);
    quit(pty);
}

#[test]
fn a_terminal_on_stdin_is_no_capture() {
    let mut pty = Pty::start(sockscope(&["-r", "-"]), 120, 40);
    assert_eq!(pty.end().exit_code(), 1);
    assert!(pty.text().contains("stdin is a terminal"), "{}", pty.text());
    assert_eq!(pty.left_behind(), Vec::<&str>::new());
}

#[test]
fn a_terminal_that_vanishes_ends_the_program() {
    // Once with the signal that comes with it, once where a parent has had it ignored (nohup).
    let ignoring = format!("trap '' HUP; exec {} demo", env!("CARGO_BIN_EXE_sockscope"));
    for command in [sockscope(&["demo"]), command("sh", &["-c", &ignoring])] {
        let mut pty = Pty::start(command, 80, 24);
        pty.shows(&["playing", "0:01."]);
        let (pid, began) = (pty.pid(), Instant::now());
        let used = process(pid).expect("it runs").1;
        pty.vanish();
        let mut last = used;
        while let Some((state, now)) = process(pid)
            && state != 'Z'
        {
            last = now;
            assert!(began.elapsed() < DEADLINE, "it does not end");
            std::thread::yield_now();
        }
        pty.end_unseen();
        println!("ended {:?} after its terminal, having used {:?} more", began.elapsed(), last.saturating_sub(used));
        assert!(last.saturating_sub(used) < Duration::from_secs(2), "it spun");
    }
}

#[test]
fn no_color_means_bold_and_reverse_only() {
    let capture = capture();
    let mut command = sockscope(&["-r", &capture.path]);
    command.env("NO_COLOR", "1");
    let mut pty = Pty::start(command, 120, 40);
    pty.shows(&["at the end", "of 567"]);
    pty.keys("2j");
    pty.shows(&["orig state"]);
    pty.wait("bold and reverse", |screen| has(screen, vt100::Cell::bold) && has(screen, vt100::Cell::inverse));
    assert!(!has(pty.screen(), coloured));
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
    let set = colours(pty.raw());
    assert!(set.is_empty(), "colours are set: {set:?}");

    let mut pty = capture.open(120, 40);
    pty.wait("colour", |screen| has(screen, coloured));
    pty.keys("q");
    pty.end();
    assert!(!colours(pty.raw()).is_empty(), "this test can tell");
}

fn has(screen: &vt100::Screen, test: fn(&vt100::Cell) -> bool) -> bool {
    let (rows, columns) = screen.size();
    let mut cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    cells.any(|(row, column)| screen.cell(row, column).is_some_and(test))
}

fn coloured(cell: &vt100::Cell) -> bool {
    cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default
}

/// Parameters of the SGR sequences that set a colour (39, 49 and 59 take it away; ECMA-48 §8.3.117).
fn colours(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut found = Vec::new();
    for part in text.split("\x1b[").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':').unwrap_or(part.len());
        if part[end..].starts_with('m') {
            let sets = |word: &str| {
                word.parse::<u32>().is_ok_and(|n| matches!(n, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107))
            };
            found.extend(part[..end].split([';', ':']).filter(|word| sets(word)).map(str::to_owned));
        }
    }
    found
}

#[test]
fn a_dumb_terminal_gets_the_report() {
    let mut command = sockscope(&["demo"]);
    command.env("TERM", "dumb");
    let mut pty = Pty::start(command, 120, 40);
    assert_eq!(pty.end().exit_code(), 0);
    assert!(!pty.raw().contains(&0x1b), "no escape sequence");
    assert!(String::from_utf8_lossy(pty.raw()).contains("── Handshakes"));
}

/// Alt-[ sends the beginning of a sequence and nothing after it.
#[test]
fn half_a_sequence_stops_nothing() {
    let mut pty = Pty::start(sockscope(&["demo"]), 120, 40);
    pty.shows(&["0:01."]);
    pty.keys("\x1b[");
    pty.shows(&["0:04."]);
    pty.send_signal(Signal::TERM);
    assert_eq!((pty.end().exit_code(), pty.left_behind()), (0, vec![]));
}

/// A dashboard on which nothing moves costs next to nothing.
#[test]
fn paused_it_rests() {
    let mut pty = Pty::start(sockscope(&["demo"]), 120, 40);
    pty.shows(&["0:03."]);
    pty.keys(" ");
    pty.shows(&["‖ paused"]);
    let (pid, began) = (pty.pid(), Instant::now());
    let before = process(pid).expect("it runs").1;
    // Time must pass for its use to be measured.
    std::thread::sleep(Duration::from_secs(3));
    let used = process(pid).expect("it runs").1 - before;
    let share = used.as_secs_f64() / began.elapsed().as_secs_f64();
    println!("paused, the dashboard uses {:.1} % of a processor", share * 100.0);
    // A build without optimisation needs several times what a release does; a busy loop would take it all.
    assert!(share < 0.5, "{share}");
    quit(pty);
}

#[test]
fn live_it_shows_a_connection_and_its_owner() {
    if !rustix::process::geteuid().is_root() {
        skip("needs root to capture");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    let mut pty = Pty::start(sockscope(&["-i", "lo", "tcp", "port", &port.to_string()]), 200, 60);
    pty.shows(&["LIVE", "kernel ✓"]);
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let (server, _) = listener.accept().expect("a connection");
    client.write_all(&[7; 1234]).expect("it sends");
    pty.keys(&format!("2/{port} estab\r"));
    // The server does not read: its bytes stand in the Recv-Q; both ends are held by this process.
    let own = fs::read_to_string("/proc/self/comm").expect("a name");
    pty.shows(&[&port.to_string(), "ESTAB", own.trim(), "completed"]);
    pty.keys("\r");
    pty.shows(&["ESTAB kernel  ESTAB wire", "1.2 kB unread"]);
    // Frozen, one can walk about in what was there.
    pty.keys(" ");
    pty.shows(&["frozen"]);
    drop((client, server));
    pty.keys("\x1b");
    pty.shows_no("1.2 kB unread");
    pty.keys("1");
    pty.shows(&["frozen", "Handshakes"]);
    pty.keys("2\r");
    pty.shows(&["ESTAB kernel  ESTAB wire", "1.2 kB unread"]);
    pty.keys(" ");
    pty.shows_no("frozen");
    pty.shows_no("1.2 kB unread");
    quit(pty);
}

#[test]
fn time_is_gone_about_in_back_as_forth() {
    let capture = capture();
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut pty = capture.open(columns, rows);
        pty.shows(&["1:09.8 / 1:09.8"]);
        // One back from the end it stands, and from there it is played again, or from the start.
        pty.keys("\x1b[D");
        pty.shows(&["paused", "1:04.8 /"]);
        pty.keys("$");
        pty.shows(&["at the end"]);
        pty.keys(" ");
        pty.shows(&["playing", "0:0", "1×"]);
        pty.keys(" ");
        pty.shows(&["paused"]);
        // Segments and seconds back and forth.
        pty.keys("t30\r");
        pty.shows(&["paused", "0:30.0 /", " / 1:09.8", "1×"]);
        pty.keys("(");
        pty.shows(&["0:29.0 /"]);
        pty.keys(",");
        pty.shows_no("0:29.0 /");
        pty.shows(&["0:28."]);
        pty.keys(".");
        pty.keys(")");
        pty.shows(&["0:29."]);
        // Findings, failures, and the very end.
        pty.keys("n");
        pty.shows_no("0:29.");
        pty.keys("0");
        pty.shows(&["0:00."]);
        pty.keys("N");
        pty.shows(&["no finding before this"]);
        pty.keys("$");
        pty.shows(&["1:09.8 / 1:09.8", "at the end"]);
        pty.keys("mend\r");
        pty.keys("t10\r");
        pty.shows(&["0:10."]);
        pty.keys("'");
        pty.shows(&["1:09.8 / 1:09.8"]);
        quit(pty);
    }
}

#[test]
fn a_click_on_the_timeline_goes_there() {
    let capture = capture();
    let mut pty = capture.open(120, 40);
    // Fourth line, the middle column (1-based).
    pty.keys("\x1b[<0;60;4M\x1b[<0;60;4m");
    pty.shows(&["0:3", "/ 1:09.8", "paused"]);
    quit(pty);
}
