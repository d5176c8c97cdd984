//! One judged answer of a model, and sets of them.

use heartline_models::Doubt;
use heartline_models::face::FacePrediction;
use heartline_models::text::TextPrediction;
use heartline_models::voice::VoicePrediction;

use crate::metrics::{Confusion, mean};

/// How far a model trusts its own answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trust {
    /// How usable the input was, 0 to 1.
    pub(crate) quality: f64,
    /// How like its calibration data the input looked to the network, 0 to 1.
    pub(crate) familiarity: f64,
    /// Why the model abstains; none where it answers.
    pub(crate) doubt: Option<&'static str>,
}

impl Trust {
    /// Of a text.
    pub(crate) fn of_text(prediction: &TextPrediction) -> Self {
        Self::new(prediction.quality, prediction.familiarity, prediction.doubt)
    }

    /// Of a clip that was cut into windows: the means of the windows. It abstains where more than half of its windows
    /// do, for the reason of the first of those.
    pub(crate) fn of_voice(windows: &[VoicePrediction]) -> Self {
        let doubts: Vec<Doubt> = windows.iter().filter_map(|window| window.doubt).collect();
        let most = 2 * doubts.len() > windows.len();
        Self {
            quality: mean(windows.iter().map(|window| f64::from(window.quality))),
            familiarity: mean(windows.iter().map(|window| f64::from(window.familiarity))),
            doubt: doubts.first().filter(|_| most).copied().map(Doubt::code),
        }
    }

    /// Of a face.
    pub(crate) fn of_face(prediction: &FacePrediction) -> Self {
        Self::new(prediction.quality, prediction.familiarity, prediction.doubt)
    }

    fn new(quality: f32, familiarity: f32, doubt: Option<Doubt>) -> Self {
        Self {
            quality: f64::from(quality),
            familiarity: f64::from(familiarity),
            doubt: doubt.map(Doubt::code),
        }
    }
}

/// What a model said of a row whose truth is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The position of the true label.
    pub(crate) truth: usize,
    /// Calibrated probabilities that sum to 1.
    pub(crate) probabilities: Vec<f64>,
    /// What the model thinks of its answer.
    pub(crate) trust: Trust,
}

impl Answer {
    /// An answer among the labels that the truth could have been; the others' probability is shared out.
    pub(crate) fn among(
        truth: usize,
        probabilities: &[f32],
        possible: impl Fn(usize) -> bool,
        trust: Trust,
    ) -> Self {
        let mut kept: Vec<f64> = probabilities
            .iter()
            .enumerate()
            .map(|(index, value)| if possible(index) { f64::from(*value) } else { 0.0 })
            .collect();
        let sum: f64 = kept.iter().sum();
        if sum > 0.0 {
            kept.iter_mut().for_each(|value| *value /= sum);
        }
        Self { truth, probabilities: kept, trust }
    }

    /// The likeliest label; the first of equals.
    pub(crate) fn choice(&self) -> usize {
        let mut best = 0;
        for (index, value) in self.probabilities.iter().enumerate() {
            if *value > self.probabilities[best] {
                best = index;
            }
        }
        best
    }

    /// The probability of the likeliest label.
    pub(crate) fn confidence(&self) -> f64 {
        self.probabilities.get(self.choice()).copied().unwrap_or(0.0)
    }

    /// Whether the likeliest label is the truth.
    pub(crate) fn is_right(&self) -> bool {
        self.choice() == self.truth
    }
}

/// Answers that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnswerSet {
    /// The collection, for people.
    pub(crate) name: String,
    /// The language as a BCP 47 tag; none where there is none.
    pub(crate) language: Option<&'static str>,
    /// How the input was treated: `clean`, or a disturbance by name.
    pub(crate) condition: String,
    /// The answers.
    pub(crate) answers: Vec<Answer>,
}

impl AnswerSet {
    /// The condition of inputs as they come.
    pub(crate) const CLEAN: &'static str = "clean";

    /// A set of untreated inputs.
    pub(crate) fn clean(name: &str, language: Option<&'static str>, answers: Vec<Answer>) -> Self {
        Self { name: name.to_owned(), language, condition: Self::CLEAN.to_owned(), answers }
    }

    /// Several sets as one.
    pub(crate) fn pooled<'a>(
        name: &str,
        language: Option<&'static str>,
        sets: impl Iterator<Item = &'a Self> + Clone,
    ) -> Self {
        let condition = sets.clone().next().map_or(Self::CLEAN, |set| &set.condition).to_owned();
        let answers = sets.flat_map(|set| set.answers.iter().cloned()).collect();
        Self { name: name.to_owned(), language, condition, answers }
    }

    /// Truth against choice.
    pub(crate) fn confusion(&self, labels: &[&str]) -> Confusion {
        let mut confusion = Confusion::new(labels);
        for answer in &self.answers {
            confusion.add(answer.truth, answer.choice());
        }
        confusion
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An answer of two labels that is right or wrong with a confidence of at least a half.
    pub(in crate::report) fn answer(confidence: f32, right: bool) -> Answer {
        let trust = Trust { quality: 1.0, familiarity: 1.0, doubt: None };
        Answer::among(usize::from(!right), &[confidence, 1.0 - confidence], |_| true, trust)
    }

    #[test]
    fn labels_that_cannot_be_are_left_out_of_the_choice() {
        let trust = answer(0.5, true).trust;
        let answer = Answer::among(2, &[0.2, 0.6, 0.2], |index| index != 1, trust);
        assert_eq!(answer.choice(), 0);
        assert!((answer.confidence() - 0.5).abs() < 1e-6 && !answer.is_right());
        let nothing = Answer::among(0, &[0.0, 1.0], |index| index == 0, trust);
        assert!(nothing.confidence().abs() < 1e-12);
    }

    #[test]
    fn a_clip_abstains_where_most_of_its_windows_do() {
        let window = |quality, doubt| VoicePrediction {
            categories: [1.0 / 7.0; 7],
            valence: 0.0,
            arousal: 0.0,
            dominance: 0.0,
            labels: Vec::new(),
            features: Vec::new(),
            quality,
            familiarity: 0.5,
            doubt,
        };
        let (good, bad) = (window(1.0, None), window(0.0, Some(Doubt::LowQuality)));
        assert_eq!(Trust::of_voice(&[good.clone(), bad.clone()]).doubt, None);
        let trust = Trust::of_voice(&[good, bad.clone(), bad]);
        assert_eq!(trust.doubt, Some("low_quality"));
        assert!((trust.quality - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn pooled_sets_keep_their_condition_and_all_answers() {
        let set = AnswerSet {
            condition: "in noise".to_owned(),
            ..AnswerSet::clean("x", None, vec![answer(0.5, true)])
        };
        let pooled = AnswerSet::pooled("all", Some("en"), [&set, &set].into_iter());
        assert_eq!((pooled.answers.len(), pooled.condition.as_str()), (2, "in noise"));
    }

    #[test]
    fn of_equals_the_first_is_chosen() {
        assert!(answer(0.5, true).is_right());
        assert!(!answer(0.5, false).is_right());
    }
}
