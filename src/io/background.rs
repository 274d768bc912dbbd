//! What colour the terminal's ground has, asked with OSC 11 (xterm's ctlseqs, "Operating System Commands").
//!
//! May touch the terminal that it is given. The question is followed by one that every terminal answers (DA1, primary
//! device attributes), so that one that does not know OSC 11 need not be waited for.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::base::Rgb;

const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";
/// Bytes of an answer at most; a paste may come in its place.
const MOST: usize = 512;
/// Keys that a late answer can be taken for: `]11;rgb:ffff/ffff/ffff` and its end.
const KEYS: u8 = 40;
/// How long an answer may be late, and is still known for one.
const LATE: Duration = Duration::from_secs(10);

/// What came of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Ground(Rgb),
    /// The terminal answered, and does not tell.
    Untold,
    /// Nothing came: it may yet.
    Silence,
}

/// Asks the terminal behind `input`, which must be in raw mode, and waits for at most `patience`.
pub(super) fn ask(input: &impl AsFd, patience: Duration) -> io::Result<Answer> {
    let mut out = io::stdout().lock();
    out.write_all(QUESTION)?;
    out.flush()?;
    let deadline = Instant::now() + patience;
    let mut got = Vec::new();
    while got.len() < MOST {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(input, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) => break,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[0].revents().contains(PollFlags::IN) => break,
            Ok(_) => {}
        }
        let mut bytes = [0; 128];
        let count = rustix::io::read(input, &mut bytes)?;
        got.extend_from_slice(&bytes[..count]);
        if count == 0 || has_attributes(&got) {
            break;
        }
    }
    Ok(match (ground(&got), has_attributes(&got)) {
        (Some(ground), _) => Answer::Ground(ground),
        (None, true) => Answer::Untold,
        (None, false) => Answer::Silence,
    })
}

/// Whether the answer to DA1 is complete: `ESC [ ? 6 2 ; 2 2 c`.
fn has_attributes(got: &[u8]) -> bool {
    let starts = got.windows(3).enumerate().filter(|(_, part)| part == b"\x1b[?");
    starts.into_iter().any(|(at, _)| got[at..].contains(&b'c'))
}

/// The colour in `ESC ] 11 ; rgb:RRRR/GGGG/BBBB`, with one to four digits a channel.
fn ground(got: &[u8]) -> Option<Rgb> {
    let text = String::from_utf8_lossy(got);
    let (_, told) = text.split_once("\x1b]11;rgb")?;
    let told = told.trim_start_matches('a').strip_prefix(':')?;
    let end = told.find(['\x1b', '\x07'])?;
    let mut channels = told[..end].split('/').map(|digits| {
        let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok()?)?.checked_sub(1).filter(|most| *most > 0)?;
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 4)?;
        u8::try_from((value * 255 + most / 2) / most).ok()
    });
    let mut next = || channels.next().flatten();
    Some(Rgb(next()?, next()?, next()?))
}

/// Keeps an answer that comes after all from being taken for keys.
#[derive(Debug)]
pub(super) struct Late {
    until: Instant,
    /// How many more keys may belong to the answer; 0 before it begins.
    left: u8,
}

impl Late {
    /// For a question that was just asked in vain.
    pub(super) fn new() -> Self {
        Self { until: Instant::now() + LATE, left: 0 }
    }

    /// Whether `key` is a part of the answer, as crossterm reads one: Alt-] for its beginning, Alt-\ or Ctrl-G for its
    /// end.
    pub(super) fn takes(&mut self, key: &KeyEvent) -> bool {
        let is = |code, modifiers| key.code == KeyCode::Char(code) && key.modifiers == modifiers;
        if self.left > 0 {
            let ends = is('\\', KeyModifiers::ALT) || is('g', KeyModifiers::CONTROL);
            self.left = if ends { 0 } else { self.left - 1 };
            return true;
        }
        let begins = is(']', KeyModifiers::ALT) && Instant::now() < self.until;
        if begins {
            self.left = KEYS;
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_every_width_are_read() {
        for (got, expected) in [
            (&b"\x1b]11;rgb:ffff/0000/8080\x1b\\"[..], Some(Rgb(255, 0, 128))),
            (b"\x1b]11;rgb:1e/1e/2e\x07\x1b[?62;22c", Some(Rgb(0x1e, 0x1e, 0x2e))),
            (b"\x1b]11;rgba:f/f/f/8\x07", Some(Rgb(255, 255, 255))),
            (b"x\x1b]11;rgb:0000/0000/0000\x1b\\", Some(Rgb(0, 0, 0))),
            (b"\x1b]11;rgb:0000/0000/00", None),
            (b"\x1b]11;rgb:0000/0000\x07", None),
            (b"\x1b]11;rgb:00000/0/0\x07", None),
            (b"\x1b]11;rgb://\x07", None),
            (b"\x1b]11;white\x07", None),
            (b"\x1b[?62c", None),
            (b"\xff\xfe", None),
        ] {
            assert_eq!(ground(got), expected, "{}", String::from_utf8_lossy(got));
        }
        assert!(has_attributes(b"q\x1b[?1;2c") && !has_attributes(b"\x1b[?1;2") && !has_attributes(b"c"));
    }

    #[test]
    fn a_late_answer_is_no_keys() {
        let key = |c: char, modifiers| KeyEvent::new(KeyCode::Char(c), modifiers);
        let alt = |c| key(c, KeyModifiers::ALT);
        let plain = |c| key(c, KeyModifiers::NONE);
        let mut late = Late::new();
        assert!(!late.takes(&plain('q')));
        assert!(late.takes(&alt(']')) && "11;rgb:0/0/0".chars().all(|c| late.takes(&plain(c))));
        assert!(late.takes(&alt('\\')) && !late.takes(&plain('q')));
        assert!(late.takes(&alt(']')) && (0..KEYS).all(|_| late.takes(&plain('x'))), "an answer has an end");
        assert!(!late.takes(&plain('x')));
    }
}
