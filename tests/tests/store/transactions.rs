//! What a transaction promises, and how a store fails.

use std::sync::Arc;

use futures::future::join_all;
use todo_backend::store::Error;
use todo_domain::{Reason, query::Filter, task::Task};

use crate::{
    db::{Db, profile},
    log::change,
    make::{all, containing, full_task, id, second, snooze, task},
};

pub(crate) async fn what_is_dropped_did_not_happen(db: &Db) {
    let owner = db.owner("ada").await;
    let kept = full_task(owner, 100);
    db.insert(std::slice::from_ref(&kept)).await;
    let portrait = crate::tenants::portrait(db, owner, &kept).await;

    let mut tx = db.begin().await;
    tx.lock_owner(owner).await.unwrap();
    tx.insert_task(&full_task(owner, 200), None).await.unwrap();
    tx.update_task(&kept, &Task { title: "Changed".into(), tags: Vec::new(), ..kept.clone() }).await.unwrap();
    tx.put_snooze(&snooze(900, &kept, 901, second(50)), second(0)).await.unwrap();
    tx.add_change(owner, &change(1)).await.unwrap();
    tx.set_revision(owner, 1).await.unwrap();
    tx.add_profile(&profile("bob")).await.unwrap();
    tx.delete_task(owner, kept.id).await.unwrap();
    drop(tx);
    assert_eq!(crate::tenants::portrait(db, owner, &kept).await, portrait);
    assert_eq!(db.read().await.profile_by_email("bob@example.com").await.unwrap(), None);

    // After an error too, and after many: no connection is lost.
    for _ in 0..40 {
        let mut tx = db.begin().await;
        tx.delete_task(owner, kept.id).await.unwrap();
        tx.add_change(owner, &change(1)).await.unwrap();
        assert!(matches!(tx.add_change(owner, &change(1)).await, Err(Error::Failed(_))));
    }
    assert_eq!(crate::tenants::portrait(db, owner, &kept).await, portrait);
}

pub(crate) async fn a_read_sees_one_snapshot(db: &Db) {
    let owner = db.owner("ada").await;
    db.insert(&[task(owner, 1, "early")]).await;
    let mut before = db.read().await;
    assert_eq!(before.owner(owner).await.unwrap().unwrap().revision, 0);

    let mut tx = db.begin().await;
    tx.insert_task(&task(owner, 2, "late"), None).await.unwrap();
    tx.delete_task(owner, id(1)).await.unwrap();
    tx.set_revision(owner, 2).await.unwrap();
    // What is not committed is seen by nobody else.
    assert_eq!(db.read().await.owner(owner).await.unwrap().unwrap().revision, 0);
    tx.commit().await.unwrap();

    // Whatever it asks, and by whichever index: revision and rows belong together.
    assert_eq!(before.owner(owner).await.unwrap().unwrap().revision, 0);
    assert_eq!(before.list_tasks(owner, &all(Filter::default())).await.unwrap().0, [task(owner, 1, "early")]);
    assert_eq!(before.count_tasks(owner, &containing("early")).await.unwrap(), 1);
    assert_eq!(before.count_tasks(owner, &containing("late")).await.unwrap(), 0);
    let mut after = db.read().await;
    assert_eq!(after.owner(owner).await.unwrap().unwrap().revision, 2);
    assert_eq!(after.list_tasks(owner, &all(Filter::default())).await.unwrap().0, [task(owner, 2, "late")]);
}

pub(crate) async fn a_read_cannot_write(db: &Db) {
    let owner = db.owner("ada").await;
    let mut tx = db.read().await;
    assert!(matches!(tx.set_revision(owner, 5).await, Err(Error::Failed(_))));
    drop(tx);
    assert_eq!(db.read().await.owner(owner).await.unwrap().unwrap().revision, 0);
}

pub(crate) async fn a_writer_sees_what_it_wrote(db: &Db) {
    let owner = db.owner("ada").await;
    let mut tx = db.begin().await;
    let written = full_task(owner, 100);
    tx.insert_task(&written, Some(b"hash")).await.unwrap();
    assert_eq!(tx.tasks(owner, &[written.id]).await.unwrap(), [Task { recurrence: None, ..written.clone() }]);
    assert_eq!(tx.count_tasks(owner, &containing("plants")).await.unwrap(), 1);
    tx.delete_task(owner, written.id).await.unwrap();
    assert_eq!(tx.count_tasks(owner, &containing("plants")).await.unwrap(), 0);
    tx.commit().await.unwrap();
}

pub(crate) async fn many_readers_and_writers_at_once_find_no_error(db: &Db) {
    const WRITES: u128 = 100;
    let owner = db.owner("ada").await;
    let write = |number: u128, store: Arc<dyn todo_backend::store::Store>| async move {
        let mut tx = store.begin().await?;
        let revision = tx.lock_owner(owner).await?.expect("an account").revision + 1;
        tx.insert_task(&Task { revision, ..full_task(owner, number * 10) }, None).await?;
        tx.set_revision(owner, revision).await?;
        tx.commit().await
    };
    let read = |store: Arc<dyn todo_backend::store::Store>| async move {
        let mut tx = store.read().await?;
        let revision = tx.owner(owner).await?.expect("an account").revision;
        // The number of tasks is that of the writes before: none is seen in part.
        assert_eq!(tx.count_tasks(owner, &containing("plants")).await?, revision);
        let (tasks, _) = tx.list_tasks(owner, &all(Filter::default())).await?;
        assert_eq!(i64::try_from(tasks.len()).unwrap(), revision);
        assert!(tasks.iter().all(|task| task.reminders.len() == 3));
        Ok::<_, Error>(())
    };
    let writers = join_all((1..=WRITES).map(|number| tokio::spawn(write(number, Arc::clone(&db.store)))));
    let readers = join_all((1..=WRITES).map(|_| tokio::spawn(read(Arc::clone(&db.store)))));
    let (written, read) = tokio::join!(writers, readers);
    for done in written.into_iter().chain(read) {
        done.unwrap().unwrap();
    }
    assert_eq!(db.read().await.owner(owner).await.unwrap().unwrap().revision, 100);
}

pub(crate) async fn a_closed_store_is_unavailable(db: &Db) {
    let owner = db.owner("ada").await;
    let mut open = db.begin().await;
    // What is under way when the store is closed may end.
    let closing = tokio::spawn({
        let store = Arc::clone(&db.store);
        async move { store.close().await }
    });
    open.set_revision(owner, 1).await.unwrap();
    open.commit().await.unwrap();
    closing.await.unwrap();
    for opened in [db.store.begin().await, db.store.read().await] {
        let error = opened.map(drop).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert_eq!(todo_domain::Error::from(error).reason, Reason::ServiceUnavailable);
    }
}
