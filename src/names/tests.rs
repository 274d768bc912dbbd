//! Made messages → what they say; cut and split ones; hostile ones in [`hostile`].

mod hostile;
mod made;

use made::{answer, client_hello, query, record, segment, server_hello};

use super::*;
use crate::base::{Endpoint, Scope, Timestamp};
use crate::wire::{AppRecords, Segment};

/// What one payload says, captured whole.
fn said(payload: &[u8]) -> Vec<Message> {
    let mut reader = Reader::default();
    messages(&mut reader, &segment(0, 1000, payload.len()), payload)
}

fn messages(reader: &mut Reader, segment: &Segment, payload: &[u8]) -> Vec<Message> {
    heard(reader, segment, payload).into_iter().map(|name| name.message).collect()
}

fn heard(reader: &mut Reader, segment: &Segment, payload: &[u8]) -> Vec<FlowName> {
    let mut heard = Vec::new();
    read(reader, segment, payload, |said| match said {
        Heard::Name(name) => heard.push(name),
        Heard::Dns(dns) => panic!("{dns:?}"),
    });
    heard
}

/// What may not be heard says nothing.
fn read(reader: &mut Reader, segment: &Segment, payload: &[u8], mut say: impl FnMut(Heard)) -> AppRecords {
    let ports = [segment.src.port(), segment.dst.port()];
    let (may_hear, mut said) = (reader.may_hear(ports, pending::first_byte(segment), payload), 0);
    let records = reader.read(segment, payload, |heard| {
        said += 1;
        say(heard);
    });
    assert!(may_hear || (said, records) == (0, AppRecords::default()), "{segment:?} {payload:02x?}");
    records
}

/// Records of application data in a payload.
fn app_records(payload: &[u8]) -> AppRecords {
    read(&mut Reader::default(), &segment(0, 1000, payload.len()), payload, |_| {})
}

fn sni(messages: &[Message]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        Message::ClientHello(hello) => hello.sni.as_deref(),
        _ => None,
    })
}

fn host(messages: &[Message]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        Message::Request(request) => request.host.as_deref(),
        _ => None,
    })
}

#[test]
fn a_client_hello_names_the_server_and_what_it_would_speak() {
    let messages = said(&client_hello(b"www.example.org", &[b"h2", b"http/1.1"], 0));
    let [Message::ClientHello(hello)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(hello.sni.as_deref(), Some("www.example.org"));
    assert_eq!(hello.alpn.as_deref(), Some("h2,http/1.1"));
    assert!(!hello.early_data && !hello.tickets);
}

#[test]
fn a_hello_that_was_cut_may_have_asked_for_tickets() {
    let cut = &client_hello(b"www.example.org", &[], 900)[..300];
    let said = messages(&mut Reader::default(), &segment(0, 1000, 999), cut);
    assert!(matches!(said.as_slice(), [Message::ClientHello(hello)] if hello.tickets), "{said:?}");
}

#[test]
fn what_is_no_hostname_is_no_name() {
    for name in ["a b", "", "x\x1b[31m", "ex\u{e4}mple", "a..b", "[::1]", &"a".repeat(64), &"abcdefg.".repeat(40)] {
        assert_eq!(sni(&said(&client_hello(name.as_bytes(), &[], 0))), None, "{name:?}");
    }
    for name in ["a", "_dmarc.example.org", "example.org.", "192.0.2.1", "xn--exmple-cua.org"] {
        let messages = said(&client_hello(name.as_bytes(), &[], 0));
        assert_eq!(sni(&messages), Some(name.trim_end_matches('.')), "{name:?}");
    }
}

#[test]
fn a_cut_hello_tells_what_it_carries_and_no_more() {
    let whole = client_hello(b"www.example.org", &[b"h2"], 400);
    let name_ends = whole.windows(15).position(|part| part == b"www.example.org").expect("the name") + 15;
    for captured in 0..whole.len() {
        let mut reader = Reader::default();
        let messages = messages(&mut reader, &segment(0, 1000, whole.len()), &whole[..captured]);
        assert_eq!(sni(&messages).is_some(), captured >= name_ends, "{captured} of {}", whole.len());
    }
}

#[test]
fn a_hello_in_two_segments_is_joined_and_began_with_the_first() {
    let whole = client_hello(b"www.example.org", &[b"h2"], 1500);
    for cut in [50, 60, 100, 1400] {
        let (first, second) = whole.split_at(cut);
        let mut reader = Reader::default();
        let early = heard(&mut reader, &segment(0, 1000, cut), first);
        let late = heard(&mut reader, &segment(7, 1000 + cut as u32, second.len()), second);
        let [.., joined] = late.as_slice() else { panic!("{late:?}") };
        assert_eq!(sni(std::slice::from_ref(&joined.message)), Some("www.example.org"), "cut at {cut}");
        assert_eq!((joined.since, joined.seq.0), (segment(0, 0, 0).ts, 1000));
        assert!(early.iter().all(|name| name.since == joined.since));
    }
}

#[test]
fn only_the_next_segment_of_the_same_direction_continues() {
    let whole = client_hello(b"www.example.org", &[], 1500);
    let (first, second) = whole.split_at(60);
    let other = Segment { src: Endpoint::new([10, 0, 0, 9], 40_000), ..segment(1, 1060, second.len()) };
    let late = Segment { ts: Timestamp::from_nanos(9_000_000_000), ..segment(1, 1060, second.len()) };
    for (what, next) in [
        ("a gap", segment(1, 1061, second.len())),
        ("another connection", other),
        ("another scope", Segment { scope: Scope(9), ..segment(1, 1060, second.len()) }),
        ("too late", late),
    ] {
        let mut reader = Reader::default();
        heard(&mut reader, &segment(0, 1000, 60), first);
        assert_eq!(heard(&mut reader, &next, second), [], "{what}");
    }
    let mut reader = Reader::default();
    heard(&mut reader, &segment(0, 1000, 60), &first[..50]);
    assert_eq!(heard(&mut reader, &segment(1, 1060, second.len()), second), [], "the first was cut by the snap length");
}

#[test]
fn halves_are_few_and_those_given_up_are_counted() {
    let first = &client_hello(b"www.example.org", &[], 1500)[..60];
    let mut reader = Reader::default();
    for n in 0..100 {
        let segment = Segment { src: Endpoint::new([10, 0, 0, 9], 40_000 + n), ..segment(1, 1000, 60) };
        heard(&mut reader, &segment, first);
    }
    assert_eq!(reader.dropped(), 36);
}

#[test]
fn a_server_hello_tells_version_and_protocol() {
    let version = |payload: &[u8]| match said(payload).as_slice() {
        [Message::ServerHello(hello)] => (hello.version.map(TlsVersion::name), hello.alpn.clone(), hello.retry),
        other => panic!("{other:?}"),
    };
    let (name, alpn, retry) = version(&server_hello(0x0303, None, Some(b"h2"), false));
    assert_eq!((name, alpn.as_deref(), retry), (Some("TLS 1.2"), Some("h2"), false));
    assert_eq!(version(&server_hello(0x0303, Some(0x0304), None, false)), (Some("TLS 1.3"), None, false));
    assert_eq!(version(&server_hello(0x0303, Some(0x0304), None, true)), (Some("TLS 1.3"), None, true));
    assert_eq!(version(&server_hello(0x0301, None, None, false)).0, Some("TLS 1.0"));
    let cut = server_hello(0x0303, Some(0x0304), None, false);
    assert_eq!(version(&cut[..60]).0, None, "the extension that tells 1.3 is cut");
}

#[test]
fn alerts_are_told_by_name_unless_encrypted() {
    let alert = |level, description| said(&record(21, &[level, description]));
    assert_eq!(alert(2, 40), [Message::Alert(Alert { fatal: true, description: 40 })]);
    assert_eq!(Alert { fatal: true, description: 40 }.to_string(), "handshake_failure");
    assert_eq!(Alert { fatal: true, description: 99 }.to_string(), "alert 99");
    assert_eq!(alert(3, 40), []);
    assert_eq!(said(&record(21, &[9; 26])), []);
    let behind = [server_hello(0x0303, None, None, false), record(21, &[1, 112])].concat();
    assert_eq!(said(&behind).len(), 2);
}

#[test]
fn records_of_application_data_are_counted_where_they_begin() {
    let (data, longer) = (record(23, &[0; 40]), record(23, &[0; 41]));
    let of = |parts: &[&[u8]]| {
        let AppRecords { count, len } = app_records(&parts.concat());
        (count, len)
    };
    assert_eq!(of(&[&data]), (1, 40));
    assert_eq!(of(&[&record(20, &[1]), &data, &data]), (2, 40));
    assert_eq!(of(&[&data, &data, &data]), (2, 40), "two for more");
    assert_eq!(of(&[&data, &data, &longer]), (2, 0), "not all alike");
    assert_eq!(of(&[&data[1..]]), (0, 0));
    assert_eq!(of(&[&data[..4]]), (0, 0), "the header is cut");
    assert_eq!(of(&[&[23, 3, 3, 0xff, 0xff]]), (0, 0), "no record is so long");
    assert_eq!(of(&[&[23, 3, 9, 0, 40]]), (0, 0), "no such version");
}

#[test]
fn what_only_looks_like_a_hello_says_nothing() {
    let hello = client_hello(b"www.example.org", &[], 0);
    for (at, value) in [(1, 2), (2, 9), (4, 1), (5, 7), (8, 1), (9, 9), (43, 33)] {
        let mut other = hello.clone();
        other[at] = value;
        assert_eq!(said(&other), [], "byte {at}");
    }
}

#[test]
fn a_request_names_its_host() {
    let messages = said(b"GET / HTTP/1.1\r\nAccept: */*\r\nhOST:  www.example.org:8080 \r\n\r\n");
    assert_eq!(host(&messages), Some("www.example.org:8080"));
    let [Message::Request(request)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(request.method.as_str(), "GET");
    for (why, head) in [
        ("no host", "GET / HTTP/1.0\r\n\r\n"),
        ("no hostname", "GET / HTTP/1.1\r\nHost: a\tb c\r\n\r\n"),
        ("cut in the host", "GET / HTTP/1.1\r\nHost: www.exam"),
        ("too long", &format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(300))),
    ] {
        let messages = said(head.as_bytes());
        assert_eq!((messages.len(), host(&messages)), (1, None), "{why}");
    }
    for line in
        ["GET /", "GETTING on HTTP/1.1\r\n", "get / HTTP/1.1\r\n\r\n", "GET is a word\r\n", "HELO example.org\r\n"]
    {
        assert_eq!(said(line.as_bytes()), [], "{line:?}");
    }
}

#[test]
fn a_request_in_two_segments_is_joined() {
    let (first, second) = ("POST /x HTTP/1.1\r\nCookie: abc", "def\r\nHost: www.example.org\r\n\r\n");
    let mut reader = Reader::default();
    let early = messages(&mut reader, &segment(0, 1000, first.len()), first.as_bytes());
    assert_eq!((early.len(), host(&early)), (1, None));
    let next = segment(1, 1000 + first.len() as u32, second.len());
    assert_eq!(host(&messages(&mut reader, &next, second.as_bytes())), Some("www.example.org"));
}

#[test]
fn a_status_line_tells_status_and_reason() {
    let status = |line: &str| match said(line.as_bytes()).as_slice() {
        [Message::Response(response)] => Some((response.status, response.reason.clone())),
        _ => None,
    };
    let (code, reason) = status("HTTP/1.1 404 Not Found\r\nDate: now\r\n").expect("a status");
    assert_eq!((code, reason.as_deref()), (404, Some("Not Found")));
    assert_eq!(status("HTTP/1.0 200\r\n\r\n"), Some((200, None)));
    assert_eq!(status("HTTP/1.1 404 Not Fou"), None, "cut");
    assert_eq!(status("HTTP/1.1 4o4 Not Found\r\n\r\n"), None);
    assert_eq!(said(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0"), [Message::Http2Preface]);
    assert_eq!(said(b"PRI * HTTP/2.0\r\n\r\nSM"), []);
}

#[test]
fn heads_of_a_connection_used_again_are_read_once_until_its_next_syn() {
    let request = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
    let mut reader = Reader::default();
    let at = |millis| segment(millis, 1000, request.len());
    assert_eq!(messages(&mut reader, &at(0), request).len(), 1);
    assert_eq!(messages(&mut reader, &at(1), request).len(), 0);
    reader.begin(&Segment { src: at(2).dst, dst: at(2).src, ..at(2) });
    assert_eq!(messages(&mut reader, &at(3), request).len(), 1);
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let back = Segment { src: at(4).dst, dst: at(4).src, ..at(4) };
    assert_eq!(messages(&mut reader, &back, interim).len(), 1);
    assert_eq!(messages(&mut reader, &back, b"HTTP/1.1 200 OK\r\n\r\n").len(), 1, "the response proper");
    assert_eq!(messages(&mut reader, &back, b"HTTP/1.1 304 Not Modified\r\n\r\n").len(), 0);
    reader.begin(&at(5));
    assert_eq!(messages(&mut reader, &back, b"HTTP/1.1 200 OK\r\n\r\n").len(), 1, "to a request not captured");
    messages(&mut reader, &at(6), request);
    assert_eq!(messages(&mut reader, &back, b"HTTP/1.1 404 Not Found\r\n\r\n").len(), 1, "to the one just read");
}

fn dns(message: &[u8], from_server: bool) -> Option<Dns> {
    let (client, server) = (Endpoint::new([10, 0, 0, 2], 5353), Endpoint::new([10, 0, 0, 1], 53));
    let (src, dst) = if from_server { (server, client) } else { (client, server) };
    Dns::read(Timestamp::from_nanos(5), Scope::FILE, src, dst, message)
}

#[test]
fn dns_tells_the_name_asked_for_and_its_addresses() {
    let asked = dns(&query(7, b"wWw.example.org", 1), false).expect("a query");
    assert_eq!((asked.id, asked.name.as_str(), &asked.says), (7, "www.example.org", &DnsSays::Query));
    let told = dns(&answer(7, b"www.example.org", 0, &[[192, 0, 2, 1], [192, 0, 2, 2]]), true).expect("an answer");
    assert_eq!(told.says, DnsSays::Answer(vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()]));
    assert_eq!((told.client, told.server), (asked.client, asked.server));
    let failed = dns(&answer(7, b"www.example.org", 3, &[[192, 0, 2, 1]]), true).expect("NXDOMAIN");
    assert_eq!(failed.says, DnsSays::Answer(Vec::new()));
    let whole = answer(7, b"www.example.org", 0, &[[192, 0, 2, 1], [192, 0, 2, 2]]);
    let cut = dns(&whole[..whole.len() - 3], true).expect("what is there");
    assert_eq!(cut.says, DnsSays::Answer(vec![[192, 0, 2, 1].into()]));
}

#[test]
fn dns_about_anything_else_says_nothing() {
    assert_eq!(dns(&query(7, b"example.org", 15), false), None, "a mail exchanger");
    assert_eq!(dns(&query(7, b"a b.org", 1), false), None, "no hostname");
    let mut update = query(7, b"example.org", 1);
    update[2] = 0x28;
    assert_eq!(dns(&update, false), None, "another operation");
    let mut pointer = query(7, b"example.org", 1);
    pointer[12] = 0xc0;
    assert_eq!(dns(&pointer, false), None, "a question is not compressed");
    assert_eq!(dns(&query(7, b"example.org", 1), true), None, "a query from port 53 to another");
}

#[test]
fn dns_over_tcp_stands_behind_its_length() {
    let message = query(7, b"example.org", 1);
    let whole = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
    for cut in [whole.len(), 2, 20] {
        let mut reader = Reader::default();
        let mut names = Vec::new();
        let (first, second) = whole.split_at(cut);
        for (seq, part) in [(1000, first), (1000 + cut as u32, second)] {
            if !part.is_empty() {
                let segment = Segment { dst: Endpoint::new([10, 0, 0, 1], 53), ..segment(0, seq, part.len()) };
                read(&mut reader, &segment, part, |said| names.push(said));
            }
        }
        let [Heard::Dns(dns)] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!(dns.name.as_str(), "example.org", "cut at {cut}");
    }
}
