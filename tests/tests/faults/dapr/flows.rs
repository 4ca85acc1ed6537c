//! The named flows between processes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use todo_proto::v1::{
    GetStatusRequest, ListDueRequest, ListRemindersRequest, ListSchedulesRequest, due_service_client::DueServiceClient,
    scheduler_service_client::SchedulerServiceClient,
};
use todo_sidecar::{CloudEvent, Sidecar as _};
use todo_tests::{
    cluster::{Cluster, Role},
    eventually,
    process::{ended, todo},
    rest::Rest,
    stream::Stream,
};
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use super::{CREATED, PATIENCE, TRIGGERED, ahead, auditor::Auditor, envelope, text, time};
use crate::load::now;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_named_flows_hold_between_processes() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let auditor = Auditor::start(&cluster).await;
    let ann = cluster.user("ann").await;
    a_task_is_shown_at_once_and_its_reminder_rings_once(&cluster, &ann).await;
    what_is_completed_or_deleted_rings_no_more(&cluster, &ann).await;
    what_is_searched_is_found(&ann).await;
    calls_inside_are_for_nobody_else(&cluster, &ann).await;
    for topic in ["tasks", "notifications"] {
        let events = cluster.stream(topic);
        assert!(!events.is_empty(), "{topic}");
        for event in &events {
            envelope::is_ours(topic, event);
        }
    }
    a_poisoned_event_holds_up_no_other(&cluster, &ann).await;
    let seen = auditor.has_all(&cluster).await;
    assert!(seen > 10, "{seen}");
    what_is_no_event_holds_up_none(&cluster, &ann).await;
    it_stops_when_it_is_told_to(&mut cluster, &ann).await;
}

async fn a_task_is_shown_at_once_and_its_reminder_rings_once(cluster: &Cluster, ann: &Rest) {
    let mut stream = Stream::open(ann, None).await;
    let begun = Instant::now();
    let task = ann.create(json!({
        "title": "Take the cake out", "priority": "high", "due_date": ahead(60_000),
        "reminders": [{ "trigger_at": ahead(2_500) }], "recurrence": { "recurrence_type": "daily" },
    }));
    let task = task.await;
    let shown = stream.kind(CREATED).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "shown after {:?}", begun.elapsed());
    assert_eq!(shown.data["task"], task);
    assert_eq!(task["priority"], "high");

    let (id, reminder) = (text(&task["id"]), text(&task["reminders"][0]["id"]));
    let state =
        eventually("the reminder's state", PATIENCE, || async { cluster.state(&format!("reminder:{reminder}")) });
    let state = state.await;
    assert_eq!((&state["task_id"], &state["trigger_at"]), (&json!(id), &task["reminders"][0]["trigger_at"]));
    let state = eventually("the series' state", PATIENCE, || async { cluster.state(&format!("recurring:{id}")) });
    assert_eq!(state.await["next_occurrence"], task["recurrence"]["next_occurrence"]);

    let rang = stream.kind(TRIGGERED).await;
    let late = now() - time(&task["reminders"][0]["trigger_at"]);
    // Within a second, and this machine may be busy with other tests.
    assert!((0..5_000).contains(&late.num_milliseconds()), "rang {late} after its time");
    println!("a reminder rang {} ms after its time", late.num_milliseconds());
    assert_eq!(rang.data["notification"]["reminder_id"], reminder);
    let [notification] = &ann.notifications().await[..] else { panic!("not one notification") };
    assert_eq!(&rang.data["notification"], notification);
    assert_eq!(ann.task(id).await["reminders"][0]["fired"], true);
}

async fn what_is_completed_or_deleted_rings_no_more(cluster: &Cluster, ann: &Rest) {
    let sidecar = cluster.sidecar(&cluster.member(Role::Backend, 0).daprd);
    let scheduler = SchedulerServiceClient::new(sidecar.app("scheduler"));
    let (user_id, pending_only) = (ann.user_id.clone(), true);
    // How many reminders and series are held.
    let held = async || {
        let reminders = ListRemindersRequest { user_id: user_id.clone(), pending_only };
        let reminders = scheduler.clone().list_reminders(cluster.internal(reminders)).await.expect("an answer");
        let series = ListSchedulesRequest { user_id: user_id.clone(), pending_only };
        let series = scheduler.clone().list_schedules(cluster.internal(series)).await.expect("an answer");
        (reminders.into_inner().reminders.len(), series.into_inner().schedules.len())
    };
    let holds = async |what: &str, expected: (usize, usize)| {
        eventually(what, PATIENCE, || async { (held().await == expected).then_some(()) }).await;
    };
    let body = json!({
        "title": "Call", "due_date": ahead(100_000), "reminders": [{ "trigger_at": ahead(90_000) }],
        "recurrence": { "recurrence_type": "custom", "cron_expression": "* * * * *" },
    });
    let (completed, deleted) = (ann.create(body.clone()).await, ann.create(body).await);
    holds("both reminders and both series are held", (2, 2)).await;

    let done = ann.act(&format!("/api/tasks/{}/complete", text(&completed["id"]))).await.expect(200);
    assert_eq!(done["reminders"][0]["cancelled"], true);
    holds("the reminder of a completed task is dropped", (1, 2)).await;
    let cancelled = |task: &Value| {
        let key = format!("reminder:{}", text(&task["reminders"][0]["id"]));
        async move {
            eventually("it is cancelled", PATIENCE, || async {
                cluster.state(&key).filter(|state| state["cancelled"] == true && state["fired"] == false)
            })
            .await
        }
    };
    cancelled(&completed).await;

    ann.delete(&format!("/api/tasks/{}", text(&deleted["id"]))).await.expect(204);
    holds("the schedules of a deleted task are dropped", (0, 1)).await;
    cancelled(&deleted).await;
    let key = format!("recurring:{}", text(&deleted["id"]));
    eventually("its series ends", PATIENCE, || async {
        cluster.state(&key).filter(|state| state["recurrence_type"].is_null())
    })
    .await;
    ann.delete(&format!("/api/tasks/{}", text(&completed["id"]))).await.expect(204);
    holds("nothing is left", (0, 0)).await;
}

async fn what_is_searched_is_found(ann: &Rest) {
    ann.create(json!({ "title": "Water the ficus", "priority": "low", "tags": ["home"] })).await;
    ann.create(json!({ "title": "Paint the fence", "priority": "high", "tags": ["garden"] })).await;
    for (query, expected) in [
        ("search=FICUS", "Water the ficus"),
        ("search=fence&priority=high", "Paint the fence"),
        ("tag=home", "Water the ficus"),
        ("priority=low&status=pending", "Water the ficus"),
    ] {
        let found = ann.tasks(query).await;
        let titles: Vec<_> = found.iter().map(|task| text(&task["title"])).collect();
        assert_eq!(titles, [expected], "{query}");
    }
    assert!(ann.tasks("status=completed").await.is_empty());
}

/// Over the ports that anyone on the machine reaches, and through any app's daprd.
async fn calls_inside_are_for_nobody_else(cluster: &Cluster, ann: &Rest) {
    let backend = cluster.member(Role::Backend, 0);
    let scheduler = cluster.member(Role::Scheduler, 0);
    let gateway = cluster.member(Role::Gateway, 0);
    for port in [gateway.port, backend.port] {
        let mut due = DueServiceClient::new(channel(port));
        let refused = due.list_due(cluster.internal(ListDueRequest::default())).await.expect_err("it is not there");
        assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
        let refused = due.list_due(ann.call(ListDueRequest::default())).await.expect_err("it is not there");
        assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
    }
    let token = cluster.app_token();
    let with_app_token = |mut request: tonic::Request<_>| {
        request.metadata_mut().insert("dapr-api-token", token.expose().parse().expect("ASCII"));
        request
    };
    let mut status = SchedulerServiceClient::new(channel(scheduler.daprd.app_port));
    let request = GetStatusRequest::default;
    let refused = status.get_status(cluster.internal(request())).await.expect_err("daprd did not call");
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    let refused = status.get_status(with_app_token(ann.call(request()))).await.expect_err("none of ours called");
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    status.get_status(with_app_token(cluster.internal(request()))).await.expect("one of ours through daprd");

    // daprd shows the app its token whoever calls.
    for daprd in [&gateway.daprd, &backend.daprd] {
        let mut status = SchedulerServiceClient::new(cluster.sidecar(daprd).app("scheduler"));
        let refused = status.get_status(ann.call(request())).await.expect_err("none of ours called");
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        let mut due = DueServiceClient::new(cluster.sidecar(daprd).app("backend"));
        let refused = due.list_due(ann.call(ListDueRequest::default())).await.expect_err("none of ours called");
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    }
}

fn channel(port: u16) -> Channel {
    Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("an address").connect_lazy()
}

async fn a_poisoned_event_holds_up_no_other(cluster: &Cluster, ann: &Rest) {
    let sidecar = cluster.sidecar(&cluster.member(Role::Scheduler, 0).daprd);
    let before = ann.notifications().await.len();
    let moment = now() + chrono::TimeDelta::milliseconds(1_500);
    let ring = async |title: &str| {
        let at = todo_domain::clock::name(moment);
        ann.create(json!({ "title": title, "reminders": [{ "trigger_at": at }] })).await
    };
    ring("before").await;
    // Of types that are handled, by the backend and by the scheduler, with data that nothing of ours has.
    let mut poison: Vec<String> = Vec::new();
    for (topic, type_) in [("notifications", TRIGGERED), ("tasks", "com.todo.recurring.scheduled"), ("tasks", CREATED)]
    {
        let id = format!("poison-{}", poison.len());
        let envelope = json!({
            "specversion": "1.0", "id": id, "type": type_, "source": "/elsewhere", "subject": "a task",
            "time": ahead(0), "datacontenttype": "application/json", "data": { "reminder_id": 7, "task_id": [] },
        });
        let event = CloudEvent::from_json(envelope.to_string().as_bytes()).expect("an event");
        sidecar.publish(topic, &event).await.expect("it is published");
        poison.push(id);
    }
    ring("after").await;
    eventually("its neighbours ring", PATIENCE, || async {
        (ann.notifications().await.len() == before + 2).then_some(())
    })
    .await;
    eventually("they are dead letters", PATIENCE, || async {
        let mut list = todo(&["dead-letters", "list"]);
        list.env("DATABASE_URL", cluster.postgres.url());
        let list = ended(list).await;
        assert_eq!(list.code, Some(0), "{}", list.stderr);
        poison.iter().all(|id| list.stdout.contains(id)).then_some(())
    })
    .await;
}

/// What somebody else wrote to the stream, past every daprd.
async fn what_is_no_event_holds_up_none(cluster: &Cluster, ann: &Rest) {
    let before = ann.notifications().await.len();
    let rings = ahead(1_500);
    ann.create(json!({ "title": "one", "reminders": [{ "trigger_at": rings }] })).await;
    for topic in ["notifications", "tasks"] {
        for fields in [["data", "no JSON"], ["data", "{}"], ["data", "[1]"], ["nothing", "of this"], ["data", ""]] {
            cluster.ask_redis(&["XADD", topic, "*", fields[0], fields[1]]);
        }
    }
    ann.create(json!({ "title": "other", "reminders": [{ "trigger_at": rings }] })).await;
    eventually("its neighbours ring", PATIENCE, || async {
        (ann.notifications().await.len() == before + 2).then_some(())
    })
    .await;
    let late = now() - rings.parse::<todo_domain::Timestamp>().expect("a time");
    assert!(late.num_seconds() < 8, "{late} after their time");
}

/// In the order of a supervisor that knows none, while a client watches.
async fn it_stops_when_it_is_told_to(cluster: &mut Cluster, ann: &Rest) {
    let mut stream = Stream::open(ann, None).await;
    for role in Role::ALL {
        cluster.member(role, 0).terminate();
    }
    for role in Role::ALL {
        let (code, said) = cluster.member_mut(role, 0).ended().await;
        assert_eq!(code, Some(0), "{role:?}: {said}");
    }
    while stream.next().await.is_some() {}
}
