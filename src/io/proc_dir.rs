//! One process's folder in /proc, held open: what it is called and which sockets it holds.
//!
//! May touch /proc. Read first: proc_pid_fd(5). The handle is bound to the process, not to its number: once the process
//! is gone every read through it fails, so a reused pid is never taken for the process that had it before.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, openat, readlinkat, readlinkat_raw, statat};
use rustix::io::{Errno, read};
use rustix::path::{Arg, DecInt};

use crate::base::Scrubbed;
use crate::kernel::Process;
use crate::kernel::process::{Stat, Users, cmdline, effective_uid, stat};

/// What of a small file of a process is read: more of an argument list is not shown.
const SMALL_FILE: usize = 4096;

/// A file descriptor that is a socket: its number and the socket's inode.
pub(super) type SocketFd = (u32, u64);

/// Why a process could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It ended.
    Gone,
    /// It is there and cannot be looked at: this user may not (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH would let it), or
    /// this process has no descriptor left to look with.
    Denied,
}

impl From<Errno> for Unread {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => Self::Gone,
            _ => Self::Denied,
        }
    }
}

/// Opens /proc itself.
pub(super) fn open_proc() -> rustix::io::Result<OwnedFd> {
    openat(CWD, "/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// The pids of every process that /proc shows, in rising order.
pub(super) fn pids() -> rustix::io::Result<Vec<u32>> {
    let mut pids = numbers(open_proc()?)?;
    pids.sort_unstable();
    Ok(pids)
}

#[derive(Debug)]
pub(super) struct ProcessDir {
    pid: u32,
    dir: OwnedFd,
}

impl ProcessDir {
    pub(super) fn open(proc: BorrowedFd<'_>, pid: u32) -> Result<Self, Unread> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { pid, dir: openat(proc, DecInt::new(pid), flags, Mode::empty())? })
    }

    /// The process's number.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Start time and name.
    pub(super) fn stat(&self) -> Result<Stat, Unread> {
        let mut buffer = [0; SMALL_FILE];
        stat(self.file(c"stat", &mut buffer)?).ok_or(Unread::Gone)
    }

    /// The ids of its threads.
    pub(super) fn tasks(&self) -> Result<Vec<u32>, Unread> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(numbers(openat(&self.dir, c"task", flags, Mode::empty())?)?)
    }

    /// The network namespace of one of its threads, as /proc names it: `net:[4026531840]`.
    pub(super) fn netns(&self, tid: u32) -> Result<Vec<u8>, Unread> {
        Ok(readlinkat(&self.dir, format!("task/{tid}/ns/net"), Vec::new())?.into_bytes())
    }

    /// The number of open descriptors, told to anyone; 0 throughout on kernels before 6.2.
    pub(super) fn fd_count(&self) -> Result<u64, Unread> {
        let size = statat(&self.dir, c"fd", AtFlags::empty())?.st_size;
        Ok(u64::try_from(size).unwrap_or(0))
    }

    /// Who this is. Arguments that cannot be read are empty, a user that cannot be read is `?`.
    pub(super) fn identify(&self, stat: Stat, users: &Users) -> Process {
        let mut buffer = [0; SMALL_FILE];
        let status = self.file(c"status", &mut buffer).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let user = match status.ok().as_deref().and_then(effective_uid) {
            Some(uid) => users.name(uid),
            None => Scrubbed::new("?"),
        };
        let arguments = self.file(c"cmdline", &mut buffer).map(cmdline);
        Process {
            pid: self.pid,
            start_time: Some(stat.start_time),
            comm: stat.comm,
            cmdline: arguments.unwrap_or_else(|_| cmdline(b"")),
            user,
        }
    }

    /// The folder of its descriptors.
    pub(super) fn fds(&self) -> Result<FdFolder, Unread> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(FdFolder(openat(&self.dir, c"fd", flags, Mode::empty())?))
    }

    fn file<'a>(&self, name: impl Arg, buffer: &'a mut [u8; SMALL_FILE]) -> Result<&'a [u8], Unread> {
        let file = openat(&self.dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let len = read(&file, &mut buffer[..])?;
        Ok(&buffer[..len])
    }
}

/// The descriptors of a process.
#[derive(Debug)]
pub(super) struct FdFolder(OwnedFd);

impl FdFolder {
    /// The numbers given out, in no order.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, Unread> {
        Ok(numbers(&self.0)?)
    }

    /// The inode of the socket behind a descriptor; `None` if it is something else.
    pub(super) fn inode(&self, fd: u32) -> Result<Option<u64>, Unread> {
        // Long enough for `socket:[` and 20 digits; a path that is cut is no socket's name.
        let mut buffer = [0; 40];
        let len = readlinkat_raw(&self.0, DecInt::new(fd), &mut buffer[..])?;
        Ok(inode_of_link(&buffer[..len]))
    }
}

fn inode_of_link(link: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The names in a folder that are numbers.
fn numbers(folder: impl AsFd) -> rustix::io::Result<Vec<u32>> {
    let mut buffer = [MaybeUninit::uninit(); 16 << 10];
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        numbers.extend(entry.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn only_a_socket_link_has_an_inode() {
        for (link, inode) in
            [("socket:[4711]", Some(4711)), ("pipe:[4711]", None), ("socket:[]", None), ("socket:[1", None)]
        {
            assert_eq!(inode_of_link(link.as_bytes()), inode, "{link}");
        }
        assert_eq!(inode_of_link(b"/tmp/socket:[1]"), None);
        assert_eq!(inode_of_link(b"socket:[99999999999999999999]"), None);
    }

    #[test]
    fn this_process_knows_its_own_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = std::process::id();
        let proc = open_proc().unwrap();
        assert!(pids().unwrap().contains(&own));
        let dir = ProcessDir::open(proc.as_fd(), own).unwrap();
        let fd = u32::try_from(listener.as_raw_fd()).unwrap();
        let fds = dir.fds().unwrap();
        assert!(fds.numbers().unwrap().contains(&fd));
        let inode = rustix::fs::fstat(&listener).unwrap().st_ino;
        assert_eq!(fds.inode(fd), Ok(Some(inode)));
        drop(listener);
        assert_ne!(fds.inode(fd), Ok(Some(inode)));
        let process = dir.identify(dir.stat().unwrap(), &Users::parse(""));
        assert_eq!((process.pid, process.start_time), (own, Some(dir.stat().unwrap().start_time)));
        assert!(process.cmdline.contains(process.comm.get(..4).unwrap()), "{process:?}");
    }

    #[test]
    fn a_handle_does_not_outlive_its_process() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let dir = ProcessDir::open(open_proc().unwrap().as_fd(), child.id()).unwrap();
        let fds = dir.fds().unwrap();
        assert!(dir.stat().is_ok() && fds.inode(0).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(dir.stat(), Err(Unread::Gone));
        assert_eq!((fds.numbers(), fds.inode(0)), (Err(Unread::Gone), Err(Unread::Gone)));
    }
}
