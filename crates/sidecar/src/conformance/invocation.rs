//! Calls from app to app.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tonic::service::Routes;
use tonic::{Code, Request, Status};

use super::echo::{DETAILS, Echo, call};
use super::{App, Fixture, Outcome, Recorder, check, ok, same, suite};
use crate::{ApiChannel, Sidecar};

suite![
    a_call_and_its_metadata_get_through,
    a_deadline_is_passed_on_and_kept,
    a_status_comes_back_with_its_details,
    a_panic_in_a_service_fails_only_its_call,
    a_call_to_an_unknown_app_is_unavailable,
    an_app_can_be_named_before_it_starts,
];

async fn caller(fixture: &dyn Fixture, id: &str) -> Arc<dyn Sidecar> {
    fixture.start(App::new(id, Arc::new(Recorder::new(vec![])))).await
}

async fn serve(fixture: &dyn Fixture, id: &str) {
    let services = Some(Routes::new(Echo));
    let subscriber = Arc::new(Recorder::new(vec![]));
    fixture.start(App { id: id.to_owned(), subscriber, services }).await;
}

async fn channel(fixture: &dyn Fixture, name: &str) -> ApiChannel {
    serve(fixture, &format!("{name}-service")).await;
    caller(fixture, name).await.app(&format!("{name}-service"))
}

fn request(text: &'static str) -> Request<Bytes> {
    Request::new(Bytes::from_static(text.as_bytes()))
}

fn status(result: Result<tonic::Response<Bytes>, Status>) -> Result<Status, String> {
    result.map_or_else(Ok, |response| Err(format!("it succeeded: {:?}", response.into_inner())))
}

async fn a_call_and_its_metadata_get_through(fixture: &dyn Fixture) -> Outcome {
    let channel = channel(fixture, "metadata").await;
    let answer = ok("echo", call(channel.clone(), request("hello")).await)?;
    same("answer", answer.into_inner(), Bytes::from_static(b"hello"))?;
    let mut request = request("metadata");
    request.metadata_mut().insert("x-conformance", tonic::metadata::MetadataValue::from_static("a value"));
    let answer = ok("metadata", call(channel, request).await)?;
    same("metadata", answer.into_inner(), Bytes::from_static(b"a value"))
}

async fn a_deadline_is_passed_on_and_kept(fixture: &dyn Fixture) -> Outcome {
    let channel = channel(fixture, "deadline").await;
    let mut long = request("deadline");
    long.set_timeout(Duration::from_mins(1));
    let answer = ok("call", call(channel.clone(), long).await)?;
    check(!answer.get_ref().is_empty(), "the service saw no deadline")?;
    let mut short = request("hang");
    short.set_timeout(Duration::from_millis(50));
    let status = status(call(channel, short).await)?;
    check(matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded), format!("{status:?}"))
}

async fn a_status_comes_back_with_its_details(fixture: &dyn Fixture) -> Outcome {
    let channel = channel(fixture, "status").await;
    let status = status(call(channel, request("status")).await)?;
    same("code", status.code(), Code::FailedPrecondition)?;
    same("message", status.message(), "as asked")?;
    same("details", status.details(), DETAILS)?;
    let trailer = status.metadata().get("x-trailer").and_then(|value| value.to_str().ok());
    same("trailer", trailer, Some("kept"))
}

async fn a_panic_in_a_service_fails_only_its_call(fixture: &dyn Fixture) -> Outcome {
    let channel = channel(fixture, "crash").await;
    status(call(channel.clone(), request("panic")).await)?;
    ok("the next call", call(channel, request("hello")).await).map(drop)
}

async fn a_call_to_an_unknown_app_is_unavailable(fixture: &dyn Fixture) -> Outcome {
    let channel = caller(fixture, "lonely").await.app("no-such-app");
    same("code", status(call(channel, request("hello")).await)?.code(), Code::Unavailable)
}

async fn an_app_can_be_named_before_it_starts(fixture: &dyn Fixture) -> Outcome {
    let channel = caller(fixture, "early").await.app("early-service");
    status(call(channel.clone(), request("hello")).await)?;
    serve(fixture, "early-service").await;
    ok("call", call(channel, request("hello")).await).map(drop)
}
