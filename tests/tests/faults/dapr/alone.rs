//! Roles whose daprd, or whose secrets, are not there.

use serde_json::{Value, json};
use todo_domain::Ids as _;
use todo_runtime::system::SystemIds;
use todo_tests::{
    cluster::{Cluster, Role, START},
    eventually,
};

use super::{ahead, settled, text};
use crate::load::now_micros;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_without_its_daprd_serves_tasks_and_catches_up() {
    let Some(mut cluster) = Cluster::empty() else { return };
    let secrets = cluster.secrets();
    let backend = cluster.add(Role::Backend);
    backend.environment.extend(secrets);
    backend.start();
    cluster.start_direct_gateway().await;
    for role in [Role::Backend, Role::Gateway] {
        let says = |status, body: &Value| status == 200 && body["status"] == "degraded" && is_said(body, "sidecar");
        cluster.member(role, 0).says("it serves without its daprd", says).await;
    }
    let ann = cluster.user("ann").await;
    let task = ann.create(json!({
        "title": "Rings while all is away", "due_date": ahead(-120_000), "reminders": [{ "trigger_at": ahead(1_000) }],
        "recurrence": { "recurrence_type": "custom", "cron_expression": "* * * * *", "lead_seconds": 120 },
    }));
    let task = task.await;
    let edited = ann.patch(&format!("/api/tasks/{}", text(&task["id"])), &json!({ "title": "Edited" })).await;
    assert_eq!(edited.header("x-event-published"), Some("true"), "it is committed, and will be");
    edited.expect(200);
    assert!(!cluster.reader().await.left_to_do(now_micros()).await.is_empty(), "nobody could publish it");

    // Now the rest comes, in an order of its own: the scheduler before its daprd, too.
    cluster.add(Role::Scheduler).start();
    cluster.member_mut(Role::Backend, 0).daprd.start();
    cluster.member_mut(Role::Scheduler, 0).daprd.start();
    cluster.member_mut(Role::Gateway, 0).daprd.start();
    cluster.ready().await;
    settled(&cluster).await;
    assert_eq!(ann.notifications().await.len(), 1);
    assert!(!ann.instances(text(&task["id"])).await.is_empty());
    let types: Vec<_> = cluster.stream("tasks").iter().map(|event| event["type"].clone()).collect();
    for type_ in ["com.todo.task.created", "com.todo.task.updated", "com.todo.recurring.scheduled"] {
        assert!(types.iter().any(|it| it == type_), "{type_}: {types:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_assistant_everything_but_the_chat_goes_on() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let ann = cluster.user("ann").await;
    let message_id = SystemIds.random().to_string();
    let says = async || ann.post("/api/chat", &json!({ "content": "hi", "message_id": message_id })).await;
    let said = says().await.expect(200);
    let assistant = cluster.member_mut(Role::Assistant, 0);
    assistant.kill();
    assistant.daprd.kill();
    assert_eq!(says().await.code(503), "SERVICE_UNAVAILABLE");
    ann.create(json!({ "title": "Milk" })).await;
    let path = format!("/api/conversations/{}", text(&said["conversation_id"]));
    assert_eq!(ann.get(&path).await.expect(200)["messages"], said["messages"]);
    let assistant = cluster.member_mut(Role::Assistant, 0);
    assistant.start();
    assistant.daprd.start();
    cluster.ready().await;
    let again =
        eventually("it answers again", START, || async { Some(says().await).filter(|it| it.status == 200) }).await;
    assert_eq!(again.body, said, "the same turn");
}

/// Whether a check is named and not well.
fn is_said(body: &Value, check: &str) -> bool {
    body["checks"][check].as_str().is_some_and(|said| said != "ok")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_its_secrets_waits_for_the_store_and_believes_its_no() {
    let Some(mut cluster) = Cluster::empty() else { return };
    for (role, secret) in [(Role::Backend, "jwt-secret"), (Role::Scheduler, "internal-token")] {
        let member = cluster.add(role);
        member.start();
        let says = |status, body: &Value| {
            status == 503 && body["checks"]["secrets"].as_str().is_some_and(|said| said.contains(secret))
        };
        member.says("it waits for its secret", says).await;
        member.rest().get("/health").await.expect(200);
    }
    // The store comes, without one of them.
    let url = cluster.postgres.url();
    cluster.write_secrets_file(&json!({ "app-secrets": { "jwt-secret": "x".repeat(32), "database-url": url } }));
    let scheduler = cluster.member_mut(Role::Scheduler, 0);
    scheduler.daprd.start();
    let (code, said) = scheduler.ended().await;
    assert_eq!(code, Some(1), "{said}");
    for part in ["internal-token", "INTERNAL_TOKEN", "the secret store has no secret"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    scheduler.daprd.kill();

    // The store comes, with all of them; the order did not matter.
    cluster.write_secrets(&json!(todo_tests::cluster::JWT_SECRET));
    for role in [Role::Backend, Role::Scheduler] {
        cluster.member_mut(role, 0).daprd.start();
    }
    cluster.member_mut(Role::Scheduler, 0).start();
    cluster.ready().await;
}
