//! Files in and out: captures (or a stream on stdin) to be read, pictures and reports to be written.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of an output that are written together.
const BUFFER: usize = 128 << 10;

/// Opens a capture; `-` is stdin.
///
/// # Errors
/// Where the file cannot be opened, or is a directory; where stdin is a terminal, on which nobody types captures.
pub fn open_capture(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if is_stdin(path) {
        if io::stdin().is_terminal() {
            return Err(io::Error::other("stdin is a terminal: pipe a capture into it"));
        }
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(Box::new(file))
}

/// Opens a capture some bytes behind its start.
///
/// # Errors
/// As [`open_capture`]; where it cannot be read from there.
pub fn open_capture_at(path: &Path, offset: u64) -> io::Result<Box<dyn Read + Send>> {
    if offset == 0 {
        return open_capture(path);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(Box::new(file))
}

/// Whether the path means the stream on stdin.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether the path means the stream on stdout.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether a path can be read a second time from its start.
pub fn can_reopen(path: &Path) -> bool {
    // One that is gone by now cannot either, but to open it says so.
    !is_stdin(path) && path.metadata().map_or(true, |meta| meta.is_file())
}

/// How long a file is, in bytes; `None` of what has no length, such as a stream.
pub fn length(path: &Path) -> Option<u64> {
    let meta = path.metadata().ok().filter(|_| !is_stdin(path))?;
    meta.is_file().then_some(meta.len())
}

/// Counts what is read through it, for others to see.
#[derive(Debug)]
pub struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// Counts into `read`.
    pub fn new(inner: R, read: Arc<AtomicU64>) -> Self {
        Self { inner, read }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Creates (or overwrites) an output file; `-` is stdout.
///
/// # Errors
/// Where it cannot be created.
pub fn create_output(path: &Path) -> io::Result<Box<dyn Write>> {
    if is_stdout(path) {
        return Ok(Box::new(BufWriter::with_capacity(BUFFER, io::stdout().lock())));
    }
    Ok(Box::new(BufWriter::with_capacity(BUFFER, File::create(path)?)))
}

/// Creates a file that is not there yet, readable by its owner alone; follows no link.
///
/// # Errors
/// Where it is there already, or cannot be created.
pub fn create_new(path: &Path) -> io::Result<Box<dyn Write>> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Reads a small text: a theme, not a capture.
///
/// # Errors
/// Where it cannot be read, is no UTF-8, or is larger than a mebibyte.
pub fn read_text(path: &Path) -> io::Result<String> {
    const MOST: u64 = 1 << 20;
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
