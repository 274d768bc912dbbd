//! The file or stream that a recording goes to: whole blocks or nothing.
//!
//! May touch that file alone. Read first: open(2) (O_EXCL), write(2) (short writes, ENOSPC, EDQUOT, EFBIG, EPIPE),
//! ftruncate(2), pipe(7) and ioctl(2)'s FIONREAD (what a closed reader left unread).

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec};

/// Type of the block that holds a frame (pcapng §4.3).
const ENHANCED_PACKET: u32 = 6;
/// Bytes that a pipe can hold at most (/proc/sys/fs/pipe-max-size is 1 MiB unless raised).
const PIPE: u64 = 1 << 20;

/// An output that recordings are written to. What is in it is whole blocks at any time, but for what a write in
/// progress has not come to.
#[derive(Debug)]
pub struct RecordingFile {
    out: File,
    kind: Kind,
    /// Bytes that were written, those of a torn block too.
    written: u64,
    /// Bytes and frames of the whole blocks among them.
    bytes: u64,
    frames: u64,
}

#[derive(Debug)]
enum Kind {
    /// A file, from `start` on.
    File { start: u64, place: Place },
    /// Where the frames written last end: a reader may leave them in the pipe.
    Stream { ends: VecDeque<u64> },
}

/// Where a file stands once it is whole.
#[derive(Debug)]
enum Place {
    /// Wherever whoever opened it knows.
    Elsewhere,
    There,
    Beside {
        path: PathBuf,
        wanted: PathBuf,
    },
}

/// Why nothing more can be written. All whole blocks that could be are there, and of a file nothing else.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(io::Error);

impl RecordingFile {
    /// Creates a file that is not there yet, readable by its owner alone; follows no link. To `replace` one that may
    /// be there, writes beside it, and puts it in its place once it is whole. `-` is stdout.
    ///
    /// # Errors
    /// Where it is there already, or cannot be created.
    pub fn create(path: &Path, replace: bool) -> io::Result<Self> {
        if super::file::is_stdout(path) {
            return Self::open(File::from(io::stdout().as_fd().try_clone_to_owned()?));
        }
        let (at, place) = if replace {
            let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
            name.push(format!(".{}.part", std::process::id()));
            let beside = path.with_file_name(name);
            (beside.clone(), Place::Beside { path: beside, wanted: path.to_owned() })
        } else {
            (path.to_owned(), Place::There)
        };
        let out = File::options().write(true).create_new(true).mode(0o600).open(at)?;
        Ok(Self::new(out, Kind::File { start: 0, place }))
    }

    /// Writes to what is open already.
    fn open(mut out: File) -> io::Result<Self> {
        let meta = out.metadata()?;
        let start = if meta.is_file() { out.stream_position()? } else { 0 };
        // What is appended to may not be cut: another may write there too.
        let kind = if meta.is_file() && start == meta.len() {
            Kind::File { start, place: Place::Elsewhere }
        } else {
            Kind::Stream { ends: VecDeque::new() }
        };
        Ok(Self::new(out, kind))
    }

    fn new(out: File, kind: Kind) -> Self {
        Self { out, kind, written: 0, bytes: 0, frames: 0 }
    }

    /// Where it is written now, if that is not where it was asked for: beside the file whose place it will take.
    pub fn beside(&self) -> Option<&Path> {
        match &self.kind {
            Kind::File { place: Place::Beside { path, .. }, .. } => Some(path),
            _ => None,
        }
    }

    /// Bytes of whole blocks that are there.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Frames that are there; of a pipe whose reader went away, those that it took.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Writes whole blocks, so many of them frames.
    ///
    /// # Errors
    /// Where not all of them can be: the output then ends behind the last block that could. It is to be written to no
    /// more.
    pub fn write(&mut self, blocks: &[u8], frames: u64) -> Result<(), Stopped> {
        let mut done = 0;
        let result = loop {
            if done == blocks.len() {
                break Ok(());
            }
            match self.out.write(&blocks[done..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.written += done as u64;
        if done == blocks.len() && matches!(self.kind, Kind::File { .. }) {
            self.bytes += done as u64;
            self.frames += frames;
        } else {
            self.count(blocks, done);
        }
        result.map_err(|cause| self.stop(cause))
    }

    /// Counts the blocks that are whole in the first `done` bytes.
    fn count(&mut self, blocks: &[u8], done: usize) {
        let mut at = 0;
        for (len, is_frame) in blocks_of(blocks) {
            at += len;
            if at > done {
                break;
            }
            self.bytes += len as u64;
            self.frames += u64::from(is_frame);
            if let (Kind::Stream { ends }, true) = (&mut self.kind, is_frame) {
                ends.push_back(self.bytes);
            }
        }
        if let Kind::Stream { ends } = &mut self.kind {
            while ends.front().is_some_and(|end| end + PIPE < self.bytes) {
                ends.pop_front();
            }
        }
    }

    /// Takes what is torn off a file's end, and learns of a pipe what its reader took.
    fn stop(&mut self, cause: io::Error) -> Stopped {
        match &mut self.kind {
            Kind::File { start, .. } => {
                if let Err(error) = self.out.set_len(*start + self.bytes) {
                    return Stopped(io::Error::new(cause.kind(), format!("{cause}; its end is torn: {error}")));
                }
            }
            Kind::Stream { ends } => {
                let unread = if is_pipe(&self.out) { rustix::io::ioctl_fionread(&self.out).unwrap_or(0) } else { 0 };
                let taken = self.written.saturating_sub(unread);
                let kept = ends.partition_point(|end| *end <= taken);
                self.frames -= (ends.len() - kept) as u64;
                ends.truncate(kept);
            }
        }
        Stopped(cause)
    }

    /// Nothing more is written: sees that a file is on the disk, and puts it in its place.
    ///
    /// # Errors
    /// Where the disk tells now what it did not tell at the writes; where the reader of a pipe has gone; where the file
    /// was deleted, or cannot take the other's place.
    pub fn finish(&mut self) -> Result<(), Stopped> {
        if matches!(self.kind, Kind::Stream { .. }) {
            let gone = is_pipe(&self.out) && reader_is_gone(&self.out);
            return if gone { Err(self.stop(io::Error::from(rustix::io::Errno::PIPE))) } else { Ok(()) };
        }
        self.out.sync_data().map_err(Stopped)?;
        self.check_is_there()?;
        match &self.kind {
            Kind::File { place: Place::Beside { path, wanted }, .. } => fs::rename(path, wanted).map_err(Stopped),
            _ => Ok(()),
        }
    }

    /// A file that no folder lists any more holds nothing for anybody.
    fn check_is_there(&mut self) -> Result<(), Stopped> {
        let Kind::File { place: place @ (Place::There | Place::Beside { .. }), .. } = &mut self.kind else {
            return Ok(());
        };
        if self.out.metadata().map_err(Stopped)?.nlink() > 0 {
            return Ok(());
        }
        *place = Place::Elsewhere;
        (self.bytes, self.frames) = (0, 0);
        Err(Stopped(io::Error::other("it was deleted while it was written")))
    }
}

fn is_pipe(out: &File) -> bool {
    out.metadata().is_ok_and(|meta| meta.file_type().is_fifo())
}

fn reader_is_gone(out: &File) -> bool {
    let mut fds = [PollFd::new(out, PollFlags::OUT)];
    rustix::event::poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
        && fds[0].revents().contains(PollFlags::ERR)
}

/// The length of each block, and whether it is a frame.
fn blocks_of(mut bytes: &[u8]) -> impl Iterator<Item = (usize, bool)> {
    std::iter::from_fn(move || {
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let (kind, len) = (word(0)?, word(4)? as usize);
        bytes = bytes.get(len..).unwrap_or_default();
        (len >= 12).then_some((len, kind == ENHANCED_PACKET))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A block of that type around `body`, which is a multiple of four.
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes()[..], &len, body, &len].concat()
    }

    #[test]
    fn a_file_is_new_its_owners_alone_and_no_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        let mut file = RecordingFile::create(&path, false).unwrap();
        file.write(&[block(1, &[]), block(6, &[0; 20])].concat(), 1).unwrap();
        file.finish().unwrap();
        assert_eq!((file.bytes(), file.frames()), (44, 1));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(folder.path().join("c"), &link).unwrap();
        for taken in [&path, &link] {
            let error = RecordingFile::create(taken, false).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{}", taken.display());
        }
        assert_eq!(path.metadata().unwrap().len(), 44);
    }

    #[test]
    fn another_is_replaced_only_once_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut file = RecordingFile::create(&path, true).unwrap();
        file.write(&block(1, &[]), 0).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), block(1, &[]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_was_deleted_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (replace, end) in [(false, ""), (true, ".part")] {
            let mut file = RecordingFile::create(&path, replace).unwrap();
            file.write(&block(6, &[0; 20]), 1).unwrap();
            let entry = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            assert!(entry.to_str().unwrap().ends_with(end));
            fs::remove_file(entry).unwrap();
            assert_eq!(file.finish().unwrap_err().to_string(), "it was deleted while it was written");
            assert_eq!((file.bytes(), file.frames(), file.beside()), (0, 0, None));
        }
        // What was given is the giver's: a file without a name, say.
        let mut given = RecordingFile::open(tempfile::tempfile().unwrap()).unwrap();
        given.write(&block(6, &[0; 20]), 1).unwrap();
        assert!(given.finish().is_ok() && given.frames() == 1);
    }

    #[test]
    fn of_a_pipe_counts_what_its_reader_took() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut out = RecordingFile::open(File::from(std::os::fd::OwnedFd::from(writer))).unwrap();
        let frames = [block(6, &[0; 20]), block(6, &[0; 24]), block(9, &[]), block(6, &[])].concat();
        out.write(&frames, 3).unwrap();
        assert_eq!(out.frames(), 3);
        // The second whole, and a byte of what follows.
        reader.read_exact(&mut [0; 32 + 36 + 1]).unwrap();
        drop(reader);
        assert!(out.finish().is_err(), "its reader has gone");
        assert_eq!(out.frames(), 2);
        let mut out = RecordingFile::open(File::options().write(true).open("/dev/full").unwrap()).unwrap();
        assert!(out.write(&frames, 3).is_err());
        assert_eq!((out.bytes(), out.frames()), (0, 0));
    }

    #[test]
    fn blocks_are_counted_as_far_as_they_are_whole() {
        let blocks = [block(6, &[0; 20]), block(1, &[0; 8]), block(6, &[])].concat();
        for (done, expected) in [(0, (0, 0)), (31, (0, 0)), (32, (32, 1)), (51, (32, 1)), (52, (52, 1)), (64, (64, 2))]
        {
            let mut out = RecordingFile::new(tempfile::tempfile().unwrap(), Kind::Stream { ends: VecDeque::new() });
            out.count(&blocks, done);
            assert_eq!((out.bytes(), out.frames()), expected, "{done}");
        }
    }
}
