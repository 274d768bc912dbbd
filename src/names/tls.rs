//! TLS records at the beginning of a payload: hellos, alerts, and where application data begins.
//!
//! Read first: RFC 8446 §4.1, §4.2, §5.1, §6; RFC 5246 §7.4.1; RFC 6066 §3; RFC 7301 §3.1.

use super::cursor::Cursor;
use super::hostname::hostname;
use super::{Alert, ClientHello, Message, ServerHello, TlsVersion};
use crate::base::Scrubbed;
use crate::wire::AppRecords;

/// Records read in one payload at most: a client's last flight and its request are seven.
const MAX_RECORDS: usize = 8;
/// The longest a record may be: 2^14 bytes and what encryption adds (RFC 5246 §6.2.3).
const MAX_LEN: usize = (1 << 14) + 2048;
/// The longest list of protocols that is kept, bytes.
const MAX_ALPN: usize = 96;
const HEADER: usize = 5;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// The random number of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3).
pub(super) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What the records say.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) messages: Vec<Message>,
    pub(super) data: AppRecords,
    /// A hello goes on behind the payload's end.
    pub(super) goes_on: bool,
}

/// Whether a payload may begin with a record: its type and its version's first byte.
pub(super) const fn may_begin(payload: &[u8]) -> bool {
    matches!(payload, [20..=DATA, 3, ..])
}

/// Reads the records that begin in `payload`, one behind the other.
pub(super) fn records(payload: &[u8]) -> Records {
    let mut found = Records::default();
    let mut rest = Cursor(payload);
    for _ in 0..MAX_RECORDS {
        let Some(&[kind @ 20..=DATA, 3, 0..=4, high, low]) = rest.take(HEADER) else { break };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len == 0 || len > MAX_LEN {
            break;
        }
        let body = rest.take_up_to(len);
        match kind {
            DATA => found.data = with(found.data, len as u16),
            ALERT if len == 2 => found.messages.extend(alert(body)),
            HANDSHAKE => {
                let hello = hello(body, len);
                found.goes_on = hello.is_some() && body.len() < len;
                found.messages.extend(hello);
            }
            _ => {}
        }
    }
    found
}

/// One more record of application data.
fn with(records: AppRecords, len: u16) -> AppRecords {
    let alike = records.count == 0 || records.len == len;
    AppRecords { count: (records.count + 1).min(2), len: if alike { len } else { 0 } }
}

/// Two bytes: what encryption makes of an alert is longer.
fn alert(body: &[u8]) -> Option<Message> {
    match *body {
        [level @ 1..=2, description] => Some(Message::Alert(Alert { fatal: level == 2, description })),
        _ => None,
    }
}

/// A hello at the beginning of a handshake record of `len` bytes, of which `body` is there.
fn hello(body: &[u8], len: usize) -> Option<Message> {
    const CLIENT: u8 = 1;
    const SERVER: u8 = 2;
    let mut rest = Cursor(body);
    let (kind, size) = (rest.u8()?, rest.u24()?);
    // A client sends nothing behind its hello. What is encrypted hardly has a length that fits.
    let fits = match kind {
        CLIENT => size + 4 == len,
        SERVER => size + 4 <= len,
        _ => false,
    };
    let version @ 0x0300..=0x0303 = rest.u16().filter(|_| fits)? else { return None };
    let random = rest.take(32)?;
    let message = Cursor(&rest.0[..rest.0.len().min(size.saturating_sub(34))]);
    let whole = rest.0.len() + 34 >= size;
    match kind {
        CLIENT => client(message).map(Message::ClientHello),
        _ => Some(Message::ServerHello(server(message, version, random == RETRY, whole))),
    }
}

/// What follows the random number. `None` where it cannot be a hello.
fn client(mut rest: Cursor<'_>) -> Option<ClientHello> {
    let mut hello = ClientHello::default();
    if rest.0.first().is_some_and(|session| *session > 32) {
        return None;
    }
    let skipped = rest.behind_u8().and_then(|_session| rest.behind_u16()).and_then(|_ciphers| rest.behind_u8());
    // Unless the whole list is there and says otherwise.
    hello.tickets = true;
    let Some(extensions) = skipped.and_then(|_| rest.u16()) else { return Some(hello) };
    let whole = rest.0.len() >= usize::from(extensions);
    let mut modes = false;
    while let Some((kind, body)) = extension(&mut rest) {
        match kind {
            0 => hello.sni = hello.sni.or_else(|| server_name(body)),
            16 => hello.alpn = hello.alpn.or_else(|| protocols(body)),
            42 => hello.early_data = true,
            45 => modes = true,
            _ => {}
        }
    }
    hello.tickets = modes || !whole;
    Some(hello)
}

/// What follows the random number; an old server sends no extensions, and cut ones leave the version open.
fn server(mut rest: Cursor<'_>, version: u16, retry: bool, whole: bool) -> ServerHello {
    let (mut chosen, mut alpn) = (None, None);
    let fixed = rest.behind_u8().and_then(|_session| rest.take(3));
    if fixed.is_some() && rest.u16().is_some() {
        while let Some((kind, body)) = extension(&mut rest) {
            match kind {
                43 => chosen = chosen.or_else(|| Cursor(body).u16().filter(|_| body.len() == 2)),
                16 => alpn = alpn.or_else(|| protocols(body)),
                _ => {}
            }
        }
    }
    // Only 1.3 hides its number behind that of 1.2.
    let known = chosen.or(Some(version).filter(|version| whole || *version < 0x0303));
    ServerHello { version: known.map(TlsVersion), alpn, retry }
}

/// The next extension, if it is there whole: its type and its body.
fn extension<'a>(rest: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let kind = rest.u16()?;
    Some((kind, rest.behind_u16()?))
}

/// The first name of type hostname.
fn server_name(body: &[u8]) -> Option<Scrubbed> {
    const HOST_NAME: u8 = 0;
    let mut list = Cursor(Cursor(body).behind_u16()?);
    let kind = list.u8()?;
    let name = list.behind_u16()?;
    hostname(name).filter(|_| kind == HOST_NAME)
}

/// The names of protocols, as many as fit. A random value that tests tolerance (RFC 8701) is none.
fn protocols(body: &[u8]) -> Option<Scrubbed> {
    let mut list = Cursor(Cursor(body).behind_u16()?);
    let mut text = String::new();
    while let Some(name) = list.behind_u8() {
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            continue;
        }
        if text.len() + 1 + name.len() > MAX_ALPN {
            break;
        }
        text.push_str(if text.is_empty() { "" } else { "," });
        text.push_str(&String::from_utf8_lossy(name));
    }
    (!text.is_empty()).then(|| Scrubbed::new(&text))
}
