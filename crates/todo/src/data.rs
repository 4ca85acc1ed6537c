//! The data directory: one process at a time, and a secret of its own.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use todo_push::Vapid;

/// A data directory that this process has for itself, until dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is missing and takes it.
    ///
    /// # Errors
    /// A sentence when it cannot be made or written, or another process has it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let fail = |error: io::Error| format!("the data directory {} cannot be used: {error}", path.display());
        make(path).map_err(fail)?;
        let lock = File::create(path.join("lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "another process uses the data directory {}; stop it, or choose another one by --data-dir",
                path.display()
            )),
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The file of secrets, readable by its owner alone, with those made that it lacks: `jwt-secret` and
    /// `vapid-private-key`. One that is there stays, be it empty.
    ///
    /// # Errors
    /// A sentence when it cannot be read or written.
    pub fn secrets(&self) -> Result<PathBuf, String> {
        let path = self.file("secrets.json");
        let mut secrets: BTreeMap<String, String> = match fs::read(&path) {
            // The parser's message would quote the file, so it is not passed on.
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| format!("{} is not a JSON object of strings", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
        };
        let known = secrets.len();
        for (name, make) in [("jwt-secret", random as fn() -> _), ("vapid-private-key", Vapid::generate)] {
            if !secrets.contains_key(name) {
                secrets.insert(name.to_owned(), make()?);
            }
        }
        if secrets.len() > known {
            // Written whole or not at all: half a file would be taken for a lost secret.
            let draft = self.file("secrets.json.new");
            write_private(&draft, &format!("{:#}\n", serde_json::json!(secrets)))
                .and_then(|()| fs::rename(&draft, &path))
                .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        }
        Ok(path)
    }
}

/// Makes a directory for its owner alone, if it is missing: tasks, hashes, and the secret that signs tokens are kept there.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn random() -> Result<String, String> {
    let mut bytes = [0_u8; 48];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no randomness: {error}"))?;
    Ok(bytes.iter().fold(String::new(), |secret, byte| secret + &format!("{byte:02x}")))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_process_at_a_time() {
        let scratch = tempfile::tempdir().unwrap();
        let first = Directory::open(scratch.path()).unwrap();
        assert!(Directory::open(scratch.path()).unwrap_err().contains("another process"));
        drop(first);
        assert!(Directory::open(scratch.path()).is_ok());
    }

    #[test]
    fn secrets_are_made_once_and_for_their_owner_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Directory::open(scratch.path()).unwrap();
        let made = fs::read_to_string(directory.secrets().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(directory.secrets().unwrap()).unwrap(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let bits = fs::metadata(directory.file("secrets.json")).unwrap().permissions().mode();
            assert_eq!(bits & 0o777, 0o600);
        }
    }

    #[test]
    fn secrets_that_are_there_stay_and_those_that_are_missing_are_made() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Directory::open(scratch.path()).unwrap();
        let with = |text: &str| {
            fs::write(directory.file("secrets.json"), text).unwrap();
            let text = fs::read(directory.secrets().unwrap()).unwrap();
            serde_json::from_slice::<BTreeMap<String, String>>(&text).unwrap()
        };
        let grown = with(r#"{"jwt-secret": "old", "llm-api-key": "mine"}"#);
        assert_eq!((grown["jwt-secret"].as_str(), grown["llm-api-key"].as_str()), ("old", "mine"));
        Vapid::parse(&grown["vapid-private-key"]).unwrap();
        let chosen = with(r#"{"jwt-secret": "old", "vapid-private-key": ""}"#);
        assert_eq!(chosen["vapid-private-key"], "");
        fs::write(directory.file("secrets.json"), "{").unwrap();
        directory.secrets().unwrap_err();
    }
}
