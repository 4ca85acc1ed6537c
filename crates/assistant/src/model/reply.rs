//! One answer of the model, put together from what providers send, each in its way.

use serde_json::{Value, json};

use super::client::Unavailable;
use crate::table::Tool;

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// What it says.
    pub(super) text: String,
    /// The tools that it asks for.
    pub(super) calls: Vec<Asked>,
    /// The provider said that this is all.
    pub(super) finished: bool,
    /// What some models must be shown again with their calls.
    reasoning: String,
}

/// A call that the model asks for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    index: Option<u64>,
    /// What some providers must be shown again with it.
    extra: Value,
}

impl Reply {
    /// Takes a part of the answer, or the whole of it, and gives the text in it.
    pub(super) fn take(&mut self, part: &Value) -> Result<String, Unavailable> {
        if let Some(error) = part.get("error").filter(|error| !error.is_null()) {
            return Err(Unavailable(format!("an error instead of an answer: {} {}", error["type"], error["code"])));
        }
        let choice = &part["choices"][0];
        let said = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        self.finished |= choice["finish_reason"].as_str().is_some_and(|reason| !reason.is_empty());
        self.reasoning.push_str(said["reasoning_content"].as_str().unwrap_or_default());
        for call in said["tool_calls"].as_array().into_iter().flatten() {
            self.call(call);
        }
        let text = text_of(&said["content"]) + said["refusal"].as_str().unwrap_or_default();
        self.text.push_str(&text);
        Ok(text)
    }

    /// Takes a part of a call: the next part of one that has begun, or the first of another. Indexes, ids and names may
    /// be missing or said again and again.
    fn call(&mut self, part: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (index, id) = (part["index"].as_u64(), text(&part["id"]));
        let name = text(&part["function"]["name"]);
        let arguments = match &part["function"]["arguments"] {
            Value::Object(whole) => Value::Object(whole.clone()).to_string(),
            other => text(other),
        };
        let begun = match index {
            Some(index) => self.calls.iter_mut().rev().find(|call| call.index == Some(index)),
            None => self.calls.last_mut(),
        };
        match begun.filter(|begun| !begun.is_over(&id, &name, &arguments)) {
            Some(begun) => {
                if begun.id.is_empty() {
                    begun.id = id;
                }
                if begun.name != name {
                    begun.name.push_str(&name);
                }
                begun.arguments.push_str(&arguments);
            }
            None => {
                self.calls.push(Asked { id, name, arguments, index, extra: part["extra_content"].clone() });
            }
        }
    }

    /// Gives an id to each call that has none of its own.
    pub(super) fn name_calls(&mut self, round: u32) {
        for place in 0..self.calls.len() {
            let (before, rest) = self.calls.split_at_mut(place);
            let call = &mut rest[0];
            if call.id.is_empty() || before.iter().any(|other| other.id == call.id) {
                // Nine letters and digits, which is what the strictest take.
                call.id = format!("call{round:02}{place:03}");
            }
        }
    }

    /// The answer as the model is shown it again.
    pub(super) fn message(&self) -> Value {
        let calls: Vec<_> = self.calls.iter().map(Asked::message).collect();
        let content = if self.text.is_empty() { Value::Null } else { json!(self.text) };
        let mut message = json!({ "role": "assistant", "content": content, "tool_calls": calls });
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = json!(self.reasoning);
        }
        message
    }
}

impl Asked {
    /// Whether a part that says this begins another call.
    fn is_over(&self, id: &str, name: &str, arguments: &str) -> bool {
        if !id.is_empty() && !self.id.is_empty() && id != self.id {
            return true;
        }
        let more = id.is_empty() || !arguments.is_empty();
        let whole = more && serde_json::from_str::<Value>(&self.arguments).is_ok();
        !name.is_empty() && Tool::named(&self.name).is_some() && (whole || name != self.name)
    }

    fn message(&self) -> Value {
        // What is no JSON would be refused with all the rest.
        let arguments = serde_json::from_str::<Value>(&self.arguments).map_or("{}", |_| &self.arguments);
        let mut call = json!({
            "id": self.id, "type": "function", "function": { "name": self.name, "arguments": arguments },
        });
        if !self.extra.is_null() {
            call["extra_content"] = self.extra.clone();
        }
        call
    }
}

/// Content is a text, or parts of which some are.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
