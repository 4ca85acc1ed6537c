//! `SchedulerService`: what this replica holds.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use todo_domain::{Clock, Error, Reason, Violation};
use todo_proto::v1::scheduler_service_server::SchedulerService;
use todo_proto::v1::{
    self, GetStatusRequest, GetStatusResponse, ListRemindersRequest, ListRemindersResponse, ListSchedulesRequest,
    ListSchedulesResponse, SetTimersRequest, SetTimersResponse,
};
use todo_runtime::status;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::announcement::Announcements;
use crate::condition::Condition;
use crate::due::{Due, Kind, timestamp};
use crate::timers::Timers;
use crate::wake::Wake;
use crate::window::Window;
use crate::{Options, locked};

pub(crate) struct Rpc {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timers: Arc<Mutex<Timers>>,
    pub(crate) window: Arc<Window>,
    pub(crate) announcements: Arc<Announcements>,
    pub(crate) condition: Arc<Condition>,
    pub(crate) ringing: Arc<Wake>,
    pub(crate) options: Options,
}

impl Rpc {
    fn list(&self, kind: Kind, user_id: &str, pending_only: bool) -> Result<Vec<v1::Due>, Status> {
        let user = if user_id.is_empty() { None } else { Some(read(user_id)?) };
        let pending = pending_only.then(|| self.clock.now());
        let list = locked(&self.timers).list(kind, user, pending);
        Ok(list.into_iter().map(Due::to_proto).collect())
    }
}

#[async_trait]
impl SchedulerService for Rpc {
    async fn list_schedules(
        &self,
        request: Request<ListSchedulesRequest>,
    ) -> Result<Response<ListSchedulesResponse>, Status> {
        let request = request.into_inner();
        let schedules = self.list(Kind::Series, &request.user_id, request.pending_only)?;
        Ok(Response::new(ListSchedulesResponse { schedules }))
    }

    async fn list_reminders(
        &self,
        request: Request<ListRemindersRequest>,
    ) -> Result<Response<ListRemindersResponse>, Status> {
        let request = request.into_inner();
        let reminders = self.list(Kind::Reminder, &request.user_id, request.pending_only)?;
        Ok(Response::new(ListRemindersResponse { reminders }))
    }

    async fn set_timers(&self, request: Request<SetTimersRequest>) -> Result<Response<SetTimersResponse>, Status> {
        let until = self.window.end();
        // A hint that makes no sense is no hint.
        let due = request.into_inner().due.into_iter().filter_map(|due| Due::from_proto(&due));
        {
            let mut timers = locked(&self.timers);
            for due in due.filter(|due| due.at <= until) {
                timers.set(due, due.at + self.options.stagger);
            }
        }
        self.ringing.wake();
        Ok(Response::new(SetTimersResponse {}))
    }

    async fn get_status(&self, _request: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(Response::new(GetStatusResponse {
            started_at: Some(timestamp(self.condition.started_at)),
            timers: count(locked(&self.timers).len()),
            window_until: self.window.known_until().map(timestamp),
            published: self.condition.published.load(Ordering::Relaxed),
            unpublished: count(self.announcements.unpublished()),
            last_error: self.condition.last_error(),
        }))
    }
}

fn read(user_id: &str) -> Result<Uuid, Status> {
    user_id.parse().map_err(|_| {
        let violation = Violation::new("user_id", "must be a UUID");
        let error = Error::new(Reason::InvalidIdFormat, violation.to_string());
        status::from_error(Error { violations: vec![violation], ..error })
    })
}
