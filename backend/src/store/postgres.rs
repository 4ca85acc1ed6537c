//! Postgres: commits as durable as the server's `synchronous_commit` (on), read committed for writes, one snapshot
//! (repeatable read) for reads.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::{
    Connection as _, Executor as _,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::{Error, Heard, Inspection, Tx};

#[path = "sql/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "the SQL is written once and compiled for each database")]
mod sql;

mod share;
mod silence;

use silence::Silence;

type Db = sqlx::Postgres;
type Opened = Box<silence::Transaction>;
type Row = sqlx::postgres::PgRow;

mod dialect {
    //! Where Postgres' SQL must differ.

    /// Locks the owner's row, which orders the writes of one owner; then the account's, because after waiting Postgres
    /// reads anew only the rows that it locks. (References to the account lock it too, so that costs nothing.)
    pub(super) const LOCK_OWNER: &str = " FOR NO KEY UPDATE OF o, u";
    /// Locks the key `$1` until the transaction ends.
    pub(super) const LOCK_KEY: Option<&str> = Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");
    /// Skips rows that others hold.
    pub(super) const SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";
    /// Several replicas share the outbox.
    pub(super) const LEASES: bool = true;
    /// A text condition for terms the index can serve (three characters and more).
    pub(super) const SEARCH: (&str, &str) = ("search LIKE ", "");
    /// A text condition for shorter terms.
    pub(super) const SEARCH_SHORT: (&str, &str) = ("strpos(search, ", ") > 0");
    /// The owner's condition where another index finds the rows: Postgres chooses well by itself.
    pub(super) const OWNER_BY_OTHERS: &str = "user_id = ";
    /// How many rows the text index finds: Postgres estimates that by itself.
    pub(super) const COUNT_BY_TEXT: Option<&str> = None;
    /// Not asked.
    pub(super) const FEW: i64 = 0;

    /// The bound value of [`SEARCH`]: a pattern in which `%`, `_` and `\` of the term stand for themselves.
    pub(super) fn search_term(term: &str) -> String {
        let escaped = term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    }
}

/// How long a request waits for a connection before it is told that the database is not available.
const ACQUIRE: Duration = Duration::from_secs(5);

/// How long a connection that is not used is taken for alive.
const FRESH: Duration = Duration::from_secs(1);

/// What each connection begins with. The best plan depends on the values: how rare a status or a term is, how small the
/// page. And who is gone without a word must not keep the locks of its transaction.
const SETTINGS: &str = "SET plan_cache_mode = force_custom_plan; SET idle_in_transaction_session_timeout = '15s'";

/// A Postgres database.
#[derive(Debug)]
pub struct Store {
    pool: sqlx::PgPool,
    silence: Silence,
    login: watch::Sender<Login>,
}

/// How connections are made.
#[derive(Debug)]
struct Login {
    url: String,
    options: PgConnectOptions,
    /// Connections that are older were made by another URL.
    since: Instant,
}

impl Login {
    fn new(url: &str) -> Result<Self, Error> {
        let options = url.parse::<PgConnectOptions>()?.application_name("todo");
        Ok(Self { url: url.to_owned(), options, since: Instant::now() })
    }
}

impl Store {
    /// Connects by a `postgres://` URL. The schema is as it was: see [`Store::migrate`].
    ///
    /// # Errors
    /// When the URL is none or the server cannot be reached.
    pub async fn open(url: &str, connections: u32) -> Result<Self, Error> {
        let login = Login::new(url)?;
        let options = login.options.clone();
        let (login, known) = watch::channel(login);
        let silence = Silence::default();
        let (idle, released) = (silence.clone(), silence.clone());
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            // Asking whether it still lives costs a round trip; what was in use a moment ago does.
            .test_before_acquire(false)
            .before_acquire(move |connection, use_| {
                let former = use_.age > known.borrow().since.elapsed();
                let silence = idle.clone();
                Box::pin(async move {
                    if !former && use_.idle_for > FRESH && !silence.is_recent() {
                        silence.ping(connection).await?;
                    }
                    Ok(!former && !silence.is_recent())
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(SETTINGS).await?;
                    Ok(())
                })
            })
            .after_release(move |_, _| {
                let keep = !released.is_recent();
                Box::pin(async move { Ok(keep) })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, silence, login })
    }

    /// Opens a transaction, in a task of its own. When its opening is cancelled, because a client has gone, sqlx 0.9
    /// forgets a `BEGIN` that is on its way, and whoever gets the connection next finds itself inside that transaction.
    async fn open_transaction(&self, begin: &'static str) -> Result<Box<dyn Tx>, Error> {
        let (pool, silence) = (self.pool.clone(), self.silence.clone());
        let opened = tokio::spawn(async move { silence.begin(&pool, begin).await }).await;
        let opened = opened.map_err(|_| sqlx::Error::WorkerCrashed)??;
        Ok(Box::new(sql::Transaction::new(Box::new(opened))))
    }

    /// Brings the schema up to date, under an advisory lock so that replicas can start together. A newer one than this
    /// program knows is left as it is: schemas only expand, so that a rollback can go on with it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn migrate(&self) -> Result<(), Error> {
        migrations().set_ignore_missing(true).run(&self.pool).await.map_err(Error::Migration)
    }
}

fn migrations() -> Migrator {
    sqlx::migrate!("../migrations/postgres")
}

/// Looks at a database without changing it.
///
/// # Errors
/// When the URL is none, or the server cannot be reached within 5 seconds.
pub async fn inspect(url: &str) -> Result<Inspection, Error> {
    let options = Login::new(url)?.options;
    let connecting = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(&options));
    let mut database = connecting.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let migrated = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let schema = if sqlx::query_scalar(migrated).fetch_one(&mut database).await? {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&mut database).await?
    } else {
        None
    };
    // Refused where the login may not, and on a server that only reads, though it touches no row.
    let writable = match schema {
        Some(_) => database.execute("UPDATE owners SET revision = revision WHERE false").await.map(drop),
        None => Ok(()),
    };
    let now = sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    let now = super::time(now.fetch_one(&mut database).await?)?;
    database.close().await?;
    let (known, writable) = (super::newest(&migrations()), writable.map_err(Error::from));
    Ok(Inspection { schema, known, writable, now: Some(now) })
}

#[async_trait]
impl super::Store for Store {
    async fn begin(&self) -> Result<Box<dyn Tx>, Error> {
        self.open_transaction("BEGIN").await
    }

    async fn begin_repeatable(&self) -> Result<Box<dyn Tx>, Error> {
        self.open_transaction("BEGIN; SET LOCAL synchronous_commit TO OFF").await
    }

    async fn read(&self) -> Result<Box<dyn Tx>, Error> {
        self.open_transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn share(&self, changed: mpsc::Receiver<Uuid>, heard: &Heard) {
        share::run(self.login.subscribe(), changed, heard).await;
    }

    fn point_to(&self, url: &str) -> Result<(), Error> {
        let login = Login::new(url)?;
        if self.login.borrow().url != url {
            self.pool.set_connect_options(login.options.clone());
            self.login.send_replace(login);
        }
        Ok(())
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
