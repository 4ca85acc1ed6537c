//! Personal access tokens, by which programs act for their owner. Each use is looked up, so that a revoked one is good
//! for nothing more.

use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::{
    Error, Violations,
    account::{self, Scope},
    error::Reason,
    limits::ACCESS_TOKENS_MAX,
};
use todo_proto::v1;
use todo_runtime::access::Principal;
use tonic::Request;

use super::secret;
use crate::{
    convert::{required, time, timestamp},
    core::{Core, id},
    store::AccessToken,
};

/// What a token starts with, so that people and scanners know one when they see it.
const PREFIX: &str = "todo_pat_";
/// How exactly it is known when a token was last used.
const USED: TimeDelta = TimeDelta::hours(1);
/// After which time a stream is asked for its token again.
const GOOD: TimeDelta = TimeDelta::minutes(1);

/// Whether a bearer token is one of these.
pub(crate) fn is_personal(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// Verifies that a token is good for something.
pub(crate) async fn verify(core: &Core, token: &str, scope: Scope, now: DateTime<Utc>) -> Result<Principal, Error> {
    let found = core.store.read().await?.access_token(&secret::hash(token)).await?;
    let found = found.ok_or_else(|| Error::new(Reason::InvalidToken, "the personal access token is not valid"))?;
    if found.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::new(Reason::TokenExpired, "the personal access token has expired; make another one"));
    }
    if found.scope < scope {
        return Err(Error::new(
            Reason::PermissionDenied,
            match scope {
                Scope::Account => "a personal access token cannot do this; sign in",
                Scope::Read | Scope::Write => "the personal access token lacks the scope write",
            },
        ));
    }
    if found.last_used_at.is_none_or(|used| now - used >= USED) {
        let mut tx = core.store.begin().await?;
        tx.use_access_token(&found.hash, now).await?;
        tx.commit().await?;
    }
    let good = now + GOOD;
    Ok(Principal {
        user_id: found.user_id,
        expires_at: found.expires_at.map_or(good, |expires_at| expires_at.min(good)),
    })
}

pub(super) async fn create(
    core: &Core,
    request: Request<v1::CreateAccessTokenRequest>,
) -> Result<v1::AccessToken, Error> {
    let call = core.call(&request, Scope::Account).await?;
    let asked = required(request.into_inner().access_token, "access_token")?;
    let mut violations = Violations::new();
    let name = violations.take(account::token_name(&asked.name)).unwrap_or_default();
    let scope = scope(&asked.scopes, &mut violations).unwrap_or(Scope::Read);
    let expires_at = asked.expires_at.and_then(|at| time(at, "expires_at", &mut violations));
    if let Some(at) = expires_at {
        violations.check(at > call.now, "expires_at", || "must be a time to come");
    }
    violations.into_result(())?;

    let token = format!("{PREFIX}{}", secret::token()?);
    let stored = AccessToken {
        id: core.ids.new_id(call.now),
        user_id: call.user_id,
        hash: secret::hash(&token),
        name,
        scope,
        created_at: call.now,
        expires_at,
        last_used_at: None,
    };
    let mut tx = core.lock(call.user_id).await?;
    let mut violations = Violations::new();
    violations.check(tx.access_tokens(call.user_id).await?.len() < ACCESS_TOKENS_MAX, "", || {
        format!("an account takes {ACCESS_TOKENS_MAX} personal access tokens; revoke one first")
    });
    violations.into_result(())?;
    tx.add_access_token(&stored).await?;
    tx.commit().await?;
    tracing::debug!(user.id = %call.user_id, "personal access token made");
    Ok(v1::AccessToken { token: Some(token), ..shown(stored) })
}

pub(super) async fn list(
    core: &Core,
    request: Request<v1::ListAccessTokensRequest>,
) -> Result<v1::ListAccessTokensResponse, Error> {
    let call = core.call(&request, Scope::Account).await?;
    let (mut tx, _) = core.read(&call).await?;
    let access_tokens = tx.access_tokens(call.user_id).await?.into_iter().map(shown).collect();
    Ok(v1::ListAccessTokensResponse { access_tokens })
}

pub(super) async fn revoke(core: &Core, request: Request<v1::RevokeAccessTokenRequest>) -> Result<(), Error> {
    let call = core.call(&request, Scope::Account).await?;
    let id = id("id", &request.get_ref().id)?;
    let mut tx = core.lock(call.user_id).await?;
    if !tx.remove_access_token(call.user_id, id).await? {
        return Err(Error::new(Reason::TokenNotFound, "there is no such personal access token"));
    }
    tx.commit().await?;
    tracing::debug!(user.id = %call.user_id, "personal access token revoked");
    Ok(())
}

/// The greatest of the scopes.
fn scope(asked: &[i32], violations: &mut Violations) -> Option<Scope> {
    let known = asked.iter().map(|number| match v1::AccessScope::try_from(*number) {
        Ok(v1::AccessScope::Read) => Some(Scope::Read),
        Ok(v1::AccessScope::Write) => Some(Scope::Write),
        Ok(v1::AccessScope::Unspecified) | Err(_) => None,
    });
    let greatest = known.collect::<Option<Vec<_>>>().and_then(|scopes| scopes.into_iter().max());
    violations.check(greatest.is_some(), "scopes", || "must be one or both of read, write");
    greatest
}

pub(super) fn shown(token: AccessToken) -> v1::AccessToken {
    let scopes = [(Scope::Read, v1::AccessScope::Read), (Scope::Write, v1::AccessScope::Write)];
    v1::AccessToken {
        id: token.id.to_string(),
        name: token.name,
        scopes: scopes.into_iter().filter(|(scope, _)| *scope <= token.scope).map(|(_, shown)| shown.into()).collect(),
        created_at: Some(timestamp(token.created_at)),
        expires_at: token.expires_at.map(timestamp),
        last_used_at: token.last_used_at.map(timestamp),
        token: None,
    }
}
