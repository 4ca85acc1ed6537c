//! The end of an account: it is removed with all that is its own, in one transaction.

use chrono::{DateTime, Utc};
use todo_domain::{
    Error, Ids, Violations,
    account::Scope,
    error::Reason,
    query::{Order, Query, QueryDraft, SortKey},
};
use todo_proto::v1;
use tonic::Request;
use uuid::Uuid;

use super::{Service, attempts, missing, password};
use crate::{
    core::known,
    event,
    store::{Owner, Tx},
    write::Settled,
};

/// Tasks read at once.
const PAGE: i64 = 500;

impl Service {
    pub(super) async fn delete(&self, request: Request<v1::DeleteAccountRequest>) -> Result<(), Error> {
        let core = &*self.core;
        let call = core.call(&request, Scope::Account).await?;
        let network = attempts::network(request.metadata());
        let claimed = request.into_inner().password;
        let mut violations = Violations::new();
        violations.check(!claimed.is_empty(), "password", || "must not be empty");
        violations.into_result(())?;

        let (before, attempts) = self.challenge(&call, &network).await?;
        let verified = self.hasher.verify(Some(before.password_hash.clone()), password::claimed(&claimed)).await;
        if !self.judged(verified, &attempts).await? {
            return Err(wrong());
        }
        let mut tx = core.store.begin().await?;
        let owner = known(tx.lock_owner(call.user_id).await?)?;
        // It may have been changed while it was verified.
        let present = tx.profile(call.user_id).await?.ok_or_else(missing)?;
        if present.password_hash != before.password_hash {
            return Err(wrong());
        }
        erase(tx.as_mut(), &*core.ids, call.user_id, &owner, call.now).await?;
        attempts::take_back(tx.as_mut(), &attempts).await?;
        tx.commit().await?;
        core.committed(&Settled { user_id: call.user_id, changed: true, announced: true });
        tracing::info!(user.id = %call.user_id, "deleted the account");
        Ok(())
    }
}

/// Removes an account whose owner is locked, and announces that its tasks are gone.
pub(super) async fn erase(
    tx: &mut dyn Tx,
    ids: &dyn Ids,
    user_id: Uuid,
    owner: &Owner,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut revision = owner.revision;
    let mut query = by_age(PAGE)?;
    loop {
        let (tasks, more) = tx.list_tasks(user_id, &query).await?;
        let deleted = tasks.iter().map(|task| {
            revision += 1;
            event::deleted(ids.new_id(now), task, revision, now)
        });
        tx.add_outgoing(&deleted.collect::<Vec<_>>()).await?;
        match tasks.last() {
            Some(last) if more => query.after = Some(query.token_after(last)),
            _ => return Ok(tx.remove_profile(user_id).await?),
        }
    }
}

/// All tasks, oldest first: an order that stays while others are written.
pub(super) fn by_age(limit: i64) -> Result<Query, Error> {
    let draft = QueryDraft {
        sort: Some(SortKey::CreatedAt),
        order: Some(Order::Asc),
        limit: Some(limit),
        ..QueryDraft::default()
    };
    Query::new(&draft)
}

fn wrong() -> Error {
    Error::new(Reason::InvalidCredentials, "the password is wrong")
}
