//! The rules of docs/language.md, each by phrases with what they mean.

use todo_language::corpus::{self, Outcome};

#[test]
fn every_phrase_means_what_the_corpus_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut cases = 0;
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for case in corpus::read(&text).unwrap_or_else(|error| panic!("{name}: {error}")) {
            cases += 1;
            match case.check() {
                Outcome::Right => {}
                Outcome::Refused => failures.push(format!("{name}:{}: {}: refused", case.line, case.phrase)),
                Outcome::Wrong(actual) => failures.push(format!("{name}:{}: {}: {actual}", case.line, case.phrase)),
            }
        }
    }
    assert!(failures.is_empty(), "{} of {cases} are wrong:\n{}", failures.len(), failures.join("\n"));
    assert!(cases >= 400, "{cases}");
}

#[test]
fn a_line_that_is_not_in_the_format_is_named() {
    let error = |text: &str| corpus::read(text).unwrap_err().to_string();
    assert_eq!(error("# fine\ncall Bob"), "line 2: must be `phrase | expected` or `phrase | context | expected`");
    assert!(error("call Bob | soon 5pm").starts_with("line 1: unknown field \"soon\", must be one of due, repeat"));
    assert_eq!(error("call Bob | zone Mars | nothing"), "line 1: zone takes no \"Mars\"");
    assert_eq!(error("@ pace 3"), "line 1: unknown key \"pace\", must be one of now, zone, week, order");
}

#[test]
fn a_reading_can_be_right_refused_or_wrong() {
    let check = |line: &str| corpus::read(line).unwrap()[0].check();
    assert_eq!(check("call Bob friday | due 2026-03-06, title call Bob"), Outcome::Right);
    assert_eq!(check("call Bob friday | due 2026-03-06"), Outcome::Right);
    assert_eq!(check("call Bob someday | due 2026-03-06"), Outcome::Refused);
    assert_eq!(check("call Bob friday | nothing"), Outcome::Wrong("due 2026-03-06, title call Bob".to_owned()));
    assert_eq!(check("this week | dates 2026-03-02..2026-03-08"), Outcome::Right);
}
