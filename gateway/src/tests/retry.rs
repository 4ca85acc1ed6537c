//! Calls that do not get through.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    routing::get,
};
use futures::{StreamExt as _, stream};
use http::{Method, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::json;
use todo_domain::Reason;
use todo_proto::v1::{self, auth_service_client::AuthServiceClient, task_service_client::TaskServiceClient};
use todo_runtime::serve::{serve, serve_for};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Code, ConnectError, Status, body::Body, transport::Endpoint};
use tower::ServiceExt as _;

use super::{
    errors::status,
    harness::{System, frame, grpc, options, request, task, trailers},
};
use crate::{BoxError, Channel};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Nobody was there.
fn unsent() -> Result<Response<Body>, BoxError> {
    Err(ConnectError("connection refused".into()).into())
}

/// Somebody on the way lost the one that it passed the call on to.
fn lost() -> Response<Body> {
    Status::unavailable("error reading from server: EOF").into_http()
}

/// The same in the middle of the answer.
fn cut() -> Response<Body> {
    let frames = [Ok(Frame::data(frame(&task()))), Err(Status::unavailable("connection reset"))];
    Response::new(Body::new(StreamBody::new(stream::iter(frames))))
}

#[tokio::test]
async fn a_call_that_reached_nobody_is_made_again_whatever_it_does() {
    let system = System::new();
    system.answers("CreateTask", &task()).first("CreateTask", 4, unsent);
    let answer = system.post("/api/tasks", r#"{"title":"Pay rent"}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let calls = system.calls();
    assert_eq!(calls.len(), 5);
    for call in calls {
        let sent: v1::CreateTaskRequest = call.message();
        assert_eq!(sent.task.unwrap().title, "Pay rent");
        assert_eq!(call.header("authorization"), Some(super::harness::TOKEN));
    }

    system.answers("SignUp", &v1::Session::default()).first("SignUp", 4, unsent);
    AuthServiceClient::new(system.channel()).sign_up(v1::SignUpRequest::default()).await.unwrap();
    assert_eq!(system.calls().len(), 5);

    let early = || {
        let mut status = Status::unavailable("not ready yet");
        status.metadata_mut().insert("grpc-retry-pushback-ms", "0".parse().unwrap());
        Ok(status.into_http())
    };
    system.answers("CreateTask", &task()).first("CreateTask", 4, early);
    assert_eq!(system.post("/api/tasks", r#"{"title":"Pay rent"}"#).await.status, StatusCode::CREATED);
    assert_eq!(system.calls().len(), 5);

    let watch = system.streams::<v1::WatchResponse>("Watch");
    watch.send(Ok(v1::WatchResponse::default())).unwrap();
    system.first("Watch", 4, unsent);
    assert_eq!(system.raw(request(Method::GET, "/api/events", &[], "")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_backend_that_stays_away_is_not_waited_for_for_ever() {
    let system = System::new();
    system.answers("CreateTask", &task()).first("CreateTask", usize::MAX, unsent);
    let answer = system.post("/api/tasks", r#"{"title":"Pay rent"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"));
    // Nor longer than the request may take.
    let system = System::with(crate::Options { request_timeout: Duration::from_millis(20), ..options() });
    system.answers("GetTask", &task()).first("GetTask", usize::MAX, unsent);
    let error = TaskServiceClient::new(system.channel()).get_task(v1::GetTaskRequest::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn what_is_said_on_the_way_to_a_backend_that_is_away_stays_there() {
    let system = System::new();
    let away = || Ok(Status::unavailable("no host for backend: dial tcp 127.0.0.1:50002: refused").into_http());
    for broken in [away, || Ok(lost()), || Ok(cut()), unsent] {
        system.answers("CompleteTask", &task()).first("CompleteTask", usize::MAX, broken);
        let request = v1::CompleteTaskRequest { id: ID.to_owned(), expected_revision: None };
        let error = TaskServiceClient::new(system.channel()).complete_task(request).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.message(), "the service is not available right now, please try again");
        assert_eq!(todo_runtime::status::reason(&error).as_deref(), Some("SERVICE_UNAVAILABLE"));
    }
}

#[tokio::test]
async fn a_read_that_broke_off_is_made_again_twice() {
    for broken in [lost, cut] {
        let system = System::new();
        system.answers("GetTask", &task()).first("GetTask", 2, move || Ok(broken()));
        assert_eq!(system.get("/api/tasks/7").await.json()["title"], "Pay rent");
        assert_eq!(system.calls().len(), 3);
        system.first("GetTask", 3, move || Ok(broken()));
        assert_eq!(system.get("/api/tasks/7").await.code(), "SERVICE_UNAVAILABLE");
        assert_eq!(system.calls().len(), 3);
        system.first("GetTask", 2, move || Ok(broken()));
        TaskServiceClient::new(system.channel()).get_task(v1::GetTaskRequest::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_done_is_made_again_only_where_that_changes_nothing() {
    let key = &[("idempotency-key", "k")][..];
    let (title, own) = (json!({ "title": "Pay rent" }), json!({ "title": "Pay rent", "id": ID }));
    let secret = json!({ "email": "a@example.org", "password": "correct horse" });
    for (rpc, method, path, headers, body, again) in [
        ("CreateTask", Method::POST, "/api/tasks", &[][..], &title, false),
        ("CreateTask", Method::POST, "/api/tasks", key, &title, true),
        ("CreateTask", Method::POST, "/api/tasks", &[], &own, true),
        ("UpdateTask", Method::PATCH, "/api/tasks/7", &[], &title, false),
        ("UpdateTask", Method::PATCH, "/api/tasks/7", key, &title, true),
        ("DeleteTask", Method::DELETE, "/api/tasks/7", &[], &json!(null), false),
        ("DeleteTask", Method::DELETE, "/api/tasks/7", key, &json!(null), true),
        // It takes no key.
        ("SignIn", Method::POST, "/api/auth/signin", key, &secret, false),
    ] {
        for broken in [lost, cut] {
            let system = System::new();
            system.answers(rpc, &task()).first(rpc, 1, move || Ok(broken()));
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let answer = system.send(request(method.clone(), path, headers, &body)).await;
            assert_eq!(answer.status.is_success(), again, "{rpc} {headers:?} {body}");
            assert_eq!(system.calls().len(), if again { 2 } else { 1 }, "{rpc} {headers:?} {body}");
        }
    }
}

#[tokio::test]
async fn what_the_backend_says_is_its_answer() {
    let system = System::new();
    system.answers("GetTask", &task());
    system.first("GetTask", 1, || Ok(status(Reason::ServiceUnavailable).into_http()));
    assert_eq!(system.get("/api/tasks/7").await.code(), "SERVICE_UNAVAILABLE");
    assert_eq!(system.calls().len(), 1);
}

/// Takes what comes, and counts it.
async fn take(State(done): State<Arc<AtomicUsize>>, request: axum::extract::Request) -> Response<Body> {
    let _ = request.into_body().collect().await;
    // It takes some time, so that shutdowns find requests under way.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    done.fetch_add(1, Ordering::SeqCst);
    grpc(stream::iter([Ok(Frame::data(frame(&task()))), Ok(Frame::trailers(trailers()))]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_restarts_again_and_again_does_everything_once() {
    let done = Arc::new(AtomicUsize::new(0));
    let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let channel = Channel::new(channel.map_err(Into::into));
    let gateway = crate::build(options(), channel.clone(), channel);
    let stop = CancellationToken::new();
    let clients = (0..16).map(|_| {
        let (gateway, stop) = (gateway.clone(), stop.clone());
        tokio::spawn(async move {
            let mut asked = 0;
            while !stop.is_cancelled() {
                let answer = gateway.clone().oneshot(request_of_a_task()).await.unwrap();
                assert_eq!(answer.status(), StatusCode::CREATED);
                asked += 1;
            }
            asked
        })
    });
    let clients: Vec<_> = clients.collect();
    for restarts in (0..50).rev() {
        let shutdown = CancellationToken::new();
        let enough = done.load(Ordering::SeqCst) + 50;
        let router = Router::new().fallback(take).with_state(Arc::clone(&done));
        let serving = tokio::spawn(serve(router, listener, shutdown.clone()));
        while done.load(Ordering::SeqCst) < enough {
            assert!(!clients.iter().any(JoinHandle::is_finished), "a client failed");
            tokio::task::yield_now().await;
        }
        if restarts == 0 {
            break;
        }
        shutdown.cancel();
        serving.await.unwrap();
        listener = TcpListener::bind(address).await.unwrap();
    }
    stop.cancel();
    let asked = futures::future::join_all(clients).await.into_iter().map(Result::unwrap).sum::<usize>();
    assert_eq!(done.load(Ordering::SeqCst), asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_age_ends_without_the_loss_of_a_call_or_of_a_stream() {
    let (peers, end) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Notify::new()));
    let seen = Arc::clone(&peers);
    let once = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
        seen.lock().unwrap().insert(peer);
        grpc(stream::iter([Ok(Frame::data(frame(&task()))), Ok(Frame::trailers(trailers()))]))
    };
    let ended = Arc::clone(&end);
    let long = async move || {
        let last = stream::once(async move {
            ended.notified().await;
            Ok(Frame::trailers(trailers()))
        });
        grpc(stream::iter([Ok(Frame::data(frame(&task())))]).chain(last))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let shutdown = CancellationToken::new();
    let router = Router::new().route("/long", get(long)).fallback(once);
    let serving = tokio::spawn(serve_for(Duration::from_millis(20), router, listener, shutdown.clone()));

    let channel = endpoint.connect_lazy();
    let mut request = http::Request::new(Body::empty());
    *request.uri_mut() = "/long".parse().unwrap();
    let mut streaming = channel.clone().oneshot(request).await.unwrap().into_body();
    assert!(streaming.frame().await.unwrap().unwrap().is_data());

    let channel = Channel::new(channel.map_err(Into::into));
    let gateway = crate::build(options(), channel.clone(), channel);
    while peers.lock().unwrap().len() < 5 {
        let request = request_of_a_task();
        assert_eq!(gateway.clone().oneshot(request).await.unwrap().status(), StatusCode::CREATED);
    }
    end.notify_one();
    assert!(streaming.frame().await.unwrap().unwrap().is_trailers());
    shutdown.cancel();
    serving.await.unwrap();
}

fn request_of_a_task() -> axum::extract::Request {
    request(Method::POST, "/api/tasks", &[], r#"{"title":"Pay rent"}"#)
}
