//! What `todo doctor` finds, beside roles that are well and beside some that are not.

use todo_tests::{
    cluster::{Cluster, Member, Role},
    process::{Ended, ended},
};

/// What it says of a role, with some settings that are others than the role's.
async fn examined(member: &Member, other: &[(&str, &str)]) -> Ended {
    let mut command = member.command(&["doctor", member.role.id()]);
    command.envs(other.iter().copied());
    ended(command).await
}

/// It finds this, says what to mend, and ends with 1.
fn finds(found: &Ended, line: &str, words: &[&str]) {
    assert_eq!(found.code, Some(1), "{found:?}");
    let line = found.stdout.lines().find(|it| it.starts_with(line)).unwrap_or_else(|| panic!("no {line}: {found:?}"));
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_is_well_and_each_misconfiguration_is_found() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    for role in Role::ALL {
        // What comes last is that daprd asks for the app's health.
        let found = |_, body: &serde_json::Value| body["checks"]["sidecar"] == "ok" && body["status"] == "ok";
        cluster.member(role, 0).says("all is there", found).await;
        let well = examined(cluster.member(role, 0), &[]).await;
        assert_eq!(well.code, Some(0), "{role:?}: {well:?}");
        assert!(well.stdout.lines().all(|line| line.starts_with("ok ")), "{role:?}: {}", well.stdout);
    }
    let backend = cluster.member(Role::Backend, 0);
    let scheduler = cluster.member(Role::Scheduler, 0);
    let gateway = cluster.member(Role::Gateway, 0);

    let found = examined(backend, &[("PUBSUB_NAME", "events")]).await;
    finds(
        &found,
        "failed    component events:",
        &["of pubsub.* only pubsub", "set PUBSUB_NAME", "backend among its scopes"],
    );
    let found = examined(scheduler, &[("STATESTORE_NAME", "pubsub")]).await;
    finds(&found, "failed    component pubsub:", &["it is pubsub.redis, not state.*", "mend STATESTORE_NAME"]);
    let found = examined(backend, &[("SECRETSTORE_NAME", "vault")]).await;
    finds(&found, "failed    component vault:", &["only kubernetes-secrets", "set SECRETSTORE_NAME"]);
    finds(&found, "failed    secret jwt-secret:", &["the secret store does not answer", "SECRETSTORE_NAME"]);

    // The store has no entry of this name, and the environment two secrets that are none.
    let own = [("SECRET_GROUP", "elsewhere"), ("JWT_SECRET", "short"), ("INTERNAL_TOKEN", "short")];
    let found = examined(backend, &own).await;
    finds(
        &found,
        "failed    secret database-url:",
        &["has no secret database-url", "set DATABASE_URL in the environment"],
    );
    finds(&found, "failed    secret jwt-secret:", &["32 bytes", "mend it where it is kept"]);
    finds(&found, "failed    secret internal-token:", &["16 or more", "JSON array"]);
    let own = [("SECRET_GROUP", "elsewhere"), ("INTERNAL_TOKEN", "a token that nobody else knows")];
    for member in [backend, scheduler] {
        let found = examined(member, &own).await;
        let other = if member.role == Role::Backend { "scheduler" } else { "backend" };
        let line = found.stdout.lines().find(|line| line.starts_with(&format!("degraded  {other}:")));
        assert!(line.is_some_and(|line| line.contains("refuses the internal-token")), "{found:?}");
    }

    let found = examined(backend, &[("DAPR_API_TOKEN", "another token")]).await;
    finds(&found, "failed    sidecar:", &["the same DAPR_API_TOKEN"]);
    let found = examined(backend, &[("DAPR_GRPC_PORT", &scheduler.daprd.grpc.to_string())]).await;
    finds(&found, "failed    sidecar:", &["that of the app \"scheduler\"", "--app-id backend", "DAPR_GRPC_PORT"]);
    let found = examined(backend, &[("APP_PORT", "9")]).await;
    let port = format!("set APP_PORT to {}", backend.daprd.app_port);
    finds(&found, "failed    app port:", &["start daprd by --app-port 9", &port]);
    let found = examined(gateway, &[("BACKEND_URL", "http://127.0.0.1:9")]).await;
    finds(&found, "failed    backend:", &["does not answer", "mend BACKEND_URL"]);
    let found = examined(gateway, &[("LISTEN_ADDR", "127.0.0.1:9")]).await;
    assert_eq!(found.code, Some(0), "it may be about to start: {found:?}");
    assert!(found.stdout.contains("degraded  running: nothing answers at 127.0.0.1:9"), "{}", found.stdout);

    // What is really away.
    cluster.postgres.kill();
    let away = |status, body: &serde_json::Value| status == 503 && body["checks"]["database"] != "ok";
    cluster.member(Role::Backend, 0).says("it has noticed", away).await;
    let found = examined(cluster.member(Role::Backend, 0), &[]).await;
    finds(&found, "failed    database:", &["cannot be used", "start it, or mend its URL"]);
    finds(&found, "failed    running, database:", &["not available"]);
    cluster.member_mut(Role::Backend, 0).daprd.kill();
    let found = examined(cluster.member(Role::Backend, 0), &[]).await;
    finds(&found, "failed    sidecar:", &["daprd does not answer", "start it", "DAPR_GRPC_PORT"]);
}
