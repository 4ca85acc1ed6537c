//! Secrets made, derived and hashed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use todo_domain::Error;

/// A token that cannot be guessed: 256 random bits.
pub(crate) fn token() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(hex(&bytes))
}

/// HMAC-SHA256 (RFC 2104) under the server's secret. The label at the start of `text` keeps uses apart, also from the
/// signing input of a JWT, which starts with `eyJ`.
pub(crate) fn mac(server: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(server).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What is stored of a token. It has 256 random bits, so it needs neither salt nor a slow hash.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
