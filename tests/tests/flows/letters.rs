//! Events that could not be handled, and events that a broker lost: what an operator sees of them and does about them.

use chrono::TimeDelta;
use serde_json::json;
use todo::all::Options;
use todo_backend::{
    dead_letters, outbox,
    store::{DeadLetter, Outgoing},
};
use todo_domain::{Clock as _, Timestamp};
use todo_sidecar::{CloudEvent, local::Mode};
use todo_tests::{
    SOON,
    clock::TestClock,
    dice::Dice,
    eventually,
    observer::Observer,
    rest::Rest,
    system::{Ground, System},
};
use uuid::Uuid;

use crate::{
    MONDAY, at,
    envelope::{CREATED, DELETED, SCHEDULED, TRIGGERED},
    replay::{dump, pass, publish},
    text,
};

const UNREADABLE: &str = "the event's id or task is no UUID";
const NOT_SAID: &str = "refused or retried without success; the reason is in the log";

/// A system that comes to rest: the sidecar in the process delivers events one by one.
struct Scene {
    system: System,
    clock: std::sync::Arc<TestClock>,
    observer: std::sync::Arc<Observer>,
    ann: Rest,
    dice: Dice,
}

async fn scene(ground: Ground) -> Scene {
    let (mut setup, clock) = at(MONDAY, ground);
    setup.adjust = |options: &mut Options| {
        options.backend.access_ttl = TimeDelta::days(36_500);
        options.mode = Mode::Stepped;
    };
    let system = setup.start().await;
    let observer = system.observe();
    let ann = system.user("ann").await;
    Scene { system, clock, observer, ann, dice: Dice::new(11) }
}

impl Scene {
    async fn pass(&mut self, by: TimeDelta) {
        pass(&self.system, &self.clock, by, &mut self.dice).await;
    }

    async fn letters(&self) -> Vec<DeadLetter> {
        dead_letters::list(self.system.store.as_ref(), None, 100).await.expect("the database answers")
    }

    /// Replays a dead letter and lets come of it what comes.
    async fn replay(&mut self, id: Uuid) {
        let replayed = dead_letters::replay(self.system.store.as_ref(), self.clock.as_ref(), id).await;
        replayed.expect("it can be published again");
        self.pass(TimeDelta::zero()).await;
    }

    /// What came under an event's id by each topic, in the order of its coming.
    async fn came(&self, event_id: &str) -> Vec<(String, CloudEvent)> {
        let all = self.observer.until("anything", |_| true).await;
        let of_it = all.into_iter().filter(|delivery| delivery.event.id == event_id);
        of_it.map(|delivery| (delivery.topic, delivery.event)).collect()
    }

    /// Keeps an event as a dead letter.
    async fn bury(&self, id: u128, topic: &str, event: &[u8]) -> Uuid {
        let id = Uuid::from_u128(id);
        let (topic, reason) = (topic.to_owned(), "retries used up".to_owned());
        let letter = DeadLetter { id, topic, event: event.to_vec(), reason, at: MONDAY.parse().expect("a time") };
        let mut tx = self.system.store.begin().await.expect("a transaction");
        assert!(tx.add_dead_letter(&letter).await.expect("it is written"));
        tx.commit().await.expect("it is committed");
        id
    }
}

pub(crate) async fn poison_is_kept_with_its_reason_and_can_be_published_again(ground: Ground) {
    let mut scene = scene(ground).await;
    let reminders = json!([{ "trigger_at": "2026-03-02T08:01:00Z" }, { "trigger_at": "2026-03-02T08:02:00Z" }]);
    let daily = json!({ "recurrence_type": "daily" });
    let task = json!({ "title": "a", "due_date": "2026-03-02T08:01:30Z", "reminders": reminders, "recurrence": daily });
    let task = scene.ann.create(task).await;
    scene.pass(TimeDelta::minutes(1)).await;
    // Between good ones: an id that is none, and a task that is none.
    let poison =
        [("notifications", TRIGGERED, "no uuid"), ("tasks", SCHEDULED, "0d9c8f2e-7d0a-4a51-8a60-3b3a4c1d2e5f")];
    for (topic, type_, id) in poison {
        publish(&scene.system, topic, type_, id, json!({ "task_id": task["id"], "new_task_id": "none" })).await;
    }
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(scene.ann.notifications().await.len(), 2, "its neighbours pass");
    assert_eq!(scene.ann.instances(text(&task["id"])).await.len(), 0);

    let before = scene.letters().await;
    assert_eq!(before.len(), 2, "{before:?}");
    for (topic, type_, id) in poison {
        let letter = before.iter().find(|letter| letter.topic == topic).expect("it is listed");
        assert_eq!(letter.reason, UNREADABLE);
        let event = dead_letters::event(letter);
        assert_eq!((&event["id"], &event["type"]), (&json!(id), &json!(type_)));
        let shown = dead_letters::show(scene.system.store.as_ref(), letter.id).await.expect("it is there");
        assert_eq!(&shown, letter);

        // Twice: the second time the outbox knows it.
        for times in 2..=3 {
            scene.replay(letter.id).await;
            let came = scene.came(id).await;
            assert_eq!(came.len(), times, "under the same id");
            assert!(came.iter().all(|again| *again == came[0] && again.0 == topic), "and as it was: {came:?}");
        }
    }
    // It failed again.
    let ids = |letters: &[DeadLetter]| {
        let mut ids: Vec<_> = letters.iter().map(|letter| (letter.id, letter.reason.clone())).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&scene.letters().await), ids(&before));
    scene.pass(TimeDelta::days(1)).await;
    assert_eq!(scene.ann.notifications().await.len(), 2);
    assert_eq!(scene.ann.instances(text(&task["id"])).await.len(), 1, "and time goes on");
    scene.system.stop().await;
}

pub(crate) async fn a_reason_that_we_know_is_kept_when_it_is_known(ground: Ground) {
    let mut scene = scene(ground).await;
    // The second as daprd hands a dead letter on: without a reason.
    for topic in ["notifications", "notifications-dead-letter"] {
        publish(&scene.system, topic, TRIGGERED, "x", json!({ "task_id": "y" })).await;
    }
    let mut kept = Vec::new();
    for topic in ["notifications", "notifications-dead-letter"] {
        let pending = scene.system.local().pending().await.expect("a list");
        let place =
            pending.iter().position(|it| it.app == "backend" && it.topic == topic).expect("it is to be delivered");
        scene.system.local().step(place).await.expect("a step").expect("a delivery");
        kept.push(scene.letters().await);
        assert_eq!(kept[0].len(), 1, "at once");
    }
    scene.pass(TimeDelta::seconds(1)).await;
    kept.push(scene.letters().await);
    assert_eq!((kept[0][0].reason.as_str(), kept[0][0].topic.as_str()), (UNREADABLE, "notifications"));
    assert!(kept.iter().all(|letters| *letters == kept[0]), "what comes later changes nothing: {kept:?}");
    scene.system.stop().await;
}

pub(crate) async fn what_was_published_once_is_published_again_as_it_was(ground: Ground) {
    let mut scene = scene(ground).await;
    let reminders = json!([{ "trigger_at": "2026-03-02T08:01:00Z" }]);
    let task = scene.ann.create(json!({ "title": "a", "reminders": reminders })).await;
    scene.pass(TimeDelta::minutes(2)).await;
    let before = dump(std::slice::from_ref(&scene.ann)).await;
    // Ours, which the outbox has; and the scheduler's, which it never had.
    for (number, type_) in [(1, CREATED), (2, TRIGGERED)] {
        let event = scene.observer.event(type_, text(&task["id"])).await;
        let [(topic, _)] = &scene.came(&event.id).await[..] else { panic!("not once") };
        let mut noted = event.clone();
        for note in [todo_sidecar::TOPIC, todo_sidecar::DEAD_LETTER_REASON, todo_sidecar::DEAD_LETTER_APP] {
            noted.extensions.insert(note.to_owned(), "noted by the sidecar".to_owned());
        }
        let id = scene.bury(number, topic, &noted.to_json()).await;
        scene.replay(id).await;
        let once = (topic.clone(), event.clone());
        assert_eq!(scene.came(&event.id).await, [once.clone(), once], "{type_}");
    }
    assert_eq!(scene.letters().await, [], "nothing failed");
    assert_eq!(dump(std::slice::from_ref(&scene.ann)).await, before);

    // What is no event stays, and what is not there is said.
    let id = scene.bury(3, "tasks", b"nonsense").await;
    let refusal =
        dead_letters::replay(scene.system.store.as_ref(), scene.clock.as_ref(), id).await.expect_err("no event");
    assert!(refusal.to_string().contains("cannot be published again, it stays: not a JSON object"), "{refusal}");
    assert_eq!(scene.letters().await.len(), 1);
    let nobody = Uuid::from_u128(404);
    let refusal =
        dead_letters::replay(scene.system.store.as_ref(), scene.clock.as_ref(), nobody).await.expect_err("none");
    let sentence = format!("there is no dead letter {nobody}: `todo dead-letters list` shows them");
    assert_eq!(refusal.to_string(), sentence);
    let refusal = dead_letters::show(scene.system.store.as_ref(), nobody).await.expect_err("none");
    assert_eq!(refusal.to_string(), sentence);
    scene.system.stop().await;
}

pub(crate) async fn a_letter_without_a_reason_says_where_to_look(ground: Ground) {
    let mut scene = scene(ground).await;
    // As it comes from daprd, which has no reasons.
    publish(&scene.system, "tasks-dead-letter", DELETED, "x", json!({ "task_id": "y" })).await;
    scene.pass(TimeDelta::zero()).await;
    let [letter] = &scene.letters().await[..] else { panic!("not one") };
    assert_eq!(letter.topic, "tasks", "where it was before");
    assert_eq!(letter.reason, NOT_SAID);
    // Now the scheduler refuses it.
    scene.replay(letter.id).await;
    let [again] = &scene.letters().await[..] else { panic!("not one") };
    assert_eq!((again.id, again.topic.as_str()), (letter.id, "tasks"));
    let [(topic, _)] = &scene.came("x").await[..] else { panic!("not once") };
    assert_eq!(topic, "tasks");
    scene.system.stop().await;
}

pub(crate) async fn a_reason_that_the_sidecar_gives_is_kept(ground: Ground) {
    let mut scene = scene(ground).await;
    publish(&scene.system, "tasks", DELETED, "x", json!({ "task_id": "y" })).await;
    scene.pass(TimeDelta::zero()).await;
    let [letter] = &scene.letters().await[..] else { panic!("not one") };
    assert_ne!(letter.reason, NOT_SAID);
    scene.system.stop().await;
}

pub(crate) async fn a_replayed_outbox_changes_nothing(ground: Ground) {
    let mut scene = scene(ground).await;
    let status = async |scene: &Scene| outbox::status(scene.system.store.as_ref()).await.expect("the database answers");
    let daily = json!({ "recurrence_type": "daily" });
    let made = json!({ "title": "a", "due_date": "2026-03-02T09:00:00Z", "recurrence": daily });
    let made = scene.ann.create(made).await;
    scene.ann.act(&format!("/api/tasks/{}/complete", text(&made["id"]))).await.expect(200);
    scene.pass(TimeDelta::zero()).await;
    let monday: Timestamp = MONDAY.parse().expect("a time");
    let first = status(&scene).await;
    assert_eq!((first.unpublished, first.oldest_unpublished, first.published), (0, None, 2));
    assert!(first.oldest_published.is_some_and(|at| at >= monday), "{first:?}");
    scene.pass(TimeDelta::days(1)).await;
    let now = scene.clock.now();
    scene.ann.create(json!({ "title": "b" })).await;
    scene.pass(TimeDelta::zero()).await;
    let before = dump(std::slice::from_ref(&scene.ann)).await;
    let history = scene.observer.deliveries();
    let kept = status(&scene).await.published;
    assert!(kept >= 3, "{kept}");

    // The last one first: what is published again counts as published now.
    for (since, events) in [(now + TimeDelta::hours(1), 0), (now, kept - 2), (monday, kept)] {
        let replayed = outbox::replay(scene.system.store.as_ref(), scene.clock.as_ref(), since).await;
        assert_eq!(replayed.expect("it is replayed"), u64::try_from(events).expect("a number"), "{since}");
        scene.pass(TimeDelta::zero()).await;
        assert_eq!(status(&scene).await.published, kept);
    }
    let all = scene.observer.until("anything", |_| true).await;
    for delivery in &history {
        let times = all.iter().filter(|it| it.event == delivery.event && it.topic == delivery.topic).count();
        let ours = delivery.event.source == "/backend/tasks";
        assert!(if ours { times > 1 } else { times == 1 }, "{}: {times}", delivery.event.type_);
    }
    assert_eq!(scene.observer.deliveries().len(), history.len(), "no new id");
    assert_eq!(dump(std::slice::from_ref(&scene.ann)).await, before);
    scene.system.stop().await;
}

pub(crate) async fn an_outgoing_row_that_is_no_event_waits_and_holds_up_nothing(ground: Ground) {
    let scene = scene(ground).await;
    let now = scene.clock.now();
    let row = Outgoing {
        id: Uuid::from_u128(7),
        topic: "tasks".to_owned(),
        event: b"no event".to_vec(),
        created_at: now,
        attempts: 0,
    };
    let mut tx = scene.system.store.begin().await.expect("a transaction");
    tx.add_outgoing(&[row]).await.expect("added");
    tx.commit().await.expect("committed");
    scene.ann.create(json!({ "title": "a neighbour" })).await;
    let store = scene.system.store.as_ref();
    let published = async || {
        let status = outbox::status(store).await.expect("the database answers");
        ((status.unpublished, status.published) == (1, 1)).then_some(())
    };
    eventually("the neighbour is published", SOON, published).await;
    // The row is not looked at again and again, but when its time has come.
    let put_off = async || {
        let mut tx = store.begin().await.expect("a transaction");
        let due = tx.lease_outgoing(now, now, 10).await.expect("the outbox");
        due.is_empty().then_some(())
    };
    eventually("it is put off", SOON, put_off).await;
    scene.system.stop().await;
}
