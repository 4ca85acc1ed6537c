//! A backend that answers what it was told to and remembers what it was asked.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, extract::ConnectInfo};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::Value;
use todo_domain::{Ids, Timestamp};
use todo_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;
use tower::{ServiceExt as _, service_fn, util::BoxCloneSyncService};
use uuid::Uuid;

use crate::{BoxError, Channel, Options};

pub(super) const TOKEN: &str = "Bearer good";

/// What a call carried.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub(super) fn message<M: prost::Message + Default>(&self) -> M {
        M::decode(&self.body[5..]).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Script = dyn Fn() -> BoxFuture<'static, Result<Response<tonic::body::Body>, BoxError>> + Send + Sync;

/// A gateway and the backend behind it.
pub(super) struct System {
    pub(super) router: Router,
    scripts: Arc<Mutex<HashMap<String, Arc<Script>>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// What came back over HTTP.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// `error.code`.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    /// `error.details`, as pairs.
    pub(super) fn details(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let json = self.json();
        let details = json["error"]["details"].as_array().unwrap().iter();
        let mut details: Vec<_> = details.map(|detail| (text(&detail["field"]), text(&detail["message"]))).collect();
        details.sort();
        details
    }
}

/// Ids that count.
struct Counting;

impl Ids for Counting {
    fn new_id(&self, _: Timestamp) -> Uuid {
        Uuid::from_u128(1)
    }

    fn random(&self) -> Uuid {
        Uuid::from_u128(2)
    }
}

pub(super) fn options() -> Options {
    Options::new(Arc::new(Counting))
}

impl System {
    pub(super) fn new() -> Self {
        Self::with(options())
    }

    pub(super) fn with(options: Options) -> Self {
        let scripts: Arc<Mutex<HashMap<String, Arc<Script>>>> = Arc::default();
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let backend = {
            let (scripts, calls) = (Arc::clone(&scripts), Arc::clone(&calls));
            service_fn(move |request: Request<tonic::body::Body>| {
                let (scripts, calls) = (Arc::clone(&scripts), Arc::clone(&calls));
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    let path = parts.uri.path().to_owned();
                    let script = scripts.lock().unwrap().get(path.rsplit('/').next().unwrap()).cloned();
                    calls.lock().unwrap().push(Call { path, headers: parts.headers, body });
                    match script {
                        Some(script) => script().await,
                        None => Ok(Status::unimplemented("not scripted").into_http()),
                    }
                }
            })
        };
        let backend = Channel::new(backend);
        Self { router: crate::build(options, backend.clone(), backend), scripts, calls }
    }

    fn script(
        &self,
        method: &str,
        script: impl Fn() -> BoxFuture<'static, Result<Response<tonic::body::Body>, BoxError>> + Send + Sync + 'static,
    ) {
        self.scripts.lock().unwrap().insert(method.to_owned(), Arc::new(script));
    }

    /// A rpc that answers with this.
    pub(super) fn answers(&self, method: &str, message: &impl prost::Message) -> &Self {
        self.answers_with(method, message, &[])
    }

    /// A rpc that answers with this, and metadata.
    pub(super) fn answers_with(
        &self,
        method: &str,
        message: &impl prost::Message,
        metadata: &'static [(&'static str, &'static str)],
    ) -> &Self {
        let frame = frame(message);
        self.script(method, move || {
            let frames = [Ok(Frame::data(frame.clone())), Ok(Frame::trailers(trailers()))];
            let mut response = grpc(futures::stream::iter(frames));
            for (name, value) in metadata {
                response.headers_mut().insert(*name, HeaderValue::from_static(value));
            }
            async move { Ok(response) }.boxed()
        });
        self
    }

    /// A rpc that fails.
    pub(super) fn fails(&self, method: &str, status: Status) -> &Self {
        self.script(method, move || {
            let status = status.clone();
            async move { Ok(status.into_http()) }.boxed()
        });
        self
    }

    /// A rpc that is never reached.
    pub(super) fn is_away(&self, method: &str) -> &Self {
        self.script(method, || async { Err("connection refused at 10.0.0.7".into()) }.boxed());
        self
    }

    /// The first calls of a rpc go like this; then it does as it was told before.
    pub(super) fn first(
        &self,
        method: &str,
        calls: usize,
        script: impl Fn() -> Result<Response<tonic::body::Body>, BoxError> + Send + Sync + 'static,
    ) -> &Self {
        let (left, then) = (AtomicUsize::new(calls), self.scripts.lock().unwrap()[method].clone());
        self.script(method, move || {
            let left = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left.is_ok() { std::future::ready(script()).boxed() } else { then() }
        });
        self
    }

    /// A rpc that never answers.
    pub(super) fn hangs(&self, method: &str) -> &Self {
        self.script(method, || std::future::pending().boxed());
        self
    }

    /// A rpc that breaks the gateway itself.
    pub(super) fn panics(&self, method: &str) -> &Self {
        self.script(method, || panic!("a story about a panic"));
        self
    }

    /// A rpc that streams what is sent here; its end is that of the sender.
    pub(super) fn streams<M: prost::Message + 'static>(
        &self,
        method: &str,
    ) -> mpsc::UnboundedSender<Result<M, Status>> {
        let (sender, receiver) = mpsc::unbounded_channel::<Result<M, Status>>();
        let receiver = Mutex::new(Some(receiver));
        self.script(method, move || {
            let receiver = receiver.lock().unwrap().take().expect("one call a stream");
            let items = UnboundedReceiverStream::new(receiver).map(Some).chain(futures::stream::iter([None]));
            let frames = items.scan(false, |over, item| {
                let frame = (!*over).then(|| match item {
                    Some(Ok(message)) => Ok(Frame::data(frame(&message))),
                    end => {
                        *over = true;
                        let mut trailers = trailers();
                        if let Some(Err(status)) = end {
                            status.add_header(&mut trailers)?;
                        }
                        Ok(Frame::trailers(trailers))
                    }
                });
                std::future::ready(frame)
            });
            let response = grpc(frames);
            async move { Ok(response) }.boxed()
        });
        sender
    }

    /// What the backend was asked so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The one call that the backend got.
    pub(super) fn call(&self) -> Call {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{:?}", calls.iter().map(|call| &call.path).collect::<Vec<_>>());
        calls.remove(0)
    }

    pub(super) async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.raw(request).await.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        self.send(request(Method::GET, target, &[], "")).await
    }

    pub(super) async fn post(&self, target: &str, body: &str) -> Answer {
        self.send(request(Method::POST, target, &[], body)).await
    }

    pub(super) async fn patch(&self, target: &str, body: &str) -> Answer {
        self.send(request(Method::PATCH, target, &[], body)).await
    }

    /// The gateway as a channel for generated clients.
    pub(super) fn channel(
        &self,
    ) -> BoxCloneSyncService<Request<tonic::body::Body>, Response<tonic::body::Body>, BoxError> {
        let router = self.router.clone();
        BoxCloneSyncService::new(service_fn(move |request: Request<tonic::body::Body>| {
            let router = router.clone();
            async move {
                let response = router.oneshot(request.map(Body::new)).await?;
                Ok(response.map(tonic::body::Body::new))
            }
        }))
    }
}

/// A request with a token, JSON where there is a body, and a peer.
pub(super) fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::new(Body::from(body.to_owned()));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().unwrap();
    request.headers_mut().insert("authorization", HeaderValue::from_static(TOKEN));
    request.headers_mut().insert("host", HeaderValue::from_static("todo.example:8080"));
    if !body.is_empty() {
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    }
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        if value.is_empty() {
            request.headers_mut().remove(name);
        } else {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 4711);
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

pub(super) fn task() -> v1::Task {
    v1::Task {
        id: "0190f3c0-0000-7000-8000-000000000001".to_owned(),
        title: "Pay rent".to_owned(),
        status: v1::Status::Pending.into(),
        priority: v1::Priority::High.into(),
        revision: 7,
        ..v1::Task::default()
    }
}

/// A message with the flag and length before it.
pub(super) fn frame(message: &impl prost::Message) -> Bytes {
    let bytes = message.encode_to_vec();
    let mut frame = BytesMut::with_capacity(bytes.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(bytes.len()).unwrap());
    frame.extend_from_slice(&bytes);
    frame.freeze()
}

pub(super) fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}

pub(super) fn grpc<S>(frames: S) -> Response<tonic::body::Body>
where
    S: futures::Stream<Item = Result<Frame<Bytes>, Status>> + Send + 'static,
{
    let mut response = Response::new(tonic::body::Body::new(StreamBody::new(frames)));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}
