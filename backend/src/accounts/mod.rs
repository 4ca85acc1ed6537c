//! Accounts: sign-up, sign-in, sessions and the profile. [`operator`] is for whoever runs the server.

pub(crate) mod attempts;
mod deletion;
mod export;
pub mod operator;
mod password;
pub(crate) mod secret;
mod session;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use std::sync::Arc;

use chrono::Weekday;
use todo_domain::{
    Error, Violations,
    account::{self, Email, Password, Scope},
    error::Reason,
};
use todo_proto::v1::{self, auth_service_server::AuthService};
use todo_runtime::status;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::{attempts::Limit, password::Hasher};
use crate::{
    convert::{self, required, timestamp},
    core::{Call, Core, known},
    store::Profile,
};

/// Accounts and their sessions.
pub(crate) struct Service {
    core: Arc<Core>,
    hasher: Hasher,
}

impl Service {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, hasher: Hasher::new() }
    }

    async fn open_account(&self, request: Request<v1::SignUpRequest>) -> Result<v1::Session, Error> {
        let core = &*self.core;
        if !core.options.sign_up {
            return Err(Error::new(
                Reason::PermissionDenied,
                "this server is closed for sign-up; ask whoever runs it for an account",
            ));
        }
        let limit = self.limit(&["sign-up", &attempts::network(request.metadata())], core.options.sign_ups_per_address);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let email = violations.take(Email::parse(&request.email));
        let password = violations.take(Password::parse(&request.password, "password"));
        let display_name = violations.take(account::display_name(&request.display_name));
        let zone = violations.take(account::zone(request.time_zone.as_deref().unwrap_or("UTC")));
        let (Some(email), Some(password), Some(display_name), Some(zone)) = (email, password, display_name, zone)
        else {
            return violations.into_result(()).and(Err(Error::internal("a missing value without a violation")));
        };

        let mut tx = core.store.begin().await?;
        let attempts = attempts::count(tx.as_mut(), &*core.ids, &[limit], core.clock.now()).await?;
        tx.commit().await?;

        // Hashed before the address is looked up, so that a taken one takes as long.
        let hashed = self.hasher.hash(password).await;
        let password_hash = self.judged(hashed, &attempts).await?;
        let now = core.clock.now();
        let profile = Profile {
            id: core.ids.new_id(now),
            email: email.to_string(),
            password_hash,
            display_name,
            time_zone: zone.name().to_owned(),
            week_start: Weekday::Mon,
            created_at: now,
            disabled_at: None,
        };
        let mut tx = core.store.begin().await?;
        if !tx.add_profile(&profile).await? {
            return Err(Error::new(Reason::EmailExists, "this e-mail address has an account already; sign in instead"));
        }
        let session = session::open(core, tx.as_mut(), &profile, now).await?;
        tx.commit().await?;
        tracing::debug!(user.id = %profile.id, "signed up");
        Ok(session)
    }

    async fn open_session(&self, request: Request<v1::SignInRequest>) -> Result<v1::Session, Error> {
        let core = &*self.core;
        let network = attempts::network(request.metadata());
        let request = request.into_inner();
        let mut violations = Violations::new();
        violations.check(!request.email.is_empty(), "email", || "must not be empty");
        violations.check(!request.password.is_empty(), "password", || "must not be empty");
        violations.into_result(())?;

        // What is no e-mail address has no account, and is refused like any other that has none.
        let email = Email::parse(&request.email).ok();
        let name = email.as_ref().map_or(request.email.as_str(), Email::as_str);
        let limits = self.limits(name, &network);
        let mut tx = core.store.begin().await?;
        let attempts = attempts::count(tx.as_mut(), &*core.ids, &limits, core.clock.now()).await?;
        let profile = match &email {
            Some(email) => tx.profile_by_email(email.as_str()).await?,
            None => None,
        };
        tx.commit().await?;

        let phc = profile.as_ref().map(|profile| profile.password_hash.clone());
        let verified = self.hasher.verify(phc, password::claimed(&request.password)).await;
        let right = self.judged(verified, &attempts).await?;
        let profile = profile.filter(|_| right).ok_or_else(wrong)?;

        let now = core.clock.now();
        let mut tx = core.store.begin().await?;
        let owner = tx.lock_owner(profile.id).await?;
        // The password may have been changed while it was verified, and the account closed or deleted.
        let present = tx.profile(profile.id).await?.filter(|present| present.password_hash == profile.password_hash);
        let (Some(profile), Ok(_)) = (present, known(owner)) else { return Err(wrong()) };
        attempts::take_back(tx.as_mut(), &attempts).await?;
        let session = session::open(core, tx.as_mut(), &profile, now).await?;
        tx.commit().await?;
        tracing::debug!(user.id = %profile.id, "signed in");
        Ok(session)
    }

    async fn end_all(&self, request: Request<v1::SignOutEverywhereRequest>) -> Result<(), Error> {
        let user_id = self.core.call(&request, Scope::Account).await?.user_id;
        let mut tx = self.core.lock(user_id).await?;
        tx.end_sessions(user_id, None).await?;
        tx.commit().await?;
        tracing::debug!(user.id = %user_id, "signed out everywhere");
        Ok(())
    }

    async fn read(&self, request: Request<v1::GetMeRequest>) -> Result<v1::User, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let (mut tx, _) = self.core.read(&call).await?;
        tx.profile(call.user_id).await?.map(|profile| user(&profile)).ok_or_else(missing)
    }

    async fn update(&self, request: Request<v1::UpdateMeRequest>) -> Result<v1::User, Error> {
        let user_id = self.core.call(&request, Scope::Account).await?.user_id;
        let edit = Edit::parse(request.into_inner())?;
        let mut tx = self.core.lock(user_id).await?;
        let mut profile = tx.profile(user_id).await?.ok_or_else(missing)?;
        profile.display_name = edit.display_name.unwrap_or(profile.display_name);
        profile.time_zone = edit.time_zone.unwrap_or(profile.time_zone);
        profile.week_start = edit.week_start.unwrap_or(profile.week_start);
        tx.put_profile(&profile).await?;
        tx.commit().await?;
        Ok(user(&profile))
    }

    async fn replace_password(&self, request: Request<v1::ChangePasswordRequest>) -> Result<(), Error> {
        let core = &*self.core;
        let call = core.call(&request, Scope::Account).await?;
        let network = attempts::network(request.metadata());
        let request = request.into_inner();
        let mut violations = Violations::new();
        violations.check(!request.current_password.is_empty(), "current_password", || "must not be empty");
        let new = violations.take(Password::parse(&request.new_password, "new_password"));
        violations.into_result(())?;
        let new = new.ok_or_else(|| Error::internal("a missing value without a violation"))?;

        let (before, attempts) = self.challenge(&call, &network).await?;
        let current = password::claimed(&request.current_password);
        let replaced = self.hasher.replace(before.password_hash.clone(), current, new).await;
        let password_hash = self.judged(replaced, &attempts).await?.ok_or_else(wrong_current)?;

        let mut tx = core.lock(call.user_id).await?;
        let present = tx.profile(call.user_id).await?.ok_or_else(missing)?;
        if present.password_hash != before.password_hash {
            return Err(wrong_current());
        }
        tx.put_profile(&Profile { password_hash, ..present }).await?;
        let keep = session::of(tx.as_mut(), call.user_id, &request.refresh_token).await?;
        tx.end_sessions(call.user_id, keep).await?;
        attempts::take_back(tx.as_mut(), &attempts).await?;
        tx.commit().await?;
        tracing::debug!(user.id = %call.user_id, "password changed");
        Ok(())
    }

    /// The account of a call that says its password again, with the attempts that this is: guessing the password of a
    /// session left open counts like guessing it at the door.
    async fn challenge(&self, call: &Call, network: &str) -> Result<(Profile, Vec<Uuid>), Error> {
        let mut tx = self.core.store.begin().await?;
        known(tx.owner(call.user_id).await?)?;
        let profile = tx.profile(call.user_id).await?.ok_or_else(missing)?;
        let limits = self.limits(&profile.email, network);
        let attempts = attempts::count(tx.as_mut(), &*self.core.ids, &limits, call.now).await?;
        tx.commit().await?;
        Ok((profile, attempts))
    }

    /// What became of a password. When it was not even looked at, the attempt that was counted was none.
    async fn judged<T>(&self, verdict: Result<T, Error>, attempts: &[Uuid]) -> Result<T, Error> {
        if verdict.is_err() {
            let mut tx = self.core.store.begin().await?;
            attempts::take_back(tx.as_mut(), attempts).await?;
            tx.commit().await?;
        }
        verdict
    }

    /// What a failed sign-in counts for: the network, and the account as seen from there.
    fn limits(&self, email: &str, network: &str) -> [Limit; 2] {
        let options = &self.core.options;
        [
            self.limit(&["sign-in", network], options.sign_ins_per_address),
            self.limit(&["sign-in", network, email], options.sign_ins_per_account),
        ]
    }

    fn limit(&self, parts: &[&str], most: i64) -> Limit {
        Limit::new(&self.core.keys.secret(), parts, most)
    }
}

/// The checked changes of an `UpdateMe`.
#[derive(Debug, Default)]
struct Edit {
    display_name: Option<String>,
    time_zone: Option<String>,
    week_start: Option<Weekday>,
}

impl Edit {
    fn parse(request: v1::UpdateMeRequest) -> Result<Self, Error> {
        let user = required(request.user, "user")?;
        // Without a mask, what is set (AIP-134). Fields that only the server writes are ignored then (AIP-203).
        let (mut name, mut zone) = (!user.display_name.is_empty(), !user.time_zone.is_empty());
        let mut week = user.week_start != 0;
        let mut violations = Violations::new();
        if let Some(mask) = request.update_mask {
            (name, zone, week) = (false, false, false);
            for path in mask.paths {
                match path.as_str() {
                    "display_name" => name = true,
                    "time_zone" => zone = true,
                    "week_start" => week = true,
                    _ => violations
                        .push("update_mask", format!("must only name display_name, time_zone, week_start: {path:?}")),
                }
            }
        }
        let mut edit = Self::default();
        if name {
            edit.display_name = violations.take(account::display_name(&user.display_name));
        }
        if zone {
            edit.time_zone = violations.take(account::zone(&user.time_zone)).map(|zone| zone.name().to_owned());
        }
        if week {
            edit.week_start = convert::weekday(user.week_start);
            violations.check(edit.week_start.is_some(), "week_start", || "must be a day of the week such as monday");
        }
        violations.into_result(edit)
    }
}

fn user(profile: &Profile) -> v1::User {
    v1::User {
        id: profile.id.to_string(),
        email: profile.email.clone(),
        display_name: profile.display_name.clone(),
        time_zone: profile.time_zone.clone(),
        created_at: Some(timestamp(profile.created_at)),
        week_start: convert::proto_weekday(profile.week_start).into(),
    }
}

fn wrong() -> Error {
    Error::new(Reason::InvalidCredentials, "e-mail or password is wrong")
}

fn wrong_current() -> Error {
    Error::new(Reason::InvalidCredentials, "the current password is wrong")
}

/// Says of an owner without a profile what [`known`] says of no owner.
fn missing() -> Error {
    known(None).map_or_else(|error| error, |_| Error::internal("an owner out of nothing"))
}

fn reply<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(status::from_error)
}

#[tonic::async_trait]
impl AuthService for Service {
    async fn sign_up(&self, request: Request<v1::SignUpRequest>) -> Result<Response<v1::Session>, Status> {
        reply(self.open_account(request).await)
    }

    async fn sign_in(&self, request: Request<v1::SignInRequest>) -> Result<Response<v1::Session>, Status> {
        reply(self.open_session(request).await)
    }

    async fn refresh(&self, request: Request<v1::RefreshRequest>) -> Result<Response<v1::Session>, Status> {
        reply(session::refresh(&self.core, &request.get_ref().refresh_token).await)
    }

    async fn sign_out(&self, request: Request<v1::SignOutRequest>) -> Result<Response<()>, Status> {
        reply(session::end(&self.core, &request.get_ref().refresh_token).await)
    }

    async fn sign_out_everywhere(
        &self,
        request: Request<v1::SignOutEverywhereRequest>,
    ) -> Result<Response<()>, Status> {
        reply(self.end_all(request).await)
    }

    async fn get_me(&self, request: Request<v1::GetMeRequest>) -> Result<Response<v1::User>, Status> {
        reply(self.read(request).await)
    }

    async fn update_me(&self, request: Request<v1::UpdateMeRequest>) -> Result<Response<v1::User>, Status> {
        reply(self.update(request).await)
    }

    async fn change_password(&self, request: Request<v1::ChangePasswordRequest>) -> Result<Response<()>, Status> {
        reply(self.replace_password(request).await)
    }

    type ExportAccountStream = ReceiverStream<Result<v1::ExportAccountResponse, Status>>;

    async fn export_account(
        &self,
        request: Request<v1::ExportAccountRequest>,
    ) -> Result<Response<Self::ExportAccountStream>, Status> {
        reply(export::start(&self.core, request).await)
    }

    async fn delete_account(&self, request: Request<v1::DeleteAccountRequest>) -> Result<Response<()>, Status> {
        reply(self.delete(request).await)
    }

    async fn create_access_token(
        &self,
        request: Request<v1::CreateAccessTokenRequest>,
    ) -> Result<Response<v1::AccessToken>, Status> {
        reply(tokens::create(&self.core, request).await)
    }

    async fn list_access_tokens(
        &self,
        request: Request<v1::ListAccessTokensRequest>,
    ) -> Result<Response<v1::ListAccessTokensResponse>, Status> {
        reply(tokens::list(&self.core, request).await)
    }

    async fn revoke_access_token(
        &self,
        request: Request<v1::RevokeAccessTokenRequest>,
    ) -> Result<Response<()>, Status> {
        reply(tokens::revoke(&self.core, request).await)
    }
}
