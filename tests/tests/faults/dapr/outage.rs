//! Redis goes away, comes back, and forgets.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::{Timestamp, clock};
use todo_tests::{books::Lenience, cluster::Cluster, eventually, rest::Rest};

use super::{PATIENCE, ahead, auditor::Auditor, books, settled, text, time};
use crate::load::now;

/// How late anything may ring on a busy machine, in milliseconds: less than the 10 s after which what had no effect is
/// announced again.
const LATEST: i64 = 8_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_tasks_go_on_and_then_everything_is_made_good() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let auditor = Auditor::start(&cluster).await;
    let ann = cluster.user("ann").await;
    let mut expected = BTreeSet::new();
    for freezes in [false, true] {
        // One that waits already, and those that come.
        let waiting = ring(&ann, "before", 2_000).await;
        expected.insert(text(&waiting["reminders"][0]["id"]).to_owned());
        if freezes {
            cluster.redis.freeze();
        } else {
            cluster.redis.kill();
        }
        let latest = work(&ann, &mut expected).await;
        eventually("they are due", PATIENCE, || async { (now() > latest).then_some(()) }).await;
        if freezes {
            cluster.redis.resume();
        } else {
            cluster.redis.restart(true);
        }
        settled(&cluster).await;
        let mut rang: Vec<_> = ann.notifications().await.iter().map(|it| text(&it["reminder_id"]).to_owned()).collect();
        rang.sort_unstable();
        let expected: Vec<_> = expected.iter().cloned().collect();
        assert_eq!(rang, expected, "each reminder that was due has one notification, and no other");
        let wrong = books(&cluster).await.audit(now(), Lenience::default());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        auditor.has_all(&cluster).await;
    }
    forgetting(&mut cluster, &ann).await;
}

/// Creates, edits, completes and deletes; the reminders that are left are expected. Answers with when the last is due.
async fn work(ann: &Rest, expected: &mut BTreeSet<String>) -> Timestamp {
    let mut latest = now();
    for number in 0..15 {
        let begun = Instant::now();
        let task = ring(ann, &format!("during {number}"), 2_000).await;
        latest = time(&task["reminders"][0]["trigger_at"]);
        let path = format!("/api/tasks/{}", text(&task["id"]));
        match number % 3 {
            0 => {
                let edited = ann.patch(&path, &json!({ "title": "edited", "priority": "low" })).await;
                assert_eq!(edited.header("x-event-published"), Some("true"), "it is committed, and will be");
                edited.expect(200);
                expected.insert(text(&task["reminders"][0]["id"]).to_owned());
            }
            1 => drop(ann.act(&format!("{path}/complete")).await.expect(200)),
            _ => drop(ann.delete(&path).await.expect(204)),
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}: a request waited for Redis", begun.elapsed());
    }
    latest
}

/// The database is the only index of what is due: Redis may forget it all.
async fn forgetting(cluster: &mut Cluster, ann: &Rest) {
    for restarts in [false, true] {
        let (series, moment) = appears(ann, 6_000).await;
        let mut ids = BTreeSet::new();
        for number in 0..3 {
            let task = ring(ann, &format!("pending {number}"), 5_000 + 500 * number).await;
            ids.insert(text(&task["reminders"][0]["id"]).to_owned());
        }
        if restarts {
            cluster.redis.restart(false);
        } else {
            cluster.ask_redis(&["FLUSHALL"]);
        }
        let rang = eventually("they ring", PATIENCE, || async {
            let mut rang = ann.notifications().await;
            rang.retain(|it| ids.contains(text(&it["reminder_id"])));
            (rang.len() >= ids.len()).then_some(rang)
        })
        .await;
        let seen = now();
        settled(cluster).await;
        let count = ann.notifications().await.iter().filter(|it| ids.contains(text(&it["reminder_id"]))).count();
        assert_eq!(count, ids.len(), "once each");
        let at: Timestamp = rang.iter().map(|it| time(&it["triggered_at"])).max().expect("three of them");
        let late = seen - at;
        println!("restarted: {restarts}: the last of them was shown {} ms after it fired", late.num_milliseconds());
        assert!(late.num_milliseconds() < LATEST, "{late}");
        eventually("the slot's task appears", PATIENCE, || async {
            (ann.instances(text(&series["id"])).await.len() == 1).then_some(())
        })
        .await;
        assert!((now() - moment).num_milliseconds() < LATEST, "its task came {} after its time", now() - moment);
        ann.patch(&format!("/api/tasks/{}", text(&series["id"])), &json!({ "recurrence": null })).await.expect(200);
    }
    settled(cluster).await;
    let wrong = books(cluster).await.audit(now(), Lenience { lossy: true });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A task with a reminder so many milliseconds from now.
async fn ring(ann: &Rest, title: &str, milliseconds: i64) -> Value {
    ann.create(json!({ "title": title, "reminders": [{ "trigger_at": ahead(milliseconds) }] })).await
}

/// A series whose next task appears about so many milliseconds from now, and none before; and when that is.
async fn appears(ann: &Rest, milliseconds: i64) -> (Value, Timestamp) {
    let now = now();
    let moment = now + TimeDelta::milliseconds(milliseconds);
    // It is made so long before a full minute.
    let lead = 60 - moment.timestamp().rem_euclid(60);
    let due = clock::name(moment + TimeDelta::seconds(lead) - TimeDelta::minutes(1));
    let body = json!({
        "title": "a series", "due_date": due,
        "recurrence": { "recurrence_type": "custom", "cron_expression": "* * * * *", "lead_seconds": lead },
    });
    (ann.create(body).await, moment)
}
