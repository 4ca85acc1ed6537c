//! The thin gateway: one port for REST, server-sent events, gRPC-web, native gRPC and their description, all derived
//! from the descriptors of the contract. It keeps no data and verifies no token; the backend does.
//!
//! # Map
//!
//! | module | what it holds |
//! |---|---|
//! | `contract` | what the descriptors say of each public rpc |
//! | `route` | which rpc a path and method mean |
//! | `rest` | one REST call, from request to response |
//! | `request` | path, query, headers and body to a message |
//! | `status` | every error as an HTTP answer |
//! | `events` | server streams as server-sent events |
//! | `cookie` | the refresh token in a cookie, for browsers |
//! | `zone` | the caller's time zone, for times without an offset |
//! | `backend` | calls to the backend, with messages known only at run time |
//! | `retry` | which of them are made again when they do not get through |
//! | `mcp` | the door before the tools of agents |
//! | `proxy`, `discovery`, `deadline` | native gRPC and gRPC-web, reflection and health |
//! | `peer`, `edge` | who calls; request ids, the access log, security headers, panics |
//! | `openapi`, `page` | the description of all this, for programs and for people |

mod backend;
mod contract;
mod cookie;
mod deadline;
mod discovery;
mod document;
mod edge;
mod events;
mod gateway;
mod mcp;
mod openapi;
mod page;
mod peer;
mod proxy;
mod request;
mod rest;
mod retry;
mod route;
mod status;
#[cfg(test)]
mod tests;
mod zone;

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderValue, Uri};
use ipnet::IpNet;
use todo_domain::Ids;
use todo_runtime::health::Health;
use tokio_util::sync::CancellationToken;

use contract::Rpc;

pub use backend::Backend;
pub use gateway::build;
pub use mcp::Mcp;
pub use openapi::document;
pub use retry::{Channel, is_unsent};

/// Any error of a transport.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What [`build`] needs to know. Everything but `ids` has a default.
#[derive(Clone)]
pub struct Options {
    /// Where request ids come from.
    pub ids: Arc<dyn Ids>,
    /// Which other origins may call from a browser; `*` for any; none by default.
    pub cors_origins: Vec<HeaderValue>,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach this gateway, if it cannot tell from the request.
    pub public_url: Option<Uri>,
    /// The largest body or message of a request, in bytes; 1 MiB.
    pub body_limit: usize,
    /// How long a request may take; 30 seconds. Streams may take longer.
    pub request_timeout: Duration,
    /// How long a turn of the assistant may take; 125 seconds, because it is given up after 120.
    pub turn_timeout: Duration,
    /// How often a stream of server-sent events says that it lives; 15 seconds.
    pub heartbeat: Duration,
    /// How long a browser keeps the refresh token's cookie; 30 days, as long as the token lives.
    pub cookie_max_age: Duration,
    /// Whether this process can serve; always by default.
    pub health: Health,
    /// Makes what serves `/mcp`, over the backend; not served by default.
    pub mcp: Option<Arc<dyn Fn(Backend) -> Mcp + Send + Sync>>,
    /// Ends the streams that would never end by themselves.
    pub shutdown: CancellationToken,
}

impl Options {
    /// How long a call may take.
    pub(crate) fn timeout(&self, rpc: &Rpc) -> Duration {
        if rpc.rules.assistant { self.turn_timeout } else { self.request_timeout }
    }

    /// What ends a stream that is still open at the shutdown. A turn of the assistant ends by itself.
    pub(crate) fn end(&self, rpc: &Rpc) -> CancellationToken {
        if rpc.rules.assistant { CancellationToken::new() } else { self.shutdown.clone() }
    }

    /// The defaults.
    #[must_use]
    pub fn new(ids: Arc<dyn Ids>) -> Self {
        Self {
            ids,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            public_url: None,
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            turn_timeout: Duration::from_secs(125),
            heartbeat: Duration::from_secs(15),
            cookie_max_age: Duration::from_hours(30 * 24),
            health: Health::default(),
            mcp: None,
            shutdown: CancellationToken::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cors_origins", &self.cors_origins)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("public_url", &self.public_url)
            .field("body_limit", &self.body_limit)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}
