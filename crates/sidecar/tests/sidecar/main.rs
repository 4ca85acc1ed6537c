//! `LocalSidecar` from outside: what every adapter does, and what only it does.

mod conformance;
mod running;
mod stepped;
mod store;
mod support;
