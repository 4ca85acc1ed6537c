//! One scenario through gRPC, gRPC-web and REST: the same results, and the same reasons. And one intent said in the chat,
//! and asked for by programs and agents: the same task.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use todo_tests::{
    dice::Dice,
    rest::Rest,
    system::{Ground, System},
};

use crate::{
    MONDAY, at,
    mcp::Agent,
    surface::{Call, Outcome, Rpc, Surface},
};

/// Who calls, through what, and the ids that came up, in their order.
struct Client {
    surface: Surface,
    user: Rest,
    /// What a client chose as the id of a task.
    own: String,
    ids: Vec<String>,
}

pub(crate) async fn the_same_scenario_through_every_surface_gives_the_same(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (mut clients, mut dice) = (Vec::new(), Dice::new(5));
    for surface in Surface::ALL {
        let user = system.user(&format!("{surface:?}").to_lowercase()).await;
        let ids = vec![user.user_id.clone()];
        clients.push(Client { surface, user, own: dice.uuid().to_string(), ids });
    }
    for step in scenario() {
        match step {
            Step::Pass(seconds) => system.pass(&clock, TimeDelta::seconds(seconds)).await,
            Step::Call(rpc, id, body) => everywhere(&system, &mut clients, rpc, id, &body).await,
        }
    }
    system.stop().await;
}

/// What happens. An id `#3` means the fourth id that came up.
enum Step {
    Pass(i64),
    Call(Rpc, &'static str, Value),
}

fn call(rpc: Rpc, id: &'static str, body: Value) -> Step {
    Step::Call(rpc, id, body)
}

/// Makes a call through every surface and compares.
async fn everywhere(system: &System, clients: &mut [Client], rpc: Rpc, id: &str, body: &Value) {
    let mut outcomes: Vec<(Surface, Outcome)> = Vec::new();
    for client in clients.iter_mut() {
        let id = match id.strip_prefix('#') {
            Some(place) => client.ids[place.parse::<usize>().expect("a place")].clone(),
            None => id.to_owned(),
        };
        let mut body = body.clone();
        if body["id"] == "own" {
            body["id"] = json!(client.own);
        }
        let call = Call::new(rpc, &id, body);
        let outcome = call.on(client.surface, &client.user, &system.grpc()).await;
        let mut outcome = outcome.map(|answer| canonical(answer, &mut client.ids));
        if let Err((_, fields)) = &mut outcome {
            fields.sort();
        }
        outcomes.push((client.surface, outcome));
    }
    let (_, first) = &outcomes[0];
    for (surface, outcome) in &outcomes[1..] {
        assert_eq!(outcome, first, "{surface:?} and {:?} of {rpc:?} {id} {body}", outcomes[0].0);
    }
}

/// An answer with each id replaced by its place, and without what is one client's own.
fn canonical(value: Value, ids: &mut Vec<String>) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(|value| canonical(value, ids)).collect(),
        Value::Object(fields) => {
            let own = ["access_token", "refresh_token", "email", "display_name", "next_page_token"];
            let fields = fields.into_iter().filter(|(name, value)| value.is_null() || !own.contains(&name.as_str()));
            fields.map(|(name, value)| (name, canonical(value, ids))).collect::<Map<_, _>>().into()
        }
        Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => {
            let place = ids.iter().position(|id| *id == text).unwrap_or_else(|| {
                ids.push(text);
                ids.len() - 1
            });
            json!(format!("#{place}"))
        }
        other => other,
    }
}

fn scenario() -> Vec<Step> {
    let nobody = "00000000-0000-4000-8000-000000000000";
    let mut steps = accounts();
    steps.extend([
        call(Rpc::Create, "", json!({ "title": " First ", "tags": ["a", "B"], "priority": "high" })),
        call(Rpc::Create, "", json!({
            "title": "Second", "description": "two", "due_date": "2026-03-02T09:00:00Z",
            "reminders": [{ "trigger_at": "2026-03-02T08:01:00Z" }, { "before_due_seconds": 600 }],
            "recurrence": { "recurrence_type": "custom", "cron_expression": "0 9 * * mon-fri", "overlap": "skip" },
        })),
        call(Rpc::Create, "", json!({
            "title": "Monthly", "due_date": "2026-03-02T09:00:00Z",
            "recurrence": { "recurrence_type": "rrule", "rrule": "BYDAY=-1FR,1MO;FREQ=MONTHLY;COUNT=3" },
        })),
        call(Rpc::Create, "", json!({
            "title": "No rule", "recurrence": { "recurrence_type": "rrule", "rrule": "FREQ=SECONDLY" },
        })),
        call(Rpc::Create, "", json!({ "title": "Third", "due_date": "2026-03-01T00:00:00Z", "due_all_day": true })),
        call(Rpc::Create, "", json!({ "id": "own", "title": "Fourth" })),
        call(Rpc::Create, "", json!({ "id": "own", "title": "Fourth" })),
        call(Rpc::Create, "", json!({ "id": "own", "title": "Another fourth" })),
        // Everything wrong is said at once, and what is not there is not found.
        call(Rpc::Create, "", json!({
            "title": "", "tags": ["ok", ""], "due_all_day": true, "reminders": [{ "before_due_seconds": -1 }, {}],
            "recurrence": { "recurrence_type": "custom", "cron_expression": "0 9 * *", "count": 0, "lead_seconds": -5 },
        })),
        call(Rpc::Create, "", json!({ "title": "a", "id": "7" })),
        call(Rpc::Create, "", json!({ "title": "a", "status": "completed" })),
        call(Rpc::Get, "#1", Value::Null),
        call(Rpc::Get, "00000000-0000-4000-8000-000000000001", Value::Null),
        call(Rpc::Get, "seven", Value::Null),
        call(Rpc::List, "", json!({ "sort_by": "title", "sort_order": "desc", "limit": 2 })),
        call(Rpc::List, "", json!({ "status": ["pending"], "tag": ["A"], "search": "fir" })),
        call(Rpc::List, "", json!({ "priority": ["low", "medium"], "sort_by": "title", "skip_total": true })),
        call(Rpc::List, "", json!({ "due_before": "2026-03-02T09:00:00Z", "due_after": "2026-03-01T00:00:00Z" })),
        call(Rpc::List, "", json!({ "limit": 0, "offset": -1, "tag": [""], "page_token": "?" })),
        call(Rpc::List, "", json!({ "limit": 1001 })),
        call(Rpc::Tags, "", Value::Null),
        call(Rpc::Counts, "", Value::Null),
        call(Rpc::Update, "#1", json!({ "title": "First again", "status": "in_progress", "tags": [] })),
        call(Rpc::Update, "#1", json!({ "title": "First again" })),
        call(Rpc::Update, "#1", json!({ "title": "x".repeat(201), "priority": "low", "reminders": [{}] })),
        call(Rpc::Update, "#2", json!({ "due_date": null, "recurrence": null, "description": null })),
        call(Rpc::Update, "00000000-0000-4000-8000-000000000001", json!({ "title": "a" })),
        call(Rpc::Update, "seven", json!({ "title": "a" })),
    ]);
    steps.extend([
        Step::Pass(60),
        call(Rpc::Get, "#2", Value::Null),
        call(Rpc::Notifications, "", json!({ "limit": 10 })),
        call(Rpc::Notifications, "", json!({ "unread_only": true, "offset": 1 })),
        call(Rpc::Notifications, "", json!({ "limit": 0 })),
        call(Rpc::Complete, "#1", Value::Null),
        call(Rpc::Complete, "#1", Value::Null),
        call(Rpc::Complete, "seven", Value::Null),
        call(Rpc::Update, "#1", json!({ "status": "in_progress" })),
        call(Rpc::Update, "#1", json!({ "status": "pending" })),
        call(Rpc::Delete, "#1", Value::Null),
        call(Rpc::Delete, "#1", Value::Null),
        call(Rpc::Undo, "1", Value::Null),
        call(Rpc::Undo, "999", Value::Null),
        call(Rpc::MarkRead, "seven", Value::Null),
        call(Rpc::MarkRead, nobody, Value::Null),
        call(Rpc::Snooze, nobody, json!({ "until": "2026-03-02T08:00:00Z" })),
        call(Rpc::MarkAllRead, "", Value::Null),
        call(Rpc::Notifications, "", Value::Null),
        call(Rpc::Preview, "", json!({ "recurrence": { "recurrence_type": "weekly" }, "limit": 3 })),
        call(Rpc::Preview, "", json!({ "recurrence": { "recurrence_type": "custom" }, "limit": 51 })),
        call(Rpc::Preview, "", json!({ "limit": 1 })),
        call(
            Rpc::Parse,
            "",
            json!({ "text": "pay rent tomorrow at 9 #home !high, remind me 1 hour before // by transfer" }),
        ),
        call(Rpc::Parse, "", json!({ "text": "", "time_zone": "Mars/Olympus" })),
    ]);
    steps
}

fn accounts() -> Vec<Step> {
    vec![
        call(
            Rpc::SignUp,
            "",
            json!({ "email": "nobody", "password": "short", "display_name": " ", "time_zone": "Mars" }),
        ),
        call(Rpc::SignUp, "", json!({ "email": "REST@Example.org", "password": "correct horse", "display_name": "a" })),
        call(Rpc::SignIn, "", json!({ "email": "rest@example.org", "password": "wrong" })),
        call(Rpc::SignIn, "", json!({ "email": "unknown@example.org", "password": "wrong" })),
        call(Rpc::SignIn, "", json!({ "email": "", "password": "" })),
        call(Rpc::Me, "", Value::Null),
        call(Rpc::UpdateMe, "", json!({ "time_zone": "Europe/Berlin" })),
        call(Rpc::UpdateMe, "", json!({ "time_zone": "Berlin", "display_name": "" })),
    ]
}

/// What a person may say, and the same task as programs ask for it. The zone is New York's, and it is Monday.
fn intents() -> Vec<(&'static str, Value)> {
    let rule = |rrule: &str| json!({ "recurrence_type": "rrule", "rrule": rrule });
    vec![
        ("add buy milk", json!({ "title": "buy milk" })),
        (
            "pay rent every 1st at 9am #home !high, remind me 1 hour before",
            json!({
                "title": "pay rent", "priority": "high", "tags": ["home"], "due_date": "2026-04-01T09:00:00-04:00",
                "reminders": [{ "before_due_seconds": 3600 }], "recurrence": rule("FREQ=MONTHLY;BYMONTHDAY=1"),
            }),
        ),
        (
            "todo: file the taxes tomorrow #money #home p1 // with the receipts of May",
            json!({
                "title": "file the taxes", "description": "with the receipts of May", "priority": "high",
                "tags": ["money", "home"], "due_date": "2026-03-03T00:00:00-05:00", "due_all_day": true,
            }),
        ),
        (
            "don't forget to water the plants every! 3 days",
            json!({
                "title": "water the plants", "due_date": "2026-03-02T00:00:00-05:00", "due_all_day": true,
                "recurrence": { "recurrence_type": "rrule", "rrule": "FREQ=DAILY;INTERVAL=3", "anchor": "completion" },
            }),
        ),
        (
            "remind me to call mom at 5pm",
            json!({ "title": "call mom", "due_date": "2026-03-02T17:00:00-05:00", "reminders": [{ "before_due_seconds": 0 }] }),
        ),
    ]
}

pub(crate) async fn the_same_intent_makes_the_same_task_by_chat_tools_rest_and_grpc(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    for (number, (said, asked)) in intents().into_iter().enumerate() {
        let mut made = Vec::new();
        for way in 0..=Surface::ALL.len() + 1 {
            let user = system.user(&format!("u{number}-{way}")).await;
            user.patch("/api/auth/me", &json!({ "time_zone": "America/New_York" })).await.expect(200);
            let mut ids = vec![user.user_id.clone()];
            if let Some(surface) = Surface::ALL.get(way) {
                let call = Call::new(Rpc::Create, "", asked.clone());
                call.on(*surface, &user, &system.grpc()).await.expect("it is made");
            } else if way == Surface::ALL.len() {
                assert_eq!(Agent::new(&user).await.call("add_task", asked.clone()).await["success"], true);
            } else {
                user.post("/api/chat", &json!({ "content": said })).await.expect(200);
            }
            let tasks = user.get("/api/tasks").await.expect(200);
            made.push(canonical(tasks["tasks"].clone(), &mut ids));
        }
        for (way, tasks) in made.iter().enumerate() {
            assert_eq!(tasks, &made[0], "{said}, the way {way}");
        }
    }
    system.stop().await;
}
