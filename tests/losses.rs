//! The verdict on real connections of this kernel across a wire that loses, reorders and doubles segments that are
//! counted, seen from the sender's and from the receiver's side.
//!
//! May touch network namespaces that it makes itself, and child processes. Needs root; says so where it is not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

#[path = "support/lossy.rs"]
mod lossy;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;

use lossy::{Fate, LossyWire, Sent};
use netns::alone;
use program::{Report, Watch};

const CLEAN: u16 = 7001;
const LOSES_THREE: u16 = 7002;
const LOSES_A_REPEAT_TOO: u16 = 7003;
const REORDERS_TWO: u16 = 7004;
const DOUBLES_TWO: u16 = 7005;
const PORTS: [u16; 5] = [CLEAN, LOSES_THREE, LOSES_A_REPEAT_TOO, REORDERS_TWO, DOUBLES_TWO];
const BYTES: usize = 300_000;
/// Nobody waits longer for a wire that has broken.
const PATIENCE: Duration = Duration::from_secs(20);

fn fate(sent: Sent) -> Fate {
    match (sent.port, sent.number, sent.copy) {
        (LOSES_THREE, 50 | 51 | 90, 1) | (LOSES_A_REPEAT_TOO, 60, 1 | 2) => Fate::IsLost,
        (REORDERS_TWO, 50 | 120, 1) => Fate::ComesAfter(2),
        (DOUBLES_TWO, 50 | 90, 1) => Fate::Doubled,
        _ => Fate::Arrives,
    }
}

#[test]
fn what_the_wire_did_is_what_is_told() {
    let Some(_alone) = alone() else { return };
    on_one_processor();
    let wire = LossyWire::new(fate);
    let watches = [(&wire.a, ["va"]), (&wire.b, ["vb"])].map(|(netns, links)| Watch::begin(netns, &links));
    for port in PORTS {
        transfer(&wire, port);
    }
    Watch::settle(&watches);
    let [sender, receiver] = watches.map(Watch::end);
    let late = wire.end();
    // (port, cause, at the sender's side, at the receiver's): what is lost on the way twice leaves one hole behind it.
    for (port, cause, expected) in [
        (CLEAN, "lost", [0, 0]),
        (CLEAN, "reordered", [0, 0]),
        (CLEAN, "duplicate_frame", [0, 0]),
        (LOSES_THREE, "lost", [3, 3]),
        (LOSES_THREE, "reordered", [0, 0]),
        (LOSES_A_REPEAT_TOO, "lost", [2, 1]),
        (REORDERS_TWO, "lost", [0, 0]),
        (REORDERS_TWO, "reordered", [0, 2]),
        (DOUBLES_TWO, "lost", [0, 0]),
        (DOUBLES_TWO, "duplicate_frame", [0, 2]),
    ] {
        let told = [&sender, &receiver].map(|report| verdict(report, port)[cause].as_u64().unwrap());
        let flows = || [&sender, &receiver].map(|report| flow(report, port));
        assert_eq!(told, expected, "{cause} on port {port}, frames up to {late:?} late: {:#?}", flows());
    }
    let episode = &flow(&sender, LOSES_THREE)["orig"]["episodes"]["latest"][0];
    assert_eq!((&episode["recovery"], &episode["evidence"]), (&"sack".into(), &"SACK hole".into()), "{episode:#}");
    for report in [&sender, &receiver] {
        let limits: Vec<&Value> = PORTS.iter().filter_map(|port| flow(report, *port).get("limits")).collect();
        assert!(limits.is_empty(), "all was captured: {limits:#?}");
    }
}

/// Keeps this thread, and the threads and children that it starts, on one processor. veth queues a segment on the
/// processor that sends it: from two of them, segments do overtake each other, and the wire would do more than is
/// counted.
fn on_one_processor() {
    let mut allowed = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|processor| allowed.is_set(*processor)).unwrap();
    allowed.clear();
    allowed.set(first);
    sched_setaffinity(None, &allowed).unwrap();
}

/// Sends from `a` to `b` until all is acknowledged and both have closed.
fn transfer(wire: &LossyWire, port: u16) {
    let listener = wire.b.run(|| TcpListener::bind(("10.79.0.2", port)).unwrap());
    let receiving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.len()
    });
    let mut stream =
        wire.a.run(|| TcpStream::connect_timeout(&SocketAddr::from(([10, 79, 0, 2], port)), PATIENCE).unwrap());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[7; BYTES]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the receiver closes once it has all");
    assert_eq!(receiving.join().unwrap(), BYTES);
}

fn flow(report: &Report, port: u16) -> &Value {
    let mut found = report.flows.iter().filter(|flow| flow["resp"]["port"] == port && flow.get("first_from").is_some());
    found.next().unwrap_or_else(|| panic!("no flow to port {port}: {:#?}", report.flows))
}

fn verdict(report: &Report, port: u16) -> &Value {
    &flow(report, port)["orig"]["verdict"]
}
