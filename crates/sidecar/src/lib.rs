//! The ports through which the system reaches Dapr's building blocks, and their adapters.
//!
//! - [`Sidecar`] is what an app asks for: publishing, state, secrets, other apps. [`Subscriber`] is what it is told:
//!   events of topics and ticks of bindings. [`ApiChannel`] carries gRPC in process and over the network alike.
//! - [`dapr::DaprSidecar`] asks a real daprd; [`dapr::callback`] is what daprd calls.
//! - [`local::LocalSidecar`] serves all apps of one process from one `SQLite` file, for `todo all` and for tests.
//!
//! The ports promise no more than daprd keeps (see the notes at each method); `conformance` (a feature) holds the cases
//! that every adapter passes and the table of differences that are known.

#![deny(missing_docs)]

pub mod channel;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod dapr;
mod error;
mod event;
pub mod local;
mod port;
mod state;

pub use self::dapr::DaprSidecar;
pub use channel::ApiChannel;
pub use error::Error;
pub use event::{CloudEvent, Invalid};
pub use local::LocalSidecar;
pub use port::{
    Ack, DEAD_LETTER_APP, DEAD_LETTER_REASON, Delivery, Entry, Match, Secret, Sidecar, Subscriber, Subscription, TOPIC,
};
