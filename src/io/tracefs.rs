//! An instance of the kernel's tracing of our own: made, read, removed; what killed runs left behind is removed first.
//!
//! May touch tracefs, and nothing of it but our own instances: the rest is shared by the whole machine. Read first:
//! Documentation/trace/ftrace.rst (Instances, Trace Clocks), mount_setattr(2), fsopen(2).
//!
//! Where tracefs is mounted nowhere that this process can see (`ip netns exec` hides it), it is mounted for this
//! process alone, on a descriptor and at no path.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, fstatfs, mkdirat, openat, readlinkat, unlinkat};
use rustix::io::{Errno, read, write};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use super::proc_dir::{ProcessDir, open_proc};

/// Where it is mounted by custom.
const MOUNTS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// `TRACEFS_MAGIC` (linux/magic.h).
const MAGIC: i128 = 0x7472_6163;
/// The first pid namespace (PROC_PID_INIT_INO, linux/proc_ns.h), whose numbers are the ring's.
const FIRST_PIDS: &[u8] = b"pid:[4026531836]";
/// No description of an event is longer.
const LONGEST: usize = 64 << 10;

/// Why connections cannot be traced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    #[error("tracefs needs root: {0}")]
    NotPermitted(Errno),
    #[error("tracefs is not there: {0}")]
    Missing(Errno),
    #[error("this is not the first pid namespace, whose numbers the kernel traces by")]
    PidNamespace,
    #[error("the event {0} is not there, or not as expected, on this kernel")]
    Format(&'static str),
    #[error("tracefs: {what}: {errno}")]
    Refused { what: &'static str, errno: Errno },
    #[error("/proc cannot be read: {0}")]
    Proc(Errno),
}

/// Names the step that failed.
pub(super) fn step(what: &'static str) -> impl FnOnce(Errno) -> TraceError {
    move |errno| match errno {
        Errno::ACCESS | Errno::PERM => TraceError::NotPermitted(errno),
        _ => TraceError::Refused { what, errno },
    }
}

/// An instance of our own. Dropping it removes it, with all that it enabled.
#[derive(Debug)]
pub(super) struct Instance {
    instances: OwnedFd,
    /// `None` once it is to be removed: nothing in it may be open then.
    dir: Option<OwnedFd>,
    name: String,
}

impl Instance {
    /// Makes it, after those of runs that were killed are gone.
    pub(super) fn new() -> Result<Self, TraceError> {
        // The ring's numbers are those of the first pid namespace: in another one they would name other processes.
        let pids = readlinkat(CWD, "/proc/self/ns/pid", Vec::new()).map_err(TraceError::Proc)?;
        if pids.as_bytes() != FIRST_PIDS {
            return Err(TraceError::PidNamespace);
        }
        let instances = open_dir(mount()?.as_fd(), "instances").map_err(step("instances"))?;
        let proc = open_proc().map_err(TraceError::Proc)?;
        reap(instances.as_fd(), proc.as_fd());
        let own = std::process::id();
        let start = start_time(proc.as_fd(), own).ok_or(TraceError::Proc(Errno::NOENT))?;
        let name = name_of(own, start);
        mkdirat(&instances, &name, Mode::RWXU).map_err(step("making an instance"))?;
        let mut instance = Self { instances, dir: None, name };
        instance.dir = Some(open_dir(instance.instances.as_fd(), &instance.name).map_err(step("its instance"))?);
        Ok(instance)
    }

    /// Writes a setting.
    pub(super) fn set(&self, file: &str, value: &str) -> rustix::io::Result<()> {
        let file = openat(self.dir()?, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        write(&file, value.as_bytes()).map(drop)
    }

    /// The text of a small file.
    pub(super) fn text(&self, file: &str) -> rustix::io::Result<String> {
        let file = openat(self.dir()?, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
        while text.len() < LONGEST {
            match read(&file, &mut buffer[..])? {
                0 => break,
                len => text.extend_from_slice(&buffer[..len]),
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The rings of every processor, to be read without waiting.
    pub(super) fn rings(&self) -> rustix::io::Result<Vec<OwnedFd>> {
        let folder = open_dir(self.dir()?, "per_cpu")?;
        let mut rings = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("cpu") {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                rings.push(openat(&folder, format!("{name}/trace_pipe_raw"), flags, Mode::empty())?);
            }
        }
        Ok(rings)
    }

    fn dir(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        self.dir.as_ref().map(AsFd::as_fd).ok_or(Errno::BADF)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.dir = None;
        // Whatever refuses now, the next run will try again.
        let _left_behind = unlinkat(&self.instances, &self.name, AtFlags::REMOVEDIR);
    }
}

/// tracefs where it is mounted, else mounted for this process alone.
fn mount() -> Result<OwnedFd, TraceError> {
    let mut denied = None;
    for path in MOUNTS {
        match open_dir(CWD, path) {
            Ok(root) if fstatfs(&root).is_ok_and(|stat| i128::from(stat.f_type) == MAGIC) => return Ok(root),
            Err(errno @ (Errno::ACCESS | Errno::PERM)) => denied = Some(errno),
            _ => {}
        }
    }
    let mounted = || {
        let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&context)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    mounted().map_err(|errno| match (errno, denied) {
        (Errno::PERM | Errno::ACCESS, _) => TraceError::NotPermitted(errno),
        (_, Some(denied)) => TraceError::NotPermitted(denied),
        _ => TraceError::Missing(errno),
    })
}

/// Removes the instances of runs that are no more.
fn reap(instances: BorrowedFd<'_>, proc: BorrowedFd<'_>) {
    let Ok(entries) = Dir::read_from(instances) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let stale = |(pid, start)| start_time(proc, pid) != Some(start);
        if owner_of(&name).is_some_and(stale) {
            let _next_time = unlinkat(instances, &name, AtFlags::REMOVEDIR);
        }
    }
}

fn name_of(pid: u32, start_time: u64) -> String {
    format!("sockscope-{pid}-{start_time}")
}

/// The pid and start time of the process that made an instance; `None` of whatever is not ours.
fn owner_of(name: &str) -> Option<(u32, u64)> {
    let (pid, start) = name.strip_prefix("sockscope-")?.split_once('-')?;
    let owner = (pid.parse().ok()?, start.parse().ok()?);
    (name == name_of(owner.0, owner.1)).then_some(owner)
}

fn start_time(proc: BorrowedFd<'_>, pid: u32) -> Option<u64> {
    ProcessDir::open(proc, pid).and_then(|dir| dir.stat()).ok().map(|stat| stat.start_time)
}

fn open_dir(at: BorrowedFd<'_>, path: &str) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_making_are_ours() {
        assert_eq!(owner_of(&name_of(17, 4711)), Some((17, 4711)));
        for name in
            ["sockscope-17", "sockscope-017-1", "sockscope-1-+2", "sockscope-1-2-3", "other-1-2", "sockscope--1"]
        {
            assert_eq!(owner_of(name), None, "{name}");
        }
    }
}
