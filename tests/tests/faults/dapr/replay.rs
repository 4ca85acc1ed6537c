//! Everything that Redis retains is delivered again: to the groups of the running system, anew and while it works, and to
//! apps that nobody has heard of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::Duration,
};

use chrono::Timelike as _;
use serde_json::json;
use todo_tests::{
    books::{Books, Lenience},
    cluster::{Cluster, Role},
    dice::Dice,
    eventually,
    rest::Rest,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, ahead, auditor::open_components, books, kill::settle, settled, text};
use crate::{
    ledger::ledger,
    load::{Customer, now},
};

/// Who listens to what.
const GROUPS: [(&str, Role); 3] =
    [("tasks", Role::Backend), ("notifications", Role::Backend), ("tasks", Role::Scheduler)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_of_all_that_is_retained_changes_nothing() {
    let Some(cluster) = Cluster::start(1).await else { return };
    let ann = cluster.user("ann").await;
    live(&cluster, &ann).await;
    let before = everything(&cluster, &ann).await;

    // Groups that are gone daprd makes anew, at the beginning.
    for (topic, role) in GROUPS {
        assert_eq!(cluster.ask_redis(&["XGROUP", "DESTROY", topic, role.id()]), 1);
    }
    for (topic, role) in GROUPS {
        replayed(&cluster, topic, role.id()).await;
    }
    settled(&cluster).await;
    assert_same(&before, &everything(&cluster, &ann).await);

    // As if the roles had been given other ids.
    let mut newcomers = Vec::new();
    for role in [Role::Backend, Role::Scheduler] {
        let mut daprd = cluster.daprd(&format!("new-{}", role.id()), 0, &open_components(&cluster));
        daprd.share_app(&cluster.member(role, 0).daprd);
        daprd.start();
        newcomers.push(daprd);
    }
    for (topic, role) in GROUPS {
        replayed(&cluster, topic, &format!("new-{}", role.id())).await;
    }
    settled(&cluster).await;
    assert_same(&before, &everything(&cluster, &ann).await);

    // While users go on.
    let (stop, mut working) = (CancellationToken::new(), JoinSet::new());
    let mut dice = Dice::new(1);
    for number in 0..2 {
        let (mut rest, name) = (cluster.rest(), format!("c{number}"));
        rest.sign_up(&name).await;
        let (mut customer, stop) = (Customer::new(rest, &name, dice.split()), stop.clone());
        working.spawn(async move {
            customer.work_on(&stop).await;
            customer
        });
    }
    for _ in 0..3 {
        let early = tokio::time::timeout(Duration::from_millis(700), working.join_next()).await;
        assert!(early.is_err(), "a customer stopped");
        for (topic, role) in GROUPS {
            cluster.ask_redis(&["XGROUP", "SETID", topic, role.id(), "0", "ENTRIESREAD", "0"]);
        }
    }
    let early = tokio::time::timeout(Duration::from_millis(700), working.join_next()).await;
    assert!(early.is_err(), "a customer stopped");
    stop.cancel();
    let customers = working.join_all().await;
    for (topic, role) in GROUPS {
        replayed(&cluster, topic, role.id()).await;
    }
    let (at, shown, books) = settle(&cluster, &customers).await;
    let wrong = ledger(&customers, at, &shown, &books, Lenience::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    drop(newcomers);
}

/// Of everything that leaves events: some of it over, some of it to come, none of it while the test lasts.
async fn live(cluster: &Cluster, ann: &Rest) {
    let mut ids = Vec::new();
    for number in 0..20 {
        let task = ann.create(json!({
            "title": format!("task {number}"), "due_date": ahead(90_000_000),
            "reminders": [{ "trigger_at": ahead(1_500) }, { "before_due_seconds": 60 }],
        }));
        ids.push(text(&task.await["id"]).to_owned());
    }
    // One task appears at once, half an hour ahead, and the next one then.
    let cron = format!("{} * * * *", (now().minute() + 30) % 60);
    let series = ann.create(json!({
        "title": "a series", "due_date": ahead(-90_000_000),
        "recurrence": { "recurrence_type": "custom", "cron_expression": cron, "lead_seconds": 3_600 },
    }));
    let series = text(&series.await["id"]).to_owned();
    eventually("its task appears", PATIENCE, async || (ann.instances(&series).await.len() == 1).then_some(())).await;
    eventually("they ring", PATIENCE, async || (ann.notifications().await.len() == ids.len()).then_some(())).await;
    for (number, id) in ids.iter().enumerate() {
        let path = format!("/api/tasks/{id}");
        match number % 4 {
            0 => drop(ann.patch(&path, &json!({ "title": "edited", "due_date": null })).await.expect(200)),
            1 => drop(ann.act(&format!("{path}/complete")).await.expect(200)),
            2 => drop(ann.delete(&path).await.expect(204)),
            _ => {}
        }
    }
    settled(cluster).await;
    let wrong = books(cluster).await.audit(now(), Lenience::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Waits until a group has read everything, and acknowledged it.
async fn replayed(cluster: &Cluster, topic: &str, group: &str) {
    eventually(&format!("{group} has read {topic}"), PATIENCE, async || {
        let groups = cluster.ask_redis(&["XINFO", "GROUPS", topic]);
        let found = groups.as_array()?.iter().find(|it| it["name"] == group)?;
        let last = cluster.ask_redis(&["XREVRANGE", topic, "+", "-", "COUNT", "1"]);
        (found["pending"] == 0 && found["last-delivered-id"] == last[0][0]).then_some(())
    })
    .await;
}

/// All that is kept anywhere, by where.
async fn everything(cluster: &Cluster, ann: &Rest) -> BTreeMap<&'static str, BTreeSet<String>> {
    let Books {
        owners,
        changes,
        outbox,
        tasks,
        reminders,
        firings,
        notifications,
        series,
        slots,
        dead_letters,
        broker,
    } = books(cluster).await;
    let keys = cluster.ask_redis(&["KEYS", "scheduler||*"]);
    let keys = keys.as_array().expect("a list").iter().map(text);
    let state = keys.map(|key| json!([key, cluster.ask_redis(&["HGET", key, "data"])]));
    BTreeMap::from([
        ("owners", all(owners)),
        ("changes", all(changes)),
        ("outbox", all(outbox)),
        ("tasks", all(tasks)),
        ("reminders", all(reminders)),
        ("firings", all(firings)),
        ("notifications", all(notifications)),
        ("series", all(series)),
        ("slots", all(slots)),
        ("dead letters", all(dead_letters)),
        ("topics", all(broker.topics)),
        ("how many events", all([broker.events.len()])),
        ("state", all(state)),
        ("the tasks that are shown", all(ann.tasks("").await)),
        ("the notifications that are shown", all(ann.notifications().await)),
    ])
}

fn all<T: Debug>(rows: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    rows.into_iter().map(|row| format!("{row:?}")).collect()
}

fn assert_same(before: &BTreeMap<&str, BTreeSet<String>>, after: &BTreeMap<&str, BTreeSet<String>>) {
    for (what, before) in before {
        let changed: Vec<_> = before.symmetric_difference(&after[what]).collect();
        assert!(changed.is_empty(), "{what}: {changed:#?}");
    }
}
