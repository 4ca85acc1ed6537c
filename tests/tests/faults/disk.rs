//! A full disk: writes are refused with a clear answer, nothing is half-done, and all goes on once there is room.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;
use tempfile::TempDir;
use todo_tests::{
    SOON,
    books::{Books, Lenience, left_to_do},
    eventually,
    process::Process,
};

use crate::load::{now, now_micros};

/// A small disk of its own; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None`, said aloud, where nobody may mount.
    fn mount(path: &Path) -> Option<Self> {
        fs::create_dir(path).expect("a directory");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(path).output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED: a full disk (mounting a small tmpfs needs root): {mounted:?}");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    let scratch = TempDir::new().expect("a scratch directory");
    let Some(disk) = Disk::mount(&scratch.path().join("disk")) else { return };
    let data = disk.0.join("data");
    let process = Process::start(&data).await;
    let mut rest = process.rest();
    rest.sign_up("ann").await;
    let mut kept = Vec::new();
    for number in 0..10 {
        kept.push(rest.create(json!({ "title": format!("before {number}") })).await);
    }
    let ballast = disk.0.join("ballast");
    let mut file = fs::File::create(&ballast).expect("a file");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);

    // What fits into the pages that the files have already is still taken.
    let mut refused = 0;
    for number in 0..200 {
        let body = json!({ "title": format!("full {number}"), "description": "x".repeat(2_000) });
        let answer = rest.post("/api/tasks", &body).await;
        match answer.status.as_u16() {
            201 => kept.push(answer.body),
            503 => {
                assert_eq!(answer.code(503), "SERVICE_UNAVAILABLE");
                refused += 1;
            }
            status => panic!("{status}: {}\n{}", answer.body, process.log()),
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk never was full");
    assert_eq!(rest.tasks("").await.len(), kept.len(), "reading goes on");

    fs::remove_file(&ballast).expect("it was there");
    kept.push(rest.create(json!({ "title": "after" })).await);
    eventually("it catches up", SOON, || async { (left_to_do(&data, now_micros()).await == 0).then_some(()) }).await;
    let there = rest.tasks("").await;
    assert_eq!(there.len(), kept.len());
    for (there, kept) in there.iter().zip(&kept) {
        assert_eq!(there, kept);
    }
    process.stop().await;
    let wrong = Books::read(&data).await.audit(now(), Lenience::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
