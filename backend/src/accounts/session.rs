//! Sessions: refresh tokens that rotate at each use (RFC 9700, section 4.14.2), and the access tokens they give.
//!
//! Every change of an account's sessions first locks the owner's row. So a revoked family is gone whole, even while a
//! refresh is adding to it, and no session opens on a password that was changed meanwhile.

use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::{Error, error::Reason};
use todo_proto::v1;
use uuid::Uuid;

use super::secret;
use crate::{
    convert::timestamp,
    core::{Core, known},
    store::{Profile, RefreshToken, Tx},
};

/// How long a token that was exchanged gives the same successor again: its answer may have been lost, or two tabs may
/// have sent it.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// Opens a session: adds its first refresh token and answers with it. The caller holds the owner's lock and commits.
pub(super) async fn open(
    core: &Core,
    tx: &mut dyn Tx,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<v1::Session, Error> {
    let token = secret::token()?;
    tx.add_refresh_token(&fresh(core, &token, profile.id, core.ids.random(), now)).await?;
    Ok(answer(core, profile, token, now))
}

/// Exchanges a refresh token for its successor, again within the grace. Reuse after that ends the session.
pub(super) async fn refresh(core: &Core, token: &str) -> Result<v1::Session, Error> {
    let now = core.clock.now();
    let mut tx = core.store.begin().await?;
    let found = find(tx.as_mut(), token).await?.filter(|found| found.expires_at > now).ok_or_else(invalid)?;
    let profile = tx.profile(found.user_id).await?.ok_or_else(invalid)?;

    // Derived instead of drawn, so that repeating needs no stored token. The label keeps it apart from other uses.
    let successor = secret::hex(&secret::mac(&core.keys.secret(), &format!("refresh\0{token}")));
    let reused = match found.rotated_at {
        None => false,
        Some(at) if now - at <= GRACE => {
            tx.refresh_token(&secret::hash(&successor)).await?.is_some_and(|next| next.rotated_at.is_some())
        }
        Some(_) => true,
    };
    if reused {
        tx.end_session(found.user_id, found.family).await?;
        tx.commit().await?;
        tracing::warn!(user.id = %found.user_id, "a refresh token was used again: its session was ended");
        return Err(invalid());
    }
    if found.rotated_at.is_none() {
        tx.rotate_refresh_token(&found.hash, now).await?;
    }
    // On a repetition it is there already, unless the server's secret was changed in between.
    tx.add_refresh_token(&fresh(core, &successor, found.user_id, found.family, now)).await?;
    tx.commit().await?;
    Ok(answer(core, &profile, successor, now))
}

/// Ends the session of a refresh token, if it is known.
pub(super) async fn end(core: &Core, token: &str) -> Result<(), Error> {
    let mut tx = core.store.begin().await?;
    if let Some(found) = find(tx.as_mut(), token).await? {
        tx.end_session(found.user_id, found.family).await?;
        tx.commit().await?;
        tracing::debug!(user.id = %found.user_id, "signed out");
    }
    Ok(())
}

/// The session that a refresh token of this account belongs to. The caller holds the owner's lock.
pub(super) async fn of(tx: &mut dyn Tx, user_id: Uuid, token: &str) -> Result<Option<Uuid>, Error> {
    let found = tx.refresh_token(&secret::hash(token)).await?;
    Ok(found.filter(|found| found.user_id == user_id).map(|found| found.family))
}

/// Finds a token and locks its owner. Accounts that are gone or closed have no sessions.
async fn find(tx: &mut dyn Tx, token: &str) -> Result<Option<RefreshToken>, Error> {
    let hash = secret::hash(token);
    let Some(found) = tx.refresh_token(&hash).await? else { return Ok(None) };
    if known(tx.lock_owner(found.user_id).await?).is_err() {
        return Ok(None);
    }
    // What was read before the lock may have been rotated or ended until it was granted.
    Ok(tx.refresh_token(&hash).await?)
}

fn fresh(core: &Core, token: &str, user_id: Uuid, family: Uuid, now: DateTime<Utc>) -> RefreshToken {
    RefreshToken {
        hash: secret::hash(token),
        user_id,
        family,
        expires_at: now + core.options.refresh_ttl,
        rotated_at: None,
    }
}

fn answer(core: &Core, profile: &Profile, refresh_token: String, now: DateTime<Utc>) -> v1::Session {
    let ttl = core.options.access_ttl;
    v1::Session {
        user_id: profile.id.to_string(),
        email: profile.email.clone(),
        display_name: profile.display_name.clone(),
        created_at: Some(timestamp(profile.created_at)),
        access_token: core.keys.sign(profile.id, &profile.email, core.ids.random(), now, ttl),
        token_type: "bearer".to_owned(),
        expires_in: ttl.num_seconds(),
        refresh_token: Some(refresh_token),
    }
}

fn invalid() -> Error {
    Error::new(Reason::InvalidToken, "the refresh token is not valid any more; sign in again")
}
