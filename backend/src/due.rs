//! `DueService`: what is due, and the decision whether it happens. A decision is one transaction, in which the database
//! as it is then has the last word; so whoever asks first decides, and asking again changes nothing.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use todo_domain::{Error, Violations, ids, series, task::Task};
use todo_proto::v1::{self, announcement::Payload, due_service_server::DueService};
use todo_runtime::status::from_error;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    batch::Batch,
    convert::{self, timestamp},
    core::{Core, id},
    series::decided_slot,
    store::{ChangeKind, DueKind, DueRow, Firing, Series, SlotState, Tx},
    write::Write,
};

/// How long after a decision its event is taken for lost when nothing came of it.
const UNSEEN: TimeDelta = TimeDelta::seconds(10);
/// Events handed out again at once.
const UNSEEN_BATCH: i64 = 1_000;
/// Things decided at once.
const DECIDE_MAX: usize = 1_000;

pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
}

/// Something that rang, as the scheduler knows it.
struct Asked {
    /// Its place in the request.
    index: usize,
    kind: DueKind,
    id: Uuid,
    due_at: DateTime<Utc>,
}

impl Service {
    async fn list(&self, request: v1::ListDueRequest) -> Result<v1::ListDueResponse, Error> {
        let mut violations = Violations::new();
        let until = convert::required(request.until, "until")?;
        let until = convert::time(until, "until", &mut violations);
        let limit = i64::from(request.limit.unwrap_or(1_000));
        violations.check((1..=10_000).contains(&limit), "limit", || format!("must be 1 to 10,000, got {limit}"));
        let after = place(&request.page_token, &mut violations);
        let until = violations.into_result(until)?.unwrap_or_default();

        let mut tx = self.core.store.read().await?;
        let rows = tx.due(until, after, limit + 1).await?;
        let page = &rows[..rows.len().min(usize::try_from(limit).unwrap_or_default())];
        let unseen = if after.is_none() {
            let (firings, slots) = tx.unseen(self.core.clock.now() - UNSEEN, UNSEEN_BATCH).await?;
            let slots = slots.iter().filter_map(|slot| v1::Announcement::decode(slot.announcement.as_slice()).ok());
            firings.iter().map(announce_firing).chain(slots).collect()
        } else {
            Vec::new()
        };
        Ok(v1::ListDueResponse {
            due: page.iter().map(due).collect(),
            unseen,
            next_page_token: page.last().filter(|_| page.len() < rows.len()).map(token).unwrap_or_default(),
        })
    }

    async fn decide(&self, request: v1::DecideFireRequest) -> Result<v1::DecideFireResponse, Error> {
        let mut violations = Violations::new();
        violations.check(request.due.len() <= DECIDE_MAX, "due", || format!("must be at most {DECIDE_MAX}"));
        let now = self.core.clock.now();
        let mut decisions = vec![stale(); request.due.len()];
        // Owners are locked in one order, so that two replicas cannot wait for each other.
        let mut owners: BTreeMap<Uuid, Vec<Asked>> = BTreeMap::new();
        for (index, due) in request.due.iter().enumerate() {
            let asked = Asked {
                index,
                kind: match due.kind() {
                    v1::DueKind::Reminder => DueKind::Reminder,
                    v1::DueKind::Series => DueKind::Series,
                    v1::DueKind::Unspecified => continue,
                },
                id: id("due.id", &due.id)?,
                due_at: due.due_at.and_then(|at| convert::time(at, "due.due_at", &mut violations)).unwrap_or_default(),
            };
            owners.entry(id("due.user_id", &due.user_id)?).or_default().push(asked);
        }
        violations.into_result(())?;

        let mut tx = self.core.store.begin().await?;
        let user_ids: Vec<_> = owners.keys().copied().collect();
        let mut batch = Batch::lock(tx.as_mut(), &user_ids, now).await?;
        owners.retain(|user_id, _| batch.has(*user_id));
        let reminders = owners.iter().flat_map(|(user_id, asked)| asked.iter().map(|asked| (*user_id, asked)));
        let reminders = reminders.filter(|(_, asked)| asked.kind == DueKind::Reminder);
        for (index, decision) in decide_reminders(tx.as_mut(), &mut batch, reminders.collect(), now).await? {
            decisions[index] = decision;
        }
        let mut settled = batch.write(tx.as_mut()).await?;
        for (user_id, asked) in owners {
            let series: Vec<_> = asked.into_iter().filter(|asked| asked.kind == DueKind::Series).collect();
            if series.is_empty() {
                continue;
            }
            let mut write = self.core.join(tx, user_id, now).await?;
            for asked in series {
                decisions[asked.index] = decide_series(&mut write, asked.id).await?;
            }
            let (back, done) = write.settle().await?;
            tx = back;
            settled.push(done);
        }
        tx.commit().await?;
        for done in &settled {
            self.core.committed(done);
        }
        Ok(v1::DecideFireResponse { decisions })
    }
}

/// A reminder fires if it is still pending for the moment that rang. Answers with the places of what is not stale.
async fn decide_reminders(
    tx: &mut dyn Tx,
    batch: &mut Batch,
    asked: Vec<(Uuid, &Asked)>,
    now: DateTime<Utc>,
) -> Result<Vec<(usize, v1::Decision)>, Error> {
    let user_ids = batch.owners();
    let ids: Vec<_> = asked.iter().map(|(_, asked)| asked.id).collect();
    let pending = tx.pending_reminders(&ids).await?;
    let task_ids: Vec<_> = pending.iter().map(|reminder| reminder.task_id).collect();
    let outlines = tx.outlines(&user_ids, &task_ids).await?;
    let mut pending: BTreeMap<_, _> = pending.into_iter().map(|reminder| (reminder.id, reminder)).collect();
    let mut decisions = Vec::new();
    let mut firings = Vec::new();
    for (user_id, asked) in asked {
        // Taken out, so that a request that names it twice decides it once.
        let Some(reminder) = pending.remove(&asked.id).filter(|reminder| reminder.user_id == user_id) else { continue };
        if reminder.trigger_at > now {
            let (id, task_id) = (reminder.id, reminder.task_id);
            let next = DueRow { at: reminder.trigger_at, kind: DueKind::Reminder, id, task_id, user_id };
            decisions.push((asked.index, not_yet(&next)));
            continue;
        }
        let outline = outlines.get(&reminder.task_id).filter(|outline| outline.user_id == user_id);
        let Some(outline) = outline.filter(|_| reminder.trigger_at == asked.due_at) else { continue };
        let event_id = ids::reminder_event_id(reminder.id, reminder.trigger_at);
        let firing = Firing {
            event_id,
            notification_id: reminder.notification_id.unwrap_or(event_id),
            reminder_id: reminder.id,
            task_id: reminder.task_id,
            user_id,
            task_title: outline.title.clone(),
            due: outline.due,
            trigger_at: reminder.trigger_at,
            fired_at: now,
            seen: false,
            traceparent: reminder.traceparent.clone(),
        };
        decisions.push((asked.index, fired(vec![announce_firing(&firing)], None)));
        firings.push((firing, asked.index, reminder.notification_id.is_some()));
    }
    let fired: Vec<_> = firings.iter().map(|(firing, ..)| firing.reminder_id).collect();
    tx.set_fired(&user_ids, &fired).await?;
    let rows: Vec<_> = firings.iter().map(|(firing, ..)| firing.clone()).collect();
    let new = tx.add_firings(&rows).await?;
    let mut touched = BTreeMap::new();
    for (firing, index, is_snooze) in firings {
        // An undo can make a reminder pending again that has fired for this moment: it does not fire twice.
        if !new.contains(&firing.event_id) {
            decisions.retain(|(place, _)| *place != index);
        } else if !is_snooze
            && let Some(revision) = batch.note(firing.user_id, ChangeKind::ReminderFired, firing.task_id)
        {
            touched.insert((firing.user_id, firing.task_id), revision);
        }
    }
    let touched: Vec<_> =
        touched.into_iter().map(|((user_id, task_id), revision)| (user_id, task_id, revision)).collect();
    tx.touch_tasks(&touched).await?;
    Ok(decisions)
}

/// A series makes what its rule, its state and the time say now.
async fn decide_series(write: &mut Write, series_id: Uuid) -> Result<v1::Decision, Error> {
    let series = write.tx.series(series_id).await?;
    let Some(mut series) = series.filter(|series| series.user_id == write.user_id && series.ended_at.is_none()) else {
        return Ok(stale());
    };
    let Some(source) = write.tx.task(write.user_id, series.task_id).await? else { return Ok(stale()) };
    let state = write.series_state(&series, &source).await?;
    let plan = series::plan(&series.recurrence, &state, write.now);
    let mut announcements = Vec::new();
    let following = plan.make.iter().skip(1).copied().map(Some).chain([plan.next.map(|next| next.slot)]);
    for slot in plan.make.iter().copied().zip(following) {
        announcements.extend(decide_slot(write, &series, &source, slot).await?);
    }
    if plan.blocked && !series.blocked {
        tracing::warn!(series.id = %series_id, "too many tasks of this series are open; no more are made until one is closed");
    }
    series.decided_to = plan.cursor;
    series.blocked = plan.blocked;
    series.due_at = plan.next.map(|next| next.appear_at);
    write.tx.put_series(&series).await?;
    let next = series.due_at.map(|at| DueRow {
        at,
        kind: DueKind::Series,
        id: series_id,
        task_id: source.id,
        user_id: write.user_id,
    });
    Ok(match (announcements.is_empty(), next) {
        (true, Some(next)) => not_yet(&next),
        (true, None) => stale(),
        (false, next) => fired(announcements, next.as_ref()),
    })
}

/// Decides a slot, before another, unless it was decided before. One that was withdrawn and came back is announced anew.
async fn decide_slot(
    write: &mut Write,
    series: &Series,
    source: &Task,
    (slot, next): (DateTime<Utc>, Option<DateTime<Utc>>),
) -> Result<Option<v1::Announcement>, Error> {
    let series_id = series.recurrence.id;
    let epoch = match write.tx.slot(series_id, slot).await? {
        None => 0,
        Some(known) if known.state == SlotState::Withdrawn => known.epoch + 1,
        Some(_) => return Ok(None),
    };
    let ids = (ids::instance_id(series_id, slot), ids::slot_event_id(series_id, slot, epoch));
    let (slot, _) = decided_slot(series, source, (slot, next), ids, epoch, write.now);
    write.tx.put_slot(&slot).await?;
    v1::Announcement::decode(slot.announcement.as_slice()).map(Some).map_err(Error::internal)
}

fn announce_firing(firing: &Firing) -> v1::Announcement {
    let triggered = v1::ReminderTriggered {
        reminder_id: firing.reminder_id.to_string(),
        task_id: firing.task_id.to_string(),
        user_id: firing.user_id.to_string(),
        task_title: firing.task_title.clone(),
        due_date: firing.due.map(timestamp),
        trigger_at: Some(timestamp(firing.trigger_at)),
        triggered_at: Some(timestamp(firing.fired_at)),
    };
    v1::Announcement {
        event_id: firing.event_id.to_string(),
        time: Some(timestamp(firing.fired_at)),
        payload: Some(Payload::ReminderTriggered(triggered)),
        traceparent: firing.traceparent.clone(),
    }
}

fn decision(outcome: v1::Outcome, announcements: Vec<v1::Announcement>, next: Option<&DueRow>) -> v1::Decision {
    v1::Decision { outcome: outcome.into(), announcements, next: next.map(due) }
}

fn fired(announcements: Vec<v1::Announcement>, next: Option<&DueRow>) -> v1::Decision {
    decision(v1::Outcome::Fired, announcements, next)
}

fn stale() -> v1::Decision {
    decision(v1::Outcome::Stale, Vec::new(), None)
}

fn not_yet(next: &DueRow) -> v1::Decision {
    decision(v1::Outcome::NotYet, Vec::new(), Some(next))
}

pub(crate) fn due(row: &DueRow) -> v1::Due {
    v1::Due {
        kind: match row.kind {
            DueKind::Reminder => v1::DueKind::Reminder,
            DueKind::Series => v1::DueKind::Series,
        }
        .into(),
        id: row.id.to_string(),
        task_id: row.task_id.to_string(),
        user_id: row.user_id.to_string(),
        due_at: Some(timestamp(row.at)),
    }
}

/// Where the next page begins.
fn token(row: &DueRow) -> String {
    format!("{}.{}.{}", row.at.timestamp_micros(), row.kind as u8, row.id)
}

fn place(token: &str, violations: &mut Violations) -> Option<(DateTime<Utc>, DueKind, Uuid)> {
    let read = || {
        let (at, rest) = token.split_once('.')?;
        let (kind, id) = rest.split_once('.')?;
        let kind = match kind {
            "1" => DueKind::Reminder,
            "2" => DueKind::Series,
            _ => return None,
        };
        Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, kind, id.parse().ok()?))
    };
    if token.is_empty() {
        return None;
    }
    let place = read();
    violations.check(place.is_some(), "page_token", || "must be the next_page_token of an earlier answer");
    place
}

#[tonic::async_trait]
impl DueService for Service {
    async fn list_due(&self, request: Request<v1::ListDueRequest>) -> Result<Response<v1::ListDueResponse>, Status> {
        self.list(request.into_inner()).await.map(Response::new).map_err(from_error)
    }

    async fn decide_fire(
        &self,
        request: Request<v1::DecideFireRequest>,
    ) -> Result<Response<v1::DecideFireResponse>, Status> {
        self.decide(request.into_inner()).await.map(Response::new).map_err(from_error)
    }
}
