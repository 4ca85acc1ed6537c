//! The contract, generated from `proto/todo/v1/*.proto`: messages, clients, servers and the descriptors from which
//! REST, OpenAPI and reflection are derived.

pub mod comments;
pub mod json;

/// Messages, clients and servers of package `todo.v1`.
#[expect(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("todo.v1");
}

/// The encoded `FileDescriptorSet` of the contract and all it imports, comments and custom options included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
