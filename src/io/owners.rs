//! Who owns the sockets: a scan of every process's descriptors, kept between readings and redone where it changed.
//!
//! May touch /proc. Read first: proc_pid_fd(5). Threads that unshared their descriptor table (CLONE_FILES) are not
//! looked at; processes of other users need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, and are counted without.
//!
//! What changed is told by the number of a process's descriptors, which is cheap to ask, and by the sockets that the
//! table has no more. Where a process has many, only what that explains is looked at ([`FdTable::mend`]). A socket that
//! no process seems to hold at two readings in a row makes us look again at all, at a bounded rate.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use super::fd_table::FdTable;
use super::proc_dir::{ProcessDir, Unread, open_proc, pids};
use crate::kernel::process::{Stat, Users};
use crate::kernel::{Owner, Owners, Process};

/// Every process is looked at again after this, whatever its count says (a descriptor passed over a Unix socket).
const REFRESH: Duration = Duration::from_secs(30);
/// Descriptors after which one reading does no more of that.
const REFRESH_BUDGET: usize = 4096;
/// At most this often are all processes looked at for a socket that nobody seems to hold…
const SEARCH_GAP: Duration = Duration::from_secs(1);
/// …and never for more than a tenth of the time.
const SEARCH_SHARE: u32 = 10;
/// Searches made for one socket before it is left to the refresh (its process may be one that we may not read).
const SEARCHES: u8 = 3;

/// Descriptors by pid.
type Gone = FxHashMap<u32, Vec<u32>>;

/// The scan's memory.
#[derive(Debug)]
pub(super) struct OwnerScan {
    proc: OwnedFd,
    /// Whether this kernel tells the number of descriptors (from 6.2).
    counts_told: bool,
    users: Users,
    /// By pid, so that the lowest comes first everywhere.
    processes: BTreeMap<u32, Known>,
    /// Processes that are not even to be identified (proc(5), hidepid).
    shut: Vec<u32>,
    /// The inodes of the reading before.
    wanted: FxHashSet<u64>,
    /// Inodes that no process seems to hold, and how often all were searched for them.
    missing: FxHashMap<u64, u8>,
    last_search: Option<(Instant, Duration)>,
    published: Arc<Owners>,
}

/// A process as it was last looked at.
#[derive(Debug)]
struct Known {
    process: Arc<Process>,
    fd_count: u64,
    /// `None` where this user may not look.
    fds: Option<FdTable>,
    /// When every descriptor was looked at.
    scanned: Instant,
}

impl OwnerScan {
    pub(super) fn new() -> rustix::io::Result<Self> {
        let proc = open_proc()?;
        // This process has descriptors: a kernel that says 0 does not tell.
        let own = ProcessDir::open(proc.as_fd(), std::process::id()).and_then(|dir| dir.fd_count());
        Ok(Self {
            proc,
            counts_told: own.is_ok_and(|count| count > 0),
            users: Users::default(),
            processes: BTreeMap::new(),
            shut: Vec::new(),
            wanted: FxHashSet::default(),
            missing: FxHashMap::default(),
            last_search: None,
            published: Arc::default(),
        })
    }

    /// Takes in the user database anew; processes seen from now on are named by it.
    pub(super) fn set_users(&mut self, users: Users) {
        self.users = users;
    }

    /// Who held what, as of the last look.
    pub(super) fn published(&self) -> Arc<Owners> {
        Arc::clone(&self.published)
    }

    /// Who holds the sockets with the inodes `wanted`. Unchanged owners are the same allocation as before.
    pub(super) fn owners(&mut self, wanted: FxHashSet<u64>) -> rustix::io::Result<Arc<Owners>> {
        let lost: Vec<u64> = self.wanted.iter().filter(|inode| !wanted.contains(inode)).copied().collect();
        let same = lost.is_empty() && wanted.len() == self.wanted.len();
        let changed = self.visit_all(&self.holders_of(&lost))? || !same;
        if changed {
            self.publish(&wanted);
        }
        let found = self.has_missing(&wanted) && self.search_is_due() && self.search();
        if found {
            self.publish(&wanted);
        }
        if changed || found {
            self.note_missing(&wanted);
        }
        self.wanted = wanted;
        Ok(Arc::clone(&self.published))
    }

    /// The descriptors of the sockets that the table has no more, by process, in rising order.
    fn holders_of(&self, lost: &[u64]) -> Gone {
        let mut gone = Gone::default();
        for owner in lost.iter().filter_map(|inode| self.published.by_inode.get(inode)).flatten() {
            gone.entry(owner.process.pid).or_default().push(owner.fd);
        }
        gone.values_mut().for_each(|fds| fds.sort_unstable());
        gone
    }

    /// Looks for new, ended and changed processes. Whether anything was.
    fn visit_all(&mut self, gone: &Gone) -> rustix::io::Result<bool> {
        let pids = pids()?;
        let before = self.processes.len();
        self.processes.retain(|pid, _| pids.binary_search(pid).is_ok());
        let mut changed = self.processes.len() != before;
        let shut = std::mem::take(&mut self.shut);
        let mut budget = REFRESH_BUDGET;
        for pid in pids {
            changed |= self.visit(pid, gone.get(&pid).map_or(&[], Vec::as_slice), &mut budget);
        }
        Ok(changed || self.shut != shut)
    }

    /// Looks at one process if it is new or seems changed, or its turn has come. Whether what is known of it changed.
    fn visit(&mut self, pid: u32, gone: &[u32], budget: &mut usize) -> bool {
        let (dir, stat, fd_count) = match self.look(pid) {
            Ok(seen) => seen,
            Err(why) => {
                self.shut.extend((why == Unread::Denied).then_some(pid));
                return self.processes.remove(&pid).is_some();
            }
        };
        if let Some(known) = self.processes.get_mut(&pid) {
            let stale = known.scanned.elapsed() >= REFRESH && *budget > 0;
            if known.is(&stat) && known.fd_count == fd_count && gone.is_empty() && !stale {
                return known.complete(&dir, stat, &self.users);
            }
            if stale {
                *budget = budget.saturating_sub(known.len().max(1));
            } else if known.is(&stat) && known.mend(&dir, gone, fd_count) {
                return true;
            }
        }
        self.scan(&dir, stat, fd_count)
    }

    /// What is cheap to ask of a process.
    fn look(&self, pid: u32) -> Result<(ProcessDir, Stat, u64), Unread> {
        let dir = ProcessDir::open(self.proc.as_fd(), pid)?;
        let (stat, fd_count) = (dir.stat()?, dir.fd_count()?);
        Ok((dir, stat, fd_count))
    }

    /// Reads a process's descriptors. Whether what is known of it changed.
    fn scan(&mut self, dir: &ProcessDir, stat: Stat, fd_count: u64) -> bool {
        let pid = dir.pid();
        let start_time = stat.start_time;
        // Who has no descriptors (kernel threads) hides none.
        let has_none = self.counts_told && fd_count == 0;
        let read = if has_none { Ok(FdTable::default()) } else { dir.fds().and_then(|folder| FdTable::read(&folder)) };
        let mut process = Arc::new(dir.identify(stat, &self.users));
        // Nothing above is this process's if it ended meanwhile.
        let alive = dir.stat().is_ok_and(|now| now.start_time == start_time);
        let fds = match read {
            Ok(fds) if alive => Some(fds),
            Err(Unread::Denied) if alive => None,
            _ => return self.processes.remove(&pid).is_some(),
        };
        let before = self.processes.get(&pid);
        let same_process = before.filter(|known| known.process == process);
        if let Some(known) = same_process {
            process = Arc::clone(&known.process);
        }
        let changed = same_process.is_none_or(|known| known.fds != fds);
        self.processes.insert(pid, Known { process, fd_count, fds, scanned: Instant::now() });
        changed
    }

    /// Looks again at every process that may be looked at.
    fn search(&mut self) -> bool {
        let begin = Instant::now();
        let readable = self.processes.iter().filter(|(_, known)| known.fds.is_some());
        let pids: Vec<u32> = readable.map(|(&pid, _)| pid).collect();
        let mut changed = false;
        for pid in pids {
            changed |= match self.look(pid) {
                Ok((dir, stat, fd_count)) => self.scan(&dir, stat, fd_count),
                Err(_) => self.processes.remove(&pid).is_some(),
            };
        }
        self.last_search = Some((begin, begin.elapsed()));
        for searches in self.missing.values_mut() {
            *searches = searches.saturating_add(1);
        }
        changed
    }

    /// Whether a socket has no owner now and had none at the reading before (many live for less than that), and is
    /// worth another search.
    fn has_missing(&self, wanted: &FxHashSet<u64>) -> bool {
        let unheld = |inode: &u64| wanted.contains(inode) && !self.published.by_inode.contains_key(inode);
        self.missing.iter().any(|(inode, &searches)| searches < SEARCHES && unheld(inode))
    }

    fn search_is_due(&self) -> bool {
        self.last_search.is_none_or(|(at, took)| at.elapsed() >= SEARCH_GAP.max(took * SEARCH_SHARE))
    }

    fn note_missing(&mut self, wanted: &FxHashSet<u64>) {
        let missing = wanted.iter().filter(|inode| !self.published.by_inode.contains_key(inode));
        let before = std::mem::take(&mut self.missing);
        self.missing = missing.map(|inode| (*inode, before.get(inode).copied().unwrap_or(0))).collect();
    }

    fn publish(&mut self, wanted: &FxHashSet<u64>) {
        let mut owners = Owners::default();
        let mut denied = self.shut.clone();
        owners.by_inode.reserve(self.published.by_inode.len());
        for (pid, known) in &self.processes {
            let Some(fds) = &known.fds else {
                denied.push(*pid);
                continue;
            };
            owners.processes_read += 1;
            for &(fd, inode) in fds.sockets().iter().filter(|(_, inode)| wanted.contains(inode)) {
                let owner = Owner { process: Arc::clone(&known.process), fd };
                owners.by_inode.entry(inode).or_default().push(owner);
            }
        }
        owners.processes_denied = u32::try_from(denied.len()).unwrap_or(u32::MAX);
        denied.sort_unstable();
        let mut first = denied.into_iter();
        owners.denied = std::array::from_fn(|_| first.next());
        if owners != *self.published {
            self.published = Arc::new(owners);
        }
    }
}

impl Known {
    /// Whether this is still the process that `stat` describes, under the name it had.
    fn is(&self, stat: &Stat) -> bool {
        self.process.start_time == Some(stat.start_time) && self.process.comm == stat.comm
    }

    /// Reads the arguments that were not there yet: a process seen in the middle of execve(2) has none for a moment.
    /// Whether there were any now.
    fn complete(&mut self, dir: &ProcessDir, stat: Stat, users: &Users) -> bool {
        let holds_none = self.fds.as_ref().is_none_or(|fds| fds.sockets().is_empty());
        if !self.process.cmdline.is_empty() || holds_none {
            return false;
        }
        let process = dir.identify(stat, users);
        let came = process != *self.process;
        if came {
            self.process = Arc::new(process);
        }
        came
    }

    /// How many descriptors were looked at.
    fn len(&self) -> usize {
        self.fds.as_ref().map_or(0, FdTable::len)
    }

    /// Looks only at what must have changed, where that is worth while. Whether that explains it.
    fn mend(&mut self, dir: &ProcessDir, gone: &[u32], fd_count: u64) -> bool {
        let Some(fds) = self.fds.as_mut().filter(|fds| fds.is_large()) else { return false };
        let mended = dir.fds().and_then(|folder| fds.mend(&folder, gone, fd_count));
        self.fd_count = fd_count;
        mended == Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inode that no socket has.
    const NOBODYS: u64 = u64::MAX - 1;

    #[test]
    fn the_search_for_a_socket_that_nobody_holds_is_bounded() {
        let mut scan = OwnerScan::new().unwrap();
        let wanted = FxHashSet::from_iter([NOBODYS]);
        let mut searches = 0;
        for _ in 0..10 {
            // As if the gap had passed.
            let before = scan.last_search.take();
            scan.owners(wanted.clone()).unwrap();
            searches += usize::from(scan.last_search.is_some());
            scan.last_search = scan.last_search.or(before);
        }
        assert!((1..=usize::from(SEARCHES) + 1).contains(&searches), "{searches}");
        let again = FxHashSet::from_iter([NOBODYS - 1]);
        scan.last_search = Some((Instant::now(), Duration::ZERO));
        let at = scan.last_search;
        scan.owners(again).unwrap();
        assert_eq!(scan.last_search, at, "not twice within the gap");
    }

    #[test]
    fn a_reading_keeps_its_place_by_pid_and_start_time() {
        let mut scan = OwnerScan::new().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = rustix::fs::fstat(&listener).unwrap().st_ino;
        let wanted = FxHashSet::from_iter([inode]);
        let own = std::process::id();
        let holds = |owners: &Owners| owners.by_inode[&inode].iter().any(|owner| owner.process.pid == own);
        assert!(holds(&scan.owners(wanted.clone()).unwrap()));
        // As if the pid had belonged to another process when it was looked at.
        let known = scan.processes.get_mut(&own).unwrap();
        let other = Process { start_time: known.process.start_time.map(|start| start + 1), ..(*known.process).clone() };
        known.process = Arc::new(other);
        known.fds = Some(FdTable::default());
        let owners = scan.owners(FxHashSet::from_iter([inode, NOBODYS])).unwrap();
        assert!(holds(&owners) && !owners.by_inode.contains_key(&NOBODYS));
    }
}
