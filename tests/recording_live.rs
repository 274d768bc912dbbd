//! A live run that is recorded and read back: what is told of the recording is what was told live, flow for flow.
//!
//! May touch network namespaces that it makes itself, and child processes. Needs root; says so where it is not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;

use serde_json::Value;

#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;
#[path = "support/sockets.rs"]
mod sockets;

use netns::{Pair, alone};
use program::{PROGRAM, Watch};
use sockets::connect;

const SERVER: &str = "10.77.0.2:7000";
const REFUSED: &str = "10.77.0.2:7099";
const CONNECTIONS: usize = 40;

#[test]
fn a_recording_tells_what_was_told_live() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("recorded");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.pcapng");
    let file = file.to_str().expect("a path");
    let watch = Watch::begin_with(&pair.b, &["vb"], &["-w", file]);
    let held = traffic(&pair);
    Watch::settle([&watch]);
    let live = watch.end();
    drop(held);

    let output = Command::new(PROGRAM).args(["report", "-r", file, "--format", "ndjson"]).output().expect("a report");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let of = |kind: &str| told.iter().filter(|told| told["type"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!(of("flow"), live.flows);
    assert_eq!(of("finding"), live.findings);
    let [replayed] = &of("summary")[..] else { panic!("one summary") };
    let without_source = |summary: &Value| {
        let mut summary = summary.clone();
        summary.as_object_mut().expect("an object").remove("source");
        summary
    };
    assert_eq!(without_source(replayed), without_source(&live.summary));

    // There is something to tell, of each kind.
    let served = live.flows.iter().filter(|flow| flow["resp"]["port"] == 7000).collect::<Vec<_>>();
    assert!(served.len() > CONNECTIONS, "{} flows", served.len());
    assert!(served.iter().any(|flow| flow["resp"]["owner"].is_object()), "owners");
    assert!(served.iter().any(|flow| flow["resp"]["socket"]["recv_q"].as_u64() > Some(0)), "what is not read");
    assert!(served.iter().any(|flow| flow["names"]["name"] == "shop.example"), "names");
    assert!(live.flows.iter().any(|flow| flow["handshake"]["outcome"] == "refused"), "a refusal");
}

/// Connections that are opened, used and closed; one that is left with something unread; one that is refused.
fn traffic(pair: &Pair) -> (TcpStream, TcpStream) {
    let listener = pair.b.run(|| TcpListener::bind(SERVER)).expect("a listener");
    for _ in 0..CONNECTIONS {
        let (client, server) = connect(pair, &listener, SERVER);
        say(&client, b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
        say(&server, b"HTTP/1.1 200 OK\r\n\r\nwhat nobody else may read");
        client.shutdown(Shutdown::Write).expect("to shut down");
        (&server).read_to_end(&mut Vec::new()).expect("the request");
        drop(server);
        (&client).read_to_end(&mut Vec::new()).expect("the answer");
    }
    let held = connect(pair, &listener, SERVER);
    say(&held.0, &[7; 5_000]);
    pair.a.run(|| TcpStream::connect(REFUSED)).expect_err("nobody listens");
    held
}

fn say(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("room");
}
