//! Hostile payloads: made messages with bytes changed, cut, and put together, the same thousands each time.

use super::made::{answer, client_hello, query, record, segment, server_hello};
use super::*;

/// Marsaglia's xorshift: enough to choose bytes, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }
}

fn made() -> Vec<Vec<u8>> {
    vec![
        client_hello(b"www.example.org", &[b"h2", b"http/1.1"], 0),
        client_hello(b"www.example.org", &[], 1500),
        server_hello(0x0303, Some(0x0304), Some(b"h2"), false),
        [server_hello(0x0302, None, None, true), record(21, &[2, 40])].concat(),
        [record(20, &[1]), record(23, &[0; 60]), record(23, &[0; 200])].concat(),
        b"GET /a?b HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
        query(7, b"www.example.org", 28),
        answer(7, b"www.example.org", 0, &[[192, 0, 2, 1], [192, 0, 2, 2]]),
    ]
}

#[test]
fn changed_and_cut_messages_never_panic_and_their_text_is_bounded() {
    let (made, mut dice) = (made(), Dice(0x5eed));
    let mut reader = Reader::default();
    let mut told = 0;
    for round in 0..40_000 {
        let mut payload = made[dice.throw(made.len())].clone();
        for _ in 0..dice.throw(5) {
            let at = dice.throw(payload.len());
            payload[at] = dice.throw(256) as u8;
        }
        if dice.throw(2) == 0 {
            payload.truncate(dice.throw(payload.len()));
        }
        let claimed = if dice.throw(3) == 0 { dice.throw(70_000) } else { payload.len() };
        let port = if dice.throw(4) == 0 { 53 } else { 443 };
        let segment =
            Segment { dst: Endpoint::new([10, 0, 0, 5], port), ..segment(round, dice.throw(4) as u32 * 60, claimed) };
        reader.read(&segment, &payload, |said| {
            told += 1;
            check(&said);
        });
        let dns = Dns::read(segment.ts, Scope::FILE, segment.src, segment.dst, &payload);
        dns.into_iter().for_each(|dns| check(&Heard::Dns(dns)));
    }
    assert!(told > 5_000, "most of them still say something: {told}");
}

#[test]
fn arbitrary_bytes_never_panic() {
    let mut dice = Dice(0xd1ce);
    let mut reader = Reader::default();
    for round in 0..20_000 {
        let mut payload: Vec<u8> = (0..dice.throw(120)).map(|_| dice.throw(256) as u8).collect();
        let begins: [&[u8]; 5] = [&[22, 3, 1], &[21, 3, 3], &[23, 3, 3], b"GET ", b"HTTP/1."];
        payload.splice(0..0, begins[dice.throw(5)].iter().copied());
        reader.read(&segment(round, 0, payload.len()), &payload, |said| check(&said));
    }
}

fn check(said: &Heard) {
    let texts = match said {
        Heard::Dns(dns) => vec![Some(&dns.name)],
        Heard::Name(name) => match &name.message {
            Message::ClientHello(hello) => vec![hello.sni.as_ref(), hello.alpn.as_ref()],
            Message::ServerHello(hello) => vec![hello.alpn.as_ref()],
            Message::Request(request) => vec![Some(&request.method), request.host.as_ref()],
            Message::Response(response) => vec![response.reason.as_ref()],
            Message::Alert(_) | Message::Http2Preface => vec![],
        },
    };
    for text in texts.into_iter().flatten() {
        assert!((1..=259).contains(&text.len()) && !text.contains(char::is_control), "{text:?}");
    }
}
