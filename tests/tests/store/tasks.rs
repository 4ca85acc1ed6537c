//! Tasks are read as they were written.

use todo_domain::{
    query::Filter,
    recurrence::Rule,
    task::{Reminder, ReminderState, Task, When},
};

use crate::{
    db::Db,
    make::{all, at, containing, full_task, id, ids, recurrence, reminder, second, series, snooze, task},
};

/// Reads a task back, alone and in a list.
async fn found(db: &Db, task: &Task) -> Option<Task> {
    let mut tx = db.read().await;
    let alone = tx.task(task.user_id, task.id).await.unwrap();
    let (listed, more) = tx.list_tasks(task.user_id, &all(Filter::default())).await.unwrap();
    assert!(!more);
    assert_eq!(listed.into_iter().find(|it| it.id == task.id), alone);
    alone
}

async fn update(db: &Db, before: &Task, task: &Task) {
    let mut tx = db.begin().await;
    tx.update_task(before, task).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn every_field_survives(db: &Db) {
    let owner = db.owner("ada").await;
    let plain = task(owner, 1, "Plain");
    let full = full_task(owner, 100);
    db.insert(&[plain.clone(), full.clone()]).await;
    assert_eq!(found(db, &plain).await, Some(plain));
    assert_eq!(found(db, &full).await, Some(full));
}

pub(crate) async fn an_update_writes_every_field_that_can_change(db: &Db) {
    let owner = db.owner("ada").await;
    let before = task(owner, 1, "Before");
    db.insert(std::slice::from_ref(&before)).await;

    let after = Task { id: before.id, source_task_id: None, recurrence: None, ..full_task(owner, 100) };
    update(db, &before, &after).await;
    assert_eq!(found(db, &before).await, Some(after.clone()));

    // And back: everything is cleared.
    update(db, &after, &before).await;
    assert_eq!(found(db, &before).await, Some(before.clone()));

    // What never changes stays as it was stored, whoever asks.
    let foreign = Task { created_at: second(99), source_task_id: Some(id(7)), ..before.clone() };
    update(db, &before, &foreign).await;
    assert_eq!(found(db, &before).await, Some(before));
}

pub(crate) async fn tags_keep_their_order_and_case(db: &Db) {
    let owner = db.owner("ada").await;
    let with = |tags: &[&str]| Task { tags: tags.iter().map(|&tag| tag.into()).collect(), ..task(owner, 1, "Tagged") };
    let mut before = with(&["zebra", "Apple", "mango", "ÄPFEL", "1"]);
    db.insert(std::slice::from_ref(&before)).await;
    assert_eq!(found(db, &before).await.unwrap().tags, ["zebra", "Apple", "mango", "ÄPFEL", "1"]);
    for tags in [&["mango", "zebra"][..], &["Mango", "zebra"], &["zebra", "Mango", "new \"one\""], &[]] {
        let after = with(tags);
        update(db, &before, &after).await;
        assert_eq!(found(db, &before).await.unwrap().tags, tags);
        before = after;
    }
}

pub(crate) async fn reminders_keep_their_order_and_state(db: &Db) {
    let owner = db.owner("ada").await;
    let due = second(7_200);
    // By time, those without one last, as the domain keeps them; ids run the other way.
    let reminders = vec![
        Reminder { state: ReminderState::Fired, ..reminder(15, second(10)) },
        reminder(14, second(20)),
        Reminder { when: When::BeforeDue(0), ..reminder(13, due) },
        Reminder { state: ReminderState::Cancelled, ..reminder(12, second(8_000)) },
        Reminder {
            when: When::BeforeDue(31_536_000),
            trigger_at: None,
            state: ReminderState::Cancelled,
            ..reminder(11, due)
        },
    ];
    let before = Task { due: Some(due), reminders, ..task(owner, 1, "Reminded") };
    db.insert(std::slice::from_ref(&before)).await;
    assert_eq!(found(db, &before).await, Some(before.clone()));

    let mut after = before.clone();
    after.reminders.remove(1);
    after.reminders.insert(0, reminder(16, second(5)));
    after.reminders[2].state = ReminderState::Cancelled;
    update(db, &before, &after).await;
    assert_eq!(found(db, &before).await, Some(after));
}

pub(crate) async fn a_recurrence_comes_with_its_task_until_it_ends(db: &Db) {
    let owner = db.owner("ada").await;
    let plain = Task { recurrence: Some(recurrence(50)), ..task(owner, 1, "Source") };
    let other = task(owner, 2, "Other");
    db.insert(&[plain.clone(), other.clone()]).await;
    assert_eq!(found(db, &plain).await, Some(plain.clone()));
    assert_eq!(found(db, &other).await, Some(other));

    for rule in [Rule::Daily, Rule::Weekly] {
        let mut changed = recurrence(50);
        changed.rule = rule;
        (changed.until, changed.count, changed.ends_at) = (None, None, None);
        changed.blocked = !changed.blocked;
        let mut tx = db.begin().await;
        tx.put_series(&series(&plain, &changed)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(found(db, &plain).await.unwrap().recurrence, Some(changed));
    }

    // The row stays, for an undo; the task has no recurrence any more.
    let mut tx = db.begin().await;
    let ended = todo_backend::store::Series { ended_at: Some(second(9)), ..series(&plain, &recurrence(50)) };
    tx.put_series(&ended).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(db, &plain).await.unwrap().recurrence, None);
    assert!(db.read().await.series(id(50)).await.unwrap().is_some());
}

pub(crate) async fn an_id_is_taken_once_whoever_has_it(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let first = full_task(ada, 100);
    let mut tx = db.begin().await;
    assert!(tx.insert_task(&first, Some(b"hash")).await.unwrap());
    assert!(!tx.insert_task(&Task { title: "Again".into(), ..task(ada, 100, "x") }, Some(b"other")).await.unwrap());
    assert!(!tx.insert_task(&full_task(bob, 100), None).await.unwrap());
    // A refused insert leaves the transaction as good as it was.
    assert!(tx.insert_task(&task(bob, 1, "Next"), None).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = db.read().await;
    assert_eq!(tx.task(ada, id(100)).await.unwrap().unwrap().title, first.title);
    assert_eq!(tx.task(bob, id(100)).await.unwrap(), None);
    assert_eq!(tx.request_hash(ada, id(100)).await.unwrap().as_deref(), Some(&b"hash"[..]));
    assert_eq!(tx.request_hash(bob, id(1)).await.unwrap(), None);
    assert_eq!(tx.tags(bob).await.unwrap(), []);
}

pub(crate) async fn several_tasks_are_found_at_once(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks: Vec<_> = (1..=600).map(|number| full_task(owner, number * 10)).collect();
    db.insert(&tasks).await;
    let mut tx = db.read().await;
    assert_eq!(tx.tasks(owner, &[]).await.unwrap(), []);
    let wanted: Vec<_> = ids(&tasks).into_iter().chain([id(1), id(2)]).collect();
    let mut found = tx.tasks(owner, &wanted).await.unwrap();
    found.sort_by_key(|task| task.id);
    assert!(found == tasks, "each has its own reminders and recurrence");
}

pub(crate) async fn times_survive_to_the_microsecond_and_before_1970(db: &Db) {
    let owner = db.owner("ada").await;
    let times = [
        "1900-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "2026-03-29T01:59:59.123456Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    for (number, text) in (1_u128..).zip(times) {
        let time = at(text);
        let kept = Task {
            due: Some(time),
            reminders: vec![Reminder { created_at: time, ..reminder(100 + number, time) }],
            recurrence: None,
            created_at: time,
            updated_at: time,
            completed_at: Some(time),
            ..task(owner, number, text)
        };
        db.insert(std::slice::from_ref(&kept)).await;
        assert_eq!(found(db, &kept).await, Some(kept));
    }
}

pub(crate) async fn any_text_survives(db: &Db) {
    let owner = db.owner("ada").await;
    let texts = [
        "'; DROP TABLE tasks; --",
        "100% _sure_ \\ \"quoted\" 'single' `back` $1 ?1 :name @at",
        "Straße İstanbul ΣΊΣΥΦΟΣ ñ e\u{301}",
        "日本語 한국어 العربية 👩‍👩‍👧‍👦🏳️‍🌈",
        "tab\tnewline\ncarriage\r\u{b}\u{1}\u{1f}\u{7f}\u{feff}\u{202e}\u{10ffff}",
        "null NULL \u{fffd}",
    ];
    for (number, text) in (1..).zip(texts) {
        let full = "x".repeat(2_000 - text.chars().count());
        let kept = Task {
            description: format!("{text}{full}"),
            tags: vec![text.into(), format!("{text}!")],
            ..task(owner, number, text)
        };
        db.insert(std::slice::from_ref(&kept)).await;
        assert_eq!(found(db, &kept).await, Some(kept));
    }
}

pub(crate) async fn a_touch_moves_the_revision_alone(db: &Db) {
    let owner = db.owner("ada").await;
    let before = full_task(owner, 100);
    db.insert(&[before.clone(), full_task(owner, 200)]).await;
    let mut tx = db.begin().await;
    tx.touch_task(owner, before.id, 77).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(db, &before).await, Some(Task { revision: 77, ..before }));
    assert_eq!(found(db, &full_task(owner, 200)).await, Some(full_task(owner, 200)));
}

pub(crate) async fn a_deleted_task_takes_along_what_hangs_on_it(db: &Db) {
    let owner = db.owner("ada").await;
    let (gone, stays) = (full_task(owner, 100), full_task(owner, 200));
    db.insert(&[gone.clone(), stays.clone()]).await;
    let mut tx = db.begin().await;
    tx.put_snooze(&snooze(900, &gone, 901, second(50)), second(0)).await.unwrap();
    tx.delete_task(owner, gone.id).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(found(db, &gone).await, None);
    assert_eq!(found(db, &stays).await, Some(stays.clone()));
    let mut tx = db.read().await;
    let hanging: Vec<_> = gone.reminders.iter().map(|reminder| reminder.id).chain([id(900)]).collect();
    assert_eq!(tx.pending_reminders(&hanging).await.unwrap(), []);
    let due = tx.due(at("2100-01-01T00:00:00Z"), None, 100).await.unwrap();
    assert!(due.iter().all(|row| row.task_id == stays.id), "{due:?}");
    assert!(tx.tags(owner).await.unwrap().iter().all(|(_, tasks)| *tasks == 1));
    assert_eq!(tx.count_tasks(owner, &containing("plants")).await.unwrap(), 1);
    // A series outlives its task by the time an undo may bring that back.
    assert!(tx.series(id(104)).await.unwrap().is_some());
    drop(tx);

    // The id is free again: an undo brings the task back.
    db.insert(&[Task { recurrence: None, ..gone.clone() }]).await;
    assert_eq!(found(db, &gone).await, Some(gone));
}
