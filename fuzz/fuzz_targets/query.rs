//! Any text as a search, a tag and the token of a page.
#![no_main]

use libfuzzer_sys::fuzz_target;
use todo_domain::query::{FilterDraft, PageToken, Query, QueryDraft};

fuzz_target!(|input: (&str, &str, &str)| {
    let (search, tag, token) = input;
    let filter = FilterDraft { search: Some(search.to_owned()), tags: vec![tag.to_owned()], ..FilterDraft::default() };
    let Ok(query) = Query::new(&QueryDraft { filter, ..QueryDraft::default() }) else { return };
    if let Ok(token) = PageToken::decode(token, &query) {
        assert_eq!(PageToken::decode(&token.encode(), &query), Ok(token));
    }
});
