//! Server streams as one JSON document to save: the messages are the parts of one, in the order of its fields.

use std::collections::HashMap;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, header};
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::value::RawValue;
use todo_proto::json;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::{contract::Rpc, status::Failure};

/// Answers with a document.
///
/// # Errors
/// If the stream ends with an error before its first message.
pub(crate) async fn respond(
    mut parts: Streaming<Bytes>,
    rpc: &Rpc,
    shutdown: CancellationToken,
    token_sent: bool,
) -> Result<Response, Failure> {
    let failed = |status: Status| Failure::from_status(&status, token_sent);
    let mut writer = Writer::new(rpc.output.clone());
    let first = match parts.message().await.map_err(failed)? {
        Some(part) => writer.add(&part).map_err(failed)?,
        None => Vec::new(),
    };
    let rest = stream::unfold(Some((writer, parts)), move |state| {
        let shutdown = shutdown.clone();
        async move {
            let (mut writer, mut parts) = state?;
            let part = tokio::select! {
                part = parts.message() => part,
                () = shutdown.cancelled() => Err(Status::unavailable("shutting down")),
            };
            // The answer has begun: an error cuts it off, so that nobody takes it for the whole.
            Some(match part.and_then(|part| part.map(|part| writer.add(&part)).transpose()) {
                Ok(Some(text)) => (Ok(text), Some((writer, parts))),
                Ok(None) => (Ok(writer.finish()), None),
                Err(status) => (Err(status), None),
            })
        }
    });
    let text = stream::once(async { Ok(first) }).chain(rest);
    let mut response = Response::new(Body::from_stream(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("attachment; filename=\"{}\"", rpc.rules.attachment);
    headers.insert(header::CONTENT_DISPOSITION, disposition.try_into().map_err(|_| Failure::internal())?);
    Ok(response)
}

/// A document, as far as it is written. Its fields are messages and lists, so that a part says which of them it has.
struct Writer {
    kind: MessageDescriptor,
    fields: Vec<FieldDescriptor>,
    /// How many of the fields are begun.
    begun: usize,
    /// Whether the last of them is a list that may go on.
    open: bool,
}

impl Writer {
    fn new(kind: MessageDescriptor) -> Self {
        let mut fields: Vec<_> = kind.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        Self { kind, fields, begun: 0, open: false }
    }

    /// The text that a part adds.
    fn add(&mut self, part: &[u8]) -> Result<Vec<u8>, Status> {
        let mut json = Vec::with_capacity(part.len() * 3 + 512);
        json::transcode(&self.kind, part, &mut json).map_err(|error| Status::internal(error.to_string()))?;
        let values: HashMap<&str, &RawValue> =
            serde_json::from_slice(&json).map_err(|error| Status::internal(error.to_string()))?;
        let mut text = Vec::with_capacity(json.len());
        for index in 0..self.fields.len() {
            let value = values.get(self.fields[index].name()).map_or("null", |value| value.get());
            let items = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
            if value == "null" || items == Some("") {
                continue;
            }
            if self.open && items.is_some() && index + 1 == self.begun {
                text.push(b',');
            } else if index < self.begun {
                return Err(Status::internal(format!("{} comes after later fields", self.fields[index].name())));
            } else {
                self.go_to(index, &mut text);
                self.begin(items.map_or("", |_| "["), &mut text);
                self.open = items.is_some();
            }
            text.extend_from_slice(items.unwrap_or(value).as_bytes());
        }
        Ok(text)
    }

    /// The text that is left when no part comes any more.
    fn finish(mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.go_to(self.fields.len(), &mut text);
        text.push(b'}');
        text
    }

    /// Ends what is open, and writes the fields up to an index that no part has.
    fn go_to(&mut self, index: usize, text: &mut Vec<u8>) {
        if std::mem::take(&mut self.open) {
            text.push(b']');
        }
        while self.begun < index {
            let unset = if self.fields[self.begun].is_list() { "[]" } else { "null" };
            self.begin(unset, text);
        }
    }

    /// Writes the next field's name and what its value begins with.
    fn begin(&mut self, value: &str, text: &mut Vec<u8>) {
        let before = if self.begun == 0 { '{' } else { ',' };
        let name = self.fields[self.begun].name();
        text.extend_from_slice(format!("{before}\"{name}\":{value}").as_bytes());
        self.begun += 1;
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use serde_json::{Value, json};
    use todo_proto::v1;

    use super::*;

    type Part = v1::ExportAccountResponse;

    fn written(parts: &[Part]) -> Result<Value, Status> {
        let mut writer = Writer::new(json::descriptor::<Part>());
        let mut text = Vec::new();
        for part in parts {
            text.extend(writer.add(&part.encode_to_vec())?);
        }
        text.extend(writer.finish());
        Ok(serde_json::from_slice(&text).expect("JSON"))
    }

    fn tasks(titles: &[&str]) -> Part {
        let task = |title: &&str| v1::Task { title: (*title).to_owned(), ..v1::Task::default() };
        Part { tasks: titles.iter().map(task).collect(), ..Part::default() }
    }

    #[test]
    fn parts_make_the_document_that_they_make_merged() {
        let user = Part { user: Some(v1::User::default()), ..Part::default() };
        let told = Part { decisions: vec![v1::GetDecisionTraceResponse::default()], ..tasks(&["]"]) };
        for parts in [
            vec![],
            vec![Part::default()],
            vec![user.clone()],
            vec![user, tasks(&["a", "[b"]), Part::default(), tasks(&["c"]), told.clone()],
            vec![told],
        ] {
            let mut wire = Vec::new();
            for part in &parts {
                part.encode(&mut wire).expect("room");
            }
            let merged = Part::decode(wire.as_slice()).expect("a message");
            assert_eq!(written(&parts).unwrap(), json::of(&merged));
        }
        assert_eq!(written(&[tasks(&["a"]), tasks(&["b"])]).unwrap()["tasks"][1]["title"], json!("b"));
    }

    #[test]
    fn a_part_that_comes_late_spoils_the_document() {
        let first = Part { user: Some(v1::User::default()), ..Part::default() };
        assert!(written(&[tasks(&["a"]), first.clone()]).is_err());
        assert!(written(&[first.clone(), first]).is_err());
    }
}
