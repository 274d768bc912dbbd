//! Real sockets in the positions that tests need.
//!
//! May touch sockets and child processes. Read first: tcp(7), connect(2).
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};

use super::netns::Pair;

const DEADLINE: Duration = Duration::from_secs(20);

/// An accepted connection: the client's end in `a`, the server's in `b`.
pub(crate) fn connect(pair: &Pair, listener: &TcpListener, to: &str) -> (TcpStream, TcpStream) {
    let client = pair.a.run(|| TcpStream::connect(to).unwrap());
    let (server, peer) = listener.accept().unwrap();
    let own = client.local_addr().unwrap();
    assert_eq!((peer.ip().to_canonical(), peer.port()), (own.ip(), own.port()));
    (client, server)
}

/// Writes until the peer's receive buffer and the own send buffer take no more.
pub(crate) fn fill(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let deadline = Instant::now() + DEADLINE;
    let mut refused_since = Instant::now();
    // The peer still takes in what is in flight: full means refused for a while.
    while refused_since.elapsed() < Duration::from_millis(300) {
        match stream.write(&[7; 64 << 10]) {
            Ok(_) => refused_since = Instant::now(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert!(Instant::now() < deadline, "the buffers never fill");
        std::thread::yield_now();
    }
}

pub(crate) fn plain_socket(flags: SocketFlags) -> OwnedFd {
    rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags | SocketFlags::CLOEXEC, Some(ipproto::TCP))
        .unwrap()
}

/// A connection that is only begun.
pub(crate) fn begin_connect(from: Option<&str>, to: &str) -> OwnedFd {
    let socket = plain_socket(SocketFlags::NONBLOCK);
    if let Some(from) = from {
        rustix::net::bind(&socket, &from.parse::<SocketAddr>().unwrap()).unwrap();
    }
    let begun = rustix::net::connect(&socket, &to.parse::<SocketAddr>().unwrap());
    assert_eq!(begun, Err(rustix::io::Errno::INPROGRESS));
    socket
}

/// A listener that lets others listen on its port (SO_REUSEPORT).
pub(crate) fn reuse_listener(on: &str) -> TcpListener {
    let socket = plain_socket(SocketFlags::empty());
    rustix::net::sockopt::set_socket_reuseport(&socket, true).unwrap();
    rustix::net::bind(&socket, &on.parse::<SocketAddr>().unwrap()).unwrap();
    rustix::net::listen(&socket, 16).unwrap();
    socket.into()
}

/// A process whose standard input is the socket.
pub(crate) fn child_holding(socket: OwnedFd, uid: Option<u32>) -> Child {
    program_holding("sleep".as_ref(), socket, uid)
}

/// The same with another program that takes the arguments of `sleep`.
pub(crate) fn program_holding(program: &Path, socket: OwnedFd, uid: Option<u32>) -> Child {
    let mut command = Command::new(program);
    command.arg("600").stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    command.spawn().unwrap()
}

pub(crate) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

pub(crate) fn inode_of(socket: impl AsFd) -> u64 {
    rustix::fs::fstat(socket).unwrap().st_ino
}

pub(crate) fn fd_of(socket: &impl AsRawFd) -> u32 {
    u32::try_from(socket.as_raw_fd()).unwrap()
}
