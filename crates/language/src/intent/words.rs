//! The words of requests, as people type them.

/// A word as it is meant: without slips of the fingers, with its apostrophe.
pub(super) fn normal(word: &str) -> &str {
    match word {
        "pls" | "plz" | "plese" | "plase" | "pleaes" => "please",
        "u" => "you",
        "whats" | "wats" | "wat's" | "waht's" => "what's",
        "wat" | "waht" => "what",
        "hows" => "how's",
        "whens" => "when's",
        "wheres" => "where's",
        "whos" => "who's",
        "dont" => "don't",
        "didnt" => "didn't",
        "doesnt" => "doesn't",
        "isnt" => "isn't",
        "arent" => "aren't",
        "havent" => "haven't",
        "hasnt" => "hasn't",
        "wasnt" => "wasn't",
        "cant" => "can't",
        "wont" => "won't",
        "im" => "i'm",
        "ive" => "i've",
        "lets" => "let's",
        "thats" => "that's",
        "theres" => "there's",
        "shwo" | "sohw" | "hsow" => "show",
        "lsit" | "lits" | "ilst" => "list",
        "tsak" | "tasl" => "task",
        "taks" | "taskes" | "taskss" | "tsaks" | "taskks" | "tassk" => "tasks",
        "remnd" | "remid" | "reminf" | "reming" | "rmeind" => "remind",
        "remeber" | "rember" | "remmeber" | "rembmer" => "remember",
        "froget" | "forgt" | "foget" => "forget",
        "delte" | "deleet" | "dleete" | "delet" | "detele" | "deelte" => "delete",
        "remvoe" | "remov" | "rmove" | "reomve" => "remove",
        "cancle" | "cancell" | "cnacel" => "cancel",
        "compelte" | "complet" | "compleet" | "cmplete" | "completel" | "complte" => "complete",
        "compelted" | "completd" | "complted" => "completed",
        "finsh" | "finihs" | "fnish" | "finich" => "finish",
        "finishd" | "finshed" | "finihsed" | "fnished" => "finished",
        "doen" | "dnoe" | "donee" => "done",
        "crate" | "creat" | "craete" | "creaet" => "create",
        "udpate" | "updaet" | "upadte" | "updte" => "update",
        "chnage" | "chagne" | "cahnge" => "change",
        "renmae" | "renam" => "rename",
        "reschedul" | "rescedule" | "reshcedule" | "reschdule" => "reschedule",
        "postpon" | "pospone" => "postpone",
        "overude" | "overdu" | "ovedue" => "overdue",
        "prioirty" | "priorty" | "priortiy" | "proirity" => "priority",
        "undoo" | "udno" => "undo",
        "yess" | "yees" => "yes",
        "todoo" | "tood" => "todo",
        "mkae" | "amke" => "make",
        "amrk" | "makr" => "mark",
        "ad" => "add",
        "teh" | "hte" => "the",
        "waz" => "was",
        "thx" | "tnx" | "thnx" | "ty" | "thanx" => "thanks",
        _ => word,
    }
}

/// A task, or what people call one.
pub(super) fn is_task(word: &str) -> bool {
    matches!(word, "task" | "todo" | "reminder" | "item" | "chore" | "errand" | "deadline" | "thing" | "entry")
        || is_tasks(word)
}

/// Several tasks.
pub(super) fn is_tasks(word: &str) -> bool {
    matches!(
        word,
        "tasks"
            | "todos"
            | "reminders"
            | "items"
            | "chores"
            | "errands"
            | "deadlines"
            | "things"
            | "stuff"
            | "list"
            | "lists"
            | "agenda"
            | "schedule"
            | "duties"
            | "assignments"
    )
}

/// Words that say nothing about which task is meant.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "a"
            | "an"
            | "my"
            | "our"
            | "your"
            | "this"
            | "that"
            | "to"
            | "of"
            | "for"
            | "at"
            | "on"
            | "in"
            | "with"
            | "and"
            | "some"
            | "one"
            | "task"
            | "about"
            | "from"
            | "i"
            | "me"
            | "it"
            | "is"
            | "was"
            | "all"
            | "up"
            | "just"
            | "already"
            | "finally"
    )
}

/// What people write at the beginning of things to do.
const VERBS: &str = "accept add address adjust adopt advertise answer apologize apply appoint approve arrange ask assemble \
    assign attach attend audit backup bake bathe begin bike block board book borrow brainstorm bring brush build buy \
    calculate call cancel carry cash catch celebrate change charge chase chat check choose claim clean clear climb close \
    code collect commit compare complete compose conduct confirm connect contact convert cook copy correct cover create \
    cut deal debug declutter decorate defrost deliver deploy deposit descale describe design develop dispose discuss \
    dismantle do donate download draft draw drink drive drop dry dust eat edit email empty enroll ensure enter erase \
    estimate evaluate examine exchange exercise explain explore extend fetch feed fertilize file fill finalize find \
    finish fix flip fly fold follow format freeze gather generate get give go grab grade greet grill groom grow hand hang \
    harvest have help hire hoover host hug implement improve increase inform inspect install interview introduce \
    investigate invite invoice iron jog join keep kiss knit knock label launch learn leave lend listen load lock look lower \
    mail maintain make map measure meditate meet memorize mend merge message migrate mop move mow negotiate nap notify \
    obtain offer open order organise organize outline pack paint park patch pay perform pet phone photograph pick ping \
    plan plant play plug polish post practice practise prep prepare present press print process proofread propose prune \
    publish pull purchase push put raise rake reach read rearrange rebook recharge record recycle redeem redo refactor \
    refill refund register rehearse reinstall release remove renew rent reorganize repair repaint repeat replace reply \
    report repot request rescue research reserve reset resolve respond rest restart restock return review revise rewrite \
    ride roast rotate run save scan schedule scrape scrub seal search see sell send separate serve service sew shampoo \
    share sharpen shave ship shop shovel shower sign skype sleep snap solve sort speak spend spray stack start steam stop \
    store stretch study submit subscribe supply swap sweep swim switch sync tackle take talk teach tell test text thank \
    throw tidy tie tighten toast track trade train transfer translate transplant trim try turn tutor type unblock \
    unclog uninstall unload unpack unplug unsubscribe update upgrade upload use vacuum validate vaccinate verify visit \
    volunteer vote wait wake walk warm wash watch water weed weigh welcome wipe withdraw work wrap write";

/// Whether things to do begin with this word: "buy", "call".
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.split_ascii_whitespace().any(|verb| verb == word)
}

const IRREGULAR: &[(&str, &str)] = &[
    ("ate", "eat"),
    ("began", "begin"),
    ("begun", "begin"),
    ("bought", "buy"),
    ("brought", "bring"),
    ("built", "build"),
    ("caught", "catch"),
    ("chose", "choose"),
    ("chosen", "choose"),
    ("cut", "cut"),
    ("dealt", "deal"),
    ("did", "do"),
    ("done", "do"),
    ("drank", "drink"),
    ("drew", "draw"),
    ("drove", "drive"),
    ("driven", "drive"),
    ("eaten", "eat"),
    ("fed", "feed"),
    ("flew", "fly"),
    ("found", "find"),
    ("froze", "freeze"),
    ("gave", "give"),
    ("given", "give"),
    ("gone", "go"),
    ("got", "get"),
    ("gotten", "get"),
    ("had", "have"),
    ("held", "hold"),
    ("hung", "hang"),
    ("kept", "keep"),
    ("laid", "lay"),
    ("learnt", "learn"),
    ("left", "leave"),
    ("lent", "lend"),
    ("made", "make"),
    ("met", "meet"),
    ("paid", "pay"),
    ("payed", "pay"),
    ("put", "put"),
    ("ran", "run"),
    ("read", "read"),
    ("redid", "redo"),
    ("rewrote", "rewrite"),
    ("rode", "ride"),
    ("rang", "ring"),
    ("sent", "send"),
    ("set", "set"),
    ("sewn", "sew"),
    ("saw", "see"),
    ("seen", "see"),
    ("shut", "shut"),
    ("slept", "sleep"),
    ("sold", "sell"),
    ("sought", "seek"),
    ("spent", "spend"),
    ("spoke", "speak"),
    ("spoken", "speak"),
    ("swam", "swim"),
    ("swept", "sweep"),
    ("taken", "take"),
    ("taught", "teach"),
    ("thought", "think"),
    ("threw", "throw"),
    ("thrown", "throw"),
    ("told", "tell"),
    ("took", "take"),
    ("went", "go"),
    ("withdrew", "withdraw"),
    ("woke", "wake"),
    ("wore", "wear"),
    ("written", "write"),
    ("wrote", "write"),
];

/// The base of an irregular form: "bought" is of "buy".
fn irregular(word: &str) -> Option<&'static str> {
    IRREGULAR.iter().find(|(past, _)| *past == word).map(|(_, base)| *base)
}

/// Whether a word says that something was done: "bought", "called", but not "put" and "read", which may be told to do.
pub(super) fn is_past(word: &str) -> bool {
    if let Some(base) = irregular(word) {
        return base != word && !matches!(word, "left" | "found" | "thought" | "saw" | "got" | "had" | "did" | "done");
    }
    let Some(short) = word.strip_suffix("ed") else { return false };
    let undoubled = short.char_indices().next_back().map_or("", |(last, _)| &short[..last]);
    let doubled = short.ends_with(|last| undoubled.ends_with(last));
    is_verb(short)
        || word.strip_suffix('d').is_some_and(is_verb)
        || doubled && is_verb(undoubled)
        || short.strip_suffix('i').is_some_and(|short| is_verb(&format!("{short}y")))
}

/// What the forms of a word have in common: "groceries" and "grocery", "bought" and "buy", "calling" and "called".
pub(super) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let mut stem = irregular(word).unwrap_or(word).to_owned();
    let cut = |stem: &mut String, letters: usize, end: &str| {
        stem.truncate(stem.len() - letters);
        stem.push_str(end);
    };
    if stem.len() > 4 && stem.ends_with("ies") {
        cut(&mut stem, 3, "y");
    } else if ["ses", "xes", "zes", "ches", "shes"].iter().any(|end| stem.ends_with(end)) {
        cut(&mut stem, 2, "");
    } else if stem.len() > 3 && stem.ends_with('s') && !stem.ends_with("ss") && !stem.ends_with("us") {
        cut(&mut stem, 1, "");
    }
    if stem.len() > 5 && stem.ends_with("ing") {
        cut(&mut stem, 3, "");
    } else if stem.len() > 4 && stem.ends_with("ied") {
        cut(&mut stem, 3, "y");
    } else if stem.len() > 4 && stem.ends_with("ed") {
        cut(&mut stem, 2, "");
    }
    if stem.len() > 3 && stem.ends_with('e') {
        cut(&mut stem, 1, "");
    }
    let mut ends = stem.chars().rev();
    if let (Some(last), true) = (ends.next(), stem.len() > 2)
        && ends.next() == Some(last)
    {
        stem.pop();
    }
    stem
}

/// What all forms of a word begin with, for a search: at least two letters or digits. Nothing if it has irregular forms.
pub(super) fn root(word: &str) -> Option<String> {
    let stem = stem(word);
    if IRREGULAR.iter().any(|(_, base)| self::stem(base) == stem) {
        return None;
    }
    // "groceries" is a form of "grocery", and an apostrophe may be written in two ways.
    let root = stem.trim_end_matches('y');
    let end = root.find(|c: char| !c.is_alphanumeric()).unwrap_or(root.len());
    (root[..end].chars().count() > 1).then(|| root[..end].to_owned())
}

/// Whether two words differ by one slip: a letter too many, too few, another one, or two that changed places.
pub(super) fn is_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    if one.len() < 4 || other.len() < 4 || one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[same..], &other[same..]);
    let (Some(first), Some(second)) = (one.first(), other.first()) else { return true };
    one[1..] == *other
        || *one == other[1..]
        || one[1..] == other[1..]
        || one.len() > 1 && other.len() > 1 && one[1] == *second && other[1] == *first && one[2..] == other[2..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            "groceries grocery",
            "call called calling calls",
            "buy bought buying",
            "pay paid",
            "dishes dish",
            "wash washed washing washes",
            "plan planned planning",
            "taxes tax",
            "clean cleaned",
            "write wrote writing",
            "tidy tidied",
        ] {
            let stems: Vec<_> = forms.split(' ').map(stem).collect();
            assert!(stems.iter().all(|other| *other == stems[0]), "{stems:?}");
        }
        assert_ne!(stem("milk"), stem("mail"));
    }

    #[test]
    fn every_form_of_a_word_begins_with_its_root() {
        let endings = ["", "s", "es", "ies", "ed", "d", "ied", "ing", "ning", "ned", "'s", "y", "e", "ss", "yy"];
        let words = VERBS.split_ascii_whitespace().chain(["grocer", "tax", "dish", "plan", "mom", "boss", "zz", "ey"]);
        for word in words.flat_map(|word| endings.map(|ending| format!("{word}{ending}"))) {
            if irregular(&word).is_none()
                && let Some(root) = root(&word)
            {
                assert!(word.starts_with(&root), "{word} {root}");
            }
        }
        assert_eq!(root("groceries").as_deref(), Some("grocer"));
        for none in ["bought", "pays", "x", "o'neil"] {
            assert_eq!(root(none), None, "{none}");
        }
    }

    #[test]
    fn a_slip_is_one_letter() {
        assert!(is_slip("dentist", "dentsit") && is_slip("dentist", "dentis") && is_slip("dentist", "dentixt"));
        assert!(is_slip("rent", "rents") && !is_slip("milk", "mlki") && !is_slip("mom", "mum"));
    }

    #[test]
    fn what_was_done_is_said_in_the_past() {
        for past in ["bought", "called", "paid", "planned", "tidied", "closed", "submitted"] {
            assert!(is_past(past), "{past}");
        }
        for other in ["buy", "read", "red", "need", "wedding", "left", "hundred"] {
            assert!(!is_past(other), "{other}");
        }
    }
}
