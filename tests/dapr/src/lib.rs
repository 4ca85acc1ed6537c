//! A real Redis and real daprds for the tests of one process.
//!
//! Everything listens on loopback only and lives in scratch directories; a process ends with its value.

mod components;
mod daprd;
mod process;
mod redis;

use std::io::Write;

pub use components::{Components, Cron, GROUP_OF_SECRETS, Resources, STORE_OF_SECRETS};
pub use daprd::{Daprd, Options, command, program};
pub use process::free_port;
pub use redis::Redis;

/// Whether Redis and daprd are there to be started. `false`, said aloud, when one is missing; with the environment
/// variable `CI` set that is a failure.
///
/// # Panics
/// When one is missing in CI.
#[must_use]
pub fn installed() -> bool {
    let missing = match (process::exists("redis-server"), daprd::program()) {
        (true, Some(_)) => return true,
        (false, _) => "Redis is not installed (apt-get install redis-server)",
        (_, None) => "daprd is not installed (run tools/daprd/build)",
    };
    #[expect(clippy::disallowed_methods, reason = "a skip is visible here and a failure in CI")]
    let in_ci = std::env::var("CI").is_ok();
    assert!(!in_ci, "{missing}, and CI skips nothing");
    // Past the test harness's capture.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    false
}
