//! Two and three replicas of each role.

use std::collections::BTreeSet;

use serde_json::json;
use todo_domain::Ids as _;
use todo_runtime::system::SystemIds;
use todo_tests::{
    books::Lenience,
    cluster::{Cluster, Role},
    eventually,
    stream::Stream,
};

use super::{CREATED, PATIENCE, TRIGGERED, ahead, books, settled, text};
use crate::load::now;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_of_each_role_only_one_does_each_thing() {
    story(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_replicas_of_each_role_only_one_does_each_thing() {
    story(3).await;
}

async fn story(replicas: usize) {
    let Some(mut cluster) = Cluster::start(replicas).await else { return };
    let ann = cluster.user("ann").await;
    let mut other = ann.clone();
    other.move_server(cluster.member(Role::Gateway, 1).base());
    let mut streams = [Stream::open(&ann, None).await, Stream::open(&other, None).await];

    let mut reminders = BTreeSet::new();
    let mut series = Vec::new();
    for number in 0..10 {
        let rest = if number % 2 == 0 { &ann } else { &other };
        let task = rest.create(json!({
            "title": format!("task {number}"), "due_date": ahead(-90_000), "reminders": [{ "trigger_at": ahead(2_000) }],
            "recurrence": { "recurrence_type": "custom", "cron_expression": "* * * * *", "lead_seconds": 60 },
        }));
        let task = task.await;
        reminders.insert(text(&task["reminders"][0]["id"]).to_owned());
        series.push(text(&task["id"]).to_owned());
    }
    // What one replica wrote, the streams of both tell.
    for stream in &mut streams {
        let (mut created, mut rang) = (0, 0);
        while created < reminders.len() || rang < reminders.len() {
            let event = stream.next().await.expect("it goes on");
            created += usize::from(event.kind == CREATED);
            rang += usize::from(event.kind == TRIGGERED);
        }
    }
    once_each(&cluster, &ann, &reminders).await;
    for id in &series {
        eventually("each series has a task", PATIENCE, || async {
            (!ann.instances(id).await.is_empty()).then_some(())
        })
        .await;
    }

    // One of each goes away; the others do its work.
    for role in Role::ALL {
        let member = cluster.member_mut(role, 0);
        member.kill();
        member.daprd.kill();
    }
    let mut more = BTreeSet::new();
    for _ in 0..4 {
        // With an id of its own a create may be made again, whoever had it when it went away.
        let id = SystemIds.random();
        let body = json!({ "id": id, "title": "later", "reminders": [{ "trigger_at": ahead(2_000) }] });
        let task = other.create(body).await;
        more.insert(text(&task["reminders"][0]["id"]).to_owned());
    }
    once_each(&cluster, &other, &more).await;
    let wrong = books(&cluster).await.audit(now(), Lenience::default());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Waits until each of these reminders has its notification, and nothing is left to do; then none has a second.
async fn once_each(cluster: &Cluster, rest: &todo_tests::rest::Rest, reminders: &BTreeSet<String>) {
    let rang = async || {
        let mut rang: Vec<_> =
            rest.notifications().await.iter().map(|it| text(&it["reminder_id"]).to_owned()).collect();
        rang.retain(|id| reminders.contains(id));
        rang.sort_unstable();
        rang
    };
    eventually("they ring", PATIENCE, || async { (rang().await.len() >= reminders.len()).then_some(()) }).await;
    settled(cluster).await;
    assert_eq!(rang().await, reminders.iter().cloned().collect::<Vec<_>>(), "once each");
}
