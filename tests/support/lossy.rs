//! A wire between two namespaces that loses, delays past others, or doubles the very segments that it is told to.
//!
//! May touch network namespaces that it makes itself, and frames on the veth pairs inside them. Read first: packet(7).

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use pcap::{Active, Capture, Direction, PacketHeader};

use super::netns::Netns;

/// How long a frame takes from one end to the other.
const DELAY: Duration = Duration::from_millis(10);

/// Bytes: more than any frame here has. A ring has slots for frames of that length, whatever lies in them: of 64 KiB
/// it would have 32, and be full whenever the thread that takes frames from it has to wait for a processor.
const SNAPLEN: i32 = 1900;

/// Bytes of a ring: some 2,000 slots, ten times what a connection has on the way.
const RING: i32 = 4 << 20;

/// What becomes of a segment with data that `a` sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    IsLost,
    /// After so many others of its connection.
    ComesAfter(usize),
    Doubled,
}

/// A segment with data: to which port, which of its connection's it is (from 1), and the how-manieth copy of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) port: u16,
    pub(crate) number: usize,
    pub(crate) copy: usize,
}

/// `a` has 10.79.0.1 on `va`, `b` has 10.79.0.2 on `vb`; the wire between them is a third namespace that only forwards.
pub(crate) struct LossyWire {
    pub(crate) a: Netns,
    pub(crate) b: Netns,
    /// Dropped after the threads have ended.
    _between: Netns,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Unasked>>,
}

/// What the wire did that it was not told to do.
#[derive(Debug, Clone, Copy, Default)]
struct Unasked {
    /// Frames: its ring was full, or sending was refused, or it held them back to the end.
    lost: u64,
    /// By how much a frame took longer than [`DELAY`], at most.
    late: Duration,
}

impl LossyWire {
    pub(crate) fn new(fate: fn(Sent) -> Fate) -> Self {
        let [a, b, between] = ["lossy-a", "lossy-b", "lossy-m"].map(Netns::new);
        for (end, link, far, address) in [(&a, "va", "mid-a", "10.79.0.1/24"), (&b, "vb", "mid-b", "10.79.0.2/24")] {
            end.ip(&["link", "add", link, "type", "veth", "peer", "name", far, "netns", between.name()]);
            end.ip(&["addr", "add", address, "dev", link]);
            // One segment a frame: what is forwarded by hand cannot be cut by hand.
            end.ip(&["link", "set", link, "gso_max_segs", "1", "up"]);
            between.ip(&["link", "set", far, "up"]);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let threads = between.run(|| {
            let there = forward(open("mid-a"), open("mid-b"), Some(fate), &stop);
            let back = forward(open("mid-b"), open("mid-a"), None, &stop);
            there.into_iter().chain(back).collect()
        });
        Self { a, b, _between: between, stop, threads }
    }

    /// Ends the wire, which must have lost nothing but what it was told to lose. Tells by how much a frame was late, at
    /// most: a sender that waits too long sends again, as if the wire had lost it.
    pub(crate) fn end(mut self) -> Duration {
        let ended = self.end_threads().into_iter().map(Result::unwrap);
        let Unasked { lost, late } = ended.reduce(Unasked::and).unwrap();
        assert_eq!(lost, 0, "frames that the wire lost by itself");
        late
    }

    /// What each ended with, once all have: then their namespace may go.
    fn end_threads(&mut self) -> Vec<std::thread::Result<Unasked>> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).map(JoinHandle::join).collect()
    }
}

impl Drop for LossyWire {
    fn drop(&mut self) {
        let ended = self.end_threads();
        if !ended.is_empty() {
            let _ = writeln!(std::io::stderr(), "the wire was not ended; its threads: {ended:?}");
        }
    }
}

impl Unasked {
    fn and(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, late: self.late.max(other.late) }
    }
}

fn open(link: &str) -> Capture<Active> {
    let capture = Capture::from_device(link).unwrap().immediate_mode(true).promisc(true).timeout(10);
    capture.snaplen(SNAPLEN).buffer_size(RING).open().unwrap()
}

/// Takes frames from one link and, later, puts them on the other.
fn forward(
    mut from: Capture<Active>,
    mut to: Capture<Active>,
    fate: Option<fn(Sent) -> Fate>,
    stop: &Arc<AtomicBool>,
) -> [JoinHandle<Unasked>; 2] {
    let (sender, receiver): (Sender<(SystemTime, Vec<u8>)>, Receiver<_>) = channel();
    let stop = Arc::clone(stop);
    from.direction(Direction::In).unwrap();
    let taking = std::thread::spawn(move || {
        let mut counts = Counts::default();
        while !stop.load(Ordering::Relaxed) {
            let packet = match from.next_packet() {
                Ok(packet) => packet,
                Err(pcap::Error::TimeoutExpired) => continue,
                Err(error) => panic!("the wire cannot be read: {error}"),
            };
            let came = came_at(packet.header);
            for frame in counts.decide(packet.data.to_vec(), fate) {
                let _ = sender.send((came, frame));
            }
        }
        // A ring that is full counts what leaves by its link too.
        let full = from.stats().unwrap().dropped;
        Unasked { lost: u64::from(full) + u64::from(counts.held.is_some()), late: Duration::ZERO }
    });
    let putting = std::thread::spawn(move || {
        let mut unasked = Unasked::default();
        for (came, frame) in receiver {
            let since = came.elapsed().unwrap_or_default();
            std::thread::sleep(DELAY.saturating_sub(since));
            unasked.late = unasked.late.max(since.saturating_sub(DELAY));
            unasked.lost += u64::from(to.sendpacket(frame).is_err());
        }
        unasked
    });
    [taking, putting]
}

/// When the kernel saw a frame.
fn came_at(header: &PacketHeader) -> SystemTime {
    let [secs, micros] = [header.ts.tv_sec, header.ts.tv_usec].map(|part| u64::try_from(part).unwrap());
    SystemTime::UNIX_EPOCH + Duration::from_secs(secs) + Duration::from_micros(micros)
}

/// Which segments went by.
#[derive(Debug, Default)]
struct Counts {
    /// By ports and number: which of the connection's it is, and how many copies went by.
    seen: HashMap<(u32, u32), (usize, usize)>,
    connections: HashMap<u32, usize>,
    held: Option<(usize, u32, Vec<u8>)>,
}

impl Counts {
    /// What goes on of the frame, in order; with it, perhaps, one that was held back.
    fn decide(&mut self, mut frame: Vec<u8>, fate: Option<fn(Sent) -> Fate>) -> Vec<Vec<u8>> {
        let Some(tcp) = Tcp::of(&mut frame) else { return vec![frame] };
        let (ports, seq, has_data) = (tcp.ports(), tcp.seq(), tcp.has_data());
        tcp.complete_checksum();
        let Some(fate) = fate.filter(|_| has_data) else { return vec![frame] };
        let next = self.connections.get(&ports).copied().unwrap_or(0) + 1;
        let (number, copies) = self.seen.entry((ports, seq)).or_insert((next, 0));
        *copies += 1;
        self.connections.entry(ports).and_modify(|most| *most = (*most).max(*number)).or_insert(*number);
        let port = u16::try_from(ports & 0xffff).unwrap();
        let mut out = match fate(Sent { port, number: *number, copy: *copies }) {
            Fate::Arrives => vec![frame],
            Fate::IsLost => Vec::new(),
            Fate::Doubled => vec![frame.clone(), frame],
            Fate::ComesAfter(others) => {
                self.held = Some((others, ports, frame));
                return Vec::new();
            }
        };
        if let Some((left, of, _)) = &mut self.held
            && *of == ports
        {
            *left -= 1;
            if *left == 0 {
                out.extend(self.held.take().map(|(_, _, frame)| frame));
            }
        }
        out
    }
}

/// TCP over IPv4 in an Ethernet frame.
struct Tcp<'a> {
    ip: &'a mut [u8],
    header: usize,
}

impl<'a> Tcp<'a> {
    fn of(frame: &'a mut [u8]) -> Option<Self> {
        let is_ipv4 = frame.get(12..14)? == [8, 0];
        let ip = frame.get_mut(14..).filter(|_| is_ipv4)?;
        let header = usize::from(ip.first()? & 15) * 4;
        let total = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
        (ip.get(9)? == &6).then_some(Self { ip: ip.get_mut(..total)?, header })
    }

    fn word(&self, at: usize) -> u32 {
        let at = self.header + at;
        u32::from_be_bytes(self.ip[at..at + 4].try_into().unwrap())
    }

    fn ports(&self) -> u32 {
        self.word(0)
    }

    fn seq(&self) -> u32 {
        self.word(4)
    }

    fn has_data(&self) -> bool {
        self.ip.len() > self.header + usize::from(self.ip[self.header + 12] >> 4) * 4
    }

    /// The sender leaves it to a card that is not there (RFC 9293 §3.1: the checksum).
    fn complete_checksum(self) {
        let length = u32::try_from(self.ip.len() - self.header).unwrap();
        let at = self.header + 16;
        self.ip[at..at + 2].fill(0);
        let words = |bytes: &[u8]| -> u32 {
            bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0))).sum()
        };
        let mut sum = words(&self.ip[12..20]) + 6 + length + words(&self.ip[self.header..]);
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        self.ip[at..at + 2].copy_from_slice(&(!u16::try_from(sum).unwrap()).to_be_bytes());
    }
}
