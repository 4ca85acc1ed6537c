//! The clock of a process in the test's hand, by libfaketime: it moves what the process is told of the wall clock, and
//! leaves the monotonic one alone, as when an operator or a time server sets a machine's clock.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;

/// A clock that can be set while its process runs.
#[derive(Debug)]
pub struct Clock {
    offset: PathBuf,
}

impl Clock {
    /// One that goes right, and the environment of the process that it is for. `None`, said aloud, when libfaketime is
    /// not installed; with the environment variable `CI` set that is a failure.
    pub(super) fn new(offset: PathBuf) -> Option<(Self, [(&'static str, String); 4])> {
        let library = library()?;
        let clock = Self { offset };
        clock.set(TimeDelta::zero());
        let environment = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.offset.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        Some((clock, environment))
    }

    /// Makes it so much fast, or slow.
    ///
    /// # Panics
    /// When the file that says so cannot be written.
    pub fn set(&self, offset: TimeDelta) {
        // As a whole: the process reads it whenever it asks for the time.
        let new = self.offset.with_extension("new");
        fs::write(&new, format!("{:+}", offset.num_seconds())).expect("it is written");
        fs::rename(&new, &self.offset).expect("it takes the old one's place");
    }
}

/// Where Debian's package puts it.
fn library() -> Option<PathBuf> {
    let of_each = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let library = of_each.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| Path::exists(path));
    if library.is_none() {
        let missing = "libfaketime is not installed (apt-get install faketime)";
        #[expect(clippy::disallowed_methods, reason = "a skip is visible here and a failure in CI")]
        let in_ci = std::env::var("CI").is_ok();
        assert!(!in_ci, "{missing}, and CI skips nothing");
        // Past the test harness's capture.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    }
    library
}
