//! The callbacks, called as daprd would: over a socket.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dapr::dapr::proto::common::v1::InvokeRequest;
use dapr::dapr::proto::runtime::v1::app_callback_client::AppCallbackClient;
use dapr::dapr::proto::runtime::v1::app_callback_health_check_client::AppCallbackHealthCheckClient;
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Answer;
use dapr::dapr::proto::runtime::v1::{BindingEventRequest, GetMetadataRequest, TopicEventRequest};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use todo_sidecar::conformance::{Answer as Script, Recorder};
use todo_sidecar::dapr::{Activity, CallbackOptions, callback};
use todo_sidecar::{Ack, Delivery, Secret, Subscriber, Subscription};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};

use crate::support::DEADLINE;

const TOKEN: &str = "the app's token";

/// Serves the callbacks of a subscriber; answers with a connection to them.
async fn serve(subscriber: Arc<dyn Subscriber>, change: impl FnOnce(&mut CallbackOptions)) -> Channel {
    let mut options = CallbackOptions { app_token: Some(Secret::new(TOKEN)), ..CallbackOptions::new("pubsub") };
    change(&mut options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = callback(subscriber, &options, Routes::default());
    // It ends with the test's runtime.
    tokio::spawn(
        Server::builder().add_routes(routes).serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))),
    );
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("dapr-api-token", TOKEN.parse().unwrap());
    request
}

fn event(id: &str) -> TopicEventRequest {
    let time = Value { kind: Some(Kind::StringValue("2026-03-29T01:30:00Z".into())) };
    TopicEventRequest {
        id: id.into(),
        source: "/backend/tasks".into(),
        r#type: "com.todo.test".into(),
        spec_version: "1.0".into(),
        data_content_type: "application/json".into(),
        data: b"{}".to_vec(),
        topic: "tasks".into(),
        pubsub_name: "pubsub".into(),
        path: String::new(),
        extensions: Some(Struct { fields: BTreeMap::from([("time".into(), time)]) }),
    }
}

async fn deliver(channel: &Channel, event: TopicEventRequest) -> Result<Answer, Status> {
    let answer = AppCallbackClient::new(channel.clone()).on_topic_event(with_token(event)).await?;
    Ok(answer.into_inner().status())
}

fn recorder(script: impl Fn(&Delivery, usize) -> Script + Send + Sync + 'static) -> Arc<Recorder> {
    Arc::new(Recorder::scripted(vec![Subscription::new("tasks")], script).with_binding("minute"))
}

/// Handles events when it is let, and serves when it is told.
struct Gate {
    serves: AtomicBool,
    asked: Notify,
    started: Notify,
    permits: Semaphore,
    at_once: AtomicUsize,
    most: AtomicUsize,
    answer: fn() -> Ack,
}

impl Gate {
    fn new(answer: fn() -> Ack) -> Arc<Self> {
        Arc::new(Self {
            serves: AtomicBool::new(true),
            asked: Notify::new(),
            started: Notify::new(),
            permits: Semaphore::new(0),
            at_once: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            answer,
        })
    }
}

async fn notified(what: &str, notify: &Notify) {
    tokio::time::timeout(DEADLINE, notify.notified()).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

#[async_trait]
impl Subscriber for Gate {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription::new("tasks")]
    }

    async fn serving(&self) -> bool {
        self.asked.notify_one();
        self.serves.load(Ordering::SeqCst)
    }

    async fn on_event(&self, _: &Delivery) -> Ack {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.started.notify_one();
        self.permits.acquire().await.unwrap().forget();
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        (self.answer)()
    }
}

#[tokio::test]
async fn daprd_is_told_of_topics_with_their_dead_letters_and_of_bindings_without_showing_a_token() {
    let channel = serve(recorder(|_, _| Script::Ack(Ack::Success)), |_| {}).await;
    let mut client = AppCallbackClient::new(channel.clone());
    let topics = client.list_topic_subscriptions(()).await.unwrap().into_inner().subscriptions;
    assert_eq!(topics.len(), 1);
    assert_eq!((topics[0].pubsub_name.as_str(), topics[0].topic.as_str()), ("pubsub", "tasks"));
    assert_eq!(topics[0].dead_letter_topic, "tasks-dead-letter");
    assert_eq!(topics[0].routes, None, "a rule that does not match would be a dead letter");
    assert_eq!(client.list_input_bindings(()).await.unwrap().into_inner().bindings, ["minute"]);
    AppCallbackHealthCheckClient::new(channel).health_check(()).await.unwrap();
}

#[tokio::test]
async fn everything_else_wants_the_token() {
    let recorder = recorder(|_, _| Script::Ack(Ack::Success));
    let channel = serve(recorder.clone(), |_| {}).await;
    let mut client = AppCallbackClient::new(channel.clone());
    let binding = BindingEventRequest { name: "minute".into(), ..BindingEventRequest::default() };
    assert_eq!(client.on_topic_event(event("e")).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.on_binding_event(binding.clone()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.on_invoke(InvokeRequest::default()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!((recorder.seen().len(), recorder.ticks()), (0, 0));
    assert_eq!(deliver(&channel, event("e")).await.unwrap(), Answer::Success);
    client.on_binding_event(with_token(binding)).await.unwrap();
    assert_eq!((recorder.seen().len(), recorder.ticks()), (1, 1));
}

#[tokio::test]
async fn the_services_beside_the_callbacks_want_the_token_too() {
    let channel = serve(recorder(|_, _| Script::Ack(Ack::Success)), |_| {}).await;
    // Any other service; there is none here.
    let mut client = DaprClient::new(channel);
    let mut code = async |request| client.get_metadata(request).await.unwrap_err().code();
    assert_eq!(code(Request::new(GetMetadataRequest::default())).await, Code::Unauthenticated);
    assert_eq!(code(with_token(GetMetadataRequest::default())).await, Code::Unimplemented, "it came through");
}

#[tokio::test]
async fn a_handlers_answer_is_daprds() {
    let script = |delivery: &Delivery, _| match delivery.event.id.as_str() {
        "retry" => Script::Ack(Ack::Retry("later".into())),
        "drop" => Script::Ack(Ack::Drop("unreadable".into())),
        "panic" => Script::Panic,
        _ => Script::Ack(Ack::Success),
    };
    let channel = serve(recorder(script), |_| {}).await;
    for (id, answer) in
        [("retry", Answer::Retry), ("drop", Answer::Drop), ("panic", Answer::Retry), ("done", Answer::Success)]
    {
        assert_eq!(deliver(&channel, event(id)).await.unwrap(), answer, "{id}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_dropped_unless_nobody_wants_it() {
    let wanted = Subscription { types: vec!["com.todo.test".into()], ..Subscription::new("tasks") };
    let recorder = Arc::new(Recorder::new(vec![wanted]));
    let channel = serve(recorder.clone(), |_| {}).await;
    let broken = |type_: &str| TopicEventRequest { r#type: type_.into(), data: b"{".to_vec(), ..event("broken") };
    assert_eq!(deliver(&channel, broken("com.todo.test")).await.unwrap(), Answer::Drop);
    assert_eq!(deliver(&channel, broken("com.todo.other")).await.unwrap(), Answer::Success);
    let nowhere = TopicEventRequest { topic: "other".into(), ..event("nowhere") };
    assert_eq!(deliver(&channel, nowhere).await.unwrap(), Answer::Drop);
    assert_eq!(recorder.seen(), []);
}

#[tokio::test]
async fn a_handler_runs_to_its_end_though_the_call_was_dropped() {
    let (gate, activity) = (Gate::new(|| Ack::Success), Activity::default());
    let channel = serve(gate.clone(), |options| options.activity = activity.clone()).await;
    let call = tokio::spawn({
        let channel = channel.clone();
        async move { deliver(&channel, event("e")).await }
    });
    notified("the handler", &gate.started).await;
    call.abort();
    call.await.unwrap_err();
    // Whoever stops the app waits for it.
    let mut ended = pin!(activity.ended());
    assert!(futures::poll!(ended.as_mut()).is_pending());
    gate.permits.add_permits(1);
    tokio::time::timeout(DEADLINE, ended).await.expect("handlers end");
    assert_eq!(gate.at_once.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_more_handlers_run_at_once_than_are_allowed() {
    let gate = Gate::new(|| Ack::Success);
    let channel = serve(gate.clone(), |options| options.concurrency = 3).await;
    let names: Vec<_> = (0..12).map(|n| format!("e{n}")).collect();
    let calls = futures::future::join_all(names.iter().map(|id| deliver(&channel, event(id))));
    let gates = async {
        while gate.at_once.load(Ordering::SeqCst) < 3 {
            notified("three handlers", &gate.started).await;
        }
        gate.permits.add_permits(12);
    };
    let (answers, ()) = tokio::join!(calls, gates);
    assert!(answers.into_iter().all(|answer| answer.unwrap() == Answer::Success));
    assert_eq!(gate.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_app_that_does_not_serve_says_so_and_gets_no_event_until_it_does() {
    let gate = Gate::new(|| Ack::Success);
    gate.serves.store(false, Ordering::SeqCst);
    gate.permits.add_permits(1);
    let activity = Activity::default();
    let channel = serve(gate.clone(), |options| options.activity = activity.clone()).await;
    let mut health = AppCallbackHealthCheckClient::new(channel.clone());
    assert!(!activity.has_begun());
    assert_eq!(health.health_check(()).await.unwrap_err().code(), Code::Unavailable);
    notified("the question", &gate.asked).await;
    assert!(activity.has_begun());
    let returns = async {
        notified("the gate's question", &gate.asked).await;
        assert_eq!(gate.at_once.load(Ordering::SeqCst), 0);
        gate.serves.store(true, Ordering::SeqCst);
    };
    let (answer, ()) = tokio::join!(deliver(&channel, event("e")), returns);
    assert_eq!(answer.unwrap(), Answer::Success);
    health.health_check(()).await.unwrap();
}

#[tokio::test]
async fn after_a_retry_the_app_is_asked_and_daprd_is_not_kept_waiting_for_ever() {
    let gate = Gate::new(|| Ack::Retry("the database is away".into()));
    gate.permits.add_permits(2);
    let channel = serve(gate.clone(), |options| options.patience = Duration::ZERO).await;
    assert_eq!(deliver(&channel, event("e")).await.unwrap(), Answer::Retry);
    gate.serves.store(false, Ordering::SeqCst);
    assert_eq!(deliver(&channel, event("e")).await.unwrap(), Answer::Retry);
    assert_eq!(gate.permits.available_permits(), 1, "the second delivery did not reach the handler");
}

/// Panics at every tick.
struct Clumsy;

#[async_trait]
impl Subscriber for Clumsy {
    fn subscriptions(&self) -> Vec<Subscription> {
        Vec::new()
    }

    fn bindings(&self) -> Vec<String> {
        vec!["minute".into()]
    }

    async fn on_event(&self, _: &Delivery) -> Ack {
        Ack::Success
    }

    async fn on_trigger(&self, _: &str) {
        panic!("as asked");
    }
}

#[tokio::test]
async fn a_ticks_failure_is_nobodys_business() {
    let channel = serve(Arc::new(Clumsy), |_| {}).await;
    let tick = BindingEventRequest { name: "minute".into(), ..BindingEventRequest::default() };
    AppCallbackClient::new(channel).on_binding_event(with_token(tick)).await.unwrap();
}

#[tokio::test]
async fn ticks_of_other_bindings_are_not_the_apps() {
    let recorder = recorder(|_, _| Script::Ack(Ack::Success));
    let channel = serve(recorder.clone(), |_| {}).await;
    let tick = BindingEventRequest { name: "hour".into(), ..BindingEventRequest::default() };
    AppCallbackClient::new(channel).on_binding_event(with_token(tick)).await.unwrap();
    assert_eq!(recorder.ticks(), 0);
}

#[tokio::test]
async fn the_only_method_is_health() {
    let gate = Gate::new(|| Ack::Success);
    let mut client = AppCallbackClient::new(serve(gate.clone(), |_| {}).await);
    let mut invoke = async |method: &str| {
        let request = InvokeRequest { method: method.into(), ..InvokeRequest::default() };
        client.on_invoke(with_token(request)).await
    };
    let answer = invoke("health").await.unwrap().into_inner();
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.data.unwrap().value, br#"{"status":"ok"}"#);
    assert_eq!(invoke("tasks").await.unwrap_err().code(), Code::Unimplemented);
    gate.serves.store(false, Ordering::SeqCst);
    assert_eq!(invoke("health").await.unwrap_err().code(), Code::Unavailable);
}
