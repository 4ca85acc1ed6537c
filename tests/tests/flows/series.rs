//! Series: which slots become tasks, and when.

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};
use todo_tests::{
    clock::TestClock,
    rest::Rest,
    system::{Ground, System},
};

use crate::{MONDAY, at, text};

/// A task with a recurrence.
async fn series(user: &Rest, due: &str, recurrence: Value) -> String {
    let task = user.create(json!({ "title": "again", "due_date": due, "recurrence": recurrence })).await;
    text(&task["id"]).to_owned()
}

/// When the instances of a series are due.
async fn slots(user: &Rest, source: &str) -> Vec<String> {
    user.instances(source).await.iter().map(|task| text(&task["due_date"]).to_owned()).collect()
}

/// Lets a day pass in two steps, so that no slot is missed.
async fn day(system: &System, clock: &TestClock) {
    system.pass(clock, TimeDelta::hours(12)).await;
    system.pass(clock, TimeDelta::hours(12)).await;
}

pub(crate) async fn every_day_at_nine_stays_nine_over_both_changes_of_the_clocks(ground: Ground) {
    let daily = json!({ "recurrence_type": "daily" });
    let cron = |expression: &str| json!({ "recurrence_type": "custom", "cron_expression": expression });
    let spring = ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"];
    let march = [
        ("2026-03-27T09:00:00", daily.clone(), spring),
        ("2026-03-27T09:00:00", cron("0 9 * * *"), spring),
        // 02:30 is in the gap on the 29th: it moves by the gap.
        (
            "2026-03-27T02:30:00",
            daily.clone(),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
        ),
    ];
    let october = [
        ("2026-10-23T09:00:00", daily, ["2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z", "2026-10-26T08:00:00Z"]),
        // It comes twice on the 25th: the first is meant.
        (
            "2026-10-23T02:30:00",
            cron("30 2 * * *"),
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
    ];
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    for (begin, cases) in [("2026-03-27T12:00:00Z", &march[..]), ("2026-10-23T12:00:00Z", &october[..])] {
        clock.set(begin);
        ann.move_to("Europe/Berlin").await;
        let mut sources = Vec::new();
        for (due, rule, _) in cases {
            sources.push(series(&ann, due, rule.clone()).await);
        }
        // The zone is the series' own: moving to another does not move it.
        ann.move_to("Asia/Tokyo").await;
        for _ in 0..3 {
            day(&system, &clock).await;
        }
        for (source, (.., expected)) in sources.iter().zip(cases) {
            assert_eq!(&slots(&ann, source).await, expected);
            assert_eq!(ann.task(source).await["recurrence"]["time_zone"], "Europe/Berlin");
            ann.delete(&format!("/api/tasks/{source}")).await.expect(204);
        }
    }
    system.stop().await;
}

pub(crate) async fn monthly_on_the_31st_skips_short_months(ground: Ground) {
    let (setup, clock) = at("2026-01-30T12:00:00Z", ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let rule = json!({ "recurrence_type": "custom", "cron_expression": "0 9 31 * *" });
    let source = series(&ann, "2026-01-30T09:00:00Z", rule.clone()).await;
    let mut date = NaiveDate::from_ymd_opt(2026, 1, 30).expect("a date");
    while date < NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date") {
        date += TimeDelta::days(5);
        system.pass(&clock, TimeDelta::days(5)).await;
    }
    let expected = ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"];
    assert_eq!(slots(&ann, &source).await, expected.map(|day| format!("{day}T09:00:00Z")));
    let preview = json!({ "recurrence": rule, "due_date": "2026-09-01T00:00:00Z", "limit": 3 });
    let preview = ann.post("/api/recurrence/preview", &preview).await.expect(200);
    assert_eq!(preview["occurrences"], json!(["2026-10-31T09:00:00Z", "2026-12-31T09:00:00Z", "2027-01-31T09:00:00Z"]));
    system.stop().await;
}

pub(crate) async fn a_rule_of_the_standard_makes_its_tasks(ground: Ground) {
    let (setup, clock) = at("2026-03-26T12:00:00Z", ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    ann.move_to("Europe/Berlin").await;
    let rule = |rule: &str| json!({ "recurrence_type": "rrule", "rrule": rule });
    // The due date is the first occurrence, whether it is a Friday or not.
    let source = series(&ann, "2026-03-26T02:30:00", rule("byday=fr,su;freq=weekly;COUNT=5;interval=1")).await;
    let state = format!("recurring:{source}");
    let read = ann.task(&source).await["recurrence"].clone();
    assert_eq!(
        (&read["rrule"], &read["count"], &read["cron_expression"]),
        (&json!("FREQ=WEEKLY;BYDAY=FR,SU"), &json!(5), &Value::Null)
    );
    for same in [read.clone(), rule("FREQ=WEEKLY;WKST=MO;BYDAY=SU,FR;COUNT=5")] {
        let body = json!({ "recurrence": same });
        let answer = ann.patch(&format!("/api/tasks/{source}"), &body).await;
        assert_eq!(answer.header("x-event-published"), Some("false"));
        assert_eq!(answer.expect(200)["recurrence"], read);
    }
    let state = todo_tests::eventually("it is stored", todo_tests::SOON, || system.state(&state)).await;
    assert_eq!((&state["recurrence_type"], &state["rrule"]), (&json!("rrule"), &json!("FREQ=WEEKLY;BYDAY=FR,SU")));
    for _ in 0..12 {
        day(&system, &clock).await;
    }
    // 02:30 is in the gap on the 29th.
    let expected = ["2026-03-27T01:30:00Z", "2026-03-29T01:30:00Z", "2026-04-03T00:30:00Z", "2026-04-05T00:30:00Z"];
    assert_eq!(slots(&ann, &source).await, expected);
    assert_eq!(ann.task(&source).await["recurrence"]["active"], false, "it was the fifth");

    let preview = |rule: Value| json!({ "recurrence": rule, "due_date": "2026-04-30T09:00:00", "limit": 3 });
    let last_friday = preview(rule("FREQ=MONTHLY;BYDAY=-1FR"));
    let last_friday = ann.post("/api/recurrence/preview", &last_friday).await.expect(200);
    assert_eq!(
        last_friday["occurrences"],
        json!(["2026-05-29T07:00:00Z", "2026-06-26T07:00:00Z", "2026-07-31T07:00:00Z"])
    );
    let never = ann.post("/api/recurrence/preview", &preview(rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"))).await;
    assert_eq!((never.code(400), never.fields()), ("VALIDATION_ERROR", vec!["recurrence.rrule"]));

    // An edit of the rule is an edit of that field, and can be undone.
    let edit =
        ann.patch(&format!("/api/tasks/{source}"), &json!({ "recurrence": rule("FREQ=DAILY;INTERVAL=3") })).await;
    let revision = edit.header("x-revision").expect("a change").to_owned();
    assert_eq!(edit.expect(200)["recurrence"]["rrule"], "FREQ=DAILY;INTERVAL=3");
    let undone = ann.act(&format!("/api/changes/{revision}/undo")).await.expect(200);
    assert_eq!(undone["task"]["recurrence"]["rrule"], read["rrule"]);
    system.stop().await;
}

pub(crate) async fn a_slot_missed_for_ten_days_is_caught_up_as_asked(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let due = "2026-03-02T09:00:00Z";
    let daily = |catch_up: &str| json!({ "recurrence_type": "daily", "catch_up": catch_up });
    let latest = series(&ann, due, json!({ "recurrence_type": "daily" })).await;
    let (all, none) = (series(&ann, due, daily("all")).await, series(&ann, due, daily("none")).await);
    system.stop().await;

    clock.advance(TimeDelta::days(11));
    let system = setup.start().await;
    let ann = system.back(&ann);
    system.settled().await;
    // The thirteenth is to come at nine.
    assert_eq!(slots(&ann, &latest).await, ["2026-03-12T09:00:00Z"]);
    let every: Vec<_> = (3..=12).map(|day| format!("2026-03-{day:02}T09:00:00Z")).collect();
    assert_eq!(slots(&ann, &all).await, every);
    assert_eq!(slots(&ann, &none).await, Vec::<String>::new());
    system.pass(&clock, TimeDelta::minutes(61)).await;
    for source in [&latest, &all, &none] {
        assert_eq!(slots(&ann, source).await.last().map(String::as_str), Some("2026-03-13T09:00:00Z"));
    }
    assert_eq!(ann.task(&none).await["recurrence"]["next_occurrence"], "2026-03-14T09:00:00Z");
    system.stop().await;
}

pub(crate) async fn a_series_ends_by_time_or_by_number(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let due = "2026-03-02T09:00:00Z";
    let until = json!({ "recurrence_type": "daily", "until": "2026-03-04T09:00:00Z" });
    // The source counts, and so does a slot that was never made.
    let count = json!({ "recurrence_type": "daily", "count": 4 });
    let (until, count) = (series(&ann, due, until).await, series(&ann, due, count).await);
    let once = series(&ann, due, json!({ "recurrence_type": "daily", "count": 1 })).await;
    assert_eq!(ann.task(&once).await["recurrence"]["active"], false);
    day(&system, &clock).await;
    day(&system, &clock).await;
    assert_eq!(ann.task(&count).await["recurrence"]["next_occurrence"], "2026-03-04T09:00:00Z");
    // Two slots are missed, of which the latest is made, and none is left.
    system.pass(&clock, TimeDelta::days(10)).await;
    assert_eq!(slots(&ann, &until).await, ["2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z"]);
    assert_eq!(slots(&ann, &count).await, ["2026-03-03T09:00:00Z", "2026-03-05T09:00:00Z"]);
    assert_eq!(slots(&ann, &once).await, Vec::<String>::new());
    for source in [until, count] {
        let recurrence = &ann.task(&source).await["recurrence"];
        assert_eq!((&recurrence["next_occurrence"], &recurrence["active"]), (&Value::Null, &json!(false)));
    }
    system.stop().await;
}

pub(crate) async fn an_open_task_makes_the_next_slot_wait_its_turn_if_asked(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let skip = json!({ "recurrence_type": "daily", "overlap": "skip" });
    let source = series(&ann, "2026-03-02T09:00:00Z", skip).await;
    day(&system, &clock).await;
    day(&system, &clock).await;
    assert_eq!(slots(&ann, &source).await, Vec::<String>::new(), "the source itself is open");
    ann.act(&format!("/api/tasks/{source}/complete")).await.expect(200);
    day(&system, &clock).await;
    assert_eq!(slots(&ann, &source).await, ["2026-03-04T09:00:00Z"], "what was skipped is gone");
    day(&system, &clock).await;
    assert_eq!(slots(&ann, &source).await.len(), 1);
    let [open] = &ann.instances(&source).await[..] else { panic!("not one") };
    ann.delete(&format!("/api/tasks/{}", text(&open["id"]))).await.expect(204);
    day(&system, &clock).await;
    assert_eq!(slots(&ann, &source).await, ["2026-03-06T09:00:00Z"]);
    system.stop().await;
}

pub(crate) async fn an_instance_appears_ahead_of_its_slot_for_lead_and_reminders(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let due = "2026-03-02T09:00:00Z";
    let lead = series(&ann, due, json!({ "recurrence_type": "weekly", "lead_seconds": 86_400 })).await;
    let weekly = json!({ "recurrence_type": "weekly" });
    let reminders = json!([
        { "before_due_seconds": 3_600 }, { "before_due_seconds": 7_200 }, { "trigger_at": "2026-04-01T00:00:00Z" },
    ]);
    let task = json!({ "title": "b", "due_date": due, "reminders": reminders, "recurrence": weekly });
    let task = ann.create(task).await;
    let reminded = text(&task["id"]);
    // Never before the slot that precedes it, however long the lead.
    let long = series(&ann, due, json!({ "recurrence_type": "daily", "lead_seconds": 604_800 })).await;

    clock.set("2026-03-02T08:59:00Z");
    system.pass(&clock, TimeDelta::zero()).await;
    assert_eq!(slots(&ann, &long).await, Vec::<String>::new());
    system.pass(&clock, TimeDelta::minutes(1)).await;
    assert_eq!(slots(&ann, &long).await, ["2026-03-03T09:00:00Z"], "one ahead");

    clock.set("2026-03-08T08:59:00Z");
    system.pass(&clock, TimeDelta::zero()).await;
    assert_eq!(slots(&ann, &lead).await, Vec::<String>::new());
    system.pass(&clock, TimeDelta::minutes(1)).await;
    assert_eq!(slots(&ann, &lead).await, ["2026-03-09T09:00:00Z"]);
    assert_eq!(ann.task(&lead).await["recurrence"]["next_occurrence"], "2026-03-09T09:00:00Z", "always after now");

    clock.set("2026-03-09T06:59:59Z");
    system.pass(&clock, TimeDelta::zero()).await;
    assert_eq!(slots(&ann, reminded).await, Vec::<String>::new());
    let before = ann.notifications().await.len();
    system.pass(&clock, TimeDelta::seconds(1)).await;
    let [instance] = &ann.instances(reminded).await[..] else { panic!("not one") };
    let offsets: Vec<_> = instance["reminders"].as_array().expect("a list").iter().collect();
    assert!(offsets.iter().all(|it| it["before_due_seconds"].is_i64()), "absolute ones are the source's own");
    let pending = offsets.iter().filter(|it| it["trigger_at"] == "2026-03-09T08:00:00Z" && it["fired"] == false);
    assert_eq!(pending.count(), 1);
    system.pass(&clock, TimeDelta::hours(1)).await;
    assert_eq!(ann.notifications().await.len() - before, 2, "both rang: the task came in time for the longest");
    system.stop().await;
}

pub(crate) async fn fifty_open_instances_are_enough(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let every_minute = json!({ "recurrence_type": "custom", "cron_expression": "* * * * *", "catch_up": "all" });
    let source = series(&ann, "2026-03-02T08:00:00Z", every_minute).await;
    system.pass(&clock, TimeDelta::minutes(48)).await;
    assert_eq!(
        (slots(&ann, &source).await.len(), &ann.task(&source).await["recurrence"]["blocked"]),
        (48, &json!(false))
    );
    system.pass(&clock, TimeDelta::minutes(12)).await;
    assert_eq!(
        (slots(&ann, &source).await.len(), &ann.task(&source).await["recurrence"]["blocked"]),
        (50, &json!(true))
    );
    system.pass(&clock, TimeDelta::hours(1)).await;
    let made = slots(&ann, &source).await;
    assert_eq!(made.len(), 50);

    // One is closed, so one more comes, and it is blocked again.
    let [first, ..] = &ann.instances(&source).await[..] else { panic!("none") };
    ann.act(&format!("/api/tasks/{}/complete", text(&first["id"]))).await.expect(200);
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert_eq!(slots(&ann, &source).await.len(), 51);
    system.pass(&clock, TimeDelta::minutes(5)).await;
    assert_eq!(slots(&ann, &source).await.len(), 51);
    let mut slots = slots(&ann, &source).await;
    slots.dedup();
    assert_eq!(slots.len(), 51, "each slot once");
    // With the series cleared nothing is blocked any more.
    ann.patch(&format!("/api/tasks/{source}"), &json!({ "recurrence": null })).await.expect(200);
    system.pass(&clock, TimeDelta::hours(1)).await;
    assert_eq!(ann.instances(&source).await.len(), 51);
    system.stop().await;
}

pub(crate) async fn a_deleted_instance_never_comes_back(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (mut ann, observer) = (system.user("ann").await, system.observe());
    let source = series(&ann, "2026-03-01T09:00:00Z", json!({ "recurrence_type": "daily", "lead_seconds": 60 })).await;
    system.pass(&clock, TimeDelta::hours(1)).await;
    let [instance] = &ann.instances(&source).await[..] else { panic!("not one") };
    let instance = text(&instance["id"]).to_owned();
    ann.delete(&format!("/api/tasks/{instance}")).await.expect(204);
    system.settled().await;

    // Not by a replay, not by an edit of its source that leaves the slot, not after everything old was purged.
    for delivery in observer.deliveries() {
        system.publish(&delivery.topic, &delivery.event).await;
    }
    system.pass(&clock, TimeDelta::seconds(1)).await;
    let path = format!("/api/tasks/{source}");
    let edit = json!({ "recurrence": { "recurrence_type": "daily", "lead_seconds": 120 } });
    ann.patch(&path, &edit).await.expect(200);
    ann.patch(&path, &json!({ "due_date": "2026-03-01T10:00:00Z" })).await.expect(200);
    ann.patch(&path, &json!({ "due_date": "2026-03-01T09:00:00Z" })).await.expect(200);
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert!(ann.instances(&source).await.iter().all(|task| task["id"] != instance.as_str()));
    clock.advance(TimeDelta::days(8));
    system.stop().await;
    let system = setup.start().await;
    ann = system.back(&ann);
    system.settled().await;
    for delivery in observer.deliveries() {
        system.publish(&delivery.topic, &delivery.event).await;
    }
    system.pass(&clock, TimeDelta::hours(1)).await;
    let made = ann.instances(&source).await;
    assert!(!made.is_empty() && made.iter().all(|task| task["id"] != instance.as_str()));
    system.stop().await;
}
