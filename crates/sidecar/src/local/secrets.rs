//! Secrets from an explicit map, the environment or a file.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Error, Secret};

/// Looks up an environment variable. Passed in, because only the executable reads the environment.
pub type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where secrets come from; the first source that has a name wins.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Given values, by name.
    pub map: BTreeMap<String, Secret>,
    /// The environment: `jwt-secret` is looked up as `JWT_SECRET`. An empty variable counts as not set.
    pub environment: Option<Lookup>,
    /// A file with one JSON object of strings, read anew each time (Dapr: `secretstores.local.file`). A file that does
    /// not exist has no secrets.
    pub file: Option<PathBuf>,
}

impl Secrets {
    pub(super) async fn find(&self, name: &str) -> Result<Secret, Error> {
        if let Some(secret) = self.map.get(name) {
            return Ok(secret.clone());
        }
        if let Some(lookup) = &self.environment
            && let Some(value) = lookup(&name.to_uppercase().replace('-', "_"))
            && !value.is_empty()
        {
            return Ok(Secret::new(value));
        }
        if let Some(file) = &self.file {
            let bytes = match tokio::fs::read(file).await {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == ErrorKind::NotFound => return Err(Error::NotFound),
                Err(e) => return Err(Error::Unavailable(format!("the secrets file cannot be read: {}", e.kind()))),
            };
            // The parser's message would quote the file, so it is not passed on.
            let mut all: BTreeMap<String, String> = serde_json::from_slice(&bytes)
                .map_err(|_| Error::Unavailable("the secrets file is not a JSON object of strings".into()))?;
            return all.remove(name).map(Secret::new).ok_or(Error::NotFound);
        }
        Err(Error::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_source_wins_and_the_last_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets.json");
        let environment: Lookup = Arc::new(|name| match name {
            "JWT_SECRET" => Some("from the environment".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        });
        let mut secrets = Secrets { file: Some(file.clone()), ..Secrets::default() };
        let find = async |secrets: &Secrets, name: &str| secrets.find(name).await.map(|s| s.expose().to_owned());

        assert_eq!(find(&secrets, "jwt-secret").await, Err(Error::NotFound));
        std::fs::write(&file, r#"{"jwt-secret": "from the file", "empty": "also"}"#).unwrap();
        assert_eq!(find(&secrets, "jwt-secret").await.unwrap(), "from the file");
        assert_eq!(find(&secrets, "other").await, Err(Error::NotFound));
        secrets.environment = Some(environment);
        assert_eq!(find(&secrets, "jwt-secret").await.unwrap(), "from the environment");
        assert_eq!(find(&secrets, "empty").await.unwrap(), "also");
        secrets.map.insert("jwt-secret".into(), Secret::new("given"));
        assert_eq!(find(&secrets, "jwt-secret").await.unwrap(), "given");
    }

    #[tokio::test]
    async fn a_broken_file_is_not_the_same_as_no_secret_and_its_text_stays_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets.json");
        std::fs::write(&file, r#"{"jwt-secret": hunter2}"#).unwrap();
        let secrets = Secrets { file: Some(file), ..Secrets::default() };
        let error = secrets.find("jwt-secret").await.unwrap_err();
        assert!(matches!(&error, Error::Unavailable(text) if !text.contains("hunter2")), "{error:?}");
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
