//! Password hashing: Argon2id (RFC 9106) with the parameters that OWASP advises (19 MiB, 2 passes, 1 lane), which are
//! the crate's defaults. Each hash is a PHC string that carries its own parameters.

use std::{sync::Arc, time::Duration};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use todo_domain::{Error, account::Password};
use tokio::sync::Semaphore;

/// Hashes computed at once: each takes 19 MiB and a core for tens of milliseconds.
const AT_ONCE: usize = 2;
/// Calls that may wait for their turn, some seconds at most; more are told to come back.
const WAITING: usize = 64;
const COME_BACK: Duration = Duration::from_secs(1);

/// What glibc maps anew for each use and gives back after it (its `DEFAULT_MMAP_THRESHOLD_MAX`): of what is smaller, each
/// thread that ever hashed would keep its share. Memory that is not touched costs nothing.
const MAPPED: usize = 32 << 20;

/// What no password matches: verified where there is no hash to verify, so that an unknown account takes as long to
/// refuse as a wrong password. A constant, because making one costs as much as a start may take.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm8gYWNjb3VudCBoYXM$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Computes hashes off the async threads, few at a time.
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    /// Those that compute and those that wait.
    places: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(AT_ONCE + WAITING)) }
    }

    /// Hashes a password with a random salt.
    pub(super) async fn hash(&self, password: Password) -> Result<String, Error> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password is that of the hash. It takes the same time when there is no hash, or no password that
    /// could have one.
    pub(super) async fn verify(&self, phc: Option<String>, password: Option<Password>) -> Result<bool, Error> {
        self.run(move || verify(phc.as_deref(), password.as_ref())).await
    }

    /// The hash of the new password, if the current one is right.
    pub(super) async fn replace(
        &self,
        phc: String,
        current: Option<Password>,
        new: Password,
    ) -> Result<Option<String>, Error> {
        self.run(move || if verify(Some(&phc), current.as_ref())? { hash(&new).map(Some) } else { Ok(None) }).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::rate_limited(COME_BACK))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        // Blocking work goes on when its caller has hung up, so it keeps the permits itself.
        let worker = tokio::task::spawn_blocking(move || {
            let (_place, _turn) = (place, turn);
            work()
        });
        worker.await.map_err(Error::internal)?
    }
}

/// Hashes a password with a random salt; blocks for tens of milliseconds.
pub(super) fn hash(password: &Password) -> Result<String, Error> {
    Ok(computed(password.as_bytes(), Salt::generate(), Params::default())?.to_string())
}

fn verify(phc: Option<&str>, password: Option<&Password>) -> Result<bool, Error> {
    let (phc, bytes) = match (phc, password) {
        (Some(phc), Some(password)) => (phc, password.as_bytes()),
        _ => (NOBODY, &b""[..]),
    };
    let stored = PasswordHash::new(phc).map_err(Error::internal)?;
    let salt = stored.salt.ok_or_else(|| Error::internal("a hash without its salt"))?;
    // Hashes compare in constant time; all else of them is the same.
    Ok(computed(bytes, salt, Params::try_from(&stored).map_err(Error::internal)?)? == stored)
}

fn computed(password: &[u8], salt: Salt, params: Params) -> Result<PasswordHash, Error> {
    let mut memory = Vec::with_capacity(params.block_count().max(MAPPED / Block::SIZE));
    memory.resize(params.block_count(), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let named = ParamsString::try_from(&params).map_err(Error::internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(password, &salt, &mut output, &mut memory).map_err(Error::internal)?;
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: named,
        salt: Some(salt),
        hash: Some(Output::new(&output).map_err(Error::internal)?),
    })
}

/// Reads a password that someone claims to have. `None`: no account can have it.
pub(super) fn claimed(password: &str) -> Option<Password> {
    Password::parse(password, "password").ok()
}

/// Makes a password for a person to copy: 100 random bits in letters and digits that are not mistaken for others.
pub(super) fn random() -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let mut text = String::with_capacity(23);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use todo_domain::Reason;

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text, "password").unwrap()
    }

    /// Everything of a PHC string but salt and hash: what decides how long verifying takes.
    fn cost(phc: &str) -> &str {
        let (rest, _hash) = phc.rsplit_once('$').unwrap();
        rest.rsplit_once('$').unwrap().0
    }

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let phc = hash(&password("correct horse")).unwrap();
        assert!(verify(Some(&phc), Some(&password("correct horse"))).unwrap());
        assert!(!verify(Some(&phc), Some(&password("correct house"))).unwrap());
        assert_ne!(phc, hash(&password("correct horse")).unwrap(), "salted");
    }

    /// Made by the reference implementation (<https://github.com/P-H-C/phc-winner-argon2>).
    #[test]
    fn a_hash_that_was_made_elsewhere_verifies() {
        let phc = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk";
        assert!(verify(Some(phc), Some(&password("correct horse"))).unwrap());
        assert!(!verify(Some(phc), Some(&password("correct house"))).unwrap());
    }

    #[test]
    fn the_same_password_typed_on_another_keyboard_is_the_same() {
        let phc = hash(&password("cafe\u{301} au lait")).unwrap();
        assert!(verify(Some(&phc), Some(&password("café au lait"))).unwrap());
    }

    #[test]
    fn refusing_nobody_costs_as_much_as_refusing_somebody() {
        let phc = hash(&password("correct horse")).unwrap();
        assert_eq!(cost(&phc), "$argon2id$v=19$m=19456,t=2,p=1");
        assert_eq!(cost(NOBODY), cost(&phc));
        let (stored, nobody) = (PasswordHash::new(&phc).unwrap(), PasswordHash::new(NOBODY).unwrap());
        assert_eq!(stored.hash.unwrap().len(), nobody.hash.unwrap().len());
        assert!(!verify(None, Some(&password("correct horse"))).unwrap());
        assert!(!verify(Some(&phc), None).unwrap());
    }

    #[test]
    fn a_stored_hash_that_is_none_is_our_fault() {
        assert_eq!(verify(Some("plain"), Some(&password("correct horse"))).unwrap_err().reason, Reason::Internal);
    }

    #[test]
    fn made_passwords_can_be_read_aloud_and_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert!(one.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'9' | b'-')));
    }

    #[tokio::test]
    async fn beyond_the_queue_callers_are_told_to_come_back() {
        let hasher = Hasher::new();
        let _taken = Arc::clone(&hasher.places).acquire_many_owned(66).await.unwrap();
        let error = hasher.verify(None, None).await.unwrap_err();
        assert_eq!((error.reason, error.retry_after), (Reason::RateLimited, Some(COME_BACK)));
    }
}
