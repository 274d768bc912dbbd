//! The terminal: entered once, given back whatever happens (quit, error, panic in any thread, signal, hang-up, Ctrl-Z).
//!
//! May touch the tty, signals and the panic hook; draws what it is given. Read first: termios(3), signal(7), and
//! crossterm's event source, which spins when its tty dies: it is never asked without looking at the fd first.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Stdout};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use signal_hook::consts::signal::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::{SigId, flag, low_level};

use super::background::{self, Answer, Late};
use crate::base::Rgb;

/// What the terminal has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum TtyEvent {
    /// A key, the mouse, a paste, a new size.
    Input(Event),
    /// A signal asks to end (its number).
    Quit(i32),
    /// The program was stopped from outside and goes on: everything must be drawn again (the screen is cleared
    /// already).
    Resumed,
    /// The terminal is gone: nothing can be shown any more.
    HangUp,
}

/// The terminal in raw mode on its alternate screen. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Terminal {
    screen: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    /// Dropped after the screen, so that what is still to be written is written before.
    _entered: Entered,
    input: Input,
    signals: Signals,
    /// crossterm may hold events that it has read already.
    buffered: bool,
    /// A question that the terminal has not answered.
    late: Option<Late>,
}

/// Where keys come from: stdin, or the controlling terminal if stdin is a pipe (a capture may come through it).
#[derive(Debug)]
enum Input {
    Stdin(io::Stdin),
    Tty(File),
}

impl Input {
    fn open() -> io::Result<Self> {
        let stdin = io::stdin();
        if stdin.is_terminal() { Ok(Self::Stdin(stdin)) } else { File::open("/dev/tty").map(Self::Tty) }
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Tty(tty) => tty.as_fd(),
        }
    }
}

/// How long a stop may take to reach every thread.
const STOP_LATENCY: Duration = Duration::from_millis(200);

/// Signals as bytes in a socket that can be polled beside the tty, and flags that tell which came.
#[derive(Debug)]
struct Signals {
    wake: UnixStream,
    quit: Arc<AtomicUsize>,
    resumed: Arc<AtomicBool>,
    /// SIGWINCH. crossterm hears it too, but only from its first poll on, and no sooner than another thread's handler
    /// gets to it; a size told twice does no harm.
    resized: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Signals {
    fn register() -> io::Result<Self> {
        let (wake, ring) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        ring.set_nonblocking(true)?;
        let quit = Arc::new(AtomicUsize::new(0));
        let (resumed, resized) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        // Built first, so that what is registered is taken back if a later one fails.
        let mut signals = Self { wake, quit, resumed, resized, registered: Vec::new() };
        // The flag before the byte: handlers run in the order of registration.
        for signal in [SIGTERM, SIGHUP, SIGINT] {
            let number = signal.unsigned_abs() as usize;
            signals.registered.push(flag::register_usize(signal, Arc::clone(&signals.quit), number)?);
        }
        signals.registered.push(flag::register(SIGCONT, Arc::clone(&signals.resumed))?);
        signals.registered.push(flag::register(SIGWINCH, Arc::clone(&signals.resized))?);
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGCONT, SIGWINCH] {
            signals.registered.push(low_level::pipe::register(signal, ring.try_clone()?)?);
        }
        Ok(signals)
    }

    fn drain(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.wake.read(&mut bytes), Ok(n) if n > 0) {}
    }

    /// Waits for SIGCONT. The stop may reach another thread first, so that this one runs on for a moment; and a job
    /// that nobody controls does not stop at all, which is why the wait ends by itself.
    fn await_resumption(&mut self) {
        let deadline = Instant::now() + STOP_LATENCY;
        while !self.resumed.swap(false, Ordering::SeqCst) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.drain();
            let mut fds = [PollFd::new(&self.wake, PollFlags::IN)];
            // An error is a signal that came: the loop looks at which.
            let _ = rustix::event::poll(&mut fds, Timespec::try_from(left).ok().as_ref());
        }
    }

    fn take(&self) -> io::Result<Option<TtyEvent>> {
        Ok(match self.quit.swap(0, Ordering::SeqCst) {
            0 if self.resumed.swap(false, Ordering::SeqCst) => Some(TtyEvent::Resumed),
            0 if self.resized.swap(false, Ordering::SeqCst) => {
                let (width, height) = crossterm::terminal::size()?;
                Some(TtyEvent::Input(Event::Resize(width, height)))
            }
            0 => None,
            number => Some(TtyEvent::Quit(i32::try_from(number).unwrap_or(SIGTERM))),
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// Whether the terminal is ours now: whoever gives it back first clears it, and nobody does so twice.
static ENTERED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Held while a frame is on its way: a panic elsewhere gives the terminal back after it, not in the middle.
static DRAWING: Mutex<()> = Mutex::new(());
/// How long crossterm may look for an event where one is likely; with no time at all it does not look.
const A_MOMENT: Duration = Duration::from_millis(1);
/// How long a panic waits for a frame; the panic may be the frame's own.
const FRAME_ENDS: Duration = Duration::from_millis(200);

fn switch_on(input: &Input) -> io::Result<()> {
    ENTERED.store(true, Ordering::SeqCst);
    crossterm::terminal::enable_raw_mode()?;
    // Raw mode waits for a byte: after half a key's sequence (Alt-[) crossterm would wait for the rest, and nothing else.
    let mut modes = tcgetattr(input)?;
    modes.special_codes[SpecialCodeIndex::VMIN] = 0;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(input, OptionalActions::Now, &modes)?;
    execute!(io::stdout(), EnterAlternateScreen, event::EnableMouseCapture, event::EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back, if it is ours. Safe to call from a panic hook in any thread.
fn switch_off() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // Nothing can be done about a failure here: the terminal may be gone.
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            event::DisableBracketedPaste,
            event::DisableMouseCapture,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// Once for the whole program: a panic in any thread gives the terminal back before it is printed.
fn install_hook() {
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _frame = frame_over();
            switch_off();
            print(panic);
        }));
    });
}

/// Waits until no frame is being drawn, but not for ever.
fn frame_over() -> Option<MutexGuard<'static, ()>> {
    let deadline = Instant::now() + FRAME_ENDS;
    loop {
        match DRAWING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

impl Terminal {
    /// Takes the terminal over. Fails where there is none.
    pub fn enter() -> io::Result<Self> {
        let input = Input::open()?;
        let signals = Signals::register()?;
        install_hook();
        // With NO_COLOR set crossterm would drop bold and reverse with the colour; the mono theme has no colour to drop.
        crossterm::style::force_color_output(true);
        // Made before switching on: it gives the terminal back if that fails half-way.
        let entered = Entered;
        switch_on(&input)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stdout()));
        let screen = ratatui::Terminal::new(backend)?;
        Ok(Self { screen, _entered: entered, input, signals, buffered: false, late: None })
    }

    /// The size of the screen.
    pub fn area(&self) -> io::Result<ratatui::layout::Rect> {
        let size = self.screen.size()?;
        Ok(ratatui::layout::Rect::new(0, 0, size.width, size.height))
    }

    /// The colour of the terminal's ground, if it tells it within `patience`. To be asked before the first event: what
    /// is typed meanwhile is lost.
    pub fn background(&mut self, patience: Duration) -> io::Result<Option<Rgb>> {
        let answer = background::ask(&self.input, patience)?;
        self.late = (answer == Answer::Silence).then(Late::new);
        Ok(if let Answer::Ground(ground) = answer { Some(ground) } else { None })
    }

    /// Draws one frame. Fails once a panic has given the terminal back: the program should end then.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        if !ENTERED.load(Ordering::SeqCst) {
            return Err(io::Error::other("the terminal was given back after a panic"));
        }
        // All of a frame appears at once, where the terminal knows how (DEC private mode 2026).
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate)?;
        self.screen.draw(render)?;
        execute!(self.screen.backend_mut(), EndSynchronizedUpdate)
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    pub fn clear(&mut self) -> io::Result<()> {
        // Not its `clear`: that asks the terminal where the cursor stands, takes the answer from among the keys, and fails
        // after two seconds where none comes.
        self.screen.resize(self.area()?)
    }

    /// The next event, or `None` after `timeout`.
    pub fn next_event(&mut self, timeout: Duration) -> io::Result<Option<TtyEvent>> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(found) = self.signals.take()? {
                return self.announce(found).map(Some);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = self.wait(if self.buffered { Duration::ZERO } else { left })?;
            if ready.hang_up {
                return Ok(Some(TtyEvent::HangUp));
            }
            if ready.signal {
                self.signals.drain();
            }
            if ready.input || self.buffered {
                match self.read_event() {
                    Ok(None) => {}
                    Ok(Some(Event::Key(key))) if self.late.as_mut().is_some_and(|late| late.takes(&key)) => {}
                    Ok(Some(event)) => return Ok(Some(TtyEvent::Input(event))),
                    // The tty may die between the look at it and the read.
                    Err(_) if self.wait(Duration::ZERO)?.hang_up => return Ok(Some(TtyEvent::HangUp)),
                    Err(error) => return Err(error),
                }
            } else if left.is_zero() && !ready.signal {
                return Ok(None);
            }
        }
    }

    fn read_event(&mut self) -> io::Result<Option<Event>> {
        self.buffered = event::poll(A_MOMENT)?;
        if self.buffered { event::read().map(Some) } else { Ok(None) }
    }

    /// Gives the terminal to the shell and stops, the whole job (`sudo`, `make`) with it; returns when it goes on.
    pub fn suspend(&mut self) -> io::Result<()> {
        switch_off();
        self.signals.resumed.store(false, Ordering::SeqCst);
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.signals.await_resumption();
        switch_on(&self.input)?;
        self.clear()
    }

    fn announce(&mut self, found: TtyEvent) -> io::Result<TtyEvent> {
        if found == TtyEvent::Resumed {
            // The shell has used the terminal in its own mode meanwhile.
            switch_off();
            switch_on(&self.input)?;
            self.clear()?;
        }
        Ok(found)
    }

    /// Waits until the tty or a signal has something, or the time is over.
    fn wait(&self, timeout: Duration) -> io::Result<Ready> {
        let mut fds = [PollFd::new(&self.input, PollFlags::IN), PollFd::new(&self.signals.wake, PollFlags::IN)];
        let timeout = Timespec::try_from(timeout).ok();
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let tty = fds[0].revents();
        Ok(Ready {
            hang_up: tty.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
            input: tty.contains(PollFlags::IN),
            signal: fds[1].revents().contains(PollFlags::IN),
        })
    }
}

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        switch_off();
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Ready {
    hang_up: bool,
    input: bool,
    signal: bool,
}

/// The width of the terminal on stdout, in columns.
///
/// # Errors
/// Where stdout is no terminal.
pub fn width() -> io::Result<u16> {
    Ok(crossterm::terminal::size()?.0)
}
