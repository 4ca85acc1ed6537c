//! A gRPC service and its client without a contract: bytes in, bytes out.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::{NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};
use tower::Service;

use crate::ApiChannel;

/// The binary details of the status that `"status"` gets.
pub(super) const DETAILS: &[u8] = b"\x08\x05details \xff\x00";

#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }
}

/// Answers as the request's text says; see [`Echo::answer`].
#[derive(Clone, Default)]
pub(super) struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "conformance.v1.Echo";
}

impl Echo {
    async fn answer(request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        let header = |name: &str| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            Bytes::from(value.unwrap_or_default().to_owned())
        };
        match &request.get_ref()[..] {
            b"metadata" => Ok(Response::new(header("x-conformance"))),
            b"deadline" => Ok(Response::new(header("grpc-timeout"))),
            b"status" => {
                let mut metadata = MetadataMap::new();
                metadata.insert("x-trailer", MetadataValue::from_static("kept"));
                let details = Bytes::from_static(DETAILS);
                Err(Status::with_details_and_metadata(Code::FailedPrecondition, "as asked", details, metadata))
            }
            b"hang" => std::future::pending().await,
            b"panic" => panic!("as asked"),
            _ => Ok(Response::new(request.into_inner())),
        }
    }
}

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(Self::answer(request))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(tonic::server::Grpc::new(Raw).unary(Self, request).await) })
    }
}

/// Calls [`Echo`] as a generated client would.
pub(super) async fn call(channel: ApiChannel, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.map_err(Status::from_error)?;
    client.unary(request, PathAndQuery::from_static("/conformance.v1.Echo/Call"), Raw).await
}
