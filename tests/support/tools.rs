//! What `ss` and `lsof` say, read into the words of our own rows.
//!
//! May touch the tools' output. Read first: ss(8), lsof(8) (output for other programs).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use sockscope::base::Endpoint;

/// A row of `ss -H -O -tanoiem`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SsRow {
    pub(crate) state: String,
    pub(crate) recv_q: u32,
    pub(crate) send_q: u32,
    pub(crate) local: Endpoint,
    pub(crate) peer: Endpoint,
    /// Everything after the addresses, a word each.
    words: Vec<String>,
}

impl SsRow {
    /// The value of a `name:value` word.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix(':'))
    }

    /// The value of a `name:number` word.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    /// The inode; ss writes 0 for none.
    pub(crate) fn inode(&self) -> Option<u64> {
        self.number("ino").filter(|&inode| inode != 0)
    }

    /// The cookie.
    pub(crate) fn cookie(&self) -> Option<u64> {
        u64::from_str_radix(self.value("sk")?, 16).ok()
    }

    /// A timer's name and retries: `timer:(on,200ms,3)`.
    pub(crate) fn timer(&self) -> Option<(String, u8)> {
        let mut parts = self.timer_parts()?;
        Some((parts.next()?.to_owned(), parts.nth(1)?.parse().ok()?))
    }

    /// What is left of a timer at least, and less than what: ss writes whole minutes and seconds where there are many.
    pub(crate) fn timer_left(&self) -> Option<(Duration, Duration)> {
        let text = self.timer_parts()?.nth(1)?;
        let (minutes, rest) = text.split_once("min").unwrap_or(("0", text));
        let millis = rest.strip_suffix("ms");
        let (seconds, millis) = match millis {
            Some(millis) => millis.split_once('.').unwrap_or(("0", millis)),
            None => (rest.strip_suffix("sec").unwrap_or("0"), "0"),
        };
        let [minutes, seconds, millis]: [u64; 3] = [minutes, seconds, millis].map(|part| part.parse().expect(text));
        let least = Duration::from_millis((minutes * 60 + seconds) * 1000 + millis);
        let grain = match (minutes, seconds) {
            (10.., _) => 60_000,
            (1.., _) | (_, 10..) => 1000,
            _ => 1,
        };
        Some((least, least + Duration::from_millis(grain)))
    }

    fn timer_parts(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.value("timer")?.strip_prefix('(')?.strip_suffix(')')?.split(','))
    }

    /// Pid and descriptor of everyone who holds it: `users:(("sleep",pid=7,fd=0),("sleep",pid=8,fd=0))`.
    pub(crate) fn users(&self) -> BTreeSet<(u32, u32)> {
        let text = self.words.iter().find_map(|word| word.strip_prefix("users:")).unwrap_or_default();
        let number =
            |part: &str| part.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
        let users = text.split("pid=").skip(1).map(|user| {
            let (pid, fd) = user.split_once(",fd=").expect("a user in ss");
            number(pid).zip(number(fd)).expect("numbers in ss")
        });
        users.collect()
    }

    /// The limits of the receive and the send buffer: `skmem:(r0,rb131072,t0,tb16384,…)`.
    pub(crate) fn buffers(&self) -> Option<(u32, u32)> {
        let inner = self.value("skmem")?.strip_prefix('(')?.strip_suffix(')')?;
        let limit = |name: &str| inner.split(',').find_map(|part| part.strip_prefix(name)?.parse().ok());
        limit("rb").zip(limit("tb"))
    }
}

/// Whether a tool is installed; if not, says what is skipped.
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        super::netns::skip(&format!("the comparison with {tool}, which is not installed"));
    }
    found
}

/// The rows that a prepared `ss` prints; the command lacks only its options.
pub(crate) fn ss(command: &mut Command, options: &[&str]) -> Vec<SsRow> {
    let text = output(command.args(["-H", "-O"]).args(options));
    text.lines().map(|line| ss_row(line).unwrap_or_else(|| panic!("a row of ss: {line:?}"))).collect()
}

/// How many sockets in one state a prepared `ss` lists.
pub(crate) fn ss_count(command: &mut Command, state: &str) -> usize {
    output(command.args(["-H", "-tan", "state", state])).lines().count()
}

fn ss_row(line: &str) -> Option<SsRow> {
    let mut words = line.split_ascii_whitespace();
    Some(SsRow {
        state: words.next()?.to_owned(),
        recv_q: words.next()?.parse().ok()?,
        send_q: words.next()?.parse().ok()?,
        local: endpoint(words.next()?)?,
        peer: endpoint(words.next()?)?,
        words: words.map(str::to_owned).collect(),
    })
}

/// An end as ss and lsof write it: `10.0.0.1:80`, `[::1]:80`, `*:80`, `0.0.0.0:*`.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']').split('%').next()?;
    let ip: IpAddr = if host == "*" { "::".parse().ok()? } else { host.parse().ok()? };
    let port = if port == "*" { 0 } else { port.parse().ok()? };
    Some(Endpoint::new(ip, port))
}

/// A descriptor that refers to a TCP socket, as lsof names it: pid, fd, and the ends in its own writing.
pub(crate) type LsofRow = (u32, u32, String);

/// The rows that a prepared `lsof` prints.
pub(crate) fn lsof(command: &mut Command) -> BTreeSet<LsofRow> {
    // lsof fails when it has nothing to show, and warns about file systems that it cannot look at.
    let text = output(command.args(["-nP", "-iTCP", "-F", "pfn"]));
    let (mut pid, mut fd) = (0, 0);
    let mut rows = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (kind, value) = line.split_at(1);
        match kind {
            "p" => pid = value.parse().expect("a pid of lsof"),
            "f" => fd = value.parse().expect("a descriptor of lsof"),
            "n" => drop(rows.insert((pid, fd, value.to_owned()))),
            _ => {}
        }
    }
    rows
}

/// How lsof writes a socket's ends.
pub(crate) fn lsof_name(local: Endpoint, peer: Endpoint) -> String {
    let host = |end: Endpoint| match end.ip() {
        ip if ip.is_unspecified() => "*".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    let name = format!("{}:{}", host(local), local.port());
    if peer.is_wildcard() { name } else { format!("{name}->{}:{}", host(peer), peer.port()) }
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().expect("the tool runs");
    String::from_utf8(output.stdout).expect("the tool prints text")
}
