//! One click through all processes, daprds included.

use todo_tests::{
    cluster::{Cluster, Role},
    collector::Collector,
    eventually,
};

use super::PATIENCE;
use crate::traces::{TRACE, click, is_whole};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_is_one_trace_through_all_processes_up_to_its_notification() {
    let Some(mut cluster) = Cluster::empty() else { return };
    let collector = Collector::start().await;
    cluster.trace_daprds(&collector.address);
    for role in [Role::Backend, Role::Scheduler, Role::Gateway] {
        let member = cluster.add(role);
        member.environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.address)));
        member.start();
        member.daprd.start();
    }
    cluster.ready().await;
    click(&cluster.user("ann").await).await;
    let all = [
        ("gateway", "POST /api/tasks"),
        // The gateway's daprd, and the backend's.
        ("gateway", "/todo.v1.TaskService/CreateTask"),
        ("backend", "/todo.v1.TaskService/CreateTask"),
        ("backend", "todo.v1.TaskService/CreateTask"),
        ("backend", "send tasks"),
        // daprd delivers.
        ("scheduler", "pubsub/tasks"),
        ("scheduler", "process tasks"),
        ("scheduler", "send notifications"),
        ("backend", "pubsub/notifications"),
        ("backend", "process notifications"),
    ];
    eventually("one trace", PATIENCE, || async { is_whole(&collector.trace(TRACE), &all).then_some(()) }).await;
}
