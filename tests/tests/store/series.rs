//! Series, their slots, and what was decided about both.

use todo_backend::store::{Firing, Series, Slot, SlotState};
use todo_domain::task::{Status, Task};
use uuid::Uuid;

use crate::{
    db::Db,
    make::{at, id, recurrence, second, series, task},
};

fn slot(series: u128, hour: i64, state: SlotState) -> Slot {
    let number = series * 1_000 + u128::try_from(hour).unwrap();
    Slot {
        series_id: id(series),
        slot: second(hour * 3_600),
        task_id: id(number + 1_000_000),
        event_id: id(number + 2_000_000),
        epoch: 0,
        state,
        decided_at: second(hour),
        announcement: vec![0, 255, u8::try_from(hour).unwrap()],
        made_revision: None,
    }
}

fn firing(owner: Uuid, number: u128) -> Firing {
    Firing {
        event_id: id(number),
        notification_id: id(number + 1),
        reminder_id: id(number + 2),
        task_id: id(number + 3),
        user_id: owner,
        task_title: "it's \"this\" ÄÖ 日本".into(),
        due: Some(at("1969-12-31T23:59:59.999999Z")),
        trigger_at: at("2026-03-29T01:59:59.123456Z"),
        fired_at: second(i64::try_from(number).unwrap()),
        seen: false,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    }
}

/// A series whose source is a stored task.
async fn source(db: &Db, owner: Uuid, number: u128) -> Task {
    let source = Task { recurrence: Some(recurrence(number)), ..task(owner, number + 500, "Source") };
    db.insert(std::slice::from_ref(&source)).await;
    source
}

pub(crate) async fn a_series_survives(db: &Db) {
    let owner = db.owner("ada").await;
    let source = source(db, owner, 1).await;
    let mut known = series(&source, &recurrence(1));
    assert_eq!(db.read().await.series(id(1)).await.unwrap(), Some(known.clone()));
    assert_eq!(db.read().await.series(id(2)).await.unwrap(), None);
    for (decided_to, due_at, blocked, ended_at) in [
        (Some(at("1969-12-31T23:59:59.999999Z")), Some(at("2026-03-29T01:59:59.123456Z")), true, None),
        (Some(second(1)), None, false, Some(second(9))),
        (None, Some(second(2)), false, None),
    ] {
        known = Series { decided_to, due_at, blocked, ended_at, ..known };
        known.recurrence.blocked = blocked;
        known.recurrence.lead_seconds += 1;
        let mut tx = db.begin().await;
        tx.put_series(&known).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(db.read().await.series(id(1)).await.unwrap(), Some(known.clone()));
    }
}

pub(crate) async fn a_slot_survives(db: &Db) {
    let owner = db.owner("ada").await;
    source(db, owner, 1).await;
    let first = Slot { slot: at("1969-12-31T23:59:59.999999Z"), ..slot(1, 1, SlotState::Decided) };
    let changed = Slot {
        event_id: id(9),
        epoch: i32::MAX,
        state: SlotState::Withdrawn,
        decided_at: at("2026-03-29T01:59:59.123456Z"),
        announcement: Vec::new(),
        made_revision: Some(i64::MAX),
        ..first.clone()
    };
    for known in [first.clone(), changed, Slot { state: SlotState::Made, ..first.clone() }, first] {
        let mut tx = db.begin().await;
        tx.put_slot(&known).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.read().await;
        assert_eq!(tx.slot(known.series_id, known.slot).await.unwrap().as_ref(), Some(&known));
        assert_eq!(tx.slot_of(known.task_id).await.unwrap().as_ref(), Some(&known));
        assert_eq!(tx.slot(known.series_id, second(0)).await.unwrap(), None);
        assert_eq!(tx.slot_of(known.event_id).await.unwrap(), None);
    }
    // Two tasks may be due alike, where one follows from a closing: what is there counts, then what was there most often.
    let alike = |number, state, epoch| Slot { task_id: id(number), event_id: id(number), epoch, ..slot(1, 2, state) };
    let mut tx = db.begin().await;
    let rows = [(77, 3), (78, 5), (79, 4)].map(|(number, epoch)| alike(number, SlotState::Withdrawn, epoch));
    for row in &rows {
        tx.put_slot(row).await.unwrap();
    }
    assert_eq!(tx.slot(id(1), rows[0].slot).await.unwrap().as_ref(), Some(&rows[1]));
    let made = Slot { state: SlotState::Made, ..rows[0].clone() };
    tx.put_slot(&made).await.unwrap();
    assert_eq!(tx.slot(id(1), made.slot).await.unwrap(), Some(made));
    drop(tx);
    // And no slot is without its series.
    let mut tx = db.begin().await;
    assert!(tx.put_slot(&slot(404, 1, SlotState::Decided)).await.is_err());
}

pub(crate) async fn slots_are_found_by_state_and_time(db: &Db) {
    let owner = db.owner("ada").await;
    source(db, owner, 1).await;
    source(db, owner, 2).await;
    let states = [SlotState::Made, SlotState::Decided, SlotState::Withdrawn];
    let known: Vec<_> = (1..=9).map(|hour| slot(1, hour, states[usize::try_from(hour).unwrap() % 3])).collect();
    let mut tx = db.begin().await;
    for slot in known.iter().rev() {
        tx.put_slot(slot).await.unwrap();
    }
    tx.put_slot(&slot(2, 5, SlotState::Made)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.read().await;
    for state in states {
        let expected: Vec<_> = known.iter().filter(|slot| slot.state == state).cloned().collect();
        assert_eq!(tx.slots(id(1), state).await.unwrap(), expected);
    }
    for hour in [0, 4, 9] {
        let after = second(hour * 3_600);
        assert_eq!(tx.slots_after(id(1), after).await.unwrap(), known[usize::try_from(hour).unwrap()..]);
    }
    assert_eq!(tx.slots(id(2), SlotState::Decided).await.unwrap(), []);
    assert_eq!(tx.slots_after(id(3), second(0)).await.unwrap(), []);
}

pub(crate) async fn the_last_task_of_a_series_is_the_one_made_last(db: &Db) {
    let owner = db.owner("ada").await;
    source(db, owner, 1).await;
    source(db, owner, 2).await;
    assert_eq!(db.read().await.made(id(1)).await.unwrap(), (0, None));
    let mut tx = db.begin().await;
    let revisions = [
        (1, SlotState::Made, Some(7)),
        (2, SlotState::Made, Some(9)),
        (3, SlotState::Made, Some(8)),
        (4, SlotState::Withdrawn, Some(10)),
        (5, SlotState::Decided, None),
        (6, SlotState::Made, None),
    ];
    for (hour, state, made_revision) in revisions {
        tx.put_slot(&Slot { made_revision, ..slot(1, hour, state) }).await.unwrap();
    }
    tx.put_slot(&Slot { made_revision: Some(99), ..slot(2, 1, SlotState::Made) }).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    assert_eq!(tx.made(id(1)).await.unwrap(), (3, Some(slot(1, 2, SlotState::Made).task_id)));
    assert_eq!(tx.made(id(2)).await.unwrap(), (1, Some(slot(2, 1, SlotState::Made).task_id)));
}

pub(crate) async fn open_instances_are_open_tasks_and_decided_slots(db: &Db) {
    let owner = db.owner("ada").await;
    let (one, two) = (source(db, owner, 1).await, source(db, owner, 2).await);
    let open = async || {
        let mut tx = db.read().await;
        (tx.open_instances(owner, id(1), one.id).await.unwrap(), tx.open_instances(owner, id(2), two.id).await.unwrap())
    };
    assert_eq!(open().await, (0, 0), "the source is none of its instances");
    let made = |number, source: &Task, status| Task {
        source_task_id: Some(source.id),
        status,
        ..task(owner, number, "Instance")
    };
    let tasks = [
        made(1, &one, Status::Pending),
        made(2, &one, Status::InProgress),
        made(3, &one, Status::Completed),
        made(4, &two, Status::Pending),
        task(owner, 5, "Not of a series"),
    ];
    db.insert(&tasks).await;
    assert_eq!(open().await, (2, 1));
    let mut tx = db.begin().await;
    for (hour, state) in [(1, SlotState::Decided), (2, SlotState::Made), (3, SlotState::Withdrawn)] {
        tx.put_slot(&slot(1, hour, state)).await.unwrap();
    }
    tx.put_slot(&slot(2, 1, SlotState::Decided)).await.unwrap();
    tx.put_slot(&slot(2, 2, SlotState::Decided)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(open().await, (3, 3));

    let mut tx = db.begin().await;
    tx.put_slot(&slot(1, 1, SlotState::Made)).await.unwrap();
    tx.update_task(&tasks[0], &made(1, &one, Status::Completed)).await.unwrap();
    tx.delete_task(owner, tasks[3].id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(open().await, (1, 2));
}

pub(crate) async fn a_firing_is_added_once(db: &Db) {
    let owner = db.owner("ada").await;
    let first = firing(owner, 10);
    let plain = Firing { due: None, seen: true, ..firing(owner, 20) };
    let mut tx = db.begin().await;
    assert!(tx.add_firing(&first).await.unwrap());
    assert!(!tx.add_firing(&Firing { task_title: "else".into(), ..first.clone() }).await.unwrap());
    assert!(tx.add_firing(&plain).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert!(!tx.add_firing(&Firing { seen: true, ..first.clone() }).await.unwrap());
    assert_eq!(tx.firing(id(10)).await.unwrap(), Some(first.clone()));
    assert_eq!(tx.firing(id(20)).await.unwrap(), Some(plain));
    assert_eq!(tx.firing(id(11)).await.unwrap(), None);
    tx.set_seen(&[id(10)]).await.unwrap();
    tx.set_seen(&[id(404)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.read().await.firing(id(10)).await.unwrap(), Some(Firing { seen: true, ..first }));
}

pub(crate) async fn what_had_no_effect_yet_is_handed_out_oldest_first(db: &Db) {
    let owner = db.owner("ada").await;
    source(db, owner, 1).await;
    let mut tx = db.begin().await;
    for number in [30, 10, 40, 20] {
        assert!(tx.add_firing(&firing(owner, number)).await.unwrap());
    }
    for hour in [3, 1, 4, 2] {
        tx.put_slot(&slot(1, hour, SlotState::Decided)).await.unwrap();
    }
    tx.put_slot(&slot(1, 5, SlotState::Made)).await.unwrap();
    tx.put_slot(&slot(1, 6, SlotState::Withdrawn)).await.unwrap();
    tx.set_seen(&[id(20)]).await.unwrap();
    tx.commit().await.unwrap();

    let unseen = async |before, limit| db.read().await.unseen(second(before), limit).await.unwrap();
    let firings = |numbers: &[u128]| numbers.iter().map(|&number| firing(owner, number)).collect::<Vec<_>>();
    let slots = |hours: &[i64]| hours.iter().map(|&hour| slot(1, hour, SlotState::Decided)).collect::<Vec<_>>();
    assert_eq!(unseen(0, 10).await, (firings(&[]), slots(&[])));
    assert_eq!(unseen(3, 10).await, (firings(&[]), slots(&[1, 2, 3])));
    assert_eq!(unseen(30, 10).await, (firings(&[10, 30]), slots(&[1, 2, 3, 4])));
    assert_eq!(unseen(1_000, 10).await, (firings(&[10, 30, 40]), slots(&[1, 2, 3, 4])));
    assert_eq!(unseen(1_000, 2).await, (firings(&[10, 30]), slots(&[1, 2])));
}

pub(crate) async fn what_a_fast_clock_decided_is_handed_out_last(db: &Db) {
    let owner = db.owner("ada").await;
    source(db, owner, 1).await;
    let mut tx = db.begin().await;
    for number in [160, 161, 1_000, 50] {
        assert!(tx.add_firing(&firing(owner, number)).await.unwrap());
    }
    let ahead = Slot { decided_at: second(500), ..slot(1, 1, SlotState::Decided) };
    tx.put_slot(&ahead).await.unwrap();
    tx.put_slot(&slot(1, 2, SlotState::Decided)).await.unwrap();
    tx.commit().await.unwrap();
    // A minute of grace: what was decided just now is on its way.
    let (firings, slots) = db.read().await.unseen(second(100), 10).await.unwrap();
    assert_eq!(firings, [50, 161, 1_000].map(|number| firing(owner, number)));
    assert_eq!(slots, [slot(1, 2, SlotState::Decided), ahead.clone()]);
    let (firings, slots) = db.read().await.unseen(second(100), 2).await.unwrap();
    assert_eq!(firings, [50, 161].map(|number| firing(owner, number)));
    assert_eq!(slots, [slot(1, 2, SlotState::Decided), ahead]);
}
