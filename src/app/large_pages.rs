//! Large pages under what is kept of flows, for captures that are long.
//!
//! Next to every segment of a busy table is one of another flow, somewhere else in memory. In pages of 4 KiB much of the
//! time goes into finding where that is, in a virtual machine twice as much. Most kernels give large pages to whoever
//! asks, and glibc's allocator asks if its environment said so before the process began: so the program is executed
//! once more with that said, as the same process with the same arguments. Without them all is the same but slower.
//!
//! Read first: "Memory Allocation Tunables" in the manual of glibc, the kernel's admin-guide/mm/transhuge.rst.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// Shorter captures are over before it would pay.
const LONG: u64 = 16 << 20;
/// To whom the kernel gives them: all, those who ask, or none.
const GIVEN: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
const TUNABLES: &str = "GLIBC_TUNABLES";
const TUNABLE: &str = "glibc.malloc.hugetlb";
/// Set to anything, nothing is asked for, as by who has been executed once more: a program with privileges of its own is
/// not told [`TUNABLES`], and would ask again and again.
const NOT_ASKED: &str = "SOCKSCOPE_NO_LARGE_PAGES";

/// Executes the program once more where reading these is likely to gain by it; returns where it is not, or where that
/// fails.
pub(super) fn ask_for(captures: &[PathBuf]) {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) || captures.iter().map(length).sum::<u64>() < LONG {
        return;
    }
    let given = fs::read_to_string(GIVEN).unwrap_or_default();
    let Some(tunables) = wanted(env::var_os(NOT_ASKED).is_some(), env::var_os(TUNABLES), &given) else { return };
    let (Ok(program), mut words) = (env::current_exe(), env::args_os()) else { return };
    // Not a dynamic linker that was given it, nor one that has been replaced since.
    if program.file_name() != Some(OsStr::new(env!("CARGO_PKG_NAME"))) || !program.is_file() {
        return;
    }
    let name = words.next().unwrap_or_default();
    let _error = Command::new(program).arg0(name).args(words).env(TUNABLES, tunables).env(NOT_ASKED, "").exec();
    // What could not be executed goes on, but as if a broken pipe were to kill it: std has set that back.
    let _likewise = signal_hook::flag::register(signal_hook::consts::SIGPIPE, Arc::default());
}

/// Bytes of a file, as it lies on disk; of a stream nobody knows.
fn length(path: &PathBuf) -> u64 {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map_or(0, |meta| meta.len().min(LONG))
}

/// What the tunables are to be; `None` where they are to stay.
fn wanted(asked: bool, tunables: Option<OsString>, given: &str) -> Option<String> {
    let tunables = tunables.unwrap_or_default().into_string().ok()?;
    // Whoever has set it means it.
    if asked || tunables.contains(TUNABLE) || !given.contains("[madvise]") {
        return None;
    }
    let others = if tunables.is_empty() { tunables } else { tunables + ":" };
    Some(format!("{others}{TUNABLE}=1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pages_are_asked_for_once_and_where_they_are_given_to_who_asks() {
        const GIVEN: &str = "always [madvise] never\n";
        let told = |asked, tunables: Option<&str>, given| wanted(asked, tunables.map(OsString::from), given);
        let only = Some("glibc.malloc.hugetlb=1".to_owned());
        assert_eq!(told(false, None, GIVEN), only);
        assert_eq!(told(false, Some(""), GIVEN), only);
        let beside = Some("glibc.malloc.check=3:glibc.malloc.hugetlb=1".to_owned());
        assert_eq!(told(false, Some("glibc.malloc.check=3"), GIVEN), beside);
        assert_eq!(told(false, Some("glibc.malloc.hugetlb=0"), GIVEN), None, "whoever started it has decided");
        assert_eq!(told(true, None, GIVEN), None, "asked before");
        for given in ["[always] madvise never\n", "always madvise [never]\n", ""] {
            assert_eq!(told(false, None, given), None, "{given:?}");
        }
    }
}
