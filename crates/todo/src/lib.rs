//! The system put together: the only place that chooses adapters. [`all`] is everything in one process; the executable
//! `todo` is [`cli`] on top of it.

pub mod all;
pub mod backup;
pub mod cli;
pub mod data;
pub mod database;
pub mod doctor;
pub mod engine;
pub mod eval;
pub mod mcp;
pub mod operator;
pub mod ready;
pub mod role;
mod secrets;
mod trust;
