//! The descriptors of one process, read whole, and mended where little of them changed.
//!
//! May touch /proc. Read first: proc_pid_fd(5), open(2) (the lowest number that is free is given out).
//!
//! To read one of 20,000 descriptors takes 40 ms, most of it for what is as before. The socket table tells which
//! sockets are no more, and the folder how many descriptors there are: what came since has the lowest free numbers, and
//! where what is found there does not add up to that count, all are read again.

use super::proc_dir::{FdFolder, SocketFd, Unread};

/// Free numbers that are tried beyond those that must have been given out: numbers become free between two readings.
const SPARE: usize = 64;
/// To read fewer than these whole takes less than a millisecond.
const FEW: usize = 512;

/// What descriptors a process has, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FdTable {
    sockets: Vec<SocketFd>,
    others: Vec<u32>,
}

impl FdTable {
    /// Looks at every descriptor.
    pub(super) fn read(folder: &FdFolder) -> Result<Self, Unread> {
        let mut table = Self::default();
        for fd in folder.numbers()? {
            match folder.inode(fd) {
                Ok(inode) => table.add(fd, inode),
                // Closed since the folder was read.
                Err(Unread::Gone) => {}
                Err(Unread::Denied) => return Err(Unread::Denied),
            }
        }
        table.sort();
        Ok(table)
    }

    /// Whether mending is worth while.
    pub(super) const fn is_large(&self) -> bool {
        self.len() >= FEW
    }

    pub(super) const fn len(&self) -> usize {
        self.sockets.len() + self.others.len()
    }

    /// Those that are sockets, in rising order.
    pub(super) fn sockets(&self) -> &[SocketFd] {
        &self.sockets
    }

    /// Brings it up to date where the sockets behind the descriptors `gone` (in rising order) are no more and `count`
    /// descriptors are open now. False where that does not explain what is there: it is to be read anew.
    pub(super) fn mend(&mut self, folder: &FdFolder, gone: &[u32], count: u64) -> Result<bool, Unread> {
        self.sockets.retain(|(fd, _)| gone.binary_search(fd).is_err());
        let now = usize::try_from(count).unwrap_or(usize::MAX);
        let Some(mut missing) = now.checked_sub(self.len()) else { return Ok(false) };
        if missing > gone.len() + FEW {
            return Ok(false);
        }
        let mut found = Vec::new();
        for fd in self.free().take(missing + gone.len() + SPARE) {
            if missing == 0 {
                break;
            }
            match folder.inode(fd) {
                Ok(inode) => {
                    found.push((fd, inode));
                    missing -= 1;
                }
                Err(Unread::Gone) => {}
                Err(Unread::Denied) => return Err(Unread::Denied),
            }
        }
        found.into_iter().for_each(|(fd, inode)| self.add(fd, inode));
        self.sort();
        Ok(missing == 0)
    }

    /// The numbers that are not given out, as far as is known, in rising order.
    fn free(&self) -> impl Iterator<Item = u32> {
        let mut sockets = self.sockets.iter().map(|socket| socket.0).peekable();
        let mut others = self.others.iter().copied().peekable();
        (0..).filter(move |fd| sockets.next_if_eq(fd).is_none() && others.next_if_eq(fd).is_none())
    }

    fn add(&mut self, fd: u32, inode: Option<u64>) {
        match inode {
            Some(inode) => self.sockets.push((fd, inode)),
            None => self.others.push(fd),
        }
    }

    fn sort(&mut self) {
        self.sockets.sort_unstable();
        self.others.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::{AsFd, OwnedFd};
    use std::process::{Command, Stdio};

    use super::super::proc_dir::{ProcessDir, open_proc};
    use super::*;

    /// A process whose descriptors 0 and 1 are sockets and 2 is none.
    struct Held {
        child: std::process::Child,
        folder: FdFolder,
        table: FdTable,
    }

    impl Held {
        fn new() -> Self {
            let sockets = [0, 1].map(|_| OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap()));
            let inodes = sockets.each_ref().map(|socket| rustix::fs::fstat(socket).unwrap().st_ino);
            let [stdin, stdout] = sockets.map(Stdio::from);
            let mut sleep = Command::new("sleep");
            let child = sleep.arg("60").stdin(stdin).stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
            let dir = ProcessDir::open(open_proc().unwrap().as_fd(), child.id()).unwrap();
            let table = FdTable { sockets: vec![(0, inodes[0]), (1, inodes[1])], others: vec![2] };
            Self { child, folder: dir.fds().unwrap(), table }
        }

        /// What becomes of a table that has other sockets when it is mended.
        fn mend(&self, sockets: &[SocketFd], gone: &[u32], count: u64) -> (bool, FdTable) {
            let mut table = FdTable { sockets: sockets.to_vec(), others: vec![2] };
            (table.mend(&self.folder, gone, count).unwrap(), table)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }

    #[test]
    fn what_was_closed_and_opened_since_is_found_at_the_lowest_numbers() {
        let held = Held::new();
        let now = &held.table;
        let [first, second] = [now.sockets[0], now.sockets[1]];
        assert_eq!(&held.mend(&[(0, 7), second], &[0], 3), &(true, now.clone()), "closed, and its number given out");
        assert_eq!(&held.mend(&[first], &[], 3), &(true, now.clone()), "opened");
        assert_eq!(&held.mend(&[first, second, (9, 7)], &[9], 3), &(true, now.clone()), "closed");
    }

    #[test]
    fn what_does_not_add_up_is_read_anew() {
        let held = Held::new();
        let [first, second] = [held.table.sockets[0], held.table.sockets[1]];
        assert!(!held.mend(&[first, second, (9, 7)], &[], 3).0, "closed, though its socket is there");
        assert!(!held.mend(&[first, second], &[], 90).0, "so many are nowhere near");
        assert!(!held.mend(&[first, second], &[], 90_000).0, "as many are quicker read anew");
        assert!(FdTable::read(&held.folder).unwrap().sockets == held.table.sockets);
    }

    #[test]
    fn free_numbers_are_those_between_and_beyond() {
        let table = FdTable { sockets: vec![(1, 9), (5, 9)], others: vec![0, 3] };
        assert_eq!(table.free().take(4).collect::<Vec<_>>(), [2, 4, 6, 7]);
    }
}
