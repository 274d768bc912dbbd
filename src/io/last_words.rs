//! The kernel's last words on connections' sockets: the multicast groups that tell of every one that it lets go.
//!
//! May touch netlink and /proc. Read first: sock_diag(7) (SKNLGRP_INET_TCP_DESTROY), netlink(7) (ENOBUFS);
//! `kernel::LastWord`. No privilege is needed. The sockets are those of the network namespace of the thread that
//! listens.

use std::io;

use netlink_packet_core::NetlinkBuffer;
use netlink_sys::{Socket as NetlinkSocket, SocketAddr};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{RecvFlags, recv};

use super::netlink::NETLINK_SOCK_DIAG;
use super::{clock, proc_file};
use crate::base::{Scope, Timestamp};
use crate::kernel::diag::{self, SOCK_DIAG_BY_FAMILY};
use crate::kernel::{KernelEvent, LastWord, LostEvents};

/// `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY` (linux/sock_diag.h).
const GROUPS: [u32; 2] = [1, 3];
/// A word takes about 1.3 KiB of the buffer: this holds those of 5,000 connections a second for 600 ms.
const RECV_BUFFER: usize = 8 << 20;
/// Longer than any word.
const MESSAGE: usize = 4096;
/// Words taken at a time, so that a flood of them does not keep the thread from its other duties.
const BATCH: usize = 1 << 15;

/// Listens to the kernel's last words.
#[derive(Debug)]
pub struct LastWords {
    socket: NetlinkSocket,
    port: u32,
    buffer: Box<[u8]>,
    /// Words that the kernel could not hand over, and that we dropped.
    missed: u64,
    dropped: u64,
}

impl LastWords {
    /// Joins the groups.
    ///
    /// # Errors
    /// If the socket cannot be made, or a kernel (before 4.3) or a policy has no such groups.
    pub fn listen() -> io::Result<Self> {
        let mut socket = NetlinkSocket::new(NETLINK_SOCK_DIAG)?;
        // A socket that joins before it is bound hears nothing.
        let address: SocketAddr = socket.bind_auto()?;
        // More than net.core.rmem_max needs CAP_NET_ADMIN.
        set_socket_recv_buffer_size_force(&socket, RECV_BUFFER)
            .or_else(|_| set_socket_recv_buffer_size(&socket, RECV_BUFFER))?;
        socket.set_non_blocking(true)?;
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        let buffer = vec![0; MESSAGE].into();
        Ok(Self { socket, port: address.port_number(), buffer, missed: 0, dropped: 0 })
    }

    /// Takes what was said since the last time. All of it is stamped with the instant that is returned, which is none
    /// before it happened: so the segments that closed a connection come first.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn hear(&mut self, events: &mut Vec<KernelEvent>) -> io::Result<Timestamp> {
        let mut heard = Vec::new();
        let mut overrun = false;
        for _ in 0..BATCH {
            match recv(&self.socket, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Ok((len, _)) => add_words(&self.buffer[..len], &mut heard),
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => {}
                // The next call goes on with what did fit.
                Err(rustix::io::Errno::NOBUFS) => overrun = true,
                Err(errno) => return Err(errno.into()),
            }
        }
        let now = clock::now();
        events.extend(heard.into_iter().map(|word| KernelEvent::LastWord(LastWord { ts: now, ..word })));
        if overrun {
            // Counted last: until the buffer is empty more goes by, of which there is no further error (af_netlink.c).
            self.missed = self.drops().unwrap_or(0).max(self.missed + 1);
            events.push(self.lost(now));
        }
        Ok(now)
    }

    /// Counts words that nobody could take, and says so.
    pub fn drop_words(&mut self, count: usize) -> KernelEvent {
        self.dropped = self.dropped.saturating_add(count as u64);
        self.lost(clock::now())
    }

    fn lost(&self, ts: Timestamp) -> KernelEvent {
        KernelEvent::LastWordsLost(LostEvents { ts, until: ts, total: self.missed.saturating_add(self.dropped) })
    }

    /// How many messages the kernel could not put into the socket's buffer (/proc/net/netlink); `None` where that
    /// cannot be read.
    fn drops(&self) -> Option<u64> {
        drops(&proc_file::net_text("netlink"), self.port)
    }
}

/// Column Drops of the row of NETLINK_SOCK_DIAG with this port (`Eth` is the protocol, `Pid` the port).
fn drops(text: &str, port: u32) -> Option<u64> {
    let row = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let protocol: isize = words.next()?.parse().ok()?;
        let of: u32 = words.next()?.parse().ok()?;
        let drops = words.nth(5)?.parse().ok()?;
        ((protocol, of) == (NETLINK_SOCK_DIAG, port)).then_some(drops)
    };
    text.lines().find_map(row)
}

/// Adds the words of one datagram; what contradicts itself ends it. They are stamped later.
fn add_words(mut bytes: &[u8], heard: &mut Vec<LastWord>) {
    while let Ok(message) = NetlinkBuffer::new_checked(bytes) {
        if message.message_type() == SOCK_DIAG_BY_FAMILY {
            heard.extend(diag::last_word(message.payload(), Timestamp::MIN, Scope(0)));
        }
        let next = (message.length() as usize).next_multiple_of(4);
        bytes = bytes.get(next..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::base::Endpoint;

    #[test]
    fn both_ends_of_a_connection_have_a_last_word_with_its_counts() {
        let mut last_words = LastWords::listen().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
        let ends = [end(client.local_addr().unwrap()), end(server.local_addr().unwrap())];
        client.write_all(&[1; 1000]).unwrap();
        server.read_exact(&mut [0; 600]).unwrap();
        drop(client);
        // On a busy machine the FIN is on its way for a while.
        let fin = rustix::event::PollFlags::RDHUP;
        let patience = rustix::event::Timespec { tv_sec: 20, tv_nsec: 0 };
        let came = rustix::event::poll(&mut [rustix::event::PollFd::new(&server, fin)], Some(&patience)).unwrap();
        assert_eq!(came, 1, "the FIN never came");
        drop(server);
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard: Vec<LastWord> = Vec::new();
        while heard.len() < 2 {
            assert!(Instant::now() < deadline, "the words never came: {heard:?}");
            let mut events = Vec::new();
            last_words.hear(&mut events).unwrap();
            let ours = |event| match event {
                KernelEvent::LastWord(word) if [word.local, word.peer].contains(&ends[0]) => Some(word),
                _ => None,
            };
            heard.extend(events.into_iter().filter_map(ours));
        }
        let of = |local| heard.iter().find(|word| word.local == local).unwrap();
        assert_eq!((of(ends[0]).info.bytes_sent, of(ends[0]).peer), (Some(1000), ends[1]));
        assert_eq!(of(ends[1]).info.bytes_received, Some(1001), "the FIN counts");
        assert!(of(ends[1]).unread >= 400 && of(ends[0]).cookie.is_some());
    }

    #[test]
    fn more_than_the_buffer_holds_is_counted_as_the_kernel_counts_it() {
        let mut last_words = LastWords::listen().unwrap();
        set_socket_recv_buffer_size(&last_words.socket, 1).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for _ in 0..50 {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            drop(client);
            assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
        }
        // The kernel tells of a socket from a queue of work, a while after it has let go of it.
        let deadline = Instant::now() + Duration::from_secs(20);
        while last_words.drops() < Some(2) {
            assert!(Instant::now() < deadline, "nothing was lost");
            std::thread::yield_now();
        }
        let mut events = Vec::new();
        last_words.hear(&mut events).unwrap();
        let lost = events.iter().find_map(|event| match event {
            KernelEvent::LastWordsLost(of) => Some(of.total),
            _ => None,
        });
        let lost = lost.expect("it is told");
        assert!(lost > 1 && Some(lost) <= last_words.drops(), "{lost}");
    }

    #[test]
    fn drops_stand_in_the_row_of_the_socket() {
        let text = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n\
                    0000000000000000 4   0          00000000 0        0        0     2        9        1507\n\
                    0000000000000000 0   32318      00000005 0        0        0     2        8        3919121\n\
                    0000000000000000 4   32318      00000005 0        0        0     2        7        3919122\n";
        assert_eq!((drops(text, 32318), drops(text, 0), drops(text, 5)), (Some(7), Some(9), None));
    }
}
