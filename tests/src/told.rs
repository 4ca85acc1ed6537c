//! What a user was told of a task, and whether it still holds. Only time may have changed a task that its user did not.

use serde_json::{Value, json};
use todo_domain::Timestamp;

/// A moment at which all that was due had happened.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// What was due by then has happened.
    pub now: Timestamp,
    /// What was due by then may have happened: the clock once was there, and was set back.
    pub latest: Timestamp,
}

/// What of an answer's task does not hold any more of the task as it is now, `except` for some fields. Without `settled`
/// a reminder may have rung meanwhile or not.
#[must_use]
pub fn differences(told: &Value, now: &Value, settled: Option<Settled>, except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (field, told) in told.as_object().into_iter().flatten().filter(|(field, _)| !except.contains(&field.as_str())) {
        let now = &now[field];
        match field.as_str() {
            // A firing moves it.
            "revision" if now.as_i64() >= told.as_i64() => {}
            "reminders" => reminders(told, now, settled, &mut found),
            "recurrence" if told.is_object() => {
                for (part, told) in told.as_object().into_iter().flatten() {
                    // Computed when read.
                    if !["next_occurrence", "active", "blocked"].contains(&part.as_str()) {
                        differ(part, told, &now[part], &mut found);
                    }
                }
            }
            field => differ(field, told, now, &mut found),
        }
    }
    found
}

fn differ(what: &str, told: &Value, now: &Value, found: &mut Vec<String>) {
    if told != now {
        found.push(format!("{what}: {told} was told, {now} is there"));
    }
}

fn reminders(told: &Value, now: &Value, settled: Option<Settled>, found: &mut Vec<String>) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (told, now) = (list(told), list(now));
    differ("how many reminders", &json!(told.len()), &json!(now.len()), found);
    for (told, now) in told.iter().zip(&now) {
        let mut expected = told.clone();
        if told["fired"] == false && told["cancelled"] == false {
            let at: Option<Timestamp> = told["trigger_at"].as_str().and_then(|at| at.parse().ok());
            let (must, may) = match (settled, at) {
                (Some(settled), Some(at)) => (at <= settled.now, at <= settled.latest),
                _ => (false, at.is_some()),
            };
            expected["fired"] = json!(must || may && now["fired"] == true);
        }
        differ("reminder", &expected, now, found);
    }
}
