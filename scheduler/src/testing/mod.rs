//! A world for tests: a clock that stands still, a backend that decides truthfully, a sidecar that can fail, and
//! schedulers running over them.

mod backend;
mod sidecar;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use todo_domain::{Clock, Ids, Timestamp};
use todo_proto::v1::{self, GetStatusRequest, scheduler_service_client::SchedulerServiceClient};
use todo_runtime::health::Health;
use todo_sidecar::{Ack, ApiChannel, CloudEvent, Delivery};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::backend::{Backend, Fault, announce, due};
pub(crate) use self::sidecar::FakeSidecar;
use crate::{Options, Ports, Service, build, locked};

/// Longer than anything takes that is going to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that moves only when told.
pub(crate) struct StillClock(Mutex<Timestamp>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *locked(&self.0)
    }
}

/// Ids that are different and otherwise dull.
#[derive(Default)]
pub(crate) struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn new_id(&self, _now: Timestamp) -> Uuid {
        self.random()
    }

    fn random(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(97, Ordering::Relaxed)))
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).expect("a test's time").to_utc()
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Noon, when every test begins.
pub(crate) fn noon() -> Timestamp {
    at("2026-03-01T12:00:00Z")
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    noon() + TimeDelta::seconds(seconds)
}

pub(crate) struct World {
    pub(crate) clock: Arc<StillClock>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) sidecar: Arc<FakeSidecar>,
    pub(crate) replicas: Vec<Replica>,
}

pub(crate) struct Replica {
    pub(crate) service: Service,
    pub(crate) health: Health,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl World {
    /// Nothing runs yet.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(StillClock(Mutex::new(noon())));
        let backend = Arc::new(Backend::new(Arc::clone(&clock)));
        let sidecar = Arc::new(FakeSidecar::new(Arc::clone(&backend)));
        Self { clock, backend, sidecar, replicas: Vec::new() }
    }

    /// One scheduler that has seen its window.
    pub(crate) async fn with_scheduler(due: impl IntoIterator<Item = v1::Due>) -> Self {
        let mut world = Self::new();
        for due in due {
            world.backend.add(due);
        }
        world.start(Options::default());
        world.eventually("the window is known", async |world| world.status().await.window_until.is_some()).await;
        world
    }

    pub(crate) fn start(&mut self, options: Options) {
        let health = Health::default();
        let service = build(
            options,
            Ports {
                sidecar: self.sidecar.clone(),
                clock: self.clock.clone(),
                ids: Arc::new(CountingIds::default()),
                health: health.clone(),
            },
        );
        let shutdown = CancellationToken::new();
        let running = tokio::spawn({
            let (service, shutdown) = (service.clone(), shutdown.clone());
            async move { service.run(shutdown).await }
        });
        self.replicas.push(Replica { service, health, shutdown, running });
    }

    /// Shuts all replicas down.
    pub(crate) async fn stop(&mut self) {
        for replica in self.replicas.drain(..) {
            replica.shutdown.cancel();
            replica.running.await.expect("no panic");
        }
    }

    /// Moves the clock, in either direction.
    pub(crate) fn set(&self, now: Timestamp) {
        *locked(&self.clock.0) = now;
        for replica in &self.replicas {
            replica.service.poke();
        }
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.set(self.clock.now() + time);
    }

    pub(crate) async fn eventually(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            let mut poll = tokio::time::interval(Duration::from_millis(1));
            while !holds(self).await {
                poll.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "never: {what}");
    }

    /// As [`eventually`](Self::eventually), while the clock runs, faster and faster.
    pub(crate) async fn in_time(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let mut step = TimeDelta::zero();
        self.eventually(what, async |world| {
            if holds(world).await {
                return true;
            }
            step = (step + TimeDelta::milliseconds(10)).min(TimeDelta::seconds(1));
            world.pass(step);
            false
        })
        .await;
    }

    pub(crate) fn client(&self) -> SchedulerServiceClient<ApiChannel> {
        SchedulerServiceClient::new(ApiChannel::from_routes(self.replicas[0].service.routes.clone()))
    }

    pub(crate) async fn status(&self) -> v1::GetStatusResponse {
        self.client().get_status(GetStatusRequest {}).await.expect("the status").into_inner()
    }

    /// Delivers an event to the first replica.
    pub(crate) async fn tell(&self, event: CloudEvent) -> Ack {
        let delivery = Delivery { topic: "tasks".into(), event, retries: 0 };
        self.replicas[0].service.subscriber.on_event(&delivery).await
    }

    pub(crate) async fn tick(&self) {
        self.replicas[0].service.subscriber.on_trigger("reminder-check-trigger").await;
    }
}

/// A task event as the backend publishes it.
pub(crate) fn event<M: prost::Message + prost::Name>(type_: &str, message: &M) -> CloudEvent {
    CloudEvent {
        id: id(77).to_string(),
        type_: format!("com.todo.task.{type_}"),
        source: "/backend/tasks".into(),
        subject: None,
        time: noon(),
        data: todo_proto::json::of(message),
        extensions: [].into(),
    }
}

/// A task of user 1 with reminders, given as number and moment.
pub(crate) fn task(number: u128, reminders: &[(u128, Timestamp)]) -> v1::Task {
    v1::Task {
        id: id(number).to_string(),
        user_id: id(1).to_string(),
        title: "Water the plants".into(),
        status: v1::Status::Pending.into(),
        priority: v1::Priority::High.into(),
        due_date: Some(crate::due::timestamp(after(3600))),
        reminders: reminders
            .iter()
            .map(|(number, at)| v1::Reminder {
                id: id(*number).to_string(),
                trigger_at: Some(crate::due::timestamp(*at)),
                ..v1::Reminder::default()
            })
            .collect(),
        ..v1::Task::default()
    }
}

pub(crate) fn created(task: v1::Task, revision: i64) -> CloudEvent {
    let (task_id, user_id) = (task.id.clone(), task.user_id.clone());
    event("created", &v1::TaskCreated { task_id, user_id, revision, task: Some(task), ..v1::TaskCreated::default() })
}

pub(crate) fn updated(task: v1::Task, revision: i64) -> CloudEvent {
    let (task_id, user_id) = (task.id.clone(), task.user_id.clone());
    event("updated", &v1::TaskUpdated { task_id, user_id, revision, task: Some(task), ..v1::TaskUpdated::default() })
}

pub(crate) fn deleted(number: u128, revision: i64) -> CloudEvent {
    let (task_id, user_id) = (id(number).to_string(), id(1).to_string());
    event("deleted", &v1::TaskDeleted { task_id, user_id, revision, reminder_ids: Vec::new() })
}
