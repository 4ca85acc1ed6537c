//! Tasks from a line of plain language.

use serde_json::{Value, json};
use todo_tests::system::Ground;

use crate::{MONDAY, at};

/// The fields of a reading that a create takes.
const FIELDS: [&str; 8] =
    ["title", "description", "priority", "tags", "due_date", "due_all_day", "reminders", "recurrence"];

pub(crate) async fn what_was_read_makes_the_task_that_it_says(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.patch("/api/auth/me", &json!({ "time_zone": "Europe/Berlin" })).await.expect(200);
    let line = json!({ "text": "pay rent every 1st at 9am #home !high, remind me 1 hour before" });
    let read = ann.post("/api/tasks/parse", &line).await.expect(200);
    assert_eq!(
        (&read["title"], &read["priority"], &read["tags"], &read["due_date"], &read["due_all_day"]),
        (&json!("pay rent"), &json!("high"), &json!(["home"]), &json!("2026-04-01T07:00:00Z"), &json!(false))
    );
    assert_eq!(read["reminders"][0]["before_due_seconds"], 3_600);
    assert_eq!(read["reminders"][0]["trigger_at"], "2026-04-01T06:00:00Z");
    let kinds: Vec<_> = read["spans"].as_array().expect("spans").iter().map(|span| span["kind"].clone()).collect();
    assert_eq!(kinds, ["recurrence", "tag", "priority", "reminder"]);
    let asked: Value = FIELDS.iter().map(|field| ((*field).to_owned(), read[*field].clone())).collect();
    let made = ann.create(asked).await;
    for field in ["title", "priority", "tags", "due_date", "due_all_day"] {
        assert_eq!(made[field], read[field], "{field}");
    }
    assert_eq!(made["recurrence"]["next_occurrence"], read["recurrence"]["next_occurrence"]);
    assert_eq!(made["recurrence"]["next_occurrence"], "2026-05-01T07:00:00Z");
    assert_eq!(made["reminders"][0]["trigger_at"], read["reminders"][0]["trigger_at"]);
    assert_eq!(ann.tasks("").await.len(), 1, "reading alone stores nothing");

    // Elsewhere and at another time the same words mean another moment.
    let there =
        json!({ "text": "call tomorrow at 9am", "reference_time": "2026-12-31T23:30:00Z", "time_zone": "Asia/Tokyo" });
    let read = ann.post("/api/tasks/parse", &there).await.expect(200);
    assert_eq!((&read["title"], &read["due_date"]), (&json!("call"), &json!("2027-01-02T00:00:00Z")));

    // What is no more than a date has no title yet.
    let read = ann.post("/api/tasks/parse", &json!({ "text": "tomorrow" })).await.expect(200);
    assert_eq!((&read["title"], &read["due_all_day"]), (&json!(""), &json!(true)));
    system.stop().await;
}

pub(crate) async fn what_cannot_be_read_says_which_field_and_why(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    for (body, field) in [
        (json!({}), "text"),
        (json!({ "text": " " }), "text"),
        (json!({ "text": "x".repeat(4_001) }), "text"),
        (json!({ "text": "milk", "time_zone": "Mars/Olympus" }), "time_zone"),
        (json!({ "text": "milk", "reference_time": "tomorrow" }), "reference_time"),
        (json!({ "text": "x".repeat(201) }), "title"),
        (json!({ "text": "milk", "tone": 1 }), "tone"),
    ] {
        let refused = ann.post("/api/tasks/parse", &body).await.expect(400);
        assert_eq!(refused["error"]["details"][0]["field"], field, "{refused}");
    }
    system.stop().await;
}
