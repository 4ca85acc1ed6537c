//! Every limit of product.md: at, below and above it, on REST and gRPC alike.

use serde_json::{Value, json};
use todo_proto::v1;
use todo_tests::{
    rest::Rest,
    system::{Ground, System},
    web,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    MONDAY, at,
    surface::{Call, Outcome, Rpc, Surface},
    text,
};

/// One letter of two bytes, and one of four: a limit counts neither bytes nor UTF-16.
const LETTERS: [&str; 2] = ["ü", "🦀"];

struct Scene {
    system: System,
    ann: Rest,
}

impl Scene {
    async fn new(ground: Ground) -> Self {
        let (setup, _clock) = at(MONDAY, ground);
        let system = setup.start().await;
        let ann = system.user("ann").await;
        Self { system, ann }
    }

    /// Makes a call on every surface, each with a body of its own, and says what all of them say.
    async fn everywhere(&self, rpc: Rpc, id: &str, body: impl Fn(Surface) -> Value) -> Outcome {
        let mut outcomes = Vec::new();
        for surface in Surface::ALL {
            outcomes.push(Call::new(rpc, id, body(surface)).on(surface, &self.ann, &self.system.grpc()).await);
        }
        let refusals: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().err()).collect();
        assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{rpc:?}: {outcomes:?}");
        outcomes.remove(0)
    }

    /// Values of a field, each with whether a new task may have it.
    async fn create(&self, refused_as: &str, cases: Vec<(Value, bool)>) {
        for (fields, is_fine) in cases {
            let mut task = json!({ "title": "a" });
            for (name, value) in fields.as_object().expect("fields") {
                task[name] = value.clone();
            }
            let outcome = self.everywhere(Rpc::Create, "", |_| task.clone()).await;
            expect(&task, outcome, refused_as, is_fine);
        }
    }

    /// Queries of the list, each with whether it is answered.
    async fn list(&self, refused_as: &str, cases: Vec<(Value, bool)>) {
        for (query, is_fine) in cases {
            let outcome = self.everywhere(Rpc::List, "", |_| query.clone()).await;
            expect(&query, outcome, refused_as, is_fine);
        }
    }
}

fn expect(request: &Value, outcome: Outcome, refused_as: &str, is_fine: bool) {
    let shown = request.to_string();
    let shown: String = shown.chars().take(100).collect();
    match outcome {
        Ok(_) => assert!(is_fine, "{shown} was taken"),
        Err((reason, fields)) => {
            assert!(!is_fine, "{shown} was refused: {fields:?}");
            assert_eq!((reason.as_str(), &fields[..]), ("VALIDATION_ERROR", &[refused_as.to_owned()][..]), "{shown}");
        }
    }
}

/// A text field with so many letters, with whether that is fine.
fn lengths(field: &str, cases: &[(usize, bool)]) -> Vec<(Value, bool)> {
    let of = |letter: &'static str| cases.iter().map(move |(length, fine)| (letter.repeat(*length), *fine));
    LETTERS.into_iter().flat_map(of).map(|(text, fine)| (json!({ field: text }), fine)).collect()
}

fn numbers(field: &str, cases: &[(i64, bool)]) -> Vec<(Value, bool)> {
    cases.iter().map(|(number, fine)| (json!({ field: number }), *fine)).collect()
}

pub(crate) async fn the_texts_of_a_task(ground: Ground) {
    let scene = Scene::new(ground).await;
    scene
        .create("title", lengths("title", &[(0, false), (1, true), (2, true), (199, true), (200, true), (201, false)]))
        .await;
    scene.create("description", lengths("description", &[(0, true), (1999, true), (2000, true), (2001, false)])).await;
    // Counted after trimming, in normal form C: e and its accent are one.
    let odd = vec![
        (json!({ "title": "   " }), false),
        (json!({ "title": format!("  {}\u{a0}", "a".repeat(200)) }), true),
        (json!({ "title": "e\u{301}".repeat(200) }), true),
        (json!({ "title": "e\u{301}".repeat(201) }), false),
        (json!({ "title": "a\0b" }), false),
    ];
    scene.create("title", odd).await;
    scene.create("description", vec![(json!({ "description": "\0" }), false)]).await;
    let kept = scene.ann.create(json!({ "title": " cafe\u{301} ", "description": " e\u{301} " })).await;
    assert_eq!((&kept["title"], &kept["description"]), (&json!("café"), &json!(" é ")));

    let tag = |length| json!({ "tags": ["ok", "x".repeat(length)] });
    scene
        .create("tags[1]", vec![(tag(0), false), (tag(1), true), (tag(49), true), (tag(50), true), (tag(51), false)])
        .await;
    scene
        .create("tags[1]", vec![(json!({ "tags": ["ok", " \t"] }), false), (json!({ "tags": ["ok", "\0"] }), false)])
        .await;
    let tags = |count| json!({ "tags": (0..count).map(|n| format!("tag {n}")).collect::<Vec<_>>() });
    scene.create("tags", vec![(tags(0), true), (tags(9), true), (tags(10), true), (tags(11), false)]).await;
    let kept = scene.ann.create(json!({ "title": "a", "tags": ["Ä", " b ", "a\u{308}", "B"] })).await;
    assert_eq!(kept["tags"], json!(["Ä", "b"]), "no duplicates whatever the case, and the order is kept");
    scene.system.stop().await;
}

pub(crate) async fn the_times_of_a_task(ground: Ground) {
    let scene = Scene::new(ground).await;
    let reminders = |count: i64| {
        let reminder = |minute| json!({ "trigger_at": format!("2026-04-01T10:{minute:02}:00Z") });
        json!({ "reminders": (0..count).map(reminder).collect::<Vec<_>>() })
    };
    let cases = vec![(reminders(0), true), (reminders(4), true), (reminders(5), true), (reminders(6), false)];
    scene.create("reminders", cases).await;
    let at = |time: &str| json!({ "reminders": [{ "trigger_at": time }] });
    let cases = [("2026-03-02T07:59:59Z", false), (MONDAY, false), ("2026-03-02T08:00:01Z", true)];
    scene.create("reminders[0].trigger_at", cases.map(|(time, fine)| (at(time), fine)).to_vec()).await;
    let before =
        |seconds: i64| json!({ "due_date": "2030-01-01T00:00:00Z", "reminders": [{ "before_due_seconds": seconds }] });
    let cases = [(-1, false), (0, true), (31_535_999, true), (31_536_000, true), (31_536_001, false)];
    let cases = cases.map(|(seconds, fine)| (before(seconds), fine)).to_vec();
    scene.create("reminders[0].before_due_seconds", cases).await;
    let undated = json!({ "reminders": [{ "before_due_seconds": 60 }] });
    scene.create("reminders[0].before_due_seconds", vec![(undated, false)]).await;
    let due = |time: &str| json!({ "due_date": time });
    let cases = [("1899-12-31T23:59:59Z", false), ("1900-01-01T00:00:00Z", true), ("9999-12-31T23:59:59Z", true)];
    scene.create("due_date", cases.map(|(time, fine)| (due(time), fine)).to_vec()).await;
    scene.system.stop().await;
}

pub(crate) async fn the_numbers_of_a_series(ground: Ground) {
    let scene = Scene::new(ground).await;
    let with = |field: &str, value: Value| {
        let mut recurrence = json!({ "recurrence_type": "daily" });
        recurrence[field] = value;
        json!({ "recurrence": recurrence })
    };
    let counts = [(0, false), (1, true), (2, true), (9_999, true), (10_000, true), (10_001, false), (-1, false)];
    let counts = counts.map(|(count, fine)| (with("count", json!(count)), fine)).to_vec();
    scene.create("recurrence.count", counts).await;
    let leads = [(-1, false), (0, true), (1, true), (31_535_999, true), (31_536_000, true), (31_536_001, false)];
    let leads = leads.map(|(seconds, fine)| (with("lead_seconds", json!(seconds)), fine)).to_vec();
    scene.create("recurrence.lead_seconds", leads).await;
    let untils = [("2026-03-02T07:59:59Z", false), (MONDAY, true), ("2026-03-02T08:00:01Z", true)];
    let untils = untils.map(|(time, fine)| (with("until", json!(time)), fine)).to_vec();
    scene.create("recurrence.until", untils).await;
    let zones = [("Europe/Berlin", true), ("Berlin", false), ("+01:00", false)];
    let zones = zones.map(|(zone, fine)| (with("time_zone", json!(zone)), fine)).to_vec();
    scene.create("recurrence.time_zone", zones).await;

    let cron =
        |expression: &str| json!({ "recurrence": { "recurrence_type": "custom", "cron_expression": expression } });
    // A list of minutes as long as it takes; an odd length ends with a minute of two digits.
    let minutes = |length: usize| {
        let rest = if length.is_multiple_of(2) { "59 9 1 1 1" } else { "9 9 1 1 1" };
        format!("{}{rest}", "0,".repeat((length - rest.len()) / 2))
    };
    assert_eq!([99, 100, 101].map(|length| minutes(length).len()), [99, 100, 101]);
    let cases = vec![
        (cron(&minutes(99)), true),
        (cron(&minutes(100)), true),
        (cron(&minutes(101)), false),
        (cron("0 9 * * mon-fri"), true),
        (cron("*/5 8-18/2 1,15 jan,DEC *"), true),
        (cron(""), false),
        (cron("0 9 * *"), false),
        (cron("60 9 * * *"), false),
        (cron("0 9 31 2 *"), false),
        (cron("every day"), false),
    ];
    scene.create("recurrence.cron_expression", cases).await;
    let daily = json!({ "recurrence": { "recurrence_type": "daily", "cron_expression": "0 9 * * *" } });
    scene.create("recurrence.cron_expression", vec![(daily, false)]).await;
    let rrule = |rule: &str| json!({ "recurrence": { "recurrence_type": "rrule", "rrule": rule } });
    let minutes = |length: usize| {
        let start = "FREQ=DAILY;BYMINUTE=";
        let rest = if length.is_multiple_of(2) { "59" } else { "9" };
        format!("{start}{}{rest}", "0,".repeat((length - start.len() - rest.len()) / 2))
    };
    assert_eq!([499, 500, 501].map(|length| minutes(length).len()), [499, 500, 501]);
    let cases = vec![
        (rrule(&minutes(499)), true),
        (rrule(&minutes(500)), true),
        (rrule(&minutes(501)), false),
        (rrule("FREQ=DAILY;INTERVAL=0"), false),
        (rrule("FREQ=MINUTELY;INTERVAL=1"), true),
        (rrule("FREQ=MINUTELY;INTERVAL=1000000"), true),
        (rrule("FREQ=MINUTELY;INTERVAL=1000001"), false),
        (rrule("FREQ=YEARLY;INTERVAL=50"), true),
        (rrule("FREQ=YEARLY;INTERVAL=51"), false),
        (rrule("RRULE:FREQ=MONTHLY;BYDAY=-1FR"), true),
        (rrule("DTSTART:20260302T080000Z\nRRULE:FREQ=DAILY"), false),
        (rrule("FREQ=SECONDLY"), false),
        (rrule("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"), false),
        (rrule(""), false),
        (rrule("every day"), false),
    ];
    scene.create("recurrence.rrule", cases).await;
    let daily = json!({ "recurrence": { "recurrence_type": "daily", "rrule": "FREQ=DAILY" } });
    scene.create("recurrence.rrule", vec![(daily, false)]).await;
    let completion = |field: &str, value: Value| json!({ "recurrence": { "recurrence_type": "daily", "anchor": "completion", field: value } });
    for (field, fine, refused) in [
        ("lead_seconds", json!(0), json!(1)),
        ("overlap", json!("keep"), json!("skip")),
        ("catch_up", json!("latest"), json!("all")),
    ] {
        let cases = vec![(completion(field, fine), true), (completion(field, refused), false)];
        scene.create(&format!("recurrence.{field}"), cases).await;
    }
    scene.system.stop().await;
}

pub(crate) async fn the_numbers_and_texts_of_a_list(ground: Ground) {
    let scene = Scene::new(ground).await;
    scene
        .list(
            "limit",
            numbers("limit", &[(-1, false), (0, false), (1, true), (999, true), (1000, true), (1001, false)]),
        )
        .await;
    scene.list("offset", numbers("offset", &[(-1, false), (0, true), (1, true)])).await;
    scene.list("search", lengths("search", &[(0, true), (1, true), (199, true), (200, true), (201, false)])).await;
    scene.list("search", vec![(json!({ "search": "a\0" }), false)]).await;
    scene
        .list("tag", vec![(json!({ "tag": ["x".repeat(50)] }), true), (json!({ "tag": ["x".repeat(51)] }), false)])
        .await;
    let tags = |count| json!({ "tag": (0..count).map(|n| format!("tag {n}")).collect::<Vec<_>>() });
    scene.list("tag", vec![(tags(10), true), (tags(11), false)]).await;
    scene.list("page_token", vec![(json!({ "page_token": "bm8" }), false)]).await;
    // What REST reads by name is refused with the names.
    for (query, field, names) in [
        ("sort_by=colour", "sort_by", "created_at, updated_at, due_date, priority, title"),
        ("sort_order=up", "sort_order", "asc, desc"),
        ("status=done", "status[0]", "pending, in_progress, completed"),
        ("priority=high&priority=urgent", "priority[1]", "high, medium, low"),
    ] {
        let answer = scene.ann.get(&format!("/api/tasks?{query}")).await;
        assert_eq!((answer.code(400), &answer.fields()[..]), ("VALIDATION_ERROR", &[field][..]));
        assert!(text(&answer.body["error"]["details"][0]["message"]).contains(names), "{}", answer.body);
    }
    let mut tasks = v1::task_service_client::TaskServiceClient::new(scene.system.grpc());
    let unknown = v1::ListTasksRequest { sort_by: 99, status: vec![9], priority: vec![0], ..Default::default() };
    let status = tasks.list_tasks(scene.ann.call(unknown)).await.expect_err("unknown numbers");
    assert_eq!(crate::surface::refused(&status).1, ["status", "priority", "sort_by"]);
    let notifications = Call::new(Rpc::Notifications, "", json!({ "limit": 1001 }));
    for surface in Surface::ALL {
        let refused = notifications.on(surface, &scene.ann, &scene.system.grpc()).await.expect_err("too many");
        assert_eq!(refused.1, ["limit"]);
    }
    scene.system.stop().await;
}

pub(crate) async fn the_texts_of_an_account(ground: Ground) {
    let scene = Scene::new(ground).await;
    let account = |surface: Surface, case: &str| {
        let email = format!("{case}-{surface:?}@example.org").to_lowercase();
        json!({ "email": email, "password": "correct horse", "display_name": "a" })
    };
    let mut number = 0;
    let mut cases = Vec::new();
    for (length, fine) in [(7, false), (8, true), (128, true), (129, false)] {
        cases.push(("password", "ü".repeat(length), fine));
    }
    for (length, fine) in [(0, false), (1, true), (100, true), (101, false)] {
        cases.push(("display_name", "🦀".repeat(length), fine));
    }
    for (zone, fine) in [("Europe/Berlin", true), ("Europe/Nowhere", false)] {
        cases.push(("time_zone", zone.to_owned(), fine));
    }
    for address in ["", "ann", "ann@", "ann@example", "a b@example.org"] {
        cases.push(("email", address.to_owned(), false));
    }
    for (field, value, fine) in cases {
        number += 1;
        let outcome = scene
            .everywhere(Rpc::SignUp, "", |surface| {
                let mut account = account(surface, &format!("case{number}"));
                account[field] = json!(value);
                account
            })
            .await;
        expect(&json!({ field: value }), outcome, field, fine);
    }
    // 254 characters at most, of which 64 before the @ (RFC 5321).
    let label = "d".repeat(63);
    let address = |local: usize| format!("{}@{label}.{label}.{}.com", "a".repeat(local), "d".repeat(57));
    assert_eq!(address(64).len(), 254);
    let long = |local| json!({ "email": address(local), "password": "correct horse", "display_name": "a" });
    assert_eq!(scene.system.rest().post("/api/auth/signup", &long(64)).await.expect(201)["email"], address(64));
    assert_eq!(scene.system.rest().post("/api/auth/signup", &long(65)).await.fields(), ["email"]);
    let change = json!({ "current_password": "correct horse", "new_password": "short" });
    assert_eq!(scene.ann.post("/api/auth/password", &change).await.fields(), ["new_password"]);
    scene.system.stop().await;
}

pub(crate) async fn a_body_has_at_most_a_mebibyte(ground: Ground) {
    const MEBIBYTE: usize = 1024 * 1024;
    let scene = Scene::new(ground).await;
    let send = async |length: usize| {
        let mut body = json!({ "title": "large" }).to_string();
        body.push_str(&" ".repeat(length - body.len()));
        let request = scene.ann.request(reqwest::Method::POST, "/api/tasks");
        request.header("content-type", "application/json").body(body).send().await.expect("an answer")
    };
    assert_eq!(send(MEBIBYTE - 1).await.status(), 201);
    assert_eq!(send(MEBIBYTE).await.status(), 201);
    let refused = send(MEBIBYTE + 1).await;
    assert_eq!(refused.status(), 413);
    assert_eq!(refused.headers()["connection"], "close");
    let body: Value = refused.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "PAYLOAD_TOO_LARGE");

    // A message that is filled up with a field that nobody knows: number 100, of bytes.
    let message = |length: usize| {
        let task = v1::Task { title: "large".to_owned(), ..Default::default() };
        let mut message = prost::Message::encode_to_vec(&v1::CreateTaskRequest { task: Some(task) });
        let filler = length - message.len() - 5;
        message.extend([0xa2, 0x06]);
        prost::encoding::encode_varint(filler as u64, &mut message);
        message.resize(length, 0);
        message
    };
    for (length, fine) in [(MEBIBYTE - 1, true), (MEBIBYTE, true), (MEBIBYTE + 1, false)] {
        let path = "/todo.v1.TaskService/CreateTask";
        let outcome = web::call_bytes::<v1::Task>(&scene.ann, path, &message(length)).await;
        match outcome {
            Ok(_) => assert!(fine, "{length} was taken"),
            Err(status) => assert_eq!((fine, status.code()), (false, Code::ResourceExhausted), "{status:?}"),
        }
    }
    scene.system.stop().await;
}

pub(crate) async fn an_idempotency_key_has_at_most_255_characters(ground: Ground) {
    let scene = Scene::new(ground).await;
    for (key, fine) in
        [("k".to_owned(), true), ("k".repeat(254), true), ("k".repeat(255), true), ("k".repeat(256), false)]
    {
        let headers = [("idempotency-key", key.as_str())];
        let answer =
            scene.ann.send(reqwest::Method::POST, "/api/tasks", &headers, Some(&json!({ "title": "a" }))).await;
        if fine {
            answer.expect(201);
        } else {
            assert_eq!((answer.code(400), &answer.fields()[..]), ("VALIDATION_ERROR", &["Idempotency-Key"][..]));
        }
        let task = v1::Task { title: "a".to_owned(), ..Default::default() };
        let mut request = scene.ann.call(v1::CreateTaskRequest { task: Some(task) });
        request.metadata_mut().insert("idempotency-key", format!("g{}", &key[1..]).parse().expect("ASCII"));
        let mut client = v1::task_service_client::TaskServiceClient::new(scene.system.grpc());
        assert_eq!(client.create_task(request).await.is_ok(), fine);
    }
    scene.system.stop().await;
}

pub(crate) async fn everything_wrong_is_said_at_once_and_nothing_is_half_done(ground: Ground) {
    let scene = Scene::new(ground).await;
    let task = json!({
        "title": "", "description": "x".repeat(2001), "tags": ["", "ok", "y".repeat(51)], "due_all_day": true,
        "reminders": [{ "trigger_at": "2020-01-01T00:00:00Z" }, {}, { "before_due_seconds": -1 }],
        "recurrence": { "recurrence_type": "custom", "cron_expression": "*", "time_zone": "Mars", "count": 0,
                        "lead_seconds": -1 },
    });
    let Err((reason, mut fields)) = scene.everywhere(Rpc::Create, "", |_| task.clone()).await else { panic!("taken") };
    fields.sort();
    let expected = [
        "description",
        "due_all_day",
        "recurrence.count",
        "recurrence.cron_expression",
        "recurrence.lead_seconds",
        "recurrence.time_zone",
        "reminders[0].trigger_at",
        "reminders[1]",
        "reminders[2].before_due_seconds",
        "tags[0]",
        "tags[2]",
        "title",
    ];
    assert_eq!(
        (reason.as_str(), &fields.iter().map(String::as_str).collect::<Vec<_>>()[..]),
        ("VALIDATION_ERROR", &expected[..])
    );

    let kept = scene.ann.create(json!({ "title": "kept" })).await;
    let half = json!({ "title": "changed", "priority": "low", "tags": [""] });
    scene.everywhere(Rpc::Update, text(&kept["id"]), |_| half.clone()).await.expect_err("one is wrong");
    assert_eq!(scene.ann.tasks("").await, [kept]);

    // Of what is no such field at all, REST says the name.
    let odd =
        json!({ "titel": "a", "title": 7, "priority": "urgent", "tags": "a", "due_date": "soon", "status": null });
    let answer = scene.ann.post("/api/tasks", &odd).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        (answer.code(400), &fields[..]),
        ("VALIDATION_ERROR", &["due_date", "priority", "tags", "titel", "title"][..])
    );
    let message = text(&answer.body["error"]["message"]);
    assert!(message.contains("titel") && message.contains("high, medium, low"), "{message}");
    for body in ["", "{", "[]", "null", "\"x\"", "{\"title\":\"a\",}"] {
        let request = scene.ann.request(reqwest::Method::POST, "/api/tasks").header("content-type", "application/json");
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{body}");
    }
    scene.system.stop().await;
}

pub(crate) async fn what_is_no_value_is_said_with_what_breaks_a_rule(ground: Ground) {
    let scene = Scene::new(ground).await;
    let mixed = json!({
        "title": "", "priority": "urgent", "tags": ["y".repeat(51)], "colour": 7,
        "reminders": [{ "trigger_at": "soon" }, { "trigger_at": "2020-01-01T00:00:00Z" }],
    });
    let expected = ["colour", "priority", "reminders[0].trigger_at", "reminders[1].trigger_at", "tags[0]", "title"];
    let said = |answer: &todo_tests::rest::Answer| {
        let mut fields: Vec<_> = answer.fields().into_iter().map(ToOwned::to_owned).collect();
        fields.sort();
        (answer.code(400).to_owned(), fields)
    };
    let wrong = |fields: &[&str]| ("VALIDATION_ERROR".to_owned(), fields.iter().map(ToString::to_string).collect());
    assert_eq!(said(&scene.ann.post("/api/tasks", &mixed).await), wrong(&expected));
    let kept = scene.ann.create(json!({ "title": "kept" })).await;
    let path = format!("/api/tasks/{}", text(&kept["id"]));
    assert_eq!(said(&scene.ann.patch(&path, &mixed).await), wrong(&expected));
    // A part that cannot be read is not judged, and the rest of the change is not made.
    let half = json!({ "title": "changed", "priority": "urgent", "due_date": ["soon"] });
    assert_eq!(said(&scene.ann.patch(&path, &half).await), wrong(&["due_date", "priority"]));
    assert_eq!(said(&scene.ann.post("/api/tasks", &half).await), wrong(&["due_date", "priority"]));
    assert_eq!(
        said(&scene.ann.get("/api/tasks?limit=0&status=urgent&page_token=x").await),
        wrong(&["limit", "page_token", "status[0]"])
    );
    assert_eq!(scene.ann.tasks("").await, std::slice::from_ref(&kept));
    // Who asks comes first.
    let nobody = scene.system.rest();
    assert_eq!(nobody.post("/api/tasks", &mixed).await.code(401), "MISSING_TOKEN");

    let mut tasks = v1::task_service_client::TaskServiceClient::new(scene.system.grpc());
    let unknown = v1::Task { priority: 99, status: 99, ..v1::Task::default() };
    let request = scene.ann.call(v1::CreateTaskRequest { task: Some(unknown) });
    let status = tasks.create_task(request).await.expect_err("three things are wrong");
    let details = status.get_details_bad_request().expect("details");
    let fields: Vec<_> = details.field_violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["status", "priority", "title"]);
    // What is only to be judged is not done.
    let mut request = scene.ann.call(v1::DeleteTaskRequest { id: text(&kept["id"]).to_owned(), ..Default::default() });
    request.metadata_mut().insert("x-validate-only", "true".parse().expect("ASCII"));
    tasks.delete_task(request).await.expect("it could be done");
    assert_eq!(scene.ann.tasks("").await, [kept]);
    scene.system.stop().await;
}
