//! Several backends over one Postgres.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use todo::all::Options;
use todo_tests::{
    Postgres,
    rest::Rest,
    stream::Stream,
    system::{Ground, Setup, System},
};

use crate::{
    envelope::{CREATED, UPDATED},
    text,
};

/// Two systems with a directory each, one database and one secret. Their streams never look by themselves: what they
/// show of the other's changes, they were told.
async fn replicas(postgres: &Arc<Postgres>) -> (System, System) {
    let start = async || {
        let setup = Setup {
            adjust: |options: &mut Options| {
                options.backend.patrol = Duration::from_hours(1);
                let secret = "a secret of both replicas, of 32 bytes and more";
                options.environment = Arc::new(move |name: &str| (name == "JWT_SECRET").then(|| secret.to_owned()));
            },
            ..Setup::new()
        };
        setup.on(Ground::Postgres(Arc::clone(postgres))).start().await
    };
    (start().await, start().await)
}

/// A stream that has shown the present.
async fn watch(user: &Rest) -> Stream {
    let mut stream = Stream::open(user, None).await;
    stream.next().await.expect("the present");
    stream
}

pub(crate) async fn a_watcher_sees_at_once_what_another_replica_wrote(postgres: &Arc<Postgres>) {
    let (one, two) = replicas(postgres).await;
    let here = one.user("ann").await;
    let there = two.back(&here);
    let stranger = two.user("bob").await;
    let (mut at_one, mut at_two) = (watch(&here).await, watch(&there).await);
    // Each change is told for itself: one that was only found when a replica began to listen shows nothing.
    for _ in 0..3 {
        let made = here.create(json!({ "title": "from one" })).await;
        stranger.create(json!({ "title": "of another owner" })).await;
        for stream in [&mut at_one, &mut at_two] {
            assert_eq!(stream.kind(CREATED).await.data["task"], made);
        }
        let path = format!("/api/tasks/{}", text(&made["id"]));
        let edited = there.patch(&path, &json!({ "title": "from two" })).await.expect(200);
        for stream in [&mut at_one, &mut at_two] {
            assert_eq!(stream.kind(UPDATED).await.data["task"], edited);
        }
    }
    one.stop().await;
    two.stop().await;
}

pub(crate) async fn a_lost_connection_between_replicas_hurts_nobody(postgres: &Arc<Postgres>) {
    let (one, two) = replicas(postgres).await;
    let here = one.user("ann").await;
    let there = two.back(&here);
    let (mut at_one, mut at_two) = (watch(&here).await, watch(&there).await);
    let sees = async |stream: &mut Stream, made: &Value| {
        let events = stream.until("what was made", |event| event.data["task"]["title"] == made["title"]).await;
        assert_eq!(&events[events.len() - 1].data["task"], made);
    };
    sees(&mut at_two, &here.create(json!({ "title": "before" })).await).await;
    sees(&mut at_one, &there.create(json!({ "title": "before, too" })).await).await;
    // Both hear each other.
    for title in ["after", "and again"] {
        postgres.sql(
            "DO $$ BEGIN ASSERT (
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
                WHERE application_name = 'todo changes' AND datname = current_database()
            ) = 2; END $$",
        );
        // Writers do not notice, and watchers are told in the end.
        sees(&mut at_two, &here.create(json!({ "title": title })).await).await;
        sees(&mut at_one, &there.create(json!({ "title": format!("{title}, too") })).await).await;
    }
    one.stop().await;
    two.stop().await;
}
