//! The terminal guard against a real pseudo-terminal: this test binary runs itself as the program on its far side.
//!
//! The program draws `ready`, then writes each event that it gets to a file, until `q`, a signal or a hang-up.
#![cfg(all(feature = "live", feature = "tui"))]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use sockscope::io::tty::{Terminal, TtyEvent};

#[path = "support/skip.rs"]
mod skip;
use skip::skip;

const LOG: &str = "SOCKSCOPE_TTY_TEST_LOG";
const PATIENCE: Duration = Duration::from_secs(20);

/// Not a test of its own: the far side of those below, which start it with `LOG` set.
#[test]
fn far_side() {
    let Ok(log) = std::env::var(LOG) else { return };
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut terminal = Terminal::enter().unwrap();
    loop {
        let drawn = terminal.draw(|frame| {
            let style = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::BOLD);
            frame.buffer_mut().set_string(0, 0, "ready", style);
        });
        if let Err(error) = drawn {
            writeln!(log, "draw: {error}").unwrap();
            return;
        }
        let Some(event) = terminal.next_event(Duration::from_millis(50)).unwrap() else { continue };
        writeln!(log, "{event:?}").unwrap();
        let TtyEvent::Input(Event::Key(key)) = event else {
            if matches!(event, TtyEvent::Quit(_) | TtyEvent::HangUp) {
                return;
            }
            continue;
        };
        match key.code {
            KeyCode::Char('q') => return,
            KeyCode::Char('z') => terminal.suspend().unwrap(),
            KeyCode::Char('P') => {
                let _ = std::thread::spawn(|| panic!("a worker died")).join();
            }
            _ => {}
        }
    }
}

/// A program on a pseudo-terminal, and what a terminal would show of it.
struct Stage {
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    child: Box<dyn Child + Send + Sync>,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn open(command: impl FnOnce(&Path) -> CommandBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let pair =
            native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = command(&log);
        command.env(LOG, &log);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(24, 80, 0);
        Self { master: Some(pair.master), keyboard, output, screen, child, log, _folder: folder }
    }

    /// The far side alone.
    fn program() -> Self {
        let mut stage = Self::open(|_| {
            let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
            command.args(["--exact", "far_side", "--nocapture", "--test-threads=1"]);
            command
        });
        stage.until("ready on the alternate screen", |screen| {
            screen.alternate_screen() && first_line(screen) == "ready"
        });
        stage
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Reads output until the screen is as wanted.
    fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{error}: never {what}:\n{}", self.screen.screen().contents()),
            }
        }
    }

    /// Waits for the far side's log to hold `line`.
    fn logged(&mut self, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !std::fs::read_to_string(&self.log).unwrap_or_default().contains(line) {
            assert!(Instant::now() < deadline, "never logged {line}: {:?}", std::fs::read_to_string(&self.log));
            // The log is a file of another process: there is nothing to wait on but its output, which it goes on writing.
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(10)) {
                self.screen.process(&bytes);
            }
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for the end, and holds that the terminal is as it was before.
    fn ends_with_the_terminal_restored(&mut self) {
        self.until("back on the main screen", |screen| !screen.alternate_screen());
        let status = wait(&mut *self.child);
        assert!(status.success(), "{status:?}");
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.screen.process(&bytes);
        }
        self.is_restored();
        let modes = self.master.as_ref().unwrap().get_termios().unwrap();
        assert!(is_cooked(&modes), "still raw: {modes:?}");
    }

    fn is_restored(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

fn first_line(screen: &vt100::Screen) -> String {
    screen.rows(0, 80).next().unwrap_or_default().trim_end().to_owned()
}

/// Whether lines are edited and echoed, as before raw mode.
fn is_cooked(modes: &impl std::fmt::Debug) -> bool {
    let text = format!("{modes:?}");
    text.contains("ICANON") && text.contains("ECHO")
}

fn wait(child: &mut (dyn Child + Send + Sync)) -> portable_pty::ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it never ends");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn quitting_restores_the_terminal() {
    let mut stage = Stage::program();
    let screen = stage.screen.screen();
    assert!(screen.hide_cursor() && screen.bracketed_paste());
    assert_ne!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert!(!is_cooked(&stage.master.as_ref().unwrap().get_termios().unwrap()), "not raw");
    stage.press("q");
    stage.ends_with_the_terminal_restored();
}

#[test]
fn several_keys_in_one_read_are_all_told() {
    let mut stage = Stage::program();
    stage.press("abc\x1b[Aq");
    stage.ends_with_the_terminal_restored();
    let log = std::fs::read_to_string(&stage.log).unwrap();
    for key in ["Char('a')", "Char('b')", "Char('c')", "code: Up", "Char('q')"] {
        assert!(log.contains(key), "{key}: {log}");
    }
}

#[test]
fn signals_that_ask_to_end_are_told_and_the_terminal_is_restored() {
    use rustix::process::Signal;
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2)] {
        let mut stage = Stage::program();
        stage.signal(signal);
        stage.ends_with_the_terminal_restored();
        assert!(std::fs::read_to_string(&stage.log).unwrap().contains(&format!("Quit({number})")));
    }
}

#[test]
fn a_panic_in_another_thread_restores_the_terminal_before_it_is_printed() {
    let mut stage = Stage::program();
    stage.press("P");
    stage.ends_with_the_terminal_restored();
    assert!(stage.screen.screen().contents().contains("a worker died"), "{}", stage.screen.screen().contents());
    assert!(std::fs::read_to_string(&stage.log).unwrap().contains("draw: the terminal was given back"));
}

#[test]
fn a_new_size_is_told() {
    let mut stage = Stage::program();
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    stage.master.as_ref().unwrap().resize(size).unwrap();
    stage.logged("Resize(120, 40)");
    stage.press("q");
    stage.ends_with_the_terminal_restored();
}

#[test]
fn going_on_after_a_stop_from_outside_is_told_and_drawn_again() {
    let mut stage = Stage::program();
    stage.signal(rustix::process::Signal::STOP);
    stage.signal(rustix::process::Signal::CONT);
    stage.logged("Resumed");
    stage.until("ready again", |screen| screen.alternate_screen() && first_line(screen) == "ready");
    stage.press("q");
    stage.ends_with_the_terminal_restored();
}

#[test]
fn a_terminal_that_dies_ends_the_program() {
    let mut stage = Stage::program();
    let (_, nobody) = channel();
    stage.output = nobody;
    stage.keyboard = Box::new(std::io::sink());
    drop(stage.master.take());
    wait(&mut *stage.child);
    let log = std::fs::read_to_string(&stage.log).unwrap();
    // Whichever comes first: the signal, the hang-up, or a write that fails.
    assert!(["Quit(1)", "HangUp", "draw: "].iter().any(|end| log.contains(end)), "{log}");
}

/// The whole story of Ctrl-Z needs a shell with job control.
#[test]
fn suspending_gives_the_terminal_to_the_shell_and_takes_it_back() {
    if !Path::new("/bin/bash").exists() {
        skip("no /bin/bash");
        return;
    }
    let mut stage = Stage::open(|_| {
        let mut command = CommandBuilder::new("/bin/bash");
        command.args(["--norc", "--noprofile", "-i"]);
        command.env("PS1", "shell> ");
        command
    });
    stage.until("a prompt", |screen| screen.contents().contains("shell>"));
    let program = std::env::current_exe().unwrap();
    stage.press(&format!("{} --exact far_side --nocapture --test-threads=1\r", program.display()));
    stage.until("ready", |screen| screen.alternate_screen() && first_line(screen) == "ready");
    stage.press("z");
    stage.until("stopped", |screen| !screen.alternate_screen() && screen.contents().contains("Stopped"));
    stage.is_restored_but_for_the_shells_paste();
    stage.press("fg\r");
    stage.until("ready again", |screen| screen.alternate_screen() && first_line(screen) == "ready");
    stage.press("q");
    stage.until("the shell again", |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("shell>")
    });
    stage.press("exit\r");
    assert!(wait(&mut *stage.child).success());
}

impl Stage {
    /// A shell that edits lines turns bracketed paste on for itself.
    fn is_restored_but_for_the_shells_paste(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}
