//! What captures are read from: files, streams, a file that grows, the built-in incident.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context, Result, bail};

use super::cli::Input;
use crate::io::bpf::FrameFilter;
use crate::io::{Following, Watch, file};
use crate::journal::{CapturePlace, CaptureReader, Captures};
use crate::wire::LinkType;

/// The demo's capture.
static DEMO: &[u8] = include_bytes!("../../assets/demo.pcapng.gz");

/// Captures that can be opened, once or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Demo,
    /// One, or several that are read as one in order of time.
    Files(Vec<PathBuf>),
    /// A file of which the end is waited on.
    Growing(PathBuf),
}

impl Origin {
    /// What the command line asks to be read; `None` where it names no file.
    ///
    /// # Errors
    /// Where more is asked of the files than they can give.
    pub(super) fn of(paths: &[PathBuf], follow: bool) -> Result<Option<Self>> {
        if paths.iter().filter(|path| file::is_stdin(path)).count() > 1 {
            bail!("-r - is given more than once: stdin is one stream");
        }
        match paths {
            [] => Ok(None),
            [only] if follow && !file::can_reopen(only) => {
                bail!("--follow is for files: {} is a stream, and read as it comes without it", name_of(only))
            }
            [only] if follow => Ok(Some(Self::Growing(only.clone()))),
            _ if follow => bail!("--follow reads one file: -r is given {} times", paths.len()),
            _ => Ok(Some(Self::Files(paths.to_vec()))),
        }
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Demo => "built-in incident".to_owned(),
            Self::Files(paths) if paths.len() > 1 => format!("{} and {} more", name_of(&paths[0]), paths.len() - 1),
            Self::Files(_) => self.name_of_file(0),
            Self::Growing(path) => format!("{} (followed)", name_of(path)),
        }
    }

    /// What to call one of its files.
    pub(super) fn name_of_file(&self, file: usize) -> String {
        self.paths().get(file).map_or_else(|| self.name(), |path| name_of(path))
    }

    /// Whether it can be read from its start again.
    pub(super) fn can_reopen(&self) -> bool {
        self.paths().iter().all(|path| file::can_reopen(path))
    }

    /// The same as far as it has come: a file that grows has an end then.
    pub(super) fn so_far(&self) -> Self {
        match self {
            Self::Growing(path) => Self::Files(vec![path.clone()]),
            other => other.clone(),
        }
    }

    /// Whether more may come at any time, of which nothing is held back.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Growing(_)) || !self.can_reopen()
    }

    /// Its length, where it has one that is worth to be told.
    pub(super) fn length(&self) -> Option<u64> {
        let lengths = self.paths().iter().map(|path| file::length(path));
        lengths.sum::<Option<u64>>().filter(|_| *self != Self::Demo)
    }

    /// Opens what it is read from, at places in it or at the start. What is read is counted in `read`; once `watch`
    /// is stopped, a file that grows has an end.
    ///
    /// # Errors
    /// Where a file cannot be opened or is no capture, or where a recording is among several.
    pub(super) fn open(
        &self,
        from: Option<&[CapturePlace]>,
        read: &Arc<AtomicU64>,
        watch: &Arc<Watch>,
    ) -> Result<Captures> {
        let count = self.paths().len().max(1);
        let readers = (0..count).map(|file| {
            let place = from.and_then(|from| from.get(file));
            let input = self.open_file(file, place.map_or(0, CapturePlace::begins_at), watch)?;
            let input = Box::new(file::Counted::new(input, read.clone()));
            let reader = match place {
                Some(place) => CaptureReader::resume(input, place),
                None => CaptureReader::open(input),
            };
            reader.with_context(|| self.name_of_file(file))
        });
        let readers: Vec<_> = readers.collect::<Result<_>>()?;
        if let Some(file) = readers.iter().position(CaptureReader::is_recording).filter(|_| count > 1) {
            bail!("{} is a recording: one is read alone, not together with other files", self.name_of_file(file));
        }
        Ok(Captures::new(readers))
    }

    fn open_file(&self, file: usize, at: u64, watch: &Arc<Watch>) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Demo => Ok(Box::new(&DEMO[usize::try_from(at).unwrap_or(0).min(DEMO.len())..])),
            Self::Files(paths) => file::open_capture_at(&paths[file], at).with_context(|| cannot_open(&paths[file])),
            Self::Growing(path) => {
                let followed = Following::open(path, at, watch.clone()).with_context(|| cannot_open(path))?;
                Ok(Box::new(followed))
            }
        }
    }

    fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Demo => &[],
            Self::Files(paths) => paths,
            Self::Growing(path) => std::slice::from_ref(path),
        }
    }
}

/// Takes the files among the first words of the filter for what they are: a shell makes several words of `-r day.pcap*`.
/// A word is one if it names a capture; behind one also if it names a file that is called as the first, but for the
/// extension or all before it.
///
/// # Errors
/// Where an option stands behind them: it would be taken for a filter; where a file is named without `-r`.
pub(super) fn take_files(Input { read, bpf, .. }: &mut Input) -> Result<()> {
    if read.is_empty() {
        return check_for_file(bpf);
    }
    let is_capture = |path: &Path| file::open_capture(path).is_ok_and(|input| CaptureReader::open(input).is_ok());
    let first = read[0].clone();
    let is_called_alike = |path: &Path| {
        path.file_stem() == first.file_stem() || (first.extension().is_some() && path.extension() == first.extension())
    };
    let mut taken = 0;
    for path in bpf.iter().map(PathBuf::from) {
        let may_be_one = file::can_reopen(&path) && path.is_file();
        if !(may_be_one && (taken > 0 && is_called_alike(&path) || is_capture(&path))) {
            break;
        }
        read.push(path);
        taken += 1;
    }
    bpf.drain(..taken);
    match bpf.first().filter(|word| taken > 0 && word.starts_with('-')) {
        Some(option) => bail!("{option} stands behind several files: options come first, then -r with the files"),
        None => Ok(()),
    }
}

/// The extensions that captures have.
const EXTENSIONS: [&str; 4] = ["pcap", "pcapng", "gz", "zst"];

/// A file named without `-r` would be a filter that nobody means so.
///
/// # Errors
/// Where the first word is a file, or is called as a capture is, and the words are no filter.
fn check_for_file(bpf: &[String]) -> Result<()> {
    let Some(word) = bpf.first() else { return Ok(()) };
    let path = Path::new(word);
    let called_so = path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
    if (called_so || path.is_file()) && FrameFilter::new(&bpf.join(" ")).check(LinkType::ETHERNET).is_err() {
        bail!("{word:?} is no filter; to read a file: -r {word}");
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    if file::is_stdin(path) { "stdin".to_owned() } else { crate::base::scrub(&path.display().to_string()) }
}

fn cannot_open(path: &Path) -> String {
    format!("cannot open {}", crate::base::scrub(&path.display().to_string()))
}
