//! `sockscope report` beside tcpdump, tcptrace and tshark on the same made captures, in one run, where they are
//! installed: time, peak memory, ratios. A machine is noisy: the ratios count.
//!
//! Captures are made in a temporary directory. SOCKSCOPE_BENCH_SEGMENTS (5,000,000) tells how long they are.

// What it measures is printed: that is what it is for.
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Flows that are open at a time.
const OPEN: usize = 20_000;
/// Established flows planted before a flood.
const PLANTED: u16 = 1_000;
const RUNS: usize = 3;

fn main() -> std::io::Result<()> {
    // `cargo test --benches` runs it too, with nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let segments = std::env::var("SOCKSCOPE_BENCH_SEGMENTS").ok().and_then(|text| text.parse().ok());
    let segments: u32 = segments.unwrap_or(5_000_000);
    let dir = tempfile::tempdir()?;
    let [talk, tenth, flood] = ["talk.pcap", "tenth.pcap", "flood.pcap"].map(|name| dir.path().join(name));
    make_talk(&talk, segments, OPEN)?;
    make_talk(&tenth, segments / 10, OPEN / 10)?;
    make_flood(&flood, segments.saturating_mul(2))?;
    println!("\n{segments} segments of {OPEN} flows at a time");
    let copy = run(&tcpdump(&talk), 1);
    let text = run(&ours(&talk, "text"), 1);
    compare("tcpdump -w /dev/null", copy, text);
    compare("report, text", text, text);
    compare("report, ndjson", run(&ours(&talk, "ndjson"), 1), text);
    compare("tcptrace", run(&["tcptrace", "-n", path(&talk)].map(str::to_owned), 1), text);
    let tshark = ["tshark", "-n", "-q", "-r", path(&tenth), "-z", "conv,tcp"].map(str::to_owned);
    compare("tshark (a tenth, × 10)", run(&tshark, 10), text);
    println!("{} SYNs, each from another address, after {PLANTED} established flows", segments.saturating_mul(2));
    let (copy, text) = (run(&tcpdump(&flood), 1), run(&ours(&flood, "text"), 1));
    compare("tcpdump -w /dev/null", copy, text);
    compare("report, text", text, text);
    Ok(())
}

fn ours(capture: &Path, format: &str) -> [String; 6] {
    [env!("CARGO_BIN_EXE_sockscope"), "report", "-r", path(capture), "--format", format].map(str::to_owned)
}

fn tcpdump(capture: &Path) -> [String; 5] {
    ["tcpdump", "-r", path(capture), "-w", "/dev/null"].map(str::to_owned)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary directory's plain name")
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    peak_kib: u64,
}

/// The quickest of a few runs, times `scale`; `None` where the program is not installed.
fn run(command: &[String], scale: u32) -> Option<Took> {
    let once = || {
        let begun = Instant::now();
        let mut child =
            Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0;
        let ended = loop {
            if let Some(ended) = child.try_wait().ok()? {
                break ended;
            }
            let told = std::fs::read_to_string(&status).unwrap_or_default();
            let peak =
                told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
            peak_kib = peak.unwrap_or(0).max(peak_kib);
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(ended.success(), "{command:?} ended with {ended}");
        Some(Took { wall: begun.elapsed() * scale, peak_kib })
    };
    let runs = if scale == 1 && command[0] != "tcptrace" { RUNS } else { 1 };
    (0..runs).filter_map(|_| once()).min_by_key(|took| took.wall)
}

fn compare(what: &str, took: Option<Took>, ours: Option<Took>) {
    match (took, ours) {
        (Some(took), Some(ours)) => println!(
            "  {what:24} {:8.2} s {:7} MiB   {:6.2} × the text report's time",
            took.wall.as_secs_f64(),
            took.peak_kib / 1024,
            took.wall.as_secs_f64() / ours.wall.as_secs_f64()
        ),
        _ => println!("  {what:24} not installed"),
    }
}

/// A pcap file that is being made.
struct Pcap {
    out: BufWriter<File>,
    micros: u64,
}

impl Pcap {
    fn create(path: &Path) -> std::io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
        Ok(Self { out, micros: 1_700_000_000_000_000 })
    }

    /// Writes a segment with `len` bytes of payload, of which 96 bytes of the frame are kept.
    fn put(&mut self, [src, dst]: [End; 2], flags: u8, [seq, ack]: [u32; 2], len: u16) -> std::io::Result<()> {
        let on_wire = 54 + u32::from(len);
        let kept = on_wire.min(96) as usize;
        let mut frame = [0; 96];
        frame[12] = 8;
        frame[14] = 0x45;
        frame[16..18].copy_from_slice(&(40 + len).to_be_bytes());
        frame[22..24].copy_from_slice(&[64, 6]);
        frame[26..30].copy_from_slice(&src.0.to_be_bytes());
        frame[30..34].copy_from_slice(&dst.0.to_be_bytes());
        frame[34..36].copy_from_slice(&src.1.to_be_bytes());
        frame[36..38].copy_from_slice(&dst.1.to_be_bytes());
        frame[38..42].copy_from_slice(&seq.to_be_bytes());
        frame[42..46].copy_from_slice(&ack.to_be_bytes());
        frame[46..50].copy_from_slice(&[0x50, flags, 0xff, 0xff]);
        let [secs, micros] = [self.micros / 1_000_000, self.micros % 1_000_000].map(|part| part as u32);
        for field in [secs, micros, kept as u32, on_wire] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&frame[..kept])
    }
}

/// An address and a port.
type End = (u32, u16);

const SYN: u8 = 2;
const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;

/// A flow's next step: 3 of the handshake, some of data, 3 of the close.
struct Talk {
    ends: [End; 2],
    next: [u32; 2],
    step: u32,
    data: u32,
}

impl Talk {
    fn new(random: &mut impl FnMut() -> u64) -> Self {
        let (ends, numbers) = (random(), random());
        let client = (0x0a00_0000 | ends as u32 >> 8, 1024 + (ends >> 48) as u16 % 60_000);
        let server = (0xc0a8_0000 | (ends >> 32) as u32 & 0x3ff, [80, 443, 5432, 6379][ends as usize & 3]);
        let next = [numbers as u32, (numbers >> 32) as u32];
        Self { ends: [client, server], next, step: 0, data: 4 + (random() % 30) as u32 }
    }

    /// Writes its next segment; whether that was its last.
    fn go_on(&mut self, pcap: &mut Pcap) -> std::io::Result<bool> {
        let close = 3 + self.data;
        let (by_server, flags, len) = match self.step {
            0 => (false, SYN, 0),
            1 => (true, SYN | ACK, 0),
            2 => (false, ACK, 0),
            step if step < close => (step % 2 == 0, PUSH, [1_000, 100, 1_000, 400][step as usize % 4]),
            step if step == close => (false, FIN, 0),
            step if step == close + 1 => (true, FIN, 0),
            _ => (false, ACK, 0),
        };
        let (own, peer) = (usize::from(by_server), usize::from(!by_server));
        let ack = if flags & ACK != 0 { self.next[peer] } else { 0 };
        pcap.put([self.ends[own], self.ends[peer]], flags, [self.next[own], ack], len)?;
        self.next[own] = self.next[own].wrapping_add(u32::from(len) + u32::from(flags & 3 != 0));
        self.step += 1;
        Ok(self.step > close + 2)
    }
}

fn make_talk(path: &Path, segments: u32, open: usize) -> std::io::Result<()> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut talks: Vec<Talk> = (0..open.max(1)).map(|_| Talk::new(&mut random)).collect();
    let mut pcap = Pcap::create(path)?;
    for _ in 0..segments {
        pcap.micros += random() % 8;
        let at = (random() % talks.len() as u64) as usize;
        if talks[at].go_on(&mut pcap)? {
            talks[at] = Talk::new(&mut random);
        }
    }
    pcap.out.flush()
}

fn make_flood(path: &Path, syns: u32) -> std::io::Result<()> {
    let mut pcap = Pcap::create(path)?;
    let server = (0xc000_0201, 80);
    for port in 0..PLANTED {
        let client = (0xc633_6407, 1024 + port);
        pcap.put([client, server], SYN, [1, 0], 0)?;
        pcap.put([server, client], SYN | ACK, [1, 2], 0)?;
        pcap.put([client, server], ACK, [2, 2], 0)?;
    }
    for n in 0..syns {
        pcap.micros += 1;
        pcap.put([(0x0a00_0000_u32.wrapping_add(n), 7), server], SYN, [n.wrapping_mul(2_654_435_761), 0], 0)?;
    }
    pcap.out.flush()
}
