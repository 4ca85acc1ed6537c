//! Accounts, their sessions, and what counts against rate limits.

use async_trait::async_trait;
use chrono::{DateTime, Utc, Weekday};
use todo_domain::account::Scope;
use uuid::Uuid;

use super::Error;

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: Uuid,
    /// E-mail address, lower-case.
    pub email: String,
    /// PHC string of the password's hash.
    pub password_hash: String,
    /// What to call the person.
    pub display_name: String,
    /// IANA name.
    pub time_zone: String,
    /// The first day of the week.
    pub week_start: Weekday,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When an operator closed it.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// A refresh token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// The account.
    pub user_id: Uuid,
    /// One sign-in and all that was refreshed from it.
    pub family: Uuid,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was exchanged for its successor.
    pub rotated_at: Option<DateTime<Utc>>,
}

/// A personal access token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub id: Uuid,
    /// The account.
    pub user_id: Uuid,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// What it is good for.
    pub scope: Scope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the hour.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Accounts, sessions, personal access tokens and attempts.
#[async_trait]
pub trait Accounts {
    /// Stores a new account with its change counter; `false` if the e-mail address has one.
    async fn add_profile(&mut self, profile: &Profile) -> Result<bool, Error>;
    /// The account with this id.
    async fn profile(&mut self, id: Uuid) -> Result<Option<Profile>, Error>;
    /// The account with this (lower-case) e-mail address.
    async fn profile_by_email(&mut self, email: &str) -> Result<Option<Profile>, Error>;
    /// All accounts by e-mail address, after this one.
    async fn profiles(&mut self, after: &str, limit: i64) -> Result<Vec<Profile>, Error>;
    /// Writes everything of an account but id, e-mail address and creation.
    async fn put_profile(&mut self, profile: &Profile) -> Result<(), Error>;
    /// Removes an account with all that is its own, but for events, which are everyone's.
    async fn remove_profile(&mut self, id: Uuid) -> Result<(), Error>;

    /// Stores a refresh token; one that is stored already stays as it is.
    async fn add_refresh_token(&mut self, token: &RefreshToken) -> Result<(), Error>;
    /// The refresh token with this hash. Whoever then changes the account's sessions locks the owner first
    /// ([`super::Log::lock_owner`]) and reads again: a family is revoked whole even while a successor is being added.
    async fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>, Error>;
    /// Notes that a refresh token was exchanged.
    async fn rotate_refresh_token(&mut self, hash: &[u8], at: DateTime<Utc>) -> Result<(), Error>;
    /// Ends one session of an account.
    async fn end_session(&mut self, user_id: Uuid, family: Uuid) -> Result<(), Error>;
    /// Ends the sessions of an account, all but one if said. Nothing is pushed to any of its browsers any more: which of
    /// them has the one that stays is not known, and it subscribes again when it is next used.
    async fn end_sessions(&mut self, user_id: Uuid, but: Option<Uuid>) -> Result<(), Error>;

    /// Stores a personal access token.
    async fn add_access_token(&mut self, token: &AccessToken) -> Result<(), Error>;
    /// The personal access token with this hash.
    async fn access_token(&mut self, hash: &[u8]) -> Result<Option<AccessToken>, Error>;
    /// The personal access tokens of an account, newest first.
    async fn access_tokens(&mut self, user_id: Uuid) -> Result<Vec<AccessToken>, Error>;
    /// Notes that a personal access token was used.
    async fn use_access_token(&mut self, hash: &[u8], at: DateTime<Utc>) -> Result<(), Error>;
    /// Removes a personal access token; `false` if there is none.
    async fn remove_access_token(&mut self, user_id: Uuid, id: Uuid) -> Result<bool, Error>;

    /// Waits until no other transaction holds this key, and holds it until this one ends: otherwise two that count at
    /// the same time would not see each other.
    async fn lock_attempts(&mut self, key: &str) -> Result<(), Error>;
    /// How many attempts of this key lie after `since`, and when the oldest of them was.
    async fn attempts(&mut self, key: &str, since: DateTime<Utc>) -> Result<(i64, Option<DateTime<Utc>>), Error>;
    /// Counts an attempt.
    async fn add_attempt(&mut self, id: Uuid, key: &str, at: DateTime<Utc>) -> Result<(), Error>;
    /// Takes an attempt back: it succeeded.
    async fn remove_attempt(&mut self, id: Uuid) -> Result<(), Error>;
}
