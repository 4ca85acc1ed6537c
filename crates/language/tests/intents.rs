//! What a message says beside its requests: where, how surely, what else it could be, and where a date moves to.

use todo_domain::zone;
use todo_language::{
    Change, Context, Evidence, Intent, IntentType, Move, Question, Reference, Request, Target, corpus, read_changes,
    read_message, read_references, render_intents,
};

fn context() -> Context {
    corpus::context("now 2026-03-04T10:00").unwrap()
}

fn read(text: &str) -> Vec<Intent> {
    read_message(text, &context())
}

fn one(text: &str) -> Intent {
    let [intent] = <[Intent; 1]>::try_from(read(text)).unwrap();
    intent
}

#[test]
fn each_request_has_its_place_in_characters() {
    let text = "Käse kaufen tomorrow, then show my list";
    let places: Vec<_> = read(text).into_iter().map(|it| (it.start, it.end)).collect();
    assert_eq!(places, [(0, 20), (27, 39)]);
    let words: String = text.chars().skip(27).collect();
    assert_eq!(words, "show my list");
}

#[test]
fn a_reading_is_as_sure_as_what_it_was_read_from() {
    for (text, evidence) in [
        ("yes", Evidence::Phrase),
        ("delete #2", Evidence::Phrase),
        ("add milk", Evidence::Lead),
        ("buy milk tomorrow", Evidence::Shape),
        ("cancel the dentist", Evidence::Either),
        ("groceries", Evidence::Nothing),
    ] {
        assert_eq!(one(text).evidence, evidence, "{text}");
    }
    let order = [Evidence::Phrase, Evidence::Lead, Evidence::Shape, Evidence::Either, Evidence::Nothing];
    assert!(order.windows(2).all(|pair| pair[0].confidence() > pair[1].confidence()));
}

#[test]
fn what_could_be_a_task_of_its_own_carries_it() {
    let task = |text: &str| one(text).as_task.map(|task| task.reading.draft.title);
    assert_eq!(task("remove the old carpet"), Some("remove the old carpet".to_owned()));
    assert_eq!(task("groceries"), Some("groceries".to_owned()));
    assert_eq!(task("delete #2"), None);
    assert_eq!(task("show my tasks"), None);
}

#[test]
fn consent_is_read_only_where_nothing_else_is_said() {
    assert_eq!(one("yes").request, Request::Yes);
    assert_eq!(one("cancel").request, Request::No);
    for text in ["yes, and show my list", "ok, add milk", "no, delete the rent one", "yes. what's due today?"] {
        assert!(!read(text).iter().any(|it| matches!(it.request, Request::Yes | Request::No)), "{text}");
    }
}

#[test]
fn one_pointed_at_is_never_read_as_all() {
    for text in
        ["remove this from the list", "take it off my list", "delete that from my list", "complete it on my list"]
    {
        let request = one(text).request;
        let target = match &request {
            Request::Delete(target) | Request::Complete(target) => target,
            other => panic!("{text}: {other:?}"),
        };
        assert!(matches!(target, Target::Tasks(_)), "{text}: {request:?}");
    }
}

#[test]
fn the_kind_of_a_message_is_named_as_decisions_are() {
    let kind = |text: &str| IntentType::of(&read(text)).as_str();
    assert_eq!(kind("add milk"), "CREATE_TASK");
    assert_eq!(kind("show #2"), "LIST_TASKS");
    assert_eq!(kind("done"), "COMPLETE_TASK");
    assert_eq!(kind("undo"), "UPDATE_TASK");
    assert_eq!(kind("delete it"), "DELETE_TASK");
    assert_eq!(kind("hi"), "GENERAL_CHAT");
    assert_eq!(kind("what's the weather"), "GENERAL_CHAT");
    assert_eq!(kind("groceries"), "AMBIGUOUS");
    assert_eq!(kind("add milk and show my list"), "MULTI_INTENT");
    assert_eq!(kind("yes"), "CONFIRM_YES");
    assert_eq!(kind("no"), "CONFIRM_NO");
    assert_eq!(one("").request, Request::Unclear(Question::WhatToDo));
    assert_eq!(render_intents(&read(""), context().zone), "unclear what");
}

#[test]
fn an_answer_names_tasks_or_says_what_to_change() {
    let named = |text: &str| read_references(text, &context());
    assert_eq!(named("2"), [Reference::Number(2)]);
    assert_eq!(named("the second one please"), [Reference::Nth(2)]);
    assert_eq!(named("1 and 3"), [Reference::Number(1), Reference::Number(3)]);
    assert_eq!(named("both"), [Reference::Both]);
    assert_eq!(named("the dentist one"), [Reference::Title("dentist".to_owned())]);
    assert_eq!(named("?"), []);
    let changed = |text: &str| read_changes(text, &context());
    assert_eq!(changed("friday"), Some(vec![Change::Due(Move::Day("2026-03-06".parse().unwrap()))]));
    assert!(matches!(changed("every week").as_deref(), Some([Change::Repeat { .. }])));
    assert_eq!(changed("something else"), None);
}

#[test]
fn a_date_moves_as_it_is_said() {
    let context = context();
    let local = |text: &str| zone::resolve(context.zone, text.parse().unwrap());
    let moved = |text: &str, due: Option<(&str, bool)>| {
        let Request::Update(_, changes) = one(text).request else { panic!("{text}") };
        let [Change::Due(to)] = &changes[..] else { panic!("{text}: {changes:?}") };
        let (at, all_day) = to.apply(due.map(|(at, all_day)| (local(at), all_day)), &context).unwrap();
        (zone::local(context.zone, at).format("%Y-%m-%dT%H:%M:%S").to_string(), all_day)
    };
    let is = |text: &str, all_day: bool| (text.to_owned(), all_day);
    let at_three = Some(("2026-03-06T15:00:00", false));
    let whole_day = Some(("2026-03-06T00:00:00", true));
    // A day keeps the time, a time keeps the day.
    assert_eq!(moved("move it to monday", at_three), is("2026-03-09T15:00:00", false));
    assert_eq!(moved("move it to monday", whole_day), is("2026-03-09T00:00:00", true));
    assert_eq!(moved("move it to monday", None), is("2026-03-09T00:00:00", true));
    assert_eq!(moved("move it to 5pm", at_three), is("2026-03-06T17:00:00", false));
    assert_eq!(moved("move it to 5pm", whole_day), is("2026-03-06T17:00:00", false));
    assert_eq!(moved("move it to 5pm", None), is("2026-03-04T17:00:00", false));
    assert_eq!(moved("move it to monday at 5pm", at_three), is("2026-03-09T17:00:00", false));
    // Lengths count from when it is due, from now without that; a day keeps the clock across daylight saving.
    assert_eq!(moved("push it by 2 days", at_three), is("2026-03-08T15:00:00", false));
    assert_eq!(moved("push it by 2 days", whole_day), is("2026-03-08T00:00:00", true));
    assert_eq!(moved("push it by an hour", whole_day), is("2026-03-06T01:00:00", false));
    assert_eq!(moved("push it by an hour", None), is("2026-03-04T11:00:00", false));
    assert_eq!(moved("move it a day earlier", at_three), is("2026-03-05T15:00:00", false));
    assert_eq!(moved("push it by a day", Some(("2026-03-28T15:00:00", false))), is("2026-03-29T15:00:00", false));
    assert_eq!(moved("snooze it for 10 minutes", at_three), is("2026-03-04T10:10:00", false));
}
