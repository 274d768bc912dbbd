//! Readings of the kernel's side: the socket table or a part of it, its owners, the counters, the limits.
//!
//! May touch netlink and /proc. Read first: `kernel::SocketSample`. A sampler shows the network namespace of the thread
//! that made it: make it on the thread that samples.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;

use super::netlink::{DiagError, DiagSocket};
use super::owners::OwnerScan;
use super::{proc_file, proc_table};
use crate::base::{Endpoint, Scope, StateSet, TcpState, Timestamp};
use crate::kernel::counters::{self, CounterTexts};
use crate::kernel::process::Users;
use crate::kernel::{Counters, Covers, Limits, Owners, Socket, SocketSample, TableSource, limits, local};

/// How often what seldom changes is read again: local addresses, the user database.
const SLOW: Duration = Duration::from_secs(10);
/// Refusals in a row after which sock_diag is not asked any more.
const REFUSALS: u32 = 3;

/// Where to read the socket table (`--sockets`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sockets {
    /// sock_diag, and /proc where that is refused.
    #[default]
    Auto,
    Diag,
    Proc,
}

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
pub enum SamplerError {
    #[error("{0}; --sockets proc reads /proc/net/tcp instead")]
    Diag(DiagError),
    #[error("cannot read the socket table in {path}: {error}; is /proc mounted?")]
    Table { path: String, error: io::Error },
    #[error("cannot list the processes in /proc: {0}; is /proc mounted?")]
    Processes(io::Error),
}

// Each message holds its cause, so no error is a `source` here: a chain would print it twice.
impl From<DiagError> for SamplerError {
    fn from(error: DiagError) -> Self {
        Self::Diag(error)
    }
}

/// Reads samples, and remembers what makes the next one cheap.
#[derive(Debug)]
pub struct Sampler {
    choice: Sockets,
    diag: Option<DiagSocket>,
    refusals: u32,
    trouble: Option<DiagError>,
    /// `None` where nobody wants to know.
    owners: Option<OwnerScan>,
    held: Held,
    slow: Slow,
}

/// The inodes of listeners and of all other sockets, as last read.
#[derive(Debug, Default)]
struct Held {
    listeners: FxHashSet<u64>,
    others: FxHashSet<u64>,
}

/// What seldom changes.
#[derive(Debug, Default)]
struct Slow {
    read: Option<Instant>,
    limits: Arc<Limits>,
    local_addresses: Arc<[IpAddr]>,
}

/// A reading of sockets alone.
struct Table {
    source: TableSource,
    covers: Covers,
    sockets: Vec<Socket>,
    incomplete: bool,
    bad_rows: u32,
}

impl Sampler {
    /// A sampler of the calling thread's network namespace.
    ///
    /// # Errors
    /// If sock_diag alone is asked for and cannot be opened, or /proc is not there.
    pub fn new(choice: Sockets) -> Result<Self, SamplerError> {
        let diag = match choice {
            Sockets::Auto => DiagSocket::open().ok(),
            Sockets::Diag => Some(DiagSocket::open()?),
            Sockets::Proc => None,
        };
        let owners = OwnerScan::new().map_err(|errno| SamplerError::Processes(errno.into()))?;
        Ok(Self {
            choice,
            diag,
            refusals: 0,
            trouble: None,
            owners: Some(owners),
            held: Held::default(),
            slow: Slow::default(),
        })
    }

    /// The same, which looks at no process: every owner is unknown.
    pub fn without_scan(self) -> Self {
        Self { owners: None, ..self }
    }

    /// One reading of everything now. `clock` is read when the table has been read, which is what the sample's time
    /// means.
    ///
    /// # Errors
    /// If the socket table or the list of processes cannot be read. What else cannot be read is absent in the sample.
    pub fn sample(&mut self, clock: impl FnOnce() -> Timestamp) -> Result<SocketSample, SamplerError> {
        self.read(&Covers::ALL, clock)
    }

    /// One reading of what is `wanted`, or of more: of /proc everything is read. Counters come with connections alone;
    /// processes are looked at where that may show a new holder.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn read(&mut self, wanted: &Covers, clock: impl FnOnce() -> Timestamp) -> Result<SocketSample, SamplerError> {
        let begin = Instant::now();
        let Table { source, covers, sockets, incomplete, bad_rows } = match wanted {
            Covers::States(states) => self.table(*states)?,
            Covers::Sockets(asked) => self.look_up(asked)?,
        };
        // In this order, so that a reading never seems to have begun later than it did.
        let (ts, took) = (clock(), begin.elapsed());
        if covers.states().has(TcpState::Estab) || self.slow.read.is_none() {
            self.refresh_limits();
        }
        self.refresh_slow();
        Ok(SocketSample {
            ts,
            scope: Scope(0),
            source,
            took,
            incomplete,
            bad_rows,
            owners: self.owners_of(covers.states(), &sockets)?,
            counters: if covers.states().has(TcpState::Estab) { read_counters() } else { Counters::default() },
            covers,
            sockets,
            limits: Arc::clone(&self.slow.limits),
            local_addresses: Arc::clone(&self.slow.local_addresses),
        })
    }

    /// Why [`Sockets::Auto`] reads /proc now; `None` while sock_diag answers (or was not asked for).
    pub fn fallback_reason(&self) -> Option<&DiagError> {
        self.trouble.as_ref()
    }

    fn table(&mut self, states: StateSet) -> Result<Table, SamplerError> {
        match self.choice {
            Sockets::Proc => proc_rows(),
            Sockets::Diag => Ok(self.diag_rows(states)?),
            Sockets::Auto if self.refusals >= REFUSALS => proc_rows(),
            Sockets::Auto => match self.diag_rows(states) {
                Ok(table) => {
                    (self.refusals, self.trouble) = (0, None);
                    Ok(table)
                }
                Err(error) => {
                    self.refusals += 1;
                    self.trouble = Some(error);
                    proc_rows()
                }
            },
        }
    }

    /// The table by sock_diag.
    fn diag_rows(&mut self, states: StateSet) -> Result<Table, DiagError> {
        let dump = self.ask(|socket| socket.dump(states))?;
        let incomplete = dump.interrupted || dump.bad_rows > 0;
        let covers = Covers::States(states);
        Ok(Table { source: TableSource::Diag, covers, sockets: dump.sockets, incomplete, bad_rows: dump.bad_rows })
    }

    /// Sockets one by one, whatever the table's size; where sock_diag is not asked, none is looked for.
    fn look_up(&mut self, asked: &[(Endpoint, Endpoint)]) -> Result<Table, SamplerError> {
        let by_diag = self.choice == Sockets::Diag || (self.choice == Sockets::Auto && self.trouble.is_none());
        let asked = if by_diag { asked } else { &[] };
        let mut sockets = Vec::new();
        for (local, peer) in asked {
            sockets.extend(self.ask(|socket| socket.find(*local, *peer))?);
        }
        let source = if by_diag { TableSource::Diag } else { TableSource::Proc };
        Ok(Table { source, covers: Covers::Sockets(asked.to_vec()), sockets, incomplete: false, bad_rows: 0 })
    }

    /// Asks sock_diag. A socket that failed is not used again: what is left of its answer would be taken for the next
    /// one's.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut DiagSocket) -> Result<T, DiagError>) -> Result<T, DiagError> {
        let mut socket = match self.diag.take() {
            Some(socket) => socket,
            None => DiagSocket::open()?,
        };
        let answer = ask(&mut socket)?;
        self.diag = Some(socket);
        Ok(answer)
    }

    /// Who holds what was read: by a new look at the processes, but for a reading of listeners that are all known, and
    /// for look-ups.
    fn owners_of(&mut self, states: StateSet, sockets: &[Socket]) -> Result<Arc<Owners>, SamplerError> {
        let Some(scan) = &mut self.owners else { return Ok(Arc::default()) };
        let inodes = |listens: bool| {
            let of_kind = move |socket: &&Socket| (socket.state.0 == TcpState::Listen) == listens;
            sockets.iter().filter(of_kind).filter_map(|socket| socket.inode)
        };
        let live = states.has(TcpState::Estab);
        let mut news = false;
        if states.has(TcpState::Listen) {
            news = inodes(true).any(|inode| !self.held.listeners.contains(&inode));
            self.held.listeners.clear();
            self.held.listeners.extend(inodes(true));
        }
        if !live && !news {
            return Ok(scan.published());
        }
        if live {
            self.held.others.clear();
            self.held.others.extend(inodes(false));
        }
        let Held { listeners, others } = &self.held;
        let mut wanted = FxHashSet::with_capacity_and_hasher(listeners.len() + others.len(), Default::default());
        wanted.extend(listeners.iter().chain(others));
        scan.owners(wanted).map_err(|errno| SamplerError::Processes(errno.into()))
    }

    /// The limits by which what became of the connections of a reading is judged.
    fn refresh_limits(&mut self) {
        let fresh = limits::read(|name| proc_file::text(&format!("/proc/sys/{name}")).ok());
        if fresh != *self.slow.limits {
            self.slow.limits = Arc::new(fresh);
        }
    }

    fn refresh_slow(&mut self) {
        if self.slow.read.is_some_and(|read| read.elapsed() < SLOW) {
            return;
        }
        let addresses = local::addresses(&proc_file::net_text("fib_trie"), &proc_file::net_text("if_inet6"));
        if addresses != self.slow.local_addresses {
            self.slow.local_addresses = addresses;
        }
        if let Some(scan) = &mut self.owners {
            scan.set_users(Users::parse(&proc_file::text("/etc/passwd").unwrap_or_default()));
        }
        self.slow.read = Some(Instant::now());
    }
}

fn proc_rows() -> Result<Table, SamplerError> {
    let table = proc_table::read().map_err(|(path, error)| SamplerError::Table { path, error })?;
    let bad_rows = table.bad_rows();
    let (covers, sockets) = (Covers::ALL, table.into_sockets());
    Ok(Table { source: TableSource::Proc, covers, sockets, incomplete: bad_rows > 0, bad_rows })
}

fn read_counters() -> Counters {
    counters::parse(CounterTexts {
        netstat: &proc_file::net_text("netstat"),
        snmp: &proc_file::net_text("snmp"),
        sockstat: &proc_file::net_text("sockstat"),
        sockstat6: &proc_file::net_text("sockstat6"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::clock;

    /// A protocol between programs, where no kernel listens: sending to it is refused.
    const NETLINK_USERSOCK: isize = 2;

    fn deaf(choice: Sockets) -> Sampler {
        let mut sampler = Sampler::new(choice).unwrap();
        sampler.diag = Some(DiagSocket::open_protocol(NETLINK_USERSOCK).unwrap());
        sampler
    }

    #[test]
    fn auto_falls_back_says_why_and_comes_back() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut sampler = deaf(Sockets::Auto);
        let fallen = sampler.sample(clock::now).unwrap();
        assert_eq!(fallen.source, TableSource::Proc);
        assert!(fallen.sockets.iter().any(|socket| socket.local.port() == port));
        assert!(matches!(sampler.fallback_reason(), Some(DiagError::Exchange(_))), "{:?}", sampler.fallback_reason());
        assert_eq!(sampler.sample(clock::now).unwrap().source, TableSource::Diag, "another socket answers");
        assert!(sampler.fallback_reason().is_none());
        sampler.refusals = REFUSALS;
        assert_eq!(sampler.sample(clock::now).unwrap().source, TableSource::Proc, "not asked any more");
    }

    #[test]
    fn diag_alone_fails_with_what_to_do() {
        let error = deaf(Sockets::Diag).sample(clock::now).unwrap_err();
        assert!(error.to_string().contains("--sockets proc"), "{error}");
    }

    #[test]
    fn what_did_not_change_is_shared_between_samples() {
        let mut sampler = Sampler::new(Sockets::Auto).unwrap();
        let (first, second) = (sampler.sample(clock::now).unwrap(), sampler.sample(clock::now).unwrap());
        assert!(Arc::ptr_eq(&first.limits, &second.limits));
        assert!(Arc::ptr_eq(&first.local_addresses, &second.local_addresses));
        assert!(first.ts <= second.ts);
    }
}
