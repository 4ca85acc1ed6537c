//! Access tokens: JWTs (RFC 7519) signed by HS256, under a list of secrets so that these can be rotated.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use todo_domain::{Error, error::Reason};
use tonic::metadata::MetadataMap;
use uuid::Uuid;

/// `iss` and `aud` of every token.
const ISSUER: &str = "todo";
/// A secret shorter than the hash's output weakens HS256 (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

/// Who a verified token speaks for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The account.
    pub user_id: Uuid,
    /// When the token ends, and with it every stream opened by it.
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    email: String,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
    jti: Uuid,
}

struct Key {
    id: String,
    secret: Vec<u8>,
    decoding: DecodingKey,
}

/// The secrets: the first signs, all verify. They can be replaced while they are used.
pub struct Keys(RwLock<Arc<[Key]>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().iter().map(|key| &key.id)).finish()
    }
}

impl Keys {
    /// Reads the secret `jwt-secret`: one secret, or a JSON array of them.
    ///
    /// # Errors
    /// A sentence for the operator when there is none, or one of fewer than 32 bytes.
    pub fn parse(secret: &str) -> Result<Self, String> {
        Ok(Self(RwLock::new(read(secret)?)))
    }

    /// Takes another value of the secret from now on; says whether it is another one.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); then the secrets stay as they are.
    pub fn replace(&self, secret: &str) -> Result<bool, String> {
        let new = read(secret)?;
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let changed = !keys.iter().map(|key| &key.secret).eq(new.iter().map(|key| &key.secret));
        *keys = new;
        Ok(changed)
    }

    /// Whether a call carries a token that names a secret which is not here: another process may have signed it by a
    /// newer one.
    #[must_use]
    pub fn misses(&self, headers: &HeaderMap) -> bool {
        let id = bearer(headers).and_then(|token| jsonwebtoken::decode_header(token).ok()?.kid);
        id.is_some_and(|id| !self.all().iter().any(|key| key.id == id))
    }

    /// Makes a token that lives for `ttl`.
    ///
    /// # Panics
    /// Never: what it signs can be written as JSON.
    #[must_use]
    pub fn sign(&self, user_id: Uuid, email: &str, id: Uuid, now: DateTime<Utc>, ttl: TimeDelta) -> String {
        let claims = Claims {
            sub: user_id,
            email: email.to_owned(),
            iat: now.timestamp(),
            exp: (now + ttl).timestamp(),
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            jti: id,
        };
        let keys = self.all();
        let key = first(&keys);
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.secret))
            .expect("claims of strings and numbers serialise, and HMAC takes any key")
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// `INVALID_TOKEN` or `TOKEN_EXPIRED`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, Error> {
        let invalid = || Error::new(Reason::InvalidToken, "the access token is not valid");
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let keys = self.all();
        let key = match &header.kid {
            Some(id) => keys.iter().find(|key| key.id == *id).ok_or_else(invalid)?,
            None => first(&keys),
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        // Expiry is checked below, against our clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation).map_err(|_| invalid())?.claims;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or_else(invalid)?;
        if expires_at <= now {
            return Err(Error::new(Reason::TokenExpired, "the access token has expired; refresh it"));
        }
        Ok(Principal { user_id: claims.sub, expires_at })
    }

    /// The signing secret, for what else must be derived from it.
    #[must_use]
    pub fn secret(&self) -> Vec<u8> {
        first(&self.all()).secret.clone()
    }

    fn all(&self) -> Arc<[Key]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn first(keys: &[Key]) -> &Key {
    keys.first().expect("an empty list is refused")
}

/// The bearer token of a call (RFC 6750).
///
/// # Errors
/// `MISSING_TOKEN`.
pub fn token(metadata: &MetadataMap) -> Result<&str, Error> {
    bearer(metadata.as_ref()).ok_or_else(|| Error::new(Reason::MissingToken, "send `authorization: Bearer TOKEN`"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Reads one secret or a JSON array of them.
fn read(secret: &str) -> Result<Arc<[Key]>, String> {
    let secrets: Vec<String> = if secret.trim_start().starts_with('[') {
        serde_json::from_str(secret)
            .map_err(|error| format!("jwt-secret starts like a JSON array of secrets but is not one: {error}"))?
    } else {
        vec![secret.trim().to_owned()]
    };
    if secrets.is_empty() || secrets.iter().any(|secret| secret.len() < SECRET_BYTES) {
        return Err(format!("jwt-secret takes a secret of at least {SECRET_BYTES} bytes, or a JSON array of such"));
    }
    Ok(secrets.into_iter().map(Key::new).collect())
}

impl Key {
    fn new(secret: String) -> Self {
        let digest = Sha256::digest(secret.as_bytes());
        let id = digest.iter().take(6).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        Self { id, decoding: DecodingKey::from_secret(secret.as_bytes()), secret: secret.into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "an old secret of at least 32 bytes";
    const NEW: &str = "a new secret of at least 32 bytes!";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn bearer(token: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", format!("Bearer {token}").parse().unwrap());
        metadata
    }

    fn list(secrets: &[&str]) -> Keys {
        Keys::parse(&serde_json::to_string(secrets).unwrap()).unwrap()
    }

    #[test]
    fn a_token_speaks_for_its_user_until_it_expires() {
        let keys = Keys::parse(OLD).unwrap();
        let user = Uuid::from_u128(7);
        let token = keys.sign(user, "ann@example.org", Uuid::from_u128(8), at(0), TimeDelta::hours(1));
        assert_eq!(keys.verify(&token, at(3599)).unwrap().user_id, user);
        assert_eq!(keys.verify(&token, at(3600)).unwrap_err().reason, Reason::TokenExpired);
    }

    #[test]
    fn a_rotated_secret_still_verifies_until_it_is_dropped() {
        let token =
            Keys::parse(OLD).unwrap().sign(Uuid::from_u128(7), "a@b.c", Uuid::nil(), at(0), TimeDelta::hours(1));
        assert!(list(&[NEW, OLD]).verify(&token, at(1)).is_ok());
        assert_eq!(list(&[NEW]).verify(&token, at(1)).unwrap_err().reason, Reason::InvalidToken);
    }

    #[test]
    fn secrets_are_replaced_while_they_are_used() {
        let keys = Keys::parse(OLD).unwrap();
        let newer =
            Keys::parse(NEW).unwrap().sign(Uuid::from_u128(7), "a@b.c", Uuid::nil(), at(0), TimeDelta::hours(1));
        let misses = |token: &str| keys.misses(bearer(token).as_ref());
        assert!(misses(&newer) && !misses("nonsense") && !keys.misses(&HeaderMap::new()));
        assert_eq!(keys.replace("short").unwrap_err(), Keys::parse("short").unwrap_err());
        assert_eq!(keys.replace(OLD), Ok(false));
        assert_eq!(keys.replace(&format!("[\"{OLD}\",\"{NEW}\"]")), Ok(true));
        assert!(!misses(&newer));
        assert!(keys.verify(&newer, at(1)).is_ok());
    }

    #[test]
    fn no_token_and_no_sense_are_told_apart() {
        let keys = Keys::parse(OLD).unwrap();
        assert_eq!(token(&MetadataMap::new()).unwrap_err().reason, Reason::MissingToken);
        assert_eq!(keys.verify("nonsense", at(0)).unwrap_err().reason, Reason::InvalidToken);
        // alg=none (RFC 8725, section 2.1)
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDcifQ.";
        assert_eq!(keys.verify(unsigned, at(0)).unwrap_err().reason, Reason::InvalidToken);
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!(Keys::parse("short").unwrap_err().contains("32 bytes"));
        assert!(Keys::parse("[]").is_err());
        assert!(Keys::parse(&serde_json::to_string(&[NEW, "short"]).unwrap()).is_err());
    }
}
