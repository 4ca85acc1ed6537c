//! Dead letters: what could not be handled is kept until somebody takes it.

use chrono::{DateTime, Utc};
use todo_backend::store::DeadLetter;

use crate::{
    db::Db,
    make::{id, second},
};

pub(crate) fn letter(number: u128, at: DateTime<Utc>) -> DeadLetter {
    DeadLetter {
        id: id(number),
        topic: "tasks".into(),
        event: format!("{{\"n\":{number}}}\0\u{ff}").into_bytes(),
        reason: "it's \"odd\"".into(),
        at,
    }
}

async fn add(db: &Db, letter: &DeadLetter) -> bool {
    let mut tx = db.begin().await;
    let new = tx.add_dead_letter(letter).await.unwrap();
    tx.commit().await.unwrap();
    new
}

pub(crate) async fn a_dead_letter_is_kept_once(db: &Db) {
    let first = letter(1, second(1));
    let second_copy =
        DeadLetter { topic: "else".into(), event: Vec::new(), reason: "else".into(), at: second(2), ..first.clone() };
    let mut tx = db.begin().await;
    assert!(tx.add_dead_letter(&first).await.unwrap());
    assert!(!tx.add_dead_letter(&second_copy).await.unwrap(), "in the same transaction");
    tx.commit().await.unwrap();
    assert!(!add(db, &second_copy).await, "in a later one");
    let mut tx = db.read().await;
    assert_eq!(tx.dead_letters(None, 10).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(tx.dead_letter(id(1)).await.unwrap(), Some(first));
    assert_eq!(tx.dead_letter(id(2)).await.unwrap(), None);
}

pub(crate) async fn dead_letters_come_in_pages_the_oldest_first(db: &Db) {
    // Several at one moment, and ids in another order than times.
    let mut letters: Vec<_> =
        (0..25).map(|number| letter(number, second(i64::try_from(24 - number).unwrap() / 3))).collect();
    for letter in &letters {
        assert!(add(db, letter).await);
    }
    letters.sort_by_key(|letter| (letter.at, letter.id));
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = db.read().await.dead_letters(after, 4).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some((last.at, last.id));
        seen.extend(page);
    }
    assert_eq!(seen, letters);
}

pub(crate) async fn a_dead_letter_is_taken_once(db: &Db) {
    add(db, &letter(1, second(1))).await;
    add(db, &letter(2, second(2))).await;
    let mut tx = db.begin().await;
    assert_eq!(tx.take_dead_letter(id(1)).await.unwrap(), Some(letter(1, second(1))));
    assert_eq!(tx.take_dead_letter(id(1)).await.unwrap(), None);
    drop(tx);
    // Not committed: it is there still.
    let mut tx = db.begin().await;
    assert_eq!(tx.take_dead_letter(id(1)).await.unwrap(), Some(letter(1, second(1))));
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert_eq!(tx.take_dead_letter(id(1)).await.unwrap(), None);
    drop(tx);
    assert_eq!(db.read().await.dead_letters(None, 10).await.unwrap(), [letter(2, second(2))]);
    assert!(add(db, &letter(1, second(3))).await, "it may come again");
}
