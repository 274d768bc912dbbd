//! A few hundred real sockets in every state that can be held still, over IPv4, IPv6 and IPv4-mapped, with what each
//! must look like.
//!
//! May touch network namespaces, sockets and child processes. Read first: tcp(7), RFC 9293 figure 5.
//!
//! What `b` sends to a client's far address ([`Family::far`]) is lost once the way there is cut, while `b` still hears
//! `a`: so what `b` sent stays without an ack.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::fs::Uid;
use rustix::net::sockopt::{set_socket_keepalive, socket_cookie};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, ipproto};
use sockscope::base::{Endpoint, TcpState};
use sockscope::io::{Sampler, Sockets};
use sockscope::kernel::{Socket, SocketSample, TimerKind};

use super::netns::{Netns, Pair};
use super::readings::{await_sample, count, holders, sample};
use super::sockets::{child_holding, end, fd_of, inode_of};

/// Sockets of each life and family. What is left of the first is held by processes of its own; the second is another
/// user's.
const COPIES: usize = 5;
const DEADLINE: Duration = Duration::from_secs(20);
const NOBODY: u32 = 65534;
const UNREAD: &[u8] = b"never read";
/// What `TcpListener` asks listen(2) for.
const BACKLOG: u32 = 128;

/// Over which addresses a connection goes.
struct Family {
    /// Who accepts, and where nobody does.
    server: &'static str,
    idle: &'static str,
    own: &'static str,
    /// A client's address to which the way can be cut.
    far: &'static str,
    /// A neighbour that is not there.
    silent: &'static str,
}

const FAMILIES: [Family; 3] = [
    Family {
        server: "10.77.0.2:7000",
        idle: "10.77.0.2:7010",
        own: "10.77.0.1:0",
        far: "10.79.0.1:0",
        silent: "10.77.0.50:9",
    },
    Family {
        server: "[fd77::2]:7001",
        idle: "[fd77::2]:7011",
        own: "[fd77::1]:0",
        far: "[fd79::1]:0",
        silent: "[fd77::50]:9",
    },
    Family {
        server: "[::ffff:10.77.0.2]:7002",
        idle: "[::ffff:10.77.0.2]:7012",
        own: "[::ffff:10.77.0.1]:0",
        far: "[::ffff:10.79.0.1]:0",
        silent: "[::ffff:10.77.0.50]:9",
    },
];

/// State, Recv-Q and timer of an end in the end; `None` where no socket is left.
type Look = Option<(TcpState, u32, Option<TimerKind>)>;

/// What becomes of a connection, step by step: `s` shuts down the client's sending, `c` closes its end, `r` reads the
/// peer's end of file, `w` writes, `k` turns keepalive on, `l` makes orphans in FIN-WAIT-2 last longer than TIME-WAIT,
/// which leaves them sockets; in capitals the server's. What follows `|` happens once the way to the client is cut. A
/// connection that has no server's step and ends in `?` is never accepted.
struct Life {
    steps: &'static str,
    client: Look,
    server: Look,
}

const LIVES: [Life; 17] = {
    use TcpState::{CloseWait, Closing, Estab, FinWait1, FinWait2, LastAck, TimeWait};
    use TimerKind::{Keepalive, On};
    const fn life(steps: &'static str, client: Look, server: Look) -> Life {
        Life { steps, client, server }
    }
    const IDLE: Look = Some((Estab, 0, None));
    const BUCKET: Option<TimerKind> = Some(TimerKind::TimeWait);
    [
        life("", IDLE, IDLE),
        life("k", Some((Estab, 0, Some(Keepalive))), IDLE),
        life("w", IDLE, Some((Estab, UNREAD.len() as u32, None))),
        life("W", Some((Estab, UNREAD.len() as u32, None)), IDLE),
        life("?", IDLE, IDLE),
        life("sR", Some((FinWait2, 0, None)), Some((CloseWait, 0, None))),
        life("c", Some((FinWait2, 0, BUCKET)), Some((CloseWait, 1, None))),
        life("s|lc", Some((FinWait2, 0, Some(Keepalive))), Some((CloseWait, 1, None))),
        life("c?", Some((FinWait2, 0, BUCKET)), Some((CloseWait, 1, None))),
        life("cRC", Some((TimeWait, 0, BUCKET)), None),
        life("Crc", None, Some((TimeWait, 0, BUCKET))),
        life("|S", IDLE, Some((FinWait1, 0, Some(On)))),
        life("|C", IDLE, Some((FinWait1, 0, Some(On)))),
        life("sR|S", Some((FinWait2, 0, None)), Some((LastAck, 0, Some(On)))),
        life("cR|C", Some((FinWait2, 0, BUCKET)), Some((LastAck, 0, Some(On)))),
        life("|Ss", Some((FinWait1, 0, Some(On))), Some((Closing, 1, Some(On)))),
        life("|Cc", Some((FinWait1, 0, Some(On))), Some((Closing, 1, Some(On)))),
    ]
};

/// One socket as it was made.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "life and copy are told when a row is not as it must be")]
pub(crate) struct Made {
    life: &'static str,
    copy: usize,
    pub(crate) local: Endpoint,
    pub(crate) peer: Endpoint,
    pub(crate) state: TcpState,
    recv_q: u32,
    send_q: u32,
    timer: Option<TimerKind>,
    /// What getsockopt(2) said while somebody held it.
    cookie: Option<u64>,
    held: Option<Held>,
}

/// Who holds a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) inode: u64,
    pid: u32,
    fd: u32,
    uid: u32,
}

/// All of them.
pub(crate) struct EveryState {
    /// Those in `a` and those in `b`.
    pub(crate) made: [Vec<Made>; 2],
    held: Vec<OwnedFd>,
    children: Vec<Child>,
}

/// A connection on its way.
struct Connection {
    life: &'static Life,
    copy: usize,
    ends: [Option<OwnedFd>; 2],
    cookies: [Option<u64>; 2],
    addresses: [Endpoint; 2],
}

const A: usize = 0;
const B: usize = 1;
/// The neighbour that is not there.
const NOBODYS_HOST: u8 = 50;

impl EveryState {
    pub(crate) fn new(pair: &Pair) -> Self {
        prepare(pair);
        let mut all = Self { made: [Vec::new(), Vec::new()], held: Vec::new(), children: Vec::new() };
        let mut connections = Vec::new();
        for family in &FAMILIES {
            let [server, idle] = [family.server, family.idle].map(|on| pair.b.run(|| TcpListener::bind(on).unwrap()));
            let lives = (0..COPIES).flat_map(|copy| LIVES.iter().map(move |life| (life, copy)));
            connections.extend(lives.map(|(life, copy)| Connection::new(pair, family, life, copy, &server)));
            let unaccepted = LIVES.iter().filter(|life| life.steps.ends_with('?')).count();
            all.listen(server.into(), 0);
            all.listen(idle.into(), (COPIES * unaccepted) as u32);
            all.bind(pair, family);
        }
        connections.iter_mut().for_each(|connection| connection.live(pair, 0));
        // The last of their FINs may be acknowledged after a delay.
        await_sample(&pair.a, |sample| count(sample, TcpState::FinWait1) == 0);
        lead_to_far_addresses(pair, NOBODYS_HOST);
        connections.iter_mut().for_each(|connection| connection.live(pair, 1));
        FAMILIES.iter().for_each(|family| all.begin_handshakes(pair, family));
        connections.into_iter().for_each(|connection| all.take(connection));
        for on in ["0.0.0.0:7020", "[::]:7021"] {
            all.listen(pair.b.run(|| TcpListener::bind(on).unwrap()).into(), 0);
        }
        all
    }

    /// Waits until both tables show what was made, and nothing else.
    pub(crate) fn await_rest(&self, pair: &Pair) {
        let deadline = Instant::now() + DEADLINE;
        for (netns, made) in [(&pair.a, &self.made[A]), (&pair.b, &self.made[B])] {
            netns.run(|| {
                let mut sampler = Sampler::new(Sockets::Diag).unwrap();
                loop {
                    let sample = sample(&mut sampler);
                    let differ: Vec<String> = made.iter().filter_map(|made| made.differs_in(&sample)).collect();
                    if differ.is_empty() && sample.sockets.len() == made.len() {
                        return;
                    }
                    assert!(
                        Instant::now() < deadline,
                        "{} of {}:\n{}",
                        sample.sockets.len(),
                        made.len(),
                        differ.join("\n")
                    );
                    std::thread::yield_now();
                }
            });
        }
    }

    /// SYN-SENT that nobody answers, and SYN-RECV whose answer is lost.
    fn begin_handshakes(&mut self, pair: &Pair, family: &Family) {
        use TcpState::{SynRecv, SynSent};
        for copy in 0..COPIES {
            let on = Some(TimerKind::On);
            for (from, to) in [(family.own, family.silent), (family.far, family.server)] {
                let socket = pair.a.run(|| {
                    let socket = tcp_socket(from, SocketFlags::NONBLOCK);
                    let begun = rustix::net::connect(&socket, &address(to));
                    assert_eq!(begun, Err(rustix::io::Errno::INPROGRESS));
                    socket
                });
                let (own, peer) = (own_end(&socket), endpoint(to));
                self.keep(A, "SYN-SENT", copy, [own, peer], (SynSent, 0, on), socket);
                if to == family.server {
                    let look = (SynRecv, 0, on);
                    self.made[B].push(Made::new("SYN-RECV", copy, [peer, own], look, None, None));
                }
            }
        }
    }

    fn bind(&mut self, pair: &Pair, family: &Family) {
        for copy in 0..COPIES {
            let socket = pair.a.run(|| tcp_socket(family.own, SocketFlags::empty()));
            let ends = [own_end(&socket), Endpoint::new([0, 0, 0, 0], 0)];
            self.keep(A, "bound", copy, ends, (TcpState::Closed, 0, None), socket);
        }
    }

    fn listen(&mut self, socket: OwnedFd, waiting: u32) {
        let ends = [own_end(&socket), Endpoint::new([0, 0, 0, 0], 0)];
        // A listener's owner by user is another than root's.
        self.keep(B, "LISTEN", 1, ends, (TcpState::Listen, waiting, None), socket);
    }

    fn take(&mut self, connection: Connection) {
        let Connection { life, copy, ends, cookies, addresses: [client, server] } = connection;
        let looks = [life.client, life.server];
        let addresses = [[client, server], [server, client]];
        for (side, ((end, look), addresses)) in ends.into_iter().zip(looks).zip(addresses).enumerate() {
            let Some(look) = look else { continue };
            match end {
                Some(socket) => self.keep(side, life.steps, copy, addresses, look, socket),
                None => self.made[side].push(Made::new(life.steps, copy, addresses, look, cookies[side], None)),
            }
        }
    }

    /// Holds a socket, or has a child hold it.
    fn keep(
        &mut self,
        side: usize,
        life: &'static str,
        copy: usize,
        ends: [Endpoint; 2],
        look: (TcpState, u32, Option<TimerKind>),
        socket: OwnedFd,
    ) {
        let uid = if copy == 1 { NOBODY } else { 0 };
        rustix::fs::fchown(&socket, Some(Uid::from_raw(uid)), None).unwrap();
        let (cookie, inode) = (socket_cookie(&socket).ok(), inode_of(&socket));
        let (pid, fd) = if copy == 0 {
            self.children.push(child_holding(socket, None));
            (self.children.last().unwrap().id(), 0)
        } else {
            let fd = fd_of(&socket);
            self.held.push(socket);
            (std::process::id(), fd)
        };
        self.made[side].push(Made::new(life, copy, ends, look, cookie, Some(Held { inode, pid, fd, uid })));
    }
}

impl Drop for EveryState {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(end);
    }
}

impl Connection {
    fn new(pair: &Pair, family: &Family, life: &'static Life, copy: usize, server: &TcpListener) -> Self {
        let from = if life.steps.contains('|') { family.far } else { family.own };
        let accepted = !life.steps.ends_with('?');
        let to = if accepted { family.server } else { family.idle };
        let client = pair.a.run(|| {
            let socket = tcp_socket(from, SocketFlags::empty());
            rustix::net::connect(&socket, &address(to)).unwrap();
            socket
        });
        let server = accepted.then(|| OwnedFd::from(server.accept().unwrap().0));
        let addresses = [own_end(&client), endpoint(to)];
        let ends = [Some(client), server];
        let cookies = ends.each_ref().map(|end| socket_cookie(end.as_ref()?).ok());
        Self { life, copy, ends, cookies, addresses }
    }

    /// Takes the steps before (0) or after (1) the cut.
    fn live(&mut self, pair: &Pair, part: usize) {
        for step in self.life.steps.split('|').nth(part).unwrap_or_default().chars() {
            let end = &mut self.ends[usize::from(step.is_ascii_uppercase())];
            let socket = || end.as_ref().unwrap();
            match step.to_ascii_lowercase() {
                's' => rustix::net::shutdown(socket(), Shutdown::Write).unwrap(),
                'r' => assert_eq!(rustix::net::recv(socket(), &mut [0; 16], RecvFlags::empty()), Ok((0, 0))),
                'w' => assert_eq!(rustix::net::send(socket(), UNREAD, SendFlags::empty()), Ok(UNREAD.len())),
                'k' => set_socket_keepalive(socket(), true).unwrap(),
                'c' => drop(end.take()),
                'l' => fin_timeout(&pair.a, "300"),
                _ => assert_eq!(step, '?'),
            }
        }
        if self.life.steps.contains('l') {
            fin_timeout(&pair.a, "60");
        }
    }
}

impl Made {
    fn new(
        life: &'static str,
        copy: usize,
        [local, peer]: [Endpoint; 2],
        (state, recv_q, timer): (TcpState, u32, Option<TimerKind>),
        cookie: Option<u64>,
        held: Option<Held>,
    ) -> Self {
        use TcpState::{Closing, FinWait1, LastAck, SynSent};
        let send_q = match state {
            TcpState::Listen => BACKLOG,
            // What was sent and not acknowledged is the SYN or the FIN.
            SynSent | FinWait1 | LastAck | Closing => 1,
            _ => 0,
        };
        Self { life, copy, local, peer, state, recv_q, send_q, timer, cookie, held }
    }

    /// This socket's row, by its ends; a listener's or a bound one's by its inode.
    pub(crate) fn row<'a>(&self, sample: &'a SocketSample) -> Option<&'a Socket> {
        let connected = (self.peer.port() != 0).then_some((self.local, self.peer));
        let inode = self.held.map(|held| held.inode);
        sample.sockets.iter().find(|row| match connected {
            Some(ends) => (row.local, row.peer) == ends,
            None => row.inode == inode,
        })
    }

    /// In what its row is not as it must be; /proc tells neither cookies nor a listener's limit.
    pub(crate) fn differs_in(&self, sample: &SocketSample) -> Option<String> {
        let Some(row) = self.row(sample) else { return Some(format!("no row of {self:?}")) };
        let by_diag = row.cookie.is_some();
        let ends = row.local == self.local && row.peer.port() == self.peer.port();
        let limit_untold = self.state == TcpState::Listen && !by_diag;
        let send_q = (!limit_untold).then_some(self.send_q);
        let queues = (row.recv_q, row.send_q) == (self.recv_q, send_q);
        let timer = row.timer.map(|timer| timer.kind) == self.timer;
        let cookie = !by_diag || self.cookie.is_none_or(|cookie| row.cookie == Some(cookie));
        let held = row.inode == self.held.map(|held| held.inode)
            && self
                .held
                .is_none_or(|held| row.uid == Some(held.uid) && holders(sample, held.inode) == [(held.pid, held.fd)]);
        let same = ends && row.state.0 == self.state && queues && timer && cookie && held;
        let owners = || row.inode.map(|inode| holders(sample, inode));
        (!same).then(|| format!("{self:?}\nis {row:?}\nof {:?}", owners()))
    }
}

/// Gives `a` its far addresses, and `b` a neighbour that takes everything and answers nothing.
fn prepare(pair: &Pair) {
    for far in ["10.79.0.1/32", "fd79::1/128"] {
        pair.a.ip(&["addr", "add", far, "dev", "lo"]);
    }
    for (netns, link) in [(&pair.a, "va"), (&pair.b, "vb")] {
        for nobody in ["10.77.0.50", "fd77::50"] {
            netns.ip(&["neigh", "add", nobody, "lladdr", "02:00:00:00:00:50", "dev", link, "nud", "permanent"]);
        }
    }
    lead_to_far_addresses(pair, 1);
}

/// Leads what `b` sends to the far addresses to a neighbour: to `a`, or to nobody.
fn lead_to_far_addresses(pair: &Pair, host: u8) {
    for (far, via) in [("10.79.0.0/16", format!("10.77.0.{host}")), ("fd79::/16", format!("fd77::{host}"))] {
        pair.b.ip(&["route", "replace", far, "via", &via]);
    }
}

fn fin_timeout(netns: &Netns, seconds: &str) {
    netns.run(|| std::fs::write("/proc/sys/net/ipv4/tcp_fin_timeout", seconds).unwrap());
}

/// A socket bound to an address, of the address's family.
fn tcp_socket(on: &str, flags: SocketFlags) -> OwnedFd {
    let on = address(on);
    let family = if on.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket =
        rustix::net::socket_with(family, SocketType::STREAM, flags | SocketFlags::CLOEXEC, Some(ipproto::TCP)).unwrap();
    rustix::net::bind(&socket, &on).unwrap();
    socket
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn endpoint(text: &str) -> Endpoint {
    let address = address(text);
    Endpoint::new(address.ip(), address.port())
}

fn own_end(socket: impl AsFd) -> Endpoint {
    let own = SocketAddr::try_from(rustix::net::getsockname(socket).unwrap()).unwrap();
    Endpoint::new(own.ip(), own.port())
}
