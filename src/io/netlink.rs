//! The socket table by netlink: one dump of NETLINK_SOCK_DIAG, or one for each address family.
//!
//! May touch netlink sockets. Read first: sock_diag(7), netlink(7); `kernel::diag` reads the rows.

use std::io;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    DoneBuffer, Emitable, ErrorBuffer, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
    NLMSG_OVERRUN, NetlinkBuffer, NetlinkHeader,
};
use netlink_sys::{Socket as NetlinkSocket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, recv};

use crate::base::{Endpoint, StateSet};
use crate::kernel::Socket;
use crate::kernel::diag::{self, Family, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK};

/// `NETLINK_SOCK_DIAG` (linux/netlink.h).
pub(super) const NETLINK_SOCK_DIAG: isize = 4;
/// The kernel fills at most 32 KiB a message batch, and only if the reader's buffer is that large.
const BUFFER: usize = 64 << 10;
/// No silence of the kernel is waited for longer than this.
const SILENCE: Duration = Duration::from_secs(2);
/// No dump takes longer: 100,000 sockets need 70 ms.
const PATIENCE: Duration = Duration::from_secs(10);
const HEADER: usize = 16;

/// Why the socket table could not be read by netlink.
#[derive(Debug, thiserror::Error)]
pub enum DiagError {
    /// The socket could not be made.
    #[error("cannot open a NETLINK_SOCK_DIAG socket: {0}")]
    Open(io::Error),
    /// The request could not be sent, or nothing could be received.
    #[error("cannot ask sock_diag for the socket table: {0}")]
    Exchange(io::Error),
    /// The kernel answered with an error: the module is missing, or a policy forbids it.
    #[error("the kernel refused the dump of {family} TCP sockets: {error} (is the module tcp_diag there?)")]
    Refused { family: Family, error: io::Error },
    /// The kernel fell silent in the middle.
    #[error("sock_diag did not finish its dump in time")]
    TimedOut,
    /// The answer is not what netlink(7) describes.
    #[error("sock_diag's answer cannot be read: {0}")]
    Malformed(String),
}

/// What a dump gave.
#[derive(Debug, Default)]
pub(super) struct Dump {
    pub(super) sockets: Vec<Socket>,
    /// Rows of a kind that is not known.
    pub(super) bad_rows: u32,
    /// The kernel said that the table changed under the dump (NLM_F_DUMP_INTR): rows may be missing or double.
    pub(super) interrupted: bool,
}

/// An open sock_diag socket. It shows the network namespace of the thread that opened it. After an error it holds what
/// is left of an answer: open another.
#[derive(Debug)]
pub(super) struct DiagSocket {
    socket: NetlinkSocket,
    sequence: u32,
    buffer: Box<[u8]>,
    /// The kernel does not tell of both families at once.
    apart: bool,
}

impl DiagSocket {
    pub(super) fn open() -> Result<Self, DiagError> {
        Self::open_protocol(NETLINK_SOCK_DIAG)
    }

    /// A socket of any netlink protocol, so that a test can have one that does not answer.
    pub(super) fn open_protocol(protocol: isize) -> Result<Self, DiagError> {
        let socket = NetlinkSocket::new(protocol).map_err(DiagError::Open)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(SILENCE)).map_err(|errno| DiagError::Open(errno.into()))?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER].into(), apart: false })
    }

    /// Every TCP socket of the namespace in one of `states`.
    pub(super) fn dump(&mut self, states: StateSet) -> Result<Dump, DiagError> {
        let deadline = Instant::now() + PATIENCE;
        if !self.apart {
            let mut dump = Dump::default();
            match self.dump_family(Family::Both, states, deadline, &mut dump) {
                Ok(()) => return Ok(dump),
                // Some that stand in for Linux know only the newer request, and say so with one error or another.
                Err(DiagError::Refused { .. }) => self.apart = true,
                Err(error) => return Err(error),
            }
        }
        self.dump_apart(states, deadline)
    }

    /// The same, one family after the other. A kernel without IPv6 has none of that.
    fn dump_apart(&mut self, states: StateSet, deadline: Instant) -> Result<Dump, DiagError> {
        let mut dump = Dump::default();
        self.dump_family(Family::V4, states, deadline, &mut dump)?;
        match self.dump_family(Family::V6, states, deadline, &mut dump) {
            Err(DiagError::Refused { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => outcome?,
        }
        Ok(dump)
    }

    fn dump_family(
        &mut self,
        family: Family,
        states: StateSet,
        deadline: Instant,
        dump: &mut Dump,
    ) -> Result<(), DiagError> {
        let (kind, request) = diag::request(family, states);
        self.send(kind, &request, NLM_F_REQUEST | NLM_F_DUMP)?;
        while Instant::now() < deadline {
            let len = self.receive()?;
            let batch = Batch { sequence: self.sequence, family };
            if batch.read(&self.buffer[..len], dump)? {
                return Ok(());
            }
        }
        Err(DiagError::TimedOut)
    }

    /// One socket by its ends, whatever the table's size; `None` if there is none.
    pub(super) fn find(&mut self, local: Endpoint, peer: Endpoint) -> Result<Option<Socket>, DiagError> {
        self.send(SOCK_DIAG_BY_FAMILY, &diag::request_one(local, peer), NLM_F_REQUEST)?;
        let family = if local.ip().is_ipv4() { Family::V4 } else { Family::V6 };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let (len, mut found) = (self.receive()?, Dump::default());
            match (Batch { sequence: self.sequence, family }).read(&self.buffer[..len], &mut found) {
                Ok(_) if found.sockets.is_empty() && found.bad_rows == 0 => {}
                // A listener answers for a connection that is not there.
                Ok(_) => return Ok(found.sockets.into_iter().find(|row| (row.local, row.peer) == (local, peer))),
                Err(DiagError::Refused { error, .. }) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Err(DiagError::TimedOut)
    }

    fn send(&mut self, kind: u16, payload: &[u8], flags: u16) -> Result<(), DiagError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.length = (HEADER + payload.len()) as u32;
        header.message_type = kind;
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut message = vec![0; HEADER];
        header.emit(&mut message);
        message.extend_from_slice(payload);
        let kernel = SocketAddr::new(0, 0);
        self.socket.send_to(&message, &kernel, 0).map_err(DiagError::Exchange)?;
        Ok(())
    }

    /// One datagram of the answer; its length in the buffer.
    fn receive(&mut self) -> Result<usize, DiagError> {
        loop {
            match recv(&self.socket, &mut self.buffer[..], RecvFlags::TRUNC) {
                Ok((_, full)) if full > self.buffer.len() => {
                    return Err(DiagError::Malformed(format!("a datagram of {full} bytes")));
                }
                Ok((len, _)) => return Ok(len),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Err(DiagError::TimedOut),
                Err(errno) => return Err(DiagError::Exchange(errno.into())),
            }
        }
    }
}

/// The messages of one datagram, held against the request that they should answer.
struct Batch {
    sequence: u32,
    family: Family,
}

impl Batch {
    /// Adds the rows to `dump`; true when the dump is at its end.
    fn read(&self, mut bytes: &[u8], dump: &mut Dump) -> Result<bool, DiagError> {
        while !bytes.is_empty() {
            let message = NetlinkBuffer::new_checked(bytes).map_err(|error| DiagError::Malformed(error.to_string()))?;
            let next = (message.length() as usize).next_multiple_of(4);
            if message.sequence_number() == self.sequence {
                dump.interrupted |= message.flags() & NLM_F_DUMP_INTR != 0;
                if self.take(message.message_type(), message.payload(), dump)? {
                    return Ok(true);
                }
            }
            bytes = bytes.get(next..).unwrap_or_default();
        }
        Ok(false)
    }

    fn take(&self, kind: u16, payload: &[u8], dump: &mut Dump) -> Result<bool, DiagError> {
        match kind {
            SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => match diag::socket(payload) {
                Some(socket) => dump.sockets.push(socket),
                None => dump.bad_rows = dump.bad_rows.saturating_add(1),
            },
            NLMSG_DONE => {
                // A dump that fails half way ends with a negative errno here.
                let code = DoneBuffer::new_checked(payload).map_or(0, |done| done.code());
                return if code < 0 { Err(self.refused(code)) } else { Ok(true) };
            }
            NLMSG_ERROR => {
                let error =
                    ErrorBuffer::new_checked(payload).map_err(|error| DiagError::Malformed(error.to_string()))?;
                if let Some(code) = error.code() {
                    return Err(self.refused(code.get()));
                }
            }
            NLMSG_OVERRUN => dump.interrupted = true,
            _ => {}
        }
        Ok(false)
    }

    fn refused(&self, code: i32) -> DiagError {
        DiagError::Refused { family: self.family, error: io::Error::from_raw_os_error(code.saturating_neg()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TcpState;

    const BATCH: Batch = Batch { sequence: 7, family: Family::V4 };

    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.length = (HEADER + payload.len()) as u32;
        header.message_type = kind;
        header.flags = flags;
        header.sequence_number = sequence;
        let mut bytes = vec![0; HEADER];
        header.emit(&mut bytes);
        bytes.extend(payload);
        bytes
    }

    fn row() -> Vec<u8> {
        let mut bytes = vec![0; 72];
        bytes[..2].copy_from_slice(&[2, 1]);
        bytes
    }

    #[test]
    fn one_socket_is_found_by_its_ends_and_a_listener_is_none() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let end = |address: std::net::SocketAddr| Endpoint::new(address.ip(), address.port());
        let (own, server) = (end(client.local_addr().unwrap()), end(listener.local_addr().unwrap()));
        let mut diag = DiagSocket::open().unwrap();
        let found = diag.find(own, server).unwrap().unwrap();
        assert_eq!(
            (found.local, found.peer, found.inode),
            (own, server, Some(rustix::fs::fstat(&client).unwrap().st_ino))
        );
        let nobody = Endpoint::new([127, 0, 0, 9], 9);
        assert_eq!(diag.find(server, nobody).unwrap(), None, "the listener answers, and is another socket");
        assert_eq!(diag.find(nobody, server).unwrap(), None);
        assert!(diag.find(own, server).unwrap().is_some(), "each answer belongs to its question");
    }

    #[test]
    fn both_families_come_at_once_or_one_after_the_other() {
        let listeners = ["127.0.0.1:0", "[::1]:0"].map(|on| std::net::TcpListener::bind(on).unwrap());
        let inodes = listeners.each_ref().map(|listener| rustix::fs::fstat(listener).unwrap().st_ino);
        let mut diag = DiagSocket::open().unwrap();
        let mut dump = || {
            let all = diag.dump(StateSet::of(&[TcpState::Listen])).unwrap().sockets;
            let mut own: Vec<Socket> =
                all.into_iter().filter(|row| row.inode.is_some_and(|inode| inodes.contains(&inode))).collect();
            own.sort_by_key(|row| row.local);
            (std::mem::replace(&mut diag.apart, true), own)
        };
        let ((both, at_once), (apart, in_turn)) = (dump(), dump());
        assert_eq!((both, apart, at_once.len()), (false, true, 2), "{at_once:?}");
        assert_eq!(at_once, in_turn);
    }

    #[test]
    fn a_dump_ends_at_done_and_passes_over_other_requests() {
        let bytes = [
            message(SOCK_DIAG_BY_FAMILY, 2, 7, &row()),
            message(SOCK_DIAG_BY_FAMILY, 2, 6, &row()),
            message(SOCK_DIAG_BY_FAMILY, 2, 7, &row()[..71]),
        ];
        let mut dump = Dump::default();
        // 71 bytes are padded to 72 before the next message.
        assert!(!BATCH.read(&[bytes.concat(), vec![0]].concat(), &mut dump).unwrap());
        assert_eq!((dump.sockets.len(), dump.bad_rows, dump.interrupted), (1, 1, false));
        assert!(BATCH.read(&message(NLMSG_DONE, 2, 7, &0_i32.to_ne_bytes()), &mut dump).unwrap());
    }

    #[test]
    fn an_interrupted_dump_says_so() {
        let mut dump = Dump::default();
        BATCH.read(&message(SOCK_DIAG_BY_FAMILY, 2 | NLM_F_DUMP_INTR, 7, &row()), &mut dump).unwrap();
        assert!(dump.interrupted && dump.sockets.len() == 1);
    }

    #[test]
    fn errors_keep_the_kernels_reason() {
        let eperm = (-1_i32).to_ne_bytes();
        for (kind, payload) in [(NLMSG_DONE, eperm.to_vec()), (NLMSG_ERROR, [eperm.to_vec(), vec![0; 16]].concat())] {
            let refused = BATCH.read(&message(kind, 2, 7, &payload), &mut Dump::default()).unwrap_err();
            assert!(
                matches!(&refused, DiagError::Refused { error, .. } if error.raw_os_error() == Some(1)),
                "{refused}"
            );
        }
    }

    #[test]
    fn lying_lengths_are_errors() {
        let mut long = message(SOCK_DIAG_BY_FAMILY, 2, 7, &row());
        long[0] = 200;
        let mut short = long.clone();
        short[..4].copy_from_slice(&3_u32.to_ne_bytes());
        for bytes in [&long[..], &short[..], &[0; 5]] {
            assert!(matches!(BATCH.read(bytes, &mut Dump::default()), Err(DiagError::Malformed(_))));
        }
    }
}
