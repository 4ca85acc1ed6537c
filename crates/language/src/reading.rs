//! What comes out of a text, and where in it.

use std::ops::Range;

use todo_domain::task::Draft;

use crate::scan::Scan;

/// A text read as a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The task, ready to be created. Its title is the whole text where nothing else would be left.
    pub draft: Draft,
    /// What was understood, in order, without overlaps.
    pub spans: Vec<Span>,
    /// The reading in one line, in the owner's zone; empty if nothing was understood.
    pub explanation: String,
    /// What looked like a date or a rule and was left in the title, each with the reason.
    pub refused: Vec<Refusal>,
    /// Whether anything is left of the text as a title.
    pub has_title: bool,
}

/// A part of the text that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it begins, in Unicode scalar values from the start of the text.
    pub start: usize,
    /// Where it ends, not included.
    pub end: usize,
    /// What it says.
    pub kind: SpanKind,
    /// The text itself.
    pub text: String,
}

/// What a part of the text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// When it is due.
    Due,
    /// The time of day, apart from the day.
    Time,
    /// How it comes again, until when and how often included.
    Recurrence,
    /// When to remind.
    Reminder,
    /// How much it matters.
    Priority,
    /// A tag.
    Tag,
    /// The description.
    Description,
}

impl SpanKind {
    /// The name that surfaces show.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Time => "time",
            Self::Recurrence => "recurrence",
            Self::Reminder => "reminder",
            Self::Priority => "priority",
            Self::Tag => "tag",
            Self::Description => "description",
        }
    }
}

/// A part of the text that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The text.
    pub text: String,
    /// The reason, a part of a sentence.
    pub reason: &'static str,
}

/// The bytes of some tokens.
pub(crate) fn byte_range(scan: &Scan<'_>, tokens: &Range<usize>) -> Option<Range<usize>> {
    let first = scan.tokens.get(tokens.start)?;
    let last = scan.tokens.get(tokens.end.checked_sub(1)?)?;
    Some(first.start..last.end)
}

/// Counts characters along the text once.
pub(crate) struct Offsets<'a> {
    text: &'a str,
    bytes: usize,
    characters: usize,
}

impl<'a> Offsets<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, bytes: 0, characters: 0 }
    }

    fn at(&mut self, byte: usize) -> usize {
        self.characters += self.text[self.bytes..byte].chars().count();
        self.bytes = byte;
        self.characters
    }

    pub(crate) fn span(&mut self, scan: &Scan<'_>, tokens: &Range<usize>, kind: SpanKind) -> Span {
        let bytes = byte_range(scan, tokens).unwrap_or_default();
        Span { start: self.at(bytes.start), end: self.at(bytes.end), kind, text: self.text[bytes].to_owned() }
    }
}
