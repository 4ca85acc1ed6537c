//! Revisions, changes, replies and dead letters.

use std::sync::Arc;

use futures::future::join_all;
use todo_backend::store::{Change, ChangeKind, Error, Reply, Store};
use todo_tests::SOON;
use uuid::Uuid;

use crate::{
    db::{Db, profile},
    make::{id, second},
};

/// Writers at once.
const WRITERS: i64 = 64;

pub(crate) fn change(revision: i64) -> Change {
    Change {
        revision,
        kind: ChangeKind::Updated,
        entity_id: id(u128::try_from(revision).unwrap()),
        before: Some(format!("{{\"title\":\"it's {revision}\"}}")),
        fields: vec!["title".into(), "due_date".into()],
        at: second(revision),
    }
}

/// A whole write of an owner: it takes the next revision and answers which one that was.
async fn write(store: Arc<dyn Store>, owner: Uuid) -> Result<i64, Error> {
    let mut tx = store.begin().await?;
    let revision = tx.lock_owner(owner).await?.expect("an account").revision + 1;
    tx.add_change(owner, &change(revision)).await?;
    tx.set_revision(owner, revision).await?;
    tx.commit().await?;
    Ok(revision)
}

pub(crate) async fn writers_of_one_owner_go_one_after_the_other(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let writers = (0..WRITERS).flat_map(|_| [ada, bob]).map(|owner| tokio::spawn(write(Arc::clone(&db.store), owner)));
    let mut revisions: Vec<_> = join_all(writers).await.into_iter().map(|done| done.unwrap().unwrap()).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=WRITERS).flat_map(|revision| [revision, revision]).collect::<Vec<_>>());
    let mut tx = db.read().await;
    for owner in [ada, bob] {
        assert_eq!(tx.owner(owner).await.unwrap().unwrap().revision, WRITERS);
        let changes = tx.changes(owner, 0, 1_000).await.unwrap();
        assert!(changes.iter().map(|change| change.revision).eq(1..=WRITERS));
    }
}

pub(crate) async fn a_writer_who_waited_sees_what_the_one_before_wrote(db: &Db) {
    let owner = db.owner("ada").await;
    let zone = |revision: i64| format!("Zone/{revision}");
    let write = |store: Arc<dyn Store>| async move {
        let mut tx = store.begin().await?;
        let found = tx.lock_owner(owner).await?.expect("an account");
        let revision = found.revision + 1;
        tx.put_profile(&todo_backend::store::Profile {
            time_zone: zone(revision),
            disabled_at: (revision % 2 == 1).then(|| second(revision)),
            ..profile("ada")
        })
        .await?;
        tx.set_revision(owner, revision).await?;
        tx.commit().await?;
        Ok::<_, Error>(found)
    };
    let first = write(Arc::clone(&db.store)).await.unwrap();
    assert_eq!((first.revision, first.floor, first.disabled), (0, 0, false));
    assert_eq!(first.time_zone, "Europe/Berlin");
    let writers = (0..WRITERS).map(|_| tokio::spawn(write(Arc::clone(&db.store))));
    for done in join_all(writers).await {
        let found = done.unwrap().unwrap();
        // Everything of the account, not only the counter, is as the last writer left it.
        assert_eq!(found.time_zone, zone(found.revision));
        assert_eq!(found.disabled, found.revision % 2 == 1, "at {}", found.revision);
    }
}

pub(crate) async fn owners_do_not_wait_for_each_other(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let mut held = db.begin().await;
    held.lock_owner(ada).await.unwrap().unwrap();
    let other = tokio::time::timeout(SOON, write(Arc::clone(&db.store), bob)).await;
    assert_eq!(other.expect("it waits for nobody").unwrap(), 1);
    held.set_revision(ada, 5).await.unwrap();
    held.commit().await.unwrap();
    assert_eq!(write(Arc::clone(&db.store), ada).await.unwrap(), 6);
}

pub(crate) async fn counters_of_several_owners(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let nobody = id(404);
    let mut tx = db.begin().await;
    tx.set_revision(bob, i64::MAX).await.unwrap();
    tx.set_revision(nobody, 3).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    assert_eq!(tx.revisions(&[]).await.unwrap(), []);
    let mut found = tx.revisions(&[bob, nobody, ada]).await.unwrap();
    let mut expected = vec![(ada, 0), (bob, i64::MAX)];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(tx.owner(nobody).await.unwrap().is_none());
    drop(tx);
    assert!(db.begin().await.lock_owner(nobody).await.unwrap().is_none());
}

pub(crate) async fn changes_come_in_pages(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let kinds = [
        ChangeKind::Created,
        ChangeKind::Updated,
        ChangeKind::Completed,
        ChangeKind::Deleted,
        ChangeKind::ReminderFired,
        ChangeKind::Notified,
        ChangeKind::NotificationUpdated,
    ];
    let written: Vec<_> = (1..=25)
        .map(|revision| Change {
            kind: kinds[usize::try_from(revision).unwrap() % kinds.len()],
            before: (revision % 3 == 0).then(|| "{}".into()),
            fields: if revision % 2 == 0 { Vec::new() } else { vec!["a \"b\"".into(), "c".into()] },
            ..change(revision)
        })
        .collect();
    let mut tx = db.begin().await;
    // Written in another order than theirs.
    for change in written.iter().rev() {
        tx.add_change(ada, change).await.unwrap();
    }
    tx.add_change(bob, &change(7)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.read().await;
    let (mut since, mut seen) = (0, Vec::new());
    loop {
        let page = tx.changes(ada, since, 10).await.unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        since = last.revision;
        seen.extend(page);
    }
    let without_before: Vec<_> = written.iter().map(|change| Change { before: None, ..change.clone() }).collect();
    assert_eq!(seen, without_before);
    for change in &written {
        assert_eq!(tx.change(ada, change.revision).await.unwrap().as_ref(), Some(change));
    }
    assert_eq!(tx.change(ada, 26).await.unwrap(), None);
    assert_eq!(tx.change(bob, 7).await.unwrap(), Some(change(7)));
    assert_eq!(tx.change(bob, 8).await.unwrap(), None);
    drop(tx);

    // One row a revision, ever.
    assert!(db.begin().await.add_change(ada, &change(25)).await.is_err());
}

pub(crate) async fn a_deletion_is_remembered(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let of = |revision, kind, entity| Change { kind, entity_id: id(entity), ..change(revision) };
    let mut tx = db.begin().await;
    tx.add_change(ada, &of(1, ChangeKind::Created, 50)).await.unwrap();
    tx.add_change(ada, &of(2, ChangeKind::Deleted, 50)).await.unwrap();
    tx.add_change(ada, &of(3, ChangeKind::Updated, 51)).await.unwrap();
    tx.add_change(ada, &of(4, ChangeKind::Created, 50)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    assert!(tx.was_deleted(ada, id(50)).await.unwrap());
    assert!(!tx.was_deleted(ada, id(51)).await.unwrap());
    assert!(!tx.was_deleted(bob, id(50)).await.unwrap());
}

pub(crate) async fn a_reply_is_kept_as_it_was(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let full = Reply { request: vec![0, 255, 1], response: b"\0\xff".to_vec(), revision: Some(7), announced: true };
    let empty = Reply { request: Vec::new(), response: Vec::new(), revision: None, announced: false };
    let mut tx = db.begin().await;
    tx.add_reply(ada, "key", &full, second(1)).await.unwrap();
    tx.add_reply(ada, "KEY", &empty, second(2)).await.unwrap();
    tx.add_reply(bob, "key", &empty, second(3)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    assert_eq!(tx.reply(ada, "key").await.unwrap(), Some(full.clone()));
    assert_eq!(tx.reply(ada, "KEY").await.unwrap(), Some(empty.clone()));
    assert_eq!(tx.reply(bob, "key").await.unwrap(), Some(empty));
    assert_eq!(tx.reply(bob, "KEY").await.unwrap(), None);
    drop(tx);
    // A key is used once: the second use is found before it is written.
    assert!(db.begin().await.add_reply(ada, "key", &full, second(4)).await.is_err());
}
