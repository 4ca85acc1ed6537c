//! What replicas on one database tell each other: whose tasks changed.

use std::{collections::BTreeSet, sync::Arc};

use sqlx::{AssertSqlSafe, Connection as _};
use todo_backend::store::{Store, postgres};
use todo_tests::{SOON, eventually};
use tokio::{
    sync::mpsc::{self, Sender, UnboundedReceiver},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use crate::{db::Db, make::id};

/// One replica: what it is told to tell, and what it heard.
struct Replica {
    tell: Sender<Uuid>,
    heard: UnboundedReceiver<Option<Uuid>>,
    store: Arc<dyn Store>,
    sharing: JoinHandle<()>,
}

impl Replica {
    /// Starts it and waits until it hears.
    async fn start(db: &Db) -> Self {
        let store: Arc<dyn Store> = Arc::new(postgres::Store::open(&db.url, 1).await.expect("it is there"));
        let (tell, told) = mpsc::channel(2_000);
        let (sender, heard) = mpsc::unbounded_channel();
        let shared = Arc::clone(&store);
        let sharing = tokio::spawn(async move {
            shared.share(told, &move |owner| sender.send(owner).expect("the test listens")).await;
        });
        let mut replica = Self { tell, heard, store, sharing };
        assert_eq!(replica.next().await, None, "it begins with not knowing");
        replica
    }

    async fn next(&mut self) -> Option<Uuid> {
        timeout(SOON, self.heard.recv()).await.expect("something is heard in time").expect("it goes on")
    }

    /// What is heard until all these were.
    async fn hears(&mut self, owners: &BTreeSet<Uuid>) {
        let mut missing = owners.clone();
        while !missing.is_empty() {
            let owner = self.next().await.expect("nothing was missed");
            assert!(owners.contains(&owner), "{owner}");
            missing.remove(&owner);
        }
    }

    /// Hears this owner; of what comes before, only these may be left, told twice.
    async fn hears_then(&mut self, owner: Uuid, left: &BTreeSet<Uuid>) {
        loop {
            let heard = self.next().await.expect("nothing was missed");
            if heard == owner {
                return;
            }
            assert!(left.contains(&heard), "{heard}");
        }
    }

    async fn stop(self) {
        self.sharing.abort();
        assert!(self.sharing.await.expect_err("it runs for ever").is_cancelled());
        self.store.close().await;
    }
}

pub(crate) async fn owners_told_by_one_replica_are_heard_by_the_others(db: &Db) {
    let (mut one, mut two, mut three) = (Replica::start(db).await, Replica::start(db).await, Replica::start(db).await);
    // It needs no connection of the pool, of which there is one.
    let held = one.store.begin().await.expect("a transaction");
    // More than one notification holds, and some of them again and again.
    let many: BTreeSet<_> = (0..1_000).map(id).collect();
    for owner in many.iter().chain(many.iter().take(500)) {
        one.tell.try_send(*owner).expect("there is room");
    }
    two.hears(&many).await;
    three.hears(&many).await;
    drop(held);
    // The other way; and nobody hears what it told itself.
    two.tell.try_send(id(5_000)).expect("there is room");
    assert_eq!(one.next().await, Some(id(5_000)));
    three.hears_then(id(5_000), &many).await;
    one.tell.try_send(id(6_000)).expect("there is room");
    two.hears_then(id(6_000), &many).await;
    for replica in [one, two, three] {
        replica.stop().await;
    }
}

pub(crate) async fn what_is_told_while_the_connection_is_lost_is_told_again(db: &Db) {
    let mut connection = sqlx::PgConnection::connect(&db.url).await.expect("it is there");
    let others = sqlx::PgPool::connect_lazy(&db.url).expect("a URL");
    // A NOTIFY that waits for the test.
    let name = db.url.rsplit('/').next().expect("a URL has a path");
    let waiting = format!(
        "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS
         'SELECT pg_advisory_xact_lock(7); SELECT pg_catalog.pg_notify($1, $2)';
         ALTER DATABASE {name} SET search_path = public, pg_catalog"
    );
    sqlx::raw_sql(AssertSqlSafe(waiting)).execute(&mut connection).await.expect("it may");
    let mut two = Replica::start(db).await;
    let named = "FROM pg_stat_activity WHERE application_name = 'todo changes' AND datname = current_database()";
    let find = AssertSqlSafe(format!("SELECT pid {named}"));
    let second: i32 = sqlx::query_scalar(find).fetch_one(&mut connection).await.expect("there is one");
    let mut one = Replica::start(db).await;

    let mut told = BTreeSet::new();
    for round in 1..=3 {
        sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut connection).await.expect("it is free");
        one.tell.try_send(id(round)).expect("there is room");
        let cut = format!("SELECT pg_terminate_backend(pid, 10000) {named} AND wait_event = 'advisory'");
        eventually("it is cut off while it tells", SOON, async || {
            let cut = sqlx::query_scalar(AssertSqlSafe(cut.clone())).fetch_all(&others).await;
            let cut: Vec<bool> = cut.expect("it may");
            (cut == [true]).then_some(())
        })
        .await;
        sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut connection).await.expect("it is held");
        two.hears_then(id(round), &told).await;
        told.insert(id(round));
        // It has come back, and does not know what it missed.
        assert_eq!(one.next().await, None);
    }
    let cut = AssertSqlSafe(format!("SELECT pg_terminate_backend({second}, 10000)"));
    assert!(sqlx::query_scalar::<_, bool>(cut).fetch_one(&mut connection).await.expect("it may"));
    while two.next().await.is_some() {}
    one.tell.try_send(id(4)).expect("there is room");
    two.hears_then(id(4), &told).await;
    one.stop().await;
    two.stop().await;
}

/// Only on SQLite.
pub(crate) async fn one_process_has_nobody_to_tell(db: &Db) {
    let (tell, told) = mpsc::channel(1);
    db.store.share(told, &|_| panic!("nobody else is there")).await;
    assert!(tell.try_send(id(1)).is_err(), "nothing gathers");
}
