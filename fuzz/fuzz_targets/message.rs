//! Any text as a task, as a message, and as each part of one, at any moment in zones with odd clocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use todo_domain::{Timestamp, zone::Tz};
use todo_language::{Context, dates, parse_phrase, parse_task, read_changes, read_message, read_references};

const ZONES: [Tz; 4] = [Tz::UTC, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Asia__Kathmandu];

fuzz_target!(|input: (u8, u32, &str)| {
    let (zone, minutes, text) = input;
    let Some(now) = Timestamp::from_timestamp(i64::from(minutes) * 60, 0) else { return };
    let context = Context::new(now, ZONES[usize::from(zone) % ZONES.len()]);
    let length = text.chars().count();
    for span in parse_task(text, &context).spans {
        assert!(span.start < span.end && span.end <= length, "{span:?}");
    }
    for intent in read_message(text, &context) {
        assert!(intent.start <= intent.end && intent.end <= length, "{intent:?}");
    }
    let _ = parse_phrase(text, &context);
    let _ = dates(text, &context);
    let _ = read_changes(text, &context);
    let _ = read_references(text, &context);
});
