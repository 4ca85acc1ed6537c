//! What holds of every reading, whatever the text: no panics, spans that are in the text, a task that can be made.

use chrono::{Datelike as _, TimeZone as _, Utc, Weekday};
use proptest::{prelude::*, sample::select};
use todo_domain::zone::Tz;
use todo_language::{Context, DateOrder, Extent, Reading, corpus, dates, parse_phrase, parse_task};

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
    let words: Vec<_> = VOCABULARY.split_whitespace().collect();
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
    for word in words {
        let text = word.repeat(300);
        assert_eq!(parse_task(&text, &context).draft.title.is_empty(), text.trim().is_empty());
        let text = format!("{word} ").repeat(300);
        assert!(!parse_task(&text, &context).draft.title.is_empty(), "{word}");
    }
}
