//! The words the grammar knows, as people type them.

use chrono::Weekday;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    /// Monday to Friday, holidays not considered.
    BusinessDay,
    Week,
    Fortnight,
    Month,
    Quarter,
    Year,
    Decade,
}

/// A part of the day, and the time that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    /// The hour that stands for it when no time is given.
    pub(crate) const fn hour(self) -> u32 {
        match self {
            Self::Morning => 9,
            Self::Noon => 12,
            Self::Afternoon => 15,
            Self::Evening => 18,
            Self::Night => 20,
        }
    }
}

/// A weekday, and whether the word may mean something else ("sat", "sun").
pub(crate) fn weekday(word: &str) -> Option<(Weekday, bool)> {
    let weekday = match word {
        "monday" | "mon" | "munday" | "monay" => Weekday::Mon,
        "tuesday" | "tue" | "tues" | "tuseday" | "teusday" | "tuesay" => Weekday::Tue,
        "wednesday" | "wed" | "weds" | "wednes" | "wendesday" | "wensday" | "wednesay" | "wedensday" | "wednsday" => {
            Weekday::Wed
        }
        "thursday" | "thu" | "thur" | "thurs" | "thrusday" | "thursay" | "thirsday" | "thursdsay" => Weekday::Thu,
        "friday" | "fri" | "firday" | "fryday" | "friady" => Weekday::Fri,
        "saturday" | "sat" | "saterday" | "satruday" | "saturady" => Weekday::Sat,
        "sunday" | "sun" | "sunay" | "sundey" => Weekday::Sun,
        _ => return None,
    };
    Some((weekday, matches!(word, "sat" | "sun" | "wed" | "mon")))
}

/// A weekday in the plural: "mondays" come again and again.
pub(crate) fn weekdays(word: &str) -> Option<Weekday> {
    // "thus" is no plural.
    let singular = word.strip_suffix('s').filter(|singular| singular.ends_with("day"))?;
    weekday(singular).map(|(weekday, _)| weekday)
}

/// A month, and whether the word may mean something else ("may", "march").
pub(crate) fn month(word: &str) -> Option<(u32, bool)> {
    let month = match word {
        "january" | "jan" | "janurary" | "januray" => 1,
        "february" | "feb" | "febuary" | "feburary" | "febr" => 2,
        "march" | "mar" => 3,
        "april" | "apr" | "apirl" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" | "agust" => 8,
        "september" | "sep" | "sept" | "setpember" | "septmber" => 9,
        "october" | "oct" | "ocotber" | "octobre" => 10,
        "november" | "nov" | "novemeber" | "novmber" => 11,
        "december" | "dec" | "decmber" | "decemeber" => 12,
        _ => return None,
    };
    Some((month, matches!(word, "may" | "march" | "mar" | "jan" | "jun" | "dec")))
}

/// A unit written out; letters alone are for numbers that they are glued to, see [`short_unit`].
pub(crate) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" => Unit::Second,
        "minute" | "minutes" | "min" | "mins" | "minuts" | "minut" => Unit::Minute,
        "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "day" | "days" => Unit::Day,
        "workday" | "workdays" | "weekday" | "weekdays" => Unit::BusinessDay,
        "week" | "weeks" | "wk" | "wks" | "weeek" => Unit::Week,
        "fortnight" | "fortnights" => Unit::Fortnight,
        "month" | "months" | "mth" | "mths" | "mos" => Unit::Month,
        "quarter" | "quarters" => Unit::Quarter,
        "year" | "years" | "yr" | "yrs" => Unit::Year,
        "decade" | "decades" => Unit::Decade,
        _ => return None,
    })
}

/// A unit of letters glued to its number: "2h", "30m".
pub(crate) fn short_unit(word: &str) -> Option<Unit> {
    Some(match word {
        "s" => Unit::Second,
        "m" => Unit::Minute,
        "h" => Unit::Hour,
        "d" => Unit::Day,
        "w" => Unit::Week,
        "mo" => Unit::Month,
        "y" => Unit::Year,
        _ => return unit(word),
    })
}

/// A part of the day.
pub(crate) fn part(word: &str) -> Option<Part> {
    Some(match word {
        "morning" | "mornin" => Part::Morning,
        "noon" | "midday" | "lunch" | "lunchtime" | "noontime" => Part::Noon,
        "afternoon" | "afternon" => Part::Afternoon,
        "evening" | "eve" => Part::Evening,
        "night" | "nite" => Part::Night,
        _ => return None,
    })
}

/// What goes on in one half of the day: "dinner at 7", "wake up at 6".
pub(crate) fn hint(word: &str) -> Option<Part> {
    match word {
        "breakfast" | "wake" | "sunrise" => Some(Part::Morning),
        "dinner" | "supper" | "drinks" | "movie" | "concert" | "theater" | "theatre" => Some(Part::Evening),
        _ => None,
    }
}

/// Days counted from today.
pub(crate) fn near_day(word: &str) -> Option<i64> {
    Some(match word {
        "today" | "2day" => 0,
        "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tomorrrow" | "tomorro" | "tmrw" | "tmr" | "tmrow"
        | "tmw" | "tomoz" | "tmmrw" => 1,
        "yesterday" | "yday" | "yesturday" => -1,
        "overmorrow" => 2,
        _ => return None,
    })
}

/// Which of the periods or days a word before it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    This,
    Next,
    Last,
}

/// "this", "next", "last" and their like.
pub(crate) fn which(word: &str) -> Option<Which> {
    Some(match word {
        "this" | "coming" | "upcoming" | "current" => Which::This,
        "next" | "nxt" | "nex" | "following" => Which::Next,
        "last" | "past" | "previous" | "prev" => Which::Last,
        _ => return None,
    })
}

/// A number below a hundred without its ones: "twenty".
pub(crate) fn tens(word: &str) -> Option<u32> {
    Some(match word {
        "twenty" => 20,
        "thirty" => 30,
        "forty" | "fourty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

/// A number below twenty.
pub(crate) fn small(word: &str) -> Option<u32> {
    const NUMBERS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    NUMBERS.iter().position(|number| *number == word).and_then(|number| u32::try_from(number).ok())
}

/// A place in a row in words, up to the thirty-first, without those of two words.
pub(crate) fn nth(word: &str) -> Option<u32> {
    const ORDINALS: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    if word == "thirtieth" {
        return Some(30);
    }
    ORDINALS.iter().position(|ordinal| *ordinal == word).and_then(|index| u32::try_from(index + 1).ok())
}

/// Words that may follow a time without being counted by it: "at 5 with Bob", but not "at 5 corners".
pub(crate) fn is_function(word: &str) -> bool {
    matches!(
        word,
        "a" | "about"
            | "after"
            | "alert"
            | "an"
            | "and"
            | "as"
            | "at"
            | "because"
            | "before"
            | "between"
            | "but"
            | "by"
            | "daily"
            | "due"
            | "each"
            | "every"
            | "everyday"
            | "for"
            | "from"
            | "if"
            | "in"
            | "is"
            | "it"
            | "low"
            | "high"
            | "medium"
            | "monthly"
            | "my"
            | "next"
            | "not"
            | "notify"
            | "of"
            | "on"
            | "or"
            | "our"
            | "please"
            | "pls"
            | "re"
            | "regarding"
            | "remind"
            | "reminder"
            | "sharp"
            | "so"
            | "starting"
            | "tag"
            | "tagged"
            | "that"
            | "the"
            | "then"
            | "this"
            | "through"
            | "to"
            | "tonight"
            | "tonite"
            | "until"
            | "till"
            | "urgent"
            | "via"
            | "weekly"
            | "when"
            | "where"
            | "while"
            | "which"
            | "will"
            | "with"
            | "without"
            | "yearly"
            | "your"
            | "important"
            | "asap"
            | "priority"
            | "last"
            | "over"
            | "during"
            | "near"
            | "outside"
            | "inside"
    )
}
