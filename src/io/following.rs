//! A file that grows while it is read: its end is waited on.
//!
//! Looks again ten times a second, as `tail -f` does where nothing tells of changes: that works on every file system.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long after it ended it is looked whether there is more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What whoever follows a file and its reader tell one another.
#[derive(Debug, Default)]
pub struct Watch {
    stop: AtomicBool,
    waited: AtomicBool,
    waits: AtomicBool,
}

impl Watch {
    /// Gives the file an end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether it was given one.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Whether all was read that there is.
    pub fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }

    /// Whether all was read that there was at some time.
    pub fn has_waited(&self) -> bool {
        self.waited.load(Ordering::Acquire)
    }
}

/// Reads a file and what is written behind it later; once it was cut, or another took its place, that is the error.
/// One that is merely removed may still be written.
#[derive(Debug)]
pub struct Following {
    file: File,
    path: PathBuf,
    /// Bytes from its start.
    at: u64,
    watch: Arc<Watch>,
}

impl Following {
    /// Opens a file some bytes behind its start. Once `watch` is stopped, it has an end.
    ///
    /// # Errors
    /// Where it cannot be opened and read from there, or is a directory.
    pub fn open(path: &Path, at: u64, watch: Arc<Watch>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, path: path.to_owned(), at, watch })
    }

    /// Why nothing more will come.
    fn trouble(&self) -> io::Result<Option<String>> {
        let ours = self.file.metadata()?;
        if ours.len() < self.at {
            return Ok(Some(format!("the file was cut to {} bytes while it was followed", ours.len())));
        }
        let same = |there: &Metadata| (there.dev(), there.ino()) == (ours.dev(), ours.ino());
        let replaced = self.path.metadata().is_ok_and(|there| !same(&there));
        Ok(replaced.then(|| "another file took its place while it was followed".to_owned()))
    }
}

impl Read for Following {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.watch.is_stopped() {
            // What is wrong is looked for before the reading that finds nothing: what was written until then is read.
            let trouble = self.trouble()?;
            let count = self.file.read(buffer)?;
            self.watch.waits.store(count == 0, Ordering::Release);
            self.at += count as u64;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if let Some(trouble) = trouble {
                return Err(io::Error::other(trouble));
            }
            self.watch.waited.store(true, Ordering::Release);
            thread::sleep(LOOK_AGAIN);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    /// Reads it on a thread of its own, piece by piece.
    fn followed(path: &Path, at: u64) -> (mpsc::Receiver<io::Result<Vec<u8>>>, Arc<Watch>) {
        let watch = Arc::new(Watch::default());
        let mut following = Following::open(path, at, watch.clone()).expect("a file");
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            loop {
                let mut buffer = [0; 64];
                let read = following.read(&mut buffer).map(|count| buffer[..count].to_vec());
                let done = read.as_ref().map_or(true, Vec::is_empty);
                if send.send(read).is_err() || done {
                    return;
                }
            }
        });
        (receive, watch)
    }

    #[test]
    fn what_is_written_later_is_read_until_it_is_stopped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("grows");
        fs::write(&path, "one").expect("a file");
        let (read, watch) = followed(&path, 1);
        let next = || read.recv().expect("it reads").expect("no trouble");
        assert_eq!(next(), b"ne");
        while !watch.has_waited() {
            thread::yield_now();
        }
        let mut file = File::options().append(true).open(&path).expect("the file");
        file.write_all(b"two").expect("written");
        assert_eq!(next(), b"two");
        fs::remove_file(&path).expect("removed");
        file.write_all(b"three").expect("written");
        assert_eq!(next(), b"three", "whoever writes a file may remove it");
        watch.stop();
        assert_eq!(next(), b"");
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_said() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("grows");
        let trouble = |harm: &dyn Fn()| {
            fs::write(&path, "one").expect("a file");
            let (read, _) = followed(&path, 0);
            assert_eq!(read.recv().expect("it reads").expect("no trouble"), b"one");
            harm();
            read.recv().expect("it reads").expect_err("trouble").to_string()
        };
        let cut = trouble(&|| fs::write(&path, "o").expect("cut"));
        assert_eq!(cut, "the file was cut to 1 bytes while it was followed");
        let other = dir.path().join("other");
        let replaced = trouble(&|| {
            fs::write(&other, "others").expect("a file");
            fs::rename(&other, &path).expect("replaced");
        });
        assert_eq!(replaced, "another file took its place while it was followed");
    }
}
