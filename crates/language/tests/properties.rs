//! What holds of every reading, whatever the text: no panics, spans that are in the text, a task that can be made.

use chrono::{Datelike as _, TimeZone as _, Utc, Weekday};
use proptest::{prelude::*, sample::select};
use todo_domain::zone::Tz;
use todo_language::{
    Candidate, Change, Context, DateOrder, Extent, Found, Intent, Reading, Reference, Request, Scene, Target, corpus,
    dates, parse_phrase, parse_task, read_message, render_intents, resolve,
};

/// Words and signs of the grammar, in no order.
const VOCABULARY: &str = "a an the every each every! other second 2nd first third last next this past coming on at @ by \
    in from to until till through before after since between and or of for with due deadline starting within over \
    monday mon fri friday fridays sat sun weekend weekends weekday weekdays today tomorrow tmrw 2moro yesterday tonight \
    now day days week weeks month months year quarter hour hours minute min sec fortnight decade business working \
    jan january may march dec december 29 30 31 1 2 12 13 24 0 00 007 99 1000 2027 9999 999999999 99999999999 5pm 5p 5a \
    17h30 17:30 5:30 5.30 12/25 25/12 1/2 3/4 2026-12-01 2026-12-01T09:00:00Z +02:00 utc est half quarter past noon \
    midnight morning afternoon evening night eod eom eoy end beginning mid middle christmas thanksgiving remind me \
    reminder alert daily weekly monthly yearly hourly biweekly once twice times 10x except but not completion done \
    !high !! !1 p1 p4 urgent important priority low asap #home #1 #\"two words\" // , . ; : ! ? ( ) - – + & ' \" \
    ago hence later few couple dozen hundred twenty-one thirty five buy milk call bob can't o'clock 3rd 31st 100th";

/// Words of requests, in no order.
const REQUESTS: &str = "add create remind me to task tasks a the my list todo to-do : ; , . ! ? - and then also plus please can you \
    i need want show what's what due overdue how many next top 3 done finished finish complete completed mark as not undo \
    reopen delete remove clear all everything every cancel forget it that them both one first second last #2 1 2 3 \
    rename change update edit move push postpone reschedule snooze bring put off forward by from until set make priority high \
    low urgent tag tags label home #home note description of on reminder reminders date stop repeating pause resume yes no ok \
    thanks hi help weather buy milk bought called mom is isn't was dentist's rent \"buy milk\" tomorrow friday 5pm 2 days \
    every week hour before earlier later another // ✅ 👍 🥛 i've didn't don't search find details when did";

fn contexts() -> impl Strategy<Value = Context> {
    let zones = select(vec![
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Apia,
        Tz::Pacific__Kiritimati,
        Tz::Africa__Cairo,
    ]);
    let now = (1_900_i32..=9_999, 0_i64..366 * 86_400).prop_map(|(year, second)| {
        let start = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        (start + chrono::TimeDelta::seconds(second)).min(Utc.with_ymd_and_hms(9_999, 12, 31, 23, 59, 59).unwrap())
    });
    (now, zones, any::<bool>(), any::<bool>()).prop_map(|(now, zone, sunday, day_first)| Context {
        now,
        zone,
        week_start: if sunday { Weekday::Sun } else { Weekday::Mon },
        date_order: if day_first { DateOrder::DayFirst } else { DateOrder::MonthFirst },
    })
}

fn phrases() -> impl Strategy<Value = String> {
    phrases_of(VOCABULARY)
}

fn phrases_of(vocabulary: &'static str) -> impl Strategy<Value = String> {
    let words: Vec<_> = vocabulary.split_whitespace().collect();
    let glue = prop_oneof![5 => Just(" "), 3 => Just(""), 1 => Just("\n ")];
    prop::collection::vec((select(words), glue), 1..14)
        .prop_map(|words| words.into_iter().flat_map(|(word, glue)| [word, glue]).collect())
}

fn check(text: &str, context: &Context) -> Result<(), TestCaseError> {
    let reading = parse_task(text, context);
    check_reading(text, context, &reading)?;
    if let Some(reading) = parse_phrase(text, context) {
        prop_assert!(!reading.has_title);
        check_reading(text, context, &reading)?;
    }
    for (span, extent) in dates(text, context) {
        prop_assert_eq!(substring(text, span.start, span.end), span.text);
        if let Extent::Days { first: Some(first), last: Some(last) } = extent {
            prop_assert!(first <= last, "{} > {}", first, last);
        }
        let (from, to) = extent.bounds(context.zone);
        if let (Some(from), Some(to)) = (from, to) {
            prop_assert!(from <= to, "{} > {}", from, to);
        }
    }
    Ok(())
}

fn check_reading(text: &str, context: &Context, reading: &Reading) -> Result<(), TestCaseError> {
    let mut at = 0;
    for span in &reading.spans {
        prop_assert!(span.start >= at && span.end > span.start, "spans overlap: {:?}", reading.spans);
        prop_assert_eq!(&substring(text, span.start, span.end), &span.text);
        at = span.end;
    }
    let draft = &reading.draft;
    prop_assert_eq!(draft.title.is_empty(), text.trim().is_empty(), "{:?}", draft.title);
    if let Some(due) = draft.due {
        prop_assert!((1..=9_999).contains(&due.year()));
        prop_assert!(!reading.spans.is_empty() && !reading.explanation.is_empty());
    }
    prop_assert!(draft.due.is_some() || draft.recurrence.is_none());
    for reminder in &draft.reminders {
        prop_assert!(reminder.trigger_at.is_some() != reminder.before_due_seconds.is_some());
        prop_assert!(reminder.before_due_seconds.is_none() || draft.due.is_some());
    }

    prop_assert!(!corpus::render(reading, context.zone).is_empty());
    Ok(())
}

fn check_message(text: &str, context: &Context) -> Result<(), TestCaseError> {
    let intents = read_message(text, context);
    prop_assert!(!intents.is_empty());
    prop_assert!(!render_intents(&intents, context.zone).is_empty());
    let mut at = 0;
    for intent in &intents {
        prop_assert!(at <= intent.start && intent.start <= intent.end, "{:?}", intent);
        prop_assert!(intent.end <= text.chars().count());
        prop_assert!((0.0..=1.0).contains(&intent.evidence.confidence()));
        at = intent.start;
        check_intent(intent, intents.len(), context)?;
    }
    Ok(())
}

fn check_intent(intent: &Intent, count: usize, context: &Context) -> Result<(), TestCaseError> {
    let target = match &intent.request {
        Request::Yes | Request::No => {
            prop_assert_eq!(count, 1);
            return Ok(());
        }
        Request::Create(task) => {
            prop_assert!(!task.reading.draft.title.trim().is_empty());
            return Ok(());
        }
        Request::Update(target, changes) => {
            prop_assert!(!changes.is_empty());
            let due = (context.now, false);
            for change in changes {
                if let Change::Due(due_change) = change {
                    for due in [None, Some(due), Some((due.0, true))] {
                        let year = due_change.apply(due, context).map(|(at, _)| at.year());
                        prop_assert!(year.is_none_or(|year| (1..=9_999).contains(&year)));
                    }
                }
            }
            target
        }
        Request::Complete(target) | Request::Reopen(target) | Request::Delete(target) => target,
        _ => return Ok(()),
    };
    if let Target::Tasks(references) = target {
        prop_assert!(!references.is_empty());
        for reference in references {
            check_reference(reference)?;
        }
    }
    Ok(())
}

/// What is found is among what there is, and several of which one is meant are at least two.
fn check_reference(reference: &Reference) -> Result<(), TestCaseError> {
    let titles = ["buy milk", "pay rent", "call mom, Bob and 1", "2", "dentist", ""];
    let tasks: Vec<_> =
        titles.iter().enumerate().map(|(key, title)| Candidate { key, title: (*title).to_owned() }).collect();
    match resolve(reference, &Scene { listed: &tasks[..3], touched: &tasks[1..2], tasks: &tasks }) {
        Found::Nothing => {}
        Found::These(keys) => prop_assert!(!keys.is_empty() && keys.iter().all(|key| *key < titles.len())),
        Found::OneOf(keys) => prop_assert!(keys.len() > 1),
    }
    Ok(())
}

fn substring(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end - start).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn words_of_the_grammar_in_any_order(text in phrases(), context in contexts()) {
        check(&text, &context)?;
    }

    #[test]
    fn any_text(text in any::<String>(), context in contexts()) {
        check(&text, &context)?;
        check_message(&text, &context)?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn words_of_requests_in_any_order(text in phrases_of(REQUESTS), context in contexts()) {
        check_message(&text, &context)?;
    }
}

#[test]
fn long_texts_of_one_kind_are_read_too() {
    let context = corpus::context("now 2026-03-04T10:00").unwrap();
    let words = VOCABULARY.split_whitespace().chain([
        "with ",
        "it's ",
        "once ",
        "a day after ",
        "every ",
        "1 day ",
        "\"",
        "“",
        "(((",
    ]);
    for word in words.chain(REQUESTS.split_whitespace()) {
        for text in [word.repeat(300), format!("{word} ").repeat(300), format!("buy {word}, and ").repeat(100)] {
            assert!(!read_message(&text, &context).is_empty());
        }
        let text = word.repeat(300);
        assert_eq!(parse_task(&text, &context).draft.title.is_empty(), text.trim().is_empty());
        let text = format!("{word} ").repeat(300);
        assert!(!parse_task(&text, &context).draft.title.is_empty(), "{word}");
    }
}
