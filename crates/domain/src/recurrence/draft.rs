//! What a request asks for, and how it becomes a recurrence.

use super::{Anchor, CatchUp, Overlap, Recurrence, RecurrenceType, Rule, cron::Cron};
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
    /// An RFC 5545 rule: refused until it works.
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
            rrule: None,
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
    /// changed. A new rule, a resumption and the extension of an ended series all begin now: what passed is gone.
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
        let until = draft.until.map(|until| clock::check(until, "until", violations));
        check_numbers(draft, violations);
        let rule = rule.filter(|_| violations.count() == before)?;

        let same_rule = existing.filter(|existing| existing.rule == rule);
        let zone: Tz = zone.or(same_rule.map(|existing| existing.zone)).unwrap_or(context.zone);
        let same_slots = same_rule.filter(|existing| existing.zone == zone);
        let now = context.now;
        let mut recurrence = Self {
            id: existing.map_or_else(|| context.ids.new_id(now), |existing| existing.id),
            rule,
            zone,
            anchor_at: same_slots.map_or(due.unwrap_or(now), |existing| existing.anchor_at),
            armed_at: same_slots.map_or(now, |existing| existing.armed_at),
            until,
            count: draft.count,
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
            violations.check(recurrence.next_after(recurrence.anchor_at).is_some(), "cron_expression", || {
                format!("must match within {} years, this one never does", limits::SEARCH_YEARS)
            });
        }
        if violations.count() > before {
            return None;
        }
        recurrence.ends_at = recurrence.end();
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

fn rule(draft: &RecurrenceDraft, violations: &mut Violations) -> Option<Rule> {
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if given(&draft.rrule) || draft.recurrence_type == RecurrenceType::Rrule {
        violations.push("rrule", "is not supported yet");
        return None;
    }
    if draft.recurrence_type != RecurrenceType::Custom {
        violations.check(
            !given(&draft.cron_expression),
            "cron_expression",
            || "must only be given with recurrence_type custom",
        );
    }
    match draft.recurrence_type {
        RecurrenceType::Daily => Some(Rule::Daily),
        RecurrenceType::Weekly => Some(Rule::Weekly),
        RecurrenceType::Custom => {
            let expression = text::clean(draft.cron_expression.as_deref().unwrap_or_default());
            if expression.is_empty() {
                violations.push("cron_expression", "must be given with recurrence_type custom");
                return None;
            }
            match Cron::parse(&expression) {
                Ok(_) => Some(Rule::Cron(expression.split_whitespace().collect::<Vec<_>>().join(" "))),
                Err(message) => {
                    violations.push("cron_expression", message);
                    None
                }
            }
        }
        RecurrenceType::Unspecified | RecurrenceType::Rrule => {
            violations.push("recurrence_type", "must be one of daily, weekly, custom");
            None
        }
    }
}

fn check_numbers(draft: &RecurrenceDraft, violations: &mut Violations) {
    violations.check(draft.anchor == Anchor::Schedule, "anchor", || "completion is not supported yet");
    violations.check(draft.count.is_none_or(|count| (1..=limits::COUNT_MAX).contains(&count)), "count", || {
        format!("must be 1 to {}, got {}", limits::COUNT_MAX, draft.count.unwrap_or_default())
    });
    violations.check((0..=limits::LEAD_MAX_SECONDS).contains(&draft.lead_seconds), "lead_seconds", || {
        format!("must be 0 to {}, got {}", limits::LEAD_MAX_SECONDS, draft.lead_seconds)
    });
}
