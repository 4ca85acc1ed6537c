//! Accounts, their sessions, and what counts against rate limits.

use std::sync::Arc;

use chrono::{TimeDelta, Weekday};
use futures::future::join_all;
use todo_backend::store::{AccessToken, Error, Profile, RefreshToken, Store};
use todo_domain::account::Scope;
use uuid::Uuid;

use crate::{
    db::{Db, profile},
    make::{at, id, second},
};

pub(crate) async fn an_account_survives(db: &Db) {
    let mut known = Profile {
        display_name: "Ada \"Countess\" Lovelace 👩‍💻".into(),
        created_at: at("1969-12-31T23:59:59.999999Z"),
        disabled_at: Some(at("2026-03-29T01:59:59.123456Z")),
        ..profile("ada")
    };
    let mut tx = db.begin().await;
    assert!(tx.add_profile(&known).await.unwrap());
    tx.commit().await.unwrap();
    let check = async |known: &Profile| {
        let mut tx = db.read().await;
        assert_eq!(tx.profile(known.id).await.unwrap().as_ref(), Some(known));
        assert_eq!(tx.profile_by_email(&known.email).await.unwrap().as_ref(), Some(known));
        let owner = tx.owner(known.id).await.unwrap().unwrap();
        assert_eq!((owner.revision, owner.floor), (0, 0));
        assert_eq!((owner.time_zone.as_str(), owner.disabled), (&*known.time_zone, known.disabled_at.is_some()));
        assert_eq!(owner.week_start, known.week_start);
    };
    check(&known).await;
    known = Profile {
        password_hash: "another".into(),
        display_name: "Ada".into(),
        time_zone: "Asia/Tokyo".into(),
        week_start: Weekday::Sun,
        disabled_at: None,
        ..known
    };
    let mut tx = db.begin().await;
    // Id, address and creation are not written, whatever is given.
    let asked = Profile { email: "else@example.com".into(), created_at: second(0), ..known.clone() };
    tx.put_profile(&asked).await.unwrap();
    tx.put_profile(&profile("nobody")).await.unwrap();
    tx.commit().await.unwrap();
    check(&known).await;
    let mut tx = db.read().await;
    assert_eq!(tx.profile(id(404)).await.unwrap(), None);
    assert_eq!(tx.profile_by_email("else@example.com").await.unwrap(), None);
    assert_eq!(tx.profile_by_email("nobody@example.com").await.unwrap(), None);
}

pub(crate) async fn an_address_has_one_account(db: &Db) {
    db.owner("ada").await;
    let second = Profile { id: id(2), display_name: "Impostor".into(), ..profile("ada") };
    let mut tx = db.begin().await;
    assert!(!tx.add_profile(&second).await.unwrap());
    // A refused account leaves the transaction as good as it was.
    assert!(tx.add_profile(&profile("bob")).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    assert_eq!(tx.profile(id(2)).await.unwrap(), None);
    assert!(tx.owner(id(2)).await.unwrap().is_none());
    assert_eq!(tx.profile_by_email("ada@example.com").await.unwrap(), Some(profile("ada")));
    drop(tx);

    // Many who sign up with one address at the same time: one gets it.
    let add = |number: u128, store: Arc<dyn Store>| async move {
        let mut tx = store.begin().await?;
        let added = tx.add_profile(&Profile { id: id(number), ..profile("carol") }).await?;
        tx.commit().await?;
        Ok::<_, Error>(added)
    };
    let adding = (100..132).map(|number| tokio::spawn(add(number, Arc::clone(&db.store))));
    let added = join_all(adding).await.into_iter().filter(|done| *done.as_ref().unwrap().as_ref().unwrap()).count();
    assert_eq!(added, 1);
}

pub(crate) async fn accounts_are_listed_by_address(db: &Db) {
    // As bytes compare, on every database.
    let names = ["a-b", "a.b", "a_b", "ab", "b", "ä", "ö"];
    for name in names.iter().rev() {
        db.owner(name).await;
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = db.read().await.profiles(&after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after.clone_from(&last.email);
        seen.extend(page);
    }
    assert_eq!(seen, names.map(profile));
}

fn token(user_id: Uuid, number: u8, family: u128) -> RefreshToken {
    RefreshToken {
        hash: vec![0, 255, number],
        user_id,
        family: id(family),
        expires_at: at("2026-03-29T01:59:59.123456Z"),
        rotated_at: None,
    }
}

pub(crate) async fn a_personal_token_is_found_by_its_hash_until_it_is_removed(db: &Db) {
    let owner = db.owner("ada").await;
    let first = AccessToken {
        id: id(1),
        user_id: owner,
        hash: vec![0, 255, 1],
        name: "a \"robot\" 🤖".into(),
        scope: Scope::Write,
        created_at: second(1),
        expires_at: Some(at("9999-12-31T23:59:59.999999Z")),
        last_used_at: None,
    };
    let second_one = AccessToken {
        id: id(2),
        hash: vec![2],
        scope: Scope::Read,
        created_at: second(2),
        expires_at: None,
        last_used_at: Some(second(3)),
        ..first.clone()
    };
    let mut tx = db.begin().await;
    tx.add_access_token(&first).await.unwrap();
    tx.add_access_token(&second_one).await.unwrap();
    tx.use_access_token(&first.hash, second(4)).await.unwrap();
    tx.use_access_token(&[9], second(4)).await.unwrap();
    tx.commit().await.unwrap();
    let first = AccessToken { last_used_at: Some(second(4)), ..first };
    let mut tx = db.begin().await;
    assert_eq!(tx.access_token(&first.hash).await.unwrap().as_ref(), Some(&first));
    assert_eq!(tx.access_token(&[9]).await.unwrap(), None);
    assert_eq!(tx.access_tokens(owner).await.unwrap(), [second_one.clone(), first.clone()]);
    assert!(tx.remove_access_token(owner, first.id).await.unwrap());
    assert!(!tx.remove_access_token(owner, first.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(db.read().await.access_token(&first.hash).await.unwrap(), None);
    assert_eq!(db.read().await.access_tokens(owner).await.unwrap(), [second_one]);
}

pub(crate) async fn a_refresh_token_survives_and_is_stored_once(db: &Db) {
    let owner = db.owner("ada").await;
    let known = token(owner, 1, 10);
    let mut tx = db.begin().await;
    tx.add_refresh_token(&known).await.unwrap();
    tx.add_refresh_token(&RefreshToken { rotated_at: Some(second(1)), ..token(owner, 2, 10) }).await.unwrap();
    tx.add_refresh_token(&RefreshToken { family: id(11), ..known.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    let found = async |number| db.read().await.refresh_token(&[0, 255, number]).await.unwrap();
    assert_eq!(found(1).await, Some(known.clone()));
    assert_eq!(found(2).await.unwrap().rotated_at, Some(second(1)));
    assert_eq!(found(3).await, None);
    let mut tx = db.begin().await;
    tx.rotate_refresh_token(&known.hash, second(7)).await.unwrap();
    tx.rotate_refresh_token(&[9], second(7)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(1).await, Some(RefreshToken { rotated_at: Some(second(7)), ..known }));
}

pub(crate) async fn sessions_end_by_family_and_by_account(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let mut tx = db.begin().await;
    for token in [token(ada, 1, 10), token(ada, 2, 10), token(ada, 3, 11), token(ada, 4, 12), token(bob, 5, 13)] {
        tx.add_refresh_token(&token).await.unwrap();
    }
    tx.commit().await.unwrap();
    let left = async || {
        let mut tx = db.read().await;
        let mut left = Vec::new();
        for number in 1..=5 {
            left.extend(tx.refresh_token(&[0, 255, number]).await.unwrap().map(|_| number));
        }
        left
    };
    let mut tx = db.begin().await;
    tx.end_session(ada, id(10)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(left().await, [3, 4, 5]);
    let mut tx = db.begin().await;
    tx.end_sessions(ada, Some(id(12))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(left().await, [4, 5]);
    let mut tx = db.begin().await;
    tx.end_sessions(ada, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(left().await, [5]);
}

pub(crate) async fn attempts_are_counted_since_a_moment(db: &Db) {
    let mut tx = db.begin().await;
    tx.lock_attempts("ada").await.unwrap();
    for number in 1..=5 {
        tx.add_attempt(id(u128::try_from(number).unwrap()), "ada", second(number)).await.unwrap();
    }
    tx.add_attempt(id(6), "bob", second(3)).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |key, since| db.read().await.attempts(key, since).await.unwrap();
    assert_eq!(count("ada", second(0)).await, (5, Some(second(1))));
    // The moment itself lies before.
    assert_eq!(count("ada", second(2)).await, (3, Some(second(3))));
    assert_eq!(count("ada", second(2) - TimeDelta::microseconds(1)).await, (4, Some(second(2))));
    assert_eq!(count("ada", second(5)).await, (0, None));
    assert_eq!(count("Ada", second(0)).await, (0, None));
    let mut tx = db.begin().await;
    tx.remove_attempt(id(3)).await.unwrap();
    tx.remove_attempt(id(404)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count("ada", second(2)).await, (2, Some(second(4))));
    assert_eq!(count("bob", second(2)).await, (1, Some(second(3))));
}

pub(crate) async fn attempts_counted_at_the_same_time_see_each_other(db: &Db) {
    const ALLOWED: i64 = 10;
    let attempt = |number: u128, store: Arc<dyn Store>| async move {
        let mut tx = store.begin().await?;
        tx.lock_attempts("ada").await?;
        let (before, _) = tx.attempts("ada", second(0)).await?;
        if before < ALLOWED {
            tx.add_attempt(id(number), "ada", second(1)).await?;
        }
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    let attempts = (0..64).map(|number| tokio::spawn(attempt(number, Arc::clone(&db.store))));
    for done in join_all(attempts).await {
        done.unwrap().unwrap();
    }
    assert_eq!(db.read().await.attempts("ada", second(0)).await.unwrap().0, ALLOWED);
}
