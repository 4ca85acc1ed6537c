//! What a request asks for, and how it becomes a recurrence.

use super::{
    Anchor, CatchUp, Overlap, Recurrence, RecurrenceType, Rule,
    cron::Cron,
    rrule::{End, Rrule},
};
use crate::{
    clock::{self, Timestamp},
    error::{Error, Violations},
    limits,
    task::Context,
    text,
    zone::{self, Tz},
};

/// The recurrence that a request asks for. It replaces what was there: what is left out takes its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecurrenceDraft {
    /// The kind of rule.
    pub recurrence_type: RecurrenceType,
    /// The expression of a custom rule.
    pub cron_expression: Option<String>,
    /// An RFC 5545 rule. Its `UNTIL` and `COUNT` become `until` and `count`.
    pub rrule: Option<String>,
    /// The IANA zone; by default that of the present rule if the rule stays the same, else the owner's.
    pub time_zone: Option<String>,
    /// What the next slot is counted from.
    pub anchor: Anchor,
    /// The last instant (inclusive) that may be a slot.
    pub until: Option<Timestamp>,
    /// How many slots, the source included: 1 to 10,000.
    pub count: Option<i64>,
    /// Whether the series stands still.
    pub paused: bool,
    /// What a slot does that comes while one is open.
    pub overlap: Overlap,
    /// How long before its slot a task appears: 0 to 31,536,000 seconds.
    pub lead_seconds: i64,
    /// Which missed slots are made.
    pub catch_up: CatchUp,
}

impl From<&Recurrence> for RecurrenceDraft {
    /// What a reader of the recurrence would send back.
    fn from(recurrence: &Recurrence) -> Self {
        Self {
            recurrence_type: recurrence.rule.recurrence_type(),
            cron_expression: recurrence.rule.cron_expression().map(ToOwned::to_owned),
            rrule: recurrence.rule.rrule().map(ToOwned::to_owned),
            time_zone: Some(recurrence.zone.name().to_owned()),
            anchor: recurrence.anchor,
            until: recurrence.until,
            count: recurrence.count,
            paused: recurrence.paused,
            overlap: recurrence.overlap,
            lead_seconds: recurrence.lead_seconds,
            catch_up: recurrence.catch_up,
        }
    }
}

impl Recurrence {
    /// The recurrence that `draft` would be with a new task due at `due`: for a preview of its slots.
    ///
    /// # Errors
    /// [`crate::Reason::ValidationError`] with everything that is wrong with the draft, as fields below `recurrence`.
    pub fn new(draft: &RecurrenceDraft, due: Option<Timestamp>, context: &Context<'_>) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let due = due.map(|due| clock::check(due, "due_date", &mut violations));
        let recurrence =
            violations.nested("recurrence", |violations| Self::write(draft, None, due, context, violations));
        // Without a recurrence there are violations.
        violations.into_result(recurrence)?.ok_or_else(|| Error::internal("a recurrence was refused without a reason"))
    }

    /// The recurrence that `draft` asks for, where `existing` (already anchored to the task's due date) is now.
    ///
    /// An equal draft gives `existing` back. Otherwise id and creation stay, and the anchor stays unless rule or zone
    /// changed. A new rule, a new `anchor`, a resumption and the extension of an ended series all begin now: what passed
    /// is gone.
    ///
    /// Violations are of fields below `recurrence`.
    pub(crate) fn write(
        draft: &RecurrenceDraft,
        existing: Option<&Self>,
        due: Option<Timestamp>,
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Option<Self> {
        let before = violations.count();
        let rule = rule(draft, violations);
        let zone = draft.time_zone.as_deref().and_then(|name| violations.take(zone::parse(name, "time_zone")));
        let end = rule.as_ref().map(|(_, end)| *end).unwrap_or_default();
        for (field, part, both) in [
            ("until", "UNTIL", draft.until.is_some() && end.until.is_some()),
            ("count", "COUNT", draft.count.is_some() && end.count.is_some()),
        ] {
            violations.check(!both, field, || format!("must not be given beside the {part} of rrule"));
        }
        let count = draft.count.or(end.count);
        check_numbers(draft, count, violations);
        check_anchor(draft, violations);
        let same_rule = existing.filter(|existing| rule.as_ref().is_some_and(|(rule, _)| existing.rule == *rule));
        let zone: Tz = zone.or(same_rule.map(|existing| existing.zone)).unwrap_or(context.zone);
        let until = draft.until.or(end.until.map(|until| until.at(zone)));
        let until = until.map(|until| clock::check(until, "until", violations));
        let (rule, _) = rule.filter(|_| violations.count() == before)?;

        let same_slots = same_rule.filter(|existing| existing.zone == zone);
        let same_course = same_slots.filter(|existing| existing.anchor == draft.anchor);
        let now = context.now;
        let mut recurrence = Self {
            id: existing.map_or_else(|| context.ids.new_id(now), |existing| existing.id),
            rule,
            zone,
            anchor_at: same_slots.map_or(due.unwrap_or(now), |existing| existing.anchor_at),
            armed_at: same_course.map_or(now, |existing| existing.armed_at),
            until,
            count,
            ends_at: None,
            paused: draft.paused,
            overlap: draft.overlap,
            lead_seconds: draft.lead_seconds,
            catch_up: draft.catch_up,
            anchor: draft.anchor,
            created_at: existing.map_or(now, |existing| existing.created_at),
            blocked: existing.is_some_and(|existing| existing.blocked),
        };
        if let Some(until) = until {
            violations.check(until >= recurrence.anchor_at, "until", || {
                format!("must not be before the first occurrence, {}", clock::name(recurrence.anchor_at))
            });
        }
        if same_slots.is_none() {
            let field = if recurrence.rule.rrule().is_some() { "rrule" } else { "cron_expression" };
            violations.check(recurrence.next_after(recurrence.anchor_at).is_some(), field, || {
                format!("must match within {} years, this one never does", limits::SEARCH_YEARS)
            });
        }
        if violations.count() > before {
            return None;
        }
        let same_end = same_course.filter(|existing| (existing.until, existing.count) == (until, count));
        recurrence.ends_at = same_end.map_or_else(|| recurrence.end(), |existing| existing.ends_at);
        if existing.is_some_and(|existing| {
            let resumed = existing.paused && !recurrence.paused;
            let extended = existing.ends_at.is_some_and(|end| end <= now) && recurrence.ends_at != existing.ends_at;
            resumed || extended
        }) {
            recurrence.armed_at = now;
        }
        Some(recurrence)
    }
}

fn rule(draft: &RecurrenceDraft, violations: &mut Violations) -> Option<(Rule, End)> {
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    for (field, text, type_) in [
        ("cron_expression", &draft.cron_expression, RecurrenceType::Custom),
        ("rrule", &draft.rrule, RecurrenceType::Rrule),
    ] {
        if draft.recurrence_type == type_ {
            violations.check(given(text), field, || format!("must be given with recurrence_type {type_}"));
        } else {
            violations.check(!given(text), field, || format!("must only be given with recurrence_type {type_}"));
        }
    }
    let read = match draft.recurrence_type {
        RecurrenceType::Daily => Ok((Rule::Daily, End::default())),
        RecurrenceType::Weekly => Ok((Rule::Weekly, End::default())),
        RecurrenceType::Custom => {
            let expression = text::clean(draft.cron_expression.as_deref().filter(|_| given(&draft.cron_expression))?);
            let spaced = |_| Rule::Cron(expression.split_whitespace().collect::<Vec<_>>().join(" "));
            Cron::parse(&expression).map(|cron| (spaced(cron), End::default())).map_err(|it| ("cron_expression", it))
        }
        RecurrenceType::Rrule => {
            let rule = draft.rrule.as_deref().filter(|_| given(&draft.rrule))?;
            Rrule::parse(rule).map(|(rule, end)| (Rule::Rrule(rule.to_string()), end)).map_err(|it| ("rrule", it))
        }
        RecurrenceType::Unspecified => {
            Err(("recurrence_type", "must be one of daily, weekly, custom, rrule".to_owned()))
        }
    };
    match read {
        Ok(rule) => Some(rule),
        Err((field, message)) => {
            violations.push(field, message);
            None
        }
    }
}

/// Refuses what says when a task appears, where it appears when another one is closed.
fn check_anchor(draft: &RecurrenceDraft, violations: &mut Violations) {
    if draft.anchor == Anchor::Schedule {
        return;
    }
    let why = "with anchor completion: the next task appears when the last one is closed";
    violations.check(draft.lead_seconds == 0, "lead_seconds", || format!("must be 0 {why}"));
    violations.check(draft.overlap == Overlap::Keep, "overlap", || format!("must be keep {why}"));
    violations.check(draft.catch_up == CatchUp::Latest, "catch_up", || format!("must be latest {why}"));
}

fn check_numbers(draft: &RecurrenceDraft, count: Option<i64>, violations: &mut Violations) {
    violations.check(count.is_none_or(|count| (1..=limits::COUNT_MAX).contains(&count)), "count", || {
        format!("must be 1 to {}, got {}", limits::COUNT_MAX, count.unwrap_or_default())
    });
    violations.check((0..=limits::LEAD_MAX_SECONDS).contains(&draft.lead_seconds), "lead_seconds", || {
        format!("must be 0 to {}, got {}", limits::LEAD_MAX_SECONDS, draft.lead_seconds)
    });
}
