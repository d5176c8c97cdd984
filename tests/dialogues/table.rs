//! The figures as tables for people.

use comfy_table::{Table, presets};

use super::figures::Figures;
use super::heard::Heard;

/// The name of a figure, and where it stands.
type Row = (&'static str, fn(&Figures) -> f64);

/// One column for each part of the dialogues.
pub(crate) fn render(columns: &[(String, Figures)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let names = columns.iter().map(|(name, _)| name.clone());
    table.set_header(std::iter::once("figure".to_owned()).chain(names));
    let rows: [Row; 15] = [
        ("issue precision", |figures| figures.issue_precision),
        ("issue recall", |figures| figures.issue_recall),
        ("count exact", |figures| figures.count_exact),
        ("count error (utterances)", |figures| figures.count_error),
        ("span overlap F1", |figures| figures.span_f1),
        ("level agreement", |figures| figures.level_agreement),
        ("rank correlation", |figures| figures.rank_correlation),
        ("strong above none", |figures| figures.strong_over_none),
        ("strong found", |figures| figures.strong_found),
        ("false alarms", |figures| figures.false_alarms),
        ("strong false alarms", |figures| figures.strong_false_alarms),
        ("skill F1", |figures| figures.skill_f1),
        ("complexity agreement", |figures| figures.complexity_agreement),
        ("requested language", |figures| figures.language_accuracy),
        ("... where one is named", |figures| figures.named_language_accuracy),
    ];
    let counts = columns.iter().map(|(_, figures)| figures.dialogues.to_string());
    table.add_row(std::iter::once("dialogues".to_owned()).chain(counts));
    for (name, figure) in rows {
        let values = columns.iter().map(|(_, figures)| format!("{:.3}", figure(figures)));
        table.add_row(std::iter::once(name.to_owned()).chain(values));
    }
    table.to_string()
}

/// One line for each dialogue that was heard otherwise than it was noted.
pub(crate) fn differences(all: &[Heard]) -> String {
    let differs = |one: &&Heard| {
        one.level() != one.noted.concern
            || one.is_right_issue() != one.noted.issue.is_some()
            || one.spans() != one.noted.mentions().as_slice()
            || one.need.needed_skills != one.noted.skills
            || one.complexity() != one.noted.complexity
            || one.need.requested_language != one.noted.requested_language
    };
    let line = |one: &Heard| {
        let heard = one.concern.as_ref().map_or_else(
            || "nothing".to_owned(),
            |concern| {
                format!("{} \"{}\" x{} {:.2}", concern.topic, concern.issue, concern.count, concern.score)
            },
        );
        let noted = &one.noted;
        let issue = noted.issue.as_deref().unwrap_or("nothing");
        let missed = noted.mentions().iter().filter(|span| !one.spans().contains(span)).count();
        let extra = one.spans().iter().filter(|span| !noted.mentions().contains(span)).count();
        let mentions = noted.mentions().len();
        let language = one.need.requested_language.as_deref().unwrap_or("none");
        format!(
            "{:>3} {}: {heard}; noted {issue} x{mentions} {:?} (missed {missed}, extra {extra}); skills {:?}, noted {:?}; \
             complexity {:.2}, noted {:?}; language {language}\n",
            noted.number,
            noted.kind,
            noted.concern,
            one.need.needed_skills,
            noted.skills,
            one.need.complexity,
            noted.complexity,
        )
    };
    all.iter().filter(differs).map(line).collect()
}
