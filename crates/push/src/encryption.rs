//! Messages that only the browser can read (RFC 8291), each in one record (RFC 8188).

use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToEncodedPoint as _};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

/// Length of the secret that browser and server share, in bytes.
pub const AUTH: usize = 16;
/// Size of the only record, in bytes; what every push service takes.
const RECORD: u32 = 4_096;
/// The longest text: a record less its tag, the octet that ends it, and the head before it.
const LONGEST: usize = 3_993;
const SALT: usize = 16;

/// What a browser's subscription has to encrypt by.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    p256dh: PublicKey,
    auth: [u8; AUTH],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Reads the browser's public key, a point of P-256 in uncompressed form.
    ///
    /// # Errors
    /// What it must be, when it is not.
    pub fn parse(p256dh: &[u8], auth: [u8; AUTH]) -> Result<Self, &'static str> {
        let p256dh = PublicKey::from_sec1_bytes(p256dh).map_err(|_| "must be a point of P-256")?;
        Ok(Self { p256dh, auth })
    }

    /// Encrypts a message with a key of its own.
    pub(crate) fn encrypt(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let mut salt = [0; SALT];
        fill(&mut salt)?;
        self.encrypt_by(&random_key()?, salt, text)
    }

    pub(crate) fn encrypt_by(&self, key: &SecretKey, salt: [u8; SALT], text: &[u8]) -> Result<Vec<u8>, String> {
        if text.len() > LONGEST {
            return Err(format!("it has {} bytes, more than {LONGEST}", text.len()));
        }
        let failed = || "it cannot be encrypted".to_owned();
        let ours = key.public_key().to_encoded_point(false);
        let theirs = self.p256dh.to_encoded_point(false);
        let shared = diffie_hellman(key.to_nonzero_scalar(), self.p256dh.as_affine());

        let mut ikm = [0; 32];
        let info = [b"WebPush: info\0", theirs.as_bytes(), ours.as_bytes()].concat();
        expand(&self.auth, shared.raw_secret_bytes(), &info, &mut ikm)?;
        let (mut cek, mut nonce) = ([0; 16], [0; 12]);
        expand(&salt, &ikm, b"Content-Encoding: aes128gcm\0", &mut cek)?;
        expand(&salt, &ikm, b"Content-Encoding: nonce\0", &mut nonce)?;

        // Ends with the delimiter of the last record.
        let mut record = [text, &[2]].concat();
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &cek).map_err(|_| failed())?);
        let sealed = cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record);
        sealed.map_err(|_| failed())?;
        let length = u8::try_from(ours.len()).map_err(|_| failed())?;
        Ok([&salt[..], &RECORD.to_be_bytes(), &[length], ours.as_bytes(), &record].concat())
    }
}

fn expand(salt: &[u8], ikm: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), String> {
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, out).map_err(|error| error.to_string())
}

fn fill(bytes: &mut [u8]) -> Result<(), String> {
    getrandom::fill(bytes).map_err(|error| format!("the system gives no randomness: {error}"))
}

/// A new private key.
pub(crate) fn random_key() -> Result<SecretKey, String> {
    loop {
        let mut bytes = [0; 32];
        fill(&mut bytes)?;
        // All but 2^-32 of the numbers are keys.
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return Ok(key);
        }
    }
}
