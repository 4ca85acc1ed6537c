//! Text search: by the index for terms of three characters and more, without it for shorter ones.

use std::time::Duration;

use crate::{
    Plan, Result,
    library::Library,
    list, seed,
    stats::ms,
    table::{Row, Section},
};

/// What a search may take in the large collection.
const GOAL: Duration = Duration::from_millis(20);

/// Measures one database.
pub(crate) async fn run(plan: Plan, library: &Library, section: &mut Section) -> Result<()> {
    section.describe(
        "`GET /api/tasks?limit=50&skip_total=true&search=TERM`, newest first, one client; the time includes the page.",
    );
    let span = plan.pick(Duration::from_millis(1500), Duration::from_millis(200));
    for collection in &library.collections {
        let (size, marked) = (collection.size, collection.marked);
        let cases = [
            (seed::MARK, format!("{marked} matches"), true),
            (&seed::MARK[..3], format!("3 characters, {marked} matches"), true),
            (seed::RARE, "10 matches".to_owned(), true),
            ("zzzzz", "no match".to_owned(), true),
            ("qu", format!("2 characters, {marked} matches"), false),
            ("zz", "2 characters, no match".to_owned(), false),
            ("a", "1 character, all match".to_owned(), false),
        ];
        for (term, what, indexed) in cases {
            let path = format!("/api/tasks?limit=50&skip_total=true&search={term}");
            let taken = list::repeat(&collection.rest, &path, span).await?;
            let row = Row::plain(format!("`{term}` ({what}) in {size}"), taken.shown());
            let large = indexed && size == library.collections[1].size;
            section.push(if large { row.goal(format!("p99 under {}", ms(GOAL)), taken.p99() < GOAL) } else { row });
        }
        let counted =
            list::repeat(&collection.rest, &format!("/api/tasks?limit=50&search={}", seed::MARK), span).await?;
        section.push(Row::plain(format!("`{}` in {size}, with `total`", seed::MARK), counted.shown()));
    }
    Ok(())
}
