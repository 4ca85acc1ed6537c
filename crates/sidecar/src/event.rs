//! `CloudEvents` 1.0 in the structured JSON format, the only form that goes over a topic.
//!
//! Dapr passes a full envelope on unchanged when it is published as `application/cloudevents+json`; anything else is
//! wrapped in an envelope of its own, and without `datacontenttype` the data arrives empty (both measured).
//!
//! Source: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::Error;

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";

/// The attributes that are fields of [`CloudEvent`] or that [`CloudEvent::to_json`] writes itself.
const RESERVED: [&str; 9] =
    ["specversion", "id", "type", "source", "subject", "time", "datacontenttype", "data", "data_base64"];

/// An event with its attributes.
///
/// `time` is written with microseconds; what is finer is cut off.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// Unique for its `source`; stays the same over retries, redelivery and dead letters.
    pub id: String,
    /// The `type` attribute, such as `com.todo.task.created`.
    pub type_: String,
    /// The context in which it happened, a URI reference such as `/backend/tasks`.
    pub source: String,
    /// What it is about, such as a task id.
    pub subject: Option<String>,
    /// When it happened. Optional in the specification, required here: every event of this system has one.
    pub time: DateTime<Utc>,
    /// The payload, JSON. `Null` is written as an event without data.
    pub data: Value,
    /// Extension attributes such as `partitionkey` and `traceparent`: names of lower-case letters and digits.
    /// Numbers and booleans from other publishers are read as their text. A `dataschema` is kept here, too.
    pub extensions: BTreeMap<String, String>,
}

/// Why bytes are not an event, or an event may not be published. Names the attribute, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not JSON, or not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A required attribute is absent or empty.
    #[error("attribute `{0}` is required")]
    Missing(&'static str),
    /// An attribute has a value that its type does not allow.
    #[error("attribute `{0}` has an invalid value")]
    Value(String),
    /// An extension's name has other characters than a-z and 0-9, or is that of a core attribute.
    #[error("`{0}` cannot be the name of an extension")]
    Name(String),
    /// `datacontenttype` is not JSON, or the data is base64.
    #[error("the data is not JSON")]
    NotJson,
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(format!("not a valid CloudEvent: {invalid}"))
    }
}

impl CloudEvent {
    /// Checks what `CloudEvents` 1.0 requires of the attributes.
    ///
    /// # Errors
    /// [`Invalid`], naming the first attribute that is missing or wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        for (name, value) in [("id", &self.id), ("type", &self.type_), ("source", &self.source)] {
            if value.is_empty() {
                return Err(Invalid::Missing(name));
            }
            check_text(name, value)?;
        }
        if self.source.contains(char::is_whitespace) {
            return Err(Invalid::Value("source".into()));
        }
        if let Some(subject) = &self.subject {
            if subject.is_empty() {
                return Err(Invalid::Value("subject".into()));
            }
            check_text("subject", subject)?;
        }
        for (name, value) in &self.extensions {
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if !plain || RESERVED.contains(&name.as_str()) {
                return Err(Invalid::Name(name.clone()));
            }
            check_text(name, value)?;
        }
        Ok(())
    }

    /// The envelope as structured JSON, media type `application/cloudevents+json`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut object = Map::new();
        let mut set = |name: &str, value: &str| object.insert(name.to_owned(), Value::from(value));
        set("specversion", SPEC_VERSION);
        set("id", &self.id);
        set("type", &self.type_);
        set("source", &self.source);
        if let Some(subject) = &self.subject {
            set("subject", subject);
        }
        set("time", &self.time.to_rfc3339_opts(SecondsFormat::Micros, true));
        set("datacontenttype", CONTENT_TYPE);
        for (name, value) in &self.extensions {
            set(name, value);
        }
        if !self.data.is_null() {
            object.insert("data".to_owned(), self.data.clone());
        }
        Value::Object(object).to_string().into_bytes()
    }

    /// Reads an envelope in structured JSON and checks it as [`validate`](Self::validate) does.
    ///
    /// # Errors
    /// [`Invalid`], naming what is wrong.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Invalid> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => Self::from_object(object),
            _ => Err(Invalid::NotAnObject),
        }
    }

    /// As [`from_json`](Self::from_json), for an envelope that came in pieces.
    pub(crate) fn from_object(mut object: Map<String, Value>) -> Result<Self, Invalid> {
        if take(&mut object, "specversion")?.ok_or(Invalid::Missing("specversion"))? != SPEC_VERSION {
            return Err(Invalid::Value("specversion".into()));
        }
        // An absent content type means JSON in this format.
        if take(&mut object, "datacontenttype")?.is_some_and(|media| !is_json(&media))
            || object.remove("data_base64").is_some_and(|data| !data.is_null())
        {
            return Err(Invalid::NotJson);
        }
        let time = take(&mut object, "time")?.ok_or(Invalid::Missing("time"))?;
        let time = DateTime::parse_from_rfc3339(&time).map_err(|_| Invalid::Value("time".into()))?;
        let mut event = Self {
            id: take(&mut object, "id")?.ok_or(Invalid::Missing("id"))?,
            type_: take(&mut object, "type")?.ok_or(Invalid::Missing("type"))?,
            source: take(&mut object, "source")?.ok_or(Invalid::Missing("source"))?,
            subject: take(&mut object, "subject")?,
            time: time.with_timezone(&Utc),
            data: object.remove("data").unwrap_or(Value::Null),
            extensions: BTreeMap::new(),
        };
        for (name, value) in object {
            match value {
                Value::Null => {}
                Value::String(text) => {
                    event.extensions.insert(name, text);
                }
                Value::Bool(_) | Value::Number(_) => {
                    event.extensions.insert(name, value.to_string());
                }
                Value::Array(_) | Value::Object(_) => return Err(Invalid::Value(name)),
            }
        }
        event.validate()?;
        Ok(event)
    }
}

/// Takes a string attribute out; `null` is the same as absent.
fn take(object: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Invalid> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::Value(name.to_owned())),
    }
}

fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == CONTENT_TYPE || essence.ends_with("+json")
}

/// Attribute strings hold no control characters (`CloudEvents` 1.0, type system).
fn check_text(name: &str, value: &str) -> Result<(), Invalid> {
    if value.contains(char::is_control) {
        return Err(Invalid::Value(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> CloudEvent {
        CloudEvent {
            id: "0d9c".into(),
            type_: "com.todo.task.created".into(),
            source: "/backend/tasks".into(),
            subject: Some("task-1".into()),
            time: DateTime::parse_from_rfc3339("2026-03-29T01:30:00.123456Z").unwrap().to_utc(),
            data: json!({"title": "Milch \u{1f95b}", "revision": 7, "tags": ["a", "b"], "due_date": null}),
            extensions: BTreeMap::from([
                ("partitionkey".into(), "user-1".into()),
                ("traceparent".into(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            ]),
        }
    }

    #[test]
    fn an_event_comes_back_as_it_was() {
        let event = event();
        assert_eq!(CloudEvent::from_json(&event.to_json()).unwrap(), event);
    }

    #[test]
    fn the_envelope_is_what_the_specification_names() {
        let written: Value = serde_json::from_slice(&event().to_json()).unwrap();
        assert_eq!(written["specversion"], "1.0");
        assert_eq!(written["datacontenttype"], "application/json");
        assert_eq!(written["type"], "com.todo.task.created");
        assert_eq!(written["time"], "2026-03-29T01:30:00.123456Z");
        assert_eq!(written["partitionkey"], "user-1");
        assert_eq!(written["data"]["revision"], 7);
        assert!(written.get("extensions").is_none());
    }

    #[test]
    fn events_of_other_publishers_are_read() {
        let read = CloudEvent::from_json(
            br#"{"specversion":"1.0","id":"1","type":"t","source":"s","time":"2026-01-01T02:00:00+02:00","subject":null,
                "sampled":true,"sequence":12,"gone":null}"#,
        )
        .unwrap();
        assert_eq!(read.time.to_rfc3339(), "2026-01-01T00:00:00+00:00");
        assert_eq!(read.subject, None);
        assert_eq!(read.data, Value::Null);
        let expected = BTreeMap::from([("sampled".into(), "true".into()), ("sequence".into(), "12".into())]);
        assert_eq!(read.extensions, expected);
    }

    #[test]
    fn what_is_not_an_event_is_refused_by_name() {
        let base =
            json!({"specversion": "1.0", "id": "1", "type": "t", "source": "/s", "time": "2026-01-01T00:00:00Z"});
        let with = |name: &str, value: Value| {
            let mut changed = base.clone();
            changed[name] = value;
            CloudEvent::from_json(changed.to_string().as_bytes()).unwrap_err()
        };
        assert!(CloudEvent::from_json(base.to_string().as_bytes()).is_ok());
        for name in ["specversion", "id", "type", "source", "time"] {
            assert_eq!(with(name, Value::Null), Invalid::Missing(name));
            assert_eq!(with(name, json!(1)), Invalid::Value(name.into()));
        }
        for name in ["id", "type", "source"] {
            assert_eq!(with(name, json!("")), Invalid::Missing(name));
            assert_eq!(with(name, json!("a\u{7}b")), Invalid::Value(name.into()));
        }
        assert_eq!(with("specversion", json!("0.3")), Invalid::Value("specversion".into()));
        assert_eq!(with("source", json!("a b")), Invalid::Value("source".into()));
        assert_eq!(with("subject", json!("")), Invalid::Value("subject".into()));
        assert_eq!(with("time", json!("yesterday")), Invalid::Value("time".into()));
        assert_eq!(with("datacontenttype", json!("application/xml")), Invalid::NotJson);
        assert_eq!(with("data_base64", json!("AAAA")), Invalid::NotJson);
        assert_eq!(with("partition_key", json!("x")), Invalid::Name("partition_key".into()));
        assert_eq!(with("nested", json!({})), Invalid::Value("nested".into()));
        assert_eq!(CloudEvent::from_json(b"[]"), Err(Invalid::NotAnObject));
        assert_eq!(CloudEvent::from_json(b"{"), Err(Invalid::NotAnObject));
    }

    #[test]
    fn an_extension_cannot_take_the_name_of_an_attribute() {
        let mut event = event();
        event.extensions.insert("data".into(), "x".into());
        assert_eq!(event.validate(), Err(Invalid::Name("data".into())));
    }
}
