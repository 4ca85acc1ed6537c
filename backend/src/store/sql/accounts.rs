use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row as _};
use todo_domain::account::Scope;
use uuid::Uuid;

use super::{Db, Row, Transaction, dialect};
use crate::store::{AccessToken, Accounts, Error, Profile, RefreshToken, micros, time, weekday};

const PROFILES: &str =
    "SELECT id, email, password_hash, display_name, time_zone, week_start, created_at, disabled_at FROM users WHERE ";

fn profile(row: &Row) -> Result<Profile, Error> {
    Ok(Profile {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        password_hash: row.try_get("password_hash")?,
        display_name: row.try_get("display_name")?,
        time_zone: row.try_get("time_zone")?,
        week_start: weekday(row.try_get("week_start")?)?,
        created_at: time(row.try_get("created_at")?)?,
        disabled_at: row.try_get::<Option<i64>, _>("disabled_at")?.map(time).transpose()?,
    })
}

fn refresh_token(row: &Row) -> Result<RefreshToken, Error> {
    Ok(RefreshToken {
        hash: row.try_get("hash")?,
        user_id: row.try_get("user_id")?,
        family: row.try_get("family")?,
        expires_at: time(row.try_get("expires_at")?)?,
        rotated_at: row.try_get::<Option<i64>, _>("rotated_at")?.map(time).transpose()?,
    })
}

const ACCESS_TOKENS: &str =
    "SELECT id, user_id, hash, name, scope, created_at, expires_at, last_used_at FROM access_tokens WHERE ";

/// As in the proto.
const SCOPES: [(i64, Scope); 2] = [(1, Scope::Read), (2, Scope::Write)];

fn access_token(row: &Row) -> Result<AccessToken, Error> {
    let scope: i64 = row.try_get("scope")?;
    Ok(AccessToken {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        hash: row.try_get("hash")?,
        name: row.try_get("name")?,
        scope: SCOPES.iter().find(|(stored, _)| *stored == scope).ok_or(Error::Corrupt("scope"))?.1,
        created_at: time(row.try_get("created_at")?)?,
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(time).transpose()?,
        last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(time).transpose()?,
    })
}

#[async_trait]
impl Accounts for Transaction {
    async fn add_profile(&mut self, profile: &Profile) -> Result<bool, Error> {
        let done = sqlx::query::<Db>(
            "INSERT INTO users (id, email, password_hash, display_name, time_zone, week_start, created_at, disabled_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING",
        )
        .bind(profile.id)
        .bind(&profile.email)
        .bind(&profile.password_hash)
        .bind(&profile.display_name)
        .bind(&profile.time_zone)
        .bind(i64::from(profile.week_start.number_from_monday()))
        .bind(micros(profile.created_at))
        .bind(profile.disabled_at.map(micros))
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query::<Db>("INSERT INTO owners (user_id, revision, floor) VALUES ($1, 0, 0)")
            .bind(profile.id)
            .execute(&mut *self.tx)
            .await?;
        Ok(true)
    }

    async fn profile(&mut self, id: Uuid) -> Result<Option<Profile>, Error> {
        let mut query = QueryBuilder::<Db>::new(PROFILES);
        query.push("id = ").push_bind(id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(profile).transpose()
    }

    async fn profile_by_email(&mut self, email: &str) -> Result<Option<Profile>, Error> {
        let mut query = QueryBuilder::<Db>::new(PROFILES);
        query.push("email = ").push_bind(email);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(profile).transpose()
    }

    async fn profiles(&mut self, after: &str, limit: i64) -> Result<Vec<Profile>, Error> {
        let mut query = QueryBuilder::<Db>::new(PROFILES);
        query.push("email > ").push_bind(after).push(" ORDER BY email LIMIT ").push_bind(limit);
        query.build().fetch_all(&mut *self.tx).await?.iter().map(profile).collect()
    }

    async fn put_profile(&mut self, profile: &Profile) -> Result<(), Error> {
        sqlx::query::<Db>(
            "UPDATE users SET password_hash = $2, display_name = $3, time_zone = $4, week_start = $5, disabled_at = $6
             WHERE id = $1",
        )
        .bind(profile.id)
        .bind(&profile.password_hash)
        .bind(&profile.display_name)
        .bind(&profile.time_zone)
        .bind(i64::from(profile.week_start.number_from_monday()))
        .bind(profile.disabled_at.map(micros))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn remove_profile(&mut self, id: Uuid) -> Result<(), Error> {
        // Every other table of an owner's refers to this one, or to one that does.
        sqlx::query::<Db>("DELETE FROM users WHERE id = $1").bind(id).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn add_refresh_token(&mut self, token: &RefreshToken) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO refresh_tokens (hash, user_id, family, expires_at, rotated_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(&token.hash)
        .bind(token.user_id)
        .bind(token.family)
        .bind(micros(token.expires_at))
        .bind(token.rotated_at.map(micros))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn refresh_token(&mut self, hash: &[u8]) -> Result<Option<RefreshToken>, Error> {
        let row = sqlx::query::<Db>(
            "SELECT hash, user_id, family, expires_at, rotated_at FROM refresh_tokens WHERE hash = $1",
        )
        .bind(hash)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(refresh_token).transpose()
    }

    async fn rotate_refresh_token(&mut self, hash: &[u8], at: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>("UPDATE refresh_tokens SET rotated_at = $2 WHERE hash = $1")
            .bind(hash)
            .bind(micros(at))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn end_session(&mut self, user_id: Uuid, family: Uuid) -> Result<(), Error> {
        sqlx::query::<Db>("DELETE FROM refresh_tokens WHERE user_id = $1 AND family = $2")
            .bind(user_id)
            .bind(family)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn end_sessions(&mut self, user_id: Uuid, but: Option<Uuid>) -> Result<(), Error> {
        let mut query = QueryBuilder::<Db>::new("DELETE FROM refresh_tokens WHERE user_id = ");
        query.push_bind(user_id);
        if let Some(family) = but {
            query.push(" AND family <> ").push_bind(family);
        }
        query.build().execute(&mut *self.tx).await?;
        sqlx::query::<Db>("DELETE FROM push_subscriptions WHERE user_id = $1")
            .bind(user_id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn add_access_token(&mut self, token: &AccessToken) -> Result<(), Error> {
        let scope = SCOPES.iter().find(|(_, scope)| *scope == token.scope).ok_or(Error::Corrupt("scope"))?.0;
        sqlx::query::<Db>(
            "INSERT INTO access_tokens (id, user_id, hash, name, scope, created_at, expires_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id)
        .bind(token.user_id)
        .bind(&token.hash)
        .bind(&token.name)
        .bind(scope)
        .bind(micros(token.created_at))
        .bind(token.expires_at.map(micros))
        .bind(token.last_used_at.map(micros))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn access_token(&mut self, hash: &[u8]) -> Result<Option<AccessToken>, Error> {
        let mut query = QueryBuilder::<Db>::new(ACCESS_TOKENS);
        query.push("hash = ").push_bind(hash);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(access_token).transpose()
    }

    async fn access_tokens(&mut self, user_id: Uuid) -> Result<Vec<AccessToken>, Error> {
        let mut query = QueryBuilder::<Db>::new(ACCESS_TOKENS);
        query.push("user_id = ").push_bind(user_id).push(" ORDER BY created_at DESC, id DESC");
        query.build().fetch_all(&mut *self.tx).await?.iter().map(access_token).collect()
    }

    async fn use_access_token(&mut self, hash: &[u8], at: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>("UPDATE access_tokens SET last_used_at = $2 WHERE hash = $1")
            .bind(hash)
            .bind(micros(at))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn remove_access_token(&mut self, user_id: Uuid, id: Uuid) -> Result<bool, Error> {
        let done = sqlx::query::<Db>("DELETE FROM access_tokens WHERE user_id = $1 AND id = $2")
            .bind(user_id)
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn lock_attempts(&mut self, key: &str) -> Result<(), Error> {
        if let Some(sql) = dialect::LOCK_KEY {
            sqlx::query::<Db>(sql).bind(key).execute(&mut *self.tx).await?;
        }
        Ok(())
    }

    async fn attempts(&mut self, key: &str, since: DateTime<Utc>) -> Result<(i64, Option<DateTime<Utc>>), Error> {
        let row = sqlx::query::<Db>("SELECT count(*) AS n, min(at) AS oldest FROM attempts WHERE key = $1 AND at > $2")
            .bind(key)
            .bind(micros(since))
            .fetch_one(&mut *self.tx)
            .await?;
        Ok((row.try_get("n")?, row.try_get::<Option<i64>, _>("oldest")?.map(time).transpose()?))
    }

    async fn add_attempt(&mut self, id: Uuid, key: &str, at: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>("INSERT INTO attempts (id, key, at) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(key)
            .bind(micros(at))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn remove_attempt(&mut self, id: Uuid) -> Result<(), Error> {
        sqlx::query::<Db>("DELETE FROM attempts WHERE id = $1").bind(id).execute(&mut *self.tx).await?;
        Ok(())
    }
}
