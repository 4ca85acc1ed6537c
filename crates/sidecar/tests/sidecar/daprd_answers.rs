//! `DaprSidecar` on answers that a real daprd does not give on demand.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dapr::dapr::proto::runtime::v1::{
    BulkPublishRequest, BulkPublishResponse, BulkPublishResponseFailedEntry, PublishEventRequest,
};
use futures::future::BoxFuture;
use todo_sidecar::dapr::{Options, Timeouts};
use todo_sidecar::{CloudEvent, DaprSidecar, Error, Match, Sidecar};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::support::event;

/// What the fake does with a batch.
#[derive(Clone, Copy)]
enum Bulk {
    /// It does not know the call, as daprd before 1.18.
    Unknown,
    /// It fails the second event, as a broker with bulk publishing of its own may.
    Partly,
}

/// A daprd that can only publish.
#[derive(Clone)]
struct Fake {
    bulk: Bulk,
    published: Arc<Mutex<Vec<String>>>,
}

impl NamedService for Fake {
    const NAME: &'static str = "dapr.proto.runtime.v1.Dapr";
}

impl Service<http::Request<Body>> for Fake {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let fake = self.clone();
        Box::pin(async move {
            Ok(match (request.uri().path(), fake.bulk) {
                ("/dapr.proto.runtime.v1.Dapr/PublishEvent", _) => {
                    Grpc::new(ProstCodec::<(), PublishEventRequest>::default()).unary(fake, request).await
                }
                ("/dapr.proto.runtime.v1.Dapr/BulkPublishEvent", Bulk::Partly) => {
                    Grpc::new(ProstCodec::<BulkPublishResponse, BulkPublishRequest>::default())
                        .unary(fake, request)
                        .await
                }
                _ => Status::unimplemented("unknown method").into_http(),
            })
        })
    }
}

impl UnaryService<PublishEventRequest> for Fake {
    type Response = ();
    type Future = BoxFuture<'static, Result<Response<()>, Status>>;

    fn call(&mut self, request: Request<PublishEventRequest>) -> Self::Future {
        let event = CloudEvent::from_json(&request.get_ref().data).unwrap();
        self.published.lock().unwrap().push(event.id);
        Box::pin(async { Ok(Response::new(())) })
    }
}

impl UnaryService<BulkPublishRequest> for Fake {
    type Response = BulkPublishResponse;
    type Future = BoxFuture<'static, Result<Response<BulkPublishResponse>, Status>>;

    fn call(&mut self, request: Request<BulkPublishRequest>) -> Self::Future {
        let entry_id = request.get_ref().entries[1].entry_id.clone();
        let failed = BulkPublishResponseFailedEntry { entry_id, error: "too large".into() };
        Box::pin(async { Ok(Response::new(BulkPublishResponse { failed_entries: vec![failed] })) })
    }
}

async fn fake(bulk: Bulk) -> (DaprSidecar, Arc<Mutex<Vec<String>>>) {
    let fake = Fake { bulk, published: Arc::default() };
    let published = Arc::clone(&fake.published);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the test's runtime.
    tokio::spawn(
        Server::builder().add_service(fake).serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))),
    );
    (DaprSidecar::new(Options::new(port.to_string())).unwrap(), published)
}

#[tokio::test]
async fn without_a_bulk_call_events_are_published_one_by_one() {
    let (sidecar, published) = fake(Bulk::Unknown).await;
    let events: Vec<_> = (0..20).map(|n| event(&format!("e{n:02}"))).collect();
    let results = sidecar.publish_many("tasks", &events).await;
    assert_eq!(results, vec![Ok(()); 20]);
    let mut published = published.lock().unwrap().clone();
    published.sort();
    assert_eq!(published, events.into_iter().map(|event| event.id).collect::<Vec<_>>());
}

#[tokio::test]
async fn of_a_batch_each_event_has_its_own_result() {
    let (sidecar, _) = fake(Bulk::Partly).await;
    let invalid = CloudEvent { source: String::new(), ..event("invalid") };
    let results = sidecar.publish_many("tasks", &[invalid, event("a"), event("b"), event("c")]).await;
    assert!(matches!(&results[0], Err(Error::Refused(_))), "{results:?}");
    assert_eq!(results[1..], [Ok(()), Err(Error::Unavailable("too large".into())), Ok(())]);
}

#[tokio::test]
async fn a_daprd_that_does_not_answer_is_not_waited_for() {
    // Its connections are accepted by the kernel, and nobody reads them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = Duration::from_millis(50);
    let options = Options {
        timeouts: Timeouts { publish: short, state: short, secret: short },
        ..Options::new(listener.local_addr().unwrap().to_string())
    };
    let sidecar = DaprSidecar::new(options).unwrap();
    assert_eq!(sidecar.publish("tasks", &event("e")).await, Err(Error::Timeout));
    assert_eq!(sidecar.publish_many("tasks", &[event("a"), event("b")]).await, vec![Err(Error::Timeout); 2]);
    assert_eq!(sidecar.get("key").await, Err(Error::Timeout));
    assert_eq!(sidecar.get_many(&["key".into()]).await, Err(Error::Timeout));
    for expect in [Match::Any, Match::Absent, Match::Etag("1".into())] {
        assert_eq!(sidecar.put("key", Bytes::new(), expect, None).await, Err(Error::Timeout));
    }
    assert_eq!(sidecar.secret("jwt-secret").await, Err(Error::Timeout));
}
