//! Calls that did not reach the backend, or that broke off, are made again where that can do no harm: a replica that
//! restarts or dies is not its clients' business.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body_util::{BodyExt as _, Full};
use prost_reflect::DynamicMessage;
use todo_runtime::status::from_error;
use tokio::time::Instant;
use tonic::{Code, ConnectError, Status, body::Body};
use tower::{ServiceExt as _, service_fn, util::BoxCloneSyncService};

use crate::{
    BoxError,
    backend::{self, Backend},
    contract::{self, Rpc},
};

/// How long after its beginning a call is made again: a replica that is gone may be tried, by chance, several times; and
/// what was asked long ago may not be wanted any more.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a call that may have been done is made again.
const REPEATS: u32 = 2;
/// The first wait between two tries; each is twice as long as the one before, at most [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(250);

/// How a backend that does not serve yet asks for a call to be made again (gRFC A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Bytes before a message: whether it is compressed, and its length.
const FRAME: usize = 5;

/// A way to a service, as whoever builds the gateway makes it.
pub type Channel = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// Makes each call on the channel to whoever serves it, and makes it again there.
pub(crate) fn retrying(backend: Channel, assistant: Channel, rpcs: &[Arc<Rpc>]) -> Backend {
    let rpcs: HashMap<_, _> = rpcs.iter().map(|rpc| (rpc.path.as_str().to_owned(), Arc::clone(rpc))).collect();
    let rpcs = Arc::new(rpcs);
    Backend::new(service_fn(move |request: Request<Body>| {
        let rpc = rpcs.get(request.uri().path()).cloned();
        let is_assistants = rpc.as_ref().is_some_and(|rpc| rpc.rules.assistant);
        let channel = if is_assistants { assistant.clone() } else { backend.clone() };
        async move {
            match rpc.filter(|rpc| !rpc.descriptor.is_client_streaming()) {
                Some(rpc) => call(channel, &rpc, request).await,
                None => channel.oneshot(request).await.map_err(backend::transport),
            }
        }
    }))
}

async fn call(channel: Channel, rpc: &Rpc, request: Request<Body>) -> Result<Response<Body>, Status> {
    let (parts, body) = request.into_parts();
    let message = body.collect().await?.to_bytes();
    let (begun, mut pause, mut repeats) = (Instant::now(), SHORTEST, 0);
    loop {
        let request = Request::from_parts(parts.clone(), Body::new(Full::new(message.clone())));
        let (answer, fate) = attempt(channel.clone(), rpc, request).await;
        let again = match fate {
            Fate::Answered => return answer,
            Fate::Unsent => true,
            Fate::Unknown => {
                repeats += 1;
                repeats <= REPEATS && is_repeatable(rpc, &parts, &message)
            }
        };
        if !again || begun.elapsed() + pause >= PATIENCE {
            return Err(away(answer));
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST.min(2 * pause);
    }
}

/// What a client is told of a backend that is away: those on the way name hosts and addresses.
fn away(answer: Result<Response<Body>, Status>) -> Status {
    let said = match answer {
        Ok(response) => Status::from_header_map(response.headers()),
        Err(status) => Some(status),
    };
    match said {
        Some(status) if status.code() != Code::Unavailable => status,
        Some(status) => from_error(todo_domain::Error::unavailable(status.message())),
        None => from_error(todo_domain::Error::unavailable("it said so at the end of its answer")),
    }
}

/// What became of a call.
enum Fate {
    /// The backend said something.
    Answered,
    /// It never left, or whoever it reached refused to look at it.
    Unsent,
    /// It may have been done.
    Unknown,
}

/// Calls once. An answer that is one message is waited for as a whole, because it may break off too.
async fn attempt(channel: Channel, rpc: &Rpc, request: Request<Body>) -> (Result<Response<Body>, Status>, Fate) {
    let response = match channel.oneshot(request).await {
        Ok(response) => response,
        Err(error) => {
            let fate = if is_unsent(&*error) { Fate::Unsent } else { Fate::Unknown };
            return (Err(backend::transport(error)), fate);
        }
    };
    if rpc.streams() || response.headers().contains_key(Status::GRPC_STATUS) {
        let fate = fate(response.headers());
        return (Ok(response), fate);
    }
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => {
            let fate = body.trailers().map_or(Fate::Answered, fate);
            (Ok(Response::from_parts(parts, Body::new(body))), fate)
        }
        Err(status) => (Err(status), Fate::Unknown),
    }
}

/// Whether the backend is away, as somebody on the way says: of its own troubles it gives details.
fn fate(trailers: &HeaderMap) -> Fate {
    let code = trailers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()));
    if code != Some(Code::Unavailable) || trailers.contains_key(Status::GRPC_STATUS_DETAILS) {
        Fate::Answered
    } else if trailers.contains_key(PUSHBACK) {
        Fate::Unsent
    } else {
        Fate::Unknown
    }
}

/// Whether a call that failed so was not looked at by anybody: there was no connection, it closed before the call's turn,
/// or the peer was going away and said that it had not looked (RFC 9113, section 6.8).
#[must_use]
pub fn is_unsent(error: &(dyn Error + 'static)) -> bool {
    let gone =
        |error: &h2::Error| error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
    let unsent = |error: &(dyn Error + 'static)| {
        error.is::<ConnectError>()
            || error.downcast_ref().is_some_and(hyper::Error::is_canceled)
            || error.downcast_ref().is_some_and(gone)
    };
    std::iter::successors(Some(error), |&error| error.source()).any(unsent)
}

/// Whether a call done twice is as one done once, by the contract: it reads, its key is known the second time, or what it
/// creates has an id already.
fn is_repeatable(rpc: &Rpc, parts: &Parts, message: &Bytes) -> bool {
    rpc.reads()
        || rpc.takes_key() && parts.headers.contains_key("idempotency-key")
        || rpc.takes_id() && names_itself(rpc, message).unwrap_or(false)
}

/// Whether the resource in a request to create it has an id.
fn names_itself(rpc: &Rpc, message: &Bytes) -> Option<bool> {
    let contract::Body::Field(resource) = &rpc.http.first()?.body else { return None };
    // What is compressed is not read.
    let message = message.get(FRAME..).filter(|_| message[0] == 0)?;
    let request = DynamicMessage::decode(rpc.input.clone(), message).ok()?;
    let resource = request.get_field_by_name(resource)?;
    Some(!resource.as_message()?.get_field_by_name("id")?.as_str()?.is_empty())
}
