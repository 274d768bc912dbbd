//! Samples, and what tests ask of them.
//!
//! May touch `Sampler`. Read first: `kernel::SocketSample`.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::time::{Duration, Instant};

use sockscope::base::TcpState;
use sockscope::io::{Sampler, Sockets, clock};
use sockscope::kernel::{Socket, SocketSample};

use super::netns::Netns;

const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn sample(sampler: &mut Sampler) -> SocketSample {
    sampler.sample(clock::now).unwrap()
}

pub(crate) fn count(sample: &SocketSample, state: TcpState) -> usize {
    sample.sockets.iter().filter(|socket| socket.state.0 == state).count()
}

pub(crate) fn row(sample: &SocketSample, inode: u64) -> &Socket {
    sample.sockets.iter().find(|socket| socket.inode == Some(inode)).expect("a row with the socket's inode")
}

pub(crate) fn holders(sample: &SocketSample, inode: u64) -> Vec<(u32, u32)> {
    let owners = sample.owners.by_inode.get(&inode).into_iter().flatten();
    owners.map(|owner| (owner.process.pid, owner.fd)).collect()
}

/// Reads the table until it is as wanted.
pub(crate) fn await_sample(netns: &Netns, wanted: impl Fn(&SocketSample) -> bool + Send) -> SocketSample {
    netns.run(move || {
        let mut sampler = Sampler::new(Sockets::Diag).unwrap();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let sample = sample(&mut sampler);
            if wanted(&sample) {
                return sample;
            }
            let states = || sample.sockets.iter().map(|socket| (socket.state.0, socket.peer)).collect::<Vec<_>>();
            assert!(Instant::now() < deadline, "the table never came to be as wanted: {:?}", states());
            std::thread::yield_now();
        }
    })
}
