//! What users do: a move is drawn, made, and its answer held against what was told before.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::{Timestamp, clock};
use todo_tests::dice::Dice;

use crate::{
    told::{Known, Told, content, text},
    world::{Answer, World},
};

/// A user at work.
pub(crate) struct User<'a> {
    pub(crate) number: usize,
    pub(crate) world: &'a World,
    pub(crate) told: &'a mut Told,
    pub(crate) dice: &'a mut Dice,
    /// A number that no other move has.
    pub(crate) serial: usize,
}

impl User<'_> {
    /// Makes a move; says which.
    pub(crate) async fn act(mut self) -> String {
        let tasks = self.told.there();
        if tasks.is_empty() || self.dice.percent(30) {
            return self.create().await;
        }
        let task = self.dice.pick(&tasks).clone();
        match self.dice.below(100) {
            0..=24 => self.edit(&task).await,
            25..=39 => self.series(&tasks).await,
            40..=49 => self.complete(&task).await,
            50..=56 => self.delete(&task).await,
            57..=68 => self.undo().await,
            69..=81 => self.instance().await,
            82..=91 => self.notification().await,
            92..=95 => self.repeat().await,
            96..=97 => self.stale(&task).await,
            _ => self.gone().await,
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.world.ask(self.number, (method, path), &[], body).await
    }

    async fn create(&mut self) -> String {
        let mut body = json!({ "title": format!("task {}", self.serial) });
        if self.dice.percent(30) {
            body["tags"] = json!(["home", format!("tag {}", self.serial)]);
            body["priority"] = json!(self.dice.pick(&["high", "medium", "low"]));
            body["description"] = json!("as was asked");
        }
        let due = self.dice.percent(60).then(|| self.moment(-7_200, 7_200));
        if let Some(due) = due {
            body["due_date"] = json!(clock::name(due));
            body["due_all_day"] = json!(self.dice.percent(15));
        }
        if self.dice.percent(60) {
            body["reminders"] = self.reminders(due.is_some());
        }
        if self.dice.percent(40) {
            body["recurrence"] = self.recurrence();
        }
        let key = self.dice.uuid().to_string();
        let by_id = self.dice.percent(30);
        if by_id {
            body["id"] = json!(key);
        }
        let headers: Vec<_> = (!by_id).then(|| ("idempotency-key", key.clone())).into_iter().collect();
        let answer = self.world.ask(self.number, ("POST", "/api/tasks"), &headers, Some(&body)).await;
        if answer.status == 400 && body["recurrence"]["until"].is_string() {
            assert_eq!(answer.body["error"]["details"][0]["field"], "recurrence.until", "{}", answer.body);
            return "a series that ends before it begins".to_owned();
        }
        assert_eq!(answer.status, 201, "{body} -> {}", answer.body);
        let task = &answer.body;
        assert_eq!((&task["title"], &task["status"]), (&body["title"], &json!("pending")));
        let id = text(task, "id");
        self.told.tasks.insert(id.clone(), Known::There(task.clone()));
        self.told.undoable((answer.revision, self.world.now()), &Value::Null, task);
        self.told.repeatable.push(((!by_id).then_some(key), body.clone(), id.clone()));
        format!("create {id} {body}")
    }

    /// A create again: it is the same one.
    async fn repeat(&mut self) -> String {
        if self.told.repeatable.is_empty() {
            return "nothing to repeat".to_owned();
        }
        let (key, body, id) = self.dice.pick(&self.told.repeatable).clone();
        let headers: Vec<_> = key.clone().map(|key| ("idempotency-key", key)).into_iter().collect();
        let answer = self.world.ask(self.number, ("POST", "/api/tasks"), &headers, Some(&body)).await;
        match (&self.told.tasks[&id], key) {
            // By its key, the answer is what it was then.
            (_, Some(_)) => assert_eq!((answer.status, text(&answer.body, "id")), (201, id.clone()), "{}", answer.body),
            // By its id, it is the task as it is.
            (Known::There(told), None) if answer.status == 201 => {
                let (told, answer) = (told.clone(), answer.body);
                self.told.changed(&told, &answer, &[]);
            }
            // A task that was deleted and came back by an undo does not know any more who asked for it.
            (Known::There(_), None) => {
                assert!(answer.status == 409 && self.told.returned.contains(&id), "{}", answer.body);
            }
            (Known::Gone, None) => assert_eq!(answer.status, 409, "{}", answer.body),
        }
        format!("create {id} again")
    }

    async fn edit(&mut self, task: &Value) -> String {
        let open = task["status"] != "completed";
        let has_due = !task["due_date"].is_null();
        let mut body = json!({});
        for _ in 0..self.dice.between(1, 2) {
            match self.dice.below(9) {
                0 => body["title"] = json!(format!("task {}", self.serial)),
                1 => body["priority"] = json!(self.dice.pick(&["high", "medium", "low"])),
                2 | 3 => body["due_date"] = json!(clock::name(self.moment(-7_200, 7_200))),
                4 if self.dice.percent(30) => body["due_date"] = Value::Null,
                4 | 5 => body["recurrence"] = if self.dice.percent(25) { Value::Null } else { self.recurrence() },
                6 => body["reminders"] = self.reminders(has_due && body["due_date"] == Value::Null),
                7 if !task["recurrence"].is_null() => {
                    // As it was read, standing still or going on.
                    let mut recurrence = task["recurrence"].clone();
                    recurrence["paused"] = json!(recurrence["paused"] != true);
                    body["recurrence"] = recurrence;
                }
                7 => body["description"] = json!(format!("edit {}", self.serial)),
                _ if open => body["status"] = json!(self.dice.pick(&["pending", "in_progress", "completed"])),
                _ => body["status"] = json!("pending"),
            }
        }
        if body.get("due_date").is_some_and(Value::is_null) {
            // Relative reminders need a due date.
            body.as_object_mut().expect("it is one").remove("reminders");
        }
        self.patch(task, body).await
    }

    /// Changes when the tasks of a series appear.
    async fn series(&mut self, tasks: &[Value]) -> String {
        let sources: Vec<_> = tasks.iter().filter(|task| !task["recurrence"].is_null()).collect();
        if sources.is_empty() {
            return "no series yet".to_owned();
        }
        let task = *self.dice.pick(&sources);
        let mut recurrence = task["recurrence"].clone();
        let body = match self.dice.below(4) {
            0 => json!({ "recurrence": self.recurrence() }),
            1 if recurrence["anchor"] == "schedule" => {
                recurrence["lead_seconds"] = json!(self.dice.pick(&[0, 60, 3_600, 86_400]));
                json!({ "recurrence": recurrence })
            }
            _ => json!({ "due_date": clock::name(self.moment(-1_200, 300)) }),
        };
        self.patch(task, body).await
    }

    async fn patch(&mut self, task: &Value, body: Value) -> String {
        let mut fields = Vec::new();
        for field in body.as_object().expect("it is one").keys() {
            fields.push(field.as_str());
        }
        if body.get("due_date").is_some() {
            fields.extend(["due_all_day", "reminders"]);
        }
        if body.get("status").is_some() {
            fields.extend(["completed_at", "reminders"]);
        }
        let id = text(task, "id");
        let answer = self.ask("PATCH", &format!("/api/tasks/{id}"), Some(&body)).await;
        if answer.status == 400 && body["recurrence"]["until"].is_string() {
            // Its end lies before the due date.
            assert_eq!(answer.body["error"]["details"][0]["field"], "recurrence.until", "{}", answer.body);
            return format!("a series of {id} that ends before it begins");
        }
        assert_eq!(answer.status, 200, "{body} on {task} -> {}", answer.body);
        self.told.changed(task, &answer.body, &fields);
        self.told.undoable((answer.revision, self.world.now()), task, &answer.body);
        format!("edit {id} {body}")
    }

    async fn complete(&mut self, task: &Value) -> String {
        let id = text(task, "id");
        let answer = self.ask("POST", &format!("/api/tasks/{id}/complete"), None).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("completed")), "{}", answer.body);
        self.told.changed(task, &answer.body, &["status", "completed_at", "reminders"]);
        let pending = answer.body["reminders"].as_array().into_iter().flatten();
        let pending = pending.filter(|it| it["fired"] == false && it["cancelled"] == false).count();
        assert_eq!(pending, 0, "a completed task still rings: {}", answer.body);
        self.told.undoable((answer.revision, self.world.now()), task, &answer.body);
        format!("complete {id}")
    }

    async fn delete(&mut self, task: &Value) -> String {
        let id = text(task, "id");
        let answer = self.ask("DELETE", &format!("/api/tasks/{id}"), None).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        self.told.tasks.insert(id.clone(), Known::Gone);
        self.told.undoable((answer.revision, self.world.now()), task, &Value::Null);
        format!("delete {id}")
    }

    async fn undo(&mut self) -> String {
        if self.told.undoable.is_empty() {
            return "nothing to undo".to_owned();
        }
        // Mostly what was done last.
        let last = self.told.undoable.len() - 1;
        let place = if self.dice.percent(60) { last } else { self.dice.place(last + 1) };
        let undone = self.told.undoable.remove(place);
        let later = self.told.undoable[place..].iter().any(|other| other.task_id == undone.task_id);
        let answer = self.ask("POST", &format!("/api/changes/{}/undo", undone.revision), None).await;
        let (id, known) = (undone.task_id.clone(), self.told.tasks[&undone.task_id].clone());
        let what = format!("undo {} of {id}", undone.revision);
        match (&known, answer.status) {
            (Known::Gone, 409) => return format!("{what}: it was deleted since"),
            (_, 200) => {}
            (_, 404) if self.world.now() - undone.at >= TimeDelta::days(7) => return format!("{what}: too late"),
            (_, status) => panic!("{what}: {status} {}", answer.body),
        }
        let after = answer.body["task"].clone();
        assert!(after.is_null() || text(&after, "id") == id, "{what} answers with another task: {after}");
        if !later {
            let same = content(&after) == content(&undone.before);
            assert!(same || loses(&undone.before, &after), "{what}:\n{}\n{after}", undone.before);
        }
        if matches!(known, Known::Gone) {
            self.told.returned.insert(id.clone());
        }
        let known = if after.is_null() { Known::Gone } else { Known::There(after.clone()) };
        let before = match self.told.tasks.insert(id, known) {
            Some(Known::There(before)) => before,
            _ => Value::Null,
        };
        self.told.undoable((answer.revision, self.world.now()), &before, &after);
        what
    }

    /// Works on a task that a series has made.
    async fn instance(&mut self) -> String {
        let list = self.ask("GET", "/api/tasks?limit=1000&sort_by=due_date", None).await;
        assert_eq!(list.status, 200);
        let made = list.body["tasks"].as_array().into_iter().flatten();
        let made: Vec<_> = made.filter(|task| !task["source_task_id"].is_null()).cloned().collect();
        if made.is_empty() {
            return "no instance yet".to_owned();
        }
        let task = self.dice.pick(&made).clone();
        match self.dice.below(5) {
            0 => self.edit(&task).await,
            1 => self.complete(&task).await,
            _ => self.delete(&task).await,
        }
    }

    async fn notification(&mut self) -> String {
        let list = self.ask("GET", "/api/notifications?limit=1000", None).await;
        assert_eq!(list.status, 200);
        let rung = list.body["notifications"].as_array().cloned().unwrap_or_default();
        if rung.is_empty() {
            return "nothing rang yet".to_owned();
        }
        let notification = self.dice.pick(&rung).clone();
        let id = text(&notification, "id");
        match self.dice.below(5) {
            0 => {
                assert_eq!(self.ask("POST", "/api/notifications/read-all", None).await.status, 204);
                // A snoozed one rings again.
                let awake = rung.iter().filter(|it| it["snoozed_until"].is_null());
                self.told.read.extend(awake.map(|it| text(it, "id")));
                "read all".to_owned()
            }
            1 | 2 => {
                let answer = self.ask("POST", &format!("/api/notifications/{id}/read"), None).await;
                assert_eq!(answer.status, 204, "{}", answer.body);
                if notification["snoozed_until"].is_null() {
                    self.told.read.insert(id.clone());
                }
                format!("read {id}")
            }
            _ => {
                let until = clock::name(self.moment(1, 600));
                let path = format!("/api/notifications/{id}/snooze");
                let answer = self.ask("POST", &path, Some(&json!({ "until": until }))).await;
                let open = match self.told.tasks.get(&text(&notification, "task_id")) {
                    Some(Known::There(task)) => Some(task["status"] != "completed"),
                    Some(Known::Gone) => Some(false),
                    // An instance that was never touched, and may have been withdrawn.
                    None => None,
                };
                let expected: &[u16] = open.map_or(&[200, 404], |open| if open { &[200] } else { &[404] });
                assert!(expected.contains(&answer.status), "snooze {id}: {} {}", answer.status, answer.body);
                self.told.read.remove(&id);
                let told = self.told.tasks.get(&text(&notification, "task_id")).cloned();
                let did = format!("snooze {id} until {until}: {}", answer.status);
                match told {
                    // Closing the task ends the snooze.
                    Some(Known::There(task)) if self.dice.percent(30) => match self.dice.below(3) {
                        0 => format!("{did}, {}", self.delete(&task).await),
                        1 => format!("{did}, {}", self.complete(&task).await),
                        _ => format!("{did}, {}", self.edit(&task).await),
                    },
                    _ => did,
                }
            }
        }
    }

    /// A change of what is not so any more.
    async fn stale(&mut self, task: &Value) -> String {
        let id = text(task, "id");
        let headers = [("if-match", format!("\"{}\"", self.told.revision + 1_000))];
        let body = json!({ "title": "never" });
        let answer = self.world.ask(self.number, ("PATCH", &format!("/api/tasks/{id}")), &headers, Some(&body)).await;
        assert_eq!(answer.status, 409, "{}", answer.body);
        format!("a stale edit of {id}")
    }

    /// A change of what is not there, for this user.
    async fn gone(&mut self) -> String {
        let gone = self.told.tasks.iter().filter(|(_, known)| matches!(known, Known::Gone));
        let gone: Vec<_> = gone.map(|(id, _)| id.clone()).collect();
        let id = if gone.is_empty() { self.dice.uuid().to_string() } else { self.dice.pick(&gone).clone() };
        for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/complete")] {
            let answer = self.ask(method, &format!("/api/tasks/{id}{path}"), None).await;
            assert_eq!(answer.status, 404, "{method} {}", answer.body);
        }
        format!("look for {id}")
    }

    /// Some seconds from now.
    fn moment(&mut self, first: i64, last: i64) -> Timestamp {
        let whole = self.dice.percent(50);
        let moment = self.world.now() + TimeDelta::seconds(self.dice.between(first, last));
        if whole { moment } else { moment + TimeDelta::milliseconds(self.dice.between(0, 999)) }
    }

    fn reminders(&mut self, has_due: bool) -> Value {
        let count = self.dice.between(0, 3);
        let one = |_| {
            if has_due && self.dice.percent(50) {
                json!({ "before_due_seconds": self.dice.pick(&[0, 1, 60, 600, 3_600]) })
            } else {
                json!({ "trigger_at": clock::name(self.moment(1, 1_200)) })
            }
        };
        (0..count).map(one).collect()
    }

    fn recurrence(&mut self) -> Value {
        let mut recurrence = match self.dice.below(6) {
            0 => json!({ "recurrence_type": "daily" }),
            1 => json!({ "recurrence_type": "weekly" }),
            2 => {
                let rules =
                    ["FREQ=MINUTELY;INTERVAL=7", "FREQ=HOURLY;BYMINUTE=0,30", "FREQ=DAILY;BYHOUR=1,2,3;BYSETPOS=-1"];
                json!({ "recurrence_type": "rrule", "rrule": self.dice.pick(&rules) })
            }
            _ => {
                let expressions = ["* * * * *", "*/5 * * * *", "*/7 1-3 * * *", "30 2 * * *", "0 */2 * * *"];
                json!({ "recurrence_type": "custom", "cron_expression": self.dice.pick(&expressions) })
            }
        };
        let by_completion = self.dice.percent(15);
        if by_completion {
            recurrence["anchor"] = json!("completion");
        }
        if !by_completion && self.dice.percent(40) {
            recurrence["lead_seconds"] = json!(self.dice.pick(&[30, 300, 86_400]));
        }
        if !by_completion && self.dice.percent(20) {
            recurrence["overlap"] = json!("skip");
        }
        if !by_completion && self.dice.percent(40) {
            recurrence["catch_up"] = json!(self.dice.pick(&["all", "none", "latest"]));
        }
        if self.dice.percent(20) {
            recurrence["count"] = json!(self.dice.between(1, 4));
        }
        if self.dice.percent(10) {
            recurrence["until"] = json!(clock::name(self.moment(60, 7_200)));
        }
        recurrence
    }
}

/// Whether an undo could not bring back all of a task because of time: a reminder that rang or is over meanwhile.
fn loses(before: &Value, after: &Value) -> bool {
    let without = |task: &Value| {
        let mut content = content(task);
        content["reminders"] = Value::Null;
        content
    };
    without(before) == without(after)
}
