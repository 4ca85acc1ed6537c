//! Lists: pages of 50 by keyset, beside a server that only sends the same bytes.

use std::time::{Duration, Instant};

use axum::{Router, http::header, routing::get};
use bytes::Bytes;
use serde_json::Value;
use todo_tests::rest::Rest;
use tokio::net::TcpListener;

use crate::{
    Plan, Result,
    library::{self, Collection, Library},
    stats::{Times, ms, ratio, times},
    table::{Row, Section},
};

const PAGE: &str = "/api/tasks?limit=50&skip_total=true";
/// How much longer than the bare server a page may take.
const BARE: f64 = 10.0;
/// How much longer a page of many tasks may take than one of few, noise included.
const GROWTH: f64 = 1.5;

/// Measures one database.
pub(crate) async fn run(plan: Plan, library: &Library, section: &mut Section) -> Result<()> {
    section.describe(
        "`GET /api/tasks?limit=50&skip_total=true`, newest first, following `next_page_token` from the first page to the \
         last and again from the start; one client. The reference is a bare axum server that answers the bytes of the \
         first page, asked by the same client.",
    );
    let span = plan.pick(Duration::from_secs(6), Duration::from_millis(500));
    let mut medians = Vec::new();
    for collection in &library.collections {
        let first = library::get(&collection.rest, PAGE).await?;
        let bare = bare(first.clone(), span / 3).await?;
        let walked = walk(collection, span).await?;
        let share = ratio(walked.p50().as_secs_f64(), bare.p50().as_secs_f64());
        medians.push(walked.p50());
        section.push(
            Row::plain(format!("a page of {}", collection.size), walked.shown())
                .beside(format!("{} ({} kB)", bare.shown(), first.len() / 1000), times(share))
                .goal("within 10 x at p50", share <= BARE),
        );
    }
    if let [small, large] = medians[..] {
        let growth = ratio(large.as_secs_f64(), small.as_secs_f64());
        section.push(
            Row::plain("the large collection beside the small one", ms(large))
                .beside(ms(small), times(growth))
                .goal("the same (up to 1.5 x)", growth <= GROWTH),
        );
    }
    for collection in &library.collections {
        let counted = repeat(&collection.rest, "/api/tasks?limit=1", span / 4).await?;
        section.push(Row::plain(format!("`total` of {} (a page of 1 with it)", collection.size), counted.shown()));
    }
    Ok(())
}

/// Follows the pages to the end, and again.
async fn walk(collection: &Collection, span: Duration) -> Result<Times> {
    let mut taken = Vec::new();
    let mut path = PAGE.to_owned();
    let began = Instant::now();
    while began.elapsed() < span {
        let asked = Instant::now();
        let bytes = library::get(&collection.rest, &path).await?;
        taken.push(asked.elapsed());
        let page: Value = serde_json::from_slice(&bytes)?;
        path = match page["next_page_token"].as_str() {
            Some(next) => format!("{PAGE}&page_token={next}"),
            None => PAGE.to_owned(),
        };
    }
    Ok(Times::new(taken))
}

/// Asks for the same again and again.
pub(crate) async fn repeat(rest: &Rest, path: &str, span: Duration) -> Result<Times> {
    let mut taken = Vec::new();
    let began = Instant::now();
    while began.elapsed() < span || taken.is_empty() {
        let asked = Instant::now();
        library::get(rest, path).await?;
        taken.push(asked.elapsed());
    }
    Ok(Times::new(taken))
}

/// A server that answers these bytes.
async fn bare(bytes: Bytes, span: Duration) -> Result<Times> {
    let answer = move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], bytes));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(answer))).await });
    let taken = repeat(&Rest::new(format!("http://{address}")), "/", span).await;
    server.abort();
    taken
}
