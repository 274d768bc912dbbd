//! A program in a real pty, seen through a terminal emulator: what a user would see and type, with a deadline.
//!
//! May touch ptys and child processes. Read first: pty(7), the crates portable-pty and vt100.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Far longer than anything takes on a machine that does other things besides.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A pty with a program on it.
pub(crate) struct Pty {
    parser: vt100::Parser,
    /// Everything that came, as it came.
    raw: Vec<u8>,
    bytes: Receiver<Vec<u8>>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    let_go: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    /// The terminal's modes before the program began.
    before: String,
}

/// The program under test with its arguments, in an environment that does not depend on who runs the tests.
pub(crate) fn sockscope(args: &[&str]) -> CommandBuilder {
    command(env!("CARGO_BIN_EXE_sockscope"), args)
}

/// Any program, likewise.
pub(crate) fn command(program: &str, args: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env("TERM", "xterm-256color");
    command.env("TZ", "UTC");
    command.env("LC_ALL", "C.UTF-8");
    command.env_remove("NO_COLOR");
    command
}

impl Pty {
    /// Starts a program in a terminal of `columns` x `rows`.
    pub(crate) fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pty");
        let before = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).expect("the program starts");
        // Once the child has ended nobody holds the slave: the reader comes to an end then.
        drop(pair.slave);
        let (send, bytes) = channel();
        let let_go = Arc::new(AtomicBool::new(false));
        let input = pair.master.try_clone_reader().expect("a reader");
        let stop = Arc::clone(&let_go);
        let reader = std::thread::spawn(move || follow(input, &send, &stop));
        let writer = pair.master.take_writer().expect("a writer");
        Self {
            parser: vt100::Parser::new(rows, columns, 0),
            raw: Vec::new(),
            bytes,
            master: Some(pair.master),
            writer: Some(writer),
            child,
            let_go,
            reader: Some(reader),
            before,
        }
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// What the screen shows.
    pub(crate) fn text(&self) -> String {
        self.screen().contents()
    }

    /// Everything that the program has written so far.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.process_id().expect("it runs");
        Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid")
    }

    /// The same as a number.
    pub(crate) fn id(&self) -> u32 {
        self.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// The line that has `word` in it once all that was drawn by now is on the screen.
    #[track_caller]
    pub(crate) fn line_with(&mut self, word: &str) -> String {
        while let Ok(bytes) = self.bytes.try_recv() {
            self.take(&bytes);
        }
        self.wait(word, |screen| screen.contents().contains(word));
        self.text().lines().find(|line| line.contains(word)).unwrap_or_default().trim().to_owned()
    }

    pub(crate) fn send_signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the signal is sent");
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("the terminal is there");
        writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).expect("keys are typed");
    }

    /// Waits until the screen passes `test`.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, test: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !test(self.parser.screen()) {
            match self.bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(why) => panic!("waited for {what}: {why}; the screen shows\n{}", self.text()),
            }
        }
    }

    /// Waits until all of `words` are on the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &[&str]) {
        self.wait(&format!("{words:?}"), |screen| {
            let text = screen.contents();
            words.iter().all(|word| text.contains(word))
        });
    }

    /// Waits until `word` is gone from the screen.
    #[track_caller]
    pub(crate) fn shows_no(&mut self, word: &str) {
        self.wait(&format!("no {word:?}"), |screen| !screen.contents().contains(word));
    }

    /// Waits until the program has written `text` after the first `from` bytes.
    #[track_caller]
    pub(crate) fn writes(&mut self, text: &str, from: usize) {
        let deadline = Instant::now() + DEADLINE;
        while !String::from_utf8_lossy(&self.raw[from..]).contains(text) {
            match self.bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(why) => panic!("waited for {text:?}: {why}"),
            }
        }
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.master.as_ref().expect("the terminal is there").resize(size(columns, rows)).expect("a new size");
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.bytes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; the screen shows\n{}", self.text()),
            }
        }
        self.child.wait().expect("the child is ours")
    }

    /// What of the terminal has not been given back; empty if all is as before the program began.
    pub(crate) fn left_behind(&self) -> Vec<&'static str> {
        let screen = self.screen();
        let mut left = Vec::new();
        let mut check = |wrong: bool, what| left.extend(wrong.then_some(what));
        check(screen.alternate_screen(), "alternate screen");
        check(screen.hide_cursor(), "hidden cursor");
        check(screen.bracketed_paste(), "bracketed paste");
        check(screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "mouse reports");
        check(self.modes() != self.before, "terminal modes (termios)");
        left
    }

    /// The terminal's modes (termios) now.
    pub(crate) fn modes(&self) -> String {
        modes(self.master.as_deref().expect("the terminal is there"))
    }

    /// Closes the terminal under the program. It must still be writing now and then.
    #[track_caller]
    pub(crate) fn vanish(&mut self) {
        self.let_go.store(true, Ordering::SeqCst);
        self.reader.take().expect("vanishes once").join().expect("the reader ends");
        drop(self.writer.take());
        drop(self.master.take());
    }

    /// Waits for the end of a program whose terminal has vanished.
    #[track_caller]
    pub(crate) fn end_unseen(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            std::thread::yield_now();
        }
        panic!("it does not end");
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.parser.process(bytes);
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It has ended already where the test passed.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn modes(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().expect("the terminal's modes"))
}

fn follow(mut input: Box<dyn Read + Send>, send: &Sender<Vec<u8>>, let_go: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while !let_go.load(Ordering::SeqCst) {
        match input.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) if send.send(buffer[..count].to_vec()).is_err() => return,
            Ok(_) => {}
        }
    }
}

/// The state letter of a process (proc(5)), and the processor time that it has used.
pub(crate) fn process(pid: Pid) -> Option<(char, Duration)> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let each = rustix::param::clock_ticks_per_second();
    Some((fields.first()?.chars().next()?, Duration::from_millis(ticks * 1000 / each)))
}
