//! The filter of the flow table: words that must all match somewhere, each read once, when typed, into a test
//! on addresses, ports, states and interned names; no row is formatted to be searched but the address itself.

use std::fmt::Write;
use std::net::IpAddr;

use crate::base::{Endpoint, TcpState};
use crate::flow::{HandshakeOutcome, Side};

use super::record::Record;

/// Words typed by a user, each of which a flow must match. The empty filter matches all.
///
/// A word matches an address (whole, or a part of how it is written), a port (whole), `address:port` (the port whole,
/// of an IPv4 address its end suffices), a state's name or its beginning in any common spelling (`time`, `CLOSE-WAIT`,
/// `closewait`, `established`), an outcome (`refused`), a pid, or a part of a process's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

/// What one word can match; several at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Word {
    /// In lower case.
    text: String,
    ip: Option<IpAddr>,
    number: Option<u32>,
    endpoint: Option<Endpoint>,
    states: Vec<TcpState>,
    outcomes: Vec<HandshakeOutcome>,
    /// What part of an address, as it is written, it could be.
    written: Option<Part>,
}

/// Where a word must stand in an endpoint as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Anywhere,
    /// It ends with a port, which is whole.
    End,
}

impl Filter {
    /// Reads the words of `text`.
    pub fn parse(text: &str) -> Self {
        Self { text: text.to_owned(), words: text.split_whitespace().map(Word::parse).collect() }
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn matches(&self, record: &Record) -> bool {
        self.words.iter().all(|word| word.matches(record))
    }
}

impl Word {
    fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let squashed = squash(&text);
        let names = |name: &str| squashed.len() > 1 && squash(name).starts_with(&squashed);
        let outcomes = HandshakeOutcome::CONCLUDED.into_iter().chain([HandshakeOutcome::Partial]);
        let endpoint = text.parse::<std::net::SocketAddr>().ok().map(|end| Endpoint::new(end.ip(), end.port()));
        Self {
            ip: bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical()),
            number: text.strip_prefix(':').unwrap_or(&text).parse().ok(),
            states: TcpState::ALL.into_iter().filter(|state| names(state.name()) || names(long_name(*state))).collect(),
            outcomes: outcomes.filter(|outcome| names(outcome.name())).collect(),
            written: if endpoint.is_some() { None } else { Part::of(bare) },
            endpoint,
            text,
        }
    }

    fn matches(&self, record: &Record) -> bool {
        Side::BOTH.into_iter().any(|side| self.matches_end(record, side))
            || record.wire.as_ref().is_some_and(|flow| self.outcomes.contains(&flow.outcome()))
    }

    fn matches_end(&self, record: &Record, side: Side) -> bool {
        let end = record.endpoint(side);
        let states = [record.reported(side), record.inferred(side)];
        let process = record.process_of(side);
        self.ip == Some(end.ip())
            || self.endpoint == Some(end)
            || self.number == Some(u32::from(end.port()))
            || states.into_iter().flatten().any(|state| self.states.contains(&state))
            || process.is_some_and(|process| {
                self.number == Some(process.pid) || contains_ignoring_case(&process.comm, &self.text)
            })
            || self.written.filter(|_| self.ip.is_none()).is_some_and(|part| part.is_in(&written(end), &self.text))
    }
}

impl Part {
    fn of(bare: &str) -> Option<Self> {
        let like_address = bare.contains(['.', ':']) && bare.chars().all(|c| c.is_ascii_hexdigit() || ".:".contains(c));
        let ends_with_port = |bare: &str| {
            bare.split_once(':').is_some_and(|(host, port)| host.contains('.') && port.parse::<u16>().is_ok())
        };
        like_address.then(|| if ends_with_port(bare) { Self::End } else { Self::Anywhere })
    }

    fn is_in(self, written: &str, word: &str) -> bool {
        match self {
            Self::Anywhere => written.contains(word),
            Self::End => written.ends_with(word),
        }
    }
}

/// A name without what people write differently: case, hyphens, underscores, spaces.
fn squash(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect::<String>().to_lowercase()
}

/// As RFC 9293 writes a state where [`TcpState::name`] shortens it.
const fn long_name(state: TcpState) -> &'static str {
    match state {
        TcpState::Estab => "ESTABLISHED",
        TcpState::SynRecv => "SYN-RECEIVED",
        _ => state.name(),
    }
}

fn written(end: Endpoint) -> String {
    let mut text = String::with_capacity(48);
    write!(text, "{end}").expect("a string takes all");
    text
}

fn contains_ignoring_case(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}
