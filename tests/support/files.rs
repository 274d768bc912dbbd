//! Files for a test, in a directory that goes with it.
//!
//! May touch that directory.

use std::fs;

use tempfile::TempDir;

/// A directory with files of the given names and bytes.
pub(crate) struct Files(pub(crate) TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = TempDir::new().expect("a directory");
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).expect("a file");
        }
        Self(dir)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a plain name").to_owned()
    }
}
