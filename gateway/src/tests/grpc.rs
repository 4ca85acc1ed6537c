//! Native gRPC and gRPC-web, through the proxy.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, Method, Request, StatusCode};
use todo_domain::Reason;
use todo_proto::v1::{
    self, due_service_client::DueServiceClient, event_service_client::EventServiceClient,
    task_service_client::TaskServiceClient,
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt as _;

use super::{
    errors::status,
    harness::{System, frame, options, request, task},
};

fn get(id: &str) -> v1::GetTaskRequest {
    v1::GetTaskRequest { id: id.to_owned() }
}

#[tokio::test]
async fn a_generated_client_speaks_through_the_gateway() {
    let system = System::new();
    system.answers_with("GetTask", &task(), &[("x-event-published", "true")]);
    let mut call = tonic::Request::new(get("7"));
    for (name, value) in [("authorization", "Bearer t"), ("idempotency-key", "k")] {
        call.metadata_mut().insert(name, value.parse().unwrap());
    }
    // What only we may say.
    for name in ["x-client-address", "internal-token", "dapr-app-id", "dapr-api-token", "x-forwarded-for", "cookie"] {
        call.metadata_mut().insert(name, "forged".parse().unwrap());
    }
    let answer = TaskServiceClient::new(system.channel()).get_task(call).await.unwrap();
    assert_eq!(answer.metadata().get("x-event-published").unwrap(), "true");
    assert!(answer.metadata().get("x-request-id").is_some());
    assert_eq!(answer.into_inner(), task());

    let call = system.call();
    assert_eq!((call.header("authorization"), call.header("idempotency-key")), (Some("Bearer t"), Some("k")));
    for name in ["x-client-address", "internal-token", "dapr-app-id", "dapr-api-token", "x-forwarded-for", "cookie"] {
        assert_eq!(call.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn rest_strips_the_same_and_tells_the_address() {
    let options =
        crate::Options { trusted_proxies: vec!["192.0.2.1/32".parse().unwrap()], ..super::harness::options() };
    let system = System::with(options);
    system.answers("GetTask", &task());
    let forged = [
        ("x-client-address", "1.1.1.1"),
        ("internal-token", "x"),
        ("dapr-app-id", "backend"),
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
    ];
    system.send(request(Method::GET, "/api/tasks/7", &forged, "")).await;
    let call = system.call();
    assert_eq!(call.header("x-client-address"), Some("198.51.100.7"));
    assert_eq!((call.header("internal-token"), call.header("dapr-app-id")), (None, None));
}

#[tokio::test]
async fn errors_pass_with_their_details() {
    let system = System::new();
    system.fails("GetTask", status(Reason::TaskNotFound));
    let error = TaskServiceClient::new(system.channel()).get_task(get("7")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(error.get_details_error_info().unwrap().reason, "TASK_NOT_FOUND");
    system.is_away("GetTask");
    let error = TaskServiceClient::new(system.channel()).get_task(get("7")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn what_is_internal_is_not_there() {
    let system = System::new();
    system.answers("ListDue", &v1::ListDueResponse::default());
    let error = DueServiceClient::new(system.channel()).list_due(v1::ListDueRequest::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    for path in
        ["/todo.v1.TaskService/Nothing", "/todo.v1.SchedulerService/GetStatus", "/x", "/grpc.health.v1.Health/X"]
    {
        let mut request = request(Method::POST, path, &[("content-type", "application/grpc")], "");
        *request.version_mut() = http::Version::HTTP_2;
        let answer = system.send(request).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (StatusCode::OK, Some("12")), "{path}");
    }
    assert!(system.calls().is_empty());
}

#[tokio::test]
async fn a_message_too_large_is_refused_before_the_backend() {
    let system = System::with(crate::Options { body_limit: 64, ..options() });
    system.answers("GetTask", &task());
    let mut client = TaskServiceClient::new(system.channel());
    // Two bytes of the message are the field's tag and length.
    assert!(client.get_task(get(&"x".repeat(62))).await.is_ok());
    let error = client.get_task(get(&"x".repeat(63))).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(system.calls().len(), 1);
}

#[tokio::test]
async fn deadlines_are_kept() {
    let system = System::with(crate::Options { request_timeout: Duration::from_millis(20), ..options() });
    system.hangs("GetTask");
    let mut client = TaskServiceClient::new(system.channel());
    let error = client.get_task(get("7")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(system.call().header("grpc-timeout"), None);

    // A stream may take longer, unless its client says otherwise.
    let sender = system.streams::<v1::WatchResponse>("Watch");
    sender.send(Ok(v1::WatchResponse::default())).unwrap();
    let mut call = tonic::Request::new(v1::WatchRequest::default());
    call.set_timeout(Duration::from_millis(5));
    let mut events = EventServiceClient::new(system.channel()).watch(call).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().is_some());
    assert_eq!(events.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let options = options();
    let shutdown = options.shutdown.clone();
    let system = System::with(options);
    let _sender = system.streams::<v1::WatchResponse>("Watch");
    let mut client = EventServiceClient::new(system.channel());
    let mut events = client.watch(v1::WatchRequest::default()).await.unwrap().into_inner();
    shutdown.cancel();
    assert_eq!(events.message().await.unwrap_err().code(), Code::Unavailable);
}

fn web(kind: &str, body: Bytes) -> Request<Body> {
    let mut request = request(Method::POST, "/todo.v1.TaskService/GetTask", &[("content-type", kind)], "");
    request.headers_mut().insert("x-grpc-web", HeaderValue::from_static("1"));
    *request.body_mut() = Body::from(body);
    request
}

#[tokio::test]
async fn grpc_web_is_translated() {
    let system = System::new();
    system.answers("GetTask", &task());
    let answer = system.send(web("application/grpc-web+proto", frame(&get("7")))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/grpc-web+proto"));
    let message = frame(&task());
    assert_eq!(answer.text[..message.len()], message);
    let trailers = &answer.text[message.len()..];
    assert_eq!(trailers[0], 0x80, "the flag of trailers");
    assert!(str::from_utf8(&trailers[5..]).unwrap().to_lowercase().contains("grpc-status:0"));
    let call = system.call();
    assert_eq!(
        (call.message::<v1::GetTaskRequest>().id.as_str(), call.header("content-type")),
        ("7", Some("application/grpc"))
    );
    assert_eq!(call.header("x-client-address"), Some("192.0.2.1"));

    system.fails("GetTask", status(Reason::TaskNotFound));
    let answer = system.send(web("application/grpc-web", frame(&get("7")))).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (StatusCode::OK, Some("5")));
}

#[tokio::test]
async fn native_grpc_needs_http_2() {
    let system = System::new();
    let answer = system.send(web("application/grpc", frame(&get("7")))).await;
    assert_eq!(answer.status, StatusCode::HTTP_VERSION_NOT_SUPPORTED);
}

#[tokio::test]
async fn reflection_lists_what_is_public_and_describes_no_more() {
    let system = System::new();
    let ask = async |message: MessageRequest| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
        let mut client = ServerReflectionClient::new(system.channel());
        let mut answers = client.server_reflection_info(stream::iter([request])).await.unwrap().into_inner();
        answers.message().await.map(|answer| answer.unwrap().message_response.unwrap())
    };
    let Ok(MessageResponse::ListServicesResponse(list)) = ask(MessageRequest::ListServices(String::new())).await else {
        panic!()
    };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    names.dedup();
    assert!(names.contains(&"todo.v1.TaskService".to_owned()) && names.contains(&"grpc.health.v1.Health".to_owned()));
    assert!(!names.iter().any(|name| name.contains("Due") || name.contains("Scheduler")), "{names:?}");

    let symbol = |name: &str| ask(MessageRequest::FileContainingSymbol(name.to_owned()));
    let Ok(MessageResponse::FileDescriptorResponse(file)) = symbol("todo.v1.TaskService").await else { panic!() };
    let text = String::from_utf8_lossy(&file.file_descriptor_proto[0]).into_owned();
    assert!(text.contains("/api/tasks/{id}"), "custom options survive");
    assert!(symbol("todo.v1.Task.title").await.is_ok());
    assert!(!matches!(symbol("todo.v1.DueService").await, Ok(MessageResponse::FileDescriptorResponse(_))));
}

#[tokio::test]
async fn health_is_the_readiness_of_the_process() {
    let health = todo_runtime::health::Health::default();
    let system = System::with(crate::Options { health: health.clone(), ..options() });
    let check = async |service: &str| {
        let request = HealthCheckRequest { service: service.to_owned() };
        HealthClient::new(system.channel()).check(request).await.map(|answer| answer.into_inner().status)
    };
    assert_eq!(check("").await.unwrap(), 1);
    assert_eq!(check("todo.v1.TaskService").await.unwrap(), 1);
    assert_eq!(check("todo.v1.DueService").await.unwrap_err().code(), Code::NotFound);
    health.set("database", todo_runtime::health::Check::Failing("away".to_owned()));
    assert_eq!(check("").await.unwrap(), 2);
    let mut client = HealthClient::new(system.channel());
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2);
}

#[tokio::test]
async fn a_panic_is_one_calls_internal_error() {
    let system = System::new();
    system.panics("GetTask");
    let error = TaskServiceClient::new(system.channel()).get_task(get("7")).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
}
