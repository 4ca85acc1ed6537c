//! What is not about time: "!high", "p1", "urgent", "#home", "// a description".

use todo_domain::task::Priority;

use crate::{
    scan::{Parsed, Scan},
    token::Kind,
};

impl Scan<'_> {
    /// A priority: by sign ("!high", "!1", "!!"), by number ("p1") or in words.
    pub(crate) fn priority(&self, i: usize) -> Parsed<Priority> {
        if self.glued(i) && !self.begins(i) {
            return None;
        }
        let (priority, next) =
            self.exclamation(i).or_else(|| self.numbered_priority(i)).or_else(|| self.said_priority(i))?;
        self.ends(next).then_some((priority, next))
    }

    fn exclamation(&self, i: usize) -> Parsed<Priority> {
        if self.sign(i) != Some('!') || self.glued(i) {
            return None;
        }
        if self.glued_sign(i + 1) == Some('!') {
            let next = if self.glued_sign(i + 2) == Some('!') { i + 3 } else { i + 2 };
            return (!self.glued(next)).then_some((Priority::High, next));
        }
        match self.glued_number(i + 1) {
            Some(number) => Some((by_number(number)?, i + 2)),
            None => Some((by_word(self.glued_word(i + 1))?, i + 2)),
        }
    }

    fn numbered_priority(&self, i: usize) -> Parsed<Priority> {
        let number = self.glued_number(i + 1).filter(|_| self.word(i) == "p" && !self.glued(i))?;
        Some((by_number(number)?, i + 2))
    }

    /// "high priority", "priority: low", "urgent", "asap".
    fn said_priority(&self, i: usize) -> Parsed<Priority> {
        let word = self.word(i);
        let glue = if self.glued_sign(i + 1) == Some('-') { i + 2 } else { i + 1 };
        if matches!(self.word(glue), "priority" | "prio" | "importance") {
            let level = by_word(word).filter(|_| word.len() > 1);
            return level.map(|priority| (priority, glue + 1));
        }
        if word == "with" {
            let start = self.skip_word(i + 1, &["a", "an"]);
            if by_word(self.word(start)).is_none() && self.word(start) != "priority" {
                return None;
            }
            return self.said_priority(start).filter(|(_, next)| *next > start + 1);
        }
        if matches!(word, "it's" | "its" | "this") {
            let next = self.skip_word(i + 1, &["is"]);
            let said = matches!(self.word(next), "urgent" | "important" | "very" | "not");
            return said.then(|| self.said_priority(next)).flatten();
        }
        if matches!(word, "priority" | "prio") {
            let next = if matches!(self.sign(i + 1), Some(':' | '=')) { i + 2 } else { self.skip_word(i + 1, &["is"]) };
            let level = match self.number(next) {
                Some(number) => by_number(number),
                None => by_word(self.word(next)).filter(|_| next > i + 1 || self.closes(next + 1)),
            };
            return level.map(|priority| (priority, next + 1));
        }
        let (priority, next) = match word {
            "urgent" | "urgently" | "asap" | "critical" | "important" => (Priority::High, i + 1),
            "very" if matches!(self.word(i + 1), "urgent" | "important") => (Priority::High, i + 2),
            "not" if matches!(self.word(i + 1), "urgent" | "important") => (Priority::Low, i + 2),
            _ => return None,
        };
        // As a word of its own: at the end, before a sign, or first; "urgent care" and "important papers" are names.
        let next = match self.sign(next) {
            Some(':') if self.glued(next) => next + 1,
            _ => next,
        };
        let before = i.checked_sub(1);
        let after_sign =
            before.is_some_and(|before| matches!(self.sign(before), Some(',' | ';' | '(' | '-' | '–' | '.' | '!')));
        let article = before.is_some_and(|before| {
            matches!(self.word(before), "is" | "the" | "are" | "something" | "most" | "more" | "as")
        });
        let apart = self.is_end(next) && !article
            || word == "asap" && self.closes(next)
            || after_sign && self.closes(next)
            || before.is_none() && (next > i + 1 && self.sign(next - 1) == Some(':') || self.sign(next).is_some());
        apart.then_some((priority, next))
    }

    /// "#home", `#"two words"`; "#1" is a number, not a tag.
    pub(crate) fn tag(&self, i: usize) -> Parsed<String> {
        if self.sign(i) != Some('#') || !self.begins(i) || !self.glued(i + 1) {
            return None;
        }
        let first = self.tokens.get(i + 1)?;
        if first.kind == Kind::Opaque {
            let inside = self.text.get(first.start..first.end)?.trim_matches(['"', '“', '”', '`']).trim();
            return (!inside.is_empty()).then(|| (inside.to_owned(), i + 2));
        }
        let mut next = i + 1;
        let mut letters = false;
        while let Some(token) = self.tokens.get(next).filter(|token| token.glued) {
            match token.kind {
                Kind::Word => letters = true,
                Kind::Number => {}
                Kind::Sign('-' | '_' | '/' | '\'') if self.continues_tag(next + 1) => {}
                Kind::Sign(sign) if sign.is_alphanumeric() || !sign.is_ascii() && !sign.is_whitespace() => {
                    letters = true;
                }
                _ => break,
            }
            next += 1;
        }
        let text = self.text.get(first.start..self.tokens.get(next.checked_sub(1)?)?.end)?;
        letters.then(|| (text.to_owned(), next))
    }

    fn continues_tag(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|token| token.glued && matches!(token.kind, Kind::Word | Kind::Number))
    }
}

fn by_number(number: u32) -> Option<Priority> {
    match number {
        1 => Some(Priority::High),
        2 => Some(Priority::Medium),
        3 | 4 => Some(Priority::Low),
        _ => None,
    }
}

fn by_word(word: &str) -> Option<Priority> {
    match word {
        "high" | "h" | "hi" | "urgent" | "important" | "highest" | "top" | "critical" => Some(Priority::High),
        "medium" | "m" | "med" | "normal" | "mid" => Some(Priority::Medium),
        "low" | "l" | "lo" | "lowest" => Some(Priority::Low),
        _ => None,
    }
}
