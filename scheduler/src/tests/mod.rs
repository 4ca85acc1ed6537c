//! Stories of the scheduler's behaviour, over a clock that stands still.

mod announcing;
mod events;
mod listing;
mod records;
mod ringing;
