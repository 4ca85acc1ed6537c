//! Lists: sorted, filtered and cut into pages as the domain says.

use todo_domain::{
    query::{Filter, FilterDraft, Order, Query, QueryDraft, SortKey},
    task::{Priority, Status, Task},
};
use uuid::Uuid;

use crate::{
    db::Db,
    make::{Random, all, id, ids, second, task},
};

/// Titles that sort differently by code point, by locale and by case.
const TITLES: [&str; 14] = [
    "apple",
    "Apple",
    "APPLE",
    "apple pie",
    "Äpfel",
    "äpfel",
    "zebra",
    "Zebra",
    "100%",
    "_under",
    "éclair",
    "e\u{301}clair",
    "日本",
    "👍 ok",
];
const TAGS: [&str; 6] = ["home", "Home sweet", "work", "ÜBER", "100%", "日本"];

/// Tasks of which many share whatever they are sorted by.
fn random_tasks(owner: Uuid, seed: u64, count: usize) -> Vec<Task> {
    let mut random = Random(seed);
    (0..count)
        .map(|_| Task {
            id: random.id(),
            description: if random.one_in(2) { format!("about {}", random.pick(&TITLES)) } else { String::new() },
            status: *random.pick(Status::ALL),
            priority: *random.pick(Priority::ALL),
            tags: random.some(&TAGS, 3).into_iter().map(str::to_owned).collect(),
            due: if random.one_in(3) { None } else { Some(random.moment(12)) },
            created_at: random.moment(20),
            updated_at: random.moment(20),
            ..task(owner, 0, random.pick::<&str>(&TITLES))
        })
        .collect()
}

fn sorted(tasks: &[Task], sort: SortKey, order: Order) -> Vec<Uuid> {
    let mut sorted: Vec<_> = tasks.to_vec();
    sorted.sort_by(|a, b| sort.compare(order, a, b));
    ids(&sorted)
}

/// Every way to sort.
fn sorts() -> impl Iterator<Item = (SortKey, Order)> {
    SortKey::ALL.iter().flat_map(|sort| Order::ALL.iter().map(|order| (*sort, *order)))
}

/// Walks all pages by their tokens, through what a client sends and gets.
async fn walk(db: &Db, owner: Uuid, mut draft: QueryDraft) -> Vec<Uuid> {
    let mut seen = Vec::new();
    loop {
        let query = Query::new(&draft).unwrap();
        let (page, more) = db.read().await.list_tasks(owner, &query).await.unwrap();
        seen.extend(ids(&page));
        let Some(last) = page.last().filter(|_| more) else { return seen };
        assert_eq!(i64::try_from(page.len()).unwrap(), query.limit, "a page with more behind it is full");
        draft.page_token = Some(query.token_after(last).encode());
    }
}

pub(crate) async fn every_sort_key_gives_the_order_of_the_domain(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks = random_tasks(owner, 1, 300);
    db.insert(&tasks).await;
    for (sort, order) in sorts() {
        let query = Query { sort, order, ..all(Filter::default()) };
        let (listed, more) = db.read().await.list_tasks(owner, &query).await.unwrap();
        assert!(ids(&listed) == sorted(&tasks, sort, order) && !more, "{sort} {order}");
    }
}

pub(crate) async fn page_tokens_visit_each_task_once_and_in_order(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks = random_tasks(owner, 2, 240);
    db.insert(&tasks).await;
    for (sort, order) in sorts() {
        for limit in [1, 7, 239, 240] {
            if limit == 1 && sort != SortKey::DueDate {
                continue;
            }
            let draft =
                QueryDraft { sort: Some(sort), order: Some(order), limit: Some(limit), ..QueryDraft::default() };
            assert!(walk(db, owner, draft).await == sorted(&tasks, sort, order), "{sort} {order} {limit}");
        }
    }
    // With a filter, whose matches lie scattered among the pages.
    let filter = FilterDraft { tags: vec!["HOME".into()], search: Some("pp".into()), ..FilterDraft::default() };
    let draft = QueryDraft { filter, sort: Some(SortKey::Title), limit: Some(3), ..QueryDraft::default() };
    let passes = Query::new(&draft).unwrap().filter;
    let matching: Vec<_> = tasks.iter().filter(|task| passes.matches(task)).cloned().collect();
    assert!(matching.len() > 5);
    assert_eq!(walk(db, owner, draft).await, sorted(&matching, SortKey::Title, Order::Asc));
}

pub(crate) async fn offsets_visit_each_task_once_and_in_order(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks = random_tasks(owner, 3, 120);
    db.insert(&tasks).await;
    for (sort, order) in sorts() {
        let expected = sorted(&tasks, sort, order);
        let mut seen = Vec::new();
        for offset in (0..=120).step_by(17) {
            let query = Query { sort, order, limit: 17, offset, ..all(Filter::default()) };
            let (page, more) = db.read().await.list_tasks(owner, &query).await.unwrap();
            seen.extend(ids(&page));
            assert_eq!(more, seen.len() < 120, "{sort} {order} {offset}");
        }
        assert_eq!(seen, expected, "{sort} {order}");
        // Counted from the place that a token names.
        let query = Query { sort, order, limit: 5, offset: 0, ..all(Filter::default()) };
        let (page, _) = db.read().await.list_tasks(owner, &query).await.unwrap();
        let after = Some(query.token_after(&page[4]));
        let (page, _) = db.read().await.list_tasks(owner, &Query { after, offset: 2, ..query }).await.unwrap();
        assert_eq!(ids(&page), expected[7..12], "{sort} {order}");
    }
    let beyond = Query { offset: 5_000, ..all(Filter::default()) };
    assert_eq!(db.read().await.list_tasks(owner, &beyond).await.unwrap(), (Vec::new(), false));
}

pub(crate) async fn tasks_without_a_due_date_come_last_either_way(db: &Db) {
    let owner = db.owner("ada").await;
    let due = |number: u128, due: Option<i64>| Task { due: due.map(second), ..task(owner, number, "x") };
    db.insert(&[due(1, None), due(2, Some(2)), due(3, Some(1)), due(4, None), due(5, Some(1))]).await;
    for (order, expected) in [(Order::Asc, [3, 5, 2, 1, 4]), (Order::Desc, [2, 5, 3, 4, 1])] {
        for limit in 1..=5 {
            let draft = QueryDraft {
                sort: Some(SortKey::DueDate),
                order: Some(order),
                limit: Some(limit),
                ..QueryDraft::default()
            };
            assert_eq!(walk(db, owner, draft).await, expected.map(id), "{order} {limit}");
        }
    }
}

fn random_filter(random: &mut Random) -> Filter {
    let terms = ["apple", "ÄPF", "%", "_", "pp", "é", "本", "about", "ap", "👍", "sweet", "nowhere"];
    let draft = FilterDraft {
        statuses: random.some(Status::ALL, 2),
        priorities: random.some(Priority::ALL, 2),
        tags: if random.one_in(2) { random.some(&["HOME", "work", "über", "none", "100%"], 2) } else { Vec::new() }
            .into_iter()
            .map(str::to_owned)
            .collect(),
        search: random.one_in(2).then(|| (*random.pick(&terms)).to_owned()),
        due_before: random.one_in(4).then(|| random.moment(12)),
        due_after: random.one_in(4).then(|| random.moment(12)),
    };
    Query::new(&QueryDraft { filter: draft, ..QueryDraft::default() }).unwrap().filter
}

pub(crate) async fn filters_agree_with_the_domain(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks = random_tasks(owner, 4, 400);
    db.insert(&tasks).await;
    let mut random = Random(5);
    let mut found = 0;
    for _ in 0..300 {
        let filter = random_filter(&mut random);
        let (sort, order) = (*random.pick(SortKey::ALL), *random.pick(Order::ALL));
        let matching: Vec<_> = tasks.iter().filter(|task| filter.matches(task)).cloned().collect();
        let mut tx = db.read().await;
        let (listed, _) = tx.list_tasks(owner, &Query { sort, order, ..all(filter.clone()) }).await.unwrap();
        assert!(ids(&listed) == sorted(&matching, sort, order), "{filter:?} {sort} {order}");
        let count = tx.count_tasks(owner, &filter).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), matching.len(), "{filter:?}");
        found += usize::from(!matching.is_empty());
    }
    assert!(found > 100, "filters that let nothing pass show little: {found}");
}

pub(crate) async fn a_page_goes_on_though_its_last_task_is_gone(db: &Db) {
    let owner = db.owner("ada").await;
    let tasks: Vec<_> = (1..=4).map(|number| task(owner, number, "same")).collect();
    db.insert(&tasks).await;
    let query = Query { sort: SortKey::Title, limit: 2, ..all(Filter::default()) };
    let (page, _) = db.read().await.list_tasks(owner, &query).await.unwrap();
    let after = Some(query.token_after(&page[1]));
    let mut tx = db.begin().await;
    tx.delete_task(owner, page[1].id).await.unwrap();
    tx.commit().await.unwrap();
    let (page, more) = db.read().await.list_tasks(owner, &Query { after, ..query }).await.unwrap();
    assert_eq!((ids(&page), more), (vec![id(3), id(4)], false));
}
