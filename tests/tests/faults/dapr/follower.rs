//! A client that watches, and takes up the stream again whenever it was cut off.

use std::{collections::BTreeSet, time::Duration};

use todo_tests::{books::Books, rest::Rest, stream::Stream};
use tokio::{sync::watch, task::JoinHandle};

/// How soon it comes back when nothing answers.
const PAUSE: Duration = Duration::from_millis(50);

/// A user's stream from the first revision on, over all interruptions.
pub(super) struct Follower {
    user_id: uuid::Uuid,
    seen: watch::Receiver<Vec<i64>>,
    cuts: watch::Receiver<u32>,
    following: JoinHandle<()>,
}

impl Follower {
    pub(super) fn start(rest: Rest) -> Self {
        let ((seen, seen_by), (cut, cuts)) = (watch::channel(Vec::new()), watch::channel(0));
        let user_id = rest.user_id.parse().expect("an id");
        let following = tokio::spawn(async move {
            loop {
                let last = seen.borrow().last().copied().unwrap_or_default();
                if let Some(mut stream) = Stream::try_resume(&rest, last).await {
                    while let Some(event) = stream.wait().await {
                        seen.send_modify(|seen| seen.extend(event.id));
                    }
                    cut.send_modify(|cuts| *cuts += 1);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { user_id, seen: seen_by, cuts, following }
    }

    /// Waits until it has seen the last revision; then, what it missed or saw twice.
    pub(super) async fn audit(mut self, books: &Books) -> Vec<String> {
        let last = books.owners.get(&self.user_id).copied().unwrap_or_default();
        let end = self.seen.wait_for(|seen| seen.last().is_some_and(|seen| *seen >= last));
        let ended = tokio::time::timeout(super::PATIENCE, end).await.is_ok_and(|end| end.is_ok());
        self.following.abort();
        let seen = self.seen.borrow().clone();
        let mut wrong = Vec::new();
        if !ended {
            wrong.push(format!("the stream ends at {:?}, the log at {last}", seen.last()));
        }
        if !seen.is_sorted_by(|one, next| one < next) {
            wrong.push(format!("the stream goes back: {seen:?}"));
        }
        let known: BTreeSet<_> = seen.iter().copied().collect();
        let log = books.changes.iter().filter(|change| change.user_id == self.user_id).map(|change| change.revision);
        let missing: Vec<_> = log.filter(|revision| !known.contains(revision)).collect();
        if !missing.is_empty() {
            wrong.push(format!("the stream left out {missing:?}, over {} cuts", *self.cuts.borrow()));
        }
        wrong
    }
}
