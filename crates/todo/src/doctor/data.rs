//! What is on disk, and the database.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use todo_domain::Clock;
use todo_runtime::status::Chain;

use super::Report;
use crate::database::Database;

/// How far the database's clock may be from this machine's.
const APART: TimeDelta = TimeDelta::seconds(5);

/// The data directory of `todo all`: whether it can be written, and read by others.
pub(super) fn directory(report: &mut Report, path: &Path) {
    let shown = path.display();
    let exposed: Vec<PathBuf> =
        [path.to_owned(), path.join("secrets.json")].into_iter().filter(|path| others_may(path)).collect();
    match tempfile::tempfile_in(path) {
        Ok(_) if exposed.is_empty() => report.ok("data directory", shown.to_string()),
        Ok(_) => {
            for path in exposed {
                let mend = format!("others may look into {0}: chmod go= {0}", path.display());
                report.degraded("data directory", mend);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.ok(
                "data directory",
                format!("{shown} is not there yet: the first start makes it (--data-dir, DATA_DIR)"),
            );
        }
        Err(error) => {
            let mend = "give it to the user that runs todo, or choose another (--data-dir, DATA_DIR)";
            report.failed("data directory", format!("{shown} cannot be written: {error}: {mend}"));
        }
    }
}

#[cfg(unix)]
fn others_may(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may(_: &Path) -> bool {
    false
}

/// The database: whether it is there and can be written, its schema, its clock.
pub(super) async fn database(report: &mut Report, database: &Database, clock: &dyn Clock) {
    if matches!(database, Database::Sqlite(path) if !path.exists()) {
        return report.ok("database", format!("{database} is not there yet: the first start makes it"));
    }
    let found = match database.inspect().await {
        Ok(found) => found,
        Err(error) => {
            let mend = "start it, or mend its URL (--database-url, DATABASE_URL, the secret database-url)";
            return report.failed("database", format!("{database} cannot be used: {}: {mend}", Chain(&error)));
        }
    };
    if let Err(error) = &found.writable {
        let mend = "give the user or login the right to write, or name the server that takes writes";
        report.failed("database", format!("{database} can be read and not written: {}: {mend}", Chain(error)));
    }
    match found.schema {
        None => report.ok("database", format!("{database} is empty: the first start makes the schema")),
        Some(schema) if schema < found.known => {
            let next = format!("the next start, or `todo migrate`, brings it to {}", found.known);
            report.ok("database", format!("{database}, schema {schema}: {next}"));
        }
        Some(schema) if schema > found.known => {
            let newer = format!("newer than this release knows ({}), as after a rollback", found.known);
            report.ok("database", format!("{database}, schema {schema}: {newer}"));
        }
        Some(schema) => report.ok("database", format!("{database}, schema {schema}")),
    }
    let Some(now) = found.now else { return };
    let apart = now - clock.now();
    let said = format!("the database's is {} ms from this machine's", apart.num_milliseconds());
    if apart.abs() > APART {
        report.degraded("clock", format!("{said}: have both set by NTP, or reminders ring at the wrong time"));
    } else {
        report.ok("clock", said);
    }
}
