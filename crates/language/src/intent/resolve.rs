//! Which of the tasks that there are a reference means.

use todo_domain::text;

use super::{
    Reference,
    words::{is_filler, is_past, is_slip, is_verb, root, stem},
};

/// A task that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<K> {
    /// What the caller knows it by.
    pub key: K,
    /// Its title.
    pub title: String,
}

/// What a reference may mean.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a, K> {
    /// The last list that was shown, in its order.
    pub listed: &'a [Candidate<K>],
    /// What was spoken of last.
    pub touched: &'a [Candidate<K>],
    /// The tasks among which titles are sought.
    pub tasks: &'a [Candidate<K>],
}

/// The tasks that a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<K> {
    /// None.
    Nothing,
    /// These, all of them.
    These(Vec<K>),
    /// One of these; which is to be asked.
    OneOf(Vec<K>),
}

/// Finds what a reference means: the exact title first, then a part of it, then a place in the last list.
///
/// A part is all words of the reference in any form ("groceries" finds "grocery run", "called mom" finds "call mom");
/// failing that several titles joined by "and"; then without the verb ("bought milk" finds "milk for Tom"); then a title
/// all of whose words are in the reference; then one slip of the fingers, if only one task fits.
#[must_use]
pub fn resolve<K: Copy + Eq>(reference: &Reference, scene: &Scene<'_, K>) -> Found<K> {
    let keys = |candidates: &[Candidate<K>]| candidates.iter().map(|candidate| candidate.key).collect::<Vec<_>>();
    let place = |place: u32| {
        let index = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
        index.and_then(|index| scene.listed.get(index)).map_or(Found::Nothing, |one| Found::These(vec![one.key]))
    };
    let these = |keys: Vec<K>| if keys.is_empty() { Found::Nothing } else { Found::These(keys) };
    match reference {
        Reference::Title(words) => by_title(words, scene),
        Reference::Number(number) => match exact(&number.to_string(), scene) {
            titled if titled.is_empty() => place(*number),
            titled => one_of(titled),
        },
        Reference::Nth(nth) => place(*nth),
        Reference::Last => these(scene.listed.last().map(|last| last.key).into_iter().collect()),
        Reference::It if scene.touched.is_empty() => one_of(keys(scene.listed)),
        Reference::It => one_of(keys(scene.touched)),
        Reference::Both if scene.touched.len() == 2 => these(keys(scene.touched)),
        Reference::Both if scene.listed.len() == 2 => these(keys(scene.listed)),
        Reference::Both => Found::Nothing,
        Reference::All if scene.touched.len() > 1 => these(keys(scene.touched)),
        Reference::All => these(keys(if scene.listed.is_empty() { scene.touched } else { scene.listed })),
    }
}

/// A text that is in every title that has all words of a reference, in any form, the exact title included: a search for it
/// finds all that [`resolve`] would prefer, though not what is only like them (a slip, a part of the words). Nothing if there
/// is no such text.
#[must_use]
pub fn narrowing(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Title(words) => content(words).iter().filter_map(|word| root(word)).max_by_key(String::len),
        Reference::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a title has all words of a reference, in any form.
#[must_use]
pub fn has_all_words(title: &str, words: &str) -> bool {
    let title_stems = stems_of(title);
    plain(title) == plain(words) || stems_of(words).iter().all(|stem| title_stems.contains(stem))
}

fn one_of<K>(keys: Vec<K>) -> Found<K> {
    match keys.len() {
        0 => Found::Nothing,
        1 => Found::These(keys),
        _ => Found::OneOf(keys),
    }
}

/// The tasks for which something holds, each once.
fn those<K: Copy + Eq>(scene: &Scene<'_, K>, holds: impl Fn(&str) -> bool) -> Vec<K> {
    let mut keys = Vec::new();
    for candidate in scene.tasks.iter().chain(scene.listed).chain(scene.touched) {
        if !keys.contains(&candidate.key) && holds(&candidate.title) {
            keys.push(candidate.key);
        }
    }
    keys
}

fn exact<K: Copy + Eq>(words: &str, scene: &Scene<'_, K>) -> Vec<K> {
    let sought = plain(words);
    those(scene, |title| plain(title) == sought)
}

/// Without case and white space.
fn plain(words: &str) -> String {
    text::fold(&words.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn by_title<K: Copy + Eq>(words: &str, scene: &Scene<'_, K>) -> Found<K> {
    let titled = exact(words, scene);
    if !titled.is_empty() {
        return one_of(titled);
    }
    let sought = content(words);
    if sought.is_empty() {
        return Found::Nothing;
    }
    let stems: Vec<_> = sought.iter().map(|word| stem(word)).collect();
    let within = |stems: &[String]| {
        those(scene, |title| {
            let title = stems_of(title);
            stems.iter().all(|stem| title.contains(stem))
        })
    };
    // The same words in the same order are as good as the title itself.
    let same = those(scene, |title| stems_of(title) == stems);
    if !same.is_empty() {
        return one_of(same);
    }
    let partial = within(&stems);
    if !partial.is_empty() {
        return one_of(partial);
    }
    if let Some(several) = joined(words, scene) {
        return several;
    }
    let verb = sought.first().is_some_and(|first| is_verb(first) || is_past(first));
    if verb && stems.len() > 1 {
        let partial = within(&stems[1..]);
        if !partial.is_empty() {
            return one_of(partial);
        }
    }
    let covered = those(scene, |title| {
        let title = stems_of(title);
        title.len() > 1 && title.iter().all(|stem| stems.contains(stem))
    });
    if !covered.is_empty() {
        return one_of(covered);
    }
    let near = those(scene, |title| {
        let title = content(title);
        sought.iter().all(|word| title.iter().any(|other| stem(other) == stem(word) || is_slip(other, word)))
    });
    if near.len() == 1 { Found::These(near) } else { Found::Nothing }
}

/// Several titles joined by "and" or commas, each of one task.
fn joined<K: Copy + Eq>(words: &str, scene: &Scene<'_, K>) -> Option<Found<K>> {
    let parts: Vec<_> =
        words.split(',').flat_map(|part| part.split(" and ")).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() < 2 || parts.len() > 20 {
        return None;
    }
    let mut keys = Vec::new();
    for part in parts {
        let part = part.strip_prefix("and ").unwrap_or(part);
        match by_title(part, scene) {
            Found::These(found) => keys.extend(found.into_iter().filter(|key| !keys.contains(key)).collect::<Vec<_>>()),
            _ => return None,
        }
    }
    Some(Found::These(keys))
}

/// The words of a title that say something.
fn content(title: &str) -> Vec<String> {
    let folded = title.replace('’', "'").to_lowercase();
    let word = |word: &&str| !word.is_empty() && !is_filler(word);
    folded.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(word).map(str::to_owned).collect()
}

fn stems_of(title: &str) -> Vec<String> {
    content(title).iter().map(|word| stem(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(titles: &[&str]) -> Vec<Candidate<usize>> {
        titles.iter().enumerate().map(|(key, title)| Candidate { key, title: (*title).to_owned() }).collect()
    }

    fn find(words: &str, titles: &[&str]) -> Found<usize> {
        let tasks = candidates(titles);
        resolve(&Reference::Title(words.to_owned()), &Scene { listed: &[], touched: &[], tasks: &tasks })
    }

    #[test]
    fn the_exact_title_comes_before_a_part_of_another() {
        assert_eq!(find("MILK", &["buy milk", "Milk"]), Found::These(vec![1]));
        assert_eq!(find("the milk", &["buy milk", "milk", "milk"]), Found::OneOf(vec![1, 2]));
        assert_eq!(find("rent", &["pay rent", "rent a car"]), Found::OneOf(vec![0, 1]));
        assert_eq!(find("rent", &["pay rent", "call mom"]), Found::These(vec![0]));
        assert_eq!(find("rent", &["call mom"]), Found::Nothing);
    }

    #[test]
    fn words_match_in_any_form() {
        assert_eq!(find("bought the groceries", &["Buy groceries", "groceries list"]), Found::These(vec![0]));
        assert_eq!(find("called mom", &["call mom"]), Found::These(vec![0]));
        assert_eq!(find("grocery", &["buy groceries"]), Found::These(vec![0]));
        assert_eq!(find("paid the electricity bill", &["electricity bill"]), Found::These(vec![0]));
        assert_eq!(find("called mom about the party", &["call mom", "party hats"]), Found::These(vec![0]));
    }

    #[test]
    fn one_slip_is_forgiven_if_only_one_task_fits() {
        assert_eq!(find("dentsit", &["see the dentist", "pay rent"]), Found::These(vec![0]));
        assert_eq!(find("dentise", &["dentist", "dentine"]), Found::Nothing);
    }

    #[test]
    fn several_titles_may_be_joined() {
        assert_eq!(find("rent and the groceries", &["pay rent", "buy groceries"]), Found::These(vec![0, 1]));
        assert_eq!(find("bread and milk", &["buy bread and milk", "milk"]), Found::These(vec![0]));
        assert_eq!(find("rent and the cat", &["pay rent", "buy groceries"]), Found::Nothing);
    }

    #[test]
    fn places_count_in_the_last_list_and_it_is_what_was_spoken_of() {
        let (listed, touched) = (candidates(&["a", "b", "c"]), candidates(&["a"]));
        let scene = Scene { listed: &listed, touched: &touched, tasks: &listed };
        assert_eq!(resolve(&Reference::Number(2), &scene), Found::These(vec![1]));
        assert_eq!(resolve(&Reference::Nth(3), &scene), Found::These(vec![2]));
        assert_eq!(resolve(&Reference::Nth(4), &scene), Found::Nothing);
        assert_eq!(resolve(&Reference::Number(0), &scene), Found::Nothing);
        assert_eq!(resolve(&Reference::Last, &scene), Found::These(vec![2]));
        assert_eq!(resolve(&Reference::It, &scene), Found::These(vec![0]));
        assert_eq!(resolve(&Reference::Both, &scene), Found::Nothing);
        assert_eq!(resolve(&Reference::All, &scene), Found::These(vec![0, 1, 2]));
        let two = Scene { listed: &listed[..2], touched: &[], tasks: &listed };
        assert_eq!(resolve(&Reference::Both, &two), Found::These(vec![0, 1]));
        assert_eq!(resolve(&Reference::It, &two), Found::OneOf(vec![0, 1]));
        let numbered = candidates(&["x", "1"]);
        let scene = Scene { listed: &numbered, touched: &[], tasks: &numbered };
        assert_eq!(resolve(&Reference::Number(1), &scene), Found::These(vec![1]));
    }
}
