//! Telling the scheduler of a moment that no event tells it of. Only a hint: it finds everything by itself within 30
//! seconds.

use std::{sync::Arc, time::Duration};

use todo_proto::v1::{self, scheduler_service_client::SchedulerServiceClient};
use tonic::Request;

use crate::{core::Core, due, store::DueRow};

/// A hint that comes later is of no use.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Tells of something that is due soon, in the background.
pub(crate) fn due(core: &Arc<Core>, row: &DueRow) {
    let mut scheduler = SchedulerServiceClient::new(core.sidecar.app("scheduler"));
    let mut request = Request::new(v1::SetTimersRequest { due: vec![due::due(row)] });
    request.set_timeout(TIMEOUT);
    tokio::spawn(async move {
        if let Err(status) = scheduler.set_timers(request).await {
            tracing::debug!(code = ?status.code(), "the scheduler could not be told; it will look by itself");
        }
    });
}
