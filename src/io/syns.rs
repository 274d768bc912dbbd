//! The second-best rung: each SYN that leaves is looked up at once, and its socket searched for in the newest
//! processes.
//!
//! May touch libpcap, netlink and /proc. Read first: sock_diag(7) (a request for one socket), proc_pid_fd(5).
//!
//! A capture of its own hands over each SYN as it passes (the one that shows packets gathers them for a while). Whoever
//! connects and is gone within a millisecond is missed; what is found is a process that held the very socket, so nobody
//! is named wrongly. Searching is the costly part: it gets a hundredth of one processor.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pcap::{Active, Capture, Linktype, Precision};
use rustc_hash::FxHashMap;

use super::capture::CaptureSettings;
use super::fd_table::FdTable;
use super::netlink::{DiagError, DiagSocket};
use super::proc_dir::{ProcessDir, open_proc, pids};
use super::{clock, proc_file};
use crate::base::{Endpoint, Scope, Seq, Timestamp};
use crate::kernel::process::Users;
use crate::kernel::{Connect, KernelEvent, Process, Rung};
use crate::wire::{Decoded, Decoder, Frame, LinkType, Segment};

/// How long to wait for a SYN, milliseconds.
const TIMEOUT_MS: i32 = 10;
const SNAPLEN: i32 = 160;
const BUFFER: i32 = 512 << 10;
const LINUX_SLL2: i32 = 276;
/// libpcap looks behind IPv4's header only.
const SYN: &str = "(tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn) or (ip6 proto 6 and ip6[53] & 0x12 == 2)";
/// SYNs taken in one go; of a flood the rest is let pass.
const AT_ONCE: usize = 256;
/// The share of one processor that searching may take, as its inverse, and how much of that may be saved up.
const SHARE: u32 = 100;
const SAVED: Duration = Duration::from_millis(100);
/// Processes searched for one batch of sockets: the newest, after those that were named last.
const NEWEST: usize = 64;
const NAMED_LAST: usize = 4;

/// Descriptors of a process that are too many to look at in haste; the scan beside the socket table has the time.
const MANY_FDS: u64 = 1024;

/// The end that sent a SYN, and its peer.
type Ends = (Endpoint, Endpoint);

/// SYNs to be looked up: of each tuple the last, by its sequence number and time.
type Syns = HashMap<Ends, (Seq, Timestamp)>;
/// The sockets of those that are there, by their inodes.
type Wanted = FxHashMap<u64, (Ends, (Seq, Timestamp))>;
/// What was found for them.
type Found = HashMap<Ends, (Seq, Connect)>;

/// Why SYNs cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SynError {
    #[error("cannot capture on {device}: {reason}")]
    Capture { device: String, reason: String },
    #[error("the capture ended: {0}")]
    Ended(String),
    #[error("{0}")]
    Diag(DiagError),
    #[error("/proc cannot be read: {0}")]
    Proc(rustix::io::Errno),
}

/// Follows SYNs. It shows the network namespace of the thread that made it.
pub struct SynWatch {
    captures: Vec<Capture<Active>>,
    decoder: Decoder,
    seeker: Seeker,
    /// Found; told once it is sure that no later SYN on the same tuple was meant.
    found: Found,
}

impl std::fmt::Debug for SynWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SynWatch").field("found", &self.found).finish_non_exhaustive()
    }
}

impl SynWatch {
    /// Begins to follow the SYNs on the interfaces of these captures, as far as their filters let them pass.
    ///
    /// # Errors
    /// Where this user may not capture, or the kernel cannot be asked for a socket.
    pub fn start(settings: &[CaptureSettings]) -> Result<Self, SynError> {
        let captures = settings.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { captures, decoder: Decoder::default(), seeker: Seeker::new()?, found: HashMap::new() })
    }

    /// Waits a moment for SYNs and tells who sent those before; returns up to when that is all.
    ///
    /// # Errors
    /// Where a capture has ended, or the kernel does not answer.
    pub fn follow(&mut self, tell: &mut Vec<KernelEvent>) -> Result<Timestamp, SynError> {
        let mut syns = Syns::new();
        for capture in &mut self.captures {
            let link = LinkType(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX));
            let (decoder, found) = (&mut self.decoder, &mut self.found);
            let taken = capture.dispatch(Some(AT_ONCE), |packet| {
                if let Decoded::Tcp(segment) = decoder.decode(&frame(link, &packet)) {
                    take(&segment, found, &mut syns);
                }
            });
            if let Err(error) = taken.map(drop).or_else(passes) {
                return Err(SynError::Ended(error.to_string()));
            }
        }
        let mut told: Vec<Connect> = self.found.drain().map(|(_, (_, found))| found).collect();
        told.sort_by_key(|found| (found.end, found.local, found.peer));
        tell.extend(told.into_iter().map(KernelEvent::Connect));
        self.found = self.seeker.seek(&syns)?;
        Ok(self.found.values().map(|(_, found)| found.end).min().unwrap_or_else(clock::now))
    }
}

/// Notes a SYN that is to be looked up. What was found after it, but for a SYN before, may be of either.
fn take(segment: &Segment, found: &mut Found, syns: &mut Syns) {
    let (ends, syn) = ((segment.src, segment.dst), (segment.seq, segment.ts));
    match found.get(&ends) {
        // The same one, on another interface or sent again.
        Some((seq, _)) if *seq == segment.seq => return,
        Some((_, claim)) if claim.end >= segment.ts => drop(found.remove(&ends)),
        _ => {}
    }
    let known = syns.entry(ends).or_insert(syn);
    if known.0 != segment.seq {
        *known = syn;
    }
}

/// Whether a capture that gave nothing goes on.
fn passes(error: pcap::Error) -> Result<(), pcap::Error> {
    if error == pcap::Error::TimeoutExpired { Ok(()) } else { Err(error) }
}

/// Finds sockets, and who holds them.
struct Seeker {
    diag: DiagSocket,
    proc: OwnedFd,
    users: Users,
    named_last: Vec<u32>,
    /// Time that may be spent, and when that was reckoned.
    credit: Duration,
    at: Instant,
}

impl Seeker {
    fn new() -> Result<Self, SynError> {
        let users = Users::parse(&proc_file::text("/etc/passwd").unwrap_or_default());
        let proc = open_proc().map_err(SynError::Proc)?;
        let diag = DiagSocket::open().map_err(SynError::Diag)?;
        Ok(Self { diag, proc, users, named_last: Vec::new(), credit: SAVED, at: Instant::now() })
    }

    /// Who holds the sockets that sent these SYNs, as far as time allows.
    fn seek(&mut self, syns: &Syns) -> Result<Found, SynError> {
        self.credit = (self.credit + self.at.elapsed() / SHARE).min(SAVED);
        self.at = Instant::now();
        if syns.is_empty() || self.credit.is_zero() {
            return Ok(Found::new());
        }
        let mut wanted = Wanted::default();
        for (&ends, &syn) in syns {
            let socket = self.diag.find(ends.0, ends.1).map_err(SynError::Diag)?;
            if let Some(inode) = socket.and_then(|socket| socket.inode) {
                wanted.insert(inode, (ends, syn));
            }
        }
        // The time at which the sockets were there: a later one on the same tuple is another.
        let end = clock::now();
        let found = self.search(wanted, end);
        self.credit = self.credit.saturating_sub(self.at.elapsed());
        Ok(found)
    }

    fn search(&mut self, mut wanted: Wanted, end: Timestamp) -> Found {
        let mut found = Found::new();
        for pid in self.candidates() {
            if wanted.is_empty() || self.at.elapsed() > self.credit {
                break;
            }
            let Some((process, inodes)) = self.holder_of(pid, &wanted) else { continue };
            for inode in inodes {
                let Some((ends, (seq, begin))) = wanted.remove(&inode) else { continue };
                let (local, peer) = ends;
                let (process, here, rung) = (Some(process.clone()), Some(true), Rung::Syn);
                let (scope, bound, connected) = (Scope(0), false, None);
                let claim = Connect { begin, end, scope, local, peer, process, here, bound, connected, rung };
                found.insert(ends, (seq, claim));
            }
            self.named_last.retain(|named| *named != pid);
            self.named_last.insert(0, pid);
            self.named_last.truncate(NAMED_LAST);
        }
        found
    }

    /// Those named last, then the newest processes.
    fn candidates(&self) -> Vec<u32> {
        let mut pids = pids().unwrap_or_default();
        // The last number given out; those above it are from the round before.
        let loadavg = proc_file::text("/proc/loadavg").unwrap_or_default();
        let last: u32 = loadavg.split_whitespace().next_back().and_then(|pid| pid.parse().ok()).unwrap_or(u32::MAX);
        pids.sort_unstable_by_key(|pid| last.wrapping_sub(*pid));
        let newest = pids.into_iter().filter(|pid| !self.named_last.contains(pid)).take(NEWEST);
        self.named_last.iter().copied().chain(newest).collect()
    }

    /// A process, and which of the wanted sockets it holds; `None` if it holds none.
    fn holder_of(&self, pid: u32, wanted: &Wanted) -> Option<(Arc<Process>, Vec<u64>)> {
        let dir = ProcessDir::open(self.proc.as_fd(), pid).ok()?;
        if dir.fd_count().ok()? > MANY_FDS {
            return None;
        }
        let fds = FdTable::read(&dir.fds().ok()?).ok()?;
        let inodes: Vec<u64> =
            fds.sockets().iter().map(|socket| socket.1).filter(|at| wanted.contains_key(at)).collect();
        if inodes.is_empty() {
            return None;
        }
        // The folder is bound to the process: what was read of it is of no other that has its number since.
        let process = dir.identify(dir.stat().ok()?, &self.users);
        Some((Arc::new(process), inodes))
    }
}

fn open(settings: &CaptureSettings) -> Result<Capture<Active>, SynError> {
    let refused = |error: pcap::Error| SynError::Capture { device: settings.device.clone(), reason: error.to_string() };
    let inactive = Capture::from_device(settings.device.as_str()).map_err(refused)?;
    let inactive = inactive.promisc(false).immediate_mode(true).precision(Precision::Nano);
    let mut handle = inactive.snaplen(SNAPLEN).buffer_size(BUFFER).timeout(TIMEOUT_MS).open().map_err(refused)?;
    if settings.device == "any" {
        let _kept_sll = handle.set_datalink(Linktype(LINUX_SLL2));
    }
    let filter = settings.filter.as_ref().map_or_else(|| SYN.to_owned(), |filter| format!("({filter}) and ({SYN})"));
    handle.filter(&filter, true).map_err(refused)?;
    Ok(handle)
}

fn frame<'a>(link: LinkType, packet: &pcap::Packet<'a>) -> Frame<'a> {
    let ts = packet.header.ts;
    Frame {
        ts: Timestamp::from_secs_nanos(ts.tv_sec, ts.tv_usec),
        scope: Scope::default(),
        iface: 0,
        link,
        bytes: packet.data,
        len: packet.header.len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Scrubbed;
    use crate::wire::Flags;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_nanos(micros * 1000)
    }

    fn ends() -> Ends {
        (Endpoint::new([192, 0, 2, 1], 40_000), Endpoint::new([192, 0, 2, 2], 80))
    }

    fn syn(micros: i64, seq: u32) -> Segment {
        let (src, dst) = ends();
        Segment {
            scope: Scope(0),
            seq: Seq(seq),
            frame_len: 54,
            ttl: 64,
            ..Segment::bare(at(micros), src, dst, Flags::SYN)
        }
    }

    /// Whether what was found at 20 for the SYN of 10 stands after another.
    fn stands_after(later: &Segment) -> (bool, usize) {
        let (local, peer) = ends();
        let text = |text| Scrubbed::new(text);
        let process = Process { pid: 7, start_time: Some(1), comm: text("a"), cmdline: text(""), user: text("b") };
        let (process, here, rung) = (Some(Arc::new(process)), Some(true), Rung::Syn);
        let (begin, end, scope) = (at(10), at(20), Scope(0));
        let (bound, connected) = (false, None);
        let claim = Connect { begin, end, scope, local, peer, process, here, bound, connected, rung };
        let (mut found, mut syns) = (Found::from([(ends(), (Seq(5), claim))]), Syns::new());
        take(later, &mut found, &mut syns);
        (!found.is_empty(), syns.len())
    }

    #[test]
    fn a_socket_that_may_be_a_later_connections_names_nobody() {
        assert_eq!(stands_after(&syn(15, 6)), (false, 1), "it was looked up after both");
        assert_eq!(stands_after(&syn(25, 6)), (true, 1), "another connection, after the look-up");
        assert_eq!(stands_after(&syn(15, 5)), (true, 0), "the same SYN on another interface");
    }

    #[test]
    fn of_several_connections_on_a_tuple_the_last_is_looked_up() {
        let (mut found, mut syns) = (Found::new(), Syns::new());
        for segment in [syn(10, 5), syn(11, 5), syn(12, 6), syn(13, 6)] {
            take(&segment, &mut found, &mut syns);
        }
        assert_eq!(syns[&ends()], (Seq(6), at(12)));
    }

    #[test]
    fn a_holder_is_found_among_the_newest_processes_and_a_broke_seeker_seeks_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(to).unwrap();
        let from = client.local_addr().unwrap();
        let ends = (Endpoint::new(from.ip(), from.port()), Endpoint::new(to.ip(), to.port()));
        let syns = Syns::from([(ends, (Seq(1), at(0)))]);
        let mut seeker = Seeker::new().unwrap();
        // As if it had been named before: on a busy machine it may not be among the newest.
        seeker.named_last.push(std::process::id());
        seeker.credit = Duration::from_secs(10);
        let found = seeker.seek(&syns).unwrap();
        assert_eq!(found[&ends].1.process.as_ref().unwrap().pid, std::process::id());
        (seeker.credit, seeker.at) = (Duration::ZERO, Instant::now() + Duration::from_secs(1));
        assert!(seeker.seek(&syns).unwrap().is_empty());
    }
}
