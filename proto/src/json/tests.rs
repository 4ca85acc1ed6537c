use chrono::{DateTime, NaiveDateTime, Utc};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::Timestamp;
use serde_json::json;

use super::*;
use crate::v1;

fn at(text: &str) -> Timestamp {
    let instant: DateTime<Utc> = text.parse().unwrap();
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).unwrap();
    Timestamp { seconds: instant.timestamp(), nanos }
}

fn task() -> v1::Task {
    v1::Task {
        id: "0190".to_owned(),
        title: "Pay \"rent\"\n\u{1F3E0} a+b&c=d".to_owned(),
        status: v1::Status::InProgress.into(),
        priority: v1::Priority::High.into(),
        tags: vec!["home".to_owned()],
        due_date: Some(at("2026-11-21T09:00:00Z")),
        created_at: Some(at("2026-11-01T08:00:00.120Z")),
        updated_at: Some(at("2026-11-01T08:00:00.123456Z")),
        revision: 9_007_199_254_740_993,
        reminders: vec![v1::Reminder { before_due_seconds: Some(0), ..v1::Reminder::default() }],
        recurrence: Some(v1::Recurrence {
            recurrence_type: v1::RecurrenceType::Daily.into(),
            ..v1::Recurrence::default()
        }),
        ..v1::Task::default()
    }
}

fn request<M: prost::Message + prost::Name + Default>(json: &Value) -> Result<M, Refused> {
    let message = from_json(&descriptor::<M>(), json, &Options::request(None))?;
    Ok(M::decode(message_bytes(&message).as_slice()).unwrap())
}

fn violations<M: prost::Message + prost::Name + Default + std::fmt::Debug>(json: &Value) -> Vec<(String, String)> {
    match request::<M>(json) {
        Err(Refused::Invalid(violations)) => {
            violations.into_iter().map(|violation| (violation.field, violation.message)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_task_prints_every_field_in_order_and_what_is_absent_as_null() {
    let text = String::from_utf8(text_of(&task())).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"id":"0190","user_id":"","title":"Pay \"rent\"\n🏠 a+b&c=d","description":"","status":"in_progress","#,
            r#""priority":"high","tags":["home"],"due_date":"2026-11-21T09:00:00Z","due_all_day":false,"#,
            r#""created_at":"2026-11-01T08:00:00.120Z","updated_at":"2026-11-01T08:00:00.123456Z","#,
            r#""completed_at":null,"revision":9007199254740993,"source_task_id":null,"#,
            r#""reminders":[{"id":"","trigger_at":null,"before_due_seconds":0,"fired":false,"cancelled":false,"#,
            r#""created_at":null}],"recurrence":{"id":"","recurrence_type":"daily","cron_expression":null,"#,
            r#""rrule":null,"time_zone":null,"anchor":null,"until":null,"count":null,"paused":false,"overlap":null,"#,
            r#""lead_seconds":0,"catch_up":null,"next_occurrence":null,"active":false,"created_at":null,"#,
            r#""blocked":false}}"#
        )
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), of(&task()));
}

#[test]
fn only_the_member_of_a_oneof_that_is_set_is_printed() {
    let removed = v1::watch_response::Item::TaskRemoved(v1::TaskRemoved { id: "7".to_owned() });
    let response =
        v1::WatchResponse { revision: None, event_type: "com.todo.task.deleted".to_owned(), item: Some(removed) };
    assert_eq!(
        of(&response),
        json!({ "revision": null, "event_type": "com.todo.task.deleted", "task_removed": { "id": "7" } })
    );
    assert_eq!(read::<v1::WatchResponse>(&of(&response)).unwrap(), response);
    let both = json!({ "task_removed": { "id": "7" }, "counts": {} });
    assert!(violations::<v1::WatchResponse>(&both)[0].1.starts_with("excludes "));
}

#[test]
fn changes_carry_any_json_and_whole_numbers_stay_whole() {
    let change =
        |old: Value, new: Value| v1::FieldChange { old_value: Some(value(&old)), new_value: Some(value(&new)) };
    let updated = v1::TaskUpdated {
        changes: [
            ("title".to_owned(), change(json!("a"), json!("b"))),
            ("due_date".to_owned(), change(Value::Null, json!({ "a": [1, 2.5, true, null, "x"], "b": -7 }))),
        ]
        .into(),
        ..v1::TaskUpdated::default()
    };
    let json = of(&updated);
    assert_eq!(json["changes"]["due_date"]["new_value"], json!({ "a": [1, 2.5, true, null, "x"], "b": -7 }));
    assert_eq!(json["changes"]["due_date"]["old_value"], Value::Null);
    assert_eq!(json["task"], Value::Null);
    assert_eq!(read::<v1::TaskUpdated>(&json).unwrap(), updated);
}

#[test]
fn what_was_read_can_be_sent_back() {
    let sent: v1::Task = request(&of(&task())).unwrap();
    assert_eq!(sent.title, task().title);
    assert_eq!((sent.revision, sent.created_at), (0, None), "output-only fields are ignored");
    assert_eq!(read::<v1::Task>(&of(&task())).unwrap(), task(), "an event's reader takes them");
}

#[test]
fn everything_wrong_is_said_at_once_with_its_path() {
    let body = json!({
        "title": 5,
        "priority": "urgent",
        "tags": ["a", null, 3],
        "reminders": [{}, { "trigger_at": "tomorrow", "colour": 1 }, 7],
        "recurrence": { "recurrence_type": "RECURRENCE_TYPE_DAILY", "count": 3_000_000_000_u32, "lead_seconds": 1.5 },
        "due_all_day": "yes",
        "colour": "red",
    });
    let mut found = violations::<v1::Task>(&body);
    found.sort();
    let expected = [
        ("colour", "unknown field"),
        ("due_all_day", "must be true or false"),
        ("priority", "must be one of high, medium, low"),
        ("recurrence.count", "must be a whole number from -2147483648 to 2147483647"),
        ("recurrence.lead_seconds", "must be a whole number"),
        ("recurrence.recurrence_type", "must be one of daily, weekly, custom, rrule"),
        ("reminders[1].colour", "unknown field"),
        (
            "reminders[1].trigger_at",
            "must be a time as in RFC 3339, such as 2026-11-21T09:00:00Z, 2026-11-21T09:00:00+01:00, or \
             2026-11-21T09:00 in your time zone",
        ),
        ("reminders[2]", "must be an object"),
        ("tags[1]", "must be a string"),
        ("tags[2]", "must be a string"),
        ("title", "must be a string"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(field, message)| ((*field).to_owned(), (*message).to_owned())).collect();
    assert_eq!(found, expected);
    assert_eq!(violations::<v1::Task>(&json!([])), [(String::new(), "must be an object".to_owned())]);
}

#[test]
fn null_is_absent() {
    let empty: v1::Task = request(&json!({ "title": null, "tags": null, "due_date": null, "status": null })).unwrap();
    assert_eq!(empty, v1::Task::default());
}

#[test]
fn whole_numbers_may_be_written_as_floats_within_range() {
    let read = |json: Value| request::<v1::UpdateTaskRequest>(&json!({ "expected_revision": json }));
    assert_eq!(read(json!(5.0)).unwrap().expected_revision, Some(5));
    assert_eq!(read(json!(i64::MAX)).unwrap().expected_revision, Some(i64::MAX));
    for wrong in [json!(u64::MAX), json!(1e19), json!(0.5), json!("5"), json!(true), json!(1e300)] {
        assert!(matches!(read(wrong.clone()), Err(Refused::Invalid(_))), "{wrong}");
    }
}

#[test]
fn times_take_any_offset_and_lose_what_is_finer_than_microseconds() {
    let read = |text: &str| request::<v1::Task>(&json!({ "due_date": text })).map(|task| task.due_date.unwrap());
    assert_eq!(read("2026-11-21T09:00:00+01:00"), Ok(at("2026-11-21T08:00:00Z")));
    assert_eq!(read("2026-11-21T09:00:00.1234569Z"), Ok(at("2026-11-21T09:00:00.123456Z")));
    assert_eq!(read("2026-12-31T23:59:60Z"), Ok(at("2027-01-01T00:00:00Z")), "a leap second");
    assert_eq!(read("0001-01-01T00:00:00Z"), Ok(at("0001-01-01T00:00:00Z")));
    assert_eq!(read("9999-12-31T23:59:59.999999Z"), Ok(at("9999-12-31T23:59:59.999999Z")));
    for wrong in [
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "",
        "2026-02-30",
        "2026-11-21T25:00",
        "2026-11-21T09",
    ] {
        assert!(matches!(read(wrong), Err(Refused::Invalid(_))), "{wrong}");
    }
    // What comes before the year 1 is not printable either.
    let ancient = v1::Task { due_date: Some(Timestamp { seconds: i64::MIN, nanos: -1 }), ..v1::Task::default() };
    assert_eq!(of(&ancient)["due_date"], Value::Null);
}

#[test]
fn a_time_without_an_offset_waits_for_the_zone_unless_something_is_wrong_anyway() {
    let local = |text: &str| json!({ "title": "x", "due_date": text });
    for text in ["2026-11-21T09:00", "2026-11-21T09:00:00", "2026-11-21T09:00:00.000000"] {
        assert_eq!(request::<v1::Task>(&local(text)), Err(Refused::NeedsZone), "{text}");
    }
    assert_eq!(violations::<v1::Task>(&json!({ "title": 1, "due_date": "2026-11-21" })).len(), 1);

    let one_hour_east = |local: NaiveDateTime| local.and_utc() - chrono::TimeDelta::hours(1);
    let read = |text: &str| {
        let message =
            from_json(&descriptor::<v1::Task>(), &local(text), &Options::request(Some(&one_hour_east))).unwrap();
        v1::Task::decode(message_bytes(&message).as_slice()).unwrap().due_date.unwrap()
    };
    assert_eq!(read("2026-11-21T09:00"), at("2026-11-21T08:00:00Z"));
    assert_eq!(read("2026-11-21T09:00:01.5"), at("2026-11-21T08:00:01.5Z"));
    assert_eq!(read("2026-11-21"), at("2026-11-20T23:00:00Z"), "a date is its start");
}

#[test]
fn a_mask_is_the_keys_that_a_client_may_set() {
    let body = json!({ "title": "x", "due_date": null, "revision": 5, "created_at": null, "colour": 1 });
    let mut paths = mask_of(&body, &descriptor::<v1::Task>()).paths;
    paths.sort();
    assert_eq!(paths, ["due_date", "title"]);
    let read: v1::UpdateTaskRequest = request(&json!({ "update_mask": "title, due_date" })).unwrap();
    assert_eq!(read.update_mask.unwrap().paths, ["title", "due_date"]);
}

#[test]
fn single_fields_are_read_without_the_rest() {
    let (task, wire) = (descriptor::<v1::Task>(), task().encode_to_vec());
    assert_eq!(int_field(&task, &wire, "revision"), Some(9_007_199_254_740_993));
    assert_eq!(text_field(&task, &wire, "id"), Some("0190"));
    assert_eq!((text_field(&task, &wire, "user_id"), text_field(&task, &wire, "colour")), (None, None));
}

#[test]
fn what_is_no_message_is_not_printed() {
    let wire = task().encode_to_vec();
    let mut text = Vec::new();
    assert_eq!(transcode(&descriptor::<v1::Task>(), &wire[..wire.len() - 1], &mut text), Err(Malformed));
    assert_eq!(transcode(&descriptor::<v1::Counts>(), &wire, &mut text), Err(Malformed));
}

#[test]
fn an_event_from_a_newer_version_is_read() {
    let json = json!({ "task_id": "7", "weight": 3 });
    assert_eq!(read::<v1::TaskDeleted>(&json).unwrap().task_id, "7");
    assert_eq!(read::<v1::TaskDeleted>(&json!({ "task_id": 7 })).unwrap_err()[0].field, "task_id");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,12})?)?(Z|\\+[0-9]{2}:[0-9]{2})?)?"
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        "(title|due_date|tags|reminders|trigger_at|recurrence|count|until|status|changes|old_value|task|revision)",
        ".{0,3}",
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-62_135_596_800..=253_402_300_799_i64, 0..1_000_000_i32))
        .prop_map(|time| time.map(|(seconds, micros)| Timestamp { seconds, nanos: micros * 1000 }))
}

fn any_task() -> impl Strategy<Value = v1::Task> {
    let reminder =
        (any_time(), any::<Option<i64>>(), any::<bool>()).prop_map(|(trigger_at, before_due_seconds, fired)| {
            v1::Reminder { trigger_at, before_due_seconds, fired, ..v1::Reminder::default() }
        });
    let recurrence = (0..=4, any::<Option<String>>(), any_time(), any::<Option<i32>>(), 0..=3).prop_map(
        |(recurrence_type, rrule, until, count, catch_up)| v1::Recurrence {
            recurrence_type,
            rrule,
            until,
            count,
            catch_up,
            ..v1::Recurrence::default()
        },
    );
    let text = (any::<String>(), any::<Option<String>>(), any::<Vec<String>>());
    (text, 0..=3, any_time(), any::<i64>(), prop::collection::vec(reminder, 0..4), prop::option::of(recurrence))
        .prop_map(|((title, source_task_id, tags), status, due_date, revision, reminders, recurrence)| v1::Task {
            title,
            source_task_id,
            tags,
            status,
            due_date,
            revision,
            reminders,
            recurrence,
            ..v1::Task::default()
        })
}

proptest! {
    #[test]
    fn tasks_survive_the_round_trip(task in any_task()) {
        prop_assert_eq!(&read::<v1::Task>(&of(&task)).unwrap(), &task);
        let text: Value = serde_json::from_slice(&text_of(&task)).unwrap();
        prop_assert_eq!(text, of(&task));
    }

    #[test]
    fn wire_garbage_never_panics(wire in prop::collection::vec(any::<u8>(), 0..64)) {
        for descriptor in pool().all_messages() {
            let mut text = Vec::new();
            // Some of it is a message by chance, and then its JSON is JSON.
            if transcode(&descriptor, &wire, &mut text).is_ok() {
                prop_assert!(serde_json::from_slice::<Value>(&text).is_ok());
            }
        }
    }

    #[test]
    fn garbage_never_panics(json in any_json(), ours in any::<bool>(), zone in any::<bool>()) {
        let utc = |local: NaiveDateTime| local.and_utc();
        let options = Options { zone: zone.then_some(&utc as _), ours };
        for descriptor in pool().all_messages() {
            let _ = mask_of(&json, &descriptor);
            if let Ok(message) = from_json(&descriptor, &json, &options) {
                let _ = to_json(&message);
            }
        }
    }
}
