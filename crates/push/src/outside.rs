//! The net outside: names become addresses here, and nothing is connected to but an address that was looked at.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use hyper_rustls::ConfigBuilderExt as _;
use hyper_util::client::legacy::connect::dns::Name;
use rustls::ClientConfig;
use tower::Service;

use crate::endpoint::is_public;

/// See [`Outside::patience`].
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds the addresses of a host.
pub trait Lookup: Send + Sync + 'static {
    /// All of them. A port of 0 stands for the endpoint's.
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The system's.
#[derive(Clone, Copy, Debug)]
pub struct Dns;

impl Lookup for Dns {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
    }
}

/// Why no message can go to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// It has no address.
    #[error("has a host that cannot be found")]
    Unknown,
    /// One of its addresses is not public.
    #[error("has a host that is not public")]
    Private,
}

/// How hosts are reached. A program has [`Outside::internet`]; only a test makes another.
#[derive(Clone)]
pub struct Outside {
    /// Who finds their addresses.
    pub lookup: Arc<dyn Lookup>,
    /// Which of those may be connected to.
    pub permits: fn(&SocketAddr) -> bool,
    /// Whose certificates are believed.
    pub tls: ClientConfig,
    /// How long a push service may take for one message, from its name to its answer.
    pub patience: Duration,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

impl Outside {
    /// The internet: public addresses alone, and the certificates that the system believes.
    ///
    /// # Errors
    /// A sentence, when the system has none.
    pub fn internet() -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_native_roots()
            .map_err(|error| format!("the system has no certificates to check push services by: {error}"))?
            .with_no_client_auth();
        Ok(Self { lookup: Arc::new(Dns), permits: |address| is_public(address.ip()), tls, patience: PATIENCE })
    }

    pub(crate) fn gate(&self) -> Gate {
        Gate(self.clone())
    }

    /// The addresses of a host, if all of them are permitted: of one that has others too, none is to be trusted.
    pub(crate) async fn find(&self, host: &str) -> Result<Vec<SocketAddr>, Unreachable> {
        let found = self.lookup.lookup(host.to_owned()).await.map_err(|_| Unreachable::Unknown)?;
        match found.iter().all(|address| (self.permits)(address)) {
            _ if found.is_empty() => Err(Unreachable::Unknown),
            true => Ok(found),
            false => Err(Unreachable::Private),
        }
    }
}

/// What a connection takes its addresses from, each time anew: there is no second lookup that could answer otherwise.
#[derive(Clone)]
pub(crate) struct Gate(Outside);

impl Service<Name> for Gate {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unreachable;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let outside = self.0.clone();
        Box::pin(async move { outside.find(name.as_str()).await.map(Vec::into_iter) })
    }
}
