//! `todo backup` and `todo restore`: the database as one file. What else the data directory holds is not in it: the
//! sidecar's file, which can be missing, and the secrets, which are kept apart from what they guard.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use chrono::SecondsFormat;
use tempfile::NamedTempFile;
use todo_backend::store::sqlite;
use todo_domain::Clock as _;
use todo_runtime::{status::Chain, system::SystemClock};

use crate::{
    data::{self, Directory},
    database::Database,
};

/// By how much revisions grow at a restore: more than anyone changes between a backup and its restore, and so little that
/// they stay exact in JSON (2^53) over millions of restores.
const JUMP: i64 = 1_000_000_000;

/// `todo backup`: copies the database as it is at one moment, while the server runs.
///
/// # Errors
/// A sentence: it is Postgres, there is no database, or the file is there already or cannot be written. Then there is no
/// file.
pub async fn backup(database: &Database, file: &Path) -> Result<(), String> {
    let Database::Sqlite(path) = database else {
        return Err("a Postgres database is backed up by its own program: pg_dump --format=custom --file=FILE URL \
                    (docs/operations.md)"
            .to_owned());
    };
    if !path.exists() {
        return Err(format!(
            "there is no database at {} (--data-dir, DATA_DIR; --database-url, DATABASE_URL)",
            path.display()
        ));
    }
    if file.exists() {
        return Err(format!("{} is there already: name a new file", file.display()));
    }
    let fail = |error: &dyn std::fmt::Display| format!("the backup {} cannot be written: {error}", file.display());
    let draft = draft(folder(file)).map_err(|error| fail(&error))?;
    let name = draft.path().to_str().ok_or_else(|| fail(&"its path is not UTF-8"))?;
    sqlite::backup::copy(path, name).await.map_err(|error| fail(&Chain(&error)))?;
    let bytes = keep(draft, file).map_err(|error| fail(&error))?;
    println!("{} holds the database {database}: {bytes} bytes", file.display());
    Ok(())
}

/// `todo restore`: puts a backup in the place of the database, its revisions greater than any that was lost.
///
/// # Errors
/// A sentence: another process uses the data directory, it holds a database, or the backup cannot be used. Then nothing
/// was changed.
pub async fn restore(data_dir: &Path, database: &Database, file: Option<&Path>, force: bool) -> Result<(), String> {
    match (database, file) {
        (Database::Sqlite(path), Some(file)) => {
            let directory = Directory::open(data_dir)?;
            replace(path, &directory.file("sidecar.db"), file, force).await?;
            println!("{database} is restored from {}", file.display());
        }
        (Database::Sqlite(_), None) => return Err("takes the file that `todo backup` wrote".to_owned()),
        (Database::Postgres(_), Some(_)) => {
            return Err("a Postgres database is restored by its own program: pg_restore --dbname=URL FILE, and then \
                        `todo restore` without a file (docs/operations.md)"
                .to_owned());
        }
        (Database::Postgres(_), None) => {
            jump(database).await?;
            println!("{database} is ready: start the server");
        }
    }
    Ok(())
}

async fn replace(path: &Path, sidecar: &Path, file: &Path, force: bool) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("the backup {} cannot be used: {error}", file.display());
    let old: Vec<_> = [path, sidecar].into_iter().flat_map(parts).filter(|part| part.exists()).collect();
    if !old.is_empty() && !force {
        return Err(format!(
            "{} is there already: choose another directory by --data-dir, or move what is there aside by --force",
            old[0].display()
        ));
    }
    if parts(file).skip(1).any(|part| part.exists()) {
        return Err(fail(&"it is in use, or was copied from a database in use; `todo backup` makes one"));
    }
    // All is done to a copy, of which nothing is left if it fails.
    let draft = draft(folder(path)).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    let copied = File::open(file).and_then(|mut file| io::copy(&mut file, &mut draft.as_file()));
    copied.map_err(|error| fail(&error))?;
    sqlite::backup::check(draft.path()).await.map_err(|error| fail(&error))?;
    jump(&Database::Sqlite(draft.path().to_owned())).await?;
    if !old.is_empty() {
        aside(&old).map_err(|error| format!("{} cannot be moved aside: {error}", old[0].display()))?;
    }
    keep(draft, path).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(())
}

/// Brings the schema up to date and the revisions ahead.
async fn jump(database: &Database) -> Result<(), String> {
    let store = database.open().await?;
    let jumped = async {
        let mut tx = store.begin().await?;
        tx.jump(JUMP).await?;
        tx.commit().await
    };
    let jumped = jumped.await.map_err(|error| format!("the database {database} cannot be used: {}", Chain(&error)));
    store.close().await;
    jumped
}

/// A database file, and those that SQLite keeps beside it.
fn parts(path: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal", "-shm", "-journal"].into_iter().map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        name.into()
    })
}

/// Moves files into a new directory beside them.
fn aside(files: &[PathBuf]) -> io::Result<()> {
    let time = SystemClock.now().to_rfc3339_opts(SecondsFormat::Millis, true).replace([':', '-'], "");
    for file in files {
        let directory = folder(file).join(format!("before-restore-{time}"));
        data::make(&directory)?;
        fs::rename(file, directory.join(file.file_name().unwrap_or_default()))?;
        println!("{} is in {} now", file.display(), directory.display());
    }
    Ok(())
}

/// An empty file for its owner alone, which goes unless it is kept.
fn draft(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".todo-").suffix(".new").tempfile_in(directory)
}

/// Gives a draft its name once it is on disk, never over another file; answers its size.
fn keep(draft: NamedTempFile, path: &Path) -> io::Result<u64> {
    draft.as_file().sync_all()?;
    let bytes = draft.as_file().metadata()?.len();
    draft.persist_noclobber(path)?;
    File::open(folder(path))?.sync_all()?;
    Ok(bytes)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
