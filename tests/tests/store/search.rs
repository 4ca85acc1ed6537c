//! Text search: what is in title, description or a tag is found, letter by letter, whatever it looks like.

use todo_domain::{query::Filter, task::Task};
use uuid::Uuid;

use crate::{
    db::Db,
    make::{NONE, Random, all, containing, id, ids, task},
};

async fn found(db: &Db, owner: Uuid, term: &str) -> Vec<Uuid> {
    let mut tx = db.read().await;
    let filter = containing(term);
    let (tasks, _) = tx.list_tasks(owner, &all(filter.clone())).await.unwrap();
    let count = tx.count_tasks(owner, &filter).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), tasks.len(), "{term:?}");
    ids(&tasks)
}

pub(crate) async fn every_part_of_a_text_is_found(db: &Db) {
    let owner = db.owner("ada").await;
    let one = Task {
        description: "before\nFriday, or else".into(),
        tags: vec!["Errands".into(), "two words".into()],
        ..task(owner, 1, "Buy oat milk")
    };
    db.insert(&[one, task(owner, 2, "Something else")]).await;
    for text in ["buy oat milk", "before\nfriday, or else", "errands", "two words"] {
        let letters: Vec<_> = text.chars().collect();
        for start in 0..letters.len() {
            for end in start + 1..=letters.len() {
                let part: String = letters[start..end].iter().collect();
                assert!(found(db, owner, &part).await.contains(&id(1)), "{part:?}");
            }
        }
    }
    assert_eq!(found(db, owner, "else").await, [id(1), id(2)]);
    for absent in ["oatmilk", "milk buy", "before friday", "twowords", "buy  oat", "x"] {
        assert_eq!(found(db, owner, absent).await, NONE, "{absent:?}");
    }
}

pub(crate) async fn no_character_is_special(db: &Db) {
    let owner = db.owner("ada").await;
    let texts = [
        "100% sure",
        "100 sure",
        "snake_case_name",
        "snakeXcaseXname",
        "back\\slash",
        "back\\\\slash",
        "say \"hi\"",
        "it's '' quoted",
        "a AND b",
        "NEAR(a b, 2)",
        "star* and -minus",
        "title: ^caret",
        "col:umn {set}",
        "(paren)",
        "C++ & C#",
        "a.b*c?[d]",
        "%%%",
        "___",
        "\\%_",
        "\"\"\"",
        "---",
        "***",
        "^^^",
        ":::",
        "'''",
        "; --",
        "$1 ?1",
        "OR",
        "NOT x",
        "tab\there",
        "line\nbreak\n\nend",
        "  two  spaces",
        "\u{feff}bom",
        "null \u{1}\u{2}",
    ];
    let tasks: Vec<_> = (1..).zip(texts).map(|(number, text)| task(owner, number, text)).collect();
    db.insert(&tasks).await;
    let operators =
        ["%", "_", "\\", "\"", "'", "*", "-", "^", ":", "(", ")", "AND", " AND ", "NEAR(", "NOT", "OR ", "\n", " "];
    let parts = texts.iter().flat_map(|text| {
        let letters: Vec<_> = text.chars().collect();
        (1..=letters.len().min(5)).flat_map(move |length| {
            letters.windows(length).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>()
        })
    });
    let terms = operators.into_iter().chain(texts).map(str::to_owned).chain(parts);
    for term in terms.collect::<std::collections::BTreeSet<_>>() {
        let filter = containing(&term);
        let expected: Vec<_> = tasks.iter().filter(|task| filter.matches(task)).map(|task| task.id).collect();
        assert_eq!(found(db, owner, &term).await, expected, "{term:?}");
    }
}

pub(crate) async fn case_and_composition_do_not_matter(db: &Db) {
    let owner = db.owner("ada").await;
    let texts = ["Straße", "İstanbul", "ΣΊΣΥΦΟΣ", "cafe\u{301} crème", "ÅNGSTRÖM", "日本語の本", "👩‍👩‍👧 family", "ﬁnal"];
    let tasks: Vec<_> = (1..).zip(texts).map(|(number, text)| task(owner, number, text)).collect();
    db.insert(&tasks).await;
    for (number, terms) in [
        (1, &["straße", "STRAßE", "ß", "aß", "STRAẞE"][..]),
        (2, &["İSTANBUL", "i\u{307}stanbul", "istanbul", "stan", "İ", "İs"]),
        (3, &["σίσυφος", "ΣΊΣΥΦΟΣ", "φος", "φοσ", "Σ"]),
        (4, &["CAFÉ", "cafe\u{301}", "é", "E\u{301}", "Crème", "É C"]),
        (5, &["ångström", "A\u{30a}ngstro\u{308}m", "\u{212b}NG", "Ö"]),
        (6, &["日", "本", "日本", "本語の", "の本"]),
        (7, &["👩‍👩‍👧", "👩", "👧", "\u{200d}", "👧 FAM"]),
        (8, &["ﬁnal", "ﬁ", "NAL"]),
    ] {
        for term in terms {
            // Whether the domain says that it matches is the question; here only that both agree with it.
            let expected: Vec<_> =
                tasks.iter().filter(|task| containing(term).matches(task)).map(|task| task.id).collect();
            assert_eq!(found(db, owner, term).await, expected, "{term:?}");
            if *term != "istanbul" && *term != "STRAẞE" {
                assert!(expected.contains(&id(number)), "{term:?}");
            }
        }
    }
}

pub(crate) async fn no_term_matches_across_two_fields(db: &Db) {
    let owner = db.owner("ada").await;
    let one =
        Task { description: "beta".into(), tags: vec!["gamma".into(), "delta".into()], ..task(owner, 1, "alpha") };
    db.insert(&[one, task(owner, 2, "sep\u{1f}arated")]).await;
    for absent in ["alphabeta", "ab", "abe", "agamma", "adelta", "ad", "alpha beta", "gammadelta"] {
        assert_eq!(found(db, owner, absent).await, NONE, "{absent:?}");
    }
    // The one character that search does not find, in terms short and long: it keeps the fields apart.
    for absent in ["\u{1f}", "a\u{1f}", "alpha\u{1f}beta", "sep\u{1f}arated"] {
        assert_eq!(found(db, owner, absent).await, NONE, "{absent:?}");
    }
    assert_eq!(found(db, owner, "arated").await, [id(2)]);
}

pub(crate) async fn what_is_not_there_any_more_is_not_found(db: &Db) {
    let owner = db.owner("ada").await;
    let before = Task { description: "crimson".into(), tags: vec!["scarlet".into()], ..task(owner, 1, "vermilion") };
    db.insert(std::slice::from_ref(&before)).await;
    let words = ["vermilion", "crimson", "scarlet", "ve", "turquoise", "navy", "indigo", "qu"];
    let check = async |there: &[&str]| {
        for word in words {
            assert_eq!(!found(db, owner, word).await.is_empty(), there.contains(&word), "{word}");
        }
    };
    check(&["vermilion", "crimson", "scarlet", "ve"]).await;

    let after = Task { description: "navy".into(), tags: vec!["indigo".into()], ..task(owner, 1, "turquoise") };
    let mut tx = db.begin().await;
    tx.update_task(&before, &after).await.unwrap();
    tx.commit().await.unwrap();
    check(&["turquoise", "navy", "indigo", "qu"]).await;

    // What is rolled back was never there.
    let mut tx = db.begin().await;
    tx.update_task(&after, &before).await.unwrap();
    tx.delete_task(owner, id(1)).await.unwrap();
    drop(tx);
    check(&["turquoise", "navy", "indigo", "qu"]).await;

    let mut tx = db.begin().await;
    tx.delete_task(owner, id(1)).await.unwrap();
    tx.commit().await.unwrap();
    check(&[]).await;
}

/// Short texts of few and odd letters, so that terms and texts meet often.
fn random_text(random: &mut Random, longest: usize) -> String {
    const LETTERS: [&str; 28] = [
        "a", "b", "A", " ", "\n", "%", "_", "\\", "\"", "'", "*", "-", "^", ":", "(", "AND", "ä", "Ä", "a\u{308}", "ß",
        "İ", "i", "\u{307}", "Σ", "ς", "日", "👍", "\u{200d}",
    ];
    let length = 1 + random.below(longest);
    (0..length).map(|_| *random.pick(&LETTERS)).collect()
}

pub(crate) async fn search_agrees_with_the_domain(db: &Db) {
    let owner = db.owner("ada").await;
    let mut random = Random(11);
    let mut tasks: Vec<_> = (1..=300)
        .map(|number| Task {
            description: random_text(&mut random, 30),
            tags: (0..random.below(3)).map(|tag| format!("{tag}{}", random_text(&mut random, 6))).collect(),
            ..task(owner, number, &random_text(&mut random, 12))
        })
        .collect();
    db.insert(&tasks).await;
    // A third is rewritten, so that the index has forgotten and learned.
    let mut tx = db.begin().await;
    for task in tasks.iter_mut().step_by(3) {
        let after = Task { title: random_text(&mut random, 12), ..task.clone() };
        tx.update_task(task, &after).await.unwrap();
        *task = after;
    }
    tx.commit().await.unwrap();

    let mut hits = 0;
    for _ in 0..500 {
        let term = random_text(&mut random, 4);
        let filter: Filter = containing(&term);
        let expected: Vec<_> = tasks.iter().filter(|task| filter.matches(task)).map(|task| task.id).collect();
        assert_eq!(found(db, owner, &term).await, expected, "{term:?}");
        hits += usize::from(!expected.is_empty());
    }
    assert!(hits > 150, "terms that find nothing show little: {hits}");
}
