//! `NotificationService`.

use std::sync::Arc;

use todo_domain::{Error, Violation, account::Scope, error::Reason, ids, task::Status as TaskStatus};
use todo_proto::v1::{self, notification_service_server::NotificationService};
use todo_runtime::status::from_error;
use tonic::{Request, Response, Status};

use crate::{
    convert,
    core::{Core, id},
    hint, push,
    store::{ChangeKind, DueKind, DueRow, Notification, ReminderRow},
    tasks::begin,
    write::{Begin, Write, again, task_not_found},
};

pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
}

impl Service {
    async fn list(
        &self,
        request: Request<v1::ListNotificationsRequest>,
    ) -> Result<Response<v1::ListNotificationsResponse>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let request = request.into_inner();
        let (limit, offset) = convert::page(request.limit, request.offset)?;
        let (mut tx, _) = self.core.read(&call).await?;
        let notifications = tx.list_notifications(call.user_id, request.unread_only, limit, offset).await?;
        let (total, unread) = tx.count_notifications(call.user_id).await?;
        Ok(Response::new(v1::ListNotificationsResponse {
            notifications: notifications.iter().map(convert::notification).collect(),
            unread_count: unread,
            total: if request.unread_only { unread } else { total },
        }))
    }

    async fn read(&self, request: Request<v1::MarkReadRequest>) -> Result<Response<()>, Error> {
        let mut write = begin!(self.core, "MarkRead", &request);
        let notification = find(&mut write, &request.get_ref().id).await?;
        mark_read(&mut write, notification).await?;
        write.finish(()).await
    }

    async fn read_all(&self, request: Request<v1::MarkAllReadRequest>) -> Result<Response<()>, Error> {
        let mut write = begin!(self.core, "MarkAllRead", &request);
        let unread = write.tx.unread(write.user_id).await?;
        for ids in unread.chunks(500) {
            for notification in write.tx.notifications(write.user_id, ids).await? {
                mark_read(&mut write, notification).await?;
            }
        }
        write.finish(()).await
    }

    async fn snooze(&self, request: Request<v1::SnoozeRequest>) -> Result<Response<v1::Notification>, Error> {
        let mut write = begin!(self.core, "Snooze", &request);
        let request = request.into_inner();
        let mut violations = todo_domain::Violations::new();
        let until = convert::required(request.until, "until")?;
        let until = convert::time(until, "until", &mut violations);
        violations.into_result(())?;
        let until =
            until.filter(|until| *until > write.now).ok_or_else(|| Violation::new("until", "must be in the future"))?;
        let mut notification = find(&mut write, &request.id).await?;
        let task = write.task(notification.task_id).await?;
        if task.status == TaskStatus::Completed {
            return Err(task_not_found());
        }
        let until = todo_domain::clock::micros(until);
        let reminder = ReminderRow {
            id: ids::derived("snooze", &notification.id.to_string()),
            task_id: task.id,
            user_id: write.user_id,
            trigger_at: until,
            notification_id: Some(notification.id),
            traceparent: todo_trace::current(),
        };
        write.tx.put_snooze(&reminder, write.now).await?;
        notification.snoozed_until = Some(until);
        notification.revision = write.next_revision();
        write.tx.put_notification(&notification).await?;
        write.record(ChangeKind::NotificationUpdated, notification.id, None, &[]).await?;
        let response = write.finish(convert::notification(&notification)).await?;
        let due =
            DueRow { at: until, kind: DueKind::Reminder, id: reminder.id, task_id: task.id, user_id: task.user_id };
        hint::due(&self.core, &due);
        Ok(response)
    }
}

async fn find(write: &mut Write, text: &str) -> Result<Notification, Error> {
    let found = write.tx.notifications(write.user_id, &[id("id", text)?]).await?.pop();
    found.ok_or_else(|| Error::new(Reason::NotificationNotFound, "there is no such notification"))
}

async fn mark_read(write: &mut Write, mut notification: Notification) -> Result<(), Error> {
    if notification.read_at.is_some() {
        return Ok(());
    }
    notification.read_at = Some(write.now.max(notification.triggered_at));
    notification.revision = write.next_revision();
    write.tx.put_notification(&notification).await?;
    write.record(ChangeKind::NotificationUpdated, notification.id, None, &[]).await
}

#[tonic::async_trait]
impl NotificationService for Service {
    async fn list_notifications(
        &self,
        request: Request<v1::ListNotificationsRequest>,
    ) -> Result<Response<v1::ListNotificationsResponse>, Status> {
        self.list(request).await.map_err(from_error)
    }

    async fn mark_read(&self, request: Request<v1::MarkReadRequest>) -> Result<Response<()>, Status> {
        self.read(request).await.map_err(from_error)
    }

    async fn mark_all_read(&self, request: Request<v1::MarkAllReadRequest>) -> Result<Response<()>, Status> {
        self.read_all(request).await.map_err(from_error)
    }

    async fn snooze(&self, request: Request<v1::SnoozeRequest>) -> Result<Response<v1::Notification>, Status> {
        Service::snooze(self, request).await.map_err(from_error)
    }

    async fn get_push_key(
        &self,
        request: Request<v1::GetPushKeyRequest>,
    ) -> Result<Response<v1::GetPushKeyResponse>, Status> {
        push::key(&self.core, request).await.map_err(from_error)
    }

    async fn subscribe_push(&self, request: Request<v1::SubscribePushRequest>) -> Result<Response<()>, Status> {
        push::subscribe(&self.core, request).await.map_err(from_error)
    }

    async fn unsubscribe_push(&self, request: Request<v1::UnsubscribePushRequest>) -> Result<Response<()>, Status> {
        push::unsubscribe(&self.core, request).await.map_err(from_error)
    }
}
