//! What gRPC tools ask a server about itself: reflection (v1 and v1alpha) of what is public, and health.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use futures::{Stream, stream};
use prost_reflect::FileDescriptor;
use tonic::{Request, Response, Status, service::Routes};
use tonic_health::pb::{
    FILE_DESCRIPTOR_SET, HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

use crate::{Options, contract};

/// How often a watcher's health is looked at.
const LOOK: Duration = Duration::from_secs(2);
const PREFIXES: [&str; 2] = ["/grpc.reflection.", "/grpc.health."];

/// Whether a path is served here.
pub(crate) fn is(path: &str) -> bool {
    PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// # Panics
/// If the descriptors cannot be read, which the build has made sure of.
pub(crate) fn routes(options: &Options) -> Routes {
    let names: Vec<_> =
        contract::services(todo_proto::json::pool()).map(|service| service.full_name().to_owned()).collect();
    let descriptors = public_files();
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(&descriptors)
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET);
        let own = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];
        names.iter().map(String::as_str).chain(own).fold(builder, tonic_reflection::server::Builder::with_service_name)
    };
    Routes::new(builder().build_v1().expect("descriptors that were read before"))
        .add_service(builder().build_v1alpha().expect("descriptors that were read before"))
        .add_service(HealthServer::new(Check { health: options.health.clone(), services: names }))
}

/// The files that public services need, as a `FileDescriptorSet`: what is internal is nobody's business.
fn public_files() -> Vec<u8> {
    fn add(file: &FileDescriptor, files: &mut BTreeMap<String, Vec<u8>>) {
        if files.insert(file.name().to_owned(), file.encode_to_vec()).is_none() {
            for file in file.dependencies() {
                add(&file, files);
            }
        }
    }
    let mut files = BTreeMap::new();
    for service in contract::services(todo_proto::json::pool()) {
        add(&service.parent_file(), &mut files);
    }
    let mut set = Vec::new();
    for file in files.values() {
        // FileDescriptorSet.file; through prost's own type the custom options would be lost.
        prost::encoding::bytes::encode(1, file, &mut set);
    }
    set
}

/// Health as the process's readiness says it.
struct Check {
    health: todo_runtime::health::Health,
    services: Vec<String>,
}

fn status_of(serving: bool) -> HealthCheckResponse {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Check {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !service.is_empty() && !self.services.contains(&service) {
            return Err(Status::not_found("there is no such service here"));
        }
        Ok(Response::new(status_of(self.health.is_serving())))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        if !service.is_empty() && !self.services.contains(&service) {
            let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
            let stream = stream::iter([Ok(unknown)]);
            return Ok(Response::new(Box::pin(futures::StreamExt::chain(stream, stream::pending()))));
        }
        let health = self.health.clone();
        let stream = stream::unfold((None, tokio::time::interval(LOOK)), move |(last, mut look)| {
            let health = health.clone();
            async move {
                loop {
                    look.tick().await;
                    let serving = health.is_serving();
                    if last != Some(serving) {
                        return Some((Ok(status_of(serving)), (Some(serving), look)));
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(stream)))
    }
}
