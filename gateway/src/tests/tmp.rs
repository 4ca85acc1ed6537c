use super::harness::*;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use prost_reflect::DynamicMessage;
use std::collections::HashMap;
use std::time::Instant;
use todo_proto::v1;
use tower::service_fn;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tmp_serve() {
    let rpcs: HashMap<String, _> = crate::contract::rpcs(todo_proto::json::pool())
        .into_iter()
        .map(|rpc| (rpc.path.as_str().to_owned(), rpc))
        .collect();
    let rpcs = std::sync::Arc::new(rpcs);
    let backend = service_fn(move |request: Request<tonic::body::Body>| {
        let rpcs = rpcs.clone();
        async move {
            let rpc = rpcs[request.uri().path()].clone();
            let message = DynamicMessage::new(rpc.output.clone());
            let frames = [
                Ok(http_body::Frame::data(frame(&message))),
                Ok::<_, tonic::Status>(http_body::Frame::trailers([(http::HeaderName::from_static("grpc-status"), http::HeaderValue::from_static("0"))].into_iter().collect())),
            ];
            let mut response = Response::new(tonic::body::Body::new(http_body_util::StreamBody::new(futures::stream::iter(frames))));
            response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
            Ok::<_, crate::BoxError>(response)
        }
    });
    let router = crate::build(options(), backend);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:18099").await.unwrap();
    todo_runtime::serve::serve(router, listener, tokio_util::sync::CancellationToken::new()).await;
}

#[tokio::test]
async fn tmp_measure() {
    let system = System::new();
    let mut task = task();
    task.description = "A longer description of what is to be done, with some words. ".repeat(4);
    task.tags = vec!["home".into(), "money".into()];
    let at = serde_json::from_value::<i64>(serde_json::json!(1)).ok().and_then(|_| todo_proto::json::read::<v1::Task>(&serde_json::json!({"due_date":"2026-11-21T09:00:00.123456Z"})).unwrap().due_date);
    task.due_date = at;
    task.created_at = at;
    task.updated_at = at;
    task.reminders = vec![v1::Reminder { id: task.id.clone(), trigger_at: at, created_at: at, ..Default::default() }];
    task.recurrence = Some(v1::Recurrence { id: task.id.clone(), recurrence_type: 1, next_occurrence: at, created_at: at, ..Default::default() });
    system.answers("CreateTask", &task);
    let list = v1::ListTasksResponse { tasks: vec![task.clone(); 50], total: Some(1000), next_page_token: None, revision: 9 };
    system.answers("ListTasks", &list);
    let body = serde_json::json!({"title": task.title, "description": task.description, "priority": "high", "tags": ["home","money"], "due_date": "2026-11-21T09:00:00Z", "reminders": [{"trigger_at":"2026-11-21T08:00:00Z"}], "recurrence": {"recurrence_type":"daily"}}).to_string();
    for round in 0..3 {
        let n = 2000;
        let t = Instant::now();
        for _ in 0..n { system.post("/api/tasks", &body).await; }
        eprintln!("{round} create {:?}", t.elapsed() / n);
        let n = 300;
        let t = Instant::now();
        let mut len = 0;
        for _ in 0..n { len = system.get("/api/tasks?limit=50").await.text.len(); }
        eprintln!("{round} list50 {:?} {len} bytes", t.elapsed() / n);
        system.calls();
    }
    let dynamic = todo_proto::json::dynamic(&list);
    let bytes = prost::Message::encode_to_vec(&list);
    let t = Instant::now();
    for _ in 0..300 { std::hint::black_box(todo_proto::json::to_vec(&dynamic)); }
    eprintln!("print {:?}", t.elapsed() / 300);
    let t = Instant::now();
    for _ in 0..300 { std::hint::black_box(DynamicMessage::decode(todo_proto::json::descriptor::<v1::ListTasksResponse>(), bytes.as_slice()).unwrap()); }
    eprintln!("decode {:?}", t.elapsed() / 300);
    let _ = (Method::GET, "x".to_owned());
    let _ = bytes.len();
    let _ = axum::body::Body::empty().collect().await;
}
