//! Numbers of tasks and of tags.

use chrono::TimeDelta;
use todo_backend::store::Counts;
use todo_domain::{
    task::{Status, Task},
    zone::{self, Tz},
};

use crate::{
    db::Db,
    make::{Random, at, second, task},
};

pub(crate) async fn tasks_are_counted_by_status(db: &Db) {
    let (owner, other) = (db.owner("ada").await, db.owner("bob").await);
    let now = second(0);
    assert_eq!(db.read().await.counts(owner, now, now).await.unwrap(), Counts::default());
    let with = |number, status| Task { status, ..task(owner, number, "x") };
    let (pending, in_progress, completed) = (Status::Pending, Status::InProgress, Status::Completed);
    let tasks: Vec<_> = (1..)
        .zip([pending, completed, in_progress, pending, completed, pending])
        .map(|(number, status)| with(number, status))
        .collect();
    db.insert(&tasks).await;
    db.insert(&[task(other, 100, "not hers")]).await;
    let counts = Counts { pending: 3, in_progress: 1, completed: 2, overdue: 0 };
    assert_eq!(db.read().await.counts(owner, now, now).await.unwrap(), counts);

    let mut tx = db.begin().await;
    tx.update_task(&tasks[0], &with(1, completed)).await.unwrap();
    tx.delete_task(owner, tasks[2].id).await.unwrap();
    tx.commit().await.unwrap();
    let counts = Counts { pending: 2, in_progress: 0, completed: 3, overdue: 0 };
    assert_eq!(db.read().await.counts(owner, now, now).await.unwrap(), counts);
}

pub(crate) async fn overdue_is_what_the_domain_says(db: &Db) {
    let owner = db.owner("ada").await;
    let zone = Tz::Europe__Berlin;
    // Around the day on which the clocks go forward.
    let noon = at("2026-03-29T12:00:00+02:00");
    let mut random = Random(21);
    let tasks: Vec<_> = (1..=300)
        .map(|number| {
            let due_all_day = random.one_in(2);
            let hours = i64::try_from(random.below(120)).unwrap() - 60;
            let due = if due_all_day {
                zone::start_of_day(zone, zone::local(zone, noon + TimeDelta::hours(hours)).date())
            } else {
                noon + TimeDelta::hours(hours)
            };
            let due = (!random.one_in(5)).then_some(due);
            let status = *random.pick(Status::ALL);
            Task { due, due_all_day: due_all_day && due.is_some(), status, ..task(owner, number, "x") }
        })
        .collect();
    db.insert(&tasks).await;
    for quarter in -200..200 {
        let now = noon + TimeDelta::minutes(quarter * 15);
        let day_start = zone::start_of_day(zone, zone::local(zone, now).date());
        let counts = db.read().await.counts(owner, now, day_start).await.unwrap();
        let expected = tasks.iter().filter(|task| task.is_overdue(now, zone)).count();
        assert_eq!(usize::try_from(counts.overdue).unwrap(), expected, "{now}");
    }
}

pub(crate) async fn tags_are_counted(db: &Db) {
    let (owner, other) = (db.owner("ada").await, db.owner("bob").await);
    let with =
        |number, tags: &[&str]| Task { tags: tags.iter().map(|&tag| tag.into()).collect(), ..task(owner, number, "x") };
    let tasks = [with(1, &["home", "Work"]), with(2, &["HOME", "äpfel"]), with(3, &["Home", "100%"]), with(4, &[])];
    db.insert(&tasks).await;
    db.insert(&[Task { tags: vec!["hers".into()], ..task(other, 100, "x") }]).await;
    let tags = async || db.read().await.tags(owner).await.unwrap();
    let pairs = |pairs: &[(&str, i64)]| pairs.iter().map(|&(tag, tasks)| (tag.to_owned(), tasks)).collect::<Vec<_>>();
    // One spelling of each, the same on every database.
    assert_eq!(tags().await, pairs(&[("100%", 1), ("home", 3), ("Work", 1), ("äpfel", 1)]));

    let mut tx = db.begin().await;
    tx.update_task(&tasks[0], &with(1, &["Work"])).await.unwrap();
    tx.delete_task(owner, tasks[2].id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(tags().await, pairs(&[("HOME", 1), ("Work", 1), ("äpfel", 1)]));
    assert_eq!(db.read().await.tags(other).await.unwrap(), pairs(&[("hers", 1)]));
}
