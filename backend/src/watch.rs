//! `EventService`: one stream for everything a client shows.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::Stream;
use todo_domain::{Error, account::Scope, error::Reason, zone};
use todo_proto::v1::{self, event_service_server::EventService, watch_response::Item};
use todo_runtime::{access, metrics::Held, status::from_error};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    convert,
    core::{self, Call, Core},
    event,
    hub::{Batch, Feed, broken},
    store::{Change, ChangeKind, Tx},
};

/// Changes read at once.
const PAGE: i64 = 500;
/// How often timers compare with the clock.
const PATROL: Duration = Duration::from_secs(1);
/// Items that wait for a slow client before its stream waits for it.
const AHEAD: usize = 64;

const NOTIFICATION_UPDATED: &str = "com.todo.notification.updated";
const TASK_REMINDED: &str = "com.todo.task.reminded";
const COUNTS: &str = "com.todo.counts";

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
    pub(crate) shutdown: CancellationToken,
}

type Sender = mpsc::Sender<Result<v1::WatchResponse, Status>>;

impl Service {
    async fn start(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<ReceiverStream<Result<v1::WatchResponse, Status>>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let token = access::token(request.metadata())?.to_owned();
        // Joined before the present is read, so that nothing falls between.
        let receiver = self.core.hub.join(call.user_id, |feed| {
            tokio::spawn(self.clone().feed(call.user_id, feed));
        });
        let (_, owner) = self.core.read(&call).await?;
        let since = request.get_ref().since.unwrap_or(owner.revision);
        if since < owner.floor || since > owner.revision {
            return Err(Error::new(
                Reason::ResyncRequired,
                "what changed since then is not known any more: list again, then watch from the revision of that list",
            ));
        }
        let (sender, items) = mpsc::channel(AHEAD);
        let service = self.clone();
        tokio::spawn(async move {
            let _watcher = Held::new("todo_watchers");
            let end = async {
                tokio::select! {
                    () = sender.closed() => None,
                    () = service.shutdown.cancelled() => Some(Error::unavailable("shutting down")),
                    error = service.expiry(&token, call.expires_at) => Some(error),
                }
            };
            let ended = tokio::select! {
                ended = end => ended,
                failed = service.follow(&call, since, receiver, &sender) => failed.err(),
            };
            if let Some(error) = ended {
                let _ = sender.send(Err(from_error(error))).await;
            }
        });
        Ok(ReceiverStream::new(items))
    }

    /// Waits until the token is not good any more, by the clock; says why.
    async fn expiry(&self, token: &str, mut good_until: DateTime<Utc>) -> Error {
        loop {
            let now = self.core.clock.now();
            if now < good_until {
                tokio::time::sleep((good_until - now).to_std().unwrap_or_default().min(PATROL)).await;
                continue;
            }
            match self.core.verify(token, Scope::Read, now).await {
                Ok(principal) => good_until = principal.expires_at,
                Err(error) => return error,
            }
        }
    }

    /// Sends what changed since a revision, then what the feed brings. Ends when the client is gone.
    async fn follow(
        &self,
        call: &Call,
        mut since: i64,
        mut feed: broadcast::Receiver<Arc<Batch>>,
        sender: &Sender,
    ) -> Result<(), Error> {
        let mut behind = true;
        loop {
            if behind {
                loop {
                    let (items, last) = self.load(call.user_id, since).await?;
                    let Some(last) = last else { break };
                    send_all(sender, items).await?;
                    since = last;
                }
                let counts = self.counts(call.user_id).await?;
                send_all(sender, vec![counts]).await?;
                behind = false;
            }
            match feed.recv().await {
                Ok(batch) if batch.to <= since => {}
                Ok(batch) if batch.from > since => behind = true,
                Ok(batch) => {
                    let news = batch.items.iter().filter(|item| item.revision.is_none_or(|revision| revision > since));
                    send_all(sender, news.cloned().collect()).await?;
                    since = batch.to;
                }
                Err(RecvError::Lagged(_)) => behind = true,
                Err(RecvError::Closed) => {
                    // Says so if the account is closed.
                    self.counts(call.user_id).await?;
                    return Err(broken());
                }
            }
        }
    }

    /// Reads the changes of one owner for all its watchers, until nobody watches or the account is closed.
    async fn feed(self, user_id: Uuid, feed: Arc<Feed>) {
        let mut since = None;
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.advance(user_id, &feed, &mut since).await {
                if error.reason == Reason::UserNotFound {
                    self.core.hub.end(user_id);
                    return;
                }
                tracing::warn!(error = ?error.source, "the change log cannot be read");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = feed.changed.notified() => {}
                () = tokio::time::sleep(self.core.options.patrol) => if self.core.hub.leave(user_id) { return },
            }
        }
    }

    async fn advance(&self, user_id: Uuid, feed: &Feed, since: &mut Option<i64>) -> Result<(), Error> {
        let mut tx = self.core.store.read().await?;
        let owner = core::known(tx.owner(user_id).await?)?;
        drop(tx);
        // Without receivers nobody misses what is sent.
        let send = |batch| drop(feed.items.send(Arc::new(batch)));
        let Some(from) = since else {
            // Watchers that joined before this moment, and read less, read on themselves.
            *since = Some(owner.revision);
            send(Batch { from: owner.revision, to: owner.revision, items: Vec::new() });
            return Ok(());
        };
        while *from < owner.revision {
            let (mut items, last) = self.load(user_id, *from).await?;
            let Some(to) = last else { break };
            items.push(self.counts(user_id).await?);
            send(Batch { from: *from, to, items });
            *from = to;
        }
        Ok(())
    }

    /// A page of changes after a revision, each with the present state of what it is about; and the last of them.
    async fn load(&self, user_id: Uuid, since: i64) -> Result<(Vec<v1::WatchResponse>, Option<i64>), Error> {
        let mut tx = self.core.store.read().await?;
        let changes = tx.changes(user_id, since, PAGE).await?;
        let last = changes.last().map(|change| change.revision);
        Ok((items(tx.as_mut(), user_id, &changes, self.core.clock.now()).await?, last))
    }

    async fn counts(&self, user_id: Uuid) -> Result<v1::WatchResponse, Error> {
        let now = self.core.clock.now();
        let mut tx = self.core.store.read().await?;
        let owner = core::known(tx.owner(user_id).await?)?;
        let zone = core::zone(&owner);
        let day_start = zone::start_of_day(zone, zone::local(zone, now).date());
        let counts = v1::Counts {
            tasks: Some(convert::counts(tx.counts(user_id, now, day_start).await?)),
            unread_notifications: tx.count_unread(user_id).await?,
        };
        Ok(v1::WatchResponse { revision: None, event_type: COUNTS.to_owned(), item: Some(Item::Counts(counts)) })
    }
}

async fn send_all(sender: &Sender, items: Vec<v1::WatchResponse>) -> Result<(), Error> {
    for item in items {
        sender.send(Ok(item)).await.map_err(|_| broken())?;
    }
    Ok(())
}

async fn items(
    tx: &mut dyn Tx,
    user_id: Uuid,
    changes: &[Change],
    now: DateTime<Utc>,
) -> Result<Vec<v1::WatchResponse>, Error> {
    let of_notification = |kind| matches!(kind, ChangeKind::Notified | ChangeKind::NotificationUpdated);
    let ids = |notifications: bool| {
        let mut ids: Vec<_> = changes
            .iter()
            .filter(|change| of_notification(change.kind) == notifications)
            .map(|change| change.entity_id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let tasks = tx.tasks(user_id, &ids(false)).await?;
    let tasks: HashMap<_, _> = tasks.iter().map(|task| (task.id, convert::task(task, now))).collect();
    let notifications = tx.notifications(user_id, &ids(true)).await?;
    let notifications: HashMap<_, _> = notifications.iter().map(|it| (it.id, convert::notification(it))).collect();

    let item = |change: &Change| {
        let item = if of_notification(change.kind) {
            Item::Notification(notifications.get(&change.entity_id)?.clone())
        } else {
            match tasks.get(&change.entity_id) {
                Some(task) => Item::Task(task.clone()),
                None => Item::TaskRemoved(v1::TaskRemoved { id: change.entity_id.to_string() }),
            }
        };
        let event_type = match change.kind {
            ChangeKind::Created => event::CREATED,
            ChangeKind::Updated => event::UPDATED,
            ChangeKind::Completed => event::COMPLETED,
            ChangeKind::Deleted => event::DELETED,
            ChangeKind::ReminderFired => TASK_REMINDED,
            ChangeKind::Notified => event::REMINDER_TRIGGERED,
            ChangeKind::NotificationUpdated => NOTIFICATION_UPDATED,
        };
        Some(v1::WatchResponse { revision: Some(change.revision), event_type: event_type.to_owned(), item: Some(item) })
    };
    Ok(changes.iter().filter_map(item).collect())
}

#[tonic::async_trait]
impl EventService for Service {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        match self.start(request).await {
            Ok(items) => Ok(Response::new(Box::pin(items))),
            Err(error) => Err(from_error(error)),
        }
    }
}
