//! First payload bytes → what they name: TLS SNI and ALPN, alerts, the HTTP host and status, DNS questions and answers.
//!
//! May touch `base`, `wire`'s `Segment` and httparse; no clock and no flow state: a message is known by its first
//! bytes, wherever it stands. Total and bounded: it never panics, reads a message over two segments at most, and keeps
//! only so many first halves ([`Reader`]). What the snap length cut tells what it still carries. TLS and DNS are read
//! here because the kept crates refuse a message that is not whole. Read first: RFC 8446 §4 and §6, RFC 6066 §3,
//! RFC 7301, RFC 9112 §2, RFC 1035 §4.

mod alerts;
mod cursor;
mod dns;
mod hostname;
mod http;
mod message;
mod pending;
mod reader;
mod tls;
mod told;

#[cfg(test)]
mod tests;

pub use message::{Alert, ClientHello, Dns, DnsSays, FlowName, Message, Request, Response, ServerHello, TlsVersion};
pub use reader::{Heard, Reader};
