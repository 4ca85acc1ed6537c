//! Replicas restart one after another, or die, while clients go on asking.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Connection as _;
use todo_tests::{
    books::Lenience,
    cluster::{Cluster, Role, START},
    eventually,
};

use super::{PATIENCE, ahead, books, follower::Follower, settled, traffic::Traffic};
use crate::load::now;

/// Longer than a backend without requests and handlers takes to stop, shorter than it waits for these.
const LONG: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_costs_at_most_a_write_that_daprd_cut_off() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    let ann = cluster.user("ann").await;
    let follower = Follower::start(ann.clone());
    let traffic = Traffic::start(&cluster, &ann);
    for role in [Role::Scheduler, Role::Backend, Role::Assistant, Role::Gateway] {
        for number in 0..2 {
            traffic.more(50).await;
            let (begun, member) = (Instant::now(), cluster.member_mut(role, number));
            member.stop().await;
            let stopped = begun.elapsed();
            member.start();
            member.daprd.start();
            eventually("it is back, and knows its daprd", START, || async {
                (member.ready().await?["checks"]["sidecar"] == "ok").then_some(())
            })
            .await;
            println!("{role:?} {number} stopped in {stopped:.2?} and was back after {:.2?}", begun.elapsed());
        }
    }
    traffic.more(50).await;
    let report = traffic.stop(&cluster).await;
    report.tell();
    // When one call fails, daprd closes the connection under the others, and nobody knows whether a write was done.
    assert!(report.failed.iter().all(|failed| failed.is_away && !failed.repeatable), "{:?}", report.failed);
    assert!(report.failed.len() <= 12, "{} of {} requests failed", report.failed.len(), report.asked);
    settled(&cluster).await;
    let books = books(&cluster).await;
    let mut wrong = books.audit(now(), Lenience::default());
    wrong.extend(follower.audit(&books).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_only_backend_behind_a_url_is_noticed_by_no_client() {
    let Some(mut cluster) = Cluster::empty() else { return };
    let secrets = cluster.secrets();
    let backend = cluster.add(Role::Backend);
    backend.environment.extend(secrets);
    backend.start();
    cluster.start_direct_gateway().await;
    let ann = cluster.user("ann").await;
    let traffic = Traffic::start(&cluster, &ann);
    for _ in 0..5 {
        traffic.more(100).await;
        let backend = cluster.member_mut(Role::Backend, 0);
        backend.terminate();
        let (status, said) = backend.ended().await;
        assert_eq!(status, Some(0), "{said}");
        backend.start();
    }
    traffic.more(100).await;
    let report = traffic.stop(&cluster).await;
    report.tell();
    assert!(report.failed.is_empty(), "{} of {} requests failed", report.failed.len(), report.asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_killed_backend_only_writes_that_were_under_way_fail() {
    let Some(mut cluster) = Cluster::start(2).await else { return };
    let ann = cluster.user("ann").await;
    // With its daprd, as a machine dies, and without, as it crashes.
    for with_daprd in [true, false] {
        let traffic = Traffic::start(&cluster, &ann);
        traffic.more(100).await;
        let backend = cluster.member_mut(Role::Backend, 0);
        backend.kill();
        if with_daprd {
            backend.daprd.kill();
        }
        traffic.more(1_000).await;
        let report = traffic.stop(&cluster).await;
        report.tell();
        for failed in &report.failed {
            assert!(failed.is_away && !failed.repeatable, "{failed:?}");
        }
        let backend = cluster.member_mut(Role::Backend, 0);
        backend.start();
        if with_daprd {
            backend.daprd.start();
        }
        cluster.ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_stops_waits_for_what_its_daprd_brought_and_forgot() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let ann = cluster.user("ann").await;
    let mut database = sqlx::PgConnection::connect(&cluster.postgres.url()).await.expect("the database");
    let mut held = database.begin().await.expect("a transaction");
    sqlx::query("LOCK notifications IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.expect("a lock");
    ann.create(json!({ "title": "Call", "reminders": [{ "trigger_at": ahead(500) }] })).await;
    let mut looking = sqlx::PgConnection::connect(&cluster.postgres.url()).await.expect("the database");
    let mut count = async |sql| sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut looking).await.expect("a count");
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'notifications'::regclass";
    let begun = Instant::now();
    while count(waiting).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "no handler waits");
    }
    // daprd drops its calls with itself.
    let backend = cluster.member_mut(Role::Backend, 0);
    backend.daprd.kill();
    backend.terminate();
    // Long after everything else has ended.
    let begun = Instant::now();
    eventually("the time is over", PATIENCE, || async { (begun.elapsed() > LONG).then_some(()) }).await;
    held.rollback().await.expect("it ends");
    let (status, said) = backend.ended().await;
    assert_eq!(status, Some(0), "{said}");
    let told = count("SELECT count(*) FROM notifications").await;
    assert_eq!(told, 1, "the handler had ended when the process did");
}
