//! What first payload bytes say, as values. All text is scrubbed and bounded.

use std::net::IpAddr;

use crate::base::{Endpoint, Scope, Scrubbed, Seq, Timestamp};

/// A message that names something, with the segment that it ended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowName {
    /// When the segment came that it was read from: of a message in two segments, the second.
    pub ts: Timestamp,
    /// When its first segment came.
    pub since: Timestamp,
    pub scope: Scope,
    pub src: Endpoint,
    pub dst: Endpoint,
    /// The sequence number of its first byte, and the one past the segment that it was read from.
    pub seq: Seq,
    pub end: Seq,
    /// That segment's acknowledgment field, if it acknowledges.
    pub ack: Option<Seq>,
    pub message: Message,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    ClientHello(ClientHello),
    ServerHello(ServerHello),
    Alert(Alert),
    Request(Request),
    Response(Response),
    /// HTTP/2 without TLS (RFC 9113 §3.4). Its heads are compressed: they name nothing here.
    Http2Preface,
}

/// A TLS client's offer (RFC 8446 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// The server's name as the client has it (RFC 6066 §3), where it is a hostname.
    pub sni: Option<Scrubbed>,
    /// The protocols offered (RFC 7301), in order, joined by commas.
    pub alpn: Option<Scrubbed>,
    /// Data is sent before the handshake is done (RFC 8446 §4.2.10).
    pub early_data: bool,
    /// The server may send session tickets (RFC 8446 §4.2.9): the client takes them, or was cut before it could say so.
    pub tickets: bool,
}

/// A TLS server's choice (RFC 8446 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// What was negotiated. `None` where the message was cut before the extension that might tell TLS 1.3.
    pub version: Option<TlsVersion>,
    /// The protocol chosen; TLS 1.3 sends it encrypted.
    pub alpn: Option<Scrubbed>,
    /// It is no choice yet, but asks the client for another offer (RFC 8446 §4.1.4): one more round trip.
    pub retry: bool,
}

/// A version as it stands on the wire: 0x0303 is TLS 1.2, 0x0304 TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    pub const TLS_1_3: Self = Self(0x0304);

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            0x0303 => "TLS 1.2",
            0x0304 => "TLS 1.3",
            // RFC 8446 §4.2.1 of its drafts.
            0x7f00..=0x7fff => "TLS 1.3 draft",
            _ => "unknown",
        }
    }

    /// Whether the handshake is that of TLS 1.3, whose drafts have a number each.
    pub const fn is_1_3(self) -> bool {
        matches!(self.0, 0x0304 | 0x7f00..=0x7fff)
    }
}

/// An alert that was not encrypted (RFC 8446 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert {
    pub fatal: bool,
    pub description: u8,
}

/// The head of an HTTP/1 request, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Scrubbed,
    /// The host header, its port included where it has one.
    pub host: Option<Scrubbed>,
}

/// The status line of an HTTP/1 response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The words after it, if any.
    pub reason: Option<Scrubbed>,
}

impl Response {
    /// Another response to the same request follows (RFC 9110 §15.2); 101 is the last in HTTP.
    pub const fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }
}

/// A DNS message about the addresses of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    pub ts: Timestamp,
    pub scope: Scope,
    /// Who asks, and who answers.
    pub client: Endpoint,
    pub server: Endpoint,
    /// What ties an answer to its query besides the ends and the name.
    pub id: u16,
    /// The name asked for, in lower case.
    pub name: Scrubbed,
    pub says: DnsSays,
}

/// A DNS message's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsSays {
    Query,
    /// The addresses that it tells, at most sixteen; none where the name has none, or on an error.
    Answer(Vec<IpAddr>),
}
