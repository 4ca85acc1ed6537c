//! The table: what was measured, beside what, against which goal.

use std::fmt::Write as _;

use crate::Failure;

/// Whether a goal was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// There is none: the figure stands for itself.
    NoGoal,
}

impl Met {
    /// By a condition.
    pub(crate) fn when(condition: bool) -> Self {
        if condition { Self::Yes } else { Self::No }
    }
}

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// What came out.
    pub(crate) measured: String,
    /// The same of the reference; empty if there is none.
    pub(crate) reference: String,
    /// The one by the other.
    pub(crate) ratio: String,
    /// What it should be.
    pub(crate) goal: String,
    /// Whether it is.
    pub(crate) met: Met,
}

impl Row {
    /// A figure without reference and goal.
    pub(crate) fn plain(what: impl Into<String>, measured: impl Into<String>) -> Self {
        let (what, measured) = (what.into(), measured.into());
        Self { what, measured, reference: String::new(), ratio: String::new(), goal: String::new(), met: Met::NoGoal }
    }

    /// With what was measured beside it.
    pub(crate) fn beside(self, reference: impl Into<String>, ratio: impl Into<String>) -> Self {
        Self { reference: reference.into(), ratio: ratio.into(), ..self }
    }

    /// With a goal.
    pub(crate) fn goal(self, goal: impl Into<String>, met: bool) -> Self {
        Self { goal: goal.into(), met: Met::when(met), ..self }
    }
}

/// The figures of a part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Its name.
    pub(crate) title: String,
    /// How it was measured.
    pub(crate) how: String,
    /// Its figures.
    pub(crate) rows: Vec<Row>,
    /// What else was seen.
    pub(crate) notes: Vec<String>,
    /// Why there are no figures.
    pub(crate) failure: Option<String>,
}

impl Section {
    /// A part, without figures yet.
    pub(crate) fn new(title: impl Into<String>, how: impl Into<String>) -> Self {
        Self { title: title.into(), how: how.into(), ..Self::default() }
    }

    /// A part that could not be measured.
    pub(crate) fn failed(title: &str, error: &Failure) -> Self {
        Self { title: title.to_owned(), failure: Some(error.to_string()), ..Self::default() }
    }

    /// Says how it is measured.
    pub(crate) fn describe(&mut self, how: impl Into<String>) {
        self.how = how.into();
    }

    /// Adds a figure, shown at once too.
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("  {}: {} {}", row.what, row.measured, row.ratio);
        self.rows.push(row);
    }
}

/// The whole as Markdown.
pub(crate) fn document(sections: &[Section], machine: &str, quick: bool) -> String {
    let mut text = String::from("# Benchmarks\n\n");
    text.push_str(
        "Written by `make bench`. Each figure stands beside a reference of the same run on the same machine; clients, \
         servers and databases share its cores. Goals are of the project's quality bars.\n\n",
    );
    if quick {
        text.push_str(
            "**A quick run with small sizes: it shows that the program works, not how fast the system is.**\n\n",
        );
    }
    text.push_str(machine);
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let count = |met| rows().filter(|row| row.met == met).count();
    let _ = write!(text, "\n\nGoals met: {} of {}.\n", count(Met::Yes), count(Met::Yes) + count(Met::No));
    for section in sections {
        for row in section.rows.iter().filter(|row| row.met == Met::No) {
            let Row { what, measured, ratio, goal, .. } = row;
            let _ = writeln!(text, "- Not met: {}: {what}: {measured} {ratio} (goal: {goal})", section.title);
        }
    }
    for section in sections {
        let _ = write!(text, "\n## {}\n\n", section.title);
        if let Some(failure) = &section.failure {
            let _ = writeln!(text, "**Not measured to the end: {failure}**\n");
        }
        if section.rows.is_empty() {
            let _ = writeln!(text, "{}", section.how);
            continue;
        }
        let _ = write!(text, "{}\n\n| what | measured | reference | ratio | goal | met |\n", section.how);
        text.push_str("|---|---|---|---|---|---|\n");
        for Row { what, measured, reference, ratio, goal, met } in &section.rows {
            let met = match met {
                Met::Yes => "yes",
                Met::No => "**no**",
                Met::NoGoal => "",
            };
            let _ = writeln!(text, "| {what} | {measured} | {reference} | {ratio} | {goal} | {met} |");
        }
        for note in &section.notes {
            let _ = write!(text, "\n{note}\n");
        }
    }
    text
}
