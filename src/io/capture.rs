//! Live frames through libpcap. Settings were measured: no immediate mode, snap length 256, a ring of 32 MiB.
//!
//! Read first: pcap(3PCAP), pcap_stats(3PCAP); `any` gives interface ids only as LINUX_SLL2, asked for by number.

use std::ops::Range;

use pcap::{Active, Capture, Linktype, Precision};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType};
use thiserror::Error;

use super::clock;
use crate::base::{Scope, Timestamp};
use crate::wire::{Frame, LinkType};

/// Cooked capture with interface ids.
const LINUX_SLL2: i32 = 276;
/// How long the kernel may gather packets before it hands them over, milliseconds; in the worst case it takes twice
/// that, which a killed recording lacks. It hands over a block of the ring each time, however little is in it: of 256
/// KiB, so that 32 MiB last for 3 s at least while this program is kept from running.
const TIMEOUT_MS: i32 = 25;
/// Frames taken in one go, so that a flood still lets the reader report and stop.
const AT_ONCE: usize = 4096;
/// What may carry TCP: all of IPv4's, and IPv6 behind extension headers too; fragments; tunnels (IP in IP, GRE, and
/// UDP's by port); ICMP errors, which quote it; and DNS, which names its ends.
const MAY_BE_TCP: &str = "tcp or (ip6 and not (ip6 proto 6 or ip6 proto 17 or ip6 proto 58)) \
    or (ip and ip[6:2] & 0x3fff != 0) or ip proto 4 or ip proto 41 or ip proto 47 or ip proto 97 or ip proto 137 \
    or udp port 4789 or udp port 8472 or udp port 4790 or udp port 6081 or udp port 2152 or udp port 3544 \
    or udp port 1701 or udp port 6635 or udp port 53 \
    or icmp[icmptype] == icmp-unreach or (ip6 proto 58 and ip6[40] == 1)";

/// How to capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureSettings {
    /// An interface's name, or `any`.
    pub device: String,
    /// Bytes kept of each frame.
    pub snaplen: u32,
    /// Size of the kernel's ring, KiB.
    pub buffer_kib: u32,
    /// A BPF expression; all TCP without one.
    pub filter: Option<String>,
}

/// Why a capture could not begin, or ended.
#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("may not capture on {device}: {reason}")]
    NotPermitted { device: String, reason: String },
    #[error("cannot capture on {device}: {reason}")]
    Device { device: String, reason: String },
    #[error("cannot compile the filter {filter:?}: {reason}")]
    Filter { filter: String, reason: String },
}

/// An open capture.
pub struct LiveCapture {
    handle: Capture<Active>,
    link: LinkType,
    device: String,
    /// The interface's index, by which the same datagram on two interfaces is told from a repeat; 0 for `any`, whose
    /// frames tell their own, and for devices that are no interfaces.
    index: u32,
    /// While it was being opened: the kernel gathers from the start, but nothing while the filter is put in place.
    /// What came before that hole is not given, for it would make segments seem lost.
    opening: Range<Timestamp>,
}

impl std::fmt::Debug for LiveCapture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveCapture").field("device", &self.device).field("link", &self.link).finish_non_exhaustive()
    }
}

impl LiveCapture {
    /// Begins to capture.
    ///
    /// # Errors
    /// Where the user may not, the interface is not there or down, or the filter does not compile.
    pub fn open(settings: &CaptureSettings) -> Result<Self, CaptureError> {
        let refused = |error: pcap::Error| refusal(&settings.device, &error);
        let begun = clock::now();
        let mut handle = Capture::from_device(settings.device.as_str())
            .map_err(refused)?
            .promisc(false)
            .immediate_mode(false)
            .precision(Precision::Nano)
            .snaplen(i32::try_from(settings.snaplen).unwrap_or(i32::MAX))
            .buffer_size(i32::try_from(settings.buffer_kib.saturating_mul(1024)).unwrap_or(i32::MAX))
            .timeout(TIMEOUT_MS)
            .open()
            .map_err(refused)?
            // To wait is `read`'s business: libpcap's own waiting ends with a packet, whatever the timeout.
            .setnonblock()
            .map_err(refused)?;
        if settings.device == "any" {
            // Without it the interface of a frame is lost; a libpcap before 1.10 has no SLL2 and keeps SLL.
            let _kept_sll = handle.set_datalink(Linktype(LINUX_SLL2));
        }
        let filter = match &settings.filter {
            Some(filter) => format!("({filter}) and ({MAY_BE_TCP})"),
            None => MAY_BE_TCP.to_owned(),
        };
        handle.filter(&filter, true).map_err(|error| CaptureError::Filter {
            filter: settings.filter.clone().unwrap_or(filter),
            reason: error.to_string(),
        })?;
        let link = LinkType(u16::try_from(handle.get_datalink().0).unwrap_or(u16::MAX));
        let index = interface_index(&settings.device);
        Ok(Self { handle, link, device: settings.device.clone(), index, opening: begun..clock::now() })
    }

    /// What its frames begin with.
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// What [`Frame::iface`] is of its frames, but for those that tell their own.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Takes what the kernel has gathered, waiting for it at most a moment; gives `each` frame.
    ///
    /// # Errors
    /// Where the capture has ended (the interface went down or away).
    pub fn read(&mut self, mut each: impl FnMut(&Frame<'_>)) -> Result<(), CaptureError> {
        self.wait();
        let Self { handle, link, index, opening, .. } = self;
        let taken = handle.dispatch(Some(AT_ONCE), |packet| {
            let frame = frame(*link, *index, &packet);
            if !opening.contains(&frame.ts) {
                each(&frame);
            }
        });
        match taken {
            Ok(_) | Err(pcap::Error::TimeoutExpired) => Ok(()),
            Err(error) => Err(CaptureError::Device { device: self.device.clone(), reason: error.to_string() }),
        }
    }

    /// Waits until there is something to take or to be told, and no longer than the kernel gathers.
    fn wait(&self) {
        const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: TIMEOUT_MS as i64 * 1_000_000 };
        // Whatever it is that ended the wait, to read tells it.
        let _woken = rustix::event::poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&PATIENCE));
    }

    /// Frames dropped by the kernel and by the interface so far, where it tells.
    pub fn dropped(&mut self) -> Option<(u64, u64)> {
        let stats = self.handle.stats().ok()?;
        Some((u64::from(stats.dropped), u64::from(stats.if_dropped)))
    }
}

fn frame<'a>(link: LinkType, index: u32, packet: &pcap::Packet<'a>) -> Frame<'a> {
    let ts = packet.header.ts;
    Frame {
        // With nanosecond precision libpcap puts nanoseconds where microseconds stand otherwise.
        ts: Timestamp::from_secs_nanos(ts.tv_sec, ts.tv_usec),
        scope: Scope::default(),
        iface: interface(link, packet.data).unwrap_or(index),
        link,
        bytes: packet.data,
        len: packet.header.len,
    }
}

/// The interface index of a cooked frame (LINUX_SLL2: bytes 4 to 7), where the link type tells it.
fn interface(link: LinkType, bytes: &[u8]) -> Option<u32> {
    let index = bytes.get(4..8).filter(|_| i32::from(link.0) == LINUX_SLL2)?;
    index.try_into().ok().map(u32::from_be_bytes)
}

fn interface_index(device: &str) -> u32 {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None);
    socket.and_then(|socket| name_to_index(socket, device)).unwrap_or(0)
}

fn refusal(device: &str, error: &pcap::Error) -> CaptureError {
    let reason = error.to_string();
    let device = device.to_owned();
    let permission = ["permission", "Operation not permitted", "EPERM"];
    if permission.iter().any(|word| reason.contains(word)) {
        CaptureError::NotPermitted { device, reason }
    } else {
        CaptureError::Device { device, reason }
    }
}
