//! The adapters from outside: what every adapter does, and what only one does.

mod callback;
mod conformance;
mod daprd;
mod daprd_answers;
mod daprd_facts;
mod running;
mod stepped;
mod store;
mod support;
