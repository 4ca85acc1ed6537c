//! Publishing.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry, PublishEventRequest};
use futures::StreamExt;
use todo_trace::TRACEPARENT;
use tonic::Code;

use super::DaprSidecar;
use super::client::{error, short};
use crate::{CloudEvent, Error, TOPIC};

/// As anything else, daprd would put the event into an envelope of its own
/// (<https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-cloudevents/>).
const MEDIA_TYPE: &str = "application/cloudevents+json";
/// Events of one bulk call: many enough to pay, few enough for the timeout.
const BATCH: usize = 100;
/// Bytes of one bulk call; daprd refuses more than 4 MB (`--max-body-size`).
const BATCH_BYTES: usize = 1 << 20;
/// Single calls at once where daprd has no bulk call.
const AT_ONCE: usize = 16;

/// The envelope that goes out.
pub(super) fn body(topic: &str, event: &CloudEvent) -> Result<Vec<u8>, Error> {
    if topic.is_empty() {
        return Err(Error::Refused("a topic must have a name".into()));
    }
    event.validate()?;
    let mut sent = event.clone();
    sent.extensions.remove(TOPIC);
    // daprd overwrites a `traceparent` that has no `traceid` beside it (an older name of the same).
    if let Some(parent) = sent.extensions.get(TRACEPARENT).cloned() {
        sent.extensions.entry("traceid".to_owned()).or_insert(parent);
    }
    Ok(sent.to_json())
}

impl DaprSidecar {
    pub(super) async fn publish_one(&self, topic: &str, data: Vec<u8>) -> Result<(), Error> {
        let message = PublishEventRequest {
            pubsub_name: self.pubsub.clone(),
            topic: topic.to_owned(),
            data,
            data_content_type: MEDIA_TYPE.to_owned(),
            metadata: HashMap::new(),
        };
        let call = self
            .client
            .call(self.timeouts.publish, message, async |mut dapr, request| dapr.publish_event(request).await);
        call.await.map_err(|status| error(&status))
    }

    pub(super) async fn publish_all(&self, topic: &str, events: &[CloudEvent]) -> Vec<Result<(), Error>> {
        let mut results = vec![Ok(()); events.len()];
        let mut bodies = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            match body(topic, event) {
                Ok(body) => bodies.push((index, body)),
                Err(error) => results[index] = Err(error),
            }
        }
        for batch in batches(bodies) {
            for (index, result) in self.publish_batch(topic, batch).await {
                results[index] = result;
            }
        }
        results
    }

    /// Answers with the results of events that failed; on any failure of a broker without bulk publishing of its own,
    /// such as Redis, daprd fails the whole batch.
    async fn publish_batch(&self, topic: &str, mut batch: Vec<Body>) -> Vec<(usize, Result<(), Error>)> {
        if batch.len() == 1 {
            return self.publish_singly(topic, batch).await;
        }
        let entries = batch.iter().map(|(index, body)| BulkPublishRequestEntry {
            entry_id: index.to_string(),
            event: body.clone(),
            content_type: MEDIA_TYPE.to_owned(),
            metadata: HashMap::new(),
        });
        let message = BulkPublishRequest {
            pubsub_name: self.pubsub.clone(),
            topic: topic.to_owned(),
            entries: entries.collect(),
            metadata: HashMap::new(),
        };
        let call = self
            .client
            .call(self.timeouts.publish, message, async |mut dapr, request| dapr.bulk_publish_event(request).await);
        match call.await {
            Ok(answer) => {
                let failed = answer.failed_entries.into_iter();
                failed
                    .filter_map(|entry| {
                        Some((entry.entry_id.parse().ok()?, Err(Error::Unavailable(short(&entry.error)))))
                    })
                    .collect()
            }
            // A daprd before 1.18 has only an alpha version of the call.
            Err(status) if status.code() == Code::Unimplemented => self.publish_singly(topic, batch).await,
            Err(status) => batch.drain(..).map(|(index, _)| (index, Err(error(&status)))).collect(),
        }
    }

    async fn publish_singly(&self, topic: &str, batch: Vec<Body>) -> Vec<(usize, Result<(), Error>)> {
        let calls = batch.into_iter().map(|(index, body)| async move { (index, self.publish_one(topic, body).await) });
        futures::stream::iter(calls).buffer_unordered(AT_ONCE).collect().await
    }
}

/// An event's place and its envelope.
type Body = (usize, Vec<u8>);

fn batches(bodies: Vec<Body>) -> Vec<Vec<Body>> {
    let mut batches: Vec<Vec<Body>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        bytes += body.1.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= BATCH_BYTES => batch.push(body),
            _ => {
                bytes = body.1.len();
                batches.push(vec![body]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_in_number_and_in_bytes() {
        let sizes = |bodies: Vec<Body>| batches(bodies).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
        assert_eq!(sizes((0..250).map(|n| (n, vec![0; 10])).collect()), [100, 100, 50]);
        assert_eq!(sizes((0..5).map(|n| (n, vec![0; 400 << 10])).collect()), [2, 2, 1]);
        assert_eq!(sizes((0..2).map(|n| (n, vec![0; 3 << 20])).collect()), [1, 1]);
    }
}
