//! A user who works through a server that may die at any moment, and remembers exactly what was answered.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Timelike as _, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use todo_domain::{Clock as _, Timestamp, clock};
use todo_runtime::system::SystemClock;
use todo_tests::{
    dice::Dice,
    rest::{Answer, Rest},
    told::differences,
};
use tokio_util::sync::CancellationToken;

/// What the last answer said of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    There(Value),
    Gone,
}

/// A write that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    /// The event that it must have.
    pub(crate) event: &'static str,
    pub(crate) task_id: String,
    /// The task as it was answered; null after a deletion.
    pub(crate) task: Value,
    /// The answer is that to a create of the same id again: the task as it was by then, when a reminder may have rung.
    pub(crate) again: bool,
}

/// What a write is, so that its trace can be told later.
#[derive(Clone, Debug)]
enum Act {
    Create {
        title: String,
    },
    /// A change by which the task has this title afterwards.
    Change {
        id: String,
        title: String,
        completes: bool,
    },
    Complete {
        id: String,
    },
    Delete {
        id: String,
    },
}

#[derive(Clone, Debug)]
struct Write {
    act: Act,
    method: Method,
    path: String,
    body: Option<Value>,
    /// Makes it safe to repeat.
    key: Option<String>,
}

/// Nothing answered, or that what should is away: nobody knows what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

/// A request that something stood in the way of, and how long it took to find out.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) what: String,
    pub(crate) took: Duration,
}

pub(crate) struct Customer {
    pub(crate) rest: Rest,
    pub(crate) tasks: BTreeMap<String, Known>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Titles of creates that got no answer and were not repeated.
    pub(crate) maybe: Vec<String>,
    /// What got no answer, or one that something is away.
    pub(crate) refused: Vec<Refused>,
    /// The longest that any other answer took.
    pub(crate) slowest: Duration,
    dice: Dice,
    name: String,
    titles: u64,
    doubt: Option<Write>,
    /// Answers that say that something is away.
    away: &'static [u16],
}

impl Customer {
    pub(crate) fn new(rest: Rest, name: &str, dice: Dice) -> Self {
        Self {
            rest,
            tasks: BTreeMap::new(),
            acknowledged: Vec::new(),
            maybe: Vec::new(),
            refused: Vec::new(),
            slowest: Duration::ZERO,
            dice,
            name: name.to_owned(),
            titles: 0,
            doubt: None,
            away: &[],
        }
    }

    /// One of a system of several processes, of which any may be away while others answer.
    pub(crate) fn of_many(rest: Rest, name: &str, dice: Dice) -> Self {
        Self { away: &[503, 504], ..Self::new(rest, name, dice) }
    }

    /// Writes until it is told to stop, with a short rest after each step.
    pub(crate) async fn work_on(&mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let write = async {
                self.clear_up().await?;
                let write = self.next_write().await?;
                self.write(write).await
            };
            let cut = write.await.is_err();
            // What was cut off at one replica may just be ending there, while another is asked what became of it.
            let rest = Duration::from_millis(if cut { 250 } else { self.dice.below(60) });
            let _ = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }

    /// Writes until the server is gone.
    pub(crate) async fn work(&mut self) {
        let all = async {
            self.clear_up().await?;
            loop {
                let write = self.next_write().await?;
                self.write(write).await?;
            }
        };
        let Err::<(), Cut>(Cut) = all.await else { unreachable!("it works until it is cut off") };
    }

    /// Finds out what became of the write that got no answer.
    pub(crate) async fn clear_up(&mut self) -> Result<(), Cut> {
        let Some(write) = self.doubt.clone() else { return Ok(()) };
        match &write.act {
            Act::Create { title } => {
                if self.dice.percent(70) {
                    let answer = self.send(&write).await?;
                    if answer.status == 400 {
                        // Its reminder's time is over, so it is refused. Then it must not have been made before.
                        let found = self.find(title).await?;
                        assert!(found.is_empty(), "repeating a create that was made was refused: {}", answer.body);
                        self.maybe.push(title.clone());
                    } else {
                        self.note(&write.act, &answer, write.key.is_none());
                    }
                } else {
                    self.maybe.push(title.clone());
                }
            }
            Act::Change { id, .. } | Act::Complete { id } | Act::Delete { id } => {
                let answer = self.get(&format!("/api/tasks/{id}")).await?;
                let now = if answer.status == 404 { Known::Gone } else { Known::There(answer.expect(200)) };
                self.check_doubt(&write.act, &now);
                self.tasks.insert(id.clone(), now);
            }
        }
        self.doubt = None;
        Ok(())
    }

    /// Deletes every series, so that the next minutes bring nothing.
    pub(crate) async fn end_series(&mut self) -> Result<(), Cut> {
        let tasks = self.get("/api/tasks?limit=1000").await?.expect(200);
        for task in tasks["tasks"].as_array().into_iter().flatten().filter(|task| !task["recurrence"].is_null()) {
            let id = task["id"].as_str().unwrap_or_default().to_owned();
            let path = format!("/api/tasks/{id}");
            self.write(Write { act: Act::Delete { id }, method: Method::DELETE, path, body: None, key: None }).await?;
        }
        Ok(())
    }

    /// The write happened as a whole or not at all.
    fn check_doubt(&self, act: &Act, now: &Known) {
        match (act, now) {
            (Act::Delete { .. }, Known::Gone) | (Act::Create { .. }, _) => {}
            (Act::Change { title, completes, .. }, Known::There(now)) if now["title"] == title.as_str() => {
                assert!(!completes || now["status"] == "completed", "half of a change was made: {now}");
            }
            (Act::Complete { .. }, Known::There(now)) if now["status"] == "completed" => {}
            (Act::Change { id, .. } | Act::Complete { id } | Act::Delete { id }, now) => match &self.tasks[id] {
                Known::There(before) => {
                    let Known::There(now) = now else { panic!("{id} is gone after {act:?}") };
                    let differences = differences(before, now, None, &[]);
                    assert!(differences.is_empty(), "{act:?} had no answer, and did something else: {differences:?}");
                }
                Known::Gone => assert_eq!(*now, Known::Gone, "{id} came back"),
            },
        }
    }

    async fn write(&mut self, write: Write) -> Result<(), Cut> {
        self.doubt = Some(write.clone());
        let answer = self.send(&write).await?;
        // What was lost on the way is made again by the gateway, and then its reminder's time may be over.
        if answer.status == 400 && answer.body["error"]["message"].to_string().contains("must be in the future") {
            return Err(Cut);
        }
        self.note(&write.act, &answer, false);
        self.doubt = None;
        Ok(())
    }

    /// Enters an answer.
    fn note(&mut self, act: &Act, answer: &Answer, again: bool) {
        assert!(answer.status.is_success(), "{act:?}: {} {}", answer.status, answer.body);
        let task = answer.body.clone();
        let (event, id) = match act {
            Act::Create { title } => {
                assert_eq!(task["title"], title.as_str());
                ("com.todo.task.created", task["id"].as_str().unwrap_or_default().to_owned())
            }
            Act::Change { id, title, completes } => {
                assert_eq!(task["title"], title.as_str());
                (if *completes { "com.todo.task.completed" } else { "com.todo.task.updated" }, id.clone())
            }
            Act::Complete { id } => {
                assert_eq!(task["status"], "completed");
                ("com.todo.task.completed", id.clone())
            }
            Act::Delete { id } => ("com.todo.task.deleted", id.clone()),
        };
        let known = if task.is_null() { Known::Gone } else { Known::There(task.clone()) };
        self.tasks.insert(id.clone(), known);
        self.acknowledged.push(Acknowledged { event, task_id: id, task, again });
    }

    async fn send(&mut self, write: &Write) -> Result<Answer, Cut> {
        let key = write.key.as_deref().map(|key| ("idempotency-key", key));
        let headers: Vec<_> = key.into_iter().collect();
        self.ask(write.method.clone(), &write.path, &headers, write.body.as_ref()).await
    }

    async fn get(&mut self, path: &str) -> Result<Answer, Cut> {
        self.ask(Method::GET, path, &[], None).await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Cut> {
        let begun = Instant::now();
        let answer = self.rest.try_send(method.clone(), path, headers, body).await;
        let why = match answer {
            Ok(answer) if !self.away.contains(&answer.status.as_u16()) => {
                self.slowest = self.slowest.max(begun.elapsed());
                return Ok(answer);
            }
            Ok(answer) => format!("{} {}", answer.status, answer.body),
            Err(error) => error.to_string(),
        };
        self.refused.push(Refused { what: format!("{method} {path}: {why}"), took: begun.elapsed() });
        Err(Cut)
    }

    async fn find(&mut self, title: &str) -> Result<Vec<Value>, Cut> {
        let found = self.get(&format!("/api/tasks?limit=1000&search={title}")).await?.expect(200);
        Ok(found["tasks"].as_array().cloned().unwrap_or_default())
    }

    async fn next_write(&mut self) -> Result<Write, Cut> {
        if self.dice.percent(10) {
            // Instances turn up by themselves; some are worked on as other tasks are.
            let list = self.get("/api/tasks?limit=50").await?.expect(200);
            let made = list["tasks"].as_array().into_iter().flatten().filter(|task| !task["source_task_id"].is_null());
            let made: Vec<_> = made.filter(|task| task["status"] != "completed").cloned().collect();
            if !made.is_empty() {
                let task = self.dice.pick(&made).clone();
                let id = task["id"].as_str().unwrap_or_default().to_owned();
                self.tasks.insert(id.clone(), Known::There(task.clone()));
                return Ok(self.change(&id, &task));
            }
        }
        let there = self.tasks.iter().filter_map(|(id, known)| match known {
            Known::There(task) => Some((id.clone(), task.clone())),
            Known::Gone => None,
        });
        let there: Vec<_> = there.collect();
        if there.is_empty() || self.dice.percent(45) {
            return Ok(self.create());
        }
        let (id, task) = self.dice.pick(&there).clone();
        Ok(self.change(&id, &task))
    }

    fn title(&mut self) -> String {
        self.titles += 1;
        format!("{}-{:04}", self.name, self.titles)
    }

    fn create(&mut self) -> Write {
        let (title, now) = (self.title(), SystemClock.now());
        let mut body = json!({ "title": title, "description": format!("of {title}"), "tags": ["load", self.name] });
        match self.dice.below(4) {
            0 => {}
            1 | 2 => body["reminders"] = self.reminders(now),
            _ => {
                // Past, so that the first instance may appear at once, ahead of the next minute.
                body["due_date"] = json!(clock::name(now - TimeDelta::minutes(self.dice.between(0, 2))));
                body["recurrence"] = json!({ "recurrence_type": "custom", "cron_expression": "* * * * *",
                    "lead_seconds": self.dice.pick(&[0, 30, 3600]) });
                if self.dice.percent(70) {
                    // Over on the source already, and soon on that instance.
                    let soon = (next_minute(now) - now).num_seconds() - self.dice.between(1, 3);
                    body["reminders"] = json!([{ "before_due_seconds": soon.max(0) }]);
                }
            }
        }
        // By an id of the client's own, or by a key.
        let own_id = self.dice.percent(40);
        let key = self.dice.uuid().to_string();
        if own_id {
            body["id"] = json!(key);
        }
        Write {
            act: Act::Create { title },
            method: Method::POST,
            path: "/api/tasks".to_owned(),
            body: Some(body),
            key: (!own_id).then_some(key),
        }
    }

    fn reminders(&mut self, now: Timestamp) -> Value {
        let count = self.dice.between(1, 2);
        let moment = |_| now + TimeDelta::milliseconds(self.dice.between(700, 2_000));
        (0..count).map(moment).map(|moment| json!({ "trigger_at": clock::name(moment) })).collect()
    }

    fn change(&mut self, id: &str, task: &Value) -> Write {
        let path = format!("/api/tasks/{id}");
        let id = id.to_owned();
        let open = task["status"] != "completed";
        let (act, method, path, body) = match self.dice.below(10) {
            0 | 1 => (Act::Delete { id }, Method::DELETE, path, None),
            2..=4 if open => (Act::Complete { id }, Method::POST, format!("{path}/complete"), None),
            what => {
                let title = self.title();
                let mut body = json!({ "title": title });
                let completes = open && what == 5;
                match what {
                    5 if open => body["status"] = json!("completed"),
                    6 if !open => body["status"] = json!("pending"),
                    7 => body["reminders"] = self.reminders(SystemClock.now()),
                    8 if !task["recurrence"].is_null() => body["recurrence"] = Value::Null,
                    8 => body["priority"] = json!("high"),
                    _ => body["description"] = json!(format!("of {title}")),
                }
                (Act::Change { id, title, completes }, Method::PATCH, path, Some(body))
            }
        };
        Write { act, method, path, body, key: None }
    }
}

fn next_minute(now: Timestamp) -> Timestamp {
    let minute = now.with_second(0).and_then(|now| now.with_nanosecond(0)).expect("each minute has a first second");
    minute + TimeDelta::minutes(1)
}

/// The present, in microseconds since 1970, as the files have it.
pub(crate) fn now_micros() -> i64 {
    SystemClock.now().timestamp_micros()
}

/// The present.
pub(crate) fn now() -> chrono::DateTime<Utc> {
    SystemClock.now()
}
