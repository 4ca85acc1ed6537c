//! The apps of the process and their replicas.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Notify;

use super::lock;
use crate::{ApiChannel, Subscriber, Subscription};

/// A subscriber that does not say within this time whether it serves does not.
const SERVING_TIMEOUT: Duration = Duration::from_secs(5);

/// Names one registration, for [`LocalSidecar::unregister`](super::LocalSidecar::unregister).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    app: String,
    number: u64,
}

#[derive(Default)]
pub(super) struct Registry {
    apps: Mutex<BTreeMap<String, Arc<App>>>,
    next: AtomicU64,
    /// An app was added.
    pub(super) changed: Notify,
    /// The clock was moved.
    pub(super) timers: Notify,
}

/// One app id.
pub(super) struct App {
    pub(super) id: String,
    members: Mutex<Members>,
    /// There may be something to deliver, or the members changed.
    pub(super) wake: Notify,
}

#[derive(Default)]
struct Members {
    list: Vec<Member>,
    turn: usize,
    generation: u64,
}

#[derive(Clone)]
struct Member {
    number: u64,
    subscriber: Arc<dyn Subscriber>,
    services: Option<ApiChannel>,
    serving: Arc<AtomicBool>,
}

/// How many of an app's replicas serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serving {
    None,
    Some,
    All,
}

impl Registry {
    pub(super) fn add(&self, id: &str, subscriber: Arc<dyn Subscriber>, services: Option<ApiChannel>) -> Replica {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let app =
            Arc::clone(lock(&self.apps).entry(id.to_owned()).or_insert_with(|| {
                Arc::new(App { id: id.to_owned(), members: Mutex::default(), wake: Notify::new() })
            }));
        let member = Member { number, subscriber, services, serving: Arc::new(AtomicBool::new(false)) };
        {
            let mut members = lock(&app.members);
            members.list.push(member);
            members.generation += 1;
        }
        app.wake.notify_one();
        self.changed.notify_one();
        Replica { app: id.to_owned(), number }
    }

    pub(super) fn remove(&self, replica: &Replica) {
        if let Some(app) = self.app(&replica.app) {
            app.retain(|number| number != replica.number);
        }
    }

    pub(super) fn clear(&self) {
        for app in std::mem::take(&mut *lock(&self.apps)).into_values() {
            app.retain(|_| false);
        }
    }

    pub(super) fn app(&self, id: &str) -> Option<Arc<App>> {
        lock(&self.apps).get(id).cloned()
    }

    /// All apps in the order of their ids.
    pub(super) fn apps(&self) -> Vec<Arc<App>> {
        lock(&self.apps).values().cloned().collect()
    }

    /// Something was published.
    pub(super) fn wake_apps(&self) {
        for app in lock(&self.apps).values() {
            app.wake.notify_one();
        }
    }

    pub(super) fn wake_all(&self) {
        self.wake_apps();
        self.timers.notify_one();
    }
}

impl App {
    fn retain(&self, keep: impl Fn(u64) -> bool) {
        let mut members = lock(&self.members);
        members.list.retain(|member| keep(member.number));
        members.generation += 1;
        drop(members);
        self.wake.notify_one();
    }

    fn members(&self) -> Vec<Member> {
        lock(&self.members).list.clone()
    }

    /// Changes whenever a replica comes or goes.
    pub(super) fn generation(&self) -> u64 {
        lock(&self.members).generation
    }

    /// The topics of all replicas; where they differ, the latest replica decides.
    pub(super) fn subscriptions(&self) -> BTreeMap<String, Subscription> {
        let all = self.members().into_iter().flat_map(|member| member.subscriber.subscriptions());
        all.map(|subscription| (subscription.topic.clone(), subscription)).collect()
    }

    /// Asks every replica whether it serves.
    pub(super) async fn check_serving(&self) -> Serving {
        let members = self.members();
        let mut count = 0;
        for member in &members {
            let asked = AssertUnwindSafe(member.subscriber.serving()).catch_unwind();
            let serving = matches!(tokio::time::timeout(SERVING_TIMEOUT, asked).await, Ok(Ok(true)));
            member.serving.store(serving, Ordering::Relaxed);
            count += usize::from(serving);
        }
        match count {
            0 => Serving::None,
            n if n < members.len() => Serving::Some,
            _ => Serving::All,
        }
    }

    /// Whether any replica served when last asked.
    pub(super) fn serves(&self) -> bool {
        self.members().iter().any(|member| member.serving.load(Ordering::Relaxed))
    }

    /// The replica whose turn it is among those that served when last asked.
    pub(super) fn subscriber(&self) -> Option<Arc<dyn Subscriber>> {
        self.turn(|member| member.serving.load(Ordering::Relaxed).then(|| Arc::clone(&member.subscriber)))
    }

    /// The services of the replica whose turn it is.
    pub(super) fn services(&self) -> Option<ApiChannel> {
        self.turn(|member| member.services.clone())
    }

    fn turn<T>(&self, choose: impl Fn(&Member) -> Option<T>) -> Option<T> {
        let mut members = lock(&self.members);
        let start = members.turn;
        members.turn = start.wrapping_add(1);
        let count = members.list.len();
        (0..count).find_map(|i| choose(&members.list[(start.wrapping_add(i)) % count]))
    }

    /// The replicas that handle a binding.
    pub(super) fn handlers_of(&self, binding: &str) -> Vec<Arc<dyn Subscriber>> {
        let members = self.members().into_iter();
        members
            .filter(|member| member.subscriber.bindings().iter().any(|name| name == binding))
            .map(|member| member.subscriber)
            .collect()
    }
}
