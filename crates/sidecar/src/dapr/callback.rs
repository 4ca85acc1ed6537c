//! What daprd calls: events, ticks and questions about the app
//! (<https://docs.dapr.io/developing-applications/integrations/grpc-integration/>).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dapr::dapr::proto::common::v1::{InvokeRequest, InvokeResponse};
use dapr::dapr::proto::runtime::v1::app_callback_health_check_server::{
    AppCallbackHealthCheck, AppCallbackHealthCheckServer,
};
use dapr::dapr::proto::runtime::v1::app_callback_server::{AppCallback, AppCallbackServer};
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus as Answer;
use dapr::dapr::proto::runtime::v1::{
    BindingEventRequest, BindingEventResponse, HealthCheckResponse, JobEventRequest, JobEventResponse,
    ListInputBindingsResponse, ListTopicSubscriptionsResponse, TopicEventBulkRequest, TopicEventBulkResponse,
    TopicEventRequest, TopicEventResponse, TopicSubscription,
};
use futures::FutureExt;
use prost_types::Any;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::envelope;
use super::gate::Gate;
use super::token::AppToken;
use crate::{Ack, Delivery, Secret, Subscriber, Subscription, port::handle};

/// The largest event that is taken; daprd passes on 4 MB unless it is told otherwise.
const LARGEST: usize = 16 << 20;

/// How a [`callback`] is made.
#[derive(Debug, Clone)]
pub struct CallbackOptions {
    /// The name of the pub/sub component.
    pub pubsub: String,
    /// What daprd shows with each call (its `APP_API_TOKEN`). Without one, whoever reaches the listener may call.
    pub app_token: Option<Secret>,
    /// How many event handlers run at once; 16 by default, at least 1. daprd's own limit (`--app-max-concurrency`) does
    /// not hold for gRPC. Ticks are not counted.
    pub concurrency: usize,
    /// How long an event waits for an app that does not serve before daprd is asked to retry it; 20 s by default. Keep it
    /// well below the component's `processingTimeout`, after which daprd delivers the event a second time.
    pub patience: Duration,
    /// Tells what goes on.
    pub activity: Activity,
}

impl CallbackOptions {
    /// The defaults, without a token.
    #[must_use]
    pub fn new(pubsub: impl Into<String>) -> Self {
        Self {
            pubsub: pubsub.into(),
            app_token: None,
            concurrency: 16,
            patience: Duration::from_secs(20),
            activity: Activity::default(),
        }
    }
}

/// What goes on at a [`callback`]. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    handlers: TaskTracker,
    begun: Arc<AtomicBool>,
}

impl Activity {
    /// Whether daprd has asked for the app's health: before, it brings nothing.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Waits until no handler runs, those included whose call was dropped. New ones may begin until the listener is gone.
    pub async fn ended(&self) {
        self.handlers.close();
        self.handlers.wait().await;
    }
}

/// What to serve on the listener that daprd calls (its `--app-port`): the callbacks for `subscriber`, and the `internal`
/// services that other apps call through their daprd, all behind [`AppToken`].
///
/// A handler runs to its end even if daprd drops the call or goes away: only the end of this process cuts it off, and
/// [`Activity::ended`] waits for it.
///
/// The listener must set `TCP_NODELAY`: without it, 640 events/s are delivered instead of 4,500 (measured, daprd 1.18).
#[must_use]
pub fn callback(subscriber: Arc<dyn Subscriber>, options: &CallbackOptions, internal: Routes) -> Routes {
    let callback = Callback(Arc::new(Inner {
        subscriptions: subscriber.subscriptions(),
        bindings: subscriber.bindings(),
        gate: Gate::new(Arc::clone(&subscriber), options.patience),
        handlers: Arc::new(Semaphore::new(options.concurrency.max(1))),
        activity: options.activity.clone(),
        pubsub: options.pubsub.clone(),
        subscriber,
    }));
    let routes = internal
        .add_service(AppCallbackServer::new(callback.clone()).max_decoding_message_size(LARGEST))
        .add_service(AppCallbackHealthCheckServer::new(callback));
    routes.into_axum_router().layer(AppToken::new(options.app_token.as_ref())).into()
}

#[derive(Clone)]
struct Callback(Arc<Inner>);

struct Inner {
    subscriber: Arc<dyn Subscriber>,
    subscriptions: Vec<Subscription>,
    bindings: Vec<String>,
    pubsub: String,
    gate: Gate,
    handlers: Arc<Semaphore>,
    activity: Activity,
}

impl Inner {
    async fn take(&self, request: TopicEventRequest) -> Answer {
        let (id, topic) = (request.id.clone(), request.topic.clone());
        let Some(subscription) = self.subscriptions.iter().find(|subscription| subscription.topic == topic) else {
            tracing::warn!(event.id = %id, %topic, "an event came of a topic that was not asked for");
            return Answer::Drop;
        };
        if !subscription.takes(&request.r#type) {
            return Answer::Success;
        }
        let event = match envelope::read(request) {
            Ok(event) => event,
            Err(invalid) => {
                tracing::warn!(event.id = %id, %topic, %invalid, "an event cannot be read");
                return Answer::Drop;
            }
        };
        if !self.gate.pass().await {
            tracing::debug!(event.id = %id, %topic, "the app does not serve");
            return Answer::Retry;
        }
        // Not in the task: a call that is dropped while it waits for its turn starts nothing.
        let turn = Arc::clone(&self.handlers).acquire_owned().await;
        let subscriber = Arc::clone(&self.subscriber);
        let handler = self.activity.handlers.spawn(async move {
            let _turn = turn;
            handle(subscriber.as_ref(), &Delivery { topic, event, retries: 0 }).await
        });
        match handler.await {
            Ok(Ack::Success) => Answer::Success,
            Ok(Ack::Retry(reason)) => {
                tracing::debug!(event.id = %id, %reason, "an event will be delivered again");
                self.gate.doubt();
                Answer::Retry
            }
            Ok(Ack::Drop(reason)) => {
                tracing::warn!(event.id = %id, %reason, "an event was dropped");
                Answer::Drop
            }
            Err(error) => {
                tracing::error!(event.id = %id, %error, "a handler did not end");
                self.gate.doubt();
                Answer::Retry
            }
        }
    }
}

#[async_trait]
impl AppCallback for Callback {
    /// No routing rules: daprd sends an event that none matches to the dead letter, where there is one (measured). All
    /// events of a topic come here, and types that are not handled are acknowledged unseen.
    async fn list_topic_subscriptions(
        &self,
        _: Request<()>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        let subscriptions = self.0.subscriptions.iter().map(|subscription| TopicSubscription {
            pubsub_name: self.0.pubsub.clone(),
            topic: subscription.topic.clone(),
            dead_letter_topic: subscription.dead_letter_topic.clone().unwrap_or_default(),
            ..TopicSubscription::default()
        });
        Ok(Response::new(ListTopicSubscriptionsResponse { subscriptions: subscriptions.collect() }))
    }

    async fn on_topic_event(
        &self,
        request: Request<TopicEventRequest>,
    ) -> Result<Response<TopicEventResponse>, Status> {
        let status = self.0.take(request.into_inner()).await.into();
        Ok(Response::new(TopicEventResponse { status }))
    }

    async fn list_input_bindings(&self, _: Request<()>) -> Result<Response<ListInputBindingsResponse>, Status> {
        Ok(Response::new(ListInputBindingsResponse { bindings: self.0.bindings.clone() }))
    }

    async fn on_binding_event(
        &self,
        request: Request<BindingEventRequest>,
    ) -> Result<Response<BindingEventResponse>, Status> {
        let binding = request.into_inner().name;
        // A binding whose component says `direction: input` ticks at every app that is in its scope, asked for or not.
        if !self.0.bindings.contains(&binding) {
            return Ok(Response::new(BindingEventResponse::default()));
        }
        let subscriber = Arc::clone(&self.0.subscriber);
        let tick = self.0.activity.handlers.spawn(async move {
            if AssertUnwindSafe(subscriber.on_trigger(&binding)).catch_unwind().await.is_err() {
                tracing::error!(%binding, "a handler panicked");
            }
        });
        // daprd ignores the answer but waits for it.
        let _ = tick.await;
        Ok(Response::new(BindingEventResponse::default()))
    }

    /// Only `health`, for those who ask by daprd's own invocation instead of gRPC.
    async fn on_invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        let method = &request.get_ref().method;
        if method.trim_matches('/') != "health" {
            return Err(Status::unimplemented(format!("there is no method `{method}`; call the gRPC services")));
        }
        self.health_check(Request::new(())).await?;
        let data = Any { type_url: String::new(), value: br#"{"status":"ok"}"#.to_vec() };
        Ok(Response::new(InvokeResponse { data: Some(data), content_type: "application/json".to_owned() }))
    }

    async fn on_bulk_topic_event(
        &self,
        _: Request<TopicEventBulkRequest>,
    ) -> Result<Response<TopicEventBulkResponse>, Status> {
        Err(Status::unimplemented("no topic is subscribed in bulk"))
    }

    async fn on_job_event(&self, _: Request<JobEventRequest>) -> Result<Response<JobEventResponse>, Status> {
        Err(Status::unimplemented("no jobs are scheduled"))
    }
}

#[async_trait]
impl AppCallbackHealthCheck for Callback {
    /// An error stops daprd from delivering (<https://docs.dapr.io/operations/resiliency/health-checks/app-health/>).
    async fn health_check(&self, _: Request<()>) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.activity.begun.store(true, Ordering::Relaxed);
        if self.0.gate.serving().await {
            Ok(Response::new(HealthCheckResponse {}))
        } else {
            Err(Status::unavailable("the app does not serve now"))
        }
    }
}
