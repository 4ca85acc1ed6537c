//! Every limit a user can run into, in one place. Lengths are in characters, that is Unicode scalar values.

/// Longest title, after trimming. The shortest is 1.
pub const TITLE_MAX: usize = 200;
/// Longest description.
pub const DESCRIPTION_MAX: usize = 2_000;
/// Most tags of a task, and of a filter.
pub const TAGS_MAX: usize = 10;
/// Longest tag, after trimming. The shortest is 1.
pub const TAG_MAX: usize = 50;
/// Most reminders of a task.
pub const REMINDERS_MAX: usize = 5;
/// Furthest a relative reminder may be before the due date, in seconds: a year of 365 days.
pub const BEFORE_DUE_MAX_SECONDS: i64 = 31_536_000;

/// Longest cron expression.
pub const CRON_MAX: usize = 100;
/// Longest RRULE.
pub const RRULE_MAX: usize = 500;
/// Largest `INTERVAL` of an RRULE. The smallest is 1.
pub const INTERVAL_MAX: i64 = 1_000_000;
/// Largest `count` of a recurrence. The smallest is 1.
pub const COUNT_MAX: i64 = 10_000;
/// Largest `lead_seconds` of a recurrence: a year of 365 days.
pub const LEAD_MAX_SECONDS: i64 = 31_536_000;
/// How far ahead a rule is searched for its next slot, and for its last by `count`, in years.
pub const SEARCH_YEARS: u32 = 50;
/// How many days of its own a step below a day may pass without one of its times before it is taken to have none.
pub const EMPTY_DAYS_MAX: usize = 4_000;
/// Most missed slots that `catch_up: all` makes at once.
pub const CATCH_UP_MAX: usize = 50;
/// A series with this many open instances makes no more until one is closed.
pub const OPEN_INSTANCES_MAX: usize = 50;

/// First year of an instant that a request may carry.
pub const YEAR_MIN: i32 = 1_900;
/// Last year of an instant that a request may carry (RFC 3339 has four digits).
pub const YEAR_MAX: i32 = 9_999;

/// Most tasks of one batch change. The fewest is 1.
pub const BATCH_MAX: usize = 500;

/// Longest search text.
pub const SEARCH_MAX: usize = 200;
/// Largest page. The smallest is 1.
pub const PAGE_MAX: i64 = 1_000;
/// Page size when none is asked for.
pub const PAGE_DEFAULT: i64 = 100;
/// Longest page token that is looked at, in bytes.
pub const PAGE_TOKEN_MAX: usize = 8_192;

/// Longest message of a conversation. The shortest is 1.
pub const MESSAGE_MAX: usize = 32_000;
/// Longest title of a conversation, after trimming. The shortest is 1.
pub const CONVERSATION_TITLE_MAX: usize = 200;
/// How much of its first message is a conversation's title.
pub const CONVERSATION_TITLE_FIRST: usize = 50;

/// Longest e-mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Shortest password.
pub const PASSWORD_MIN: usize = 8;
/// Longest password.
pub const PASSWORD_MAX: usize = 128;
/// Longest display name, after trimming. The shortest is 1.
pub const DISPLAY_NAME_MAX: usize = 100;
/// Most personal access tokens of an account.
pub const ACCESS_TOKENS_MAX: usize = 100;
/// Longest name of one, after trimming. The shortest is 1.
pub const TOKEN_NAME_MAX: usize = 100;
