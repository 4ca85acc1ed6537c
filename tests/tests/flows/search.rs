//! Finding tasks: search, filters, order and pages.

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_tests::{rest::Rest, system::Ground};

use crate::{MONDAY, at, text};

async fn titles(user: &Rest, query: &str) -> Vec<String> {
    user.tasks(query).await.iter().map(|task| text(&task["title"]).to_owned()).collect()
}

pub(crate) async fn filters_combine_and_search_finds_parts_of_words(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let bob = system.user("bob").await;
    bob.create(json!({ "title": "Buy milk", "tags": ["home"] })).await;
    for task in [
        json!({ "title": "Buy MILK", "tags": ["Home", "shop"], "priority": "high", "due_date": "2026-03-03T00:00:00Z" }),
        json!({ "title": "100% sure_thing", "description": "Straße nach Köln", "priority": "low" }),
        json!({ "title": "Call Ann", "tags": ["home", "ÄRZTE"], "due_date": "2026-03-04T00:00:00Z" }),
        json!({ "title": "x", "description": "no milk today", "tags": ["shop"] }),
    ] {
        ann.create(task).await;
        clock.advance(TimeDelta::seconds(1));
    }
    let [first, ..] = &ann.tasks("").await[..] else { panic!("none") };
    ann.act(&format!("/api/tasks/{}/complete", text(&first["id"]))).await.expect(200);
    for (query, expected) in [
        ("search=milk", &["Buy MILK", "x"][..]),
        ("search=IL", &["Buy MILK", "x"]),
        ("search=k%C3%B6l", &["100% sure_thing"]),
        ("search=%C3%A4rzt", &["Call Ann"]),
        ("search=a%CC%88rzt", &["Call Ann"]),
        ("search=0%25", &["100% sure_thing"]),
        ("search=%25", &["100% sure_thing"]),
        ("search=_", &["100% sure_thing"]),
        ("search=sure_", &["100% sure_thing"]),
        ("search=s_r", &[]),
        ("search=buy%20milk", &["Buy MILK"]),
        ("search=nothing%20of%20it", &[]),
        ("search=%22milk%22", &[]),
        ("search=milk&tag=shop&tag=HOME", &["Buy MILK"]),
        ("tag=home", &["Buy MILK", "Call Ann"]),
        ("tag=hom", &[]),
        ("status=pending", &["100% sure_thing", "Call Ann", "x"]),
        ("status=pending&status=completed&search=milk", &["Buy MILK", "x"]),
        ("priority=high&priority=low", &["Buy MILK", "100% sure_thing"]),
        ("priority=medium&status=pending&tag=shop", &["x"]),
        ("due_before=2026-03-04T00:00:00Z", &["Buy MILK"]),
        ("due_after=2026-03-04T00:00:00Z", &["Call Ann"]),
        ("due_after=2026-03-03T00:00:00Z&due_before=2026-03-05T00:00:00Z&search=ann", &["Call Ann"]),
    ] {
        assert_eq!(titles(&ann, query).await, expected, "{query}");
        let total = ann.get(&format!("/api/tasks?{query}")).await.expect(200)["total"].clone();
        assert_eq!(total, expected.len(), "{query}");
    }
    system.stop().await;
}

pub(crate) async fn order_and_pages_are_stable(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let dues = [Some("2026-03-05T00:00:00Z"), None, Some("2026-03-04T00:00:00Z"), None, Some("2026-03-05T00:00:00Z")];
    let names = ["b", "A", "É", "a", "z"];
    let priorities = ["low", "high", "medium", "high", "low"];
    for ((due, title), priority) in dues.iter().zip(names).zip(priorities) {
        ann.create(json!({ "title": title, "due_date": due, "priority": priority })).await;
        clock.advance(TimeDelta::seconds(1));
    }
    let newest = ann.get("/api/tasks").await.expect(200);
    assert_eq!(newest["tasks"][0]["title"], "z", "newest first");
    assert_eq!(titles(&ann, "sort_by=title&sort_order=asc").await[2..], ["b", "z", "É"], "folded, byte by byte");
    let due = titles(&ann, "sort_by=due_date&sort_order=asc").await;
    assert_eq!((due[0].as_str(), &due[3..]), ("É", &["A".to_owned(), "a".to_owned()][..]));
    let due = titles(&ann, "sort_by=due_date&sort_order=desc").await;
    assert_eq!(
        (due[2].as_str(), &due[3..]),
        ("É", &["a".to_owned(), "A".to_owned()][..]),
        "without one last, either way"
    );
    let ranks: Vec<_> = ann.tasks("sort_by=priority").await.iter().map(|task| task["priority"].clone()).collect();
    assert_eq!(ranks, ["high", "high", "medium", "low", "low"]);

    for sort in ["created_at", "updated_at", "due_date", "priority", "title"] {
        for order in ["asc", "desc"] {
            let query = format!("sort_by={sort}&sort_order={order}");
            let whole = titles(&ann, &query).await;
            let (mut by_token, mut by_offset, mut token) = (Vec::new(), Vec::new(), String::new());
            loop {
                let page = ann.get(&format!("/api/tasks?{query}&limit=2{token}")).await.expect(200);
                assert_eq!(page["total"], 5);
                by_token
                    .extend(page["tasks"].as_array().expect("a list").iter().map(|it| text(&it["title"]).to_owned()));
                let Some(next) = page["next_page_token"].as_str() else { break };
                token = format!("&page_token={next}");
            }
            for offset in [0, 2, 4] {
                let page = ann.get(&format!("/api/tasks?{query}&limit=2&offset={offset}")).await.expect(200);
                by_offset
                    .extend(page["tasks"].as_array().expect("a list").iter().map(|it| text(&it["title"]).to_owned()));
            }
            assert_eq!((&by_token, &by_offset), (&whole, &whole), "{query}");
        }
    }
    // A token is good for its own list only.
    let page = ann.get("/api/tasks?sort_by=title&limit=2").await.expect(200);
    let token = text(&page["next_page_token"]);
    for other in
        ["sort_by=priority", "sort_by=title&sort_order=desc", "sort_by=title&search=a", "sort_by=title&offset=1"]
    {
        let answer = ann.get(&format!("/api/tasks?{other}&limit=2&page_token={token}")).await;
        assert_eq!(answer.code(400), "VALIDATION_ERROR", "{other}");
    }
    // What is made meanwhile does not shift the pages.
    ann.create(json!({ "title": "0" })).await;
    let next = ann.get(&format!("/api/tasks?sort_by=title&limit=2&page_token={token}")).await.expect(200);
    assert_eq!(next["tasks"][0]["title"], "b");
    system.stop().await;
}

pub(crate) async fn tags_and_counts_follow(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let counts = async || ann.get("/api/tasks/counts").await.expect(200);
    assert_eq!(counts().await, json!({ "total": 0, "pending": 0, "in_progress": 0, "completed": 0, "overdue": 0 }));
    let tags = async || ann.get("/api/tags").await.expect(200)["tags"].clone();
    assert_eq!(tags().await, json!([]));
    let late = json!({ "title": "a", "tags": ["b", "A"], "due_date": "2026-03-02T07:00:00Z" });
    let late = ann.create(late).await;
    ann.create(json!({ "title": "b", "tags": ["a"] })).await;
    let begun = ann.create(json!({ "title": "c" })).await;
    ann.patch(&format!("/api/tasks/{}", text(&begun["id"])), &json!({ "status": "in_progress" })).await.expect(200);
    assert_eq!(counts().await, json!({ "total": 3, "pending": 2, "in_progress": 1, "completed": 0, "overdue": 1 }));
    let found = tags().await;
    let found: Vec<(String, &Value)> =
        found.as_array().expect("a list").iter().map(|tag| (text(&tag["tag"]).to_lowercase(), &tag["count"])).collect();
    assert_eq!(found, [("a".to_owned(), &json!(2)), ("b".to_owned(), &json!(1))]);
    clock.advance(TimeDelta::seconds(1));
    ann.act(&format!("/api/tasks/{}/complete", text(&late["id"]))).await.expect(200);
    assert_eq!(counts().await, json!({ "total": 3, "pending": 1, "in_progress": 1, "completed": 1, "overdue": 0 }));
    system.stop().await;
}
