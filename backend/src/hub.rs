//! Who watches, and waking them: one feed for each owner that is watched, read once for all its watchers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use todo_domain::Error;
use todo_proto::v1;
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

/// Changes a watcher may fall behind before it reads them itself.
const BACKLOG: usize = 256;

/// What happened to one owner. Revisions are dense, so a watcher that is not at `from` has missed something.
pub(crate) struct Batch {
    /// It goes on from this revision ...
    pub(crate) from: i64,
    /// ... to this one.
    pub(crate) to: i64,
    /// In order of revision, and then the counts.
    pub(crate) items: Vec<v1::WatchResponse>,
}

#[derive(Default)]
pub(crate) struct Hub {
    feeds: Mutex<HashMap<Uuid, Arc<Feed>>>,
}

/// The feed of one owner.
pub(crate) struct Feed {
    pub(crate) items: broadcast::Sender<Arc<Batch>>,
    pub(crate) changed: Notify,
}

impl Hub {
    /// Joins the feed of an owner; where there is none yet, `start` begins it.
    pub(crate) fn join(&self, user_id: Uuid, start: impl FnOnce(Arc<Feed>)) -> broadcast::Receiver<Arc<Batch>> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&user_id) {
            return feed.items.subscribe();
        }
        let (items, receiver) = broadcast::channel(BACKLOG);
        let feed = Arc::new(Feed { items, changed: Notify::new() });
        feeds.insert(user_id, Arc::clone(&feed));
        start(feed);
        receiver
    }

    /// Says that an owner's revision moved.
    pub(crate) fn wake(&self, user_id: Uuid) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&user_id) {
            feed.changed.notify_one();
        }
    }

    /// Says that anyone's may have.
    pub(crate) fn wake_all(&self) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.values().for_each(|feed| feed.changed.notify_one());
    }

    /// Ends the feed of an owner for all its watchers.
    pub(crate) fn end(&self, user_id: Uuid) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).remove(&user_id);
    }

    /// Ends the feed of an owner if nobody watches any more; says whether it did.
    pub(crate) fn leave(&self, user_id: Uuid) -> bool {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = feeds.get(&user_id).is_none_or(|feed| feed.items.receiver_count() == 0);
        if idle {
            feeds.remove(&user_id);
        }
        idle
    }
}

/// The feed cannot be read any more: its watchers are told to come again.
pub(crate) fn broken() -> Error {
    Error::unavailable("the feed of an owner ended")
}
