//! The ledger: what was answered, what is there, and what was announced.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;
use todo_domain::Timestamp;
use todo_tests::{
    books::{Books, Lenience},
    told::{Settled, differences},
};

use crate::load::{Customer, Known, now};

/// The tasks and notifications of each user, as the API shows them at rest.
pub(crate) type Shown = Vec<(BTreeMap<String, Value>, Vec<Value>)>;

/// Asks each user's server, which may be somewhere else now.
pub(crate) async fn show(customers: &[Customer], base: Option<&str>) -> Shown {
    let mut shown = Vec::new();
    for customer in customers {
        let mut rest = customer.rest.clone();
        if let Some(base) = base {
            rest.move_server(base.to_owned());
        }
        let tasks = rest.tasks("").await.into_iter();
        let tasks = tasks.map(|task| (task["id"].as_str().unwrap_or_default().to_owned(), task));
        shown.push((tasks.collect::<BTreeMap<_, _>>(), rest.notifications().await));
    }
    shown
}

/// Whether nothing has happened between the two looks.
pub(crate) fn is_as_shown(customers: &[Customer], shown: &Shown, books: &Books) -> bool {
    customers.iter().zip(shown).all(|(customer, (tasks, _))| {
        let owner: uuid::Uuid = customer.rest.user_id.parse().unwrap_or_default();
        books.tasks.values().filter(|task| task.user_id == owner).count() == tasks.len()
    })
}

/// What does not agree.
pub(crate) fn ledger(
    customers: &[Customer],
    at: Timestamp,
    shown: &Shown,
    books: &Books,
    lenience: Lenience,
) -> Vec<String> {
    ledger_after(None, customers, at, shown, books, lenience)
}

/// What does not agree after a time in which no slot could be made, and all but the latest may have been left out.
pub(crate) fn ledger_after(
    outage: Option<(Timestamp, Timestamp)>,
    customers: &[Customer],
    at: Timestamp,
    shown: &Shown,
    books: &Books,
    lenience: Lenience,
) -> Vec<String> {
    let mut wrong = books.audit(now(), lenience);
    // Each event once, by the change that it announces.
    let events: BTreeMap<(&str, &str, i64), &Value> = books
        .outbox
        .iter()
        .map(|row| {
            let text = |value: &'static str| row.event["data"][value].as_str().unwrap_or_default();
            ((row.event["type"].as_str().unwrap_or_default(), text("task_id"), row.revision()), &row.event["data"])
        })
        .collect();
    for (customer, (tasks, notifications)) in customers.iter().zip(shown) {
        for write in &customer.acknowledged {
            let id = write.task_id.as_str();
            if write.task.is_null() {
                if !events.keys().any(|(type_, task, _)| (*type_, *task) == (write.event, id)) {
                    wrong.push(format!("the deletion of {id} was answered and never announced"));
                }
                continue;
            }
            let revision = write.task["revision"].as_i64().unwrap_or_default();
            let before =
                |(type_, task, at): &(&str, &str, i64)| (*type_, *task) == (write.event, id) && *at <= revision;
            if write.again && events.keys().any(before) {
                continue;
            }
            match events.get(&(write.event, id, revision)) {
                None => wrong.push(format!("{} of {id} at {revision} was answered and never announced", write.event)),
                Some(data) if data["task"] != write.task => {
                    wrong.push(format!("{id} at {revision}: answered {}, announced {}", write.task, data["task"]));
                }
                Some(_) => {}
            }
        }
        for (id, known) in &customer.tasks {
            match (known, tasks.get(id)) {
                (Known::There(answered), Some(task)) => {
                    let found = differences(answered, task, Some(Settled { now: at, latest: at }), &[]);
                    wrong.extend(found.into_iter().map(|difference| format!("task {id}: {difference}")));
                }
                (Known::There(task), None) => wrong.push(format!("lost: {task}")),
                (Known::Gone, Some(task)) => wrong.push(format!("came back: {task}")),
                (Known::Gone, None) => {}
            }
        }
        for title in &customer.maybe {
            let of_it = |task: &&Value| task["title"] == title.as_str() && task["source_task_id"].is_null();
            let count = tasks.values().filter(of_it).count();
            if count > 1 {
                wrong.push(format!("{title} is there {count} times"));
            }
        }
        let known = |task: &&Value| {
            let id = task["id"].as_str().unwrap_or_default();
            let maybe = customer.maybe.iter().any(|title| task["title"] == title.as_str());
            !customer.tasks.contains_key(id) && !maybe && task["source_task_id"].is_null()
        };
        wrong.extend(tasks.values().filter(known).map(|task| format!("nobody asked for {task}")));
        wrong.extend(notified(tasks, notifications));
    }
    wrong.extend(slots(books, outage));
    wrong
}

/// Each reminder that says it fired has one notification; one that says otherwise has none.
fn notified(tasks: &BTreeMap<String, Value>, notifications: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let reminders = tasks.values().filter_map(|task| task["reminders"].as_array()).flatten();
    for reminder in reminders {
        let of = notifications.iter().filter(|notification| notification["reminder_id"] == reminder["id"]).count();
        if of != usize::from(reminder["fired"] == true) || reminder["fired"] == reminder["cancelled"] && of > 0 {
            wrong.push(format!("{of} notifications of {reminder}"));
        }
    }
    wrong
}

/// Each living series has exactly the slots that its rule has since it was last written: those that came, and perhaps
/// the next, which may appear ahead. (Whether it should have, the audit says.)
fn slots(books: &Books, outage: Option<(Timestamp, Timestamp)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let now = now();
    for (id, series) in books.series.iter().filter(|(_, series)| !series.ended) {
        let rule = &series.recurrence;
        let floor = rule.anchor_at.max(rule.armed_at);
        let made = books.slots.iter().filter(|slot| slot.series_id == *id && slot.slot > floor.timestamp_micros());
        let mut made: Vec<_> = made.map(|slot| slot.slot).collect();
        made.sort_unstable();
        let mut expected = rule.slots_between(floor, now, 1_000);
        let may_lack = |slot: &Timestamp| outage.is_some_and(|(from, to)| (from..to).contains(slot));
        expected.retain(|slot| !may_lack(slot) || made.contains(&slot.timestamp_micros()));
        if made.len() > expected.len() {
            expected.extend(rule.next_after(floor.max(now)));
        }
        let expected: Vec<_> = expected.iter().map(DateTime::timestamp_micros).collect();
        if made != expected {
            wrong.push(format!("series {id}: slots {made:?} instead of {expected:?}"));
        }
    }
    wrong
}
