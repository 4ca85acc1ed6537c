//! Filling a database by SQL alone: what would take the system minutes to create.

use std::fmt::Write as _;

use crate::{Result, database::Connection, stage::USER};

/// Kinds of ids, see [`crate::database::id`].
const TASK: u16 = 2;
const REMINDER: u16 = 3;
const DUE_REMINDER: u16 = 4;

/// A word that [`tasks`] puts into as many tasks as it is told. Its letter q is in no other word.
pub(crate) const MARK: &str = "quarterly";
/// A word in ten tasks.
pub(crate) const RARE: &str = "xylophone";

/// Reminders of a task, the most a task may have.
const REMINDERS: i64 = 5;
/// Rows of one statement.
const STEP: i64 = 50_000;

/// How many made-up words there are.
const WORDS: i64 = 1_009;

const TASK_COLUMNS: &str = "id, user_id, title, title_key, description, status, priority, tags, due_at, due_asc, due_desc,
     due_all_day, created_at, updated_at, completed_at, revision, content_revision, source_task_id, request_hash, search";

/// Gives a person `count` tasks with texts of made-up words, the last created just before `now`; `marked` of them hold
/// [`MARK`], ten hold [`RARE`]. `base` keeps the ids of several people apart.
pub(crate) async fn tasks(
    connection: &mut Connection,
    owner: i64,
    base: i64,
    count: i64,
    marked: i64,
    now: i64,
) -> Result<()> {
    words(connection).await?;
    let (user, id, separator) = (
        connection.id(USER, &owner.to_string()),
        connection.id(TASK, &format!("({base} + i)")),
        connection.character(31),
    );
    let word = |factor: i64| format!("(SELECT word FROM words WHERE k = (i * {factor} + {base}) % {WORDS})");
    let (every, rarely) = ((count / marked.max(1)).max(1), (count / 10).max(1));
    for first in (1..=count).step_by(usize::try_from(STEP)?) {
        let last = (first + STEP - 1).min(count);
        let series = connection.series(first, last);
        let sql = format!(
            "INSERT INTO tasks ({TASK_COLUMNS})
             WITH {series}, said(i, title, description) AS (SELECT i,
                 {} || ' ' || {} || ' ' || {} || ' ' || i
                     || CASE WHEN i % {every} = 0 THEN ' {MARK}' ELSE '' END
                     || CASE WHEN i % {rarely} = 0 THEN ' {RARE}' ELSE '' END,
                 {} || ' ' || {} || ' ' || {} || ' ' || {} || ' ' || {} || ' ' || {}
                 FROM n)
             SELECT {id}, {user}, title, title, description, CASE WHEN i % 10 < 7 THEN 1 ELSE 3 END, 1 + i % 3,
                 '[\"work\"]', {now} + i * 60000000, {now} + i * 60000000, {now} + i * 60000000, FALSE,
                 {now} - ({count} - i) * 1000000, {now} - ({count} - i) * 1000000,
                 CASE WHEN i % 10 < 7 THEN NULL ELSE {now} END, i, i, NULL, NULL,
                 title || {separator} || description || {separator} || 'work'
             FROM said",
            word(1),
            word(7),
            word(31),
            word(3),
            word(11),
            word(17),
            word(23),
            word(41),
            word(53),
        );
        connection.execute(&sql).await?;
    }
    connection
        .execute(&format!(
            "INSERT INTO task_tags (user_id, tag_key, task_id, tag)
             SELECT user_id, 'work', id, 'work' FROM tasks WHERE user_id = {user};
             UPDATE owners SET revision = {count}, floor = {count} WHERE user_id = {user}"
        ))
        .await
}

/// A temporary table of words of two and three syllables.
async fn words(connection: &mut Connection) -> Result<()> {
    let syllable = |n: i64| {
        let (consonants, vowels) = ("bdfgklmnprstvz", "aeiou");
        let at = |letters: &str, n: i64| {
            letters.chars().nth(usize::try_from(n).unwrap_or_default() % letters.len()).unwrap_or_default()
        };
        format!("{}{}", at(consonants, n), at(vowels, n / 14))
    };
    let words: Vec<_> = (0..WORDS)
        .map(|k| {
            let third = if k % 2 == 0 { syllable(k * 13 % 70) } else { String::new() };
            format!("({k}, '{}{}{third}')", syllable(k % 70), syllable(k / 70 * 5 % 70))
        })
        .collect();
    connection
        .execute(&format!(
            "CREATE TEMP TABLE IF NOT EXISTS words (k INTEGER PRIMARY KEY, word TEXT NOT NULL);
             DELETE FROM words; INSERT INTO words VALUES {}",
            words.join(", ")
        ))
        .await
}

/// Adds tasks of `people` with five pending reminders each, so that there are `to` reminders where there were `from`;
/// they ring within 30 days, the first of them an hour from `now`.
pub(crate) async fn pending(connection: &mut Connection, from: i64, to: i64, people: i64, now: i64) -> Result<()> {
    let hour = 3_600_000_000_i64;
    let user = connection.id(USER, &format!("(i % {people})"));
    let task = connection.id(TASK, "i");
    let (from, to) = (from / REMINDERS, to / REMINDERS);
    for first in (from..to).step_by(usize::try_from(STEP)?) {
        let last = (first + STEP).min(to) - 1;
        let series = connection.series(first, last);
        let mut sql = format!(
            "INSERT INTO tasks ({TASK_COLUMNS})
             WITH {series} SELECT {task}, {user}, 'Call number ' || i, 'call number ' || i, '', 1, 2, '[]', NULL,
                 9223372036854775807, -9223372036854775807 - 1, FALSE, {now} + i, {now} + i, NULL, 1, 1, NULL, NULL,
                 'call number ' || i
             FROM n;"
        );
        for position in 0..REMINDERS {
            let reminder = connection.id(REMINDER, &format!("(i * {REMINDERS} + {position})"));
            let _ = write!(
                sql,
                "INSERT INTO reminders (id, task_id, user_id, position, trigger_at, before_due, state, created_at,
                     notification_id)
                 WITH {series} SELECT {reminder}, {task}, {user}, {position},
                     {now} + {hour} + (i * {REMINDERS} + {position}) * 7919000 % (30 * 24 * {hour}), NULL, 1, {now}, NULL
                 FROM n;"
            );
        }
        connection.execute(&sql).await?;
    }
    Ok(())
}

/// Adds `count` reminders due at `at` and evenly over the time after it, to the first `tasks` tasks in turn.
pub(crate) async fn due(
    connection: &mut Connection,
    round: i64,
    (count, tasks): (i64, i64),
    people: i64,
    (at, over): (i64, i64),
) -> Result<()> {
    let user = connection.id(USER, &format!("(i % {tasks} % {people})"));
    let (task, series) = (connection.id(TASK, &format!("(i % {tasks})")), connection.series(0, count - 1));
    let reminder = connection.id(DUE_REMINDER, &format!("({round} * 1000000 + i)"));
    connection
        .execute(&format!(
            "INSERT INTO reminders (id, task_id, user_id, position, trigger_at, before_due, state, created_at,
                 notification_id)
             WITH {series} SELECT {reminder}, {task}, {user}, {REMINDERS} + {round}, {at} + i * {over} / {count}, NULL, 1,
                 {at}, NULL
             FROM n"
        ))
        .await
}

/// Takes the reminders of [`due`] back that did not ring.
pub(crate) async fn not_due(connection: &mut Connection, round: i64) -> Result<()> {
    connection.execute(&format!("DELETE FROM reminders WHERE position = {REMINDERS} + {round} AND state = 1")).await
}
