//! Traffic that runs until it is told to stop: connections in a namespace that ask and answer, at a pace.
//!
//! May touch sockets of the namespace that it is given.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sockscope::base::Timestamp;
use sockscope::io::clock;

use super::netns::Netns;

/// Bytes of a question, and of its answer.
pub(crate) const MESSAGE: usize = 64;

/// Connections at work over `lo`. Dropping it ends them.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    exchanges: Arc<AtomicU64>,
    /// When the newest answer came, nanoseconds since the epoch.
    newest: Arc<AtomicI64>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// So many connections, each of which rests for `rest` after every answer (zero: not at all).
    pub(crate) fn begin(netns: &Netns, connections: usize, rest: Duration) -> Self {
        let (stop, exchanges) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let newest = Arc::<AtomicI64>::default();
        let threads = netns.run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let pairs = (0..connections).map(|_| {
                let client = TcpStream::connect(address).unwrap();
                (client, listener.accept().unwrap().0)
            });
            let start = |(client, server)| {
                let (stop, exchanges, newest) = (stop.clone(), exchanges.clone(), newest.clone());
                std::thread::spawn(move || {
                    talk(client, server, rest, &stop, || {
                        exchanges.fetch_add(1, Ordering::Relaxed);
                        newest.fetch_max(clock::now().nanos(), Ordering::Relaxed);
                    });
                })
            };
            pairs.map(start).collect()
        });
        Self { stop, exchanges, newest, threads }
    }

    /// How many answers came so far.
    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::Relaxed)
    }

    /// When the newest answer came.
    pub(crate) fn newest(&self) -> Timestamp {
        Timestamp::from_nanos(self.newest.load(Ordering::Relaxed))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// How long this machine keeps a thread waiting that has something to do: what is late by that much nobody delayed.
pub(crate) struct Stalls {
    stop: Arc<AtomicBool>,
    /// The longest since it was asked last, nanoseconds.
    longest: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Stalls {
    pub(crate) fn begin() -> Self {
        const NAP: Duration = Duration::from_millis(1);
        let (stop, longest) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, told) = (stop.clone(), longest.clone());
        let watch = move || {
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(NAP);
                let stalled = began.elapsed().saturating_sub(NAP);
                told.fetch_max(u64::try_from(stalled.as_nanos()).unwrap(), Ordering::Relaxed);
            }
        };
        Self { stop, longest, thread: Some(std::thread::spawn(watch)) }
    }

    /// The longest since this was asked last.
    pub(crate) fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest.swap(0, Ordering::Relaxed))
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn talk(mut client: TcpStream, mut server: TcpStream, rest: Duration, stop: &AtomicBool, answered: impl Fn()) {
    let mut message = [7; MESSAGE];
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    while !stop.load(Ordering::Relaxed) {
        client.write_all(&message).unwrap();
        server.read_exact(&mut message).unwrap();
        server.write_all(&message).unwrap();
        client.read_exact(&mut message).unwrap();
        answered();
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
    }
}
