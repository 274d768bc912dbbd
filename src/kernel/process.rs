//! Who a process is: /proc/PID/stat, status and cmdline, and /etc/passwd.
//!
//! May touch `base`. Read first: proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5), passwd(5).

use rustc_hash::FxHashMap;

use crate::base::Scrubbed;

/// What tells one process from another that had its pid before, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    pub comm: Scrubbed,
    /// The same as the kernel keeps it: ended by NUL, not scrubbed.
    pub raw_comm: [u8; 16],
    /// Clock ticks since boot (field 22).
    pub start_time: u64,
}

/// Reads /proc/PID/stat. The name in parentheses is the process's own choice and may hold spaces and parentheses, so
/// it ends at the last `)`.
pub fn stat(bytes: &[u8]) -> Option<Stat> {
    let open = bytes.iter().position(|&byte| byte == b'(')?;
    let close = bytes.iter().rposition(|&byte| byte == b')')?;
    let comm = bytes.get(open + 1..close)?;
    let rest = std::str::from_utf8(&bytes[close + 1..]).ok()?;
    // Field 3 (state) is the first after the name; the start time is field 22.
    let start_time = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let mut raw_comm = [0; 16];
    for (raw, byte) in raw_comm[..15].iter_mut().zip(comm) {
        *raw = *byte;
    }
    Some(Stat { comm: Scrubbed::from_bytes(comm), raw_comm, start_time })
}

/// The effective user id of /proc/PID/status (`Uid:` real, effective, saved, file system).
pub fn effective_uid(status: &str) -> Option<u32> {
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    uids.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The argument list of /proc/PID/cmdline, which ends each argument with a NUL, joined by spaces.
pub fn cmdline(bytes: &[u8]) -> Scrubbed {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let joined: Vec<u8> = bytes[..end].iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    Scrubbed::from_bytes(&joined)
}

/// The names of /etc/passwd by user id. (Directory services are not asked: an answer could take seconds.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(FxHashMap<u32, Scrubbed>);

impl Users {
    /// Reads the text of /etc/passwd; of several names with one id the first stands, as with getpwuid(3).
    pub fn parse(passwd: &str) -> Self {
        let mut users = FxHashMap::default();
        for line in passwd.lines() {
            let mut fields = line.split(':');
            let (Some(name), Some(uid)) = (fields.next(), fields.nth(1)) else { continue };
            if let (false, Ok(uid)) = (name.is_empty(), uid.parse()) {
                users.entry(uid).or_insert_with(|| Scrubbed::new(name));
            }
        }
        Self(users)
    }

    /// The user's name, or the number where there is none.
    pub fn name(&self, uid: u32) -> Scrubbed {
        self.0.get(&uid).cloned().unwrap_or_else(|| Scrubbed::new(&uid.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(comm: &str) -> String {
        format!("42 ({comm}) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 2000 184467 1 1")
    }

    #[test]
    fn the_name_may_hold_anything() {
        for (comm, shown) in [("nginx", "nginx"), ("a) S 9 (b", "a) S 9 (b"), ("", ""), ("x\x1b[m\ny", "x·[m·y")] {
            let stat = stat(line(comm).as_bytes()).unwrap();
            assert_eq!((stat.comm.as_str(), stat.start_time), (shown, 98765), "{comm:?}");
        }
    }

    #[test]
    fn a_stat_that_is_cut_or_backwards_is_none() {
        for text in ["", "42 (a", "42 )a( S 1", "42 (a) S 1 2 3", &line("a").replace("98765", "x")] {
            assert_eq!(stat(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_effective_uid_is_the_second() {
        assert_eq!(effective_uid("Name:\tx\nUid:\t1000\t33\t0\t0\nGid:\t1\t2\t3\t4\n"), Some(33));
        assert_eq!(effective_uid("Name:\tUid:\nGid:\t1\t2\n"), None);
        assert_eq!(effective_uid("Uid:\t1000\n"), None);
    }

    #[test]
    fn arguments_are_joined_and_scrubbed() {
        assert_eq!(cmdline(b"nginx: worker\0-c\0a b\0\0\0").as_str(), "nginx: worker -c a b");
        assert_eq!(cmdline(b"").as_str(), "");
        assert_eq!(cmdline(b"\0\0").as_str(), "");
        assert_eq!(cmdline(b"a\0\0b\0\x1b[2J").as_str(), "a  b ·[2J");
    }

    #[test]
    fn users_by_id() {
        let users = Users::parse(
            "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n+::::::\nw\u{202e}w:x:33:33\n:x:7:7\nbad:x:y:\n",
        );
        assert_eq!((users.name(0).as_str(), users.name(33).as_str()), ("root", "w·w"));
        assert_eq!((users.name(7).as_str(), users.name(4_000_000_000).as_str()), ("7", "4000000000"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            stat(&bytes);
            cmdline(&bytes);
            let text = String::from_utf8_lossy(&bytes);
            effective_uid(&text);
            Users::parse(&text);
        }
    }
}
