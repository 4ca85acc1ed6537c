//! gRPC-web framed by hand, as a browser sends it over HTTP/1.1
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>).

use prost::Message;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tonic::Status;

use crate::rest::Rest;

/// Calls an rpc, such as `/todo.v1.TaskService/GetTask`.
///
/// # Errors
/// The status, if it is not OK.
///
/// # Panics
/// When nothing answers, or not in this protocol.
pub async fn call<Q: Message, A: Message + Default>(rest: &Rest, path: &str, request: &Q) -> Result<A, Status> {
    call_bytes(rest, path, &request.encode_to_vec()).await
}

/// As [`call`], with a message that may be none.
///
/// # Errors
/// The status, if it is not OK.
///
/// # Panics
/// When nothing answers, or not in this protocol.
pub async fn call_bytes<A: Message + Default>(rest: &Rest, path: &str, message: &[u8]) -> Result<A, Status> {
    let response = rest
        .request(Method::POST, path)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .body(frame(message))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let body = response.bytes().await.expect("a body");
    let (messages, trailers) = frames(&body);
    let trailers = trailers.unwrap_or(headers);
    let status = Status::from_header_map(&trailers).expect("a status");
    if status.code() != tonic::Code::Ok {
        return Err(status);
    }
    let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
    Ok(A::decode(*message).expect("the message of this rpc"))
}

/// A message with its flag and length.
///
/// # Panics
/// When it is longer than 4 GiB.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// The messages and the trailers of a body, as far as it has come.
///
/// # Panics
/// When the trailers are no headers.
#[must_use]
pub fn frames(mut body: &[u8]) -> (Vec<&[u8]>, Option<HeaderMap>) {
    let mut messages = Vec::new();
    while let Some((head, rest)) = body.split_at_checked(5) {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        if head[0] & 0x80 != 0 {
            return (messages, Some(trailers(std::str::from_utf8(data).expect("ASCII"))));
        }
        messages.push(data);
        body = rest;
    }
    (messages, None)
}

fn trailers(text: &str) -> HeaderMap {
    let pairs = text.split("\r\n").filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| {
            let name: HeaderName = name.trim().parse().expect("a header's name");
            (name, value.trim().parse::<HeaderValue>().expect("a header's value"))
        })
        .collect()
}
