//! The SQL, compiled once for each database. Both take `$1`; ids bind as `Uuid`, times as microseconds.

mod accounts;
mod inbox;
mod log;
mod outbox;
mod push;
mod talk;
mod tasks;
mod time;

use async_trait::async_trait;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Db, Opened, Row, dialect};
use crate::store::{Error, Tx};

/// One transaction of this database.
pub(super) struct Transaction {
    tx: Opened,
}

impl Transaction {
    pub(super) fn new(tx: Opened) -> Self {
        Self { tx }
    }
}

#[async_trait]
impl Tx for Transaction {
    async fn commit(self: Box<Self>) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

/// Adds `IN (...)`.
fn list(query: &mut QueryBuilder<Db>, ids: &[Uuid]) {
    query.push("IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
}
