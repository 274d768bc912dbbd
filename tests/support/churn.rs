//! A steady load of short connections across a pair of namespaces.
//!
//! May touch sockets in those namespaces. Read first: socket(7) (SO_LINGER).

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::netns::Pair;

const FIRST_PORT: u16 = 7000;

/// Has `a` connect to `b`, on each of `ports` ports in turn, so often and for so long; how many there were, in which
/// time.
pub(crate) fn run(pair: &Pair, ports: u16, per_second: u32, span: Duration) -> (u32, Duration) {
    let to = |n: u16| ("10.77.0.2", FIRST_PORT + n);
    let listeners: Vec<TcpListener> = (0..ports).map(|n| pair.b.run(|| TcpListener::bind(to(n)).unwrap())).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for listener in &listeners {
            scope.spawn(|| while listener.accept().is_ok() && !stop.load(Ordering::SeqCst) {});
        }
        let done = pair.a.run(|| connect_steadily(|n| TcpStream::connect(to(n)).unwrap(), ports, per_second, span));
        stop.store(true, Ordering::SeqCst);
        pair.a.run(|| (0..ports).for_each(|n| drop(TcpStream::connect(to(n)).unwrap())));
        done
    })
}

/// Closes by RST, so that no TIME-WAIT holds a port.
fn connect_steadily(
    connect: impl Fn(u16) -> TcpStream,
    ports: u16,
    per_second: u32,
    span: Duration,
) -> (u32, Duration) {
    let begin = Instant::now();
    let mut made = 0;
    while begin.elapsed() < span {
        let due = (begin.elapsed().as_secs_f64() * f64::from(per_second)) as u32;
        while made < due {
            let stream = connect((made % u32::from(ports)) as u16);
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            made += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    (made, begin.elapsed())
}
