//! Server-sent events as a client reads them (WHATWG HTML, section 9.2).

use reqwest::{Method, Response};
use serde_json::Value;

use crate::{SOON, rest::Rest};

/// A stream of server-sent events.
#[derive(Debug)]
pub struct Stream {
    response: Response,
    text: String,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `event:`
    pub kind: String,
    /// `id:`
    pub id: Option<i64>,
    /// `data:`
    pub data: Value,
}

impl Stream {
    /// Watches what changes from now on, or since a revision.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn open(rest: &Rest, since: Option<i64>) -> Self {
        let path = since.map_or("/api/events".to_owned(), |since| format!("/api/events?since={since}"));
        Self::of(rest.request(Method::GET, &path).send().await.expect("an answer"))
    }

    /// Goes on after the last event that was seen, as browsers do.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn resume(rest: &Rest, last_event_id: i64) -> Self {
        let request = rest.request(Method::GET, "/api/events").header("last-event-id", last_event_id);
        Self::of(request.send().await.expect("an answer"))
    }

    /// Goes on after a revision, at a server that may be away; nothing then.
    pub async fn try_resume(rest: &Rest, last_event_id: i64) -> Option<Self> {
        let request = rest.request(Method::GET, "/api/events").header("last-event-id", last_event_id);
        let response = request.send().await.ok()?;
        (response.status() == 200).then(|| Self::of(response))
    }

    /// Reads the events of an answer.
    ///
    /// # Panics
    /// When it is none of events.
    #[must_use]
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; nothing when the stream has ended.
    ///
    /// # Panics
    /// When none comes for long, or it is no such stream.
    pub async fn next(&mut self) -> Option<Event> {
        // Comments come all the time.
        tokio::time::timeout(SOON, self.wait()).await.expect("an event in time")
    }

    /// The next event, however long nothing happens; nothing when the stream has ended.
    ///
    /// # Panics
    /// When it is no such stream.
    pub async fn wait(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (parse(block), rest.to_owned());
                self.text = rest;
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).expect("whole characters"));
        }
    }

    /// The next event that fulfils a condition; answers with all up to it.
    ///
    /// # Panics
    /// When the stream ends before it.
    pub async fn until(&mut self, what: &str, fulfilled: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {what}: {events:?}"));
            events.push(event);
            if events.last().is_some_and(&fulfilled) {
                return events;
            }
        }
    }

    /// The next event of a kind.
    ///
    /// # Panics
    /// When the stream ends before it.
    pub async fn kind(&mut self, kind: &str) -> Event {
        self.until(kind, |event| event.kind == kind).await.pop().expect("it ends with that event")
    }
}

/// Nothing for a block of comments only.
fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Event {
        data: serde_json::from_str(field("data")?).expect("JSON"),
        kind: field("event").unwrap_or_default().to_owned(),
        id: field("id").map(|id| id.parse().expect("a revision")),
    })
}
