//! The customer's language, and whether the text model can read it.

use super::CallOptions;
use super::analysis::{Language, LanguageSource, NoteCode};
use super::notes::Notes;
use crate::emotion::{Modality, Span, Utterance, detect_conversation_languages};
use crate::routing::OtherLanguage;

/// The languages that the shipped text model was trained for.
const READABLE: [&str; 2] = ["en", "zh"];
/// How sure a detection must be before words are left unread because of it.
const SURE: f32 = 0.8;

/// The share of the words from which on a language beside the main one counts.
const OTHER_SHARE: f32 = 0.15;
/// The most languages beside the main one.
const OTHERS: usize = 3;
/// The most that the others may have together, so that the main one has something left.
const MOST_SHARE: f32 = 0.95;

/// A language and what follows from it.
#[derive(Debug, Clone)]
pub(crate) struct TextLanguage {
    /// The language.
    pub(crate) found: Language,
    /// Whether the text model reads it. Where the language is not known, it is worth a try.
    pub(crate) is_readable: bool,
}

impl TextLanguage {
    /// The language of one text alone, as if it were all that a call says.
    pub(crate) fn of(text: &str, stated: Option<&str>) -> Self {
        Self::of_call(&[Utterance { span: Span::at(0), text: text.to_owned() }], stated)
    }

    /// The language of what a customer has said so far.
    pub(crate) fn of_call(utterances: &[Utterance], stated: Option<&str>) -> Self {
        let options = CallOptions { language: stated.map(ToOwned::to_owned), ..CallOptions::default() };
        language_of(utterances, &options, &mut Notes::default())
    }
}

/// The language that the caller states, otherwise the one that the words are in.
pub(super) fn language_of(
    utterances: &[Utterance],
    options: &CallOptions,
    notes: &mut Notes,
) -> TextLanguage {
    let (guess, languages) = detect_conversation_languages(utterances);
    let heard = |main: Option<&str>| others(&languages, main);
    let found = match (&options.language, guess.tag) {
        (Some(tag), _) => {
            let others = heard(Some(tag));
            Language { tag: Some(tag.clone()), confidence: 1.0, source: LanguageSource::Stated, others }
        }
        (None, Some(tag)) => {
            let others = heard(Some(&tag));
            let source = LanguageSource::Detected;
            Language { tag: Some(tag), confidence: guess.confidence, source, others }
        }
        (None, None) => {
            Language { tag: None, confidence: 0.0, source: LanguageSource::Unknown, others: heard(None) }
        }
    };
    if utterances.is_empty() {
        return TextLanguage { found, is_readable: true };
    }
    if found.tag.is_none() {
        notes.about(
            Modality::Text,
            NoteCode::UnknownLanguage,
            "the language of the transcript could not be told",
        );
    }
    let is_foreign = found.tag.as_deref().is_some_and(|tag| !is_trained_for(tag));
    let is_readable = !(is_foreign && found.confidence >= SURE);
    if !is_readable {
        let tag = found.tag.as_deref().unwrap_or_default();
        let message = format!(
            "the text model was not trained for {tag} (it reads {}), so the words were not read for emotion",
            READABLE.join(" and ")
        );
        notes.about(Modality::Text, NoteCode::UnsupportedLanguage, message);
    }
    TextLanguage { found, is_readable }
}

/// The languages beside the main one that a good part of the words is in: one short utterance that sounds like another
/// language makes nobody bilingual.
fn others(heard: &[(String, f32)], main: Option<&str>) -> Vec<OtherLanguage> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let is_main = |tag: &str| main.is_some_and(|main| primary(main) == primary(tag));
    let others = heard.iter().filter(|(tag, share)| *share >= OTHER_SHARE && !is_main(tag)).take(OTHERS);
    let others: Vec<_> = others.collect();
    // A main language that is stated and was hardly heard keeps something all the same.
    let sum: f32 = others.iter().map(|(_, share)| share).sum();
    let scale = if main.is_some() && sum > MOST_SHARE { MOST_SHARE / sum } else { 1.0 };
    let other = |(tag, share): &(String, f32)| OtherLanguage {
        language: tag.clone(),
        share: (share * scale).min(1.0),
        level: None,
    };
    others.into_iter().map(other).collect()
}

fn is_trained_for(tag: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or_default();
    READABLE.iter().any(|readable| readable.eq_ignore_ascii_case(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str, stated: Option<&str>) -> (TextLanguage, Vec<NoteCode>) {
        let utterances = [Utterance { span: Span::at(0), text: text.to_owned() }];
        let options = CallOptions { language: stated.map(ToOwned::to_owned), ..CallOptions::default() };
        let mut notes = Notes::default();
        let heard = language_of(&utterances, &options, &mut notes);
        (heard, notes.into_vec().into_iter().map(|note| note.code).collect())
    }

    #[test]
    fn a_stated_language_wins() {
        let (heard, notes) = heard("I have been waiting for my refund for three weeks now.", Some("zh-Hant"));
        assert_eq!(heard.found.tag.as_deref(), Some("zh-Hant"));
        assert_eq!(heard.found.source, LanguageSource::Stated);
        assert!(heard.is_readable && notes.is_empty());
    }

    #[test]
    fn a_foreign_language_is_not_read() {
        let (heard, notes) = heard("Bonjour", Some("fr-CA"));
        assert!(!heard.is_readable);
        assert_eq!(notes, [NoteCode::UnsupportedLanguage]);
    }

    #[test]
    fn an_unknown_language_is_noted_and_tried() {
        let (heard, notes) = heard("12345 !!", None);
        assert_eq!((heard.found.tag, heard.found.source), (None, LanguageSource::Unknown));
        assert!(heard.is_readable);
        assert_eq!(notes, [NoteCode::UnknownLanguage]);
    }

    #[test]
    fn a_text_alone_is_judged_as_a_call_is() {
        let polish =
            TextLanguage::of("Czekam już trzy tygodnie na zwrot pieniędzy i nikt nie odpowiada.", None);
        assert!(!polish.is_readable, "{:?}", polish.found);
        assert!(TextLanguage::of("我的退款怎么还没到账", None).is_readable);
        assert!(!TextLanguage::of("OK", Some("pl")).is_readable);
        assert!(TextLanguage::of("", None).is_readable);
    }

    #[test]
    fn a_customer_who_goes_from_one_language_to_another_has_both() {
        let said = |text: &str| Utterance { span: Span::at(0), text: text.to_owned() };
        let english = "I have been waiting for my refund for three weeks now and nobody answers.";
        let spanish = "Ya llevo tres semanas esperando la devolución y nadie me contesta al teléfono.";
        let options = CallOptions { language: Some("en-US".to_owned()), ..CallOptions::default() };
        let heard = |texts: &[&str], options: &CallOptions| {
            let utterances: Vec<_> = texts.iter().map(|text| said(text)).collect();
            language_of(&utterances, options, &mut Notes::default()).found
        };
        let mixed = heard(&[english, spanish], &options);
        assert_eq!(mixed.others.len(), 1);
        assert_eq!(mixed.others[0].language, "es");
        assert!((0.3..0.7).contains(&mixed.others[0].share), "{:?}", mixed.others);
        assert!(heard(&[english, english], &options).others.is_empty());
        let found = heard(&[english, english, english, spanish], &CallOptions::default());
        let shares: f32 = found.others.iter().map(|other| other.share).sum();
        assert!(shares < 1.0, "{found:?}");
    }

    #[test]
    fn no_words_need_no_note() {
        let mut notes = Notes::default();
        let heard = language_of(&[], &CallOptions::default(), &mut notes);
        assert!(heard.is_readable && notes.into_vec().is_empty());
    }
}
