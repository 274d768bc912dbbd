//! [`Reader`]: payload after payload of one source → what each names.
//!
//! Its state is halves of messages that go on in the next segment, and a small memory of what need not be read again.

use super::pending::{Pending, Piece, first_byte};
use super::told::Told;
use super::{Dns, FlowName, Message, dns, http, tls};
use crate::base::{Endpoint, Scope, Seq, Timestamp};
use crate::wire::{AppRecords, Segment};

/// The port of DNS.
const DNS: u16 = 53;

/// Reads the payloads of one source.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pending: Pending,
    told: Told,
}

/// What a payload said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Name(FlowName),
    Dns(Dns),
}

/// What the beginning of a payload was read as.
#[derive(Default)]
struct Read {
    messages: Vec<Message>,
    app_records: AppRecords,
    goes_on: bool,
}

impl Reader {
    /// A connection begins: whatever its tuple told before was of another.
    #[inline(never)]
    pub fn begin(&mut self, segment: &Segment) {
        self.told.forget(segment);
    }

    /// Whether a payload from and to these ports may say something, by its beginning, or may go on with what a half of a
    /// message began: nearly none does. `first` is the number of its first byte.
    #[inline]
    pub fn may_hear(&self, ports: [u16; 2], first: Seq, payload: &[u8]) -> bool {
        let may_begin = tls::may_begin(payload) || http::may_begin(payload);
        may_begin || ports[0] == DNS || ports[1] == DNS || self.pending.may_wait_for(first)
    }

    /// Reads a segment's payload as far as it was captured; `say` is given each message. Returns what
    /// [`Segment::app_records`] holds.
    pub fn read(&mut self, segment: &Segment, payload: &[u8], mut say: impl FnMut(Heard)) -> AppRecords {
        if let Some(half) = self.pending.continued_by(segment) {
            return self.read_both(&half, segment, payload, say);
        }
        if segment.src.port() == DNS || segment.dst.port() == DNS {
            self.read_dns(segment, payload, &mut say);
            return AppRecords::default();
        }
        let read = if tls::may_begin(payload) {
            read_tls(payload)
        } else if http::may_begin(payload) && !self.told.has(segment) {
            read_http(payload)
        } else {
            return AppRecords::default();
        };
        if read.goes_on {
            self.pending.keep(segment, payload);
        }
        self.tell(read, segment, None, &mut say)
    }

    /// Halves of messages that were given up before the other half came.
    pub const fn dropped(&self) -> u64 {
        self.pending.dropped
    }

    /// A message in two segments; a third is not waited for.
    fn read_both(&mut self, half: &Piece, segment: &Segment, payload: &[u8], mut say: impl FnMut(Heard)) -> AppRecords {
        let both = [&half.bytes, payload].concat();
        if segment.src.port() == DNS || segment.dst.port() == DNS {
            let told = dns_over_tcp(&both).and_then(|message| heard(segment, message));
            told.into_iter().for_each(say);
            return AppRecords::default();
        }
        let read = if tls::may_begin(&both) { read_tls(&both) } else { read_http(&both) };
        self.tell(read, segment, Some(half), &mut say)
    }

    fn tell(&mut self, read: Read, segment: &Segment, half: Option<&Piece>, say: &mut impl FnMut(Heard)) -> AppRecords {
        let since = half.map_or(segment.ts, |half| half.since);
        let seq = half.map_or_else(|| first_byte(segment), |half| half.seq);
        let Segment { ts, scope, src, dst, .. } = *segment;
        for message in read.messages {
            let nothing_left = match &message {
                Message::Request(request) => request.host.is_some() || !read.goes_on,
                Message::Response(response) => !response.is_interim(),
                _ => false,
            };
            if matches!(message, Message::Request(_)) {
                self.told.forget_answer(segment);
            }
            if nothing_left {
                self.told.add(segment);
            }
            let (end, ack) = (segment.end(), Some(segment.ack).filter(|_| segment.flags.ack()));
            say(Heard::Name(FlowName { ts, since, scope, src, dst, seq, end, ack, message }));
        }
        read.app_records
    }

    /// DNS over TCP: a length, then the message; of several, the first.
    fn read_dns(&mut self, segment: &Segment, payload: &[u8], say: &mut impl FnMut(Heard)) {
        let wanted = payload.first_chunk().map_or(2, |len| 2 + usize::from(u16::from_be_bytes(*len)));
        if payload.len() < wanted && payload.len() as u64 == u64::from(segment.payload_len) {
            self.pending.keep(segment, payload);
        } else if let Some(told) = dns_over_tcp(payload).and_then(|message| heard(segment, message)) {
            say(told);
        }
    }
}

fn read_tls(payload: &[u8]) -> Read {
    let tls::Records { messages, data, goes_on } = tls::records(payload);
    Read { messages, app_records: data, goes_on }
}

fn read_http(payload: &[u8]) -> Read {
    let http::Head { message, goes_on } = http::head(payload);
    Read { messages: message.into_iter().collect(), app_records: AppRecords::default(), goes_on }
}

fn dns_over_tcp(payload: &[u8]) -> Option<&[u8]> {
    let len = usize::from(u16::from_be_bytes(*payload.first_chunk()?));
    Some(&payload[2..payload.len().min(2 + len)])
}

fn heard(segment: &Segment, message: &[u8]) -> Option<Heard> {
    Dns::read(segment.ts, segment.scope, segment.src, segment.dst, message).map(Heard::Dns)
}

impl Dns {
    /// Reads a message that went from `src` to `dst`. `None` where it is not about the addresses of one name.
    pub fn read(ts: Timestamp, scope: Scope, src: Endpoint, dst: Endpoint, message: &[u8]) -> Option<Self> {
        let (id, name, says) = dns::read(message)?;
        let (client, server) = if says == super::DnsSays::Query { (src, dst) } else { (dst, src) };
        (server.port() == DNS).then_some(Self { ts, scope, client, server, id, name, says })
    }
}
