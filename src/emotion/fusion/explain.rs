//! What each modality contributed, in numbers and in one sentence each.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::config::FusionConfig;
use super::pool::{Opinion, Opinions, State, pool};
use super::trust::Assurance;
use crate::emotion::label::{self, CategoryArray, CategoryProbabilities};
use crate::emotion::vector::{ModalityTrust, Trust};
use crate::emotion::{Category, Modality, top_category};

/// What each modality contributed to a fused state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The whole in one sentence.
    pub summary: String,
    /// How much weight there is, in [0, 1].
    pub evidence: f32,
    /// How far the modalities say the same, in [0, 1].
    pub agreement: f32,
    /// How far one category stands out, in [0, 1].
    pub certainty: f32,
    /// One entry for each modality that was read, heaviest first.
    pub contributions: Vec<Contribution>,
    /// How many readings were left out because they were damaged or of quality 0.
    pub ignored_readings: u32,
}

/// What one modality contributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// The modality.
    pub modality: Modality,
    /// Its share of the fusion in [0, 1], as in the trust block.
    pub weight: f32,
    /// Its exponent in the pool: reliability x quality x freshness, in [0, 1].
    pub pool_weight: f32,
    /// How many readings it gave.
    pub readings: u32,
    /// How old its newest reading is, in milliseconds.
    pub age_ms: u64,
    /// The quality of its readings in [0, 1].
    pub quality: f32,
    /// Its own distribution over the categories, filtered over time.
    #[serde(with = "label::by_name")]
    #[schema(value_type = CategoryProbabilities)]
    pub categories: CategoryArray,
    /// Its own strongest category.
    #[schema(value_type = String, example = "anger")]
    pub category: Category,
    /// Its own valence, filtered over time.
    pub valence: f32,
    /// Its own arousal, filtered over time.
    pub arousal: f32,
    /// The strongest fused category if this modality were left out; none where nothing else was read.
    #[schema(value_type = Option<String>, example = "neutral")]
    pub category_without: Option<Category>,
    /// By how much this modality raises the probability of the strongest fused category.
    pub probability_change: f32,
    /// By how much this modality moves the fused valence.
    pub valence_change: f32,
    /// All this in one sentence.
    pub sentence: String,
}

/// Explains a state by leaving out one modality after the other.
pub(super) fn explain(
    opinions: &Opinions,
    state: &State,
    assurance: &Assurance,
    trust: &Trust,
    config: &FusionConfig,
    ignored: u64,
) -> Explanation {
    let mut contributions: Vec<Contribution> = Modality::ALL
        .into_iter()
        .filter_map(|modality| {
            let opinion = opinions[modality.index()].as_ref()?;
            Some(contribution(modality, opinion, trust.of(modality)?, opinions, state, config))
        })
        .collect();
    contributions.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    Explanation {
        summary: summary(state, trust, &contributions),
        evidence: assurance.evidence,
        agreement: assurance.agreement,
        certainty: assurance.certainty,
        contributions,
        ignored_readings: u32::try_from(ignored).unwrap_or(u32::MAX),
    }
}

fn contribution(
    modality: Modality,
    opinion: &Opinion,
    part: &ModalityTrust,
    opinions: &Opinions,
    state: &State,
    config: &FusionConfig,
) -> Contribution {
    let mut others = *opinions;
    others[modality.index()] = None;
    let alone = others.iter().flatten().next().is_none();
    let without = pool(&others, config);
    let (top, probability) = top_category(&state.categories);
    let mut contribution = Contribution {
        modality,
        weight: part.weight,
        pool_weight: opinion.weight,
        readings: opinion.readings,
        age_ms: opinion.age_ms,
        quality: part.quality,
        categories: opinion.probabilities,
        category: top_category(&opinion.probabilities).0,
        valence: opinion.valence,
        arousal: opinion.arousal,
        category_without: (!alone).then(|| top_category(&without.categories).0),
        probability_change: probability - without.categories[top.index()],
        valence_change: state.valence - without.valence,
        sentence: String::new(),
    };
    contribution.sentence = sentence(&contribution, top);
    contribution
}

fn summary(state: &State, trust: &Trust, contributions: &[Contribution]) -> String {
    if let Some(abstention) = &trust.abstain {
        return format!("Not to be acted upon: {}.", abstention.reason);
    }
    let (category, probability) = top_category(&state.categories);
    let heaviest = contributions.first().map_or("nothing", |contribution| noun(contribution.modality));
    format!(
        "The customer shows {category} ({:.0} %), valence {:+.2}, arousal {:+.2}, with confidence {:.2}; {heaviest} counted most.",
        probability * 100.0,
        state.valence,
        state.arousal,
        trust.confidence,
    )
}

fn sentence(contribution: &Contribution, top: Category) -> String {
    let own = contribution.categories[contribution.category.index()] * 100.0;
    let readings = if contribution.readings == 1 { "reading" } else { "readings" };
    let opening = format!(
        "{} ({} {readings}, {:.0} % of the weight) {} {} ({own:.0} %)",
        capitalised(noun(contribution.modality)),
        contribution.readings,
        contribution.weight * 100.0,
        if contribution.modality == Modality::Text { "show" } else { "shows" },
        contribution.category,
    );
    let pronoun = if contribution.modality == Modality::Text { "them" } else { "it" };
    match contribution.category_without {
        None => format!("{opening} and nothing else was read."),
        Some(without) if without != top => format!(
            "{opening}; without {pronoun} the state would be {without} instead of {top}, and valence {}.",
            difference(-contribution.valence_change)
        ),
        Some(_) => format!(
            "{opening}; without {pronoun} {top} would be {} and valence {}.",
            change(contribution.probability_change),
            difference(-contribution.valence_change)
        ),
    }
}

/// What leaving something out does to a probability that it raised by `raised`.
fn change(raised: f32) -> String {
    let points = (raised * 100.0).round();
    if points > 0.0 {
        format!("{points:.0} points less likely")
    } else if points < 0.0 {
        format!("{:.0} points more likely", -points)
    } else {
        "as likely".to_owned()
    }
}

/// How a value that changes by `change` differs.
fn difference(change: f32) -> String {
    let rounded = (change * 100.0).round() / 100.0;
    if rounded > 0.0 {
        format!("{rounded:.2} higher")
    } else if rounded < 0.0 {
        format!("{:.2} lower", -rounded)
    } else {
        "the same".to_owned()
    }
}

const fn noun(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "the words",
        Modality::Voice => "the voice",
        Modality::Face => "the face",
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fused, reading};
    use super::*;

    #[test]
    fn leaving_out_the_decisive_modality_turns_the_state() {
        let mut calm = reading(Modality::Voice, 900, Category::Neutral, 0.5);
        calm.quality = 0.5;
        let fused = fused(&[calm, reading(Modality::Text, 900, Category::Anger, 0.85)]);
        let explanation = &fused.explanation;
        assert_eq!(fused.vector.top_category().0, Category::Anger);
        assert_eq!(explanation.contributions[0].modality, Modality::Text);
        assert_eq!(explanation.contributions[0].category_without, Some(Category::Neutral));
        assert!(explanation.contributions[0].probability_change > 0.2);
        assert!(explanation.contributions[0].valence_change < -0.1);
        assert!(explanation.contributions[1].probability_change < 0.0);
        let sentence = &explanation.contributions[0].sentence;
        assert!(sentence.starts_with("The words (1 reading, "), "{sentence}");
        assert!(sentence.contains("without them the state would be neutral instead of anger"), "{sentence}");
        assert!(explanation.summary.starts_with("The customer shows anger"), "{}", explanation.summary);
    }

    #[test]
    fn a_lone_modality_says_so() {
        let fused = fused(&[reading(Modality::Face, 900, Category::Happiness, 0.8)]);
        let only = &fused.explanation.contributions[0];
        assert_eq!((only.category_without, only.weight), (None, 1.0));
        assert!(only.sentence.ends_with("and nothing else was read."), "{}", only.sentence);
    }

    #[test]
    fn an_abstention_is_the_summary() {
        let summary = fused(&[]).explanation.summary;
        assert_eq!(summary, "Not to be acted upon: no modality gave a usable reading.");
    }
}
