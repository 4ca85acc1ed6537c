//! What all services of the backend share, and the beginning of every call: who asks, and as of when.

use std::{str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use prost::Message;
use sha2::{Digest, Sha256};
use todo_domain::{Clock, Error, Ids, Violation, account::Scope, error::Reason};
use todo_push::Pusher;
use todo_runtime::access::{self, Keys, Principal};
use todo_sidecar::Sidecar;
use tokio::sync::{Notify, mpsc};
use tonic::Request;
use uuid::Uuid;

use crate::{
    Options, accounts,
    hub::Hub,
    store::{Owner, Store, Tx},
};

/// Longest idempotency key, in characters.
const KEY_MAX: usize = 255;

pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) sidecar: Arc<dyn Sidecar>,
    pub(crate) hub: Hub,
    /// Owners whose revision moved, to be told to other replicas.
    pub(crate) changed: mpsc::Sender<Uuid>,
    /// Woken when events were committed.
    pub(crate) outgoing: Notify,
    pub(crate) pusher: Option<Pusher>,
    /// Woken when there is something to push.
    pub(crate) rung: Notify,
}

/// A verified call.
pub(crate) struct Call {
    pub(crate) user_id: Uuid,
    /// Until when the caller's token is good without being looked at again.
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) now: DateTime<Utc>,
    /// The idempotency key with the hash of rpc and request.
    pub(crate) key: Option<(String, Vec<u8>)>,
    /// Only to be judged, not done.
    pub(crate) validate_only: bool,
}

impl Core {
    /// Verifies who calls, and that the token is good for it.
    pub(crate) async fn call<M: Sync>(&self, request: &Request<M>, scope: Scope) -> Result<Call, Error> {
        let now = self.clock.now();
        let Principal { user_id, expires_at } = self.verify(access::token(request.metadata())?, scope, now).await?;
        Ok(Call { user_id, expires_at, now, key: None, validate_only: false })
    }

    /// Verifies that a token is good for something.
    pub(crate) async fn verify(&self, token: &str, scope: Scope, now: DateTime<Utc>) -> Result<Principal, Error> {
        if accounts::tokens::is_personal(token) {
            accounts::tokens::verify(self, token, scope, now).await
        } else {
            self.keys.verify(token, now)
        }
    }

    /// Verifies who calls to write, and reads the idempotency key.
    pub(crate) async fn call_to_write<M: Message>(&self, rpc: &str, request: &Request<M>) -> Result<Call, Error> {
        let mut call = self.call(request, Scope::Write).await?;
        call.validate_only = request.metadata().get("x-validate-only").is_some_and(|value| value == "true");
        if let Some(key) = request.metadata().get("idempotency-key") {
            let key =
                key.to_str().ok().filter(|key| (1..=KEY_MAX).contains(&key.chars().count())).ok_or_else(|| {
                    Violation::new("Idempotency-Key", format!("must be 1 to {KEY_MAX} visible ASCII characters"))
                })?;
            let hash = Sha256::new_with_prefix(rpc).chain_update([0]).chain_update(request.get_ref().encode_to_vec());
            call.key = Some((key.to_owned(), hash.finalize().to_vec()));
        }
        Ok(call)
    }

    /// Opens a transaction in which nobody else writes for this owner.
    pub(crate) async fn lock(&self, user_id: Uuid) -> Result<Box<dyn Tx>, Error> {
        let mut tx = self.store.begin().await?;
        known(tx.lock_owner(user_id).await?)?;
        Ok(tx)
    }

    /// Opens a snapshot for a caller.
    pub(crate) async fn read(&self, call: &Call) -> Result<(Box<dyn Tx>, Owner), Error> {
        let mut tx = self.store.read().await?;
        let owner = known(tx.owner(call.user_id).await?)?;
        Ok((tx, owner))
    }
}

/// The owner, unless the account is gone or closed.
pub(crate) fn known(owner: Option<Owner>) -> Result<Owner, Error> {
    owner.filter(|owner| !owner.disabled).ok_or_else(gone)
}

pub(crate) fn gone() -> Error {
    Error::new(Reason::UserNotFound, "the account of this token does not exist any more")
}

/// The zone of an owner. Names are checked when they are written; one that a newer zone database dropped reads as UTC.
pub(crate) fn zone(owner: &Owner) -> Tz {
    Tz::from_str(&owner.time_zone).unwrap_or(Tz::UTC)
}

/// Reads a UUID.
pub(crate) fn id(field: &str, text: &str) -> Result<Uuid, Error> {
    // Only the hyphenated form of RFC 9562, so that an id has one spelling but for case.
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36).ok_or_else(|| {
        let mut error =
            Error::invalid(vec![Violation::new(field, "must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]);
        error.reason = Reason::InvalidIdFormat;
        error
    })
}
