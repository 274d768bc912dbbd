//! A word without a field: what it can mean is read once, when it is typed; then each flow is held against all of it.

use std::fmt::Write;
use std::net::IpAddr;

use crate::base::{Endpoint, TcpState};
use crate::flow::{HandshakeOutcome, Side};

use super::ast::Piece;
use super::fields::Set;
use super::subject::Subject;
use super::test::Pattern;
use super::value::{Place, squash};

/// What one word can match; several at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pattern: Pattern,
    place: Option<Place>,
    number: Option<u32>,
    states: Vec<TcpState>,
    outcomes: Vec<HandshakeOutcome>,
    /// What part of an address, as it is written, it could be.
    written: Option<Part>,
}

/// Where a word must stand in an endpoint as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Anywhere,
    /// It ends with this port, which is whole.
    End(u16),
}

impl Word {
    /// In quotes it is only looked for in names: of processes, users and responders.
    pub(super) fn read(piece: &Piece) -> Self {
        let text = piece.text.to_lowercase();
        let pattern = Pattern { text: text.clone(), whole: false };
        if piece.quoted {
            return Self { pattern, place: None, number: None, states: vec![], outcomes: vec![], written: None };
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let squashed = squash(&text);
        let names = |name: &str| squashed.len() > 1 && squash(name).starts_with(&squashed);
        let others = Set::Outcome.other_words();
        let stands_for = |name: &str| others.iter().any(|(other, of)| *of == name && squash(other) == squashed);
        let outcomes = HandshakeOutcome::CONCLUDED.into_iter().chain([HandshakeOutcome::Partial]);
        // A short net (`10`) would take numbers and the beginnings of names for networks.
        let place = Place::read(&text).filter(|place| match place {
            Place::Within(_, bits) => text.contains('/') || matches!(bits, 32 | 128),
            Place::At(_) => true,
            Place::Port(_) | Place::Loopback => false,
        });
        Self {
            number: text.strip_prefix(':').unwrap_or(&text).parse().ok(),
            states: TcpState::ALL.into_iter().filter(|state| names(state.name()) || names(long_name(*state))).collect(),
            outcomes: outcomes.filter(|outcome| names(outcome.name()) || stands_for(outcome.name())).collect(),
            written: if place.is_some() { None } else { Part::of(bare) },
            place,
            pattern,
        }
    }

    pub(super) fn matches(&self, flow: Subject<'_>) -> bool {
        let of_process = || {
            flow.any_process(|process| {
                self.number == Some(process.pid) || self.pattern.fits(&process.comm) || self.pattern.fits(&process.user)
            })
        };
        Side::BOTH.into_iter().any(|side| self.matches_end(flow, side))
            || flow.outcome().is_some_and(|outcome| self.outcomes.contains(&outcome))
            || of_process() == Some(true)
            || flow.record.names().any(|name| self.pattern.fits(name))
    }

    fn matches_end(&self, flow: Subject<'_>, side: Side) -> bool {
        let (record, end) = (flow.record, flow.record.endpoint(side));
        let states = [record.reported(side), record.inferred(side)];
        self.place.is_some_and(|place| place.holds(end))
            || self.number == Some(u32::from(end.port()))
            || states.into_iter().flatten().any(|state| self.states.contains(&state))
            || self.written.is_some_and(|part| part.is_in(end, &self.pattern.text))
    }
}

impl Part {
    fn of(bare: &str) -> Option<Self> {
        let like_address = bare.contains(['.', ':']) && bare.chars().all(|c| c.is_ascii_hexdigit() || ".:".contains(c));
        let port = bare.split_once(':').filter(|(host, _)| host.contains('.')).and_then(|(_, port)| port.parse().ok());
        like_address.then(|| port.map_or(Self::Anywhere, Self::End))
    }

    fn is_in(self, end: Endpoint, word: &str) -> bool {
        match self {
            Self::End(port) if port != end.port() => false,
            Self::End(_) => Written::of(end).as_str().ends_with(word),
            Self::Anywhere => Written::of(end).as_str().contains(word),
        }
    }
}

/// Room for an endpoint as it is written: `[ffff:…:ffff]:65535`.
#[derive(Debug)]
struct Written {
    bytes: [u8; 64],
    len: usize,
}

impl Default for Written {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }
}

impl Written {
    /// An IPv4 end digit by digit, since a table may hold a million of them.
    fn of(end: Endpoint) -> Self {
        let mut written = Self::default();
        if let IpAddr::V4(ip) = end.ip() {
            for (octet, after) in ip.octets().into_iter().zip(*b"...:") {
                written.number(octet.into());
                written.push(after);
            }
            written.number(end.port());
        } else {
            // Longer than there is room for no endpoint is.
            let _ = write!(written, "{end}");
        }
        written
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, number: u16) {
        let mut unit = 10_000;
        while unit > 1 && number < unit {
            unit /= 10;
        }
        while unit > 0 {
            self.push(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for Written {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// As RFC 9293 writes a state where [`TcpState::name`] shortens it.
pub(super) const fn long_name(state: TcpState) -> &'static str {
    match state {
        TcpState::Estab => "ESTABLISHED",
        TcpState::SynRecv => "SYN-RECEIVED",
        _ => state.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_as_ever() {
        for text in ["0.0.0.0:0", "10.200.3.45:65535", "255.255.255.255:10000", "1.2.3.4:80", "[2001:db8::1]:443"] {
            let end: std::net::SocketAddr = text.parse().unwrap();
            let end = Endpoint::new(end.ip(), end.port());
            assert_eq!((Written::of(end).as_str(), end.to_string().as_str()), (text, text));
        }
        let longest = Endpoint::new(std::net::Ipv6Addr::from([0xabcd_u16; 8]), 65_535);
        assert_eq!(Written::of(longest).as_str(), longest.to_string());
    }
}
