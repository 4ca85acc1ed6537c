//! Deliveries, ticks, and what is asked about the app.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dapr::dapr::proto::common::v1::{InvokeRequest, InvokeResponse};
use dapr::dapr::proto::runtime::v1::app_callback_health_check_server::{
    AppCallbackHealthCheck, AppCallbackHealthCheckServer,
};
use dapr::dapr::proto::runtime::v1::app_callback_server::{AppCallback, AppCallbackServer};
use dapr::dapr::proto::runtime::v1::{
    BindingEventRequest, BindingEventResponse, HealthCheckResponse, JobEventRequest, JobEventResponse,
    ListInputBindingsResponse, ListTopicSubscriptionsResponse, TopicEventBulkRequest, TopicEventBulkResponse,
    TopicEventRequest, TopicEventResponse, TopicRoutes, TopicRule, TopicSubscription,
};
use todo_sidecar::conformance::{App, Fixture, Recorder};
use todo_sidecar::{Ack, CloudEvent, DaprSidecar, Delivery, Sidecar, Subscriber, Subscription};
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::{DEADLINE, eventually};
use crate::daprd::{Daprds, PROCESSING};
use crate::support::event;

/// An app that wants one type by a routing rule of daprd's, and notes which calls show a token.
#[derive(Clone, Default)]
struct Ruled(Arc<Mutex<BTreeMap<&'static str, bool>>>);

impl Ruled {
    fn note<T>(&self, call: &'static str, request: &Request<T>) {
        self.0.lock().unwrap().insert(call, request.metadata().contains_key("dapr-api-token"));
    }
}

#[async_trait]
impl AppCallback for Ruled {
    async fn list_topic_subscriptions(
        &self,
        request: Request<()>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        self.note("subscriptions", &request);
        let rule = TopicRule { r#match: "event.type == 'com.todo.wanted'".into(), path: "wanted".into() };
        let subscription = TopicSubscription {
            pubsub_name: "pubsub".into(),
            topic: "ruled".into(),
            routes: Some(TopicRoutes { rules: vec![rule], default: String::new() }),
            dead_letter_topic: "ruled-dead-letter".into(),
            ..TopicSubscription::default()
        };
        Ok(Response::new(ListTopicSubscriptionsResponse { subscriptions: vec![subscription] }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        self.note("event", &request);
        assert_eq!(request.get_ref().path, "wanted");
        Ok(Response::new(TopicEventResponse::default()))
    }

    async fn list_input_bindings(&self, request: Request<()>) -> Result<Response<ListInputBindingsResponse>, Status> {
        self.note("bindings", &request);
        Ok(Response::new(ListInputBindingsResponse::default()))
    }

    async fn on_binding_event(
        &self,
        request: Request<BindingEventRequest>,
    ) -> Result<Response<BindingEventResponse>, Status> {
        self.note("tick", &request);
        Ok(Response::new(BindingEventResponse::default()))
    }

    async fn on_invoke(&self, _: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn on_bulk_topic_event(
        &self,
        _: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn on_job_event(&self, _: Request<JobEventRequest>) -> Result<Response<JobEventResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[async_trait]
impl AppCallbackHealthCheck for Ruled {
    async fn health_check(&self, request: Request<()>) -> Result<Response<HealthCheckResponse>, Status> {
        self.note("health", &request);
        Ok(Response::new(HealthCheckResponse {}))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_rule_matches_is_a_dead_letter_and_discovery_shows_no_token() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let app = Ruled::default();
    let routes =
        Routes::new(AppCallbackServer::new(app.clone())).add_service(AppCallbackHealthCheckServer::new(app.clone()));
    let options = daprds.serve("ruled", routes).await;
    let sidecar = DaprSidecar::new(options).unwrap();
    let wanted = CloudEvent { type_: "com.todo.wanted".into(), ..event("wanted") };
    sidecar.publish("ruled", &event("other")).await.unwrap();
    sidecar.publish("ruled", &wanted).await.unwrap();
    let redis = daprds.redis().await;
    eventually("one dead letter", || redis.ask("XLEN ruled-dead-letter") == ":1\r\n").await;
    // It ticks though no binding was asked for: its component says `direction: input`.
    let expected = BTreeMap::from([("subscriptions", false), ("health", false), ("event", true), ("tick", true)]);
    eventually("all calls", || *app.0.lock().unwrap() == expected).await;
}

/// Serves when it is told, and hands events on.
struct Sleeper {
    serves: AtomicBool,
    seen: watch::Sender<Vec<String>>,
}

#[async_trait]
impl Subscriber for Sleeper {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription::new("asleep")]
    }

    async fn serving(&self) -> bool {
        self.serves.load(Ordering::SeqCst)
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        if !self.serves.load(Ordering::SeqCst) {
            return Ack::Retry("the database is away".into());
        }
        self.seen.send_modify(|seen| seen.push(delivery.event.id.clone()));
        Ack::Success
    }
}

/// An outage far longer than all retries take together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_what_the_app_needs_buries_nothing() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let app = Arc::new(Sleeper { serves: AtomicBool::new(true), seen: watch::Sender::default() });
    let options = daprds.run(App::new("asleep", app.clone())).await;
    let sidecar = DaprSidecar::new(options).unwrap();
    let got = async |id: &str| {
        let mut seen = app.seen.subscribe();
        let it = |seen: &Vec<String>| seen.iter().any(|one| one == id);
        tokio::time::timeout(DEADLINE, seen.wait_for(it)).await.expect("the event comes").unwrap();
    };
    sidecar.publish("asleep", &event("before")).await.unwrap();
    got("before").await;
    app.serves.store(false, Ordering::SeqCst);
    for n in 0..20 {
        sidecar.publish("asleep", &event(&format!("e{n}"))).await.unwrap();
    }
    daprds.pass(Duration::from_secs(8)).await;
    app.serves.store(true, Ordering::SeqCst);
    for n in 0..20 {
        got(&format!("e{n}")).await;
    }
    assert_eq!(daprds.redis().await.ask("EXISTS asleep-dead-letter"), ":0\r\n");
}

/// An outage of the app itself, which daprd notices after three failed health checks: its retries must last longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_away_loses_nothing_if_retries_outlast_the_health_checks() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::with(|components| components.max_retries = 100).await;
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("away")]));
    let sidecar = DaprSidecar::new(daprds.run(App::new("away", recorder.clone())).await).unwrap();
    sidecar.publish("away", &event("before")).await.unwrap();
    recorder.first(DEADLINE, "before").await.unwrap();
    let events: Vec<_> = (0..20).map(|n| event(&format!("e{n}"))).collect();
    let publish = async {
        // The app is going; whether one of these comes before it is gone does not matter.
        for result in sidecar.publish_many("away", &events).await {
            result.unwrap();
        }
    };
    tokio::join!(daprds.interrupt(App::new("away", recorder.clone()), Duration::from_secs(6)), publish);
    recorder.until(DEADLINE, "all of them", |seen| seen.len() >= 21).await.unwrap();
    assert_eq!(daprds.redis().await.ask("EXISTS away-dead-letter"), ":0\r\n");
}

/// daprd ends a subscription without ending its reader, which waits in Redis for one more event and does nothing with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_an_event_goes_to_the_reader_of_before_and_comes_again_when_its_time_is_over() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let app = Arc::new(Sleeper { serves: AtomicBool::new(true), seen: watch::Sender::default() });
    let options = daprds.run(App::new("asleep", app.clone())).await;
    let redis = daprds.redis().await;
    let readers = async |count| {
        let said = format!("blocked_clients:{count}\r\n");
        eventually("so many readers", || redis.ask("INFO clients").contains(&said)).await;
    };
    readers(1).await;
    app.serves.store(false, Ordering::SeqCst);
    daprds.pass(Duration::from_secs(8)).await;
    app.serves.store(true, Ordering::SeqCst);
    readers(2).await;
    let begun = Instant::now();
    DaprSidecar::new(options).unwrap().publish("asleep", &event("after")).await.unwrap();
    let mut seen = app.seen.subscribe();
    tokio::time::timeout(DEADLINE, seen.wait_for(|seen| !seen.is_empty())).await.expect("the event comes").unwrap();
    assert!(begun.elapsed() >= PROCESSING, "{:?}", begun.elapsed());
    readers(1).await;
}
