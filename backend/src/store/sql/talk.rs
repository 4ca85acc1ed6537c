use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction};
use crate::store::{
    Conversation, Decision, DecisionFilter, Error, Lease, Message, Talk, Tally, ToolCall, micros, time,
};

const CONVERSATIONS: &str =
    "SELECT id, user_id, title, created_at, updated_at, messages, turn, lease, lease_until, pending,
     pending_until, scene FROM conversations WHERE user_id = ";
const MESSAGES: &str = "SELECT id, conversation_id, place, role, content, created_at, tool_calls FROM messages WHERE ";
const DECISIONS: &str = "SELECT d.id, d.user_id, d.conversation_id, d.message, d.intent_type, d.confidence, d.params,
     d.decision_type, d.outcome, d.response, d.created_at, d.duration_ms FROM decisions d WHERE d.user_id = ";

fn conversation(row: &Row) -> Result<Conversation, Error> {
    let at = |column| row.try_get::<Option<i64>, _>(column).map_err(Error::from)?.map(time).transpose();
    let lease = (row.try_get("lease")?, row.try_get("turn")?, at("lease_until")?);
    let pending: (Option<String>, _) = (row.try_get("pending")?, at("pending_until")?);
    Ok(Conversation {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        title: row.try_get("title")?,
        created_at: time(row.try_get("created_at")?)?,
        updated_at: time(row.try_get("updated_at")?)?,
        messages: row.try_get("messages")?,
        lease: match lease {
            (Some(id), Some(turn), Some(until)) => Some(Lease { id, turn, until }),
            _ => None,
        },
        pending: pending.0.zip(pending.1),
        scene: row.try_get("scene")?,
    })
}

fn message(row: &Row) -> Result<Message, Error> {
    Ok(Message {
        id: row.try_get("id")?,
        conversation_id: row.try_get("conversation_id")?,
        place: row.try_get("place")?,
        role: row.try_get("role")?,
        content: row.try_get("content")?,
        created_at: time(row.try_get("created_at")?)?,
        tool_calls: row.try_get("tool_calls")?,
    })
}

fn decision(row: &Row) -> Result<Decision, Error> {
    Ok(Decision {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        conversation_id: row.try_get("conversation_id")?,
        message: row.try_get("message")?,
        intent_type: row.try_get("intent_type")?,
        confidence: row.try_get("confidence")?,
        params: row.try_get("params")?,
        decision_type: row.try_get("decision_type")?,
        outcome: row.try_get("outcome")?,
        response: row.try_get("response")?,
        created_at: time(row.try_get("created_at")?)?,
        duration_ms: row.try_get("duration_ms")?,
    })
}

fn tool_call(row: &Row) -> Result<ToolCall, Error> {
    Ok(ToolCall {
        decision_id: row.try_get("decision_id")?,
        sequence: row.try_get("sequence")?,
        tool: row.try_get("tool")?,
        duration_ms: row.try_get("duration_ms")?,
        call: row.try_get("call")?,
    })
}

fn tally<const N: usize>(row: &Row, names: [&str; N]) -> Result<Tally, Error> {
    Ok(Tally {
        names: names.iter().map(|name| row.try_get(*name)).collect::<Result<_, _>>()?,
        count: row.try_get("n")?,
        duration_ms: row.try_get("duration")?,
    })
}

fn matching(query: &mut QueryBuilder<Db>, filter: &DecisionFilter) {
    if let Some(id) = filter.conversation_id {
        query.push(" AND d.conversation_id = ").push_bind(id);
    }
    if let Some(start) = filter.start {
        query.push(" AND d.created_at >= ").push_bind(micros(start));
    }
    if let Some(end) = filter.end {
        query.push(" AND d.created_at < ").push_bind(micros(end));
    }
    if !filter.decision_type.is_empty() {
        query.push(" AND d.decision_type = ").push_bind(filter.decision_type.clone());
    }
    if !filter.outcome.is_empty() {
        let length = i32::try_from(filter.outcome.chars().count()).unwrap_or(i32::MAX);
        query.push(" AND substr(d.outcome, 1, ").push_bind(length).push(") = ").push_bind(filter.outcome.clone());
    }
}

#[async_trait]
impl Talk for Transaction {
    async fn conversations(&mut self, user_id: Uuid, limit: i64, offset: i64) -> Result<Vec<Conversation>, Error> {
        let mut query = QueryBuilder::<Db>::new(CONVERSATIONS);
        query.push_bind(user_id).push(" ORDER BY updated_at DESC, id DESC LIMIT ").push_bind(limit);
        query.push(" OFFSET ").push_bind(offset);
        query.build().fetch_all(&mut *self.tx).await?.iter().map(conversation).collect()
    }

    async fn count_conversations(&mut self, user_id: Uuid) -> Result<i64, Error> {
        let sql = "SELECT count(*) FROM conversations WHERE user_id = $1";
        Ok(sqlx::query_scalar::<Db, i64>(sql).bind(user_id).fetch_one(&mut *self.tx).await?)
    }

    async fn conversation(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Conversation>, Error> {
        let mut query = QueryBuilder::<Db>::new(CONVERSATIONS);
        query.push_bind(user_id).push(" AND id = ").push_bind(id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(conversation).transpose()
    }

    async fn add_conversation(&mut self, conversation: &Conversation) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO conversations (id, user_id, title, created_at, updated_at, messages)
             VALUES ($1, $2, $3, $4, $5, 0)",
        )
        .bind(conversation.id)
        .bind(conversation.user_id)
        .bind(&conversation.title)
        .bind(micros(conversation.created_at))
        .bind(micros(conversation.updated_at))
        .execute(&mut *self.tx)
        .await?;
        self.put_conversation(conversation).await
    }

    async fn put_conversation(&mut self, conversation: &Conversation) -> Result<(), Error> {
        let (lease, pending) = (conversation.lease.as_ref(), conversation.pending.as_ref());
        sqlx::query::<Db>(
            "UPDATE conversations SET title = $3, updated_at = $4, messages = $5, turn = $6, lease = $7,
             lease_until = $8, pending = $9, pending_until = $10, scene = $11 WHERE id = $1 AND user_id = $2",
        )
        .bind(conversation.id)
        .bind(conversation.user_id)
        .bind(&conversation.title)
        .bind(micros(conversation.updated_at))
        .bind(conversation.messages)
        .bind(lease.map(|lease| lease.turn))
        .bind(lease.map(|lease| lease.id))
        .bind(lease.map(|lease| micros(lease.until)))
        .bind(pending.map(|(action, _)| action))
        .bind(pending.map(|(_, until)| micros(*until)))
        .bind(&conversation.scene)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn remove_conversation(&mut self, user_id: Uuid, id: Uuid) -> Result<bool, Error> {
        let done = sqlx::query::<Db>("DELETE FROM conversations WHERE user_id = $1 AND id = $2")
            .bind(user_id)
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn messages(&mut self, conversation_id: Uuid, before: i64, limit: i64) -> Result<Vec<Message>, Error> {
        let mut query = QueryBuilder::<Db>::new(MESSAGES);
        query.push("conversation_id = ").push_bind(conversation_id).push(" AND place < ").push_bind(before);
        query.push(" ORDER BY place DESC LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        rows.iter().rev().map(message).collect()
    }

    async fn message(&mut self, id: Uuid) -> Result<Option<Message>, Error> {
        let mut query = QueryBuilder::<Db>::new(MESSAGES);
        query.push("id = ").push_bind(id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(message).transpose()
    }

    async fn add_message(&mut self, message: &Message) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO messages (id, conversation_id, place, role, content, created_at, tool_calls)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(message.id)
        .bind(message.conversation_id)
        .bind(message.place)
        .bind(message.role)
        .bind(&message.content)
        .bind(micros(message.created_at))
        .bind(&message.tool_calls)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn add_decision(&mut self, decision: &Decision, calls: &[ToolCall]) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO decisions (id, user_id, conversation_id, message, intent_type, confidence, params, decision_type,
             outcome, response, created_at, duration_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(decision.id)
        .bind(decision.user_id)
        .bind(decision.conversation_id)
        .bind(&decision.message)
        .bind(&decision.intent_type)
        .bind(decision.confidence)
        .bind(&decision.params)
        .bind(&decision.decision_type)
        .bind(&decision.outcome)
        .bind(&decision.response)
        .bind(micros(decision.created_at))
        .bind(decision.duration_ms)
        .execute(&mut *self.tx)
        .await?;
        for call in calls {
            sqlx::query::<Db>(
                "INSERT INTO tool_calls (decision_id, sequence, tool, duration_ms, call) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(decision.id)
            .bind(call.sequence)
            .bind(&call.tool)
            .bind(call.duration_ms)
            .bind(&call.call)
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn decisions(
        &mut self,
        user_id: Uuid,
        filter: &DecisionFilter,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Decision>, Error> {
        let mut query = QueryBuilder::<Db>::new(DECISIONS);
        query.push_bind(user_id);
        matching(&mut query, filter);
        query.push(" ORDER BY d.created_at DESC, d.id DESC LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(offset);
        query.build().fetch_all(&mut *self.tx).await?.iter().map(decision).collect()
    }

    async fn count_decisions(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<i64, Error> {
        let mut query = QueryBuilder::<Db>::new("SELECT count(*) AS n FROM decisions d WHERE d.user_id = ");
        query.push_bind(user_id);
        matching(&mut query, filter);
        Ok(query.build().fetch_one(&mut *self.tx).await?.try_get("n")?)
    }

    async fn decision(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Decision>, Error> {
        let mut query = QueryBuilder::<Db>::new(DECISIONS);
        query.push_bind(user_id).push(" AND d.id = ").push_bind(id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(decision).transpose()
    }

    async fn tool_calls(&mut self, decision_id: Uuid) -> Result<Vec<ToolCall>, Error> {
        let sql = "SELECT decision_id, sequence, tool, duration_ms, call FROM tool_calls WHERE decision_id = $1
             ORDER BY sequence";
        let rows = sqlx::query::<Db>(sql).bind(decision_id).fetch_all(&mut *self.tx).await?;
        rows.iter().map(tool_call).collect()
    }

    async fn tally_decisions(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<Vec<Tally>, Error> {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT d.intent_type, d.outcome, count(*) AS n, CAST(sum(d.duration_ms) AS BIGINT) AS duration
             FROM decisions d WHERE d.user_id = ",
        );
        query.push_bind(user_id);
        matching(&mut query, filter);
        query.push(" GROUP BY d.intent_type, d.outcome ORDER BY d.intent_type, d.outcome");
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| tally(row, ["intent_type", "outcome"])).collect()
    }

    async fn tally_tools(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<Vec<Tally>, Error> {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT t.tool, count(*) AS n, CAST(sum(t.duration_ms) AS BIGINT) AS duration FROM tool_calls t
             JOIN decisions d ON d.id = t.decision_id WHERE d.user_id = ",
        );
        query.push_bind(user_id);
        matching(&mut query, filter);
        query.push(" GROUP BY t.tool ORDER BY t.tool");
        query.build().fetch_all(&mut *self.tx).await?.iter().map(|row| tally(row, ["tool"])).collect()
    }
}
