//! What the scheduler is told: task events, and ticks of the cron bindings.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::Deserialize as _;
use todo_sidecar::{Ack, Delivery, Subscriber, Subscription};

use crate::due::Thing;
use crate::event::{SCHEDULED, TASKS, TYPES, TaskEvent};
use crate::records::Records;
use crate::state::{Fact, Scheduled};
use crate::timers::{Doubt, Timers};
use crate::wake::Wake;
use crate::window::Window;
use crate::{BINDINGS, Options, locked};

pub(crate) struct Ears {
    pub(crate) timers: Arc<Mutex<Timers>>,
    pub(crate) window: Arc<Window>,
    pub(crate) records: Arc<Records>,
    pub(crate) ringing: Arc<Wake>,
    pub(crate) options: Options,
}

#[async_trait]
impl Subscriber for Ears {
    fn subscriptions(&self) -> Vec<Subscription> {
        let types = TYPES.iter().chain([&SCHEDULED]).map(ToString::to_string).collect();
        vec![Subscription { types, ..Subscription::new(TASKS) }]
    }

    fn bindings(&self) -> Vec<String> {
        BINDINGS.iter().map(ToString::to_string).collect()
    }

    async fn on_event(&self, delivery: &Delivery) -> Ack {
        if delivery.event.type_ == SCHEDULED {
            // Not all are our own: a task that follows from another's closing the backend makes and announces. Whether it
            // can be read is for the backend to judge.
            let scheduled = Scheduled::deserialize(&delivery.event.data);
            self.records.write(scheduled.map(|it| Fact::Scheduled(it, false)).into_iter().collect()).await;
            return Ack::Success;
        }
        let event = match TaskEvent::read(&delivery.event) {
            Some(Ok(event)) => event,
            Some(Err(why)) => return Ack::Drop(why),
            None => return Ack::Success,
        };
        let ended = self.set_timers(&event);
        // The timers are what is promised. What the state store holds is made good later when it is away, here and by
        // later events: sending the event back for it would only fill the dead letters of a long outage.
        self.records.write(event.facts(&ended)).await;
        Ack::Success
    }

    async fn on_trigger(&self, _binding: &str) {
        self.window.hint();
    }
}

impl Ears {
    /// Sets, moves and removes timers; answers with what has none any more.
    fn set_timers(&self, event: &TaskEvent) -> Vec<Thing> {
        // What was due longer ago was listed, if it still is: a replay of the past is to cost no decisions.
        let since = self.window.listed_since();
        let pending = event.pending().into_iter().filter(|due| due.at >= since);
        let pending: Vec<_> = pending.map(|due| (due, due.at + self.options.stagger)).collect();
        let until = self.window.end();
        let (ended, doubt) = {
            let mut timers = locked(&self.timers);
            let ended = event.ends(timers.of_task(event.task_id));
            let doubt = timers.told(event.revision, &ended, &pending, until);
            (ended, doubt)
        };
        if !pending.is_empty() {
            self.ringing.wake();
        }
        if doubt == Doubt::Yes || event.touches_series() {
            self.window.hint();
        }
        ended
    }
}
