//! A push service that answers as a test has it, over TLS on loopback, and a browser that reads what came. Neither uses
//! what it checks: the encryption is undone here as RFC 8291 says, and the token verified as RFC 8292 does.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures::future::BoxFuture;
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    ecdh::diffie_hellman,
    ecdsa::{Signature, VerifyingKey, signature::Verifier as _},
    elliptic_curve::sec1::ToEncodedPoint as _,
};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use sha2::Sha256;
use todo_push::{Lookup, Outside};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{SOON, eventually};

/// Its name.
pub const HOST: &str = "push.example.com";

/// Of [`HOST`], signed by its own key, which `push_service/key.der` has; until 2124.
const CERTIFICATE: CertificateDer<'static> = CertificateDer::from_slice(include_bytes!("push_service/certificate.der"));

/// What it answers a message with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status line without its version, and more headers, each after a line end.
    Status(&'static str),
    /// Nothing, ever.
    Nothing,
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// The path of the endpoint.
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Encrypted.
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    pushed: Vec<Pushed>,
}

/// A push service that listens; it ends with the test.
#[derive(Debug)]
pub struct PushService {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    _end: DropGuard,
}

impl PushService {
    /// Starts one that takes everything.
    ///
    /// # Panics
    /// When the system gives no port.
    pub async fn start() -> Self {
        let key = PrivatePkcs8KeyDer::from(&include_bytes!("push_service/key.der")[..]);
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![CERTIFICATE], key.into())
            .expect("a certificate and its key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(Mutex::new(Script::default()));
        let end = CancellationToken::new();
        let accepting = accept(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&script));
        tokio::spawn(end.clone().run_until_cancelled_owned(accepting));
        Self { address, script, _end: end.drop_guard() }
    }

    /// A net in which every name is this service's.
    ///
    /// # Panics
    /// Never: the certificate is one.
    #[must_use]
    pub fn outside(&self) -> Outside {
        let mut roots = RootCertStore::empty();
        roots.add(CERTIFICATE).expect("a certificate");
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let permits = |address: &SocketAddr| address.ip().is_loopback();
        Outside { lookup: Arc::new(Only(self.address)), permits, tls, patience: Duration::from_secs(1) }
    }

    /// Answers so from now on; what comes after that is taken.
    pub fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().answers.extend(answers);
    }

    /// What came.
    #[must_use]
    pub fn pushed(&self) -> Vec<Pushed> {
        self.script().pushed.clone()
    }

    /// Waits until so many messages came.
    ///
    /// # Panics
    /// When they do not, or more do.
    pub async fn wait(&self, count: usize) -> Vec<Pushed> {
        let what = format!("{count} messages");
        let pushed = eventually(&what, SOON, || async { Some(self.pushed()).filter(|got| got.len() >= count) }).await;
        assert_eq!(pushed.len(), count);
        pushed
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Only(SocketAddr);

impl Lookup for Only {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = vec![self.0];
        Box::pin(async move { Ok(found) })
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, script: Arc<Mutex<Script>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, script) = (tls.clone(), Arc::clone(&script));
        // One that breaks off is the client's doing.
        tokio::spawn(async move { serve(stream, tls, script).await.ok() });
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, script: Arc<Mutex<Script>>) -> io::Result<()> {
    let mut stream = BufReader::new(tls.accept(stream).await?);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let path = lines[0].split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: BTreeMap<_, _> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let answer = {
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            script.pushed.push(Pushed { path, headers, body });
            script.answers.pop_front().unwrap_or(Answer::Status("201 Created"))
        };
        match answer {
            Answer::Status(status) => {
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await?;
                stream.flush().await?;
            }
            Answer::Nothing => std::future::pending().await,
        }
    }
}

/// A browser that is subscribed.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Its path at the push service.
    pub path: String,
    key: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    /// One with keys that follow from `number`.
    ///
    /// # Panics
    /// Never: the bytes are a key.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let key = SecretKey::from_slice(&[number + 1; 32]).expect("a key");
        Self { path: format!("/send/{number}"), key, auth: [number; 16] }
    }

    /// What it says of itself to the server.
    #[must_use]
    pub fn subscription(&self) -> Value {
        json!({
            "endpoint": format!("https://{HOST}{}", self.path),
            "p256dh": BASE64.encode(self.point()),
            "auth": BASE64.encode(self.auth),
        })
    }

    fn point(&self) -> Vec<u8> {
        self.key.public_key().to_encoded_point(false).as_bytes().to_vec()
    }

    /// Reads a message (RFC 8291, section 3.4; RFC 8188, section 2).
    ///
    /// # Panics
    /// When it is not for this browser.
    #[must_use]
    pub fn read(&self, message: &Pushed) -> Value {
        assert_eq!(message.path, self.path);
        assert_eq!(message.headers["content-encoding"], "aes128gcm");
        let (salt, rest) = message.body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert!(u32::from_be_bytes(size.try_into().expect("4 bytes")) as usize >= rest.len());
        let (sender, sealed) = rest[1..].split_at(rest[0].into());
        let theirs = PublicKey::from_sec1_bytes(sender).expect("a public key");
        let shared = diffie_hellman(self.key.to_nonzero_scalar(), theirs.as_affine());
        let expand = |salt: &[u8], ikm: &[u8], info: &[u8], length: usize| {
            let mut out = vec![0; length];
            Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, &mut out).expect("a length that can be");
            out
        };
        let info = [b"WebPush: info\0", &self.point()[..], sender].concat();
        let ikm = expand(&self.auth, shared.raw_secret_bytes(), &info, 32);
        let cek = expand(salt, &ikm, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = expand(salt, &ikm, b"Content-Encoding: nonce\0", 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &cek).expect("16 bytes"));
        let nonce = Nonce::try_assume_unique_for_key(&nonce).expect("12 bytes");
        let mut sealed = sealed.to_vec();
        let text = key.open_in_place(nonce, Aad::empty(), &mut sealed).expect("it is for this browser");
        let (end, text) = text.split_last().expect("the end of the record");
        assert_eq!(*end, 2);
        serde_json::from_slice(text).expect("JSON")
    }
}

impl Pushed {
    /// Verifies who sent it, by the public key that browsers subscribe with; answers the claims.
    ///
    /// # Panics
    /// When somebody else did.
    #[must_use]
    pub fn claims(&self, public_key: &str) -> Value {
        let value = self.headers["authorization"].strip_prefix("vapid t=").expect("the scheme");
        let (token, key) = value.split_once(", k=").expect("token and key");
        assert_eq!(key, public_key);
        let (signed, signature) = token.rsplit_once('.').expect("a token");
        let decode = |text: &str| BASE64.decode(text).expect("base64url");
        let signature = Signature::from_slice(&decode(signature)).expect("a signature");
        let key = VerifyingKey::from_sec1_bytes(&decode(key)).expect("a public key");
        key.verify(signed.as_bytes(), &signature).expect("it signed this");
        let (head, claims) = signed.split_once('.').expect("head and claims");
        let head: Value = serde_json::from_slice(&decode(head)).expect("JSON");
        assert_eq!(head["alg"], "ES256");
        serde_json::from_slice(&decode(claims)).expect("JSON")
    }
}
