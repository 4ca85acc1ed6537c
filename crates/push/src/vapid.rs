//! Who sends: the server, by a key of its own (RFC 8292).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::json;

use crate::encryption::random_key;

/// How long a token is good; 24 hours at most.
const LIFE: TimeDelta = TimeDelta::hours(12);

/// The server's key pair.
#[derive(Clone)]
pub struct Vapid {
    key: SigningKey,
    contact: Option<String>,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Vapid").field(&self.public_key()).finish()
    }
}

impl Vapid {
    /// Reads the secret `vapid-private-key`: the 32 bytes of a P-256 private key in base64url.
    ///
    /// # Errors
    /// A sentence, when it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        // The library would take shorter ones too.
        let bytes = BASE64.decode(text.trim().trim_end_matches('=')).ok().filter(|bytes| bytes.len() == 32);
        let key = bytes.and_then(|bytes| SigningKey::from_slice(&bytes).ok());
        let key = key.ok_or_else(|| {
            "vapid-private-key takes a P-256 private key, 32 bytes in base64url, such as `todo vapid` makes".to_owned()
        })?;
        Ok(Self { key, contact: None })
    }

    /// Makes a private key, as [`Vapid::parse`] reads it.
    ///
    /// # Errors
    /// A sentence, when the system gives no randomness.
    pub fn generate() -> Result<String, String> {
        Ok(BASE64.encode(random_key()?.to_bytes()))
    }

    /// Says where the people who run this server are found: an https or mailto URL. Some push services want it.
    #[must_use]
    pub fn with_contact(self, contact: Option<String>) -> Self {
        Self { contact, ..self }
    }

    /// The public key, uncompressed, in base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        BASE64.encode(self.key.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The header for one push service.
    pub(crate) fn authorization(&self, audience: &str, now: DateTime<Utc>) -> String {
        let mut claims = json!({ "aud": audience, "exp": (now + LIFE).timestamp() });
        if let Some(contact) = &self.contact {
            claims["sub"] = contact.as_str().into();
        }
        let encode = |value: serde_json::Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", encode(json!({ "typ": "JWT", "alg": "ES256" })), encode(claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("vapid t={signed}.{}, k={}", BASE64.encode(signature.to_bytes()), self.public_key())
    }
}
