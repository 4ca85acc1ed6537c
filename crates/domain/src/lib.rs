//! The pure core of the todo system: what a task is, what may be done with it, and when time acts on it.
//!
//! Nothing here performs I/O, waits, reads a clock or draws a random number: the present moment and new ids are
//! arguments ([`Clock`] and [`Ids`] are implemented elsewhere). That is what makes every rule testable and every
//! decision repeatable.
//!
//! # Map
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`] | [`Timestamp`] (UTC, microseconds) and the [`Clock`] port |
//! | [`ids`] | the [`Ids`] port, and ids that are derived rather than drawn (instances, events) |
//! | [`error`] | [`Error`], its [`Reason`]s, and [`Violations`], which collects everything wrong with a request |
//! | [`limits`] | every number a user can run into |
//! | [`text`] | normal form, folding, length in characters |
//! | [`zone`] | IANA time zones and the one rule for local times that do not exist or exist twice |
//! | [`task`] | [`task::Task`]: create, apply a patch, complete, undo; reminders |
//! | [`recurrence`] | a rule and its slots |
//! | [`series`] | which slots of a recurrence to turn into tasks now |
//! | [`instance`] | the task that a slot becomes |
//! | [`query`] | filters, sorting and page tokens |
//! | [`account`] | e-mail addresses, passwords, display names |
//!
//! # Invariants kept here
//!
//! * A request is validated as a whole: all its violations are reported at once, and a refused one changes nothing.
//! * A completed task has no pending reminder.
//! * Instants are truncated to microseconds, because that is what both databases keep.
//! * The slots of a series strictly increase, whatever a zone's clocks do.

pub mod account;
pub mod clock;
pub mod error;
pub mod ids;
pub mod instance;
pub mod limits;
mod names;
pub mod query;
pub mod recurrence;
pub mod series;
pub mod task;
pub mod text;
pub mod zone;

#[cfg(test)]
mod testing;

pub use clock::{Clock, Timestamp};
pub use error::{Error, Reason, Violation, Violations};
pub use ids::Ids;
