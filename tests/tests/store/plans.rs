//! How the databases find what is asked for: the statements that the store really sent, explained. Small tables are
//! quick whichever way; these cases keep large ones quick.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, Once, PoisonError},
};

use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use todo_backend::store::DueKind;
use todo_domain::{
    query::{Filter, Order, Query, SortKey},
    task::Status,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    db::Db,
    make::{all, containing, id, second, task},
};

static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Keeps the statements that sqlx logs.
struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Statement);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Statement;

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "db.statement" {
            STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).insert(value.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// From here on every statement of this process is kept.
pub(crate) fn record_statements() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Recorder).expect("nobody else listens"));
}

/// The statements sent so far, by whichever test, in which all these parts occur; not those that explain one.
fn statements(parts: &[&str]) -> Vec<String> {
    let known = STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = known.iter().filter(|sql| !sql.starts_with("EXPLAIN") && !sql.starts_with("PREPARE"));
    let found: Vec<_> = asked.filter(|sql| parts.iter().all(|part| sql.contains(part))).cloned().collect();
    assert!(!found.is_empty(), "no statement has {parts:?}");
    found
}

const INDEXES: [(SortKey, Order, &str, &str); 10] = [
    (SortKey::DueDate, Order::Asc, "ORDER BY due_asc ASC", "tasks_due_asc"),
    (SortKey::DueDate, Order::Desc, "ORDER BY due_desc DESC", "tasks_due_desc"),
    (SortKey::Priority, Order::Asc, "ORDER BY priority ASC", "tasks_priority"),
    (SortKey::Priority, Order::Desc, "ORDER BY priority DESC", "tasks_priority"),
    (SortKey::CreatedAt, Order::Asc, "ORDER BY created_at ASC", "tasks_created"),
    (SortKey::CreatedAt, Order::Desc, "ORDER BY created_at DESC", "tasks_created"),
    (SortKey::UpdatedAt, Order::Asc, "ORDER BY updated_at ASC", "tasks_updated"),
    (SortKey::UpdatedAt, Order::Desc, "ORDER BY updated_at DESC", "tasks_updated"),
    (SortKey::Title, Order::Asc, "ORDER BY title_key ASC", "tasks_title"),
    (SortKey::Title, Order::Desc, "ORDER BY title_key DESC", "tasks_title"),
];

/// Asks for the first and a later page of every sort, with and without a status.
async fn list_everything(db: &Db) {
    let owner = db.owner("ada").await;
    let known = task(owner, 1, "one");
    db.insert(std::slice::from_ref(&known)).await;
    let open = Filter { statuses: vec![Status::Pending], ..Filter::default() };
    for (sort, order, ..) in INDEXES {
        for filter in [Filter::default(), open.clone()] {
            let query = Query { sort, order, limit: 50, ..all(filter) };
            let after = Some(query.token_after(&known));
            let mut tx = db.read().await;
            tx.list_tasks(owner, &query).await.unwrap();
            tx.list_tasks(owner, &Query { after, ..query }).await.unwrap();
        }
    }
    db.store.close().await;
}

async fn ask_what_is_due(db: &Db) {
    let mut tx = db.begin().await;
    tx.due(second(1), None, 10).await.unwrap();
    tx.due(second(1), Some((second(0), DueKind::Reminder, id(1))), 10).await.unwrap();
    tx.due(second(1), Some((second(0), DueKind::Series, id(1))), 10).await.unwrap();
    tx.lease_outgoing(second(1), second(2), 10).await.unwrap();
    tx.unseen(second(1), 10).await.unwrap();
    tx.published_since(second(1)).await.unwrap();
    tx.dead_letters(None, 10).await.unwrap();
    tx.commit().await.unwrap();
    db.store.close().await;
}

async fn search(db: &Db) {
    let owner = db.owner("ada").await;
    let many: Vec<_> = (1..=1_001).map(|number| task(owner, number, "common")).collect();
    db.insert(&many).await;
    let mut tx = db.read().await;
    let (common, more) = tx.list_tasks(owner, &all(containing("common"))).await.unwrap();
    assert!(common == many[..1_000] && more);
    tx.list_tasks(owner, &all(containing("plants"))).await.unwrap();
    tx.count_tasks(owner, &containing("plants")).await.unwrap();
    let tagged = Filter { tags: vec!["rare".to_owned()], ..Filter::default() };
    assert_eq!(tx.list_tasks(owner, &all(tagged.clone())).await.unwrap(), (Vec::new(), false));
    assert_eq!(tx.count_tasks(owner, &tagged).await.unwrap(), 0);
    drop(tx);
    db.store.close().await;
}

/// The plan of a statement of the store on SQLite, a step a line.
async fn sqlite_plan(db: &Db, sql: &str) -> String {
    let mut connection = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
}

/// The plan of a statement of the store on Postgres, whatever its values, where reading a whole table or sorting it
/// costs more than anything else: what it still does, it has to.
async fn postgres_plan(db: &Db, sql: &str) -> String {
    let mut connection = sqlx::PgConnection::connect(&db.url).await.unwrap();
    let values = (1..100).filter(|value| sql.contains(&format!("${value}"))).map(|_| "NULL").collect::<Vec<_>>();
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    for sql in [
        "SET enable_seqscan = off".to_owned(),
        "SET enable_sort = off".to_owned(),
        "SET plan_cache_mode = force_generic_plan".to_owned(),
        format!("PREPARE asked AS {sql}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE asked{values}"));
    let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

fn assert_plan(plan: &str, uses: &str, not: &[&str], sql: &str) {
    assert!(plan.contains(uses), "{sql}\ndoes not use {uses}:\n{plan}");
    for not in not {
        assert!(!plan.contains(not), "{sql}\nhas {not}:\n{plan}");
    }
}

pub(crate) async fn every_list_is_read_from_an_index_in_order(db: &Db) {
    list_everything(db).await;
    for (_, _, order, index) in INDEXES {
        for conditions in ["ORDER", "AND (", "AND status IN (?) ORDER", "AND status IN (?) AND ("] {
            for sql in statements(&[&format!("FROM tasks WHERE user_id = ? {conditions}"), order]) {
                let plan = sqlite_plan(db, &sql).await;
                assert_plan(&plan, &format!("USING INDEX {index} (user_id=?"), &["TEMP B-TREE", "SCAN tasks"], &sql);
            }
        }
    }
}

pub(crate) async fn due_and_outbox_are_read_from_their_indexes(db: &Db) {
    ask_what_is_due(db).await;
    for (parts, uses) in [
        (["FROM reminders WHERE trigger_at", "?"], "USING INDEX reminders_due (trigger_at"),
        (["FROM series WHERE due_at", "?"], "USING INDEX series_due (due_at"),
        (["attempts + 1 AS attempts FROM outbox", "$1"], "USING INDEX outbox_due (due_at"),
        (["FROM firings WHERE NOT seen", "?"], "USING INDEX firings_unseen (fired_at"),
        (["FROM slots WHERE state = 1", "?"], "USING INDEX slots_unseen (decided_at"),
        (["FROM outbox WHERE published_at >=", "$1"], "USING INDEX outbox_published (published_at"),
        (["FROM dead_letters WHERE (at, id)", "$1"], "USING INDEX dead_letters_at ((at,id)"),
    ] {
        for sql in statements(&parts) {
            let plan = sqlite_plan(db, &sql).await;
            assert_plan(&plan, uses, &["TEMP B-TREE", "SCAN"], &sql);
        }
    }
}

pub(crate) async fn search_reads_the_text_index(db: &Db) {
    search(db).await;
    // Few rows are found by their text and sorted.
    for sql in statements(&["FROM tasks WHERE +user_id = ? AND", "tasks_search MATCH ?"]) {
        let plan = sqlite_plan(db, &sql).await;
        assert_plan(&plan, "SCAN tasks_search VIRTUAL TABLE INDEX", &["SCAN tasks\n"], &sql);
        assert_plan(&plan, "SEARCH tasks USING INTEGER PRIMARY KEY (rowid=?)", &[], &sql);
    }
    // Many are taken in order, of those that the text index knows, until a page is full.
    for sql in statements(&["FROM tasks WHERE user_id = ? AND n IN", "tasks_search MATCH ?", "ORDER BY created_at"]) {
        let plan = sqlite_plan(db, &sql).await;
        assert_plan(&plan, "SCAN tasks_search VIRTUAL TABLE INDEX", &["TEMP B-TREE"], &sql);
        assert_plan(&plan, "USING INDEX tasks_created (user_id=?)", &[], &sql);
    }
    // So are those of a tag that few have.
    for parts in
        [["FROM tasks WHERE +user_id = ?", "AND id IN (SELECT t.task_id"], ["SELECT count(*) FROM tasks", "AND id IN"]]
    {
        for sql in statements(&parts) {
            let plan = sqlite_plan(db, &sql).await;
            assert_plan(&plan, "SEARCH t USING PRIMARY KEY (user_id=? AND tag_key=?)", &["SCAN tasks"], &sql);
        }
    }
}

pub(crate) async fn counting_reads_indexes_alone(db: &Db) {
    let owner = db.owner("ada").await;
    let mut tx = db.read().await;
    tx.counts(owner, second(1), second(0)).await.unwrap();
    tx.count_tasks(owner, &Filter::default()).await.unwrap();
    drop(tx);
    db.store.close().await;
    let counting =
        ["SELECT status, count(*) AS tasks", "SELECT count(*) FROM tasks WHERE user_id = $1 AND status IN (1, 2)"];
    for sql in counting.into_iter().flat_map(|part| statements(&[part])) {
        assert_plan(&sqlite_plan(db, &sql).await, "USING COVERING INDEX tasks_status", &["TEMP B-TREE"], &sql);
    }
}

pub(crate) async fn postgres_can_read_every_list_from_an_index_in_order(db: &Db) {
    list_everything(db).await;
    for (_, _, order, index) in INDEXES {
        for conditions in ["ORDER", "AND (", "AND status IN ($2) ORDER", "AND status IN ($2) AND ("] {
            for sql in statements(&[&format!("FROM tasks WHERE user_id = $1 {conditions}"), order]) {
                assert_plan(&postgres_plan(db, &sql).await, &format!("using {index}"), &["Sort", "Seq Scan"], &sql);
            }
        }
    }
}

pub(crate) async fn postgres_can_read_due_and_outbox_from_their_indexes(db: &Db) {
    ask_what_is_due(db).await;
    for (parts, uses) in [
        (["FROM reminders WHERE trigger_at", "$1"], "using reminders_due"),
        (["FROM series WHERE due_at", "$1"], "using series_due"),
        (["UPDATE outbox SET due_at", "SKIP LOCKED"], "using outbox_due"),
        (["FROM firings WHERE NOT seen", "$1"], "using firings_unseen"),
        (["FROM slots WHERE state = 1", "$1"], "using slots_unseen"),
        (["FROM outbox WHERE published_at >=", "$1"], "using outbox_published"),
        (["FROM dead_letters WHERE (at, id)", "$1"], "using dead_letters_at"),
    ] {
        for sql in statements(&parts) {
            assert_plan(&postgres_plan(db, &sql).await, uses, &["Sort", "Seq Scan"], &sql);
        }
    }
}

pub(crate) async fn postgres_can_search_by_its_text_index(db: &Db) {
    search(db).await;
    for sql in statements(&["SELECT count(*) FROM tasks WHERE user_id = $1 AND search LIKE $2"]) {
        assert_plan(&postgres_plan(db, &sql).await, "tasks_", &["Seq Scan"], &sql);
    }
}
