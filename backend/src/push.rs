//! Reminders on their way to browsers. What is to be sent follows from what is committed: whoever rings marks the owner's
//! subscriptions in the same transaction, and a subscription is sent what the change log says has rung since.
//!
//! One who is sent to is leased, so that replicas do not send the same twice, and is sent one thing at a time. A crash
//! between the sending and the note of it sends again; the browser shows that in the place of the first.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{SecondsFormat, TimeDelta};
use futures::{StreamExt as _, stream::FuturesUnordered};
use serde_json::json;
use todo_domain::{Error, Violations, account::Scope, error::Reason, ids};
use todo_proto::v1;
use todo_push::{AUTH, Endpoint, Keys, Message, Outcome, Outside, Pusher, Vapid};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response};
use uuid::Uuid;

use crate::{
    Options,
    core::Core,
    store::{Notification, Subscription, Tx},
    write::{Begin, again},
};

/// Length of a browser's public key, in bytes.
const POINT: usize = 65;
/// Browsers of one account.
const MOST: usize = 20;
/// Subscriptions that are sent to at once.
const AT_ONCE: usize = 16;
/// Reminders read at once for one of them.
const PAGE: i64 = 20;
/// How long one is sent to before others have their turn.
const TURN: Duration = Duration::from_secs(15);
/// How long a replica may take for one: its turn and a message that was begun at the end of it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// What rang longer ago is not pushed any more, neither by us nor by the push service.
const STALE: TimeDelta = TimeDelta::hours(1);
/// How long to wait after a first failure, doubled with each that follows.
const BACKOFF: TimeDelta = TimeDelta::seconds(5);
const BACKOFF_MAX: TimeDelta = TimeDelta::minutes(5);
/// How often it looks without being woken.
const PATROL: Duration = Duration::from_secs(1);
/// How long what was begun may take at the shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// Who sends; nobody on a system that could not know a push service by its certificate.
pub(crate) fn pusher(vapid: Vapid, options: &Options) -> Option<Pusher> {
    let outside = match options.outside.clone().map_or_else(Outside::internet, Ok) {
        Ok(outside) => outside,
        Err(why) => {
            tracing::warn!(why, "nothing is pushed to browsers");
            return None;
        }
    };
    Some(Pusher::new(vapid.with_contact(options.contact.clone()), outside))
}

/// Notes that something rang for these owners, in the transaction that says so.
pub(crate) async fn ring(core: &Core, tx: &mut dyn Tx, user_ids: &[Uuid]) -> Result<(), Error> {
    if core.pusher.is_some() {
        let now = core.clock.now();
        tx.ring(user_ids, now, now + STALE).await?;
    }
    Ok(())
}

/// Sends until the shutdown, and then what was begun.
pub(crate) async fn run(core: Arc<Core>, shutdown: CancellationToken) {
    let Some(pusher) = &core.pusher else { return };
    let mut sending = FuturesUnordered::new();
    while !shutdown.is_cancelled() {
        match lease(&core, AT_ONCE - sending.len()).await {
            Ok(leased) => sending.extend(leased.into_iter().map(|subscription| send(&core, pusher, subscription))),
            Err(error) => tracing::warn!(error = ?error.source, "the subscriptions cannot be read or written"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = core.rung.notified() => {}
            Some(()) = sending.next() => {}
            () = tokio::time::sleep(PATROL) => {}
        }
    }
    let _ = tokio::time::timeout(DRAIN, sending.collect::<()>()).await;
}

async fn lease(core: &Core, room: usize) -> Result<Vec<Subscription>, Error> {
    let now = core.clock.now();
    let room = i64::try_from(room).unwrap_or_default();
    // Mostly there is nothing: that costs no write.
    if room == 0 || !core.store.read().await?.is_push_due(now).await? {
        return Ok(Vec::new());
    }
    let mut tx = core.store.begin_repeatable().await?;
    let leased = tx.lease_subscriptions(now, now + LEASE, room).await?;
    tx.commit().await?;
    Ok(leased)
}

/// Sends one subscription what rang, and notes how far that came. Where the database fails, the lease ends by itself.
async fn send(core: &Core, pusher: &Pusher, subscription: Subscription) {
    if let Err(error) = serve(core, pusher, subscription).await {
        tracing::warn!(error = ?error.source, "could not note what was pushed");
    }
}

async fn serve(core: &Core, pusher: &Pusher, mut subscription: Subscription) -> Result<(), Error> {
    let Some((endpoint, keys)) = recipient(&subscription) else { return remove(core, &subscription).await };
    let end = Instant::now() + TURN;
    let mut wait = TimeDelta::zero();
    'turn: loop {
        let since = core.clock.now() - STALE;
        let rung = core.store.read().await?.rung(subscription.user_id, subscription.sent, since, PAGE).await?;
        let last = rung.len() < usize::try_from(PAGE).unwrap_or_default();
        for (revision, notification) in rung {
            let now = core.clock.now();
            let left = (notification.triggered_at + STALE - now).to_std().unwrap_or_default();
            let outcome = pusher.push(&endpoint, &keys, &message(&notification, left), now).await;
            match outcome {
                Outcome::Taken => {}
                Outcome::Gone => return remove(core, &subscription).await,
                Outcome::Refused(why) => tracing::warn!(?endpoint, why, "a push service refused a reminder"),
                Outcome::Later(why, asked) => {
                    tracing::info!(?endpoint, why, "a push service does not take a reminder now");
                    subscription.attempts += 1;
                    wait = backoff(subscription.attempts, asked);
                    break 'turn;
                }
            }
            subscription.sent = revision;
            subscription.attempts = 0;
            if Instant::now() >= end {
                break 'turn;
            }
        }
        if last {
            subscription.sent = subscription.sent.max(subscription.rung);
            break;
        }
    }
    let mut tx = core.store.begin_repeatable().await?;
    tx.serve_subscription(&subscription, core.clock.now() + wait).await?;
    tx.commit().await?;
    Ok(())
}

async fn remove(core: &Core, subscription: &Subscription) -> Result<(), Error> {
    let mut tx = core.store.begin().await?;
    tx.remove_subscriptions(subscription.user_id, &[subscription.id]).await?;
    tx.commit().await?;
    Ok(())
}

/// As long as the push service asks, within what makes sense; otherwise twice as long each time.
fn backoff(attempts: i64, asked: Option<Duration>) -> TimeDelta {
    let asked = asked.map(|asked| TimeDelta::from_std(asked).unwrap_or(STALE).min(STALE));
    let doubled = BACKOFF * 2_i32.saturating_pow(u32::try_from(attempts - 1).unwrap_or_default().min(16));
    asked.unwrap_or_default().max(doubled.min(BACKOFF_MAX))
}

/// Whom to send to, unless what is stored is not what a version of us would store.
fn recipient(subscription: &Subscription) -> Option<(Endpoint, Keys)> {
    let auth = subscription.auth.as_slice().try_into().ok()?;
    Some((Endpoint::parse(&subscription.endpoint).ok()?, Keys::parse(&subscription.p256dh, auth).ok()?))
}

/// What `frontend/worker/push.js` reads.
fn message(notification: &Notification, ttl: Duration) -> Message {
    let payload = json!({
        "title": notification.task_title,
        "task": notification.task_id,
        "notification": notification.id,
        "when": notification.triggered_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    });
    Message { payload: payload.to_string().into_bytes(), topic: notification.id.simple().to_string(), ttl }
}

/// `GetPushKey`.
pub(crate) async fn key(
    core: &Core,
    request: Request<v1::GetPushKeyRequest>,
) -> Result<Response<v1::GetPushKeyResponse>, Error> {
    let call = core.call(&request, Scope::Read).await?;
    core.read(&call).await?;
    let public_key = core.pusher.as_ref().map(Pusher::public_key);
    Ok(Response::new(v1::GetPushKeyResponse { public_key }))
}

/// `SubscribePush`.
pub(crate) async fn subscribe(
    core: &Arc<Core>,
    request: Request<v1::SubscribePushRequest>,
) -> Result<Response<()>, Error> {
    // A personal token may be revoked, and what it subscribed would stay.
    let caller = core.call(&request, Scope::Account).await?;
    // Before anything is looked up for one whose account is closed.
    core.read(&caller).await?;
    let call = core.call_to_write("SubscribePush", &request).await?;
    let Some(pusher) = &core.pusher else {
        return Err(Error::new(Reason::PermissionDenied, "this server pushes no notifications"));
    };
    let v1::SubscribePushRequest { endpoint, p256dh, auth } = request.into_inner();
    let mut violations = Violations::new();
    let decode = |text: &str| BASE64.decode(text.trim_end_matches('=')).unwrap_or_default();
    let secret = <[u8; AUTH]>::try_from(decode(&auth));
    violations.check(secret.is_ok(), "auth", || format!("must be {AUTH} bytes in base64url"));
    let point = decode(&p256dh);
    match Keys::parse(&point, [0; AUTH]) {
        Ok(_) if point.len() == POINT => {}
        Ok(_) => violations.push("p256dh", format!("must be {POINT} bytes in base64url")),
        Err(why) => violations.push("p256dh", why),
    }
    match Endpoint::parse(&endpoint) {
        Ok(parsed) => {
            if let Err(why) = pusher.check(&parsed).await {
                violations.push("endpoint", why.to_string());
            }
        }
        Err(why) => violations.push("endpoint", why),
    }
    violations.into_result(())?;

    let mut write = match core.begin(call).await? {
        Begin::Again(reply) => return again(&reply),
        Begin::New(write) => write,
    };
    // Of the same browser, whoever is signed in; who does not know its keys makes another.
    let id = ids::derived("push", &format!("{endpoint} {p256dh} {auth}"));
    let known = write.tx.subscriptions(write.user_id).await?;
    let others: Vec<_> = known.into_iter().filter(|known| known.id != id).collect();
    let surplus = (others.len() + 1).saturating_sub(MOST);
    let replaced = others.iter().enumerate().filter(|(at, known)| *at < surplus || known.endpoint == endpoint);
    let replaced: Vec<_> = replaced.map(|(_, known)| known.id).collect();
    write.tx.remove_subscriptions(write.user_id, &replaced).await?;
    let (sent, created_at) = (write.coming() - 1, write.now);
    let subscription = Subscription {
        id,
        user_id: write.user_id,
        endpoint,
        p256dh: point,
        auth: decode(&auth),
        created_at,
        sent,
        rung: sent,
        attempts: 0,
    };
    write.tx.add_subscription(&subscription).await?;
    write.finish(()).await
}

/// `UnsubscribePush`.
pub(crate) async fn unsubscribe(
    core: &Arc<Core>,
    request: Request<v1::UnsubscribePushRequest>,
) -> Result<Response<()>, Error> {
    let caller = core.call(&request, Scope::Account).await?;
    core.read(&caller).await?;
    let call = core.call_to_write("UnsubscribePush", &request).await?;
    let mut violations = Violations::new();
    violations.check(!request.get_ref().endpoint.is_empty(), "endpoint", || "must not be empty");
    violations.into_result(())?;
    let mut write = match core.begin(call).await? {
        Begin::Again(reply) => return again(&reply),
        Begin::New(write) => write,
    };
    let endpoint = &request.get_ref().endpoint;
    let known = write.tx.subscriptions(write.user_id).await?;
    let meant: Vec<_> = known.iter().filter(|known| known.endpoint == *endpoint).map(|known| known.id).collect();
    write.tx.remove_subscriptions(write.user_id, &meant).await?;
    write.finish(()).await
}
