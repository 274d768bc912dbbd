//! What openings show: TLS and HTTP from short conversations, each also moved and mirrored; DNS lookups.

use super::*;
use crate::engine::opening::{NameSource, Opening};
use crate::names::{Alert, ClientHello, Dns, DnsSays, FlowName, Message, Request, Response, ServerHello, TlsVersion};

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// A conversation on one connection, each line with its time in ms: who speaks moves their own sequence number on.
#[derive(Clone)]
struct Talk {
    inputs: Vec<Input>,
    ends: [Endpoint; 2],
    next: [Seq; 2],
}

impl Talk {
    /// Behind a handshake of 10 ms; both ends count from `iss`.
    fn from(ends: [&str; 2], iss: u32) -> Self {
        let ends = ends.map(end);
        let mut talk = Self { inputs: Vec::new(), ends, next: [Seq(iss); 2] };
        let syn = Segment { src: ends[0], dst: ends[1], seq: Seq(iss), ..segment(0, CLIENT, SERVER, "S", 0, 0, 0) };
        talk.inputs.push(Input::Segment(syn));
        talk.next = [Seq(iss) + 1; 2];
        let answer = segment(10, SERVER, CLIENT, "S.", 0, 0, 0);
        let answer = Segment { src: ends[1], dst: ends[0], seq: Seq(iss), ack: talk.next[0], ..answer };
        talk.inputs.push(Input::Segment(answer));
        talk
    }

    fn new() -> Self {
        Self::from([CLIENT, SERVER], 1000)
    }

    /// 100 bytes by the client (0) or the server (1), which acknowledges all it was sent, with so many records.
    fn sends(self, millis: i64, from: usize, records: u8) -> Self {
        let seen = self.next[1 - from];
        self.sends_having_seen(millis, from, records, seen)
    }

    fn sends_having_seen(self, millis: i64, from: usize, records: u8, ack: Seq) -> Self {
        self.sends_records(millis, from, AppRecords { count: records, len: 40 }, ack)
    }

    fn sends_records(mut self, millis: i64, from: usize, app_records: AppRecords, ack: Seq) -> Self {
        let (src, dst, seq) = (self.ends[from], self.ends[1 - from], self.next[from]);
        self.next[from] = seq + 100;
        let base = segment(millis, CLIENT, SERVER, "P.", 0, 0, 100);
        self.inputs.push(Input::Segment(Segment { src, dst, seq, ack, app_records, ..base }));
        self
    }

    /// The last segment once more.
    fn repeats(mut self, millis: i64) -> Self {
        let last = self.inputs.iter().rev().find_map(|input| match input {
            Input::Segment(segment) => Some(Segment { ts: at(millis), ..*segment }),
            _ => None,
        });
        self.inputs.push(Input::Segment(last.expect("a segment")));
        self
    }

    /// 100 bytes that were not captured.
    fn loses(mut self, from: usize) -> Self {
        self.next[from] += 100;
        self
    }

    /// A segment that says `message`.
    fn says(self, millis: i64, from: usize, message: Message) -> Self {
        self.sends(millis, from, 0).meaning(message)
    }

    /// The last segment says it.
    fn meaning(mut self, message: Message) -> Self {
        let Some(Input::Segment(last)) = self.inputs.last() else { panic!("no segment") };
        let Segment { ts, scope, src, dst, seq, ack, .. } = *last;
        let name = FlowName { ts, since: ts, scope, src, dst, seq, end: last.end(), ack: Some(ack), message };
        self.inputs.push(Input::Name(name));
        self
    }

    fn fed(&self, engine: &mut Engine) -> FlowId {
        self.inputs.iter().for_each(|input| engine.feed(input));
        let tuple = [self.ends[0], self.ends[1]];
        let rows = show(engine).flows.rows;
        let ours = rows.iter().filter(|row| tuple.contains(&row.orig.endpoint) && tuple.contains(&row.resp.endpoint));
        ours.map(|row| row.id).max().expect("a flow")
    }

    fn opening(&self) -> Opening {
        let mut engine = engine();
        let id = self.fed(&mut engine);
        *engine.detail(id).expect("the flow").opening.expect("an opening")
    }

    /// In ms: the TLS handshake, and the request until its answer.
    fn waits(&self) -> [Option<u128>; 2] {
        let opening = self.opening();
        let tls = opening.tls.and_then(|tls| tls.wait());
        let request = opening.exchange.and_then(|exchange| exchange.wait());
        [tls, request].map(|wait| wait.map(|wait| wait.as_millis()))
    }
}

fn client_hello() -> Message {
    let [sni, alpn] = ["www.example.org", "h2"].map(|text| Some(Scrubbed::new(text)));
    Message::ClientHello(ClientHello { sni, alpn, early_data: false, tickets: false })
}

fn server_hello(version: u16) -> Message {
    Message::ServerHello(ServerHello { version: Some(TlsVersion(version)), alpn: None, retry: false })
}

fn request(host: &str) -> Message {
    let host = (!host.is_empty()).then(|| Scrubbed::new(host));
    Message::Request(Request { method: Scrubbed::new("GET"), host })
}

fn response(status: u16) -> Message {
    Message::Response(Response { status, reason: None })
}

fn greeted(version: u16) -> Talk {
    Talk::new().says(20, 0, client_hello()).says(50, 1, server_hello(version))
}

fn asked() -> Talk {
    Talk::new().says(20, 0, request("www.example.org"))
}

#[test]
fn tls_1_3_ends_with_the_clients_last_flight_and_the_request_follows() {
    let talk = greeted(TLS_1_3).sends(51, 1, 1).sends(60, 0, 1);
    assert_eq!(talk.waits(), [Some(40), None], "what the server sent was its handshake");
    assert_eq!(talk.clone().sends(70, 0, 1).sends(120, 1, 1).waits(), [Some(40), Some(50)]);
    assert_eq!(talk.clone().sends(120, 1, 1).waits(), [Some(40), None], "nobody asked");
    let at_once = greeted(TLS_1_3).sends(60, 0, 2).sends(120, 1, 1);
    assert_eq!(at_once.waits(), [Some(40), Some(60)], "last flight and request in one segment");
    let opening = talk.opening();
    let tls = opening.tls.as_ref().expect("TLS");
    assert_eq!((tls.version, tls.offered.as_deref(), tls.retried), (Some(TlsVersion::TLS_1_3), Some("h2"), false));
    let name = opening.name().expect("a name");
    assert_eq!((name.text.as_str(), name.by), ("www.example.org", NameSource::Sni));
}

#[test]
fn session_tickets_are_no_answer() {
    let taking = || Message::ClientHello(ClientHello { tickets: true, ..ClientHello::default() });
    let asked = || Talk::new().says(20, 0, taking()).says(50, 1, server_hello(TLS_1_3)).sends(60, 0, 1).sends(70, 0, 1);
    let records = |talk: Talk, millis, count, len| {
        let ack = talk.next[0];
        talk.sends_records(millis, 1, AppRecords { count, len }, ack)
    };
    let request = |talk: Talk| talk.waits()[1];
    assert_eq!(request(records(records(asked(), 71, 2, 250), 120, 1, 90)), Some(50), "two alike in a segment");
    assert_eq!(request(records(records(records(asked(), 71, 1, 250), 72, 1, 250), 120, 1, 90)), Some(50), "in two");
    assert_eq!(request(records(asked(), 120, 1, 90)), None, "one of either kind");
    assert_eq!(request(records(records(asked(), 71, 1, 250), 120, 1, 90)), None, "which of them is the answer");
    assert_eq!(request(records(records(asked(), 71, 2, 0), 120, 1, 90)), None, "two that differ");
    let before = asked().sends_records(71, 1, AppRecords { count: 1, len: 250 }, Seq(1201));
    assert_eq!(request(records(before.clone(), 120, 1, 90)), Some(50), "sent before the request came");
    assert_eq!(request(records(records(before, 72, 1, 250), 120, 1, 90)), Some(50), "and one like it after");
    let old = Talk::new().says(20, 0, taking()).says(50, 1, server_hello(TLS_1_2)).sends(70, 0, 1).sends(120, 1, 1);
    assert_eq!(request(old), Some(50), "TLS 1.2 sends them in its handshake");
}

#[test]
fn up_to_tls_1_2_the_first_data_of_either_end_is_the_end() {
    let talk = greeted(TLS_1_2).sends(55, 0, 0).sends(65, 1, 0);
    assert_eq!(talk.waits(), [None, None]);
    assert_eq!(talk.clone().sends(70, 0, 1).sends(120, 1, 1).waits(), [Some(50), Some(50)]);
    assert_eq!(talk.sends(80, 1, 1).sends(90, 0, 1).sends(100, 1, 1).waits(), [Some(60), Some(10)]);
}

#[test]
fn what_hides_the_end_leaves_it_unknown() {
    let early = Message::ClientHello(ClientHello { early_data: true, ..ClientHello::default() });
    let talk = Talk::new().says(20, 0, early).sends(21, 0, 1).says(50, 1, server_hello(TLS_1_3)).sends(60, 0, 2);
    assert_eq!(talk.sends(90, 1, 1).waits(), [None, None], "early data");
    let cut = Message::ServerHello(ServerHello { version: None, alpn: None, retry: false });
    let talk = Talk::new().says(20, 0, client_hello()).says(50, 1, cut).sends(51, 1, 1).sends(60, 0, 2);
    assert_eq!(talk.sends(90, 1, 1).waits(), [Some(40), None], "whether the client's first is a request");
    let unanswered = Talk::new().says(20, 0, client_hello()).sends(21, 0, 1);
    assert_eq!(unanswered.waits(), [None, None]);
    let one_sided = Talk::new().says(50, 1, server_hello(TLS_1_2)).sends(60, 0, 1);
    assert_eq!(one_sided.waits(), [None, None], "no ClientHello was captured");
}

#[test]
fn a_hello_that_is_asked_for_again_began_with_the_first() {
    let retry = Message::ServerHello(ServerHello { version: None, alpn: None, retry: true });
    let talk = Talk::new().says(20, 0, client_hello()).says(40, 1, retry).says(45, 0, client_hello());
    let talk = talk.says(70, 1, server_hello(TLS_1_3)).sends(80, 0, 1);
    assert_eq!(talk.waits(), [Some(60), None]);
    assert!(talk.opening().tls.is_some_and(|tls| tls.retried));
}

#[test]
fn an_alert_is_told_with_its_sender_and_the_fatal_one_before_a_warning() {
    let alert = |fatal, description| Message::Alert(Alert { fatal, description });
    let told = |talk: Talk| talk.opening().tls.and_then(|tls| tls.alert).expect("an alert");
    let talk = greeted(TLS_1_2).says(55, 1, alert(false, 112));
    assert_eq!(told(talk.clone()), (Alert { fatal: false, description: 112 }, end(SERVER), at(55)));
    let talk = talk.says(60, 0, alert(true, 48)).says(65, 1, alert(true, 40));
    assert_eq!(told(talk.clone()), (Alert { fatal: true, description: 48 }, end(CLIENT), at(60)));
    assert_eq!(talk.sends(90, 0, 1).waits(), [None, None], "it failed");
}

#[test]
fn a_request_lasts_until_its_answer_and_names_host_and_status() {
    let talk = asked().sends(30, 0, 0).sends(80, 1, 0).meaning(response(100)).says(90, 1, response(404));
    assert_eq!(talk.waits(), [None, Some(50)], "from the last that the client sent to the first that the server did");
    let http = talk.opening().http.expect("HTTP");
    assert_eq!(http.response.map(|response| response.status), Some(404));
    assert_eq!(talk.opening().name().map(|name| name.by), Some(NameSource::HttpHost));
    let second = talk.says(200, 0, request("other.example.org")).says(300, 1, response(200));
    assert_eq!(second.waits(), [None, Some(50)]);
    assert_eq!(second.opening().name().expect("a name").text.as_str(), "www.example.org", "of the first exchange");
}

#[test]
fn a_response_whose_request_was_not_captured_stands_alone_until_a_request_comes() {
    let unasked = Talk::new().says(20, 1, response(200));
    let http = unasked.opening().http.expect("HTTP");
    assert_eq!((http.to_string().as_str(), unasked.waits()), ("HTTP 200", [None, None]));
    let next = unasked.says(30, 0, request("www.example.org")).says(90, 1, response(404));
    let http = next.opening().http.expect("HTTP");
    assert_eq!((http.to_string().as_str(), next.waits()), ("HTTP GET, 404", [None, Some(60)]));
}

#[test]
fn the_rest_of_a_head_completes_it_and_another_request_does_not() {
    let (talk, from) = (Talk::new().says(20, 0, request("")), Seq(1001));
    let mut joined = talk.clone().says(30, 0, request("www.example.org"));
    let Some(Input::Name(name)) = joined.inputs.last_mut() else { panic!("a name") };
    name.seq = from;
    assert!(joined.opening().name().is_some());
    assert_eq!(talk.says(30, 0, request("www.example.org")).opening().name(), None);
}

#[test]
fn repeats_move_nothing() {
    let talk = asked().repeats(70).sends(80, 1, 0).repeats(95);
    assert_eq!(talk.waits(), [None, Some(60)], "the request's retransmission is no request");
    let talk = greeted(TLS_1_3).sends(60, 0, 1).repeats(75).sends(120, 1, 1);
    assert_eq!(talk.waits(), [Some(40), None], "nor is that of the last flight");
    let twice = |talk: &Talk| {
        let doubled = talk.inputs.iter().flat_map(|input| match input {
            Input::Name(_) => vec![input.clone(), input.clone()],
            other => vec![other.clone()],
        });
        Talk { inputs: doubled.collect(), ..talk.clone() }.opening()
    };
    let talk = greeted(TLS_1_3).sends(60, 0, 2).sends(120, 1, 1);
    assert_eq!(twice(&talk), talk.opening(), "another interface showed them too");
}

#[test]
fn data_that_was_sent_before_the_request_arrived_is_no_answer() {
    let before = asked().sends_having_seen(25, 1, 0, Seq(1001));
    assert_eq!(before.waits(), [None, None]);
    assert_eq!(before.sends(80, 1, 0).waits(), [None, Some(60)]);
    assert_eq!(asked().sends_having_seen(25, 1, 0, Seq(1002)).waits(), [None, Some(5)], "it had seen some of it");
}

#[test]
fn nothing_behind_a_hole_is_a_first() {
    let late = asked().loses(1).sends(80, 1, 0);
    assert_eq!(late.waits(), [None, None], "the answer's first byte was not captured");
    assert_eq!(
        late.clone().says(200, 0, request("")).sends(250, 1, 0).waits(),
        [None, None],
        "nor is the next its own"
    );
    let mut filled = late.clone();
    filled.next[1] = filled.next[1] - 200;
    assert_eq!(filled.sends(95, 1, 0).waits(), [None, Some(75)], "it came late");
    let talk = greeted(TLS_1_3).loses(0).sends(60, 0, 1).sends(70, 0, 1).sends(120, 1, 1);
    assert_eq!(talk.waits(), [None, None], "the client's last flight may have been in it");
    let talk = greeted(TLS_1_3).loses(1).sends(51, 1, 1).sends(60, 0, 1).sends(70, 0, 1).sends(120, 1, 1);
    assert_eq!(talk.waits(), [Some(40), Some(50)], "of the server's handshake nothing is asked");
    assert_eq!(greeted(TLS_1_2).loses(1).sends(60, 1, 1).waits(), [None, None]);
}

#[test]
fn a_reused_tuple_begins_anew() {
    let mut engine = engine();
    let first = asked().sends(80, 1, 0).fed(&mut engine);
    let mut next = Talk::from([CLIENT, SERVER], 77_000);
    next.inputs.iter_mut().for_each(|input| {
        if let Input::Segment(segment) = input {
            segment.ts = segment.ts + Duration::from_secs(9);
        }
    });
    let second = next.sends(9_020, 0, 0).fed(&mut engine);
    assert_ne!(first, second);
    assert!(engine.detail(first).is_some_and(|detail| detail.opening.is_some()));
    assert_eq!(engine.detail(second).expect("the flow").opening, None);
}

#[test]
fn a_conversation_is_the_same_from_any_number_on_and_from_the_other_end() {
    let play = |talk: Talk| {
        let talk = talk.says(20, 0, client_hello()).says(50, 1, server_hello(TLS_1_3)).sends(51, 1, 1);
        talk.sends(60, 0, 1).repeats(61).sends(70, 0, 1).sends(120, 1, 1).repeats(130)
    };
    let expected = play(Talk::new()).opening();
    for iss in [0, u32::MAX, u32::MAX - 50, u32::MAX - 99, u32::MAX - 100, u32::MAX - 250, 1 << 31] {
        for ends in [[CLIENT, SERVER], [SERVER, CLIENT]] {
            assert_eq!(play(Talk::from(ends, iss)).opening(), expected, "{ends:?} from {iss}");
        }
    }
}

#[test]
fn segments_in_batches_give_the_same() {
    let talk = greeted(TLS_1_3).sends(60, 0, 1).sends(70, 0, 1).sends(120, 1, 1);
    let mut engine = engine();
    for batch in talk.inputs.chunks(3) {
        engine.feed_batch(batch);
    }
    assert_eq!(engine.detail(FlowId(0)).expect("the flow").opening.as_deref(), Some(&talk.opening()));
}

const RESOLVER: &str = "10.0.0.1:53";

fn dns(millis: i64, client: &str, name: &str, says: DnsSays) -> Input {
    let (client, server, name) = (end(client), end(RESOLVER), Scrubbed::new(name));
    Input::Dns(Dns { ts: at(millis), scope: Scope::FILE, client, server, id: 7, name, says })
}

fn told(addresses: &[&str]) -> DnsSays {
    DnsSays::Answer(addresses.iter().map(|ip| ip.parse().expect("an address")).collect())
}

const ASKER: &str = "10.0.0.2:5353";

/// The lookup that a connection carries whose SYN comes at 1000 ms: name, wait, and how long before.
fn lookup(inputs: &[Input]) -> Option<(String, Option<u128>, u128)> {
    lookup_of(CLIENT, inputs)
}

fn lookup_of(client: &str, inputs: &[Input]) -> Option<(String, Option<u128>, u128)> {
    let mut engine = engine();
    inputs.iter().for_each(|input| engine.feed(input));
    engine.feed(&Input::Segment(segment(1000, client, SERVER, "S", 100, 0, 0)));
    engine.feed(&Input::Segment(segment(1900, client, SERVER, "S", 100, 0, 0)));
    let id = show(&engine).flows.rows.iter().map(|row| row.id).max()?;
    let found = engine.detail(id)?.opening?.dns?;
    let wait = found.wait().map(|wait| wait.as_millis());
    Some((found.name.to_string(), wait, at(1000).since(found.answered).as_millis()))
}

#[test]
fn a_syn_carries_the_lookup_just_before_it() {
    let query = dns(900, ASKER, "example.org", DnsSays::Query);
    let answer = dns(930, ASKER, "example.org", told(&["10.0.0.9", "10.0.0.5"]));
    let found = lookup(&[query.clone(), answer.clone()]);
    assert_eq!(found, Some(("example.org".into(), Some(30), 70)));
    let again = dns(920, ASKER, "example.org", DnsSays::Query);
    assert_eq!(lookup(&[query.clone(), again, answer.clone()]), found, "a query sent again waits from its first");
    assert_eq!(
        lookup(std::slice::from_ref(&answer)),
        Some(("example.org".into(), None, 70)),
        "the query was not captured"
    );
    let newer = dns(950, ASKER, "other.example.org", told(&["10.0.0.5"]));
    assert_eq!(lookup(&[answer.clone(), newer]).map(|found| found.0), Some("other.example.org".into()));
    let other = dns(950, "10.0.0.3:5353", "other.example.org", told(&["10.0.0.5"]));
    assert_eq!(
        lookup(&[answer, other]).map(|found| found.0),
        Some("example.org".into()),
        "another host's is passed over"
    );
}

#[test]
fn other_lookups_are_not_its_own() {
    for (why, inputs) in [
        ("another host", vec![dns(930, "10.0.0.3:5353", "example.org", told(&["10.0.0.5"]))]),
        ("another address", vec![dns(930, ASKER, "example.org", told(&["10.0.0.6"]))]),
        ("too long ago", vec![dns(-4001, ASKER, "example.org", told(&["10.0.0.5"]))]),
        ("after the SYN", vec![dns(1001, ASKER, "example.org", told(&["10.0.0.5"]))]),
        ("no such name", vec![dns(930, ASKER, "example.org", told(&[]))]),
        ("no answer", vec![dns(930, ASKER, "example.org", DnsSays::Query)]),
    ] {
        assert_eq!(lookup(&inputs), None, "{why}");
    }
    assert!(lookup(&[dns(-4000, ASKER, "example.org", told(&["10.0.0.5"]))]).is_some(), "just near enough");
    let other_id = |mut input: Input| {
        if let Input::Dns(dns) = &mut input {
            dns.id = 8;
        }
        input
    };
    let query = other_id(dns(900, ASKER, "example.org", DnsSays::Query));
    let found = lookup(&[query, dns(930, ASKER, "example.org", told(&["10.0.0.5"]))]);
    assert_eq!(found.map(|found| found.1), Some(None), "the answer to another query");
}

#[test]
fn a_lookup_long_before_the_syn_names_and_was_not_waited_for() {
    let told_of = |answered: i64| {
        let mut engine = engine();
        let lookup = [
            dns(answered - 20, ASKER, "example.org", DnsSays::Query),
            dns(answered, ASKER, "example.org", told(&["10.0.0.5"])),
        ];
        feed_all(&mut engine, lookup);
        feed_all(
            &mut engine,
            [
                segment(1000, CLIENT, SERVER, "S", 100, 0, 0),
                segment(1001, SERVER, CLIENT, "S.", 500, 101, 0),
                segment(1002, CLIENT, SERVER, ".", 101, 501, 0),
            ]
            .map(Input::Segment),
        );
        let detail = engine.detail(FlowId(0)).expect("a flow");
        let waited = detail.waits().iter().any(|wait| wait.kind == WaitKind::Dns);
        let facts = detail.spoken();
        (waited, facts.concat())
    };
    assert_eq!(told_of(0), (true, format!("address by DNS of {RESOLVER}")), "1 s before");
    assert_eq!(told_of(-1), (false, format!("address by DNS of {RESOLVER}, 1.0 s before")));
    assert_eq!(told_of(-3_800), (false, format!("address by DNS of {RESOLVER}, 4.8 s before")));
}

#[test]
fn a_resolver_on_loopback_asks_for_its_host() {
    let answer = dns(930, "127.0.0.1:5353", "example.org", told(&["10.0.0.5"]));
    assert_eq!(lookup(std::slice::from_ref(&answer)), None, "whose host this is was not told");
    let here = sample(0, Vec::new(), &[]);
    assert!(lookup(&[here.clone(), answer.clone()]).is_some());
    assert_eq!(lookup_of("10.0.0.7:40000", &[here, answer]), None, "a remote client");
}

#[test]
fn lookups_are_bounded_and_the_newest_stay() {
    let flood = (0..10_000).flat_map(|n: i64| {
        let address = format!("10.9.{}.{}", n / 250, n % 250);
        let query = dns(n / 100, ASKER, &format!("n{n}.example.org"), DnsSays::Query);
        [query, dns(n / 100, ASKER, &format!("n{n}.example.org"), told(&[&address]))]
    });
    let before = dns(0, ASKER, "example.org", told(&["10.0.0.5"]));
    let inputs: Vec<Input> = [before].into_iter().chain(flood).collect();
    assert_eq!(lookup(&inputs), None, "the oldest went first");
    let last = dns(500, ASKER, "example.org", told(&["10.0.0.5"]));
    assert!(lookup(&[inputs, vec![last]].concat()).is_some());
}

#[test]
fn words_of_a_filter_match_names_and_the_table_shows_them() {
    let mut engine = engine();
    let id = greeted(TLS_1_3).fed(&mut engine);
    Talk::from(["10.0.0.7:40000", SERVER], 5).says(60, 0, request("intra.example.net")).fed(&mut engine);
    let rows = |words: &str| {
        let query = Query { filter: Filter::parse(words).expect(words), rows: 10, ..Query::default() };
        engine.dashboard(&query, &mut QueryCache::default()).flows.rows
    };
    let [row] = &rows("WWW.example")[..] else { panic!("one flow") };
    assert_eq!((row.id, row.name.as_ref().map(|name| name.by)), (id, Some(NameSource::Sni)));
    assert_eq!((rows("example").len(), rows("example.com").len(), rows("intra 10.0.0.7").len()), (2, 0, 1));
    assert!(show(&engine).sees.names);
    assert!(!show(&fed(handshake(0))).sees.names);
}

#[test]
fn the_one_before_speaks_while_a_syn_is_not_believed() {
    let mut engine = engine();
    let first = Talk::new().fed(&mut engine);
    engine.feed(&Input::Segment(segment(15, CLIENT, SERVER, "S", 99_000, 0, 0)));
    Talk { inputs: Vec::new(), ..Talk::new() }.says(20, 0, request("www.example.org")).fed(&mut engine);
    assert!(engine.detail(first).is_some_and(|detail| detail.opening.is_some()));
    assert_eq!(engine.detail(FlowId(first.0 + 1)).expect("the flow of the SYN").opening, None);
}
