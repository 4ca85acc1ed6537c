//! `DueService` as the backend keeps its promises: whoever asks first decides.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use todo_domain::{Clock, Timestamp, ids};
use todo_proto::v1::due_service_server::{DueService, DueServiceServer};
use todo_proto::v1::{
    self, Announcement, DecideFireRequest, DecideFireResponse, Decision, DueKind, ListDueRequest, ListDueResponse,
    Outcome, announcement::Payload,
};
use todo_sidecar::ApiChannel;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{StillClock, id};
use crate::due::{instant, timestamp};
use crate::locked;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// `ListDue` cannot be reached.
    List,
    /// `DecideFire` cannot be reached.
    Decide,
    /// `DecideFire` commits, and its answer is lost.
    Answer,
    /// Whatever is asked together with this id fails.
    Chokes(String),
}

#[derive(Default)]
struct Book {
    due: BTreeMap<String, v1::Due>,
    /// Series go on after this time.
    interval: Option<TimeDelta>,
    /// With the moment of the decision.
    unseen: Vec<(Announcement, Timestamp)>,
    /// What is published never arrives.
    deaf: bool,
    /// How far the backend's clock is behind.
    behind: TimeDelta,
    faults: HashSet<Fault>,
    asked: Vec<Vec<v1::Due>>,
    listings: usize,
    under_way: Vec<String>,
    overlaps: usize,
}

pub(crate) struct Backend {
    clock: Arc<StillClock>,
    book: Mutex<Book>,
    /// `DecideFire` waits while true.
    held: watch::Sender<bool>,
}

/// What is due of task 10 of user 1.
pub(crate) fn due(kind: DueKind, number: u128, at: Timestamp) -> v1::Due {
    v1::Due {
        kind: kind.into(),
        id: id(number).to_string(),
        task_id: id(10).to_string(),
        user_id: id(1).to_string(),
        due_at: Some(timestamp(at)),
    }
}

impl Backend {
    pub(crate) fn new(clock: Arc<StillClock>) -> Self {
        Self { clock, book: Mutex::default(), held: watch::Sender::new(false) }
    }

    pub(crate) fn channel(self: &Arc<Self>) -> ApiChannel {
        ApiChannel::from_routes(Routes::new(DueServiceServer::from_arc(Arc::clone(self))))
    }

    /// Adds something due, or moves it.
    pub(crate) fn add(&self, due: v1::Due) {
        locked(&self.book).due.insert(due.id.clone(), due);
    }

    pub(crate) fn remove(&self, number: u128) {
        locked(&self.book).due.remove(&id(number).to_string());
    }

    pub(crate) fn set(&self, fault: Fault, on: bool) {
        let mut book = locked(&self.book);
        if on {
            book.faults.insert(fault);
        } else {
            book.faults.remove(&fault);
        }
    }

    pub(crate) fn repeat_series(&self, interval: TimeDelta) {
        locked(&self.book).interval = Some(interval);
    }

    pub(crate) fn set_behind(&self, behind: TimeDelta) {
        locked(&self.book).behind = behind;
    }

    /// Something decided that nobody published.
    pub(crate) fn add_unseen(&self, announcement: Announcement, decided: Timestamp) {
        locked(&self.book).unseen.push((announcement, decided));
    }

    /// Whether events arrive, from now on.
    pub(crate) fn set_deaf(&self, deaf: bool) {
        locked(&self.book).deaf = deaf;
    }

    /// An event arrives.
    pub(crate) fn see(&self, event_id: &str) {
        let mut book = locked(&self.book);
        if !book.deaf {
            book.unseen.retain(|(announcement, _)| announcement.event_id != event_id);
        }
    }

    /// Keeps `DecideFire` from answering, or lets it.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// What `DecideFire` was asked, call by call.
    pub(crate) fn asked(&self) -> Vec<Vec<v1::Due>> {
        locked(&self.book).asked.clone()
    }

    /// How often `DecideFire` was asked about this.
    pub(crate) fn asked_about(&self, number: u128) -> usize {
        let id = id(number).to_string();
        locked(&self.book).asked.iter().flatten().filter(|due| due.id == id).count()
    }

    /// How often something was asked about while it was being decided.
    pub(crate) fn overlaps(&self) -> usize {
        locked(&self.book).overlaps
    }

    pub(crate) fn listings(&self) -> usize {
        locked(&self.book).listings
    }

    pub(crate) fn pending(&self) -> usize {
        locked(&self.book).due.len()
    }
}

#[async_trait]
impl DueService for Backend {
    async fn list_due(&self, request: Request<ListDueRequest>) -> Result<Response<ListDueResponse>, Status> {
        let request = request.into_inner();
        let mut book = locked(&self.book);
        if book.faults.contains(&Fault::List) {
            return Err(Status::unavailable("the database is away"));
        }
        let until = request.until.as_ref().and_then(instant).ok_or_else(|| Status::invalid_argument("until"))?;
        let limit = usize::try_from(request.limit.unwrap_or(1_000)).map_err(|_| Status::invalid_argument("limit"))?;
        let key = |due: &v1::Due| (due.due_at.as_ref().and_then(instant), due.id.clone());
        let mut due: Vec<v1::Due> =
            book.due.values().filter(|due| key(due).0.is_some_and(|at| at <= until)).cloned().collect();
        due.sort_by_key(key);
        let from: usize = request.page_token.parse().unwrap_or_default();
        let end = (from + limit).min(due.len());
        let next_page_token = if end < due.len() { end.to_string() } else { String::new() };
        let lost = |(_, decided): &&(Announcement, Timestamp)| self.clock.now() - *decided >= TimeDelta::seconds(10);
        let unseen = book.unseen.iter().filter(lost).map(|(announcement, _)| announcement.clone());
        let unseen = if from == 0 { unseen.collect() } else { Vec::new() };
        if from == 0 {
            book.listings += 1;
        }
        Ok(Response::new(ListDueResponse { due: due[from.min(end)..end].to_vec(), unseen, next_page_token }))
    }

    async fn decide_fire(&self, request: Request<DecideFireRequest>) -> Result<Response<DecideFireResponse>, Status> {
        let asked = request.into_inner().due;
        {
            let mut book = locked(&self.book);
            for due in &asked {
                if book.under_way.contains(&due.id) {
                    book.overlaps += 1;
                }
                book.under_way.push(due.id.clone());
            }
            book.asked.push(asked.clone());
        }
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| !held).await;
        let mut book = locked(&self.book);
        for due in &asked {
            if let Some(place) = book.under_way.iter().position(|id| *id == due.id) {
                book.under_way.swap_remove(place);
            }
        }
        if book.faults.contains(&Fault::Decide) {
            return Err(Status::unavailable("the database is away"));
        }
        if asked.iter().any(|due| book.faults.contains(&Fault::Chokes(due.id.clone()))) {
            return Err(Status::internal("something went wrong on our side"));
        }
        let now = self.clock.now() - book.behind;
        let decisions = asked.iter().map(|due| book.decide(due, now)).collect();
        if book.faults.contains(&Fault::Answer) {
            return Err(Status::cancelled("Timeout expired"));
        }
        Ok(Response::new(DecideFireResponse { decisions }))
    }
}

impl Book {
    fn decide(&mut self, asked: &v1::Due, now: Timestamp) -> Decision {
        let stale = Decision { outcome: Outcome::Stale.into(), ..Decision::default() };
        if self.due.get(&asked.id) != Some(asked) {
            return stale;
        }
        let Some(due_at) = asked.due_at.as_ref().and_then(instant) else { return stale };
        if due_at > now {
            return Decision { outcome: Outcome::NotYet.into(), next: Some(asked.clone()), ..Decision::default() };
        }
        self.due.remove(&asked.id);
        let mut announcement = announce(asked, due_at, now);
        let mut next = None;
        if let Some(Payload::RecurringScheduled(slot)) = &mut announcement.payload
            && let Some(interval) = self.interval
        {
            let due = v1::Due { due_at: Some(timestamp(due_at + interval)), ..asked.clone() };
            slot.next_occurrence = due.due_at;
            self.due.insert(due.id.clone(), due.clone());
            next = Some(due);
        }
        self.unseen.push((announcement.clone(), now));
        Decision { outcome: Outcome::Fired.into(), announcements: vec![announcement], next }
    }
}

/// The announcement of something decided.
pub(crate) fn announce(due: &v1::Due, due_at: Timestamp, now: Timestamp) -> Announcement {
    let uuid: Uuid = due.id.parse().expect("a test's id");
    let (task_id, user_id) = (due.task_id.clone(), due.user_id.clone());
    let (event_id, payload) = match due.kind() {
        DueKind::Series => (
            ids::slot_event_id(uuid, due_at, 0),
            Payload::RecurringScheduled(v1::RecurringScheduled {
                source_task_id: task_id,
                new_task_id: ids::instance_id(uuid, due_at).to_string(),
                user_id,
                title: "Water the plants".into(),
                priority: v1::Priority::High.into(),
                tags: vec!["home".into()],
                recurrence_type: v1::RecurrenceType::Daily.into(),
                scheduled_for: Some(timestamp(due_at)),
                ..v1::RecurringScheduled::default()
            }),
        ),
        _ => (
            ids::reminder_event_id(uuid, due_at),
            Payload::ReminderTriggered(v1::ReminderTriggered {
                reminder_id: due.id.clone(),
                task_id,
                user_id,
                task_title: "Water the plants".into(),
                due_date: Some(timestamp(super::after(3600))),
                trigger_at: Some(timestamp(due_at)),
                triggered_at: Some(timestamp(now)),
            }),
        ),
    };
    Announcement {
        event_id: event_id.to_string(),
        time: Some(timestamp(now)),
        payload: Some(payload),
        traceparent: None,
    }
}
