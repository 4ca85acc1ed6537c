//! `ObservabilityService`: what the assistant decided, as its user may read it; and as an operator may: `todo decisions
//! export`.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Days, TimeDelta, Utc};
use serde_json::{Map, Value};
use todo_domain::{
    Error, Violations,
    account::Scope,
    error::Reason,
    zone::{Tz, local, start_of_day},
};
use todo_proto::{
    json,
    v1::{self, observability_service_server::ObservabilityService},
};
use todo_runtime::status::from_error;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    conversations::object,
    convert::{page, time, timestamp},
    core::{Call, Core, id, zone},
    store::{Decision, DecisionFilter, Message, Store, Tally, ToolCall, Tx},
};

/// How long decisions are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many are read at once.
const PAGE: i64 = 200;

pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
}

impl Service {
    async fn list(&self, request: Request<v1::ListDecisionsRequest>) -> Result<v1::ListDecisionsResponse, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let request = request.into_inner();
        let (limit, offset) = page(request.limit, request.offset)?;
        let mut violations = Violations::new();
        let filter = DecisionFilter {
            conversation_id: request.conversation_id.map(|text| id("conversation_id", &text)).transpose()?,
            start: request.start_time.and_then(|start| time(start, "start_time", &mut violations)),
            end: request.end_time.and_then(|end| time(end, "end_time", &mut violations)),
            decision_type: request.decision_type,
            outcome: request.outcome_category,
        };
        violations.into_result(())?;
        let (mut tx, _) = self.core.read(&call).await?;
        let items = tx.decisions(call.user_id, &filter, limit, offset).await?;
        let total = tx.count_decisions(call.user_id, &filter).await?;
        let items = items.iter().map(decision).collect::<Result<Vec<_>, _>>()?;
        let has_more = offset + i64::try_from(items.len()).unwrap_or_default() < total;
        Ok(v1::ListDecisionsResponse { items, total, has_more })
    }

    async fn trace(
        &self,
        request: Request<v1::GetDecisionTraceRequest>,
    ) -> Result<v1::GetDecisionTraceResponse, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let id = id("id", &request.get_ref().id)?;
        let (mut tx, _) = self.core.read(&call).await?;
        let found = tx.decision(call.user_id, id).await?;
        let found = found.ok_or_else(|| Error::new(Reason::DecisionNotFound, "there is no such decision"))?;
        whole(tx.as_mut(), &found).await
    }

    async fn metrics(
        &self,
        request: Request<v1::GetDecisionMetricsRequest>,
    ) -> Result<v1::GetDecisionMetricsResponse, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let request = request.into_inner();
        let mut violations = Violations::new();
        let mut moment = |given: Option<_>, field, default: DateTime<Utc>| {
            given.map_or(Some(default), |given| time(given, field, &mut violations))
        };
        // What is decided now counts.
        let end = moment(request.end_time, "end_time", call.now + TimeDelta::microseconds(1));
        let start = moment(request.start_time, "start_time", call.now - KEPT);
        violations.into_result(())?;
        let filter = DecisionFilter { start, end, ..DecisionFilter::default() };
        let (mut tx, owner) = self.core.read(&call).await?;
        let decisions = tx.tally_decisions(call.user_id, &filter).await?;
        let tools = tx.tally_tools(call.user_id, &filter).await?;
        let days = if request.by_day { days(tx.as_mut(), &call, zone(&owner), &filter).await? } else { Vec::new() };
        let total = decisions.iter().map(|tally| tally.count).sum();
        let failed: Vec<_> = decisions.iter().filter(|tally| !is_success(tally)).collect();
        Ok(v1::GetDecisionMetricsResponse {
            total_decisions: total,
            success_rate: share(successes(&decisions), total),
            error_breakdown: counts(failed.into_iter(), 1),
            avg_decision_duration_ms: mean(&decisions),
            avg_tool_duration_ms: mean(&tools),
            intent_distribution: counts(decisions.iter(), 0),
            tool_usage: counts(tools.iter(), 0),
            days,
        })
    }
}

/// Sums up the days of a range, as far as decisions are kept.
async fn days(tx: &mut dyn Tx, call: &Call, zone: Tz, range: &DecisionFilter) -> Result<Vec<v1::DecisionDay>, Error> {
    let first = range.start.map_or(call.now - KEPT, |start| start.max(call.now - KEPT));
    let last = range.end.map_or(call.now, |end| end.min(call.now + TimeDelta::microseconds(1)));
    let mut days = Vec::new();
    for date in local(zone, first).date().iter_days() {
        let (start, end) = (start_of_day(zone, date), start_of_day(zone, date + Days::new(1)));
        if start >= last {
            break;
        }
        let day = DecisionFilter { start: range.start.max(Some(start)), end: Some(end.min(last)), ..range.clone() };
        let decisions = tx.tally_decisions(call.user_id, &day).await?;
        days.push(v1::DecisionDay {
            start_time: Some(timestamp(start)),
            total_decisions: decisions.iter().map(|tally| tally.count).sum(),
            successes: successes(&decisions),
        });
    }
    Ok(days)
}

/// Hands out all decisions of an account, the newest first, with the tools that were called for them.
///
/// # Errors
/// When the database is away.
pub async fn export(
    store: &dyn Store,
    user_id: Uuid,
    mut take: impl FnMut(&v1::GetDecisionTraceResponse),
) -> Result<(), Error> {
    let (mut tx, mut taken) = (store.read().await?, 0);
    loop {
        let page = tx.decisions(user_id, &DecisionFilter::default(), PAGE, taken).await?;
        for stored in &page {
            take(&whole(tx.as_mut(), stored).await?);
            taken += 1;
        }
        if page.is_empty() {
            return Ok(());
        }
    }
}

/// A decision with the tools that were called for it.
pub(crate) async fn whole(tx: &mut dyn Tx, stored: &Decision) -> Result<v1::GetDecisionTraceResponse, Error> {
    let mut tool_invocations = Vec::new();
    for stored in tx.tool_calls(stored.id).await? {
        tool_invocations.push(tool_invocation(&serde_json::from_str(&stored.call).map_err(Error::internal)?)?);
    }
    Ok(v1::GetDecisionTraceResponse { decision: Some(decision(stored)?), tool_invocations })
}

/// Stores the record of a turn.
pub(crate) async fn add(
    tx: &mut dyn Tx,
    call: &Call,
    decision_id: Uuid,
    said: &Message,
    answer: &Message,
    record: v1::DecisionRecord,
    tools: Vec<Value>,
) -> Result<(), Error> {
    let decision = Decision {
        id: decision_id,
        user_id: call.user_id,
        conversation_id: said.conversation_id,
        message: said.content.clone(),
        intent_type: record.intent_type,
        confidence: record.confidence,
        params: object(record.extracted_params).to_string(),
        decision_type: record.decision_type,
        outcome: record.outcome_category,
        response: answer.content.clone(),
        created_at: said.created_at,
        duration_ms: record.duration_ms,
    };
    let calls: Vec<_> = (1..).zip(tools).map(|(sequence, call)| tool_call(decision_id, sequence, &call)).collect();
    Ok(tx.add_decision(&decision, &calls).await?)
}

fn tool_call(decision_id: Uuid, sequence: i64, call: &Value) -> ToolCall {
    ToolCall {
        decision_id,
        sequence,
        tool: call["tool_name"].as_str().unwrap_or_default().to_owned(),
        duration_ms: call["duration_ms"].as_i64().unwrap_or_default(),
        call: call.to_string(),
    }
}

fn decision(stored: &Decision) -> Result<v1::DecisionRecord, Error> {
    let params: Map<String, Value> = serde_json::from_str(&stored.params).map_err(Error::internal)?;
    Ok(v1::DecisionRecord {
        decision_id: stored.id.to_string(),
        conversation_id: stored.conversation_id.to_string(),
        message: stored.message.clone(),
        intent_type: stored.intent_type.clone(),
        confidence: stored.confidence,
        extracted_params: Some(json::structure(&params)),
        decision_type: stored.decision_type.clone(),
        outcome_category: stored.outcome.clone(),
        response_text: stored.response.clone(),
        created_at: Some(timestamp(stored.created_at)),
        duration_ms: stored.duration_ms,
    })
}

/// A call of a tool from the JSON that is kept of it.
pub(crate) fn tool_invocation(call: &Value) -> Result<v1::ToolInvocation, Error> {
    json::read(call).map_err(|violations| Error::internal(format!("a stored call of a tool: {violations:?}")))
}

fn is_success(tally: &Tally) -> bool {
    tally.names[1].starts_with("SUCCESS:")
}

fn successes(tallies: &[Tally]) -> i64 {
    tallies.iter().filter(|tally| is_success(tally)).map(|tally| tally.count).sum()
}

fn counts<'a>(tallies: impl Iterator<Item = &'a Tally>, name: usize) -> HashMap<String, i64> {
    let mut counts = HashMap::new();
    for tally in tallies {
        *counts.entry(tally.names[name].clone()).or_default() += tally.count;
    }
    counts
}

fn mean(tallies: &[Tally]) -> f64 {
    share(tallies.iter().map(|tally| tally.duration_ms).sum(), tallies.iter().map(|tally| tally.count).sum())
}

#[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 52 bits")]
fn share(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[tonic::async_trait]
impl ObservabilityService for Service {
    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        self.list(request).await.map(Response::new).map_err(from_error)
    }

    async fn get_decision_trace(
        &self,
        request: Request<v1::GetDecisionTraceRequest>,
    ) -> Result<Response<v1::GetDecisionTraceResponse>, Status> {
        self.trace(request).await.map(Response::new).map_err(from_error)
    }

    async fn get_decision_metrics(
        &self,
        request: Request<v1::GetDecisionMetricsRequest>,
    ) -> Result<Response<v1::GetDecisionMetricsResponse>, Status> {
        self.metrics(request).await.map(Response::new).map_err(from_error)
    }
}
