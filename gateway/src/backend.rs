//! Calls to the backend, with messages that are known only at run time. Requests are built from JSON; answers stay as
//! they came, since their JSON is printed straight from the wire format.

use bytes::{Buf as _, Bytes};
use http::{Request, Response};
use prost_reflect::DynamicMessage;
use tonic::{
    Code, Status, Streaming,
    body::Body,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
};
use tower::util::BoxCloneSyncService;

use crate::{BoxError, contract::Rpc, retry};

/// The backend, as whoever built the gateway reaches it.
pub type Backend = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

/// A call that the channel could not carry: the backend is away, whatever the reason.
pub(crate) fn transport(error: BoxError) -> Status {
    let unsent = retry::is_unsent(&*error);
    let status = Status::from_error(error);
    match status.code() {
        _ if unsent => Status::unavailable(status.message()),
        Code::Unknown | Code::Internal | Code::Aborted => Status::unavailable(status.message()),
        _ => status,
    }
}

/// Calls a rpc that answers with one message.
pub(crate) async fn unary(
    backend: Backend,
    rpc: &Rpc,
    metadata: MetadataMap,
    message: DynamicMessage,
) -> Result<tonic::Response<Bytes>, Status> {
    let mut client = client(backend);
    client.ready().await?;
    let request = tonic::Request::from_parts(metadata, tonic::Extensions::new(), message);
    client.unary(request, rpc.path.clone(), Transcoding).await
}

/// Calls a rpc that answers with a stream.
pub(crate) async fn stream(
    backend: Backend,
    rpc: &Rpc,
    metadata: MetadataMap,
    message: DynamicMessage,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = client(backend);
    client.ready().await?;
    let request = tonic::Request::from_parts(metadata, tonic::Extensions::new(), message);
    let response = client.server_streaming(request, rpc.path.clone(), Transcoding).await?;
    Ok(response.into_inner())
}

fn client(backend: Backend) -> Grpc<Backend> {
    // A page of 1,000 tasks may be larger than the 4 MiB that tonic takes by default, and the backend is ours.
    Grpc::new(backend).max_decoding_message_size(usize::MAX)
}

/// A codec that builds requests and leaves answers alone.
struct Transcoding;

impl Codec for Transcoding {
    type Encode = DynamicMessage;
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

impl Encoder for Transcoding {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::Message::encode(&message, buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Transcoding {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
