//! What whoever runs the server may do to accounts: `todo user list|reset-password|disable|delete`.

use std::fmt::Display;

use todo_domain::{
    Clock, Error, Ids, Timestamp,
    account::{Email, Password},
    error::Reason,
};
use uuid::Uuid;

use super::{deletion, password};
use crate::store::{Profile, Store, Tx};

/// What an operator sees of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: Uuid,
    /// Its e-mail address, lower-case.
    pub email: String,
    /// What to call the person.
    pub display_name: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was closed.
    pub disabled_at: Option<Timestamp>,
}

impl From<Profile> for User {
    fn from(profile: Profile) -> Self {
        let Profile { id, email, display_name, created_at, disabled_at, .. } = profile;
        Self { id, email, display_name, created_at, disabled_at }
    }
}

/// Up to `limit` accounts in the order of their e-mail addresses, those after `after` (first `""`).
///
/// # Errors
/// When the database is away.
pub async fn list(store: &dyn Store, after: &str, limit: i64) -> Result<Vec<User>, Error> {
    let mut tx = store.read().await?;
    Ok(tx.profiles(after, limit).await?.into_iter().map(User::from).collect())
}

/// Gives an account a new random password, which is the answer, and ends all its sessions. Access tokens live on to
/// their expiry.
///
/// # Errors
/// `USER_NOT_FOUND` when no account has this e-mail address; when the database is away.
pub async fn reset_password(store: &dyn Store, email: &str) -> Result<String, Error> {
    let (password_hash, made) = tokio::task::spawn_blocking(|| {
        let made = password::random()?;
        let parsed = Password::parse(&made, "password")?;
        Ok::<_, Error>((password::hash(&parsed)?, made))
    })
    .await
    .map_err(Error::internal)??;
    let mut tx = store.begin().await?;
    let profile = find(tx.as_mut(), email).await?;
    let id = profile.id;
    tx.put_profile(&Profile { password_hash, ..profile }).await?;
    tx.end_sessions(id, None).await?;
    tx.commit().await?;
    tracing::info!(user.id = %id, "an operator reset the password");
    Ok(made)
}

/// Closes an account, which ends its sessions and refuses its access tokens, or opens it again. Doing it twice is no
/// error and keeps the time of the first.
///
/// # Errors
/// `USER_NOT_FOUND` when no account has this e-mail address; when the database is away.
pub async fn set_disabled(store: &dyn Store, clock: &dyn Clock, email: &str, disabled: bool) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let profile = find(tx.as_mut(), email).await?;
    let id = profile.id;
    let disabled_at = disabled.then(|| profile.disabled_at.unwrap_or_else(|| clock.now()));
    tx.put_profile(&Profile { disabled_at, ..profile }).await?;
    if disabled {
        tx.end_sessions(id, None).await?;
    }
    tx.commit().await?;
    tracing::info!(user.id = %id, disabled, "an operator closed or opened an account");
    Ok(())
}

/// Removes an account with all that is its own, as its person may.
///
/// # Errors
/// `USER_NOT_FOUND` when no account has this e-mail address; when the database is away.
pub async fn delete(store: &dyn Store, clock: &dyn Clock, ids: &dyn Ids, email: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let id = find(tx.as_mut(), email).await?.id;
    let owner = tx.lock_owner(id).await?.ok_or_else(|| unknown(email))?;
    deletion::erase(tx.as_mut(), ids, id, &owner, clock.now()).await?;
    tx.commit().await?;
    tracing::info!(user.id = %id, "an operator deleted the account");
    Ok(())
}

fn unknown(email: impl Display) -> Error {
    Error::new(Reason::UserNotFound, format!("no account has the e-mail address {email}"))
}

/// Finds an account and locks its owner, so that what its person does at this moment is not overwritten.
async fn find(tx: &mut dyn Tx, email: &str) -> Result<Profile, Error> {
    let email = Email::parse(email)?;
    let unknown = || unknown(&email);
    let found = tx.profile_by_email(email.as_str()).await?.ok_or_else(unknown)?;
    tx.lock_owner(found.id).await?.ok_or_else(unknown)?;
    tx.profile(found.id).await?.ok_or_else(unknown)
}
