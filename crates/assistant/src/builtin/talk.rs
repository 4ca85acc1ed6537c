//! What needs no tool.

use todo_language::Chat;

/// To a yes where nothing was asked.
pub(super) const NOTHING_WAITS: &str = "There is nothing waiting for a yes. What shall I do?";
/// To a no where nothing was asked.
pub(super) const NOTHING_TO_STOP: &str = "Okay, nothing is waiting.";
/// To what is outside tasks.
pub(super) const OUT_OF_SCOPE: &str = "That is outside what I can do: I only look after your tasks. I can add, list, \
    change, complete and delete them, with dates, reminders and repetitions. Say “help” for examples.";
/// To what cannot be read at all.
pub(super) const UNCLEAR: &str = "I did not understand that. What would you like to do with your tasks? Say “help” for \
    examples.";

const HELP: &str = "I look after your tasks. For example, you can say:\n\
    - “pay rent every 1st at 9am #home !high, remind me 1 hour before”\n\
    - “show my tasks”, “what's due this week?”, “how many are overdue?”\n\
    - “finish the rent one”, “mark 1 and 2 as done”, “reopen #2”\n\
    - “move the dentist to friday”, “rename #2 to call dad”, “tag the rent with home”\n\
    - “delete #2”: I ask before I delete anything\n\
    - “undo”: takes the last change back";

/// To talk that asks for nothing.
pub(super) const fn reply(chat: Chat) -> &'static str {
    match chat {
        Chat::Greeting => "Hello! What can I do for your tasks? Say “help” for examples.",
        Chat::Thanks => "You're welcome!",
        Chat::Farewell => "Goodbye! Your tasks are kept.",
        Chat::Help => HELP,
        Chat::SmallTalk => "I'm here, ready to look after your tasks. Say “help” for what I can do.",
    }
}
