//! Notifications of reminders that fired. Events come one by one, many at once when many reminders ring; all that come
//! while one transaction is written go into the next one together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use todo_domain::Error;
use tokio::sync::oneshot::{self, error::TryRecvError};
use uuid::Uuid;

use crate::{
    batch::Batch,
    core::Core,
    push,
    store::{ChangeKind, Firing, Notification},
};

pub(crate) struct Bell {
    core: Arc<Core>,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

struct Waiting {
    event_id: Uuid,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Bell {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Writes the notification of a firing, unless it was written before. The event is only a nudge: everything else is
    /// read from the database.
    pub(crate) async fn ring(&self, event_id: Uuid) -> Result<(), Error> {
        let (done, mut answer) = oneshot::channel();
        self.lock().push(Waiting { event_id, done });
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have taken it along.
        if let Some(result) = heard(&mut answer) {
            return result;
        }
        let taken = std::mem::take(&mut *self.lock());
        let ids: Vec<_> = taken.iter().map(|waiting| waiting.event_id).collect();
        let written = write(&self.core, &ids).await;
        for Waiting { event_id, done } in taken {
            let result = match &written {
                Ok(()) => Ok(()),
                // One that cannot be written must not keep its neighbours from it.
                Err(_) => write(&self.core, &[event_id]).await,
            };
            let _ = done.send(result);
        }
        heard(&mut answer).unwrap_or_else(|| Err(Error::unavailable("it was not among what was taken")))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an event, once somebody wrote it or gave up.
fn heard(answer: &mut oneshot::Receiver<Result<(), Error>>) -> Option<Result<(), Error>> {
    match answer.try_recv() {
        Ok(result) => Some(result),
        Err(TryRecvError::Closed) => Some(Err(Error::unavailable("who wrote it was cut off"))),
        Err(TryRecvError::Empty) => None,
    }
}

/// Writes the notifications of these firings that have none yet.
async fn write(core: &Core, event_ids: &[Uuid]) -> Result<(), Error> {
    let unseen = |firing: &Firing| !firing.seen;
    let firings = core.store.read().await?.firings(event_ids).await?;
    let users: BTreeSet<_> = firings.iter().filter(|firing| unseen(firing)).map(|firing| firing.user_id).collect();
    if users.is_empty() {
        return Ok(());
    }
    let users: Vec<_> = users.into_iter().collect();
    let mut tx = core.store.begin().await?;
    let mut batch = Batch::lock(tx.as_mut(), &users, core.clock.now()).await?;
    // Read again under the owners' locks: the same event may be handled twice at once.
    let mut firings = tx.firings(event_ids).await?;
    firings.retain(|firing| unseen(firing) && batch.has(firing.user_id));
    firings.sort_by_key(|firing| (firing.trigger_at, firing.event_id));
    let ids: Vec<_> = firings.iter().map(|firing| firing.notification_id).collect();
    let known = tx.notifications_of(&users, &ids).await?;
    let mut known: BTreeMap<_, _> = known.into_iter().map(|known| (known.id, known)).collect();
    let mut seen = Vec::new();
    let mut rung = BTreeSet::new();
    for firing in firings {
        let Some(revision) = batch.note(firing.user_id, ChangeKind::Notified, firing.notification_id) else { continue };
        seen.push(firing.event_id);
        rung.insert(firing.notification_id);
        let before = known.remove(&firing.notification_id);
        known.insert(firing.notification_id, notification(firing, before, revision));
    }
    known.retain(|id, _| rung.contains(id));
    tx.put_notifications(&known.into_values().collect::<Vec<_>>()).await?;
    tx.set_seen(&seen).await?;
    let owners = batch.owners();
    let settled = batch.write(tx.as_mut()).await?;
    push::ring(core, tx.as_mut(), &owners).await?;
    tx.commit().await?;
    core.rung.notify_one();
    for done in &settled {
        core.committed(done);
    }
    Ok(())
}

fn notification(firing: Firing, known: Option<Notification>, revision: i64) -> Notification {
    Notification {
        id: firing.notification_id,
        user_id: firing.user_id,
        // Of a snooze, the reminder that first rang.
        reminder_id: known.as_ref().map_or(firing.reminder_id, |known| known.reminder_id),
        task_id: firing.task_id,
        task_title: firing.task_title,
        due: firing.due,
        triggered_at: firing.fired_at,
        read_at: None,
        // It may have been snoozed again since this was decided.
        snoozed_until: known.and_then(|known| known.snoozed_until).filter(|until| *until != firing.trigger_at),
        revision,
    }
}
