//! What a reading says beside the task: where in the text, in words, and what was refused.

use todo_language::{Context, Reading, SpanKind, corpus, dates, parse_phrase, parse_task};

fn context() -> Context {
    corpus::context("zone Europe/Berlin").unwrap()
}

fn read(text: &str) -> Reading {
    parse_task(text, &context())
}

fn spans(text: &str) -> Vec<(usize, usize, SpanKind, String)> {
    read(text).spans.into_iter().map(|span| (span.start, span.end, span.kind, span.text)).collect()
}

#[test]
fn spans_count_characters_not_bytes() {
    assert_eq!(
        spans("Tür für Zoë ölen morgen? tomorrow at 5 #müll"),
        [(25, 38, SpanKind::Due, "tomorrow at 5".to_owned()), (39, 44, SpanKind::Tag, "#müll".to_owned())]
    );
}

#[test]
fn every_kind_of_span_is_named() {
    let text = "tomorrow call Bob at 5pm, remind me 1 hour before p1 #home // by phone";
    let kinds: Vec<_> = spans(text).into_iter().map(|(.., kind, text)| (kind.as_str(), text)).collect();
    let expected = [
        ("due", "tomorrow"),
        ("time", "at 5pm"),
        ("reminder", "remind me 1 hour before"),
        ("priority", "p1"),
        ("tag", "#home"),
        ("description", "// by phone"),
    ];
    assert_eq!(kinds, expected.map(|(kind, text)| (kind, text.to_owned())));
    let recurrence = spans("pills daily until friday 10 times");
    assert!(recurrence.iter().all(|(.., kind, _)| *kind == SpanKind::Recurrence), "{recurrence:?}");
}

#[test]
fn a_reading_is_explained_in_one_line() {
    let says = |text: &str| read(text).explanation;
    assert_eq!(
        says("pay rent every 1st at 9am #home !high, remind me 1 hour before"),
        "due Wed 1 Apr 2026 at 09:00, repeats every month on the 1st, reminder 1 hour before, high priority, tagged #home"
    );
    assert_eq!(says("call Bob tomorrow"), "due Thu 5 Mar 2026");
    assert_eq!(
        says("gym every! 2 weeks 10 times"),
        "due Wed 4 Mar 2026, repeats every 2 weeks after it was done, 10 times"
    );
    assert_eq!(
        says("pills every weekday at 9am and 5pm until june 1"),
        "due Wed 4 Mar 2026 at 17:00, repeats every weekday at 09:00 and 17:00, until Mon 1 Jun 2026"
    );
    assert_eq!(
        says("board every first monday and last friday of the month"),
        "due Fri 27 Mar 2026, repeats every month on the 1st Monday and the last Friday"
    );
    assert_eq!(
        says("taxes yearly on may 4, remind me 10 days before and tomorrow at 8, low priority // forms"),
        "due Mon 4 May 2026, repeats every year in May on the 4th, reminder 10 days before and on Thu 5 Mar 2026 at 08:00, \
         low priority, with a description"
    );
    assert_eq!(says("call Bob"), "");
}

#[test]
fn what_is_not_clear_is_refused_with_its_reason() {
    let refused = |text: &str| {
        let reading = read(text);
        reading.refused.into_iter().map(|it| format!("{}: {}", it.text, it.reason)).collect::<Vec<_>>()
    };
    assert_eq!(refused("sync every second tuesday"), ["every second tuesday: a rule that is not clear"]);
    assert_eq!(refused("party friday dec 5"), ["friday dec 5: the date is on another weekday"]);
    assert_eq!(refused("prepare tomorrow the slides due friday"), ["tomorrow: another date says when it is due"]);
    assert_eq!(
        refused("call Bob, remind me 1 hour before"),
        ["remind me 1 hour before: a reminder before the due date needs one"]
    );
    assert_eq!(refused("meds at 8, 12 and 6"), ["at 8, 12 and 6: more than one time"]);
    assert_eq!(refused("park tomorrow or friday"), ["tomorrow: more than one day", "friday: more than one day"]);
    assert_eq!(refused("call Bob tomorrow"), Vec::<String>::new());
}

#[test]
fn a_date_alone_is_read_for_editing_and_more_than_a_date_is_not() {
    assert!(parse_phrase("friday at 5", &context()).unwrap().draft.due.is_some());
    assert!(parse_phrase("sat", &context()).unwrap().draft.due_all_day);
    assert!(parse_phrase("every 1st at 9am", &context()).unwrap().draft.recurrence.is_some());
    assert_eq!(parse_phrase("call Bob friday", &context()), None);
    assert_eq!(parse_phrase("", &context()), None);
}

#[test]
fn a_filter_gets_the_bounds_of_a_date() {
    let bounds = |text: &str| {
        let (from, to) = dates(text, &context())[0].1.bounds(context().zone);
        let show = |at: Option<todo_domain::Timestamp>| at.map_or("open".to_owned(), |at| at.to_rfc3339());
        format!("{} {}", show(from), show(to))
    };
    assert_eq!(bounds("what's due this week"), "2026-03-01T23:00:00+00:00 2026-03-08T23:00:00+00:00");
    assert_eq!(bounds("due before friday"), "open 2026-03-05T23:00:00+00:00");
    assert_eq!(bounds("at 5pm"), "2026-03-04T16:00:00+00:00 2026-03-04T16:00:00.000001+00:00");
}
