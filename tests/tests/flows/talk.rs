//! Conversations: their turns as the assistant makes them, and what their owner reads of them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::{Ids, Timestamp};
use todo_proto::{
    json as mapping,
    v1::{self, conversation_store_client::ConversationStoreClient},
};
use todo_runtime::system::SystemIds;
use todo_sidecar::ApiChannel;
use todo_tests::{
    rest::Rest,
    system::{Ground, System},
};

use crate::{MONDAY, at, surface::refused, text};

/// The assistant as a user's turns make it.
struct Assistant {
    store: ConversationStoreClient<ApiChannel>,
    user: Rest,
}

type Turn = Result<v1::BeginTurnResponse, String>;

impl Assistant {
    fn of(system: &System, user: &Rest) -> Self {
        Self { store: system.conversations(), user: user.clone() }
    }

    async fn begin(&self, conversation: Option<&str>, message_id: &str, content: &str) -> Turn {
        let request = v1::BeginTurnRequest {
            conversation_id: conversation.map(str::to_owned),
            message_id: message_id.to_owned(),
            content: content.to_owned(),
            history: 10,
        };
        let begun = self.store.clone().begin_turn(self.user.call(request)).await;
        begun.map(tonic::Response::into_inner).map_err(|status| refused(&status).0)
    }

    async fn finish(
        &self,
        turn: &v1::BeginTurnResponse,
        reply: &str,
        pending: Option<Timestamp>,
    ) -> Result<Value, String> {
        let call = json!({
            "tool_name": "add_task", "parameters": { "title": "milk" }, "result": { "success": true }, "success": true,
            "duration_ms": 7, "invoked_at": MONDAY, "sequence": 1,
        });
        let record = json!({
            "intent_type": "CREATE_TASK", "confidence": 0.75, "extracted_params": { "title": "milk" },
            "decision_type": "INVOKE_TOOL", "outcome_category": "SUCCESS:TASK_COMPLETED", "duration_ms": 12,
        });
        let pending =
            pending.map(|until| json!({ "action": { "delete": [1] }, "expires_at": todo_domain::clock::name(until) }));
        let request = json!({
            "conversation_id": turn.conversation.as_ref().expect("it has one").id, "lease": turn.lease,
            "reply": { "content": reply, "tool_calls": [call] }, "pending": pending, "decision": record,
        });
        let request: v1::FinishTurnRequest = mapping::read(&request).expect("a request");
        let finished = self.store.clone().finish_turn(self.user.call(request)).await;
        finished.map(|finished| mapping::of(&finished.into_inner())).map_err(|status| refused(&status).0)
    }
}

fn new_id() -> String {
    SystemIds.random().to_string()
}

fn id_of(turn: &v1::BeginTurnResponse) -> &str {
    &turn.conversation.as_ref().expect("it has one").id
}

pub(crate) async fn a_turn_is_kept_before_its_answer_and_repeated_without_doubling(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let assistant = Assistant::of(&system, &ann);
    let first = new_id();
    let said = "  please buy\nmilk, and whatever else is needed for a cake";
    let turn = assistant.begin(None, &first, said).await.expect("a turn");
    let path = format!("/api/conversations/{}", id_of(&turn));
    let read = ann.get(&path).await.expect(200);
    assert_eq!(read["conversation"]["title"], "please buy milk, and whatever else is needed for a");
    assert_eq!((&read["messages"][0]["content"], &read["messages"][0]["role"]), (&json!(said), &json!("user")));

    // While it is answered nobody else answers, neither this message nor another.
    for (id, content) in [(&first, said), (&new_id(), "hello?")] {
        assert_eq!(assistant.begin(Some(id_of(&turn)), id, content).await.unwrap_err(), "CONVERSATION_BUSY");
    }
    assert_eq!(assistant.begin(None, &first, "other words").await.unwrap_err(), "ID_CONFLICT");
    clock.advance(TimeDelta::seconds(120));
    let taken = assistant.begin(None, &first, said).await.expect("its time is over");
    assert_eq!(assistant.finish(&turn, "too late", None).await.unwrap_err(), "CONVERSATION_BUSY");
    let finished = assistant.finish(&taken, "Added milk.", None).await.expect("it is kept");
    assert_eq!(assistant.finish(&taken, "twice", None).await.unwrap_err(), "CONVERSATION_BUSY");

    let again = assistant.begin(None, &first, said).await.expect("the same turn");
    assert_eq!((again.lease, again.reply.map(|reply| reply.content).as_deref()), (None, Some("Added milk.")));
    let read = ann.get(&path).await.expect(200);
    assert_eq!(read["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(read["messages"][1], finished["reply"]);
    let call = &read["messages"][1]["tool_calls"][0];
    assert_eq!((&call["tool_name"], &call["parameters"]), (&json!("add_task"), &json!({ "title": "milk" })));
    assert_eq!(read["conversation"]["message_count"], 2);

    let next = assistant.begin(Some(id_of(&taken)), &new_id(), "thanks").await.expect("a turn");
    let history: Vec<_> = next.history.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(history, [said, "Added milk."]);
    system.stop().await;
}

pub(crate) async fn what_waits_for_a_yes_is_one_thing_and_ends(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let assistant = Assistant::of(&system, &ann);
    let until = |clock: &todo_tests::clock::TestClock| Some(todo_domain::Clock::now(clock) + TimeDelta::minutes(5));
    let turn = assistant.begin(None, &new_id(), "delete it").await.expect("a turn");
    assert_eq!(turn.pending, None);
    assistant.finish(&turn, "Sure?", until(&clock)).await.expect("it is kept");
    let conversation = Some(id_of(&turn));

    let yes = assistant.begin(conversation, &new_id(), "yes").await.expect("a turn");
    let pending = mapping::of(yes.pending.as_ref().expect("it waits"));
    assert_eq!(pending["action"], json!({ "delete": [1] }));
    assistant.finish(&yes, "Done.", None).await.expect("it is kept");
    let turn = assistant.begin(conversation, &new_id(), "yes").await.expect("a turn");
    assert_eq!(turn.pending, None, "once is enough");
    assistant.finish(&turn, "Sure?", until(&clock)).await.expect("it is kept");
    clock.advance(TimeDelta::minutes(5));
    let late = assistant.begin(conversation, &new_id(), "yes").await.expect("a turn");
    assert_eq!(late.pending, None, "five minutes are over");
    system.stop().await;
}

pub(crate) async fn conversations_are_listed_renamed_and_deleted_by_their_owner(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let assistant = Assistant::of(&system, &ann);
    let mut ids = Vec::new();
    for content in ["one", "two", "three"] {
        clock.advance(TimeDelta::seconds(1));
        let turn = assistant.begin(None, &new_id(), content).await.expect("a turn");
        assistant.finish(&turn, "ok", None).await.expect("it is kept");
        ids.push(id_of(&turn).to_owned());
    }
    clock.advance(TimeDelta::seconds(1));
    assistant.begin(Some(&ids[0]), &new_id(), "again").await.expect("a turn");
    let list = ann.get("/api/conversations?limit=2").await.expect(200);
    let titles: Vec<_> = list["conversations"].as_array().into_iter().flatten().map(|it| text(&it["title"])).collect();
    assert_eq!((titles, &list["total"], &list["limit"]), (vec!["one", "three"], &json!(3), &json!(2)));
    let path = format!("/api/conversations/{}", ids[1]);
    assert_eq!(ann.patch(&path, &json!({ "title": " Shopping " })).await.expect(200)["title"], "Shopping");
    assert_eq!(ann.patch(&path, &json!({ "title": "" })).await.fields(), ["title"]);
    assert_eq!(ann.get("/api/conversations?limit=101").await.fields(), ["limit"]);
    assert_eq!(ann.get("/api/conversations/1").await.code(400), "INVALID_ID_FORMAT");

    assert_eq!(bob.get("/api/conversations").await.expect(200)["total"], 0);
    for answer in [bob.get(&path).await, bob.patch(&path, &json!({ "title": "his" })).await, bob.delete(&path).await] {
        assert_eq!(answer.code(404), "CONVERSATION_NOT_FOUND");
    }
    let his = Assistant::of(&system, &bob).begin(Some(&ids[1]), &new_id(), "hers").await;
    assert_eq!(his.unwrap_err(), "CONVERSATION_NOT_FOUND");
    ann.delete(&path).await.expect(204);
    assert_eq!(ann.get(&path).await.code(404), "CONVERSATION_NOT_FOUND");
    assert_eq!(ann.get("/api/observability/decisions").await.expect(200)["total"], 2, "its decisions went with it");
    system.stop().await;
}

pub(crate) async fn decisions_are_read_and_summed_up_by_their_owner(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, bob) = (system.user("ann").await, system.user("bob").await);
    let assistant = Assistant::of(&system, &ann);
    let turn = assistant.begin(None, &new_id(), "buy milk").await.expect("a turn");
    let finished = assistant.finish(&turn, "Added milk.", None).await.expect("it is kept");
    let decisions = "/api/observability/decisions";
    let list = ann.get(decisions).await.expect(200);
    assert_eq!((&list["total"], &list["has_more"]), (&json!(1), &json!(false)));
    let decision = &list["items"][0];
    assert_eq!(decision["decision_id"], finished["decision_id"]);
    assert_eq!((&decision["message"], &decision["response_text"]), (&json!("buy milk"), &json!("Added milk.")));
    assert_eq!((&decision["confidence"], &decision["extracted_params"]), (&json!(0.75), &json!({ "title": "milk" })));
    for (query, total) in [
        ("outcome_category=SUCCESS", 1),
        ("outcome_category=SUCCESS:TASK_COMPLETED", 1),
        ("outcome_category=ERROR", 0),
        ("decision_type=INVOKE_TOOL", 1),
        ("decision_type=RESPOND_ONLY", 0),
        ("start_time=2026-03-02T08:00:00Z", 1),
        ("end_time=2026-03-02T08:00:00Z", 0),
        ("conversation_id=00000000-0000-4000-8000-000000000000", 0),
    ] {
        assert_eq!(ann.get(&format!("{decisions}?{query}")).await.expect(200)["total"], total, "{query}");
    }
    let trace = format!("{decisions}/{}/trace", text(&decision["decision_id"]));
    let shown = ann.get(&trace).await.expect(200);
    assert_eq!(&shown["decision"], decision);
    assert_eq!(shown["tool_invocations"][0]["result"], json!({ "success": true }));
    assert_eq!(bob.get(&trace).await.code(404), "DECISION_NOT_FOUND");

    let metrics = ann.get("/api/observability/metrics").await.expect(200);
    assert_eq!(
        metrics,
        json!({
            "total_decisions": 1, "success_rate": 1, "error_breakdown": {}, "avg_decision_duration_ms": 12,
            "avg_tool_duration_ms": 7, "intent_distribution": { "CREATE_TASK": 1 }, "tool_usage": { "add_task": 1 },
            "days": [],
        })
    );
    let by_day = "/api/observability/metrics?by_day=true";
    let range = format!("{by_day}&start_time=2026-03-01T12:00:00Z&end_time=2026-03-03T00:00:00Z");
    let day = |start, count| json!({ "start_time": start, "total_decisions": count, "successes": count });
    let days = json!([day("2026-03-01T00:00:00Z", 0), day("2026-03-02T00:00:00Z", 1)]);
    assert_eq!(ann.get(&range).await.expect(200)["days"], days);
    let kept = ann.get(&format!("{by_day}&start_time=2020-01-01T00:00:00Z")).await.expect(200);
    assert_eq!(kept["days"].as_array().map(Vec::len), Some(31));
    ann.patch("/api/auth/me", &json!({ "time_zone": "America/New_York" })).await.expect(200);
    let days = json!([day("2026-03-01T05:00:00Z", 0), day("2026-03-02T05:00:00Z", 1)]);
    assert_eq!(ann.get(&range).await.expect(200)["days"], days);
    assert_eq!(bob.get("/api/observability/metrics").await.expect(200)["total_decisions"], 0);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        ann.get("/api/observability/metrics?end_time=2026-03-02T08:00:00Z").await.expect(200)["success_rate"],
        0
    );
    system.stop().await;
}

pub(crate) async fn messages_are_limited_in_size_and_number(ground: Ground) {
    let (setup, _) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let assistant = Assistant::of(&system, &ann);
    for wrong in ["", " \n", &"x".repeat(32_001)] {
        assert_eq!(assistant.begin(None, &new_id(), wrong).await.unwrap_err(), "VALIDATION_ERROR");
    }
    assert_eq!(assistant.begin(None, "1", "hello").await.unwrap_err(), "INVALID_ID_FORMAT");
    assistant.begin(None, &new_id(), &"ü".repeat(32_000)).await.expect("a turn");
    for _ in 1..30 {
        assistant.begin(None, &new_id(), "hello").await.expect("a turn");
    }
    assert_eq!(assistant.begin(None, &new_id(), "hello").await.unwrap_err(), "RATE_LIMITED");
    system.stop().await;
}
