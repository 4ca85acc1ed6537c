//! The machine and the code that were measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use todo_domain::Clock;
use todo_runtime::system::SystemClock;

use crate::{Result, stats::megabytes};

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Date, commit, processor, memory, file system.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory =
        field("/proc/meminfo", "MemTotal").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let scratch = std::env::temp_dir();
    let scratch_type = said("stat", &["-f", "-c", "%T", &scratch.to_string_lossy()]).unwrap_or_default();
    format!(
        "- Date: {}\n- Commit: {}\n- Machine: {cores} cores ({}), {} GB of memory, Linux {}\n- Data in {} ({scratch_type}); build: {}\n- {}",
        SystemClock.now().format("%Y-%m-%d %H:%M UTC"),
        commit(),
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        memory.unwrap_or_default() / 1_000_000,
        said("uname", &["-r"]).unwrap_or_default(),
        scratch.display(),
        if cfg!(debug_assertions) { "debug, which says nothing about speed" } else { "release" },
        load(cores),
    )
}

/// What else the machine was doing.
fn load(cores: usize) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().and_then(|load| load.parse::<f64>().ok()).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a few cores")]
    let busy = load > cores as f64 * 0.3;
    let care = if busy { "; **other work shared its cores: take latencies with care, p99 above all**" } else { "" };
    format!("Load average when it began: {load}{care}")
}

fn commit() -> String {
    let root = root();
    let root = root.to_string_lossy();
    match said("git", &["-C", &root, "rev-parse", "--short", "HEAD"]) {
        None => "unknown".to_owned(),
        Some(commit) => match said("git", &["-C", &root, "status", "--porcelain"]).as_deref() {
            Some("") => commit,
            _ => format!("{commit} with changes that are not committed"),
        },
    }
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A field of a file of `name: value` lines, as /proc has them.
pub(crate) fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory of a process in megabytes, by a field of proc(5) status such as `VmRSS`.
pub(crate) fn memory(process: u32, field_name: &str) -> Result<f64> {
    kilobytes(&format!("/proc/{process}/status"), field_name)
}

fn kilobytes(path: &str, field_name: &str) -> Result<f64> {
    let value = field(path, field_name).ok_or("no /proc on this system, or no process")?;
    let kilobytes: u64 = value.split_whitespace().next().unwrap_or_default().parse()?;
    Ok(megabytes(kilobytes * 1024))
}

/// What a process has of the memory in megabytes, pages that others share with it in part, by proc(5) `smaps_rollup`.
pub(crate) fn share_of_memory(process: u32) -> Result<f64> {
    kilobytes(&format!("/proc/{process}/smaps_rollup"), "Pss")
}

/// Processor time that a process has used, in milliseconds; of this one for `self`.
pub(crate) fn processor_ms(process: &str) -> u64 {
    // Fields 14 and 15 of proc(5) stat, in ticks of 10 ms; the second field may hold spaces.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
