//! The head of an HTTP/1 message at the beginning of a payload.
//!
//! Read first: RFC 9112 §2–4; RFC 9113 §3.4 (the preface of HTTP/2).

use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::hostname::host;
use super::{Message, Request, Response};
use crate::base::Scrubbed;

/// Header lines read at most: the host stands among the first.
const MAX_HEADERS: usize = 32;
/// The longest reason that is kept, bytes.
const MAX_REASON: usize = 64;
/// The longest head that is read, bytes.
const MAX_HEAD: usize = 8192;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Methods of RFC 9110, RFC 5789, WebDAV and UPnP, each with the space behind it.
const METHODS: [&[u8]; 21] = [
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"PATCH ",
    b"TRACE ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"COPY ",
    b"MOVE ",
    b"LOCK ",
    b"UNLOCK ",
    b"REPORT ",
    b"SEARCH ",
    b"NOTIFY ",
    b"SUBSCRIBE ",
    b"UNSUBSCRIBE ",
];

/// What a head says, and whether it goes on behind the payload's end with something still to learn.
pub(super) struct Head {
    pub(super) message: Option<Message>,
    pub(super) goes_on: bool,
}

/// Whether a payload may begin with a head: its first byte, then the rest of its first word.
#[inline]
pub(super) fn may_begin(payload: &[u8]) -> bool {
    let Some(first) = payload.first() else { return false };
    matches!(first, b'C' | b'D' | b'G' | b'H' | b'L' | b'M' | b'N' | b'O' | b'P' | b'R' | b'S' | b'T' | b'U')
        && begins_with_a_word(payload)
}

#[inline(never)]
fn begins_with_a_word(payload: &[u8]) -> bool {
    payload.starts_with(b"HTTP/1.")
        || payload.starts_with(b"PRI * HTTP/2")
        || METHODS.iter().any(|method| payload.starts_with(method))
}

/// Reads the head.
pub(super) fn head(payload: &[u8]) -> Head {
    let payload = &payload[..payload.len().min(MAX_HEAD)];
    if payload.starts_with(b"HTTP/1.") {
        return response(payload);
    }
    if payload.starts_with(PREFACE) {
        return Head { message: Some(Message::Http2Preface), goes_on: false };
    }
    request(payload)
}

fn request(payload: &[u8]) -> Head {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(payload);
    let readable = matches!(parsed, Ok(_) | Err(Error::TooManyHeaders));
    // Without its version it may be a line of some other protocol.
    let Some(method) = request.method.filter(|_| readable && request.version.is_some()) else {
        return Head { message: None, goes_on: matches!(parsed, Ok(Status::Partial)) };
    };
    let method = Scrubbed::new(method);
    let named = value(request.headers, "host");
    let host = named.and_then(host);
    let goes_on = matches!(parsed, Ok(Status::Partial)) && named.is_none();
    Head { message: Some(Message::Request(Request { method, host })), goes_on }
}

fn value<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

fn response(payload: &[u8]) -> Head {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(payload);
    // The status line is what is asked for, whatever follows it.
    let Some(status) = response.code.filter(|_| response.reason.is_some()) else {
        return Head { message: None, goes_on: matches!(parsed, Ok(Status::Partial)) };
    };
    let reason = response.reason.filter(|reason| !reason.is_empty() && reason.len() <= MAX_REASON);
    let response = Response { status, reason: reason.map(Scrubbed::new) };
    Head { message: Some(Message::Response(response)), goes_on: false }
}
