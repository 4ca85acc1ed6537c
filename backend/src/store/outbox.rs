//! Events on their way out, and those that came back as dead letters.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;

/// An event that waits to be published, its bytes fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The event's id.
    pub id: Uuid,
    /// Where it goes.
    pub topic: String,
    /// The `CloudEvent` as JSON.
    pub event: Vec<u8>,
    /// When it was committed.
    pub created_at: DateTime<Utc>,
    /// How often publishing it was begun.
    pub attempts: i64,
}

/// An event that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id, derived from topic and event.
    pub id: Uuid,
    /// The topic it failed on.
    pub topic: String,
    /// The `CloudEvent` as JSON.
    pub event: Vec<u8>,
    /// Why.
    pub reason: String,
    /// When it was given up first.
    pub at: DateTime<Utc>,
}

/// The outbox and the dead letters.
#[async_trait]
pub trait Outbox {
    /// Adds events to be published.
    async fn add_outgoing(&mut self, events: &[Outgoing]) -> Result<(), Error>;
    /// Takes events that are due, oldest first, and keeps them from other replicas until `until`.
    async fn lease_outgoing(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Outgoing>, Error>;
    /// Notes that events were published.
    async fn set_published(&mut self, ids: &[Uuid], at: DateTime<Utc>) -> Result<(), Error>;
    /// Notes that publishing failed and when to try again.
    async fn postpone_outgoing(&mut self, ids: &[Uuid], until: DateTime<Utc>) -> Result<(), Error>;
    /// Makes due at once what is due after `never_after`, which only a clock did that ran ahead; answers how many there were.
    async fn recall_outgoing(&mut self, now: DateTime<Utc>, never_after: DateTime<Utc>) -> Result<u64, Error>;
    /// How many events wait, and since when the oldest does.
    async fn outgoing_backlog(&mut self) -> Result<(i64, Option<DateTime<Utc>>), Error>;
    /// How many published events are kept, and when the oldest of them was published.
    async fn outgoing_kept(&mut self) -> Result<(i64, Option<DateTime<Utc>>), Error>;
    /// The ids of the events that were published at or after this moment, in that order.
    async fn published_since(&mut self, since: DateTime<Utc>) -> Result<Vec<Uuid>, Error>;
    /// Makes events due at once, whether they were published or not; answers how many of them there are.
    async fn publish_again(&mut self, ids: &[Uuid], now: DateTime<Utc>) -> Result<u64, Error>;

    /// Keeps what could not be handled; says whether it is new. A second copy changes nothing.
    async fn add_dead_letter(&mut self, letter: &DeadLetter) -> Result<bool, Error>;
    /// Dead letters, the oldest first, after the one with this time and id.
    async fn dead_letters(
        &mut self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, Error>;
    /// One dead letter.
    async fn dead_letter(&mut self, id: Uuid) -> Result<Option<DeadLetter>, Error>;
    /// Removes a dead letter and answers with it. Of two who take the same one, one gets it.
    async fn take_dead_letter(&mut self, id: Uuid) -> Result<Option<DeadLetter>, Error>;
}
