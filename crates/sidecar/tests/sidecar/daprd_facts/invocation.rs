//! What daprd says of calls that it could not carry: those that reached nobody can be told from those that broke off.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use todo_sidecar::conformance::App;
use todo_sidecar::{Ack, ApiChannel, DaprSidecar, Delivery, Sidecar, Subscriber, Subscription};
use todo_test_dapr::Daprd;
use tokio::sync::Notify;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Code, ConnectError, Request, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use super::{DEADLINE, nothing};
use crate::daprd::Daprds;

const ANSWER: &str = "/facts.v1.Facts/Answer";
const HANG: &str = "/facts.v1.Facts/Hang";

/// Refuses what it is asked, or hangs and says so.
#[derive(Clone)]
struct Facts(Arc<Notify>);

impl NamedService for Facts {
    const NAME: &'static str = "facts.v1.Facts";
}

impl Service<http::Request<Body>> for Facts {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() == HANG {
            self.0.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(async { Ok(Status::failed_precondition("as asked").into_http()) })
    }
}

/// Never serves events.
struct Unwell;

#[async_trait]
impl Subscriber for Unwell {
    fn subscriptions(&self) -> Vec<Subscription> {
        Vec::new()
    }

    async fn serving(&self) -> bool {
        false
    }

    async fn on_event(&self, _: &Delivery) -> Ack {
        Ack::Success
    }
}

/// Calls; answers with the error's code, and whether it says that nobody was reached.
async fn call(channel: &ApiChannel, path: &'static str) -> (Code, bool) {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(());
    request.set_timeout(DEADLINE);
    let codec = ProstCodec::<(), ()>::default();
    let status = client.unary(request, PathAndQuery::from_static(path), codec).await.map(drop).unwrap_err();
    let mut causes = std::iter::successors(status.source(), |&error| Error::source(error));
    (status.code(), causes.any(<dyn Error>::is::<ConnectError>))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_reached_nobody_is_told_from_one_that_broke_off() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let hangs = Arc::new(Notify::new());
    let services = Some(Routes::new(Facts(Arc::clone(&hangs))));
    daprds.run(App { id: "facts".into(), subscriber: Arc::new(Unwell), services }).await;
    let caller = DaprSidecar::new(daprds.run(App::new("caller", nothing())).await).unwrap();
    let unsent = (Code::Unavailable, true);

    assert_eq!(call(&caller.app("no-such-app"), ANSWER).await, unsent, "the name is not known");
    let channel = caller.app("facts");
    assert_eq!(call(&channel, ANSWER).await, (Code::FailedPrecondition, false), "it is reached, well or not");
    let under_way = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel, HANG).await }
    });
    tokio::time::timeout(DEADLINE, hangs.notified()).await.unwrap();
    daprds.change("facts", Daprd::kill).await;
    assert_eq!(under_way.await.unwrap(), (Code::Unavailable, false), "it broke off");
    assert_eq!(call(&channel, ANSWER).await, unsent, "nobody listens for the other daprd");
    daprds.change("facts", Daprd::restart).await;
    daprds.take_away("facts").await;
    assert_eq!(call(&channel, ANSWER).await, unsent, "nobody listens behind the other daprd");
}
