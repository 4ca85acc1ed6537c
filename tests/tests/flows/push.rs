//! Web push, by a push service that answers as the story has it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::Clock as _;
use todo_tests::{
    SOON,
    clock::TestClock,
    eventually,
    push_service::{Answer, Browser, HOST, PushService, Pushed},
    rest::Rest,
    system::{Ground, System},
};

use crate::{MONDAY, at, text};

const BUSY: Answer = Answer::Status("503 Service Unavailable");

async fn subscribe(user: &Rest, browser: &Browser) {
    user.post("/api/notifications/push", &browser.subscription()).await.expect(204);
}

async fn unsubscribe(user: &Rest, browser: &Browser) {
    let body = json!({ "endpoint": browser.subscription()["endpoint"] });
    user.post("/api/notifications/push/unsubscribe", &body).await.expect(204);
}

/// Has a reminder ring; answers the notification.
async fn ring(system: &System, clock: &TestClock, user: &Rest, title: &str) -> Value {
    let at = clock.now() + TimeDelta::seconds(1);
    user.create(json!({ "title": title, "reminders": [{ "trigger_at": at.to_rfc3339() }] })).await;
    system.pass(clock, TimeDelta::seconds(1)).await;
    let named = |list: Vec<Value>| list.into_iter().find(|one| one["task_title"] == title);
    eventually("it rang", SOON, || async { named(user.notifications().await) }).await
}

/// How long the push service may keep it, in seconds.
fn ttl(pushed: &Pushed) -> u64 {
    pushed.headers["ttl"].parse().expect("a number")
}

async fn subscriptions(system: &System, user: &Rest) -> Vec<String> {
    let user = user.user_id.parse().expect("an id");
    let known = system.store.read().await.expect("a read").subscriptions(user).await.expect("a list");
    known.into_iter().map(|known| known.endpoint.replace(&format!("https://{HOST}"), "")).collect()
}

pub(crate) async fn a_reminder_is_pushed_to_every_browser_that_wants_it(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.with_push_service(&service).start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let browsers = [Browser::new(1), Browser::new(2)];
    for browser in &browsers {
        subscribe(&ann, browser).await;
        subscribe(&ann, browser).await;
    }
    subscribe(&bob, &Browser::new(3)).await;
    let notification = ring(&system, &clock, &ann, "water the plants").await;

    let mut pushed = service.wait(2).await;
    pushed.sort_by(|one, other| one.path.cmp(&other.path));
    let key = ann.get("/api/notifications/push").await.expect(200)["public_key"].clone();
    for (pushed, browser) in pushed.iter().zip(&browsers) {
        let expected = json!({
            "title": "water the plants", "task": notification["task_id"], "notification": notification["id"],
            "when": notification["triggered_at"],
        });
        assert_eq!(browser.read(pushed), expected);
        assert_eq!(pushed.headers["topic"], text(&notification["id"]).replace('-', ""));
        assert_eq!(pushed.headers["urgency"], "high");
        assert!((3_500..=3_600).contains(&ttl(pushed)), "{}", ttl(pushed));
        let claims = pushed.claims(text(&key));
        assert_eq!(claims["aud"], format!("https://{HOST}"));
        let life = claims["exp"].as_i64().expect("a time") - clock.now().timestamp();
        assert!((1..=86_400).contains(&life), "{life}");
    }

    unsubscribe(&ann, &browsers[0]).await;
    unsubscribe(&ann, &browsers[0]).await;
    ring(&system, &clock, &ann, "feed the cat").await;
    assert_eq!(browsers[1].read(&service.wait(3).await[2])["title"], "feed the cat");
    system.stop().await;
}

pub(crate) async fn a_busy_push_service_is_asked_again_when_it_says(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.with_push_service(&service).start().await;
    let ann = system.user("ann").await;
    let (browser, other) = (Browser::new(1), Browser::new(2));
    subscribe(&ann, &browser).await;
    service.then([BUSY, Answer::Status("429 Too Many Requests\r\nretry-after: 300")]);
    ring(&system, &clock, &ann, "a").await;
    service.wait(1).await;
    noted(&system, &ann, 1).await;
    system.advance(&clock, TimeDelta::seconds(5));
    service.wait(2).await;
    noted(&system, &ann, 2).await;

    // Most of the 300 seconds: time for another's, not for this one's.
    system.advance(&clock, TimeDelta::seconds(280));
    let bob = system.user("bob").await;
    subscribe(&bob, &other).await;
    ring(&system, &clock, &bob, "b").await;
    assert_eq!(other.read(&service.wait(3).await[2])["title"], "b");
    service.then([Answer::Status("302 Found\r\nlocation: /elsewhere")]);
    system.advance(&clock, TimeDelta::seconds(20));
    let again = &service.wait(4).await[3];
    assert_eq!(browser.read(again)["title"], "a");
    assert!((3_200..=3_300).contains(&ttl(again)), "{}", ttl(again));

    // It led elsewhere, which is not followed, and is not tried again.
    noted(&system, &ann, 0).await;
    ring(&system, &clock, &ann, "c").await;
    assert_eq!(browser.read(&service.wait(5).await[4])["title"], "c");
    system.stop().await;
}

/// Waits until so many failures in a row are noted of a user's only browser.
async fn noted(system: &System, user: &Rest, attempts: i64) {
    let user = user.user_id.parse().expect("an id");
    eventually("it is noted", SOON, || async {
        let known = system.store.read().await.ok()?.subscriptions(user).await.ok()?;
        (known.first()?.attempts == attempts).then_some(())
    })
    .await;
}

pub(crate) async fn what_was_committed_is_pushed_after_a_restart(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let setup = setup.with_push_service(&service);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let browser = Browser::new(1);
    subscribe(&ann, &browser).await;
    service.then([BUSY]);
    let notification = ring(&system, &clock, &ann, "a").await;
    service.wait(1).await;
    noted(&system, &ann, 1).await;
    system.stop().await;

    clock.advance(TimeDelta::minutes(10));
    let system = setup.start().await;
    let pushed = service.wait(2).await;
    assert_eq!(browser.read(&pushed[1])["notification"], notification["id"]);
    assert_eq!(pushed[0].headers["topic"], pushed[1].headers["topic"]);
    assert!((2_900..=3_000).contains(&ttl(&pushed[1])), "{}", ttl(&pushed[1]));
    system.stop().await;
}

pub(crate) async fn what_was_dealt_with_or_is_old_is_not_pushed(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.with_push_service(&service).start().await;
    let ann = system.user("ann").await;
    let browser = Browser::new(1);
    subscribe(&ann, &browser).await;
    service.then([BUSY, BUSY]);
    let read = ring(&system, &clock, &ann, "read").await;
    service.wait(1).await;
    noted(&system, &ann, 1).await;
    let snoozed = ring(&system, &clock, &ann, "snoozed").await;
    let path = |one: &Value, what: &str| format!("/api/notifications/{}/{what}", text(&one["id"]));
    ann.post(&path(&read, "read"), &json!({})).await.expect(204);
    let until = (clock.now() + TimeDelta::minutes(30)).to_rfc3339();
    ann.post(&path(&snoozed, "snooze"), &json!({ "until": until })).await.expect(200);
    ring(&system, &clock, &ann, "a").await;
    system.advance(&clock, TimeDelta::seconds(5));
    assert_eq!(browser.read(&service.wait(2).await[1])["title"], "a");
    noted(&system, &ann, 2).await;

    // An hour later none of those that waited is worth a sound, but for the one that was put off until now.
    system.advance(&clock, TimeDelta::hours(1));
    assert_eq!(browser.read(&service.wait(3).await[2])["title"], "snoozed");
    ring(&system, &clock, &ann, "b").await;
    assert_eq!(browser.read(&service.wait(4).await[3])["title"], "b");
    system.stop().await;
}

pub(crate) async fn a_slow_push_service_holds_up_nobody(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.with_push_service(&service).start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let (slow, other) = (Browser::new(1), Browser::new(2));
    subscribe(&ann, &slow).await;
    subscribe(&bob, &other).await;
    service.then([Answer::Nothing]);
    ring(&system, &clock, &ann, "a").await;
    service.wait(1).await;
    ring(&system, &clock, &bob, "b").await;
    assert_eq!(other.read(&service.wait(2).await[1])["title"], "b");
    noted(&system, &ann, 1).await;
    system.advance(&clock, TimeDelta::seconds(5));
    assert_eq!(slow.read(&service.wait(3).await[2])["title"], "a");
    system.stop().await;
}

pub(crate) async fn a_subscription_goes_with_the_browser_and_the_session(ground: Ground) {
    let service = PushService::start().await;
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.with_push_service(&service).start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let browsers: Vec<_> = (1..=22).map(Browser::new).collect();
    let paths = |range: std::ops::Range<usize>| browsers[range].iter().map(|it| it.path.clone()).collect::<Vec<_>>();
    for browser in &browsers {
        subscribe(&ann, browser).await;
        clock.advance(TimeDelta::milliseconds(1));
    }
    assert_eq!(subscriptions(&system, &ann).await, paths(2..22), "20 an account");
    // Who is signed in now gets what is theirs, and no more of the other's.
    for browser in &browsers[3..22] {
        subscribe(&bob, browser).await;
        clock.advance(TimeDelta::milliseconds(1));
    }
    assert_eq!(subscriptions(&system, &ann).await, paths(2..3));
    assert_eq!(subscriptions(&system, &bob).await, paths(3..22));

    for gone in ["404 Not Found", "410 Gone"] {
        subscribe(&ann, &browsers[2]).await;
        service.then([Answer::Status(gone)]);
        ring(&system, &clock, &ann, gone).await;
        let none = || async { subscriptions(&system, &ann).await.is_empty().then_some(()) };
        eventually("it is removed", SOON, none).await;
    }
    service.wait(2).await;

    bob.act("/api/auth/signout-everywhere").await.expect(204);
    assert_eq!(subscriptions(&system, &bob).await, Vec::<String>::new());
    system.stop().await;
}

pub(crate) async fn what_cannot_be_pushed_to_says_which_field(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let refused = async |changes: Value| {
        let mut body = Browser::new(1).subscription();
        for (name, value) in changes.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let answer = ann.post("/api/notifications/push", &body).await;
        assert_eq!(answer.code(400), "VALIDATION_ERROR");
        let details = answer.body["error"]["details"].as_array().expect("details").clone();
        let mut fields: Vec<_> = details.iter().map(|detail| text(&detail["field"]).to_owned()).collect();
        fields.sort();
        fields
    };
    let nothing = ann.post("/api/notifications/push/unsubscribe", &json!({})).await;
    assert_eq!((nothing.code(400), nothing.fields()), ("VALIDATION_ERROR", vec!["endpoint"]));
    for endpoint in ["http://push.example.com/a", "https://127.0.0.1/a", "https://localhost/a"] {
        assert_eq!(refused(json!({ "endpoint": endpoint })).await, ["endpoint"], "{endpoint}");
    }
    let nonsense = json!({ "endpoint": "ftp://a.b", "p256dh": "AAAA", "auth": "AAAA" });
    assert_eq!(refused(nonsense).await, ["auth", "endpoint", "p256dh"]);
    assert_eq!(subscriptions(&system, &ann).await, Vec::<String>::new());
    system.stop().await;
}
