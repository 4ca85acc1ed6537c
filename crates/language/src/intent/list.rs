//! Requests to see tasks, and questions about them.

use todo_domain::{query::SortKey, task::Status};

use super::{
    Evidence, Request,
    filter::{Filter, filter, is_stop},
    line::Line,
    query::{Ask, Order, Query},
    reference::{is_explicit, references},
    words::{is_past, is_tasks, is_verb},
};

type Read = Option<(Request, Evidence)>;

/// A request to see tasks.
pub(super) fn list(line: &Line<'_>) -> Read {
    count(line)
        .or_else(|| next(line))
        .or_else(|| search(line))
        .or_else(|| show(line))
        .or_else(|| question(line))
        .or_else(|| named(line))
}

fn listed(query: Query, evidence: Evidence) -> (Request, Evidence) {
    (Request::List(Box::new(query)), evidence)
}

/// "how many are overdue", "count my tasks".
fn count(line: &Line<'_>) -> Read {
    const LEADS: &str = "how many|how much|count|what's the number of|what is the number of|number of|tell me how many|\
        show me how many|what number of";
    let next = line.after_any(line.start, LEADS)?;
    let mut filter = filter(line, next, line.end);
    filter.query.ask = Ask::Count;
    let owned = filter.noun || filter.said > 0;
    if filter.left.is_empty() && owned {
        return Some(listed(filter.query, Evidence::Phrase));
    }
    if filter.noun && line.word(line.start) != "count" && searched(line, &mut filter) {
        return Some(listed(filter.query, Evidence::Lead));
    }
    None
}

/// "what's next", "what should I do first".
fn next(line: &Line<'_>) -> Read {
    const NEXT: &str = "what's next|what is next|next|what now|what's up next|what comes next|what should i do next|\
        what should i do first|what should i do now|what should i do|what should i start with|what should i work on|\
        what should i work on next|what should i focus on|what do i do next|what do i do now|what do i do first|\
        what's my next task|what is my next task|what's the next task|what to do next|which task is next";
    if !line.is_any(NEXT) {
        return None;
    }
    let query = Query {
        statuses: vec![Status::Pending, Status::InProgress],
        order: Some(Order { key: SortKey::DueDate, descending: false }),
        limit: Some(1),
        ..Query::default()
    };
    Some(listed(query, Evidence::Phrase))
}

/// "search for dentist", "find tasks about taxes".
fn search(line: &Line<'_>) -> Read {
    let start = line.start;
    let next = line.after_any(start, "search for|search|look up|look for|find me|find")?;
    let mut found = filter(line, next, line.end);
    if found.noun && (found.left.is_empty() || searched(line, &mut found)) {
        return Some(listed(found.query, Evidence::Lead));
    }
    if line.word(start) != "search" || line.is_end(next) {
        return None;
    }
    let text = line.text_of(next, line.end).trim_matches(['"', '“', '”', '\'']).to_owned();
    let open = vec![Status::Pending, Status::InProgress];
    Some(listed(Query { statuses: open, search: Some(text), ..Query::default() }, Evidence::Either))
}

/// "show my tasks", "show #2", "tell me more about the rent one".
fn show(line: &Line<'_>) -> Read {
    const STRONG: &str = "show me|show us|show|list out|list|display|view|see|give me|tell me|pull up|bring up|go over|go through|\
        remind me of|let's see|run through";
    const WEAK: &str = "read me|read out|read|get me|get|open up|open|check|look at|print|fetch|review|access|present";
    let start = line.start;
    if let Some(next) = details(line) {
        let found = references(line, next, line.end);
        let explicit = is_explicit(line, next, line.end);
        // "details" alone is about what was spoken of.
        let found = if line.is_end(next) { vec![super::Reference::It] } else { found };
        let evidence = if explicit { Evidence::Phrase } else { Evidence::Lead };
        return (!found.is_empty()).then_some((Request::Show(found), evidence));
    }
    let strong = line.after_any(start, STRONG);
    let next = strong.or_else(|| line.after_any(start, WEAK)).filter(|_| !line.at(start, "get rid"))?;
    if line.is_end(next) {
        let alone = strong.is_some() && matches!(line.word(start), "show" | "list" | "display");
        return alone.then(|| listed(filter(line, next, next).query, Evidence::Lead));
    }
    let asked = line.after_any(next, "what|what's|which|how many|if|when|all about").is_some();
    let mut found = filter(line, next, line.end);
    let whole = found.left.is_empty() && (found.noun || found.said > 0);
    let explicit = is_explicit(line, next, line.end) && !found.all && !plural(line, next);
    if explicit && (strong.is_some() || line.word(start) == "open" || line.word(start) == "get") && !asked {
        let references = references(line, next, line.end);
        if !references.is_empty() && found.query.limit.is_none() {
            return Some((Request::Show(references), Evidence::Phrase));
        }
    }
    if whole && (strong.is_some() || found.noun) {
        return Some(listed(found.query, if found.noun { Evidence::Phrase } else { Evidence::Lead }));
    }
    if asked {
        return None;
    }
    // "read my work tasks".
    if found.noun && found.left.len() <= 2 && before_noun(line, &found) && searched(line, &mut found) {
        return Some(listed(found.query, Evidence::Lead));
    }
    let named = matches!(line.word(start), "show" | "display" | "view") && found.left.len() <= 6;
    if named {
        let references = references(line, next, line.end);
        return (!references.is_empty()).then_some((Request::Show(references), Evidence::Either));
    }
    None
}

fn plural(line: &Line<'_>, from: usize) -> bool {
    (from..line.end).any(|i| is_tasks(line.word(i)))
}

/// "details of", "tell me more about", "what about": the token where the task is named.
fn details(line: &Line<'_>) -> Option<usize> {
    const LEADS: &str = "show me the details of|show me details of|show the details of|show details of|show details for|\
        show me the details for|give me details on|give me the details of|details of|details for|details about|\
        details on|details|tell me more about|tell me more|tell me everything about|more about|more on|describe|\
        info on|show me more about|what's the status of";
    let next = line.after_any(line.start, LEADS)?;
    (!plural(line, next)).then_some(next)
}

/// Whether what is left stands right before a noun for tasks: "work tasks".
fn before_noun(line: &Line<'_>, filter: &Filter) -> bool {
    let Some(last) = filter.left.last() else { return true };
    is_tasks(line.word(last + 1)) && filter.left.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

/// Takes what is left as the text to search for, if it is a few words side by side.
fn searched(line: &Line<'_>, filter: &mut Filter) -> bool {
    let (Some(first), Some(last)) = (filter.left.first(), filter.left.last()) else { return true };
    if filter.query.search.is_some() || last - first > 3 {
        return false;
    }
    filter.query.search = Some(line.text_of(*first, last + 1).trim_matches(['"', '“', '”']).to_owned());
    true
}

/// "what's due this week", "do I have anything overdue", "when is the rent due", "did I pay the rent".
fn question(line: &Line<'_>) -> Read {
    let start = line.start;
    let first = line.word(start);
    if !super::talk::is_question(line) && !matches!(first, "any" | "anything") && !line.at(start, "tell me") {
        return None;
    }
    let start = line.skip(start, "tell me");
    let first = line.word(start);
    // "what's #2", "what about the rent one".
    if let Some(next) = line.after_any(start, "what about|what's in|what's|what is|how about") {
        let list = filter(line, next, line.end);
        if is_explicit(line, next, line.end)
            && line.number(next).is_none()
            && !plural(line, next)
            && list.query.limit.is_none()
            && list.query.order.is_none()
        {
            let found = references(line, next, line.end);
            return (!found.is_empty()).then_some((Request::Show(found), Evidence::Lead));
        }
    }
    if matches!(first, "when" | "when's") {
        let next = line.skip(start + 1, "is|was|are|do i have to|do i need to|should i|am i supposed to|must i");
        return about_one(line, next, line.end, &["due", "happening", "scheduled", "again"]);
    }
    // "is it done".
    if matches!(first, "is" | "are" | "was")
        && line.after_any(start + 1, "it|this|that").is_some_and(|next| state(line, next))
    {
        return Some((Request::Show(vec![super::Reference::It]), Evidence::Phrase));
    }
    let mut found = filter(line, start, line.end);
    let mine = line.position(|word| matches!(word, "i" | "my" | "we" | "our" | "me")).is_some();
    let whole = found.left.is_empty()
        && (found.noun || found.said > 0 || line.has("due") || mine && line.has("do|today|plate"));
    let doing = line.has("need|do|have") && line.has("do|done") && mine && found.left.is_empty();
    if whole || doing && matches!(first, "what" | "what's" | "which") {
        let sure = found.noun || mine || line.has("due|overdue|left");
        return Some(listed(found.query, if sure { Evidence::Phrase } else { Evidence::Lead }));
    }
    let which = matches!(first, "what" | "which" | "do" | "any" | "are" | "have" | "is");
    if which && found.noun && before_noun(line, &found) && found.left.len() <= 2 && searched(line, &mut found) {
        return Some(listed(found.query, Evidence::Lead));
    }
    // "did I pay the rent", "is the rent paid", "is the report done yet".
    if let Some(next) = line.after_any(start, "did i already|did i|have i already|have i|did we|have we") {
        return about_one(line, next, line.end, &["yet", "already"]);
    }
    if matches!(first, "is" | "are" | "was" | "were") {
        let end = line.end - usize::from(matches!(line.word(line.end - 1), "yet" | "already"));
        let last = line.word(end - 1);
        if end > start + 2 && (matches!(last, "done" | "finished" | "completed" | "due" | "overdue") || is_past(last)) {
            return about_one(line, start + 1, end - 1, &[]);
        }
    }
    None
}

/// Whether nothing but a state follows.
fn state(line: &Line<'_>, i: usize) -> bool {
    let end = line.skip(line.skip(i, "done|finished|completed|complete|due|overdue"), "yet|already|now");
    end > i && line.is_end(end)
}

/// A question about one task.
fn about_one(line: &Line<'_>, from: usize, to: usize, tails: &[&str]) -> Read {
    let due = to > from && line.word(to - 1) == "due";
    let to = if to > from && tails.contains(&line.word(to - 1)) { to - 1 } else { to };
    let short = to > from && to - from <= 8;
    let found = if short { references(line, from, to) } else { Vec::new() };
    let sure = due || is_explicit(line, from, to);
    (!found.is_empty()).then_some((Request::Show(found), if sure { Evidence::Lead } else { Evidence::Either }))
}

/// "overdue tasks", "tasks for today", "my list", "due this week": a filter and nothing else.
fn named(line: &Line<'_>) -> Read {
    let first = line.word(line.start);
    let pair = line.end == line.start + 2;
    if line.end > line.start + 12
        || is_verb(first) && !matches!(first, "schedule" | "list") && !(pair && is_tasks(line.word(line.start + 1)))
    {
        return None;
    }
    let scheduled = first == "schedule"
        && line.end > line.start + 1
        && !matches!(line.word(line.start + 1), "for" | "today" | "tomorrow" | "this" | "next");
    if scheduled {
        return None;
    }
    // "todo: buy milk" is a task.
    if (line.start..line.end).any(|i| matches!(line.sign(i), Some(':' | '/'))) {
        return None;
    }
    let mut found = filter(line, line.start, line.end);
    let opens =
        matches!(first, "due" | "overdue" | "late" | "urgent" | "pending" | "unfinished" | "outstanding" | "today's");
    let noun = found.noun
        && (line.start..line.end)
            .any(|i| is_tasks(line.word(i)) || line.word(i) == "todo" || line.word(i) == "task" && found.said > 0);
    let everything = line.is_any("all|everything");
    if found.left.is_empty() && (noun || opens || everything) {
        return Some(listed(found.query, Evidence::Lead));
    }
    // "work tasks".
    let adjective = found.left.len() == 1 && noun && before_noun(line, &found) && !is_stop(first);
    if adjective && is_tasks(line.word(line.end - 1)) && searched(line, &mut found) {
        return Some(listed(found.query, Evidence::Either));
    }
    None
}
