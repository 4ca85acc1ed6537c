//! Words, numbers and signs, each with its place in the text.

use std::borrow::Cow;

/// What a token is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, with apostrophes between them.
    Word,
    /// ASCII digits.
    Number,
    /// Any other character.
    Sign(char),
    /// What is never read: quoted text, code, addresses of pages and people.
    Opaque,
}

/// A piece of the text, `start..end` in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// Folded: lower case, one kind of apostrophe. The text as it is for what is no word.
    pub(crate) folded: Cow<'a, str>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether it follows the token before without white space.
    pub(crate) glued: bool,
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    Cutter { text, closing: [true; 3], tokens: Vec::new() }.cut()
}

const QUOTES: [(char, char); 3] = [('"', '"'), ('“', '”'), ('`', '`')];

struct Cutter<'a> {
    text: &'a str,
    /// Whether a closing quote of each kind may still come: what was sought in vain once is not sought again.
    closing: [bool; 3],
    tokens: Vec<Token<'a>>,
}

impl<'a> Cutter<'a> {
    fn cut(mut self) -> Vec<Token<'a>> {
        let mut at = 0;
        let mut glued = false;
        while let Some(first) = self.text[at..].chars().next() {
            if first.is_whitespace() {
                at += first.len_utf8();
                glued = false;
                continue;
            }
            let (kind, length) = self.next(at, first, glued);
            self.push(kind, at, at + length, glued);
            at += length;
            glued = true;
        }
        self.tokens
    }

    fn next(&mut self, at: usize, first: char, glued: bool) -> (Kind, usize) {
        let rest = &self.text[at..];
        if let Some(length) = self.quoted(rest, first) {
            return (Kind::Opaque, length);
        }
        if !glued {
            let chunk = rest.split(char::is_whitespace).next().unwrap_or(rest);
            if is_address(chunk) {
                return (Kind::Opaque, chunk.len());
            }
        }
        if first.is_ascii_digit() {
            (Kind::Number, rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()))
        } else if first.is_alphabetic() {
            (Kind::Word, word_length(rest))
        } else {
            (Kind::Sign(first), first.len_utf8())
        }
    }

    fn quoted(&mut self, rest: &str, first: char) -> Option<usize> {
        let kind = QUOTES.iter().position(|(open, _)| *open == first)?;
        let inside = first.len_utf8();
        if !self.closing[kind] {
            return None;
        }
        let close = QUOTES[kind].1;
        let found = rest[inside..].find(close);
        self.closing[kind] = found.is_some();
        found.map(|length| inside + length + close.len_utf8())
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize, glued: bool) {
        let text = &self.text[start..end];
        // "2moro" is one word.
        if kind == Kind::Word
            && glued
            && matches!(text, "moro" | "morow" | "morrow" | "mrw" | "mro")
            && let Some(last) = self.tokens.last_mut().filter(|last| last.kind == Kind::Number && last.folded == "2")
        {
            last.kind = Kind::Word;
            last.folded = Cow::Borrowed("tomorrow");
            last.end = end;
            return;
        }
        let folded = match kind {
            Kind::Word => fold(text),
            _ => Cow::Borrowed(text),
        };
        self.tokens.push(Token { kind, folded, start, end, glued });
    }
}

fn word_length(rest: &str) -> usize {
    let mut letters = rest.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let apostrophe = matches!(letter, '\'' | '’') && letters.peek().is_some_and(|(_, next)| next.is_alphabetic());
        if !letter.is_alphabetic() && !apostrophe {
            return at;
        }
    }
    rest.len()
}

fn fold(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'') {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.replace('’', "'").to_lowercase())
    }
}

/// Whether a chunk without white space is the address of a page or a person.
fn is_address(chunk: &str) -> bool {
    if chunk.contains("://") || chunk.starts_with("www.") {
        return true;
    }
    let Some((name, host)) = chunk.split_once('@') else { return false };
    !name.is_empty() && host.contains('.') && host.starts_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        tokens(text)
            .into_iter()
            .map(|token| format!("{}{}", if token.glued { "+" } else { "" }, token.folded))
            .collect()
    }

    #[test]
    fn words_numbers_and_signs_are_apart() {
        assert_eq!(cut("Call Bob @5pm, o’clock"), ["call", "bob", "@", "+5", "+pm", "+,", "o'clock"]);
        assert_eq!(cut("2moro 17h30"), ["tomorrow", "17", "+h", "+30"]);
    }

    #[test]
    fn quotes_and_addresses_are_not_looked_into() {
        assert_eq!(cut("see \"Friday the 13th\" now"), ["see", "\"Friday the 13th\"", "now"]);
        assert_eq!(cut("https://a.b/may-5 bob@may.com"), ["https://a.b/may-5", "bob@may.com"]);
        assert_eq!(cut("an \"open quote"), ["an", "\"", "+open", "quote"]);
    }
}
