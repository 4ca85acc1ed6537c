//! The gateway in front of a scripted backend.

mod cookies;
mod documents;
mod edges;
mod errors;
mod grpc;
mod harness;
mod rest;
mod retry;
mod streams;
