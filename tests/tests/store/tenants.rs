//! Tenants: every method that takes an owner finds and changes what is that owner's, and nothing else.

use std::{collections::BTreeMap, fmt::Debug};

use sqlx::{AssertSqlSafe, Connection as _};
use todo_backend::store::{
    AccessToken, ChangeKind, Conversation, DecisionFilter, Firing, Message, Notification, Profile, RefreshToken, Reply,
    Series, Slot, SlotState, Subscription, ToolCall,
};
use todo_domain::{account::Scope, query::Filter, task::Task};
use uuid::Uuid;

use crate::{
    db::{Db, profile},
    log::change,
    make::{NONE, all, at, containing, conversation, decision, full_task, id, recurrence, second, series, snooze},
};

/// The ids of the one world that both owners ask about.
const TASK: u128 = 100;
const SERIES: u128 = TASK + 4;
const SNOOZE: u128 = 900;
const NOTIFICATION: u128 = 901;
const FAMILY: u128 = 902;
const ACCESS_TOKEN: u128 = 903;
const CONVERSATION: u128 = 904;
const DECISION: u128 = 905;
const SUBSCRIPTION: u128 = 906;
const HASH: &[u8] = b"token";

/// Gives an owner something of everything; the task takes its ids from `number`.
async fn furnish(db: &Db, owner: Uuid) -> Task {
    let task = Task { source_task_id: Some(id(TASK)), ..full_task(owner, TASK) };
    db.insert(std::slice::from_ref(&task)).await;
    let mut tx = db.begin().await;
    // Its request's hash can only be stored with a task.
    tx.delete_task(owner, task.id).await.unwrap();
    tx.insert_task(&task, Some(b"hash")).await.unwrap();
    tx.put_snooze(&snooze(SNOOZE, &task, NOTIFICATION, second(50)), second(0)).await.unwrap();
    tx.put_notification(&notification(owner)).await.unwrap();
    tx.put_slot(&slot()).await.unwrap();
    tx.set_revision(owner, 40).await.unwrap();
    tx.add_change(owner, &todo_backend::store::Change { kind: ChangeKind::Deleted, entity_id: task.id, ..change(40) })
        .await
        .unwrap();
    tx.add_reply(owner, "key", &reply(b"hers"), second(0)).await.unwrap();
    tx.add_refresh_token(&token(owner)).await.unwrap();
    tx.add_access_token(&access_token(owner)).await.unwrap();
    tx.add_subscription(&subscription(owner, SUBSCRIPTION)).await.unwrap();
    let hers = conversation(owner, CONVERSATION);
    tx.add_conversation(&hers).await.unwrap();
    tx.add_message(&message()).await.unwrap();
    tx.add_decision(&decision(&hers, DECISION, second(0)), &[tool_call()]).await.unwrap();
    tx.add_firing(&firing(owner)).await.unwrap();
    tx.commit().await.unwrap();
    task
}

pub(crate) fn notification(user_id: Uuid) -> Notification {
    Notification {
        id: id(NOTIFICATION),
        user_id,
        reminder_id: id(TASK + 1),
        task_id: id(TASK),
        task_title: "hers".into(),
        due: None,
        triggered_at: second(0),
        read_at: None,
        snoozed_until: Some(second(50)),
        revision: 3,
    }
}

fn message() -> Message {
    Message {
        id: id(906),
        conversation_id: id(CONVERSATION),
        place: 1,
        role: 1,
        content: "hers".into(),
        created_at: second(0),
        tool_calls: "[]".into(),
    }
}

fn tool_call() -> ToolCall {
    ToolCall { decision_id: id(DECISION), sequence: 1, tool: "add_task".into(), duration_ms: 1, call: "{}".into() }
}

fn firing(user_id: Uuid) -> Firing {
    Firing {
        event_id: id(907),
        notification_id: id(NOTIFICATION),
        reminder_id: id(TASK + 1),
        task_id: id(TASK),
        user_id,
        task_title: "hers".into(),
        due: None,
        trigger_at: second(0),
        fired_at: second(0),
        seen: false,
        traceparent: None,
    }
}

fn slot() -> Slot {
    Slot {
        series_id: id(SERIES),
        slot: second(0),
        task_id: id(800),
        event_id: id(801),
        epoch: 0,
        state: SlotState::Made,
        decided_at: second(0),
        announcement: Vec::new(),
        made_revision: None,
    }
}

fn reply(response: &[u8]) -> Reply {
    Reply { request: b"request".to_vec(), response: response.to_vec(), revision: None, announced: false }
}

fn token(user_id: Uuid) -> RefreshToken {
    RefreshToken { hash: HASH.to_vec(), user_id, family: id(FAMILY), expires_at: second(9), rotated_at: None }
}

pub(crate) fn access_token(user_id: Uuid) -> AccessToken {
    AccessToken {
        id: id(ACCESS_TOKEN),
        user_id,
        hash: HASH.to_vec(),
        name: "hers".into(),
        scope: Scope::Read,
        created_at: second(0),
        expires_at: None,
        last_used_at: None,
    }
}

pub(crate) fn subscription(user_id: Uuid, number: u128) -> Subscription {
    Subscription {
        id: id(number),
        user_id,
        endpoint: "https://push.example.com/hers".into(),
        p256dh: vec![4; 65],
        auth: vec![1; 16],
        created_at: second(0),
        sent: 0,
        rung: 0,
        attempts: 0,
    }
}

/// All that an owner has, in words, a part for each question.
pub(crate) async fn portrait(db: &Db, owner: Uuid, task: &Task) -> Vec<String> {
    let mut tx = db.read().await;
    let until = at("2100-01-01T00:00:00Z");
    let reminders: Vec<_> = task.reminders.iter().map(|reminder| reminder.id).chain([id(SNOOZE)]).collect();
    let mut pending = tx.pending_reminders(&reminders).await.unwrap();
    pending.sort_by_key(|row| row.id);
    let parts: Vec<Box<dyn Debug>> = vec![
        Box::new(tx.task(owner, task.id).await.unwrap()),
        Box::new(tx.list_tasks(owner, &all(Filter::default())).await.unwrap()),
        Box::new(tx.list_tasks(owner, &all(containing("plants"))).await.unwrap()),
        Box::new(tx.request_hash(owner, task.id).await.unwrap()),
        Box::new(tx.tags(owner).await.unwrap()),
        Box::new(tx.counts(owner, until, until).await.unwrap()),
        Box::new(tx.owner(owner).await.unwrap()),
        Box::new(tx.changes(owner, 0, 100).await.unwrap()),
        Box::new(tx.change(owner, 40).await.unwrap()),
        Box::new(tx.reply(owner, "key").await.unwrap()),
        Box::new((pending, tx.due(until, None, 100).await.unwrap())),
        Box::new((tx.series(id(SERIES)).await.unwrap(), tx.slots(id(SERIES), SlotState::Made).await.unwrap())),
        Box::new(tx.open_instances(owner, id(SERIES), id(TASK)).await.unwrap()),
        Box::new(tx.list_notifications(owner, false, 100, 0).await.unwrap()),
        Box::new((tx.unread(owner).await.unwrap(), tx.snoozed(owner, task.id).await.unwrap())),
        Box::new((tx.profile(owner).await.unwrap(), tx.refresh_token(HASH).await.unwrap())),
        Box::new(tx.access_tokens(owner).await.unwrap()),
        Box::new((tx.subscriptions(owner).await.unwrap(), tx.rung(owner, 0, second(-9), 100).await.unwrap())),
        Box::new(tx.conversations(owner, 100, 0).await.unwrap()),
        Box::new(tx.decisions(owner, &DecisionFilter::default(), 100, 0).await.unwrap()),
    ];
    parts.iter().map(|part| format!("{part:?}")).collect()
}

pub(crate) async fn another_owner_finds_nothing(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let task = furnish(db, ada).await;
    let mut tx = db.begin().await;

    assert_eq!(tx.task(bob, task.id).await.unwrap(), None);
    assert_eq!(tx.tasks(bob, &[task.id]).await.unwrap(), []);
    assert_eq!(tx.request_hash(bob, task.id).await.unwrap(), None);
    let tagged = Filter { tags: vec!["home".into()], ..Filter::default() };
    for filter in [Filter::default(), containing("plants"), containing("pl"), tagged] {
        assert_eq!(tx.count_tasks(ada, &filter).await.unwrap(), 1, "{filter:?}");
        assert_eq!(tx.count_tasks(bob, &filter).await.unwrap(), 0, "{filter:?}");
        assert_eq!(tx.list_tasks(bob, &all(filter)).await.unwrap(), (Vec::new(), false));
    }
    assert_eq!(tx.tags(bob).await.unwrap(), []);
    let until = at("2100-01-01T00:00:00Z");
    assert_eq!(tx.counts(bob, until, until).await.unwrap(), todo_backend::store::Counts::default());

    assert_eq!(tx.access_tokens(bob).await.unwrap(), []);
    assert_eq!(tx.subscriptions(bob).await.unwrap(), []);
    assert_eq!(tx.rung(bob, 0, second(-9), 100).await.unwrap(), []);
    assert_eq!(tx.conversations(bob, 100, 0).await.unwrap(), []);
    assert_eq!(tx.count_conversations(bob).await.unwrap(), 0);
    assert_eq!(tx.conversation(bob, id(CONVERSATION)).await.unwrap(), None);
    let every = DecisionFilter::default();
    assert_eq!(tx.decisions(bob, &every, 100, 0).await.unwrap(), []);
    assert_eq!(tx.count_decisions(bob, &every).await.unwrap(), 0);
    assert_eq!(tx.decision(bob, id(DECISION)).await.unwrap(), None);
    assert_eq!(tx.tally_decisions(bob, &every).await.unwrap(), []);
    assert_eq!(tx.tally_tools(bob, &every).await.unwrap(), []);
    assert_eq!(tx.lock_owner(bob).await.unwrap().unwrap().revision, 0);
    assert_eq!(tx.owner(bob).await.unwrap().unwrap().revision, 0);
    assert_eq!(tx.revisions(&[bob]).await.unwrap(), [(bob, 0)]);
    assert_eq!(tx.change(bob, 40).await.unwrap(), None);
    assert_eq!(tx.changes(bob, 0, 100).await.unwrap(), []);
    assert!(tx.was_deleted(ada, task.id).await.unwrap());
    assert!(!tx.was_deleted(bob, task.id).await.unwrap());
    assert_eq!(tx.reply(bob, "key").await.unwrap(), None);

    assert_eq!(tx.open_instances(ada, id(SERIES), id(TASK)).await.unwrap(), 1);
    assert_eq!(tx.open_instances(bob, id(SERIES), id(TASK)).await.unwrap(), 0);

    assert_eq!(tx.list_notifications(bob, false, 100, 0).await.unwrap(), []);
    assert_eq!(tx.count_notifications(bob).await.unwrap(), (0, 0));
    assert_eq!(tx.count_unread(bob).await.unwrap(), 0);
    assert_eq!(tx.notifications(bob, &[id(NOTIFICATION)]).await.unwrap(), []);
    assert_eq!(tx.unread(bob).await.unwrap(), NONE);
    assert_eq!(tx.snoozed(ada, task.id).await.unwrap(), [id(NOTIFICATION)]);
    assert_eq!(tx.snoozed(bob, task.id).await.unwrap(), NONE);
}

pub(crate) async fn another_owner_changes_nothing(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let task = furnish(db, ada).await;
    let (hers, his) = (portrait(db, ada, &task).await, db.read().await.tags(bob).await.unwrap());

    let mut tx = db.begin().await;
    // As if a bug had let Bob's request come so far.
    let foreign = Task {
        user_id: bob,
        title: "his".into(),
        tags: vec!["his".into()],
        reminders: vec![crate::make::reminder(950, second(7))],
        ..task.clone()
    };
    tx.update_task(&Task { user_id: bob, ..task.clone() }, &foreign).await.unwrap();
    assert!(!tx.insert_task(&foreign, Some(b"his")).await.unwrap());
    tx.touch_task(bob, task.id, 99).await.unwrap();
    tx.delete_task(bob, task.id).await.unwrap();

    tx.set_revision(bob, 7).await.unwrap();
    tx.add_change(bob, &change(40)).await.unwrap();
    tx.add_reply(bob, "key", &reply(b"his"), second(1)).await.unwrap();

    for reminder in task.reminders.iter().map(|reminder| reminder.id).chain([id(SNOOZE)]) {
        tx.set_fired(&[bob], &[reminder]).await.unwrap();
    }
    tx.cancel_snoozes(bob, task.id).await.unwrap();
    let moved = todo_backend::store::ReminderRow { user_id: bob, ..snooze(SNOOZE, &task, NOTIFICATION, second(60)) };
    tx.put_snooze(&moved, second(1)).await.unwrap();
    let taken = Series { user_id: bob, ended_at: Some(second(1)), ..series(&task, &recurrence(SERIES)) };
    tx.put_series(&taken).await.unwrap();

    let read = Notification { read_at: Some(second(1)), snoozed_until: None, ..notification(bob) };
    tx.put_notification(&read).await.unwrap();

    tx.put_profile(&Profile { display_name: "his".into(), ..profile("bob") }).await.unwrap();
    tx.add_refresh_token(&token(bob)).await.unwrap();
    tx.end_session(bob, id(FAMILY)).await.unwrap();
    tx.end_sessions(bob, None).await.unwrap();
    assert!(!tx.remove_access_token(bob, id(ACCESS_TOKEN)).await.unwrap());
    tx.remove_subscriptions(bob, &[id(SUBSCRIPTION)]).await.unwrap();
    tx.ring(&[bob], second(5), second(6)).await.unwrap();
    let served = Subscription { sent: 99, attempts: 9, ..subscription(bob, SUBSCRIPTION) };
    tx.serve_subscription(&served, second(7)).await.unwrap();
    tx.put_conversation(&Conversation { title: "his".into(), pending: None, ..conversation(bob, CONVERSATION) })
        .await
        .unwrap();
    assert!(!tx.remove_conversation(bob, id(CONVERSATION)).await.unwrap());
    tx.commit().await.unwrap();

    for (after, before) in portrait(db, ada, &task).await.iter().zip(&hers) {
        assert_eq!(after, before);
    }
    assert_eq!(db.read().await.tags(bob).await.unwrap(), his, "nor does he get a part of it");
    assert_eq!(db.read().await.reply(bob, "key").await.unwrap(), Some(reply(b"his")));
    assert_eq!(db.read().await.owner(bob).await.unwrap().unwrap().revision, 7);
}

/// Tables of everyone: what was announced, what failed, what counts against a limit, and the store's own.
const EVERYONES: [&str; 5] = ["outbox", "dead_letters", "attempts", "_sqlx_migrations", "tasks_search"];

/// How many rows each table of owners has.
async fn rows(db: &Db) -> BTreeMap<String, i64> {
    macro_rules! count {
        ($connection:ty, $tables:expr) => {{
            let mut connection = <$connection>::connect(&db.url).await.expect("the database");
            let tables: Vec<String> = sqlx::query_scalar($tables).fetch_all(&mut connection).await.expect("names");
            let mut rows = BTreeMap::new();
            for table in tables.into_iter().filter(|table| !EVERYONES.iter().any(|other| table.starts_with(other))) {
                let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
                let count = sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a number");
                rows.insert(table, count);
            }
            rows
        }};
    }
    if db.url.starts_with("sqlite:") {
        count!(sqlx::SqliteConnection, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    } else {
        count!(sqlx::PgConnection, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
    }
}

pub(crate) async fn a_removed_account_takes_along_all_that_is_its_own(db: &Db) {
    let bob = db.owner("bob").await;
    let before = rows(db).await;
    let ada = db.owner("ada").await;
    let task = furnish(db, ada).await;
    let hers = rows(db).await;
    for (table, rows) in &hers {
        assert!(*rows > before[table], "{table}: what it holds of an owner is not among what is removed here");
    }
    let mut tx = db.begin().await;
    tx.remove_profile(ada).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(db).await, before);
    assert_eq!(db.read().await.owner(ada).await.unwrap(), None);
    assert!(db.read().await.profile(bob).await.unwrap().is_some());
    // What she had is free for others.
    furnish(db, bob).await;
    assert_eq!(db.read().await.task(bob, task.id).await.unwrap().map(|it| it.user_id), Some(bob));
}

/// How columns that hold revisions are called. A new one that is called otherwise is for its maker to add here.
const REVISIONS: &str = "c LIKE '%revision' OR c = 'floor' OR t = 'push_subscriptions' AND c IN ('sent', 'rung')";

pub(crate) async fn every_revision_jumps(db: &Db) {
    let ada = db.owner("ada").await;
    furnish(db, ada).await;
    macro_rules! jump {
        ($connection:ty, $columns:literal) => {{
            let mut connection = <$connection>::connect(&db.url).await.expect("the database");
            let columns = AssertSqlSafe(format!("SELECT t, c FROM ({}) AS columns WHERE {REVISIONS}", $columns));
            let columns: Vec<(String, String)> =
                sqlx::query_as(columns).fetch_all(&mut connection).await.expect("names");
            assert_eq!(columns.len(), 10, "{columns:?}");
            for (table, column) in &columns {
                let three = AssertSqlSafe(format!("UPDATE {table} SET {column} = 3"));
                assert!(sqlx::query(three).execute(&mut connection).await.expect("rows").rows_affected() > 0);
            }
            let mut tx = db.begin().await;
            tx.jump(1_000).await.unwrap();
            tx.commit().await.unwrap();
            for (table, column) in &columns {
                let left = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {column} <> 1003"));
                let left: i64 = sqlx::query_scalar(left).fetch_one(&mut connection).await.expect("a number");
                assert_eq!(left, 0, "{table}.{column} did not jump");
            }
        }};
    }
    if db.url.starts_with("sqlite:") {
        jump!(
            sqlx::SqliteConnection,
            "SELECT s.name AS t, i.name AS c FROM sqlite_schema s, pragma_table_info(s.name) i WHERE s.type = 'table'"
        );
    } else {
        jump!(
            sqlx::PgConnection,
            "SELECT table_name::text AS t, column_name::text AS c FROM information_schema.columns \
             WHERE table_schema = 'public'"
        );
    }
}
