//! Who owns a socket: the scan of descriptors on real processes, privileged and not.
//!
//! May touch network namespaces that it makes itself, and child processes. Needs root; says so where it is not.
#![cfg(feature = "live")]

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Gid, Uid};
use sockscope::io::{Sampler, Sockets};
use sockscope::kernel::{SocketSample, TableSource};

#[path = "support/netns.rs"]
mod netns;
#[path = "support/readings.rs"]
mod readings;
#[path = "support/sockets.rs"]
mod sockets;

use netns::{Netns, alone};
use readings::{holders, sample};
use sockets::{child_holding, end, fd_of, inode_of, program_holding};

const NOBODY: u32 = 65534;
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn an_owner_is_followed_through_fork_close_and_reuse_of_the_descriptor() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("owners");
    netns.run(|| {
        let mut sampler = Sampler::new(Sockets::Diag).unwrap();
        let listener = TcpListener::bind("127.0.0.1:7000").unwrap();
        let own = |fd: u32| (std::process::id(), fd);
        let fd = fd_of(&listener);
        let inode = inode_of(&listener);
        assert_eq!(holders(&sample(&mut sampler), inode), [own(fd)]);

        let mut child = child_holding(listener.as_fd().try_clone_to_owned().unwrap(), None);
        let mut both = vec![own(fd), (child.id(), 0)];
        both.sort_unstable();
        let shared = sample(&mut sampler);
        assert_eq!(holders(&shared, inode), both);
        let seen = |sample: &SocketSample| {
            let owner = sample.owners.by_inode[&inode].iter().find(|owner| owner.process.pid == child.id()).unwrap();
            (owner.process.comm.to_string(), owner.process.cmdline.to_string())
        };
        // In the middle of execve() the arguments are not there yet; a later reading has them.
        let deadline = Instant::now() + DEADLINE;
        let mut names = seen(&shared);
        while names.1.is_empty() && Instant::now() < deadline {
            names = seen(&sample(&mut sampler));
        }
        assert_eq!(names, ("sleep".into(), "sleep 600".into()));
        end(&mut child);
        assert_eq!(holders(&sample(&mut sampler), inode), [own(fd)]);

        // A close and an open leave the number of descriptors as it was; time and again, faster than all processes
        // may be searched.
        let (mut held, mut gone) = (listener, inode);
        for port in 7001..7006 {
            drop(held);
            held = TcpListener::bind(("127.0.0.1", port)).unwrap();
            let after = sample(&mut sampler);
            assert_eq!(holders(&after, inode_of(&held)), [own(fd_of(&held))], "port {port}");
            assert!(!after.owners.by_inode.contains_key(&gone));
            gone = inode_of(&held);
        }
    });
}

#[test]
fn an_unprivileged_user_sees_the_table_and_its_own_owners() {
    let Some(_alone) = alone() else { return };
    let netns = Netns::new("plain");
    let roots = netns.run(|| TcpListener::bind("127.0.0.1:7000").unwrap());
    let nobodys = netns.run(|| TcpListener::bind("127.0.0.1:7001").unwrap());
    let mut child = child_holding(nobodys.as_fd().try_clone_to_owned().unwrap(), Some(NOBODY));
    let mut roots_child = child_holding(roots.as_fd().try_clone_to_owned().unwrap(), None);
    let sample = netns.run(|| {
        rustix::thread::set_thread_groups(&[]).unwrap();
        let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
        rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
        let mut sampler = Sampler::new(Sockets::Auto).unwrap();
        // The child is nobody's to look at once it has become another program.
        let deadline = Instant::now() + DEADLINE;
        loop {
            let sample = sample(&mut sampler);
            if holders(&sample, inode_of(&nobodys)).len() > 1 || Instant::now() > deadline {
                return sample;
            }
        }
    });
    let pid = child.id();
    end(&mut child);
    end(&mut roots_child);
    assert_eq!((sample.source, sample.sockets.len()), (TableSource::Diag, 2));
    assert!(sample.sockets.iter().all(|socket| socket.uid == Some(0) && socket.inode.is_some()));
    // A thread may look at its own process, whoever that is; root's child is out of reach.
    let own = |fd: u32| (std::process::id(), fd);
    let mut expected = [own(fd_of(&nobodys)), (pid, 0)];
    expected.sort_unstable();
    assert_eq!(holders(&sample, inode_of(&nobodys)), expected);
    assert_eq!(holders(&sample, inode_of(&roots)), [own(fd_of(&roots))]);
    assert!(sample.owners.processes_denied > 0 && sample.owners.processes_read > 0);
    assert!(sample.counters.get("TcpExt.ListenOverflows").is_some() && sample.limits.somaxconn.is_some());
}

/// A program may call itself anything, the words of its own stat line among them.
#[test]
fn a_hostile_name_is_scrubbed_and_moves_no_field() {
    let Some(_alone) = alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("a) S 1 (\u{1b}[2J");
    std::fs::copy(sleep_program(), &program).unwrap();
    let netns = Netns::new("name");
    netns.run(|| {
        let listener = TcpListener::bind("127.0.0.1:7000").unwrap();
        let mut child = program_holding(&program, listener.as_fd().try_clone_to_owned().unwrap(), None);
        let pid = child.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let mut sampler = Sampler::new(Sockets::Auto).unwrap();
        let deadline = Instant::now() + DEADLINE;
        let process = loop {
            let sample = sample(&mut sampler);
            let owners = &sample.owners.by_inode[&inode_of(&listener)];
            let process = Arc::clone(&owners.iter().find(|owner| owner.process.pid == pid).unwrap().process);
            if !process.cmdline.is_empty() || Instant::now() > deadline {
                break process;
            }
        };
        end(&mut child);
        assert_eq!(process.comm.as_str(), "a) S 1 (·[2J");
        assert!(process.cmdline.ends_with("a) S 1 (·[2J 600"), "{process:?}");
        assert_eq!(process.user.as_str(), "root");
        let after_name = stat.rsplit_once(')').unwrap().1;
        assert_eq!(after_name.split_whitespace().nth(19).unwrap(), process.start_time.unwrap().to_string());
    });
}

fn sleep_program() -> &'static str {
    ["/usr/bin/sleep", "/bin/sleep"].into_iter().find(|path| std::path::Path::new(path).exists()).unwrap()
}
