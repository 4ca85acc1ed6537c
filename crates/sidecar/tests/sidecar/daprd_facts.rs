//! What daprd 1.18 does on Redis that its documentation does not say, and that the adapter relies on or works around:
//! a test that fails after an update of daprd names what may be simpler now, or what has to be done anew.

mod delivery;
mod invocation;
mod pubsub;
mod state;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dapr::dapr::proto::common::v1::state_options::StateConcurrency;
use dapr::dapr::proto::common::v1::{Etag, StateItem, StateOptions};
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{GetStateRequest, PublishEventRequest, SaveStateRequest};
use todo_sidecar::conformance::{App, Recorder};
use todo_sidecar::dapr::Options;
use todo_sidecar::{DaprSidecar, Error, Secret, Sidecar, Subscription};
use todo_test_dapr::{Daprd, GROUP_OF_SECRETS};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::daprd::{API_TOKEN, Daprds};

const DEADLINE: Duration = Duration::from_secs(40);

/// daprd's own API.
struct Raw(DaprClient<Channel>);

impl Raw {
    fn new(options: &Options) -> Self {
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{}", options.address)).unwrap().connect_lazy();
        Self(DaprClient::new(channel))
    }

    fn request<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("dapr-api-token", API_TOKEN.parse().unwrap());
        request
    }

    async fn publish(&mut self, topic: &str, media_type: &str, data: Vec<u8>) {
        let message = PublishEventRequest {
            pubsub_name: "pubsub".into(),
            topic: topic.into(),
            data,
            data_content_type: media_type.into(),
            metadata: HashMap::new(),
        };
        self.0.publish_event(Self::request(message)).await.unwrap();
    }

    async fn save(
        &mut self,
        key: &str,
        value: &str,
        etag: Option<&str>,
        concurrency: StateConcurrency,
        ttl: Option<&str>,
    ) -> Result<(), Status> {
        let state = StateItem {
            key: key.into(),
            value: value.into(),
            etag: etag.map(|etag| Etag { value: etag.into() }),
            metadata: ttl.map(|ttl| ("ttlInSeconds".into(), ttl.into())).into_iter().collect(),
            options: Some(StateOptions { concurrency: concurrency.into(), consistency: 0 }),
        };
        let message = SaveStateRequest { store_name: "statestore".into(), states: vec![state] };
        self.0.save_state(Self::request(message)).await.map(drop)
    }

    async fn get(&mut self, key: &str) -> (String, String) {
        let message =
            GetStateRequest { store_name: "statestore".into(), key: key.into(), ..GetStateRequest::default() };
        let found = self.0.get_state(Self::request(message)).await.unwrap().into_inner();
        (String::from_utf8(found.data).unwrap(), found.etag)
    }
}

fn nothing() -> Arc<Recorder> {
    Arc::new(Recorder::new(vec![]))
}

/// Waits for what only shows when one looks.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let polling = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, polling).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// An app, its daprd, and what it got.
async fn listening(name: &str) -> (Daprds, Options, Arc<Recorder>) {
    let daprds = Daprds::new().await;
    let recorder = Arc::new(Recorder::new(vec![Subscription::new(name)]));
    let options = daprds.run(App::new(name, recorder.clone())).await;
    (daprds, options, recorder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_missing_only_when_its_store_says_so() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::with(|components| {
        components.secrets.insert("empty".into(), String::new());
        components.grouped.insert("jwt-secret".into(), "of the group".into());
    })
    .await;
    let options = daprds.run(App::new("secrets", nothing())).await;
    let sidecar = DaprSidecar::new(options.clone()).unwrap();
    assert_eq!(sidecar.secret("no-such-secret").await, Err(Error::NotFound));
    assert_eq!(sidecar.secret("empty").await, Err(Error::NotFound));
    let grouped = DaprSidecar::new(Options { secret_group: Some(GROUP_OF_SECRETS.into()), ..options.clone() }).unwrap();
    assert_eq!(grouped.secret("jwt-secret").await, Ok(Secret::new("of the group")));
    assert_eq!(grouped.secret("no-such-secret").await, Err(Error::NotFound));
    let no_group = DaprSidecar::new(Options { secret_group: Some("other".into()), ..options.clone() }).unwrap();
    assert_eq!(no_group.secret("jwt-secret").await, Err(Error::NotFound));
    let no_store = DaprSidecar::new(Options { secret_store: "other".into(), ..options }).unwrap();
    let answer = no_store.secret("jwt-secret").await;
    assert!(answer.as_ref().is_err_and(Error::is_passing), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daprd_wants_its_token() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let options = daprds.run(App::new("token", nothing())).await;
    for token in [None, Some(Secret::new("another"))] {
        let sidecar = DaprSidecar::new(Options { api_token: token, ..options.clone() }).unwrap();
        let answer = sidecar.get("key").await;
        assert!(matches!(&answer, Err(Error::Unavailable(why)) if why.contains("Unauthenticated")), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_made_when_daprd_is_there() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let options = daprds.run(App::new("later", nothing())).await;
    daprds.change("later", Daprd::kill).await;
    let sidecar = DaprSidecar::new(options).unwrap();
    let answer = sidecar.get("key").await;
    assert!(answer.as_ref().is_err_and(Error::is_passing), "{answer:?}");
    daprds.change("later", Daprd::restart).await;
    assert_eq!(sidecar.get("key").await, Ok(None));
}
