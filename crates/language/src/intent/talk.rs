//! What asks for no task: consent, greetings, small talk, and what is no business of the assistant's.

use super::{Evidence, Request, line::Line, words};

/// Talk that asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chat {
    /// "hi"
    Greeting,
    /// "thanks"
    Thanks,
    /// "bye"
    Farewell,
    /// "what can you do"
    Help,
    /// "how are you"
    SmallTalk,
}

const YES: &str = "yes|y|yep|yeah|yea|yup|ye|ya|yes yes|sure|sure thing|sure do it|ok|okay|k|kk|ok do it|okay do it|do it|\
    please do|yes please|yes do it|yes do that|yes please do|yes go ahead|yes delete it|yes delete them|yes delete them all|\
    yes delete|yes remove it|yes remove them|yes i'm sure|yes i am|i'm sure|i am sure|yes sure|yes ok|yes of course|yes that's \
    right|yes correct|yes that one|go ahead|go for it|confirm|confirmed|i confirm|absolutely|definitely|of course|correct|\
    right|that's right|that is right|exactly|affirmative|proceed|go|sounds good|that works|fine|alright|all right|yes \
    confirm|yeah sure|yep do it|yeah do it|yup do it|ok go ahead|ok sure|sure go ahead|make it so|agreed|by all means";

const NO: &str = "no|n|nope|nah|naw|no no|no thanks|no thank you|cancel|cancel that|cancel it|don't|do not|don't do it|don't \
    do that|please don't|no don't|no don't do it|no don't do that|never mind|nevermind|nvm|never mind that|stop|stop it|no stop|\
    no cancel|no way|not now|not really|not yet|forget it|forget that|forget about it|abort|leave it|leave it alone|no leave \
    it|wait|hold on|wait no|no wait|negative|i changed my mind|changed my mind|no keep it|keep it|no never mind|nope never \
    mind|please no|absolutely not|of course not|don't delete it|no don't delete it|don't delete them";

const UNDO: &str = "undo|undo that|undo it|undo this|undo please|undo last|undo the last|undo last change|undo the last \
    change|undo my last change|undo that change|undo the last action|undo last action|undo the change|undo that last change|\
    undo the last thing|undo the last one|undo the delete|undo the deletion|undo delete|undo what you did|undo what you just \
    did|undo everything you just did|revert|revert that|revert it|revert the last change|revert last change|revert that last \
    change|roll back|roll it back|roll that back|rollback|take that back|take it back|put it back|bring it back|bring that \
    back|bring them back|put them back|restore it|restore that|restore them|restore the task|restore the deleted task|\
    undelete|undelete it|undelete that|unde it|go back|that was a mistake|that was wrong undo it|oops undo|oops undo that|\
    ctrl z|i didn't mean to do that|i didn't mean that|i didn't want that|no undo that|no undo";

const GREETING: &str = "hi|hello|hey|yo|hiya|howdy|hi there|hello there|hey there|good morning|good afternoon|good evening|\
    morning|evening|greetings|sup|what's up|hey what's up|hi again|hello again|heya|hola|moin|goodmorning|good day|hi bot|hello \
    bot|hi assistant|hello assistant|hey assistant|hey bot";

const THANKS: &str = "thanks|thank you|thanks a lot|thank you so much|thanks so much|many thanks|thank you very much|ok \
    thanks|okay thanks|great thanks|perfect thanks|cool thanks|awesome thanks|nice thanks|thanks bot|cheers|much appreciated|\
    appreciate it|i appreciate it|great|perfect|awesome|cool|nice|excellent|amazing|wonderful|brilliant|good job|well done|great \
    job|nice work|good work|nice one|good bot|you're the best|you are the best|you're great|you're awesome|thanks for that|\
    thanks for your help|thank you for your help|thanks again|love it|great work|thanks mate|thanks man|amazing thanks|sweet|\
    lovely|thanks that's all|that's all|that's all thanks|that is all|that's it|that's it thanks|that'll be all";

const FAREWELL: &str = "bye|goodbye|good bye|bye bye|see you|see you later|see ya|cya|later|good night|goodnight|talk to you \
    later|ttyl|have a nice day|have a good day|have a good one|take care|see you tomorrow|i'm off|gotta go|i have to go|good \
    night then|bye for now|see you soon|until next time";

const HELP: &str = "help|help me|help please|i need help|what can you do|what can you do for me|what can i do|what can i say|\
    what can i ask|what can i ask you|how does this work|how do you work|how does it work|how do i use this|how can you help|how \
    can you help me|what do you do|who are you|what are you|what is this|what's this|commands|instructions|options|menu|what are \
    your commands|what commands are there|what are my options|show help|what's your name|what is your name|are you a bot|are you \
    human|are you a human|are you real|are you an ai|are you a robot|what else can you do|what should i say|introduce \
    yourself|tell me about yourself|what are you able to do|how do i add a task|how do i create a task|how do i delete a \
    task|how do i complete a task|how can i add a task|how do reminders work|how do i set a reminder|usage|what do you know|am i \
    talking to a human|am i talking to a bot|are you there|you there|is anyone there";

const SMALL_TALK: &str = "how are you|how are you doing|how are you today|how's it going|how is it going|how do you do|how have \
    you been|i'm fine|i'm good|i'm ok|i'm tired|i'm bored|i'm sad|i'm happy|i'm so tired|i'm so sad|i'm stressed|i'm busy|i'm \
    hungry|i'm back|i'm here|lol|haha|hahaha|ha|hehe|wow|oh|hm|hmm|huh|really|interesting|nice to meet you|i love you|i like you|i hate \
    you|you're funny|you're stupid|you suck|nothing|not much|nothing much|same|sorry|my bad|oops|ok cool|oh ok|i see|got it|makes \
    sense|test|testing|ping|super sad|so sad|sad|tired|bored|happy|good|not good|not bad|bad|busy day|what a day|long day|happy \
    birthday|merry christmas|happy new year|welcome back|do you love me|are you ok|are you happy|how old are you|where are you|where \
    are you from|who made you|who created you|who built you|i'm stressed out|i'm overwhelmed|feeling good|feeling bad|feeling \
    tired|i don't know|idk|no idea|whatever|never|maybe|perhaps|hmm ok";

/// The longest of these phrases, in words.
const LONGEST: usize = 7;

fn is_one_of(phrase: &str, phrases: &str) -> bool {
    phrases.split('|').any(|other| other == phrase)
}

/// A whole message part that is such a phrase.
pub(super) fn phrase(text: &str) -> Option<Request> {
    let mut spoken = String::new();
    for token in crate::token::tokens(text) {
        match token.kind {
            crate::token::Kind::Word | crate::token::Kind::Number => {}
            crate::token::Kind::Sign(sign) if is_thumb(sign) => {
                spoken.push_str(if sign == '👎' { " no" } else { " yes" });
            }
            crate::token::Kind::Sign(_) => continue,
            crate::token::Kind::Opaque => return None,
        }
        if !matches!(token.kind, crate::token::Kind::Sign(_)) {
            spoken.push(' ');
            spoken.push_str(words::normal(&token.folded));
        }
        if spoken.bytes().filter(|byte| *byte == b' ').count() > LONGEST + 1 {
            return None;
        }
    }
    let whole = spoken.trim();
    if whole.is_empty() {
        return None;
    }
    // "yes please", "undo it please", "thank you bot".
    let bare = ["please", "thanks", "thank you", "now", "then", "mate", "man", "bro", "dude", "buddy", "again"]
        .iter()
        .find_map(|courtesy| whole.strip_suffix(courtesy)?.strip_suffix(' '))
        .unwrap_or(whole);
    let bare = ["please ", "ok ", "okay ", "oh ", "oops ", "well ", "um ", "uh "]
        .iter()
        .find_map(|courtesy| bare.strip_prefix(courtesy))
        .unwrap_or(bare);
    let find = |phrase: &str| {
        Some(match phrase {
            _ if is_one_of(phrase, YES) => Request::Yes,
            _ if is_one_of(phrase, NO) => Request::No,
            _ if is_one_of(phrase, UNDO) => Request::Undo,
            _ if is_one_of(phrase, GREETING) => Request::Chat(Chat::Greeting),
            _ if is_one_of(phrase, THANKS) => Request::Chat(Chat::Thanks),
            _ if is_one_of(phrase, FAREWELL) => Request::Chat(Chat::Farewell),
            _ if is_one_of(phrase, HELP) => Request::Chat(Chat::Help),
            _ if is_one_of(phrase, SMALL_TALK) => Request::Chat(Chat::SmallTalk),
            _ => return None,
        })
    };
    // "yes yes yes".
    let mut words = whole.split(' ');
    let first = words.next().unwrap_or_default();
    if words.all(|word| word == first)
        && let Some(request) = find(first)
    {
        return Some(request);
    }
    find(whole).or_else(|| find(bare)).or_else(|| consent(whole))
}

/// "yes please do that": a yes or a no, and words that only say it again.
fn consent(phrase: &str) -> Option<Request> {
    const YES: &str = "yes|yeah|yep|yup|sure|ok|okay|absolutely|definitely|y";
    const NO: &str = "no|nope|nah|don't|n";
    const AGAIN: &str =
        "please|do|it|that|this|them|all|go|ahead|for|confirm|delete|remove|complete|both|thanks|thank|you|now|the";
    const TAKEN_BACK: &str = "cancel|stop|keep|leave|alone|wait|never|mind";
    let (first, rest) = phrase.split_once(' ')?;
    let (yes, no) = (is_one_of(first, YES), is_one_of(first, NO));
    let fits = |word: &str| {
        is_one_of(word, AGAIN) || is_one_of(word, if yes { YES } else { NO }) || no && is_one_of(word, TAKEN_BACK)
    };
    ((yes || no) && rest.split(' ').all(fits)).then_some(if yes { Request::Yes } else { Request::No })
}

const fn is_thumb(sign: char) -> bool {
    matches!(sign, '👍' | '👎' | '👌')
}

/// What is clearly outside tasks; the rest is left to those who know tasks.
pub(super) fn out_of_scope(line: &Line<'_>) -> Option<Evidence> {
    const SUBJECTS: &str = "weather|forecast|temperature|joke|jokes|poem|haiku|limerick|bitcoin|stock|stocks|news|headlines|recipe|movie|\
        movies|song|music|president|capital|meaning|translate|translation|horoscope|lottery|score|timer|stopwatch|\
        lights|volume|jazz|football|god|universe";
    const LEADS: &str = "tell me a joke|tell me a story|tell me something|tell me how|tell me why|tell me the|write me|write us|sing|\
        play me|play some|translate this|set a timer|set timer|start a timer|turn on the lights|turn off the lights|\
        what's the time|what time is it|what day is it|what's the date|what's the weather|how's the weather|\
        ignore your|ignore all|ignore the previous|ignore previous|forget your instructions|act as|pretend|\
        what do you think";
    const SECRETS: &str = "prompt|system prompt|your instructions|your rules|your prompt|schema|your tools|api key";
    const LANGUAGES: &str =
        "german|french|spanish|italian|english|chinese|japanese|russian|portuguese|dutch|korean|arabic";
    let start = line.start;
    let asks = is_question(line);
    let about = |subjects: &str| (start..line.end.min(start + 24)).any(|i| line.after_any(i, subjects).is_some());
    let tells = matches!(line.word(start), "tell" | "show" | "give" | "print" | "reveal" | "repeat" | "output");
    if line.after_any(start, LEADS).is_some()
        || about(SECRETS) && (asks || tells)
        || about(SUBJECTS) && (asks || tells && line.word(start + 1) == "me")
        || is_artwork(line)
        || line.word(start) == "translate" && line.has(LANGUAGES)
        || line.after_any(start, "book me|order me|call me a|get me a").is_some()
    {
        return Some(Evidence::Lead);
    }
    None
}

/// "write a poem about spring", "write a python function".
fn is_artwork(line: &Line<'_>) -> bool {
    let start = line.start;
    let makes = matches!(line.word(start), "write" | "compose" | "generate" | "create" | "make");
    let next = line.skip(start + 1, "a|an|some|me a|me an|me some");
    let art = ["poem", "haiku", "limerick", "joke", "song", "python", "javascript", "rust", "java", "function", "sql"];
    makes && (next..(next + 2).min(line.end)).any(|i| art.contains(&line.word(i)))
}

/// Whether the words are those of a question.
pub(super) fn is_question(line: &Line<'_>) -> bool {
    let first = line.word(line.start);
    let second = line.word(line.start + 1);
    match first {
        "what" | "what's" | "who" | "who's" | "why" | "where" | "where's" | "how" | "how's" | "which" | "whose"
        | "when" | "when's" | "is" | "are" | "am" | "was" | "were" | "does" | "did" | "should" | "has" | "isn't"
        | "aren't" | "doesn't" | "didn't" | "can" | "could" | "would" | "will" | "there's" => true,
        "do" | "have" | "don't" => matches!(second, "i" | "you" | "we" | "they" | "people"),
        _ => false,
    }
}
