//! Tasks to be deleted.

use super::{
    Evidence, Question, Request, Target,
    filter::filter,
    line::Line,
    query::Query,
    status::{has_deadline, target},
    words::is_tasks,
};

/// Reads a request to delete.
pub(super) fn delete(line: &Line<'_>) -> Option<(Request, Evidence)> {
    cleared(line).or_else(|| taken_off(line)).or_else(|| needless(line)).or_else(|| deleted(line))
}

/// "clear my list", "empty the list", "delete everything".
fn cleared(line: &Line<'_>) -> Option<(Request, Evidence)> {
    const VERBS: &str = "clear out|clear|empty|wipe out|wipe|purge|delete|remove|erase|get rid of|clean up";
    let next = line.after_any(line.start, VERBS)?;
    let own = matches!(line.word(line.start), "delete" | "remove" | "erase" | "get");
    // "remove this from the list" is about one.
    if line.has("it|this|that|from|off|out") && line.word(line.start) != "clear" {
        return None;
    }
    let found = filter(line, next, line.end);
    let plural = (next..line.end).any(|i| is_tasks(line.word(i)));
    let some = plural || found.all || found.said > 0 && !own && line.end == next + 1;
    if !some || !found.left.is_empty() {
        return None;
    }
    // "delete the first two items" are those; "delete my list" is all of it.
    if found.query.limit.is_some() && found.query.order.is_none() {
        return None;
    }
    let open_only = Query { statuses: super::query::OPEN.to_vec(), ..Query::default() };
    let query = if found.query == open_only { Query::default() } else { found.query };
    Some((Request::Delete(Target::Matching(Box::new(query))), Evidence::Phrase))
}

/// "take milk off my list", "cross it off" is not one.
fn taken_off(line: &Line<'_>) -> Option<(Request, Evidence)> {
    if !matches!(line.word(line.start), "take" | "pull" | "get" | "strike") {
        return None;
    }
    let off = (line.start + 2..line.end).find(|i| matches!(line.word(*i), "off" | "out" | "from"))?;
    let list = line.skip(off + 1, "of|from");
    let owned = line.skip(list, "my|the");
    let next = line.after_any(owned, "todo list|task list|list|tasks|calendar|agenda|schedule|reminders")?;
    if !line.is_end(next) {
        return None;
    }
    let (target, _) = target(line, line.start + 1, off)?;
    Some((Request::Delete(target), Evidence::Phrase))
}

/// "I don't need the dentist anymore".
fn needless(line: &Line<'_>) -> Option<(Request, Evidence)> {
    const LEADS: &str = "i don't need to|i don't have to|i no longer need to|i no longer have to|i don't need|i no longer need|\
        don't need to|don't need|no longer need to|no longer need|i don't want to|i don't want";
    let next = line.after_any(line.start, LEADS)?;
    let last = line.word(line.end - 1);
    let over = line.word(line.start + 1) == "no" || line.word(line.start) == "no" || matches!(last, "anymore" | "more");
    if !over || line.end > line.start + 14 {
        return None;
    }
    let (target, explicit) = target(line, next, line.end)?;
    Some((Request::Delete(target), if explicit { Evidence::Lead } else { Evidence::Either }))
}

/// "delete 2", "cancel the dentist", "forget the milk".
fn deleted(line: &Line<'_>) -> Option<(Request, Evidence)> {
    const OWN: &str = "delete|remove|erase|cancel|get rid of|forget about|forget|scratch|dismiss";
    const NAMED: &str = "discard|trash|scrap|drop|throw out|throw away|kill|clear|take off|take away";
    let start = line.start;
    let own = line.after_any(start, OWN);
    let next = own.or_else(|| line.after_any(start, NAMED))?;
    if line.is_end(next)
        || line.is_any(
            "delete task|delete a task|remove task|remove a task|delete item|remove item|delete an item|cancel task",
        )
    {
        return own.map(|_| (Request::Unclear(Question::WhichTask), Evidence::Lead));
    }
    // "delete the reminder to call mom".
    let named = line.after_any(next, "the reminder|my reminder|reminder|the task|my task|task|the todo");
    let linked =
        named.map(|named| line.skip(named, "about|to|for|called|named|of")).filter(|linked| *linked < line.end);
    let listed = (next..line.end).any(|i| matches!(line.word(i), "list" | "calendar" | "agenda"));
    let (target, explicit) = match linked.filter(|linked| named.is_some_and(|named| *linked > named)) {
        Some(linked) => (target(line, linked, line.end)?.0, true),
        None => target(line, next, line.end)?,
    };
    if (own.is_none() || line.wish || has_deadline(line)) && !explicit {
        return None;
    }
    let sure = explicit || listed;
    let evidence = match line.word(start) {
        _ if sure => Evidence::Phrase,
        "delete" => Evidence::Lead,
        _ => Evidence::Either,
    };
    Some((Request::Delete(target), evidence))
}
