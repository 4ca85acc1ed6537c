//! Browsers to which reminders are pushed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Error, Notification};

/// A browser's subscription, and how far it was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, derived from what the browser said.
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// Its URL at the push service.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: Vec<u8>,
    /// The browser's secret.
    pub auth: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Up to this revision of the owner all that rang is sent.
    pub sent: i64,
    /// At this revision something rang last.
    pub rung: i64,
    /// Attempts that failed in a row.
    pub attempts: i64,
}

/// Subscriptions, and what is to be sent to them.
#[async_trait]
pub trait Push {
    /// Stores a subscription, from the owner's present revision on. One that is known stays as it is if it is this owner's,
    /// and becomes theirs if it was another's.
    async fn add_subscription(&mut self, subscription: &Subscription) -> Result<(), Error>;
    /// Those of an owner, oldest first.
    async fn subscriptions(&mut self, user_id: Uuid) -> Result<Vec<Subscription>, Error>;
    /// Removes some of an owner's.
    async fn remove_subscriptions(&mut self, user_id: Uuid, ids: &[Uuid]) -> Result<(), Error>;
    /// Notes that something rang for these owners, at their present revisions. What waits for longer than until
    /// `never_after`, which only a clock did that ran ahead, is due at once.
    async fn ring(&mut self, user_ids: &[Uuid], now: DateTime<Utc>, never_after: DateTime<Utc>) -> Result<(), Error>;
    /// Whether there is one to send to.
    async fn is_push_due(&mut self, now: DateTime<Utc>) -> Result<bool, Error>;
    /// Takes some to send to, the longest due first, and keeps them from others until `until`.
    async fn lease_subscriptions(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Subscription>, Error>;
    /// What rang for an owner after a revision and a time and was neither read nor put off since, with the revisions at
    /// which it rang last, in their order.
    async fn rung(
        &mut self,
        user_id: Uuid,
        after: i64,
        since: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<(i64, Notification)>, Error>;
    /// Notes how far one was served, and when to go on if there is more.
    async fn serve_subscription(&mut self, served: &Subscription, next: DateTime<Utc>) -> Result<(), Error>;
}
