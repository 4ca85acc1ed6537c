use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    task::Draft,
    testing::{at, context},
};

fn task(title: &str, due: Option<&str>) -> Task {
    let draft = Draft { title: title.into(), due: due.map(at), tags: vec!["Home".into()], ..Draft::default() };
    Task::create(draft, &context("2026-03-01T00:00:00Z")).unwrap()
}

fn fields(draft: &QueryDraft) -> Vec<String> {
    Query::new(draft).unwrap_err().violations.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn without_wishes_the_newest_hundred_come_first() {
    let query = Query::new(&QueryDraft::default()).unwrap();
    assert_eq!((query.sort, query.order, query.limit, query.offset), (SortKey::CreatedAt, Order::Desc, 100, 0));
    assert_eq!(query.filter, Filter::default());
}

#[test]
fn limits_hold_and_are_reported_together() {
    for limit in [1, 2, 999, 1000] {
        assert!(Query::new(&QueryDraft { limit: Some(limit), ..QueryDraft::default() }).is_ok());
    }
    let draft = QueryDraft {
        filter: FilterDraft {
            tags: vec![" ".into()],
            search: Some("s".repeat(201)),
            due_before: Some(at("0001-01-01T00:00:00Z")),
            ..FilterDraft::default()
        },
        limit: Some(1001),
        offset: Some(-1),
        page_token: Some("garbage".into()),
        ..QueryDraft::default()
    };
    assert_eq!(fields(&draft), ["tag", "search", "due_before", "limit", "offset", "page_token"]);
    assert_eq!(fields(&QueryDraft { limit: Some(0), ..QueryDraft::default() }), ["limit"]);
}

#[test]
fn text_is_found_whatever_its_case_and_wildcards_are_ordinary() {
    let finds = |search: &str, title: &str| {
        let filter = FilterDraft { search: Some(search.into()), ..FilterDraft::default() };
        Query::new(&QueryDraft { filter, ..QueryDraft::default() }).unwrap().filter.matches(&task(title, None))
    };
    assert!(finds("STRASSENCAFE\u{301}", "Strassencafé besuchen"));
    assert!(finds("home", "by its tag"));
    assert!(!finds("100%", "100 euros") && finds("100%", "at 100% now"));
    assert!(!finds("a_b", "axb") && finds(" ", "anything"));
}

#[test]
fn all_filters_must_hold() {
    let due = Some("2026-03-05T00:00:00Z");
    let matches = |filter: FilterDraft| {
        Query::new(&QueryDraft { filter, ..QueryDraft::default() }).unwrap().filter.matches(&task("t", due))
    };
    let base = || FilterDraft {
        statuses: vec![Status::Completed, Status::Pending],
        priorities: vec![Priority::Medium],
        tags: vec!["HOME".into()],
        due_after: due.map(at),
        due_before: Some(at("2026-03-05T00:00:00.000001Z")),
        ..FilterDraft::default()
    };
    assert!(matches(base()));
    assert!(!matches(FilterDraft { statuses: vec![Status::InProgress], ..base() }));
    assert!(!matches(FilterDraft { priorities: vec![Priority::High], ..base() }));
    assert!(!matches(FilterDraft { tags: vec!["home".into(), "garden".into()], ..base() }));
    assert!(!matches(FilterDraft { due_before: due.map(at), ..base() }));
    assert!(!matches(FilterDraft { due_after: Some(at("2026-03-05T00:00:00.000001Z")), ..base() }));
}

#[test]
fn tasks_without_a_due_date_come_last_either_way() {
    let (none, early, late) =
        (task("n", None), task("e", Some("2026-03-01T00:00:00Z")), task("l", Some("2026-03-02T00:00:00Z")));
    let sorted = |order| {
        let mut tasks = vec![&none, &early, &late];
        tasks.sort_by(|a, b| SortKey::DueDate.compare(order, a, b));
        tasks.into_iter().map(|task| task.title.as_str()).collect::<String>()
    };
    assert_eq!((sorted(Order::Asc), sorted(Order::Desc)), ("eln".into(), "len".into()));
    let (lower, upper) = (task("apple", None), task("Banana", None));
    assert_eq!(SortKey::Title.compare(Order::Asc, &lower, &upper), Ordering::Less);
    assert_eq!(Priority::ALL.iter().map(|it| it.rank()).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_token_is_good_only_for_the_list_it_comes_from() {
    let tagged =
        |tags: &[&str]| FilterDraft { tags: tags.iter().map(|&tag| tag.into()).collect(), ..FilterDraft::default() };
    let draft = QueryDraft { filter: tagged(&["b", "A"]), sort: Some(SortKey::Title), ..QueryDraft::default() };
    let query = Query::new(&draft).unwrap();
    let token = query.token_after(&task("Äpfel", None));
    let page_token = Some(token.encode());
    // The same filters in other words, and another page size, are the same list.
    let same = QueryDraft { filter: tagged(&["a", "B", "b"]), page_token, limit: Some(7), ..draft.clone() };
    assert_eq!(Query::new(&same).unwrap().after, Some(token));
    for other in [
        QueryDraft { filter: tagged(&["a"]), ..same.clone() },
        QueryDraft { order: Some(Order::Desc), ..same.clone() },
        QueryDraft { sort: None, ..same.clone() },
    ] {
        assert_eq!(fields(&other), ["page_token"]);
    }
}

#[test]
fn a_token_with_values_that_no_store_takes_is_refused() {
    let query = Query::new(&QueryDraft { sort: Some(SortKey::Title), ..QueryDraft::default() }).unwrap();
    let token = |key| PageToken::new(&query, key, Uuid::nil()).encode();
    assert!(PageToken::decode(&token(Key::Title("a".into())), &query).is_ok());
    assert!(PageToken::decode(&token(Key::Title("a\0".into())), &query).is_err());
    assert!(PageToken::decode(&token(Key::Time(at("2026-01-01T00:00:00Z"))), &query).is_err());
    let query = Query::new(&QueryDraft::default()).unwrap();
    let far = PageToken::new(&query, Key::Time(Timestamp::MAX_UTC), Uuid::nil()).encode();
    assert!(PageToken::decode(&far, &query).is_err());
}

proptest! {
    #[test]
    fn tokens_read_back(
        sort in prop::sample::select(SortKey::ALL),
        order in prop::sample::select(Order::ALL),
        title in "[^\0]{1,200}",
        due in prop::option::of(0_i64..253_000_000_000_000_000),
        search in prop::option::of("[^\0]{0,200}"),
    ) {
        let mut last = task("t", None);
        last.title = title;
        last.due = due.map(|micros| Timestamp::from_timestamp_micros(micros).unwrap());
        let filter = FilterDraft { search, ..FilterDraft::default() };
        let mut draft = QueryDraft { filter, sort: Some(sort), order: Some(order), ..QueryDraft::default() };
        let token = Query::new(&draft).unwrap().token_after(&last);
        draft.page_token = Some(token.encode());
        prop_assert!(token.encode().len() <= limits::PAGE_TOKEN_MAX);
        let query = Query::new(&draft).unwrap();
        prop_assert_eq!(&query.after, &Some(token));
        prop_assert_eq!(query.after.unwrap().key, Key::of(&last, sort));
    }

    #[test]
    fn garbage_is_refused_and_never_panics(token in any::<String>(), bytes in any::<Vec<u8>>()) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let query = Query::new(&QueryDraft::default()).unwrap();
        prop_assert!(PageToken::decode(&token, &query).is_err());
        prop_assert!(PageToken::decode(&URL_SAFE_NO_PAD.encode(&bytes), &query).is_err());
    }
}
