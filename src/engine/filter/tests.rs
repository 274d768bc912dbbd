//! Each field with flows that fit and near misses; what is wrong is told with its place.

use std::sync::Arc;
use std::time::Duration;

use super::fields::FIELDS;
use crate::base::{Scope, Scrubbed, TcpState};
use crate::engine::tests::{CLIENT, SERVER, close, engine, fed, handshake, sample, segment, socket};
use crate::engine::{Config, Engine, Filter, FlowId, Input};
use crate::kernel::{TcpInfo, Timer, TimerKind};
use crate::names::{Dns, DnsSays};
use crate::wire::{Segment, Tunnel, TunnelKind, VlanId};

/// 10.0.0.2:40000 → 10.0.0.5:80, established with a round trip of 11 ms, 300 bytes sent and 40 of them twice; the
/// kernel of 10.0.0.2 reports its socket half a second later; DNS had called it db.Example. The clock stands at 2 s.
fn connection() -> Engine {
    let mut engine = engine();
    let client = crate::engine::tests::end("10.0.0.2:5353");
    let (server, name) = (crate::engine::tests::end("10.0.0.1:53"), Scrubbed::new("db.Example"));
    let says = DnsSays::Answer(["10.0.0.5".parse().expect("an address")].into());
    let answer = Dns { ts: crate::engine::tests::at(-20), scope: Scope::FILE, client, server, id: 7, name, says };
    engine.feed(&Input::Dns(answer));
    handshake(0).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
    let data = |millis, seq, len| Input::Segment(segment(millis, CLIENT, SERVER, "P.", seq, 501, len));
    for input in [data(100, 101, 260), data(110, 361, 40), data(900, 361, 40)] {
        engine.feed(&input);
    }
    let mut held = socket(CLIENT, SERVER, TcpState::Estab, (98, 7), 77, 1);
    held.timer = Some(Timer { kind: TimerKind::On, left: Duration::from_millis(200), retries: 0 });
    let (rtt, total_retrans, lost) = (Some(Duration::from_millis(5)), Some(3), Some(2));
    held.info = Some(Box::new(TcpInfo { rtt, total_retrans, lost, ..TcpInfo::default() }));
    engine.feed(&sample(1_000, vec![held], &[(77, 42, 5, "Curl-7")]));
    engine.feed(&Input::Tick(crate::engine::tests::at(2_000)));
    engine
}

/// The same on a capture: no kernel, no host; closed 0.1 s after it began, through a tunnel.
fn captured() -> Engine {
    let inside = |segment: Segment| Segment {
        vlan: Some(VlanId::of_tag(7)),
        tunnel: Some(Tunnel { kind: TunnelKind::Vxlan, id: Some(9.into()) }),
        ..segment
    };
    fed(handshake(0).into_iter().chain(close(100)).map(inside))
}

fn fits(engine: &Engine, text: &str) -> bool {
    let filter = Filter::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    engine.flow_ids(&filter) == [FlowId(0)]
}

/// Field, filters that the connection fits, near misses.
const OF_CONNECTION: [(&str, &[&str], &[&str]); 41] = [
    (
        "state",
        &["state:estab", "state=established", "STATE:Es"],
        &["state:time-wait", "state=syn-recv", "state!=estab"],
    ),
    ("proc", &["proc:curl", "proc=CURL-7", "process:url"], &["proc=curl", "proc:wget", "proc:\"curl 7\""]),
    ("port", &["port:80", "port=40000", "port:1,80", "port:79-81"], &["port:8", "port!=80", "port:81-90"]),
    ("peer", &["peer:10.0.0.5", "peer:10.0.0.0/8", "peer:10.0.0.5:80", "peer::80"], &["peer:10.0.0.2", "peer:lo"]),
    ("local", &["local:10.0.0.2", "local:10.0."], &["local:10.0.0.5", "local::80", "local:lo"]),
    ("addr", &["addr:10.0.0.2", "host:10.0.0.5", "ip:10.0.0.4/31"], &["addr:10.0.0.3", "addr:11", "addr:11."]),
    ("orig", &["orig:10.0.0.2", "orig::40000", "orig:40000"], &["orig:10.0.0.5", "orig::80", "orig:10"]),
    ("resp", &["resp:10.0.0.5:80", "resp=10.0.0.5", "resp:80", "resp:10."], &["resp:10.0.0.2", "resp!=10.0.0.5"]),
    ("recvq", &["recvq>97", "recv-q=98", "recvq:90-100"], &["recvq>98", "recvq:1k"]),
    ("sendq", &["sendq>0", "sendq<=7"], &["sendq<7", "send-q>1k"]),
    ("unacked", &["unacked>=300", "unacked:300"], &["unacked>300"]),
    ("rtt", &["rtt:5ms", "rtt<5.1ms", "rtt>=5000us"], &["rtt>5ms", "rtt!=5ms", "rtt:unknown"]),
    ("retrans", &["retrans>0", "retrans:3", "retrans:1"], &["retrans>3", "retrans=2"]),
    ("lost", &["lost:2", "lost>1"], &["lost>2"]),
    ("retries", &["retries:0"], &["retries>0"]),
    ("connect", &["connect:11ms", "connect<1s"], &["connect>11ms"]),
    ("outcome", &["outcome:completed", "handshake:comp"], &["outcome:refused", "outcome=reset"]),
    ("rate", &["rate>=0", "rate<1M"], &["rate>1kbit/s"]),
    ("bytes", &["bytes:340", "bytes>0.3kB"], &["bytes>340"]),
    ("segments", &["segments=6", "packets<7"], &["segments<6"]),
    ("age", &["age>=2s", "age<1m"], &["age>2s"]),
    ("idle", &["idle:1.1s", "idle>1s"], &["idle>1.1s"]),
    ("is", &["is:ipv4", "not is:closed", "not is:local", "not is:silent"], &["is:closed", "is:partial", "is:ipv6"]),
    ("mark", &["mark:retransmission", "mark:retr", "analysis:zero-window,retransmission"], &["mark:zero-window"]),
    ("pid", &["pid:42", "pid:40-45"], &["pid:4", "pid!=42"]),
    ("fd", &["fd:5", "fd<=5"], &["fd:42"]),
    ("user", &["user:use", "user=USER"], &["user=use", "user:root"]),
    ("uid", &["uid:1000"], &["uid:0"]),
    ("cmd", &["cmd:curl", "args:7"], &["cmd:wget"]),
    ("name", &["name:example", "name=DB.example", "sni:db"], &["name=example", "name:www", "name:unknown"]),
    ("lport", &["lport:40000"], &["lport:80"]),
    ("pport", &["pport:80"], &["pport:40000"]),
    ("service", &["service:80", "rport:1-1023"], &["service:40000"]),
    ("inferred", &["inferred:estab"], &["inferred:syn", "inferred:unknown"]),
    ("reported", &["reported:estab", "kernel:estab"], &["reported:syn-recv"]),
    ("vlan", &["vlan:unknown"], &["vlan:7", "not vlan:7"]),
    ("tunnel", &["not tunnel:vxlan"], &["tunnel:vxlan", "tunnel:unknown"]),
    ("timer", &["timer:on", "timer:keepalive,on"], &["timer:persist"]),
    ("conn_state", &["conn_state:s1", "conn-state=S1"], &["conn_state:SF", "conn_state!=S1"]),
    ("history", &["history:ShA", "history:T"], &["history:sHa", "history=ShA"]),
    ("id", &["id:0"], &["id:1", "flow>0"]),
];

#[test]
fn each_field_fits_and_nearly_does() {
    let engine = connection();
    for (field, yes, no) in OF_CONNECTION {
        assert!(FIELDS.iter().any(|row| row.name == field), "{field}");
        for text in yes {
            assert!(fits(&engine, text), "{text} should fit");
        }
        for text in no {
            assert!(!fits(&engine, text), "{text} should not fit");
        }
    }
    assert_eq!(OF_CONNECTION.map(|(field, ..)| field), FIELDS.map(|field| field.name), "every field, in its order");
}

#[test]
fn on_a_capture_either_end_may_be_here_and_the_kernel_is_unknown() {
    let engine = captured();
    for text in [
        "state:time-wait",
        "state:closed",
        "peer:10.0.0.2",
        "peer:10.0.0.5",
        "local:10.0.0.5",
        "lport:80 pport:80",
        "not local:lo",
        "conn_state:SF",
        "vlan:7 tunnel:vxlan",
        "recvq:unknown proc:unknown reported:unknown timer:unknown",
        "nginx or not nginx",
    ] {
        assert!(fits(&engine, text), "{text} should fit");
    }
    // What is not known fits neither a test nor its `not`.
    for text in ["recvq>0", "not recvq>0", "proc:curl", "not proc:curl", "proc!=curl", "is:local", "not is:local"] {
        assert!(!fits(&engine, text), "{text} should not fit");
    }
    assert!(fits(&engine, "not (recvq>0 and port:81)"), "one of the two is known not to hold");
    assert!(fits(&engine, "recvq>0 or port:80"));
    assert!(!fits(&engine, "not (recvq>0 or port:81)"));
}

#[test]
fn is_asks_for_each_of_its_words() {
    let wire = |segments: Vec<Segment>| fed(segments);
    let syn = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
    let window_0 = Segment { window: 0, ..segment(20, SERVER, CLIENT, ".", 501, 101, 0) };
    let kernel = |state, inode, more: Option<crate::kernel::Socket>| {
        let held = socket(CLIENT, SERVER, state, (0, 0), inode, 1);
        fed_with(&sample(500, [held].into_iter().chain(more).collect(), &[(9, 7, 3, "server")]))
    };
    let listener = socket(CLIENT, "0.0.0.0:0", TcpState::Listen, (0, 128), 9, 2);
    let mut disagree = fed(handshake(0));
    for millis in [1_000, 2_000] {
        let held = socket(CLIENT, SERVER, TcpState::CloseWait, (0, 0), 77, 1);
        disagree.feed(&sample(millis, vec![held], &[]));
    }
    for (word, engine) in [
        ("closed", wire(vec![syn, segment(1, SERVER, CLIENT, "R.", 0, 101, 0)])),
        ("failed", wire(vec![syn, segment(1, SERVER, CLIENT, "R.", 0, 101, 0)])),
        ("partial", wire(vec![segment(0, CLIENT, SERVER, "P.", 1, 1, 9)])),
        ("zero-window", wire(handshake(0).into_iter().chain([window_0]).collect())),
        ("ipv6", wire(vec![segment(0, "[2001:db8::1]:1", "[2001:db8::2]:2", "S", 1, 0, 0)])),
        ("ipv4", wire(vec![syn])),
        ("mismatch", disagree),
        ("orphan", kernel(TcpState::FinWait2, 0, None)),
        ("unaccepted", kernel(TcpState::Estab, 0, Some(listener))),
    ] {
        let plain = connection();
        assert!(fits(&engine, &format!("is:{word}")), "{word}");
        assert!(!fits(&engine, &format!("not is:{word}")), "{word}");
        assert_eq!(fits(&plain, &format!("is:{word}")), word == "ipv4", "{word}");
    }
}

fn fed_with(input: &Input) -> Engine {
    let mut engine = fed([]);
    engine.feed(input);
    engine
}

#[test]
fn terms_are_joined_as_usual() {
    let engine = connection();
    for (text, expected) in [
        ("port:80 port:81", false),
        ("port:80 AND port:40000", true),
        ("port:81 or port:80 curl", true),
        ("(port:81 or port:80) wget", false),
        ("port:81||port:80", true),
        ("port:80&&!port:81", true),
        ("not not port:80", true),
        ("!(port:80)", false),
        ("recvq > 0 and rtt < 100ms", true),
        ("", true),
        ("   ", true),
        ("order or curl", true),
        ("\"or\"", false),
        ("\"10.0.0.2\"", false),
        ("\"Curl\"", true),
        ("10.0.0.0/24", true),
        ("10.0.1.0/24", false),
        ("2001:db8::1", false),
        ("not dead:beef::/32", true),
        ("not fd::5", true),
        ("fd:5", true),
        ("not fe80:", true),
        ("user", true),
    ] {
        assert_eq!(fits(&engine, text), expected, "{text}");
    }
}

#[test]
fn of_both_ends_here_each_is_the_others_peer() {
    let mut engine = fed([segment(0, "10.0.0.2:1", "10.0.0.2:2", "S", 1, 0, 0)]);
    engine.feed(&sample(100, vec![], &[]));
    assert!(fits(&engine, "lport:1 lport:2 pport:1 pport:2 is:local"));
    // One that passes by has no end here: both are peers.
    let mut engine = fed([segment(0, "10.0.0.8:1", "10.0.0.9:2", "S", 1, 0, 0)]);
    engine.feed(&sample(100, vec![], &[]));
    assert!(fits(&engine, "pport:1 pport:2 not lport:1 not lport:2 not local:10.0.0.8"));
}

#[test]
fn a_word_of_before_stands_for_its_outcome() {
    let mut engine = Engine::new(Config::replay(10, 1));
    engine.feed(&Input::Segment(segment(0, CLIENT, SERVER, "S", 100, 0, 0)));
    engine.feed(&Input::Tick(crate::engine::tests::at(60_000)));
    for text in ["outcome:unanswered", "outcome:timed-out", "outcome=timed-out", "outcome:TimedOut", "timed-out"] {
        assert!(fits(&engine, text) && !fits(&connection(), text), "{text}");
    }
    assert!(!fits(&engine, "time"), "that begins TIME-WAIT");
    assert_eq!(Filter::parse("outcome=timed").unwrap_err().message.matches("timed-out").count(), 0);
}

#[test]
fn errors_point_at_the_word() {
    for (text, pointed, message) in [
        ("port:80 sate:time-wait", "sate", "unknown field \"sate\": did you mean state?"),
        ("foo:bar", "foo", "unknown field \"foo\" (a text with a colon goes in quotes)"),
        ("state:tim-wait", "tim-wait", "state is never tim-wait: did you mean time-wait?"),
        ("is:xyz", "xyz", "is is never xyz: closed partial failed"),
        ("port:80,x", "x", "x is no number: 80, 80,443 or 8000-8999"),
        ("port:99999999999999999999", "99999999999999999999", "is no number"),
        ("rtt>100", "100", "100 is no time: 250us, 100ms, 1.5s, 5m or 1h"),
        ("recvq>2x", "2x", "2x is no size"),
        ("peer:10.0.0.300", "10.0.0.300", "10.0.0.300 is no address: 10.0.0.5, 10.0.0.0/8"),
        ("resp:80-90", "80-90", "for ports from 80-90: service:80-90"),
        ("orig:1-9", "1-9", "1-9 is no address"),
        ("resp:65536", "65536", "65536 is no address: 10.0.0.5, 10.0.0.0/8, 10. (a network)"),
        ("state>estab", ">", "state is no number: state: or state= go with it"),
        ("rtt>1s,2s", "2s", "> takes one value, not several"),
        ("rtt>unknown", "unknown", "what is unknown is neither more nor less"),
        ("peer:unknown", "unknown", "unknown is no address"),
        ("port:80 or", "or", "nothing comes after this"),
        ("not", "not", "nothing comes after this"),
        ("and 80", "and", "nothing comes before this"),
        ("80 and or 80", "or", "nothing comes before this"),
        ("state=est", "est", "state is never est: listen syn-sent"),
        ("outcome=comp", "comp", "outcome is never comp: completed"),
        ("(80", "(", "this bracket is not closed"),
        ("80)", ")", "this bracket closes none"),
        ("()", "()", "nothing stands in these brackets"),
        ("(\u{3000})", "(\u{3000})", "nothing stands in these brackets"),
        ("proc:\"my app", "\"my app", "this quote is not closed"),
        ("state:", "", "a value is missing after state:"),
        ("state: estab", "", "a value is missing after state:"),
        ("port:80,", "", "a value is missing after 80,"),
        ("rtt>)", ")", "a value is missing after rtt>"),
        ("80 =5", "=", "a field is missing before \"=\""),
        ("é >5", ">", "a field is missing before \">\""),
    ] {
        let fault = Filter::parse(text).unwrap_err();
        assert_eq!(&text[fault.at.clone()], pointed, "{text}: {fault}");
        assert!(fault.message.contains(message), "{text}: {fault}");
    }
}

#[test]
fn a_field_without_its_colon_was_probably_meant() {
    for (typed, meant) in [
        ("port 443", "port:443"),
        ("port 80,443", "port:80,443"),
        ("HOST 10.0.0.5 and port 80", "HOST:10.0.0.5 port:80"),
        ("tcp dst port 80 or src host 10.0.0.5", "port:80 or host:10.0.0.5"),
        ("not port 22", "not port:22"),
        ("curl (port 80 or not (port 8080 lost 0))", "curl (port:80 or not (port:8080 lost:0))"),
        ("rtt unknown bytes 1k-2k", "rtt:unknown bytes:1k-2k"),
        ("state:estab name \"a, b\"", "state:estab name:\"a, b\""),
    ] {
        let filter = |text: &str| Filter::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        assert_eq!((filter(typed).meant(), filter(meant).meant()), (Some(meant), None), "{typed}");
        assert!(filter(meant).text() == meant && filter(meant).test.is_some());
    }
    // No field, nothing behind it, no value of it, in quotes, a term already.
    for typed in ["", "443", "tcp 443", "port", "port curl", "port or 443", "\"port\" 443", "port:443 80", "proc ,"] {
        assert_eq!(Filter::parse(typed).expect("a filter").meant(), None, "{typed}");
    }
    // Something of it would be left, or turned round.
    for typed in ["not dst port 80", "tcp and (port 80 or port 81)", "port 80 tcp", "src or dst port 80", "ip6 port 80"]
    {
        assert_eq!(Filter::parse(typed).expect("a filter").meant(), None, "{typed}");
    }
    for typed in ["name port 80", "bytes \"5\t\""] {
        assert_eq!(Filter::parse(typed).expect("a filter").meant(), None, "{typed}");
    }
}

#[test]
fn what_is_begun_is_read_as_far_as_it_goes() {
    for (typed, as_if) in [
        ("port:80 or", Some("port:80 ")),
        ("port:80 and not", Some("port:80 ")),
        ("port:80 state:", Some("port:80 ")),
        ("port:80 or rtt>", Some("port:80 ")),
        ("port:80,", Some("port:80")),
        ("(port:80 or (curl", Some("(port:80 or (curl))")),
        ("proc:\"my ap", Some("proc:\"my ap\"")),
        ("proc:\"my \\", Some("proc:\"my \\\"\"")),
        ("not (", Some("")),
        ("sate:", Some("")),
        ("sate:x", None),
        ("80) or", None),
        ("(port:x", None),
    ] {
        assert_eq!(Filter::begun(typed), as_if.map(|text| Filter::parse(text).unwrap()), "{typed}");
    }
}

#[test]
fn a_filter_is_as_it_was_typed() {
    let filter = Filter::parse("port:80  OR curl").unwrap();
    assert_eq!(filter.text(), "port:80  OR curl");
    assert_eq!(Filter::parse("proc:\u{202e}x").unwrap().text(), "proc:·x", "it is shown");
    assert!(!filter.is_empty() && Filter::parse(" ").unwrap().is_empty());
    assert_eq!(Arc::strong_count(filter.clone().test.as_ref().unwrap()), 2, "a copy costs nothing");
}

#[test]
fn words_without_a_field_must_all_match() {
    let mut engine = fed(handshake(0));
    engine.feed(&sample(500, vec![socket(CLIENT, SERVER, TcpState::Estab, (0, 0), 77, 1)], &[(77, 42, 5, "Curl")]));
    for text in ["", "80", ":80", "10.0.0.5", "10.0.", SERVER, "estab", "curl", "42", "completed", "curl 80 estab"] {
        assert!(fits(&engine, text), "{text:?} matches");
    }
    for text in ["established", "ESTABLISHED", "establ", ".5:80", "0.2:40000"] {
        assert!(fits(&engine, text), "{text:?} matches");
    }
    for text in [
        "8",
        "10.0.0.6",
        "time-wait",
        "wget",
        "curl 81",
        "refused",
        "10.0.0.5:81",
        "established2",
        "syn_sent",
        "closewait",
    ] {
        assert!(!fits(&engine, text), "{text:?} does not match");
    }
}
