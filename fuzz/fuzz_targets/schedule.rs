//! Any rule, cron or RRULE, and the slots that follow from it: each after the one before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use todo_domain::{
    Ids, Timestamp,
    recurrence::{Recurrence, RecurrenceDraft, RecurrenceType},
    task::Context,
    zone::Tz,
};
use uuid::Uuid;

struct Nil;

impl Ids for Nil {
    fn new_id(&self, _: Timestamp) -> Uuid {
        Uuid::nil()
    }

    fn random(&self) -> Uuid {
        Uuid::nil()
    }
}

fuzz_target!(|input: (bool, u32, &str)| {
    let (is_cron, minutes, rule) = input;
    let Some(now) = Timestamp::from_timestamp(i64::from(minutes) * 60, 0) else { return };
    let mut draft = RecurrenceDraft::default();
    if is_cron {
        draft.recurrence_type = RecurrenceType::Custom;
        draft.cron_expression = Some(rule.to_owned());
    } else {
        draft.recurrence_type = RecurrenceType::Rrule;
        draft.rrule = Some(rule.to_owned());
    }
    let context = Context { now, zone: Tz::America__New_York, user_id: Uuid::nil(), ids: &Nil };
    let Ok(recurrence) = Recurrence::new(&draft, Some(now), &context) else { return };
    let mut last = now;
    for _ in 0..5 {
        let Some(slot) = recurrence.preview_after(last) else { break };
        assert!(slot > last, "{rule}: {slot} after {last}");
        last = slot;
    }
});
