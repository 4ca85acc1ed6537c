//! The chat with its built-in engine: what is said, what it comes to, and what is answered.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{clock::TestClock, rest::Rest, system::Ground};

use crate::{MONDAY, at, text};

/// A conversation.
struct Talk<'a> {
    user: &'a Rest,
    clock: &'a TestClock,
    id: Option<String>,
}

/// What came of a message.
struct Told {
    reply: String,
    decision: Value,
    body: Value,
}

impl<'a> Talk<'a> {
    const fn of(user: &'a Rest, clock: &'a TestClock) -> Self {
        Self { user, clock, id: None }
    }

    async fn say(&mut self, content: &str) -> Told {
        let mut message = json!({ "content": content });
        if let Some(id) = &self.id {
            message["conversation_id"] = json!(id);
        }
        // Decisions of one moment are in no order, and messages are limited in number.
        self.clock.advance(TimeDelta::seconds(10));
        let body = self.user.post("/api/chat", &message).await.expect(200);
        let id = text(&body["conversation_id"]).to_owned();
        let path = format!("/api/observability/decisions?limit=1&conversation_id={id}");
        let mut decisions = self.user.get(&path).await.expect(200);
        self.id = Some(id);
        let reply = text(&body["message"]["content"]).to_owned();
        Told { reply, decision: decisions["items"][0].take(), body }
    }

    /// Says something, and gives what is answered.
    async fn hear(&mut self, content: &str) -> String {
        self.say(content).await.reply
    }
}

impl Told {
    fn came_to(&self) -> String {
        ["intent_type", "decision_type", "outcome_category"].map(|name| text(&self.decision[name])).join(" ")
    }
}

async fn titles(user: &Rest, query: &str) -> Vec<String> {
    user.tasks(query).await.iter().map(|task| text(&task["title"]).to_owned()).collect()
}

const RENT: &str = "pay rent every 1st at 9am #home !high, remind me 1 hour before";
/// The Monday before the 1st of December.
const NOVEMBER: &str = "2026-11-30T08:00:00Z";

pub(crate) async fn a_conversation_does_what_it_says(ground: Ground) {
    let (setup, clock) = at(NOVEMBER, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut talk = Talk::of(&ann, &clock);
    assert_eq!(
        talk.hear(RENT).await,
        "Added “pay rent”: every month on the 1st at 9:00 AM, first on Tue, Dec 1; #home, high; reminder 1 hour before."
    );
    let made = ann.tasks("").await;
    let [rent] = &made[..] else { panic!("one task") };
    assert_eq!(
        (
            &rent["title"],
            &rent["due_date"],
            &rent["priority"],
            &rent["tags"],
            &rent["reminders"][0]["before_due_seconds"]
        ),
        (&json!("pay rent"), &json!("2026-12-01T09:00:00Z"), &json!("high"), &json!(["home"]), &json!(3600))
    );
    assert_eq!(rent["recurrence"]["rrule"], "FREQ=MONTHLY;BYMONTHDAY=1");
    assert_eq!(
        talk.hear("what's due this week").await,
        "You have 1 open task due from Mon, Nov 30 to Sun, Dec 6:\n1. pay rent (due Tue, Dec 1 at 9:00 AM, high, #home)"
    );
    let done = talk.hear("finish the rent one").await;
    assert!(done.starts_with("Done: “pay rent”."), "{done}");
    assert_eq!(ann.task(text(&rent["id"])).await["status"], "completed");
    let asked = talk.say("delete it").await;
    assert_eq!(
        (&*asked.reply, &asked.body["confirmation"]["replies"], &asked.body["confirmation"]["destructive"]),
        ("Delete “pay rent”?\nYes or no?", &json!(["yes", "no"]), &json!(true))
    );
    assert_eq!(titles(&ann, "").await, ["pay rent"], "nothing is deleted before the yes");
    assert_eq!(talk.hear("yes").await, "Deleted “pay rent”.");
    assert!(titles(&ann, "").await.is_empty());
    let back = talk.hear("undo").await;
    assert!(back.starts_with("Undone: “pay rent” is back"), "{back}");
    assert_eq!(titles(&ann, "").await, ["pay rent"]);
    let both = talk.say("and also buy milk, then show my list").await;
    assert_eq!(both.reply, "Added “buy milk”.\n\nYou have 1 open task:\n1. buy milk");
    assert_eq!(both.came_to(), "MULTI_INTENT INVOKE_TOOL SUCCESS:TASK_COMPLETED");
    system.stop().await;
}
/// A line of `chat.txt`.
struct Row {
    said: &'static str,
    came_to: &'static str,
    parts: String,
    after: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("chat.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let read = |line: &'static str| {
        let fields: Vec<_> = line.split('|').map(str::trim).collect();
        let [said, came_to, parts, after] = fields[..] else { panic!("four fields: {line}") };
        Row { said, came_to, parts: parts.replace("\\n", "\n"), after }
    };
    lines.map(read).collect()
}

pub(crate) async fn every_intent_comes_to_what_the_policy_says(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut talk = Talk::of(&ann, &clock);
    let mut wrong = Vec::new();
    let mut open = Vec::new();
    for Row { said, came_to, parts, after } in rows() {
        let told = talk.say(said).await;
        let mut rest = told.reply.as_str();
        let heard =
            parts.split(" ... ").all(|part| rest.find(part).map(|at| rest = &rest[at + part.len()..]).is_some());
        let before = std::mem::replace(&mut open, titles(&ann, "status=pending&status=in_progress").await);
        let as_told = match after {
            "" => open == before,
            "-" => open.is_empty(),
            after => open.join(", ") == after,
        };
        if !heard || !as_told || told.came_to() != came_to {
            wrong.push(format!("{said}: {:?} {}; {}", told.reply, told.came_to(), open.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    system.stop().await;
}

pub(crate) async fn what_waits_for_a_yes_is_done_as_it_was_shown_or_not_at_all(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut talk = Talk::of(&ann, &clock);
    for title in ["one", "two", "three", "four"] {
        ann.create(json!({ "title": title })).await;
    }
    // A task that came after the question is not in it.
    let asked = talk.hear("delete everything").await;
    assert!(asked.starts_with("Delete these 4 tasks?"), "{asked}");
    ann.create(json!({ "title": "five" })).await;
    assert!(talk.hear("yes").await.starts_with("Deleted 4 tasks."));
    assert_eq!(titles(&ann, "").await, ["five"]);
    let back = talk.hear("undo").await;
    assert_eq!(back.lines().count(), 4, "{back}");
    assert_eq!(titles(&ann, "").await.len(), 5);

    // What has changed since is not deleted.
    talk.hear("delete everything").await;
    let five = &ann.tasks("search=five").await[0];
    ann.patch(&format!("/api/tasks/{}", text(&five["id"])), &json!({ "priority": "high" })).await.expect(200);
    let told = talk.say("yes").await;
    assert!(told.reply.contains("so I changed nothing"), "{}", told.reply);
    assert_eq!(told.came_to(), "CONFIRM_YES EXECUTE_PENDING ERROR:USER_INPUT");
    assert_eq!(titles(&ann, "").await.len(), 5);

    // A question ends after five minutes.
    talk.hear("delete five").await;
    clock.advance(TimeDelta::minutes(5));
    assert!(talk.hear("yes").await.contains("nothing waiting"));
    assert_eq!(titles(&ann, "").await.len(), 5);

    // What is kept until the yes comes back as it was, numbers too.
    for number in 1..=4 {
        let recurrence = json!({ "recurrence_type": "daily", "count": 9, "lead_seconds": 60 });
        ann.create(json!({ "title": format!("daily {number}"), "tags": ["d"], "recurrence": recurrence })).await;
    }
    talk.hear("show tasks tagged d").await;
    assert!(talk.hear("pause 1-4").await.starts_with("Change these 4 tasks"));
    let paused = talk.hear("yes").await;
    for task in ann.tasks("tag=d").await {
        let rule = &task["recurrence"];
        assert_eq!(
            (&rule["paused"], &rule["count"], &rule["lead_seconds"]),
            (&json!(true), &json!(9), &json!(60)),
            "{paused}"
        );
    }
    system.stop().await;
}

pub(crate) async fn a_message_that_comes_again_does_nothing_twice(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let message = json!({ "content": "add milk and add eggs", "message_id": "0190b5a8-0000-7000-8000-000000000001" });
    let first = ann.post("/api/chat", &message).await.expect(200);
    clock.advance(TimeDelta::seconds(10));
    assert_eq!(ann.post("/api/chat", &message).await.expect(200)["message"], first["message"]);
    assert_eq!(titles(&ann, "sort_by=title").await, ["eggs", "milk"]);
    system.stop().await;
}
