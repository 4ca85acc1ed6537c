//! What replicas tell each other by NOTIFY: whose tasks changed. After the commit and in a transaction of its own, because
//! a NOTIFY takes a lock of the whole server at its commit; many owners in one, because of that lock too; and on one
//! connection a replica, beside the pool, so that no request ever waits for it.

use std::{collections::BTreeSet, io, time::Duration};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use uuid::Uuid;

use super::Login;
use crate::store::Heard;

const CHANNEL: &str = "todo_changes";
/// Owners in one notification, 33 bytes each: the payload must be below 8000.
const TOGETHER: usize = 200;
/// The shortest time between two notifications; what changes meanwhile goes together.
const GATHER: Duration = Duration::from_millis(10);
/// How long nothing may happen before the connection is asked whether it still lives: one that only listens would never
/// learn that it does not.
const QUIET: Duration = Duration::from_secs(30);
/// How long the server may take to connect or to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn run(mut login: watch::Receiver<Login>, mut changed: mpsc::Receiver<Uuid>, heard: &Heard) {
    // What was not told for sure is told again.
    let mut waiting = BTreeSet::new();
    loop {
        if let Err(error) = converse(&mut login, &mut changed, &mut waiting, heard).await {
            tracing::warn!(%error, "replicas cannot tell each other what changed; streams look for it each second");
            sleep(RETRY).await;
        }
    }
}

/// Tells and hears until the connection fails, or another one is to be made.
async fn converse(
    login: &mut watch::Receiver<Login>,
    changed: &mut mpsc::Receiver<Uuid>,
    waiting: &mut BTreeSet<Uuid>,
    heard: &Heard,
) -> Result<(), sqlx::Error> {
    let options = login.borrow_and_update().options.clone().application_name("todo changes");
    let one = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).acquire_timeout(PATIENCE);
    let mut listener = PgListener::connect_with(&one.connect_lazy_with(options)).await?;
    listener.eager_reconnect(false);
    let own: i32 = answer(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut listener)).await?;
    answer(listener.listen(CHANNEL)).await?;
    heard(None);
    let mut pace = interval(GATHER);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            news = listener.try_recv() => {
                let news = news?.ok_or_else(lost)?;
                // Whoever told hears it too.
                if i64::from(news.process_id()) != i64::from(own) {
                    news.payload().split(',').filter_map(|id| id.parse().ok()).for_each(|id| heard(Some(id)));
                }
            }
            Some(user_id) = changed.recv(), if waiting.len() < TOGETHER => {
                waiting.insert(user_id);
            }
            _ = pace.tick(), if !waiting.is_empty() => {
                let ids: Vec<_> = waiting.iter().map(|id| id.simple().to_string()).collect();
                let tell = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(ids.join(","));
                answer(tell.execute(&mut listener)).await?;
                waiting.clear();
            }
            Ok(()) = login.changed() => return Ok(()),
            () = sleep(QUIET) => {
                answer(sqlx::query("SELECT 1").execute(&mut listener)).await?;
            }
        }
    }
}

/// Waits for an answer, but not for ever.
async fn answer<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(lost()))
}

fn lost() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::ConnectionAborted.into())
}
