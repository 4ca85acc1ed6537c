//! Requests for new tasks, and texts that are built as tasks.

use todo_domain::task::ReminderDraft;

use super::{
    Evidence, Question, Request, Task,
    filter::level,
    line::Line,
    words::{is_task, is_tasks, is_verb},
};
use crate::{Context, parse_phrase, parse_task};

impl Task {
    /// Reads a text as a task; nothing if no title is left of it.
    pub(super) fn read(text: &str, context: &Context) -> Option<Self> {
        let text = text.trim().trim_start_matches([':', '-', '–', ',', '>']).trim();
        let mut reading = parse_task(text, context);
        let title = &reading.draft.title;
        let quoted = [('"', '"'), ('“', '”'), ('\'', '\''), ('‘', '’'), ('`', '`')]
            .iter()
            .find_map(|(open, close)| title.strip_prefix(*open)?.strip_suffix(*close));
        if let Some(inside) = quoted.map(str::trim).filter(|inside| !inside.is_empty()) {
            reading.draft.title = inside.into();
        }
        // "the rent is due friday".
        if reading.draft.due.is_some()
            && let Some(subject) = [" is", " are"].iter().find_map(|verb| reading.draft.title.strip_suffix(verb))
        {
            reading.draft.title = subject.into();
        }
        (reading.has_title && !reading.draft.title.trim().is_empty()).then(|| Self { text: text.to_owned(), reading })
    }

    fn request(text: &str, context: &Context) -> Request {
        match Self::read(text, context) {
            Some(task) => Request::Create(Box::new(task)),
            None => Request::Unclear(Question::WhichTitle),
        }
    }
}

/// The requests of a line that asks for new tasks; several where it clearly lists several.
pub(super) fn create(line: &Line<'_>) -> Option<Vec<(Request, Evidence)>> {
    remind(line).or_else(|| add(line)).or_else(|| lead(line))
}

fn one(line: &Line<'_>, text: &str) -> Vec<(Request, Evidence)> {
    vec![(Task::request(text, line.context), Evidence::Lead)]
}

/// "remind me to call mom tomorrow", "every friday remind me to review", "set a reminder for the dentist".
fn remind(line: &Line<'_>) -> Option<Vec<(Request, Evidence)>> {
    const SETS: &str = "set up|set me|set|add|create|make|give me|i need|i want|put in|send me|schedule";
    let start = line.start;
    if matches!(line.word(start), "remind" | "nudge" | "ping") && matches!(line.word(start + 1), "me" | "us") {
        // The grammar of tasks knows "remind me", not "remnd me".
        let me = line.rest(start + 1);
        return Some(one(line, &format!("remind {me}")));
    }
    let set = line.skip(start, SETS);
    let article = line.skip(set, "a new|a|an|another|the|one");
    let urgent =
        matches!(line.word(article), "urgent" | "important" | "daily" | "weekly" | "monthly" | "recurring" | "quick");
    let noun = if urgent { article + 1 } else { article };
    if matches!(line.word(noun), "reminder" | "alarm" | "alert") && (set > start || line.sign(noun + 1) == Some(':')) {
        let next = line.skip(noun + 1, "for me to|to|about|for|that|of");
        // "set a reminder for 5pm to call mom".
        let rest = line.rest(next.min(line.end));
        let adjective = if urgent && line.word(article) != "quick" && line.word(article) != "recurring" {
            line.word(article)
        } else {
            ""
        };
        let text = if adjective.is_empty() { rest.to_owned() } else { format!("{rest} {adjective}") };
        let Some(mut task) = Task::read(&text, line.context).filter(|_| next < line.end) else {
            return Some(vec![(Request::Unclear(Question::WhichTitle), Evidence::Lead)]);
        };
        let draft = &mut task.reading.draft;
        if draft.due.is_some() && draft.reminders.is_empty() {
            draft.reminders.push(ReminderDraft { before_due_seconds: Some(0), ..ReminderDraft::default() });
        }
        if let Some(title) = draft.title.strip_prefix("to ").filter(|title| !title.is_empty()) {
            draft.title = title.to_owned();
        }
        return Some(vec![(Request::Create(Box::new(task)), Evidence::Lead)]);
    }
    // "every friday remind me to review".
    let reminds = |i: &usize| line.at(*i, "remind me to") || line.at(*i, "remind me about");
    let at = (start + 1..line.end.min(start + 12)).find(reminds)?;
    parse_phrase(line.text_of(start, at).trim_end_matches(','), line.context)?;
    Some(one(line, &format!("{} {}", line.rest(at), line.text_of(start, at).trim_end_matches(','))))
}

/// "add milk", "create a high priority task to call Bob", "put workout on my list", "add tasks: a, b and c".
fn add(line: &Line<'_>) -> Option<Vec<(Request, Evidence)>> {
    const FREE: &str = "add in|add|create|jot down|note down|write down|put down";
    const NOUNED: &str = "make|put|enter|insert|log|record|track|note|save|include|set up|set";
    let start = line.start;
    let free = line.after_any(start, FREE);
    let next = line.skip_signs(free.or_else(|| line.after_any(start, NOUNED))?);
    let colon = next > start + 1 && line.sign(next - 1) == Some(':');
    if let Some((noun, adjectives)) = noun_phrase(line, next) {
        return Some(named(line, noun, &adjectives));
    }
    // "add to my list: milk".
    if let Some((after, tag)) = list_phrase(line, next) {
        let text = line.rest(line.skip_signs(after).min(line.end));
        return Some(several_or_one(line, if line.is_end(after) { "" } else { text }, tag.as_deref(), false));
    }
    let mut places = (next..line.end.min(next + 40)).filter_map(|i| Some((i, list_phrase(line, i)?)));
    if let Some((i, (after, tag))) = places.next_back() {
        let before = line.text_of(next, i);
        let after = if line.is_end(after) { "" } else { line.rest(line.skip_signs(after)) };
        return Some(several_or_one(line, format!("{before} {after}").trim(), tag.as_deref(), false));
    }
    free?;
    // "create a new account" is something to do.
    if line.word(start) == "create" && !colon {
        return None;
    }
    let list =
        line.after_any(next, "the following|these|all of these|all these").filter(|i| line.sign(*i) == Some(':'));
    let text = line.rest(list.unwrap_or(next).min(line.end));
    Some(several_or_one(line, if line.is_end(next) { "" } else { text }, None, list.is_some()))
}

fn several_or_one(line: &Line<'_>, text: &str, tag: Option<&str>, several: bool) -> Vec<(Request, Evidence)> {
    let texts = if several { items(text) } else { vec![text] };
    let read = |text: &str| {
        let mut request = Task::request(text, line.context);
        if let (Request::Create(task), Some(tag)) = (&mut request, &tag) {
            task.reading.draft.tags.push((*tag).to_owned());
        }
        (request, Evidence::Lead)
    };
    texts.into_iter().map(read).collect()
}

/// What follows "a task", "tasks:", "a high priority task to".
fn named(line: &Line<'_>, noun: usize, adjectives: &str) -> Vec<(Request, Evidence)> {
    const LINKS: &str = "for me to|that says|which says|with the title|with title|to my list to|to my list|to the list|to my todo list|\
        called|named|titled|saying|about|to|for|of|where i";
    let counted = noun.checked_sub(1).is_some_and(|before| {
        matches!(line.word(before), "two" | "three" | "four" | "five" | "six" | "these" | "following")
            || line.number(before).is_some()
    });
    let several = is_tasks(line.word(noun)) || counted;
    let next = line.skip_signs(line.skip(line.skip_signs(noun + 1), LINKS));
    let rest = if line.is_end(next) { "" } else { line.rest(next) };
    let texts = if several { items(rest) } else { vec![rest] };
    let read = |text: &str| (Task::request(&format!("{text} {adjectives}"), line.context), Evidence::Lead);
    let read_one = |text: &str| {
        if text.is_empty() { (Request::Unclear(Question::WhichTitle), Evidence::Lead) } else { read(text) }
    };
    texts.into_iter().map(read_one).collect()
}

/// "a new task", "an urgent #work task", "three tasks": the place of the noun, and what is said of the task.
fn noun_phrase(line: &Line<'_>, from: usize) -> Option<(usize, String)> {
    let noun = (from..line.end.min(from + 7)).find(|i| {
        matches!(
            line.word(*i),
            "task"
                | "tasks"
                | "todo"
                | "todos"
                | "item"
                | "items"
                | "entry"
                | "reminders"
                | "note"
                | "chore"
                | "errand"
        )
    })?;
    // "add item 5 to the bill", "note" as a verb.
    let mut said = Vec::new();
    let mut i = from;
    while i < noun {
        let word = line.word(i);
        let plain = matches!(
            word,
            "a" | "an"
                | "the"
                | "another"
                | "one"
                | "more"
                | "new"
                | "me"
                | "some"
                | "these"
                | "following"
                | "two"
                | "three"
                | "four"
                | "five"
                | "six"
                | "quick"
                | "recurring"
                | "repeating"
                | "my"
                | "down"
                | "simple"
                | "just"
        ) || line.number(i).is_some();
        if plain {
            i += 1;
        } else if level(word).is_some() {
            let next = if line.sign(i + 1) == Some('-') { i + 2 } else { i + 1 };
            let next = if matches!(line.word(next), "priority" | "prio") { next + 1 } else { next };
            said.push(format!("{word} priority"));
            i = next;
        } else if line.sign(i) == Some('#') {
            said.push(format!("#{}", line.word(i + 1)));
            i += 2;
        } else if matches!(word, "daily" | "weekly" | "monthly" | "yearly") {
            said.push(word.to_owned());
            i += 1;
        } else if matches!(
            word,
            "work" | "home" | "personal" | "school" | "family" | "health" | "shopping" | "office" | "private"
        ) {
            said.push(format!("#{word}"));
            i += 1;
        } else {
            return None;
        }
    }
    Some((noun, said.join(" ")))
}

/// "to my list", "on the grocery list": the token after it, and the list's name.
fn list_phrase(line: &Line<'_>, i: usize) -> Option<(usize, Option<String>)> {
    let start = line.skip(i, "on to|onto|into|to|on|in");
    if start == i {
        return None;
    }
    let owned = line.skip(start, "my|the|our|a");
    if let Some(next) = line.after_any(owned, "todo list|task list|tasks list|list of tasks|list|todos|tasks|reminders")
    {
        return (owned > start || line.word(owned) == "list").then_some((next, None));
    }
    if let Some(next) = line.after_any(owned, "agenda|calendar|schedule|plate") {
        return (owned > start && line.word(start) == "my").then_some((next, None));
    }
    let named = owned > start && line.word(owned + 1) == "list" && !line.word(owned).is_empty();
    named.then(|| (owned + 2, Some(line.word(owned).to_owned())))
}

/// The items of a list: by lines, numbers, semicolons or commas, the last one after "and".
pub(super) fn items(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let parts: Vec<&str> = if lines.len() > 1 {
        lines
    } else if text.contains(';') {
        text.split(';').collect()
    } else {
        let numbered = numbered(text);
        if numbered.len() > 1 { numbered } else { text.split(',').collect() }
    };
    let many = parts.len();
    let mut items = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let part = bullet(part.trim()).trim_end_matches([',', ';']).trim();
        let part = part.strip_prefix("and ").unwrap_or(part).trim();
        match part.rsplit_once(" and ").filter(|_| index + 1 == many && !text.contains(['\n', ';'])) {
            Some((before, last)) if !part.is_empty() => items.extend([before.trim(), last.trim()]),
            _ => items.push(part),
        }
    }
    items.retain(|item| item.chars().any(char::is_alphanumeric));
    if items.is_empty() { vec![""] } else { items }
}

/// "1. milk 2. eggs" in parts; the whole text if it is none.
pub(super) fn numbered(text: &str) -> Vec<&str> {
    let starts = text.match_indices(' ').map(|(at, _)| at + 1);
    let mut parts = Vec::new();
    let (mut from, mut expected) = (0, 1);
    for at in std::iter::once(0).chain(starts) {
        let after = text[at..].strip_prefix(&expected.to_string()).and_then(|rest| rest.strip_prefix(['.', ')']));
        if after.is_some_and(|after| after.starts_with(' ')) {
            if expected > 1 {
                parts.push(&text[from..at]);
            } else if at > 0 {
                // Numbers that are not the beginning are part of a text.
                break;
            }
            (from, expected) = (at, expected + 1);
        } else if at == 0 {
            break;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Without the bullet or number before it.
pub(super) fn bullet(line: &str) -> &str {
    let line = line.trim_start();
    for mark in ["- [ ]", "* [ ]", "[ ]", "-", "*", "•", "–", "·", "☐"] {
        if let Some(rest) = line.strip_prefix(mark).filter(|rest| rest.starts_with(char::is_whitespace)) {
            return rest.trim_start();
        }
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    match line.get(digits..).and_then(|rest| rest.strip_prefix(['.', ')'])) {
        Some(rest) if (1..=2).contains(&digits) && rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => line,
    }
}

/// "I need to", "don't forget to", "todo:": a task follows.
fn lead(line: &Line<'_>) -> Option<Vec<(Request, Evidence)>> {
    const LEADS: &str = "don't forget that i need to|don't forget that|don't forget about|don't forget to|don't forget|\
        don't let me forget about|don't let me forget to|don't let me forget|do not forget to|remember that i need to|\
        remember that i have to|remember to|make sure that i|make sure i|make sure to|be sure to|note to self to";
    const NAMES: &str = "note to self|new task|new todo|new reminder|new item|another task|one more task|a task|todo|task|reminder|\
        memo|tasks|todos";
    if let Some(next) = line.after_any(line.start, LEADS) {
        return Some(one(line, if line.is_end(next) { "" } else { line.rest(next) }));
    }
    let next = line.after_any(line.start, NAMES)?;
    let signed = line.skip_signs(next);
    let spoken = line.word(line.start) == "new" || line.word(line.start) == "another" || line.word(line.start) == "one";
    let linked = line.skip(signed, "to|called|named|for");
    if signed > next
        || spoken
        || matches!(line.word(line.start), "todo" | "task") && is_verb(line.word(next))
        || line.at(line.start, "a task to")
    {
        let rest = if line.is_end(linked) { "" } else { line.rest(linked) };
        let several = is_tasks(line.word(next - 1)) && signed > next;
        let texts = if several { items(rest) } else { vec![rest] };
        return Some(texts.into_iter().flat_map(|text| one(line, text)).collect());
    }
    None
}

/// A text without words of a request that is built as a task: it has a date or a mark, or begins with a verb.
pub(super) fn shaped(line: &Line<'_>) -> Option<Request> {
    let task = Task::read(line.whole(), line.context)?;
    let first = line.word(line.start);
    let told = line.has("was|were|been|isn't|wasn't");
    let dated = !task.reading.spans.is_empty() || !task.reading.refused.is_empty();
    let marked = dated && !told;
    let verb = is_verb(first) && line.end > line.start + 1;
    let pronoun = matches!(
        first,
        "i" | "i'm" | "you" | "he" | "she" | "it" | "it's" | "we" | "they" | "that" | "that's" | "there"
    );
    // "read" alone is no task, "dentist friday" is one.
    ((marked && !pronoun && !is_task(first)) || verb || line.wish).then(|| Request::Create(Box::new(task)))
}
