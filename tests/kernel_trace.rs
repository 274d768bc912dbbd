//! Who connects, by the kernel's own record, beside what the clients themselves say; what a run leaves in the kernel.
//!
//! May touch network namespaces that it makes itself, child processes, and tracefs (to look). Needs root and tracefs;
//! says so where they are not.
#![cfg(all(feature = "live", feature = "tui"))]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use sockscope::io::Tracer;
use sockscope::kernel::KernelEvent;

#[path = "support/churn.rs"]
mod churn;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/program.rs"]
mod program;

use netns::{Netns, Pair, alone, skip};
use program::{Report, Watch, address};

const SERVER: &str = "10.77.0.2:7000";
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/clients.py");

const HOLDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/holders.py");
const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/servers.py");

/// What a client said: its address, pid and name.
type Said = (SocketAddr, u64, String);

/// How a report names the clients.
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
    // All rungs, then each alone.
    let rungs = ["auto", "trace", "syn", "scan"];
    let watches = rungs.map(|rung| Watch::begin_with(&pair.a, &["va"], &["--owners", rung]));
    let truth = serve(&pair.b, || run(&pair.a, &["many", "10.77.0.2", "7000", &PROCESSES.to_string(), "50"]));
    Watch::settle(&watches);
    let [auto, trace, syn, scan] = watches.map(Watch::end);
    assert_eq!(truth.len(), PROCESSES);
    for report in [auto, trace] {
        Score::of(&report, &truth).hold(PROCESSES * 999 / 1000);
        assert_eq!(report.summary["trace"]["lost"], 0);
        let rungs: BTreeSet<&str> =
            report.flows.iter().filter_map(|flow| flow["orig"]["owner"]["rung"].as_str()).collect();
        assert!(rungs.contains("trace"), "{rungs:?}");
    }
    let [by_syn, by_scan] = [&syn, &scan].map(|report| Score::of(report, &truth));
    writeln!(std::io::stderr(), "of {PROCESSES} named: {} by syn, {} by scan", by_syn.right, by_scan.right).unwrap();
    by_syn.hold(0);
    by_scan.hold(0);
    assert!(by_scan.right < PROCESSES / 2 && scan.summary.get("trace").is_none(), "no reading is as quick");
}

#[test]
fn a_tuple_and_a_pid_used_again_are_others() {
    const PROCESSES: usize = 100;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-again");
    let watch = Watch::begin(&pair.a, &["va"]);
    let count = PROCESSES.to_string();
    let truth = serve(&pair.b, || {
        run(&pair.a, &["tuple", "10.77.0.2", "7000", &count, "20000"]);
        run(&pair.a, &["pid", "10.77.0.2", "7000", &count]);
    });
    Watch::settle([&watch]);
    let report = watch.end();
    assert_eq!(truth.len(), 2 * PROCESSES);
    let same_tuple = truth.iter().filter(|(client, ..)| client.port() == 20_000).count();
    let pids: BTreeSet<u64> = truth.iter().filter(|(.., name)| name.starts_with("pid")).map(|said| said.1).collect();
    assert!(same_tuple >= PROCESSES && pids.len() < PROCESSES, "{same_tuple} on one tuple, {} pids", pids.len());
    Score::of(&report, &truth).hold(2 * PROCESSES - 1);
}

#[test]
fn a_client_of_a_few_milliseconds_is_found_at_its_syn() {
    const PROCESSES: usize = 20;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-syn");
    let watch = Watch::begin_with(&pair.a, &["va"], &["--owners", "syn"]);
    let truth = serve(&pair.b, || run(&pair.a, &["slow", "10.77.0.2", "7000", &PROCESSES.to_string(), "40"]));
    Watch::settle([&watch]);
    let report = watch.end();
    let rung = |flow: &Value| flow["orig"]["owner"]["rung"] == "syn";
    assert!(report.flows.iter().any(rung) && report.summary.get("trace").is_none());
    // On a busy machine one or the other is looked for too late.
    Score::of(&report, &truth).hold(PROCESSES * 3 / 4);
}

/// A ring that is far too small and read too seldom.
#[test]
fn lost_events_are_counted_and_name_nobody_wrongly() {
    const PROCESSES: usize = 600;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-lost");
    let mut tracer = pair.a.run(|| Tracer::with_ring(8)).unwrap();
    let over = AtomicBool::new(false);
    let (truth, events) = std::thread::scope(|scope| {
        let drained = scope.spawn(|| {
            let mut events = Vec::new();
            while !over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(400));
                tracer.drain(&mut events).unwrap();
            }
            // What is held back for one drain, and what came since.
            for _ in 0..2 {
                tracer.drain(&mut events).unwrap();
            }
            events
        });
        let truth = serve(&pair.b, || run(&pair.a, &["many", "10.77.0.2", "7000", &PROCESSES.to_string(), "20"]));
        over.store(true, Ordering::SeqCst);
        (truth, drained.join().unwrap())
    });
    let lost = events.iter().filter_map(|event| match event {
        KernelEvent::Lost(lost) => Some(lost.total),
        _ => None,
    });
    assert!(lost.max() > Some(0), "so small a ring holds it all");
    // A port may be used again.
    let mut clients: BTreeMap<SocketAddr, Vec<(u64, &str)>> = BTreeMap::new();
    for (client, pid, name) in &truth {
        clients.entry(*client).or_default().push((*pid, name));
    }
    let mut right = 0;
    for event in &events {
        let KernelEvent::Connect(connect) = event else { continue };
        let Some(process) = &connect.process else { continue };
        let client = SocketAddr::new(connect.local.ip(), connect.local.port());
        let Some(said) = clients.get(&client) else { continue };
        let told = (u64::from(process.pid), &*process.comm);
        assert!(said.contains(&told), "{client}: {told:?} {said:?}");
        right += 1;
    }
    assert!((1..PROCESSES).contains(&right), "{right} named");
}

/// The same addresses and ports in another namespace, at the same time.
#[test]
fn a_caller_in_another_namespace_names_nothing_here() {
    const PROCESSES: usize = 300;
    let Some(_alone) = can_trace() else { return };
    let (here, elsewhere) = (steered("owners-here"), steered("owners-else"));
    let watch = Watch::begin(&here.a, &["va"]);
    let count = PROCESSES.to_string();
    let arguments = ["tuple", "10.77.0.2", "7000", &count, "20000"];
    let (truth, others) = std::thread::scope(|scope| {
        let others = scope.spawn(|| serve(&elsewhere.b, || run(&elsewhere.a, &arguments)));
        let truth = serve(&here.b, || run(&here.a, &arguments));
        (truth, others.join().unwrap())
    });
    Watch::settle([&watch]);
    let report = watch.end();
    assert_eq!((truth.len(), others.len()), (PROCESSES, PROCESSES));
    assert!(report.summary["trace"]["connects"].as_u64() > Some(PROCESSES as u64), "both are traced");
    // Where two of the same moment ended before they could be asked for their namespace, nobody is named.
    Score::of(&report, &truth).hold(PROCESSES / 4);
}

/// A router sees the connections of a namespace behind it; who made them lives elsewhere on this host.
#[test]
fn a_caller_behind_a_router_is_named_as_elsewhere() {
    const PROCESSES: usize = 10;
    let Some(_alone) = can_trace() else { return };
    let pair = Pair::new("owners-routed");
    let client = Netns::new("owners-behind");
    client.ip(&["link", "add", "vc", "type", "veth", "peer", "name", "vr", "netns", pair.a.name()]);
    client.ip(&["addr", "add", "10.76.0.1/24", "dev", "vc"]);
    client.ip(&["link", "set", "vc", "up"]);
    pair.a.ip(&["addr", "add", "10.76.0.254/24", "dev", "vr"]);
    pair.a.ip(&["link", "set", "vr", "up"]);
    client.ip(&["route", "add", "default", "via", "10.76.0.254"]);
    pair.b.ip(&["route", "add", "10.76.0.0/24", "via", "10.77.0.1"]);
    pair.a.run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap());
    let watch = Watch::begin(&pair.a, &["va"]);
    // The first reading of the socket table tells which addresses are the router's own.
    Watch::settle([&watch]);
    let count = PROCESSES.to_string();
    let truth = serve(&pair.b, || run(&client, &["slow", "10.77.0.2", "7000", &count, "150"]));
    Watch::settle([&watch]);
    let report = watch.end();
    Score::of(&report, &truth).hold(PROCESSES - 1);
    let elsewhere = report.flows.iter().filter(|flow| flow["orig"]["owner"]["relation"] == "elsewhere").count();
    assert!(elsewhere >= PROCESSES - 1, "{elsewhere}");
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_the_next_and_nothing_is_left_in_the_end() {
    let Some(_alone) = can_trace() else { return };
    let netns = Netns::new("owners-stale");
    let top = top_events();
    let killed = Watch::begin(&netns, &["lo"]);
    let stale = format!("sockscope-{}-", killed.pid());
    assert!(instances().iter().any(|name| name.starts_with(&stale)), "{:?}", instances());
    killed.kill();
    assert!(instances().iter().any(|name| name.starts_with(&stale)), "an instance outlives its process");
    let next = Watch::begin(&netns, &["lo"]);
    let own = format!("sockscope-{}-", next.pid());
    let during = instances();
    assert!(during.iter().any(|name| name.starts_with(&own)), "{during:?}");
    assert!(!during.iter().any(|name| name.starts_with(&stale)), "{during:?}");
    let report = next.end();
    let age = report.summary["last_ts_ns"].as_i64().unwrap() - report.summary["first_ts_ns"].as_i64().unwrap();
    assert!(Duration::from_nanos(age.try_into().unwrap()) < Duration::from_secs(60), "the trace begins with the run");
    assert!(!instances().iter().any(|name| name.starts_with(&own)), "{:?}", instances());
    assert_eq!((top_events(), top.as_str()), (top.clone(), ""), "the machine's own events are as they were");
}

/// A connection that nobody accepted is of all who hold its listener, until one of them accepts it.
#[test]
fn a_listeners_holders_are_a_set_until_accept_narrows_it() {
    const WORKERS: usize = 3;
    let Some(_alone) = can_trace() else { return };
    let pair = Pair::new("owners-set");
    let modes = [("prefork", 7001, WORKERS + 1), ("reuseport", 7002, WORKERS)];
    let mut servers = modes.map(|(mode, port, holders)| {
        let (server, pids) = Holders::start(&pair.b, &[mode, "10.77.0.2", &port.to_string(), &WORKERS.to_string()]);
        assert_eq!(pids.len(), holders);
        (server, pids, pair.a.run(|| TcpStream::connect(("10.77.0.2", port)).unwrap()))
    });
    let report = || {
        let watch = Watch::begin(&pair.b, &["vb"]);
        Watch::settle([&watch]);
        watch.end()
    };
    let owner = |report: &Report, client: &TcpStream| {
        let (own, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap().to_string());
        report.end_at(own, &peer).other["owner"].clone()
    };
    let before = report();
    let accepted = servers.each_mut().map(|(server, pids, client)| {
        let owner = owner(&before, client);
        let told = (owner["relation"].as_str(), owner["others"].as_u64());
        assert_eq!(told, (Some("listener"), Some(pids.len() as u64 - 1)), "{owner}");
        assert!(pids.contains(&owner["pid"].as_u64().unwrap()), "{owner}");
        server.go_on().trim_start_matches("done ").parse().unwrap()
    });
    let after = report();
    for ((_, _, client), accepted) in servers.iter().zip(accepted) {
        let owner = owner(&after, client);
        assert_eq!((owner["relation"].as_str(), owner["pid"].as_u64()), (Some("held"), Some(accepted)), "{owner}");
    }
}

/// Connections of less than a millisecond: which of the workers served one is known by who closed it.
#[test]
fn a_prefork_servers_workers_are_told_apart_however_short_their_connections() {
    const CONNECTIONS: usize = 500;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-served");
    let (_server, _) = Holders::run(&pair.b, SERVERS, &["10.77.0.2", "7000", "4"]);
    let watch = Watch::begin(&pair.b, &["vb"]);
    let truth: Vec<Said> = pair.a.run(|| {
        let ask = |_| {
            let mut stream = TcpStream::connect(SERVER).unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            let (pid, name) = said.split_once(' ').unwrap();
            (stream.local_addr().unwrap(), pid.parse().unwrap(), name.to_owned())
        };
        (0..CONNECTIONS).map(ask).collect()
    });
    Watch::settle([&watch]);
    let report = watch.end();
    let workers: BTreeSet<u64> = truth.iter().map(|said| said.1).collect();
    assert!(workers.len() > 1, "one worker served all");
    let served = report.flows.iter().filter(|flow| address(&flow["resp"]) == SERVER.parse().unwrap()).count();
    assert_eq!(served, CONNECTIONS);
    let mut named = 0;
    for (flow, (client, pid, name)) in flows_of(&report, &truth) {
        let owner = &flow.unwrap_or_else(|| panic!("no flow of {client}"))["resp"]["owner"];
        if owner["relation"] == "listener" {
            assert_eq!(owner["others"], 4, "five hold the listener: {owner}");
            continue;
        }
        let told = (owner["pid"].as_u64(), owner["comm"].as_str());
        assert_eq!(told, (Some(*pid), Some(name.as_str())), "{owner}");
        named += 1;
    }
    assert!(named * 100 >= CONNECTIONS * 95, "{named} of {CONNECTIONS}");
}

#[test]
fn a_socket_passed_on_is_its_new_holders() {
    let Some(_alone) = can_trace() else { return };
    let pair = Pair::new("owners-passed");
    let watch = Watch::begin(&pair.a, &["va"]);
    let _listener = pair.b.run(|| TcpListener::bind(SERVER).unwrap());
    let (_running, said) = Holders::start(&pair.a, &["pass", "10.77.0.2", "7000"]);
    let [holder, port] = said[..] else { panic!("{said:?}") };
    Watch::settle([&watch]);
    let report = watch.end();
    let own = SocketAddr::new("10.77.0.1".parse().unwrap(), port.try_into().unwrap());
    let owner = &report.end_at(own, SERVER).own["owner"];
    let told = (owner["relation"].as_str(), owner["pid"].as_u64(), owner["rung"].as_str());
    assert_eq!(told, (Some("held"), Some(holder), Some("scan")), "{owner}");
}

#[test]
fn without_the_right_to_trace_that_is_said_and_nothing_is_wrong() {
    const PROCESSES: usize = 60;
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-less");
    let lesser = |rights: &str| [format!("--bounding-set={rights}")];
    // tracefs is not mounted where `ip netns exec` runs, and mounting it is not allowed.
    let (untraced, blind) = (lesser("-sys_admin"), lesser("-sys_admin,-sys_ptrace,-dac_read_search"));
    let watches = [&untraced, &blind].map(|words| {
        let words: Vec<&str> = ["setpriv"].into_iter().chain(words.iter().map(String::as_str)).collect();
        Watch::begin_under(&pair.a, &words, &["va"], &[])
    });
    let count = PROCESSES.to_string();
    let truth = serve(&pair.b, || run(&pair.a, &["many", "10.77.0.2", "7000", &count, "8"]));
    Watch::settle(&watches);
    for report in watches.map(Watch::end) {
        assert!(
            report.stderr.contains("found at their SYN have one, since connect() is not traced"),
            "{}",
            report.stderr
        );
        assert!(report.summary.get("trace").is_none());
        Score::of(&report, &truth).hold(0);
    }
    let alone =
        pair.a.command("setpriv").args(&untraced).args([program::PROGRAM, "report", "--owners", "trace"]).output();
    let alone = alone.unwrap();
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.code() == Some(3) && said.contains("tracefs needs root"), "{said}");
}

/// What the ladder costs at 5,000 connections a second for 30 s: the thread that drains the trace, and what the scan of
/// descriptors adds to the thread that reads the socket table.
#[test]
#[ignore = "measures: make soak"]
fn the_ladder_costs_at_most_a_hundredth_and_a_half_of_one_processor() {
    const PORTS: u16 = 12;
    const PER_SECOND: u32 = 5000;
    const SPAN: Duration = Duration::from_secs(30);
    let Some(_alone) = can_trace() else { return };
    let pair = steered("owners-cost");
    let watches = ["auto", "trace"].map(|rung| Watch::begin_with(&pair.a, &["va"], &["--owners", rung]));
    let costs = || watches.each_ref().map(|watch| ["tracer", "sampler"].map(|thread| watch.cpu_of(thread)));
    let before = costs();
    let (made, took) = churn::run(&pair, PORTS, PER_SECOND, SPAN);
    let after = costs();
    let share = |watch: usize, thread: usize| {
        (after[watch][thread] - before[watch][thread]).as_secs_f64() / took.as_secs_f64() * 100.0
    };
    let (trace, scan) = (share(0, 0), (share(0, 1) - share(1, 1)).max(0.0));
    Watch::settle(&watches);
    let [report, _] = watches.map(Watch::end);
    let rate = f64::from(made) / took.as_secs_f64();
    let told = format!("{rate:.0} connections/s: the trace {trace:.2} % of a processor, the scan {scan:.2} %");
    writeln!(std::io::stderr(), "{told}").unwrap();
    let traced = report.summary["trace"]["connects"].as_u64().unwrap();
    assert!(traced >= u64::from(made) && report.summary["trace"]["lost"] == 0, "{}", report.summary);
    assert!(trace + scan <= 1.5, "{told}");
}

impl Score {
    fn of(report: &Report, truth: &[Said]) -> Self {
        let mut score = Self::default();
        for (flow, (client, pid, comm)) in flows_of(report, truth) {
            let Some(flow) = flow else {
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

    /// None is named wrongly, and at least `least` are named.
    #[track_caller]
    fn hold(&self, least: usize) {
        assert!(self.wrong.is_empty(), "{} wrong: {:#?}", self.wrong.len(), self.wrong);
        assert!(self.right >= least, "{} of {least}: {:#?}", self.right, self.unnamed);
    }
}

/// The flow of each client. A port may be used again: flows of one address and what its clients said are in the same
/// order. (connect() looks for ports from another place every ten seconds: `secure_ipv4_port_ephemeral` of
/// net/core/secure_seq.c.)
fn flows_of<'a>(report: &'a Report, truth: &'a [Said]) -> impl Iterator<Item = (Option<&'a Value>, &'a Said)> {
    let mut flows: BTreeMap<SocketAddr, VecDeque<&Value>> = BTreeMap::new();
    for flow in &report.flows {
        flows.entry(address(&flow["orig"])).or_default().push_back(flow);
    }
    truth.iter().map(move |said| (flows.get_mut(&said.0).and_then(VecDeque::pop_front), said))
}

/// Processes that hold sockets, and do one thing more when told to.
struct Holders {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Holders {
    /// Starts them; what they say when they are ready.
    fn start(netns: &Netns, arguments: &[&str]) -> (Self, Vec<u64>) {
        let (holders, said) = Self::run(netns, HOLDERS, arguments);
        (holders, said.split_whitespace().map(|word| word.parse().unwrap()).collect())
    }

    /// Another such script, and its first line.
    fn run(netns: &Netns, script: &str, arguments: &[&str]) -> (Self, String) {
        let mut command = netns.command("python3");
        let mut child =
            command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut holders = Self { child, said };
        let first = holders.line();
        (holders, first)
    }

    fn go_on(&mut self) -> String {
        self.child.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
        self.line().trim_end().to_owned()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        // They end with their standard input.
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

fn run(netns: &Netns, arguments: &[&str]) {
    let status = netns.command("python3").arg(CLIENTS).args(arguments).status();
    assert!(status.expect("python3").success());
}

/// Takes in what clients say, in the order of their coming.
fn serve(netns: &Netns, clients: impl FnOnce()) -> Vec<Said> {
    let listener = netns.run(|| TcpListener::bind(SERVER).unwrap());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut truth = Vec::new();
            loop {
                let (mut stream, peer) = listener.accept().unwrap();
                if over.load(Ordering::SeqCst) {
                    return truth;
                }
                let said = hear(&mut stream);
                let (pid, name) = said.split_once(' ').unwrap_or_else(|| panic!("{peer} said {said:?}"));
                truth.push((peer, pid.parse().unwrap(), name.to_owned()));
            }
        });
        clients();
        over.store(true, Ordering::SeqCst);
        netns.run(|| TcpStream::connect(SERVER).unwrap());
        server.join().unwrap()
    })
}

/// What a client says; whoever ends it with a newline is answered.
fn hear(stream: &mut TcpStream) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|len| len == 1) {
        if byte == *b"\n" {
            let _gone_already = stream.write_all(b"k");
            let _reset = stream.read(&mut byte);
            break;
        }
        said.push(byte[0]);
    }
    String::from_utf8(said).unwrap()
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
    if !Command::new("python3").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        skip("needs python3");
        return None;
    }
    match Tracer::start() {
        Ok(_) => Some(alone),
        Err(error) => {
            skip(&error.to_string());
            None
        }
    }
}

fn instances() -> Vec<String> {
    tracefs("ls instances").lines().map(str::to_owned).collect()
}

/// The events that the machine itself records.
fn top_events() -> String {
    tracefs("cat set_event")
}

/// What a command says in tracefs, mounted for it alone.
fn tracefs(command: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mount -t tracefs trace {0} && cd {0} && {command}", folder.path().display());
    let output = Command::new("unshare").args(["--mount", "sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
