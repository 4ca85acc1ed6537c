//! What every role shares at run time: the system's clock and ids, errors as gRPC statuses, access tokens, serving and
//! draining, readiness, logs, metrics, traces.

pub mod access;
pub mod health;
mod linger;
pub mod metrics;
pub mod observe;
pub mod serve;
pub mod status;
pub mod system;
pub mod telemetry;
