//! A server that says nothing: its machine is gone, or it is frozen. TCP finds out after a quarter of an hour, or never; a
//! transaction waits so long for each answer and no longer.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt as _, StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{Instant, timeout};

/// How long the server may leave a transaction without an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same for whether it is there at all.
const PING: Duration = Duration::from_secs(2);
/// How long after a silence connections are closed instead of used again. The one that was silent is about to go back to
/// its pool, which would wait for an answer for ever, and others there may be dead, too.
const DOUBT: Duration = Duration::from_secs(5);

/// When the server last left somebody without an answer. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence(Arc<Mutex<Option<Instant>>>);

impl Silence {
    /// Whether a connection may be dead for the same reason.
    pub(super) fn is_recent(&self) -> bool {
        self.last().is_some_and(|last| last.elapsed() < DOUBT)
    }

    /// Opens a transaction.
    pub(super) async fn begin(&self, pool: &PgPool, begin: &'static str) -> Result<Transaction, Error> {
        let tx = self.wait(PATIENCE, pool.begin_with(begin)).await?;
        Ok(Transaction { tx, silence: self.clone() })
    }

    /// Asks whether a connection still lives.
    pub(super) async fn ping(&self, connection: &mut PgConnection) -> Result<(), Error> {
        self.wait(PING, connection.ping()).await
    }

    /// Waits for an answer, but not for ever.
    async fn wait<T>(&self, patience: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        timeout(patience, asked).await.unwrap_or_else(|_| {
            *self.last() = Some(Instant::now());
            Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer")))
        })
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction that fails when the server says nothing.
#[derive(Debug)]
pub(super) struct Transaction {
    tx: sqlx::Transaction<'static, Postgres>,
    silence: Silence,
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), Error> {
        self.silence.wait(PATIENCE, self.tx.commit()).await
    }
}

impl<'c> Executor<'c> for &'c mut Transaction {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let silence = &self.silence;
        stream::try_unfold(self.tx.fetch_many(query), async |mut steps| {
            let step = silence.wait(PATIENCE, steps.try_next()).await?;
            Ok(step.map(|step| (step, steps)))
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.silence.wait(PATIENCE, self.tx.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        self.silence.wait(PATIENCE, self.tx.prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        self.silence.wait(PATIENCE, self.tx.describe(sql)).boxed()
    }
}
