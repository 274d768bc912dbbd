//! The kernel's last words on connections too short for any reading of the socket table, across a veth pair.
//!
//! May touch network namespaces that it makes itself. Needs root; says so where it is not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;

#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;

use netns::{Pair, alone};
use program::{Report, Watch, address};

const SERVER: &str = "10.77.0.2:7000";
const CONNECTIONS: usize = 300;

#[test]
fn every_short_connection_has_its_final_counts_at_both_ends() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("words");
    let listener = pair.b.run(|| TcpListener::bind(SERVER).unwrap());
    let watches = [&pair.a, &pair.b].map(|netns| Watch::begin(netns, &[]));
    // By the client's end: what it sent.
    let mut sent: BTreeMap<SocketAddr, usize> = BTreeMap::new();
    for n in 0..CONNECTIONS {
        let mut client = pair.a.run(|| TcpStream::connect(SERVER).unwrap());
        let (mut server, _) = listener.accept().unwrap();
        sent.insert(client.local_addr().unwrap(), 100 + n);
        client.write_all(&vec![7; 100 + n]).unwrap();
        server.read_exact(&mut vec![0; 100 + n]).unwrap();
        server.write_all(b"thanks").unwrap();
        client.read_exact(&mut [0; 6]).unwrap();
        // The one who closes first waits in TIME-WAIT; of the other nothing is left.
        if n % 2 == 0 {
            drop(client);
            assert_eq!(server.read(&mut [0]).unwrap(), 0);
        }
    }
    Watch::settle(&watches);
    let [client, server] = watches.map(Watch::end);
    for (own, bytes) in &sent {
        let ends = [client.end_at(*own, SERVER), server.end_at(SERVER.parse().unwrap(), &own.to_string())];
        let [asks, answers] = ends.map(|end| &end.own["last_word"]);
        let count = |word: &Value, name: &str| word[name].as_u64().unwrap_or_else(|| panic!("no {name}: {word:#}"));
        assert_eq!((count(asks, "sent_bytes"), count(answers, "sent_bytes")), (*bytes as u64, 6));
        // The peer's FIN counts one.
        assert_eq!(count(answers, "received_bytes"), *bytes as u64 + 1);
        assert!(count(asks, "unread_bytes") <= 1, "but for a FIN all was read");
        for end in ends {
            let wire = end.own["payload_bytes"].as_u64();
            assert_eq!(wire, end.own["last_word"]["sent_bytes"].as_u64(), "the wire says the same");
            assert!(end.other.get("last_word").is_none(), "the far end's is its own host's");
        }
    }
    for report in [&client, &server] {
        hold_counts(report);
    }
}

fn hold_counts(report: &Report) {
    let words = &report.summary["last_words"];
    assert_eq!((&words["heard"], &words["joined"]), (&CONNECTIONS.into(), &CONNECTIONS.into()), "{words}");
    assert_eq!(words["lost"], 0);
    let with_word = |end: &Value| end.get("last_word").is_some();
    let told = report.flows.iter().filter(|flow| with_word(&flow["orig"]) != with_word(&flow["resp"])).count();
    assert_eq!(told, CONNECTIONS, "each end once: {}", address(&report.flows[0]["orig"]));
    assert_eq!(report.summary["kernel"]["source"], "diag");
}

/// Nothing is needed to hear them, and without packets there is no flow to tell them of.
#[test]
fn a_plain_user_hears_them_too() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("plain");
    let listener = pair.b.run(|| TcpListener::bind(SERVER).unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("sockscope");
    std::fs::copy(program::PROGRAM, &program).unwrap();
    let mut command = pair.b.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]).arg(&program);
    command.args(["report", "--for", "4s", "--format", "ndjson"]);
    let watch = std::thread::spawn(move || command.output().unwrap());
    let mut asked = 0_u64;
    while !watch.is_finished() {
        let client = pair.a.run(|| TcpStream::connect(SERVER).unwrap());
        let (mut server, _) = listener.accept().unwrap();
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        asked += 1;
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = watch.join().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let report = Report::parse(&String::from_utf8(output.stdout).unwrap(), stderr);
    let heard = report.summary["last_words"]["heard"].as_u64().unwrap();
    assert!(heard > 100 && heard <= asked, "{heard} of {asked}");
    assert_eq!(report.summary["last_words"]["lost"], 0);
}
