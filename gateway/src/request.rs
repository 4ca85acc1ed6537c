//! Path, query, headers and body to a request message: all are laid into one JSON tree in the shape of the message,
//! which is then read as a whole, so that everything wrong is said at once.

use chrono::{DateTime, NaiveDateTime, Utc};
use http::{HeaderMap, header};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};
use todo_proto::json::{self, Options, Reading, Violation};

use crate::{
    contract::Body,
    route::{Route, decode},
    status::Failure,
};

/// Fields of requests that REST takes from elsewhere than query and body.
const MASK: &str = "update_mask";
pub(crate) const REVISION: &str = "expected_revision";
pub(crate) const SINCE: &str = "since";

/// A request laid out, not yet read.
pub(crate) struct Draft {
    input: MessageDescriptor,
    root: Map<String, Value>,
    violations: Vec<Violation>,
}

impl Draft {
    /// Lays out a request. `body` is empty where the route takes none.
    ///
    /// # Errors
    /// If the body is no JSON.
    pub(crate) fn new(
        route: &Route,
        values: Vec<String>,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Failure> {
        let mut draft = Self { input: route.rpc.input.clone(), root: Map::new(), violations: Vec::new() };
        draft.body(route, body)?;
        draft.query(route, query);
        draft.path(route, values);
        draft.headers(headers);
        Ok(draft)
    }

    /// Whether a text field of the request is there and not null or empty.
    pub(crate) fn has_text(&self, field: &str) -> bool {
        self.root.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    }

    /// Sets a text field of the request.
    pub(crate) fn set_text(&mut self, field: &str, text: &str) {
        self.root.insert(field.to_owned(), Value::from(text));
    }

    /// Notes something else that is wrong.
    pub(crate) fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.violations.push(Violation { field: field.into(), message: message.into() });
    }

    /// Reads it, in the caller's zone where that is known.
    pub(crate) fn read(&mut self, zone: Option<&dyn Fn(NaiveDateTime) -> DateTime<Utc>>) -> Reading {
        let tree = Value::Object(std::mem::take(&mut self.root));
        let mut reading = json::readable(&self.input, &tree, &Options::request(zone));
        if let Value::Object(root) = tree {
            self.root = root;
        }
        reading.violations.splice(..0, self.violations.iter().cloned());
        reading
    }

    fn body(&mut self, route: &Route, body: &[u8]) -> Result<(), Failure> {
        let json = match body {
            _ if route.body == Body::None => return Ok(()),
            [] => Value::Object(Map::new()),
            body => serde_json::from_slice(body).map_err(|error| {
                let message = format!("is not JSON: {error}");
                Failure::invalid(vec![Violation { field: "body".to_owned(), message }])
            })?,
        };
        match &route.body {
            Body::Field(field) => {
                let message = self.input.get_field_by_name(field).map(|field| field.kind());
                let message = message.as_ref().and_then(Kind::as_message);
                if let (Some(_), Some(message)) = (self.input.get_field_by_name(MASK), message) {
                    let own = route.variables.iter().filter(|path| path[0] == *field).filter_map(|path| path.get(1));
                    let own: Vec<_> = own.collect();
                    let mut paths = json::mask_of(&json, message).paths;
                    paths.retain(|path| !own.contains(&path));
                    self.root.insert(MASK.to_owned(), Value::from(paths.join(",")));
                }
                if json.is_null() {
                    self.wrong("body", "must be an object");
                }
                self.root.insert(field.clone(), json);
            }
            _ => match json {
                Value::Object(members) => {
                    for name in [MASK, REVISION] {
                        if members.contains_key(name) && self.input.get_field_by_name(name).is_some() {
                            self.wrong(name, "unknown field");
                        }
                    }
                    self.root = members;
                }
                _ => self.wrong("body", "must be an object"),
            },
        }
        Ok(())
    }

    fn query(&mut self, route: &Route, query: &str) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name, true), decode(value, true)) else {
                self.wrong("query", "must be percent-encoded UTF-8");
                continue;
            };
            let Some(field) = parameters(route).find(|field| field.name() == name) else {
                self.wrong(name, "unknown parameter");
                continue;
            };
            let value = scalar(&field, &value);
            if field.is_list() {
                let list = self.root.entry(field.name()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.push(value);
                }
            } else if self.root.insert(field.name().to_owned(), value).is_some() {
                self.wrong(name, "must be given once");
            }
        }
    }

    fn path(&mut self, route: &Route, values: Vec<String>) {
        for (path, text) in route.variables.iter().zip(values) {
            let Some((last, parents)) = path.split_last() else { continue };
            let mut message = Some(self.input.clone());
            let mut members = Some(&mut self.root);
            for parent in parents {
                let field = message.as_ref().and_then(|message| message.get_field_by_name(parent));
                message = field.and_then(|field| field.kind().as_message().cloned());
                members = members.and_then(|members| {
                    members.entry(parent).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
                });
            }
            // A body that is no object was noted where it was read.
            let (Some(message), Some(members)) = (message, members) else { continue };
            let Some(field) = message.get_field_by_name(last) else { continue };
            let value = scalar(&field, &text);
            // What was read may be sent back, so the body may repeat what the path says.
            let clash = members.get(last).is_some_and(|given| !given.is_null() && *given != value);
            members.insert(last.clone(), value);
            if clash {
                self.wrong(path.join("."), "must be that of the path, or left out");
            }
        }
    }

    fn headers(&mut self, headers: &HeaderMap) {
        let input = self.input.clone();
        let takes = |field: &str| input.get_field_by_name(field).is_some();
        if takes(REVISION)
            && let Some(tag) = headers.get(header::IF_MATCH)
        {
            match tag.to_str().ok().and_then(revision) {
                Some(Match::Revision(revision)) => {
                    self.root.insert(REVISION.to_owned(), revision.into());
                }
                Some(Match::Any) => {}
                None => self.wrong("If-Match", "must be a revision in quotes, such as \"7\", or *"),
            }
        }
        if takes(SINCE)
            && let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty())
        {
            match id.to_str().ok().and_then(|id| id.trim().parse::<i64>().ok()) {
                Some(id) => {
                    self.root.insert(SINCE.to_owned(), id.into());
                }
                None => self.wrong("Last-Event-ID", "must be a whole number"),
            }
        }
    }
}

/// The fields that a route takes from its query: those that neither path, body nor a header gives and that one value
/// or a list of values can say.
pub(crate) fn parameters(route: &Route) -> impl Iterator<Item = FieldDescriptor> + '_ {
    let fields = match route.body {
        Body::Whole => Vec::new(),
        _ => route.rpc.input.fields().collect(),
    };
    fields.into_iter().filter(|field| {
        let name = field.name();
        name != MASK
            && name != REVISION
            && !matches!(&route.body, Body::Field(body) if body == name)
            && !route.variables.iter().any(|path| path.len() == 1 && path[0] == name)
            && !field.is_map()
            && match field.kind() {
                Kind::Message(message) => message.full_name() == "google.protobuf.Timestamp",
                _ => true,
            }
    })
}

/// A value of a path or query as JSON. What does not parse stays text, which the reader then refuses by its name.
fn scalar(field: &FieldDescriptor, text: &str) -> Value {
    match field.kind() {
        // The + of an offset means a space in a query, and is often not encoded.
        Kind::Message(_) if text.contains(['T', 't']) => Value::from(text.replace(' ', "+")),
        Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_) => Value::from(text),
        Kind::Bool => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Float | Kind::Double => text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from),
        _ => text.parse::<i64>().map_or_else(
            |_| match text.parse::<f64>() {
                // Too large: let the reader say the range.
                Ok(number) if !text.contains(['.', 'e', 'E']) => Value::from(number),
                _ => Value::from(text),
            },
            Value::from,
        ),
    }
}

/// What `If-Match` asks for.
enum Match {
    Revision(i64),
    Any,
}

fn revision(tag: &str) -> Option<Match> {
    let tag = tag.trim();
    if tag == "*" {
        return Some(Match::Any);
    }
    let tag = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    tag.parse().ok().filter(|revision| *revision >= 0).map(Match::Revision)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::route::{Found, Table};

    fn lay(method: &Method, target: &str, headers: &HeaderMap, body: &str) -> Result<Value, Vec<(String, String)>> {
        let table = Table::new(&crate::contract::rpcs(json::pool()));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Found::Route(route, values) = table.find(method, path) else { panic!("{target}") };
        let mut draft = Draft::new(route, values, query, headers, body.as_bytes()).unwrap();
        let utc = |local: NaiveDateTime| local.and_utc();
        let wrong = draft.read(Some(&utc)).violations;
        if wrong.is_empty() {
            return Ok(Value::Object(draft.root));
        }
        Err(wrong.into_iter().map(|wrong| (wrong.field, wrong.message)).collect())
    }

    fn get(target: &str) -> Result<Value, Vec<(String, String)>> {
        lay(&Method::GET, target, &HeaderMap::new(), "")
    }

    fn patch(body: &str) -> Result<Value, Vec<(String, String)>> {
        lay(&Method::PATCH, "/api/tasks/7", &HeaderMap::new(), body)
    }

    fn wrong(field: &str, message: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), message.to_owned())]
    }

    #[test]
    fn a_query_repeats_keys_and_keeps_commas() {
        assert_eq!(
            get("/api/tasks?status=pending&status=completed&tag=a,b&tag=c%26d+e&limit=5&skip_total=true&search="),
            Ok(json!({
                "status": ["pending", "completed"], "tag": ["a,b", "c&d e"], "limit": 5, "skip_total": true,
                "search": "",
            }))
        );
        // The + of an offset was not encoded, as happens.
        assert_eq!(
            get("/api/tasks?due_before=2026-11-21T09:00:00+01:00"),
            Ok(json!({ "due_before": "2026-11-21T09:00:00+01:00" }))
        );
    }

    #[test]
    fn a_query_is_refused_as_a_whole() {
        let found = get("/api/tasks?colour=red&limit=x&limit=2&status=urgent&skip_total=1&offset=99999999999999999999");
        let mut found = found.unwrap_err();
        found.sort();
        let expected = [
            ("colour", "unknown parameter"),
            ("limit", "must be given once"),
            ("offset", "must be a whole number from -2147483648 to 2147483647"),
            ("skip_total", "must be true or false"),
            ("status[0]", "must be one of pending, in_progress, completed"),
        ];
        assert_eq!(found, expected.map(|(field, message)| (field.to_owned(), message.to_owned())));
        assert_eq!(get("/api/tasks?%ff=1"), Err(wrong("query", "must be percent-encoded UTF-8")));
        assert_eq!(get("/api/tasks/7?id=8"), Err(wrong("id", "unknown parameter")));
    }

    #[test]
    fn the_mask_is_the_keys_of_the_body() {
        let mask = patch(r#"{"due_date":null,"title":"x","revision":3}"#).unwrap()["update_mask"].clone();
        assert_eq!(mask, json!("due_date,title"));
        assert_eq!(patch("").unwrap(), json!({ "task": { "id": "7" }, "update_mask": "" }));
        assert_eq!(patch(r#"{"update_mask":"title"}"#), Err(wrong("task.update_mask", "unknown field")));
    }

    #[test]
    fn the_body_may_repeat_the_path_and_not_contradict_it() {
        assert_eq!(patch(r#"{"id":"7"}"#).unwrap(), json!({ "task": { "id": "7" }, "update_mask": "" }));
        assert_eq!(patch(r#"{"id":"8"}"#), Err(wrong("task.id", "must be that of the path, or left out")));
        let snooze = |body| lay(&Method::POST, "/api/notifications/7/snooze", &HeaderMap::new(), body);
        assert_eq!(snooze(r#"{"until":"2026-11-21T09:00"}"#), Ok(json!({ "id": "7", "until": "2026-11-21T09:00" })));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["[]", "7", "\"x\"", "null"] {
            assert!(patch(body).is_err(), "{body}");
            assert!(lay(&Method::POST, "/api/auth/signin", &HeaderMap::new(), body).is_err(), "{body}");
        }
    }

    #[test]
    fn if_match_is_the_expected_revision() {
        let with = |tag: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, tag.parse().unwrap());
            lay(&Method::POST, "/api/tasks/7/complete", &headers, "")
        };
        assert_eq!(with("\"7\""), Ok(json!({ "id": "7", "expected_revision": 7 })));
        assert_eq!(with("W/\"7\""), with("\"7\""));
        assert_eq!(with("*"), Ok(json!({ "id": "7" })));
        for malformed in ["7", "\"x\"", "\"-1\"", "\"1\", \"2\"", ""] {
            assert_eq!(with(malformed).unwrap_err()[0].0, "If-Match", "{malformed}");
        }
        assert!(get("/api/tasks/7?expected_revision=3").is_err());
    }

    #[test]
    fn the_last_event_id_beats_the_query() {
        let mut headers = HeaderMap::new();
        headers.insert("last-event-id", "9".parse().unwrap());
        let since = |headers: &HeaderMap| {
            lay(&Method::GET, "/api/events?since=5", headers, "").map(|root| root["since"].clone())
        };
        assert_eq!(since(&headers), Ok(json!(9)));
        assert_eq!(since(&HeaderMap::new()), Ok(json!(5)));
        headers.insert("last-event-id", "x".parse().unwrap());
        assert_eq!(since(&headers), Err(wrong("Last-Event-ID", "must be a whole number")));
    }

    proptest::proptest! {
        #[test]
        fn no_query_and_no_body_panics(query in ".{0,40}", name in "(limit|status|due_after|tag)", body in ".{0,40}") {
            let table = Table::new(&crate::contract::rpcs(json::pool()));
            for (method, path) in [(Method::GET, "/api/tasks"), (Method::PATCH, "/api/tasks/7")] {
                let Found::Route(route, values) = table.find(&method, path) else { panic!("{path}") };
                let query = format!("{query}&{name}={query}");
                let draft = Draft::new(route, values, &query, &HeaderMap::new(), body.as_bytes());
                let _ = draft.map(|mut draft| draft.read(None));
            }
        }
    }
}
