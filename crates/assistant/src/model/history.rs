//! What the model is sent.

use serde_json::{Value, json};
use todo_domain::zone;
use todo_proto::v1::Role;

use super::{
    PROMPT,
    tools::{Handles, envelope},
};
use crate::chat::{Named, Turn};

/// How many earlier messages are sent.
const MESSAGES: usize = 20;
/// How many characters of them.
const CHARACTERS: usize = 12_000;

/// The prompt, the conversation as far as it fits, and the message with what it may refer to.
pub(super) fn messages(turn: &Turn, handles: &mut Handles) -> Vec<Value> {
    let now = zone::local(turn.zone, turn.now).format("%A, %Y-%m-%d %H:%M").to_string();
    let prompt = PROMPT
        .replace("{zone}", turn.zone.name())
        .replace("{now}", &now)
        .replace("{week_start}", &turn.week_start.to_string());
    let mut messages = vec![json!({ "role": "system", "content": prompt })];
    let said = turn.history.iter().filter_map(|message| match message.role() {
        Role::User => Some(("user", message.content.clone())),
        Role::Assistant => Some(("assistant", message.content.clone())),
        _ => None,
    });
    let mut kept = shortened(said.collect());
    kept.push(("user", format!("{}\n\n<context>{}</context>", turn.text, context(turn, handles))));
    messages.extend(alternating(kept).into_iter().map(|(role, content)| json!({ "role": role, "content": content })));
    messages
}

/// What the message may refer to.
fn context(turn: &Turn, handles: &mut Handles) -> String {
    let mut named = |tasks: &[Named]| -> Vec<Value> {
        tasks.iter().map(|task| json!({ "handle": handles.of(task, false), "title": task.title })).collect()
    };
    let scene = &turn.scene;
    let last = scene.changes.last();
    envelope(&json!({
        "list_last_shown": named(&scene.listed),
        "spoken_of_last": named(&scene.touched),
        "last_change": last.map(|change| json!({ "function": change.tool, "titles": change.titles })),
    }))
}

/// The last messages, as many as fit.
fn shortened(mut said: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let mut room = CHARACTERS;
    let fits = said.iter().rev().take(MESSAGES).take_while(|(_, content)| {
        let length = content.chars().count();
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    });
    let first = said.len() - fits.count();
    said.split_off(first)
}

/// Some models take only turns that alternate, the person's first.
fn alternating(said: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let mut kept: Vec<(&str, String)> = Vec::new();
    for (role, content) in said {
        match kept.last_mut() {
            Some((last, before)) if *last == role => *before = format!("{before}\n\n{content}"),
            None if role == "assistant" => {}
            _ => kept.push((role, content)),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_cut_from_its_beginning() {
        let many = |length: usize, count: usize| vec![("user", "x".repeat(length)); count];
        assert_eq!(shortened(many(1, MESSAGES + 1)).len(), MESSAGES);
        assert_eq!(shortened(many(CHARACTERS / 3, 4)).len(), 3);
        assert_eq!(shortened(many(CHARACTERS + 1, 1)).len(), 0);
        assert_eq!(shortened(Vec::new()).len(), 0);
    }

    #[test]
    fn turns_alternate_and_the_person_begins() {
        let said = ["assistant", "user", "user", "assistant"].map(|role| (role, "x".to_owned()));
        let expected = vec![("user", "x\n\nx".to_owned()), ("assistant", "x".to_owned())];
        assert_eq!(alternating(said.to_vec()), expected);
    }
}
