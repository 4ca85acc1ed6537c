//! Things that happen at once.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use todo_tests::{
    dice::Dice,
    rest::{Answer, Rest},
    stream::{Event, Stream},
    system::{Ground, System},
};
use uuid::Uuid;

use crate::{
    MONDAY, at,
    envelope::{COMPLETED, CREATED, DELETED, TRIGGERED, UPDATED},
    text,
};

const REMINDED: &str = "com.todo.task.reminded";

/// What is done to a task at the moment at which its reminder rings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Complete,
    Delete,
    Move,
    Replace,
}

const NEXT_WEEK: &str = "2026-03-09T09:00:00Z";

impl Act {
    async fn on(self, user: &Rest, task: &Value) -> Answer {
        let path = format!("/api/tasks/{}", text(&task["id"]));
        let reminder = &task["reminders"][0]["id"];
        match self {
            Self::Complete => user.act(&format!("{path}/complete")).await,
            Self::Delete => user.delete(&path).await,
            Self::Move => user.patch(&path, &json!({ "due_date": NEXT_WEEK })).await,
            Self::Replace => {
                let moved = json!({ "reminders": [{ "id": reminder, "before_due_seconds": 60 }] });
                user.patch(&path, &moved).await
            }
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Complete => COMPLETED,
            Self::Delete => DELETED,
            Self::Move | Self::Replace => UPDATED,
        }
    }
}

pub(crate) async fn what_races_with_a_firing_reminder_never_has_both_outcomes(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let mut rang = [0; 2];
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        // Due in ten minutes, to be reminded in five.
        let now: chrono::DateTime<chrono::Utc> = todo_domain::Clock::now(&*clock);
        let due = (now + TimeDelta::minutes(10)).to_rfc3339();
        let mut tasks = Vec::new();
        for act in [Act::Complete, Act::Delete, Act::Move, Act::Replace] {
            for _ in 0..3 {
                let task = json!({ "title": "a", "due_date": due, "reminders": [{ "before_due_seconds": 300 }] });
                tasks.push((act, ann.create(task).await, dice.below(6)));
            }
        }
        let since = ann.get("/api/tasks?limit=1").await.expect(200)["revision"].as_i64().expect("a number");
        let racing = tasks.iter().map(|(act, task, patience)| {
            let (ann, act, task, patience) = (ann.clone(), *act, task.clone(), *patience);
            tokio::spawn(async move {
                // Reads as long as the dice say, then acts.
                for _ in 0..patience {
                    ann.task(text(&task["id"])).await;
                }
                act.on(&ann, &task).await
            })
        });
        let racing: Vec<_> = racing.collect();
        system.advance(&clock, TimeDelta::minutes(5));
        for answer in join_all(racing).await {
            let answer = answer.expect("no panic");
            assert!(answer.status.is_success(), "{}", answer.body);
        }
        system.settled().await;
        let feed = feed(&ann, since).await;
        for (act, task, _) in &tasks {
            let notified = check(&ann, *act, task, &feed).await;
            rang[usize::from(notified)] += 1;
            let id = text(&task["id"]);
            let events = observer.about(id).iter().filter(|event| event.type_ == TRIGGERED).count();
            assert!(events <= 1 && (notified || events == 0), "{act:?} of {id}: {events} events, {notified}");
        }
        // All that is left goes, so that the next round is alone.
        for task in ann.tasks("").await {
            ann.delete(&format!("/api/tasks/{}", text(&task["id"]))).await.expect(204);
        }
    }
    assert!(rang.iter().all(|outcome| *outcome > 0), "both outcomes were seen: {rang:?}");
    system.stop().await;
}

/// Everything that changed since a revision.
async fn feed(user: &Rest, since: i64) -> Vec<Event> {
    let mut stream = Stream::open(user, Some(since)).await;
    stream.until("the counts", |event| event.kind == "com.todo.counts").await
}

/// Checks that a task's reminder rang before what was done to it, or not at all; says whether it rang.
async fn check(user: &Rest, act: Act, task: &Value, feed: &[Event]) -> bool {
    let id = &task["id"];
    let of_task = |event: &&Event| event.data["task"]["id"] == *id || event.data["task_removed"]["id"] == *id;
    let revision = |kind: &str| feed.iter().filter(of_task).find(|event| event.kind == kind).and_then(|event| event.id);
    let notifications = user.notifications().await;
    let notified = notifications.iter().filter(|notification| notification["task_id"] == *id).count();
    assert!(notified <= 1);
    let (rang, acted) = (revision(REMINDED), revision(act.kind()).expect("the act is in the feed"));
    assert_eq!(rang.is_some(), notified == 1, "{act:?}");
    assert!(rang.is_none_or(|rang| rang < acted), "{act:?}: rang at {rang:?}, done at {acted}");

    if act != Act::Delete {
        let reminder = &user.task(text(id)).await["reminders"][0];
        let state = (reminder["fired"] == true, reminder["cancelled"] == true);
        let expected = match act {
            Act::Complete => (notified == 1, notified == 0),
            // For the new moment it is to ring whatever became of the old one.
            _ => (false, false),
        };
        assert_eq!(state, expected, "{act:?}: {reminder}");
    }
    notified == 1
}

pub(crate) async fn sixty_four_clients_create_at_once_without_errors(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let observer = system.observe();
    let users =
        [system.user("ann").await, system.user("bob").await, system.user("cid").await, system.user("dan").await];
    let clients = (0..64).map(|client| {
        let user = system.back(&users[client % users.len()]);
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..4 {
                let body = json!({ "title": format!("client {client}"), "reminders": [{ "trigger_at": NEXT_WEEK }] });
                answers.push(user.post("/api/tasks", &body).await);
            }
            answers
        })
    });
    let mut ids = HashSet::new();
    for answers in join_all(clients).await {
        for answer in answers.expect("no panic") {
            ids.insert(text(&answer.expect(201)["id"]).to_owned());
        }
    }
    assert_eq!(ids.len(), 256);
    for user in &users {
        let tasks = user.tasks("").await;
        assert_eq!(tasks.len(), 64);
        let revisions: HashSet<_> = tasks.iter().map(|task| task["revision"].as_i64()).collect();
        assert_eq!(revisions, (1..=64).map(Some).collect(), "each change has a revision of its own");
    }
    let created = |seen: &Vec<todo_sidecar::Delivery>| {
        seen.iter()
            .filter(|it| it.event.type_ == CREATED)
            .filter_map(|it| it.event.subject.clone())
            .collect::<HashSet<_>>()
    };
    observer.until("an event for each", |seen| created(seen) == ids).await;
    system.stop().await;
}

pub(crate) async fn a_client_that_goes_away_leaves_nothing_behind(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    // In the middle of opening a transaction, as early as can be and a little later each time.
    for patience in 0..120 {
        let soon = async {
            for _ in 0..patience * 25 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = system.store.read() => {}
            () = soon => {}
        }
        let mut tx = system.store.begin().await.expect("a transaction");
        assert_eq!(tx.lock_owner(Uuid::nil()).await.expect("it may write").map(|owner| owner.revision), None);
    }
    // And as clients do it.
    let leaving = (0..8).map(|seed| {
        let (user, mut dice) = (system.back(&ann), Dice::new(seed));
        tokio::spawn(async move {
            for _ in 0..20 {
                let patience = std::time::Duration::from_micros(dice.below(6_000));
                // Whether the answer came in time does not matter.
                let _ = tokio::time::timeout(patience, user.get("/api/tasks?limit=1")).await;
            }
        })
    });
    let leaving: Vec<_> = leaving.collect();
    for number in 0..60 {
        let answer = ann.post("/api/tasks", &json!({ "title": number.to_string() })).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    for left in join_all(leaving).await {
        left.expect("no panic");
    }
    assert_eq!(ann.tasks("").await.len(), 60);
    system.stop().await;
}

pub(crate) async fn of_two_updates_from_one_reading_one_wins(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let task = ann.create(json!({ "title": "0" })).await;
    let path = format!("/api/tasks/{}", text(&task["id"]));
    for round in 1..=10 {
        let tag = ann.get(&path).await.header("etag").expect("a tag").to_owned();
        let updates = (0..4).map(|client| {
            let (user, path, tag) = (system.back(&ann), path.clone(), tag.clone());
            let body = json!({ "title": format!("{round}.{client}") });
            tokio::spawn(async move { user.send(Method::PATCH, &path, &[("if-match", &tag)], Some(&body)).await })
        });
        let answers: Vec<_> = join_all(updates).await.into_iter().map(|answer| answer.expect("no panic")).collect();
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        let [won] = won[..] else { panic!("{} won", won.len()) };
        assert!(lost.iter().all(|answer| answer.code(409) == "REVISION_CONFLICT"));
        assert_eq!(ann.task(text(&task["id"])).await, won.body);
    }
    system.stop().await;
}

pub(crate) async fn what_is_repeated_at_once_is_done_once(ground: Ground) {
    let (setup, _clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let mut dice = Dice::new(1);
    for _ in 0..4 {
        let (key, id) = (dice.uuid().to_string(), dice.uuid());
        let by_key = repeat(&system, &ann, json!({ "title": "by key" }), Some(&key)).await;
        let by_id = repeat(&system, &ann, json!({ "title": "by id", "id": id }), None).await;
        assert_eq!(by_id.parse(), Ok(id));
        assert_ne!(by_key.parse::<Uuid>(), Ok(id));
    }
    assert_eq!(ann.tasks("").await.len(), 8);
    system.stop().await;
}

/// Makes the same create eight times at once; answers with the id that all of them give.
async fn repeat(system: &System, user: &Rest, body: Value, key: Option<&str>) -> String {
    let clients = (0..8).map(|_| {
        let (user, body, key) = (system.back(user), body.clone(), key.map(ToOwned::to_owned));
        tokio::spawn(async move {
            let key = key.as_deref().map(|key| ("idempotency-key", key));
            user.send(Method::POST, "/api/tasks", key.as_slice(), Some(&body)).await.expect(201)
        })
    });
    let bodies: Vec<_> = join_all(clients).await.into_iter().map(|answer| answer.expect("no panic")).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "one task: {bodies:?}");
    text(&bodies[0]["id"]).to_owned()
}
