//! What a reading of the kernel's side costs on a large host, beside `ss` and `lsof` in the same run: 100,000 sockets,
//! 27,000 of them in TIME-WAIT, the rest held by processes with up to 20,000 descriptors.
//!
//! May touch a network namespace and processes that it makes itself; needs root. A machine is noisy: the ratios count.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};
use sockscope::base::{StateSet, TcpState};
use sockscope::io::{Sampler, Sockets, clock};
use sockscope::kernel::SocketSample;
use sockscope::kernel::diag::{self, Family};

#[path = "../support/bench.rs"]
mod bench;
#[path = "../support/netns.rs"]
mod netns;

use netns::{Netns, alone};

/// Processes, and connections each holds both ends of: with a few others they stay below 20,000 descriptors.
const HOLDERS: u8 = 4;
const CONNECTIONS: usize = 9_125;
const TIME_WAITS: usize = 27_000;
/// Addresses that TIME-WAIT is spread over, so that ports do not run out.
const SERVERS: u8 = 4;
const RUNS: usize = 9;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, mode, host] = &words[..]
        && mode == "hold"
    {
        return hold(host);
    }
    if !bench::is_asked_for() {
        return;
    }
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("large");
    netns.run(|| std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535").unwrap());
    let mut holders: Vec<Holder> = (0..HOLDERS).map(|n| Holder::start(&netns, &format!("127.0.0.{}", n + 2))).collect();
    netns.run(wait_in_time_wait);
    netns.run(|| table(&netns));
    netns.run(|| owners(&mut holders));
}

/// The table by either way, beside the tools.
fn table(netns: &Netns) {
    let mut sampler = Sampler::new(Sockets::Diag).unwrap().without_scan();
    let mut by_proc = Sampler::new(Sockets::Proc).unwrap().without_scan();
    let told = sample(&mut sampler);
    let waits = told.sockets.iter().filter(|socket| socket.state.0 == TcpState::TimeWait).count();
    let described = told.sockets.iter().filter(|socket| socket.info.is_some()).count();
    println!("\n{} sockets, {waits} of them TIME-WAIT, {described} with TCP_INFO", told.sockets.len());
    let tool = |program: &str, option: &str| {
        let mut printed = 0;
        let took = Took::of(children_cpu, || {
            let output = netns.command(program).arg(option).stderr(Stdio::null()).output();
            printed = output.map_or(0, |output| output.stdout.len());
        });
        (printed > 1_000_000).then_some(took)
    };
    // In turn, so that what else the machine does falls on all.
    let (mut ours, mut ours_by_proc, mut ss, mut ss_bare) = (vec![], vec![], vec![], vec![]);
    let (mut kernels, dump) = (vec![], Dump::new());
    for _ in 0..RUNS {
        kernels.push(Took::of(own_cpu, || dump.receive()));
        ours.push(Took::of(own_cpu, || drop(sample(&mut sampler))));
        ss_bare.extend(tool("ss", "-tan"));
        ours.push(Took::of(own_cpu, || drop(sample(&mut sampler))));
        ss.extend(tool("ss", "-tanpi"));
        ours_by_proc.push(Took::of(own_cpu, || drop(sample(&mut by_proc))));
    }
    let ours = Took::median(&ours);
    println!("  {:40} {ours}", "one reading by sock_diag, with TCP_INFO");
    println!("  {:40} {}", "of that the kernel's dump, received only", Took::median(&kernels));
    println!("  {:40} {}", "one reading by /proc", Took::median(&ours_by_proc));
    let lsof = tool("lsof", "-nPiTCP").into_iter().collect();
    for (what, took) in [("ss -tan", ss_bare), ("ss -tanpi", ss), ("lsof -nPiTCP", lsof)] {
        if took.is_empty() {
            println!("  {what:40} not installed");
        } else {
            let took = Took::median(&took);
            let times = |part: fn(&Took) -> Duration| part(&took).as_secs_f64() / part(&ours).as_secs_f64();
            let (wall, cpu) = (times(|took| took.wall), times(|took| took.cpu));
            println!("  {what:40} {took}   {wall:5.1} × the reading's time, {cpu:5.1} × its processor's");
        }
    }
}

/// The same dump as a reading asks for, of which nothing is read but where it ends: what no reader can do without.
struct Dump(netlink_sys::Socket);

impl Dump {
    fn new() -> Self {
        const NETLINK_SOCK_DIAG: isize = 4;
        Self(netlink_sys::Socket::new(NETLINK_SOCK_DIAG).unwrap())
    }

    fn receive(&self) {
        let (kind, request) = diag::request(Family::Both, StateSet::ALL);
        let len = u32::try_from(16 + request.len()).unwrap().to_ne_bytes();
        let flags = (NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes();
        let message = [&len[..], &kind.to_ne_bytes(), &flags, &[0; 8], &request].concat();
        self.0.send_to(&message, &netlink_sys::SocketAddr::new(0, 0), 0).unwrap();
        let mut buffer = [0; 64 << 10];
        loop {
            let (len, _) = rustix::net::recv(&self.0, &mut buffer[..], rustix::net::RecvFlags::empty()).unwrap();
            let mut rest = &buffer[..len];
            while let Some((header, _)) = rest.split_first_chunk::<8>() {
                let [l0, l1, l2, l3, k0, k1, ..] = *header;
                match u16::from_ne_bytes([k0, k1]) {
                    NLMSG_DONE => return,
                    NLMSG_ERROR => panic!("the kernel refuses"),
                    _ => {}
                }
                let next = (u32::from_ne_bytes([l0, l1, l2, l3]) as usize).next_multiple_of(4).max(header.len());
                rest = rest.get(next..).unwrap_or_default();
            }
        }
    }
}

/// What the scan of descriptors adds to a reading: at first, when nothing changes, and when one process has.
fn owners(holders: &mut [Holder]) {
    let (mut with, mut without) =
        (Sampler::new(Sockets::Diag).unwrap(), Sampler::new(Sockets::Diag).unwrap().without_scan());
    let mut told = None;
    let mut added = |told: &mut Option<SocketSample>| {
        let with = Took::of(own_cpu, || *told = Some(sample(&mut with)));
        with.less(Took::of(own_cpu, || drop(sample(&mut without))))
    };
    let first = added(&mut told);
    let held =
        |told: &Option<SocketSample>| told.iter().flat_map(|told| told.owners.by_inode.values()).flatten().count();
    let fds = held(&told);
    println!("{fds} descriptors of {} processes", told.as_ref().map_or(0, |told| told.owners.processes_read));
    println!("  {:40} {first}", "the first reading of all of them");
    let mut measure = |what: &str, change: &mut dyn FnMut()| {
        let runs = (0..RUNS).map(|_| {
            change();
            // The reader of samples keeps the last one.
            let took = added(&mut told);
            assert_eq!(held(&told), fds, "{what}");
            took
        });
        println!("  {what:40} {}", Took::median(&runs.collect::<Vec<_>>()));
    };
    measure("refreshed, nothing changed", &mut || {});
    measure("refreshed, 10 connections of one changed", &mut || holders[0].change());
    measure("refreshed, 10 connections of each changed", &mut || holders.iter_mut().for_each(Holder::change));
}

/// A process that holds both ends of many connections.
struct Holder {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Holder {
    fn start(netns: &Netns, host: &str) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut command = netns.command(own.to_str().expect("a plain path"));
        let mut child =
            command.args(["hold", host]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a holder");
        let mut holder = Self { said: BufReader::new(child.stdout.take().unwrap()), child };
        holder.hear();
        holder
    }

    /// Has it close ten connections and open ten others.
    fn change(&mut self) {
        self.child.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
        self.hear();
    }

    fn hear(&mut self) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), "done");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// What the holder does: it holds, and for each line on its standard input changes ten of its connections.
fn hold(host: &str) {
    let listener = TcpListener::bind((host, 7000)).unwrap();
    let connect = || (TcpStream::connect((host, 7000)).unwrap(), listener.accept().unwrap().0);
    let mut held: Vec<_> = (0..CONNECTIONS).map(|_| connect()).collect();
    println!("done");
    for (turn, _) in std::io::stdin().lines().enumerate() {
        for n in 0..10 {
            let at = (turn * 10 + n) % held.len();
            rustix::net::sockopt::set_socket_linger(&held[at].0, Some(Duration::ZERO)).unwrap();
            held[at] = connect();
        }
        println!("done");
    }
}

/// Connections whose client closed first, and whose server has read and closed.
fn wait_in_time_wait() {
    let servers: Vec<TcpListener> =
        (0..SERVERS).map(|n| TcpListener::bind((format!("127.0.1.{}", n + 1), 7000)).unwrap()).collect();
    for n in 0..TIME_WAITS {
        let server = &servers[n % servers.len()];
        let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let mut accepted = server.accept().unwrap().0;
        drop(client);
        assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
    }
}

fn sample(sampler: &mut Sampler) -> SocketSample {
    sampler.sample(clock::now).unwrap()
}

/// What something took: on the clock, and of a processor, which what else the machine does changes less.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn of(cpu: fn() -> Duration, work: impl FnOnce()) -> Self {
        let (begun, before) = (Instant::now(), cpu());
        work();
        Self { wall: begun.elapsed(), cpu: cpu().saturating_sub(before) }
    }

    fn less(self, other: Self) -> Self {
        Self { wall: self.wall.saturating_sub(other.wall), cpu: self.cpu.saturating_sub(other.cpu) }
    }

    fn median(runs: &[Self]) -> Self {
        let middle = |part: fn(&Self) -> Duration| {
            let mut times: Vec<Duration> = runs.iter().map(part).collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        Self { wall: middle(|took| took.wall), cpu: middle(|took| took.cpu) }
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(f, "{:8.1} ms, of a processor {:8.1} ms", millis(self.wall), millis(self.cpu))
    }
}

/// The processor time of this thread.
fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The processor time of the children that have ended.
fn children_cpu() -> Duration {
    let stat = procfs::process::Process::myself().and_then(|process| process.stat()).unwrap();
    let ticks = (stat.cutime + stat.cstime) as u64;
    Duration::from_secs(ticks) / rustix::param::clock_ticks_per_second() as u32
}
