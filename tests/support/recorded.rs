//! A recording made by hand: one connection with all that belongs to it.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::sync::Arc;
use std::time::Duration;

use sockscope::base::{Endpoint, Mark, Scope, Scrubbed, TcpState, Timestamp};
use sockscope::engine::{Input, Loss};
use sockscope::journal::Intake;
use sockscope::journal::recording::{Packer, Recorder, Setup, Source};
use sockscope::kernel::{Connect, KernelEvent, Owner, Owners, Process, Reported, Rung, Socket, SocketSample};
use sockscope::wire::{Frame, LinkType};

const SECOND: i64 = 1_700_000_000;
const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
pub(crate) const SECRET: &[u8] = b"GET /secret-path HTTP/1.1\r\nHost: shop.example\r\n\r\n";
pub(crate) const FRAMES: usize = 5;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_secs_nanos(SECOND, millis * 1_000_000 + 7)
}

/// An Ethernet frame of TCP.
fn frame(out: bool, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = if out { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let ports: [u8; 4] = if out { [0x9c, 0x40, 0, 80] } else { [0, 80, 0x9c, 0x40] };
    let total = (40 + payload.len() as u16).to_be_bytes();
    let ip = [&[0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0][..], &src, &dst].concat();
    let tcp = [&ports[..], &seq.to_be_bytes(), &ack.to_be_bytes(), &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]].concat();
    [&[2; 12][..], &[8, 0], &ip, &tcp, payload].concat()
}

fn frames() -> [Vec<u8>; FRAMES] {
    let answer = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 900]].concat();
    [
        frame(true, 0x02, 1, 0, b""),
        frame(false, 0x12, 7, 2, b""),
        frame(true, 0x10, 2, 8, b""),
        frame(true, 0x18, 2, 8, SECRET),
        frame(false, 0x18, 8, 2 + SECRET.len() as u32, &answer),
    ]
}

fn process(pid: u32, comm: &str) -> Arc<Process> {
    let (comm, cmdline, user) = (Scrubbed::new(comm), Scrubbed::new("-x"), Scrubbed::new("www"));
    Arc::new(Process { pid, start_time: Some(9), comm, cmdline, user })
}

fn sample(ts: Timestamp) -> SocketSample {
    let listener = Socket {
        local: Endpoint::new(SERVER, 80),
        peer: Endpoint::default(),
        state: Reported(TcpState::Listen),
        recv_q: 3,
        send_q: Some(128),
        timer: None,
        uid: Some(33),
        inode: Some(44),
        cookie: Some(5),
        buffers: None,
        drops: Some(0),
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    };
    let mut owners = Owners { processes_read: 1, ..Owners::default() };
    owners.by_inode.insert(44, vec![Owner { process: process(1, "nginx"), fd: 6 }]);
    SocketSample {
        took: Duration::from_micros(300),
        sockets: vec![listener],
        owners: Arc::new(owners),
        local_addresses: Arc::from([SERVER.into()]),
        ..SocketSample::empty(ts)
    }
}

/// Who is told what happens: the recorder, and the list of what an engine is fed.
struct Run {
    recorder: Recorder,
    packers: Vec<Packer>,
    out: Vec<u8>,
    fed: Vec<Input>,
}

impl Run {
    fn tell(&mut self, input: Input) {
        self.recorder.input(&input, &mut self.out);
        self.fed.push(input);
    }

    /// A frame of which the first 256 bytes were captured, and what it gives.
    fn capture(&mut self, intake: &mut Intake, ts: Timestamp, whole: &[u8]) {
        let bytes = &whole[..whole.len().min(256)];
        let frame = Frame { ts, scope: Scope::FILE, iface: 2, link: LinkType(1), bytes, len: whole.len() as u32 };
        let mut inputs = Vec::new();
        intake.take(&frame, &mut inputs);
        let mut inputs = inputs.into_iter();
        let gave = inputs.next();
        let mut block = Vec::new();
        self.packers[0].pack(&frame, gave.as_ref(), &mut block);
        self.recorder.frame(&block, gave.as_ref(), &mut self.out);
        self.fed.extend(gave);
        inputs.for_each(|input| self.tell(input));
    }
}

/// What was recorded, with so many bytes of payload, and what the engine was fed.
pub(crate) fn recording(payload: u32) -> (Vec<u8>, Vec<Input>) {
    let source = Source {
        name: Scrubbed::new("eth0"),
        filter: Some(Scrubbed::new("tcp port 80")),
        link: LinkType(1),
        snaplen: 256,
        iface: 2,
        scope: Scope::FILE,
    };
    let (hardware, os) = (Some(Scrubbed::new("x86_64")), Some(Scrubbed::new("Linux 6.18.1")));
    let setup = Setup { sources: vec![source], payload, hardware, os, host: None };
    let (packers, recorder) = (Packer::all(&setup), Recorder::new(setup));
    let mut run = Run { recorder, packers, out: Vec::new(), fed: Vec::new() };
    run.recorder.begin(at(-20), &mut run.out);
    run.tell(Input::Kernel(KernelEvent::Tracing(at(-15))));
    run.tell(Input::Sample(Arc::new(sample(at(-10)))));
    let mut intake = Intake::default();
    for (bytes, millis) in frames().iter().zip(0..) {
        run.capture(&mut intake, at(millis), bytes);
        if millis == 0 {
            run.tell(connect());
        }
    }
    run.tell(Input::Sample(Arc::new(sample(at(10)))));
    let loss = Loss { ts: at(20), kernel: Some(1), interface: Some(0), ours: 0, frames: intake.counts() };
    run.tell(Input::Loss(loss.into()));
    run.recorder.mark(&Mark { ts: at(21), note: Scrubbed::new("here it went wrong") }, &mut run.out);
    run.recorder.end(&mut run.out);
    (run.out, run.fed)
}

fn connect() -> Input {
    let (local, peer) = (Endpoint::new(CLIENT, 40_000), Endpoint::new(SERVER, 80));
    let (begin, end, scope, rung, here) = (at(0), at(0), Scope::FILE, Rung::Trace, Some(true));
    let process = Some(process(77, "curl"));
    Input::Kernel(KernelEvent::Connect(Connect {
        begin,
        end,
        scope,
        local,
        peer,
        process,
        here,
        bound: false,
        connected: None,
        rung,
    }))
}
