//! Who connects, by the kernel's own record, beside what the clients themselves say; what a run leaves in the kernel.
//!
//! May touch network namespaces that it makes itself, child processes, and tracefs (to look). Needs root and tracefs;
//! says so where they are not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use sockscope::io::Tracer;

#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;

use netns::{Netns, Pair, alone, skip};
use program::{Report, Watch, address};

const SERVER: &str = "10.77.0.2:7000";
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/clients.py");

/// What the clients said: address → pid and name.
type Truth = BTreeMap<SocketAddr, (u64, String)>;

/// How the report names the clients.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    unnamed: Vec<String>,
    wrong: Vec<String>,
}

#[test]
fn short_lived_clients_are_named_across_processors_and_none_wrongly() {
    const PROCESSES: usize = 2000;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-many");
    let watch = Watch::begin(&pair.a, &["va"]);
    let truth = serve(&pair.b, PROCESSES, || {
        let arguments = ["10.77.0.2", "7000", &PROCESSES.to_string(), "50"];
        let status = pair.a.command("python3").arg(CLIENTS).args(arguments).status();
        assert!(status.expect("python3").success());
    });
    Watch::settle();
    let report = watch.end();
    assert_eq!(truth.len(), PROCESSES);
    let score = Score::of(&report, &truth);
    println!("{} right, {} unnamed, {} wrong", score.right, score.unnamed.len(), score.wrong.len());
    println!("{} {}", report.summary["trace"], report.summary["lost"]);
    assert!(score.wrong.is_empty(), "{:#?}", score.wrong);
    assert!(score.right * 1000 >= PROCESSES * 999, "{} of {PROCESSES}: {:#?}", score.right, score.unnamed);
    assert_eq!(report.summary["trace"]["lost"], 0);
}

impl Score {
    fn of(report: &Report, truth: &Truth) -> Self {
        let mut score = Self::default();
        let flows: BTreeMap<SocketAddr, &Value> =
            report.flows.iter().map(|flow| (address(&flow["orig"]), flow)).collect();
        for (client, (pid, comm)) in truth {
            let Some(flow) = flows.get(client) else {
                score.unnamed.push(format!("{client}: no flow"));
                continue;
            };
            let owner = &flow["orig"]["owner"];
            match (owner["pid"].as_u64(), owner["comm"].as_str()) {
                (Some(told), Some(name)) if (told, name) == (*pid, comm) => score.right += 1,
                (None, _) => score.unnamed.push(format!("{client} {pid} {comm}: {owner}")),
                _ => score.wrong.push(format!("{client} is {pid} {comm}: {owner}")),
            }
        }
        score
    }
}

/// Takes in what as many clients say as are `expected`.
fn serve(netns: &Netns, expected: usize, clients: impl FnOnce()) -> Truth {
    let listener = netns.run(|| TcpListener::bind(SERVER).unwrap());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut truth = Truth::new();
            while truth.len() < expected && !over.load(Ordering::SeqCst) {
                let (mut stream, peer) = listener.accept().unwrap();
                let mut said = String::new();
                stream.read_to_string(&mut said).unwrap();
                if let Some((pid, name)) = said.split_once(' ') {
                    truth.insert(peer, (pid.parse().unwrap(), name.to_owned()));
                }
            }
            truth
        });
        clients();
        server.join().unwrap()
    })
}

/// A pair whose packets are handled on another processor than that of their sender.
fn steered(tag: &str) -> Pair {
    let pair = Pair::new(tag);
    let processors = (1_u64 << std::thread::available_parallelism().map_or(1, |n| n.get().min(31))) - 1;
    for (netns, link) in [(&pair.a, "va"), (&pair.b, "vb")] {
        let script = format!("echo {processors:x} > /sys/class/net/{link}/queues/rx-0/rps_cpus");
        let steered = netns.command("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        if !steered.is_ok_and(|status| status.success()) {
            skip("steering packets to other processors, which this machine does not do");
        }
    }
    pair
}

/// The right to run alone where the kernel can be traced; elsewhere says what is missing.
fn can_trace() -> Option<std::sync::MutexGuard<'static, ()>> {
    let alone = alone()?;
    match Tracer::start() {
        Ok(_) => Some(alone),
        Err(error) => {
            skip(&error.to_string());
            None
        }
    }
}
