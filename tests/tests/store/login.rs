//! Another login of the same database.

use std::collections::BTreeMap;

use todo_backend::store::{Store as _, postgres};
use todo_tests::{SOON, eventually};
use tokio::sync::mpsc;

use crate::db::Db;

pub(crate) async fn connections_of_a_former_url_are_not_used_again(db: &Db) {
    let observer = sqlx::PgPool::connect(&db.url).await.expect("the database");
    // Roles are the server's, which other tests use too.
    let create = "DO $$ BEGIN CREATE ROLE next LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
    sqlx::query(create).execute(&observer).await.expect("a role");
    // One connection: else a second may come while the first is given back.
    let own = postgres::Store::open(&db.url, 1).await.expect("the database");
    db.store.close().await;
    let (_tell, told) = mpsc::channel(1);
    let sessions = async || {
        let sessions = "SELECT application_name, usename::text || ' ' || pid FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'todo%'";
        let sessions: Vec<(String, String)> = sqlx::query_as(sessions).fetch_all(&observer).await.expect("sessions");
        sessions.into_iter().collect::<BTreeMap<_, _>>()
    };
    let story = async {
        let both = async || {
            drop(own.begin().await.expect("a transaction"));
            let sessions = sessions().await;
            (sessions.len() == 2).then_some(sessions)
        };
        let before = eventually("the pool and the one that tells", SOON, both).await;
        // The same again is no reason to connect anew.
        own.point_to(&db.url).expect("a URL");
        drop(own.begin().await.expect("a transaction"));
        assert_eq!(sessions().await, before);

        own.point_to(&db.url.replace("postgres@", "next@")).expect("a URL");
        drop(own.begin().await.expect("a transaction"));
        assert!(sessions().await["todo"].starts_with("next "));
        eventually("the one that tells is another, too", SOON, async || {
            sessions().await.get("todo changes")?.starts_with("next ").then_some(())
        })
        .await;
        assert!(own.point_to("postgres://[").is_err());
    };
    tokio::select! {
        () = own.share(told, &|_| {}) => unreachable!("it runs for ever"),
        () = story => {}
    }
    own.close().await;
}
