//! What whoever runs the server may do about events that could not be handled: `todo dead-letters list|show|replay`.

use serde_json::Value;
use todo_domain::{Clock, Error, Timestamp, error::Reason};
use todo_sidecar::{CloudEvent, DEAD_LETTER_APP, DEAD_LETTER_REASON, TOPIC};
use uuid::Uuid;

use crate::store::{DeadLetter, Outgoing, Store};

/// Up to `limit` dead letters, the oldest first, those after the one with this time and id.
///
/// # Errors
/// When the database is away.
pub async fn list(store: &dyn Store, after: Option<(Timestamp, Uuid)>, limit: i64) -> Result<Vec<DeadLetter>, Error> {
    Ok(store.read().await?.dead_letters(after, limit).await?)
}

/// One dead letter.
///
/// # Errors
/// A sentence when there is none with this id; when the database is away.
pub async fn show(store: &dyn Store, id: Uuid) -> Result<DeadLetter, Error> {
    store.read().await?.dead_letter(id).await?.ok_or_else(|| unknown(id))
}

/// The event of a dead letter, to be shown.
#[must_use]
pub fn event(letter: &DeadLetter) -> Value {
    serde_json::from_slice(&letter.event).unwrap_or_else(|_| String::from_utf8_lossy(&letter.event).into())
}

/// Puts the event of a dead letter into the outbox again, and removes the letter: should the event fail again, it comes
/// back. Consumers are idempotent, so that those who had no trouble with it do nothing.
///
/// # Errors
/// A sentence when there is no such dead letter, or its event is none that could be published; when the database is
/// away.
pub async fn replay(store: &dyn Store, clock: &dyn Clock, id: Uuid) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let letter = tx.take_dead_letter(id).await?.ok_or_else(|| unknown(id))?;
    let mut event = CloudEvent::from_json(&letter.event).map_err(|invalid| {
        let why = format!("the dead letter {id} cannot be published again, it stays: {invalid}");
        Error::new(Reason::ValidationError, why)
    })?;
    // What the sidecar noted on it.
    for name in [TOPIC, DEAD_LETTER_REASON, DEAD_LETTER_APP] {
        event.extensions.remove(name);
    }
    let now = clock.now();
    // Events of ours are still there for some days. Others, such as the scheduler's, never were, and a stranger's id
    // need not be a UUID.
    let row = event.id.parse().unwrap_or(id);
    if tx.publish_again(&[row], now).await? == 0 {
        let event = event.to_json();
        tx.add_outgoing(&[Outgoing { id: row, topic: letter.topic, event, created_at: now, attempts: 0 }]).await?;
    }
    tx.commit().await?;
    tracing::info!(dead_letter.id = %id, "an operator replayed a dead letter");
    Ok(())
}

fn unknown(id: Uuid) -> Error {
    Error::new(Reason::ValidationError, format!("there is no dead letter {id}: `todo dead-letters list` shows them"))
}
