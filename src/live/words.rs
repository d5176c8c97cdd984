//! What was said in a call so far, as far as it is remembered: the issue, the need and the language follow from it.

use serde::{Deserialize, Serialize};

use crate::app::{Language, Role, TextLanguage};
use crate::emotion::{Concern, Need, Span, Utterance, find_concern_in_call, infer_need_in_call};

/// The utterances that tell a call's language: the latest ones, because a customer may go over to another.
const LANGUAGE_UTTERANCES: usize = 20;

/// The words of a call.
#[derive(Debug)]
pub(super) struct Words {
    customer: Vec<Utterance>,
    others: Vec<Utterance>,
    limit: usize,
    language: TextLanguage,
    concern: Option<Concern>,
    need: Need,
    /// Whether something was said since the concern was looked for.
    is_stale: bool,
    /// How many utterances are no longer remembered.
    pub(super) forgotten: u64,
}

/// What follows from the words of a call, without any word of the customer's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedWords {
    /// The customer's language.
    language: Language,
    /// Whether the text model reads it.
    is_readable: bool,
    /// The issue that the customer keeps coming back to, by its topic.
    concern: Option<Concern>,
    /// What the issue needs.
    need: Need,
}

impl Words {
    pub(super) fn new(limit: usize, stated_language: Option<&str>) -> Self {
        Self {
            customer: Vec::new(),
            others: Vec::new(),
            limit: limit.max(1),
            language: TextLanguage::of_call(&[], stated_language),
            concern: None,
            need: Need::default(),
            is_stale: false,
            forgotten: 0,
        }
    }

    /// Takes an utterance in, at its place in time.
    pub(super) fn add(&mut self, role: Role, span: Span, text: &str, stated_language: Option<&str>) {
        let said = match role {
            Role::Customer => &mut self.customer,
            Role::Agent => &mut self.others,
        };
        let place = said.partition_point(|earlier| earlier.span.start_ms <= span.start_ms);
        said.insert(place, Utterance { span, text: text.trim().to_owned() });
        if said.len() > self.limit {
            said.remove(0);
            self.forgotten += 1;
        }
        self.is_stale = true;
        if role == Role::Customer {
            self.restate(stated_language);
        }
    }

    /// Tells the language anew, from what the client states or from the words.
    pub(super) fn restate(&mut self, stated_language: Option<&str>) {
        let recent = self.customer.len().saturating_sub(LANGUAGE_UTTERANCES);
        self.language = TextLanguage::of_call(&self.customer[recent..], stated_language);
    }

    /// Looks for the concern and the need anew, where something was said since.
    pub(super) fn refresh(&mut self) -> bool {
        if !std::mem::take(&mut self.is_stale) {
            return false;
        }
        self.concern = find_concern_in_call(&self.customer, &self.others);
        self.need = infer_need_in_call(&self.customer, &self.others, &self.concern);
        true
    }

    /// What follows from the words so far.
    pub(super) fn derived(&self) -> DerivedWords {
        let concern = self.concern.clone().map(|concern| Concern { issue: concern.topic.clone(), ..concern });
        DerivedWords {
            language: self.language.found.clone(),
            is_readable: self.language.is_readable,
            concern,
            need: self.need.clone(),
        }
    }

    /// Puts what followed from words that were not kept in their place.
    pub(super) fn replace(&mut self, derived: &DerivedWords) {
        self.language = TextLanguage { found: derived.language.clone(), is_readable: derived.is_readable };
        self.concern.clone_from(&derived.concern);
        self.need.clone_from(&derived.need);
        self.is_stale = false;
    }

    pub(super) const fn language(&self) -> &TextLanguage {
        &self.language
    }

    pub(super) const fn concern(&self) -> Option<&Concern> {
        self.concern.as_ref()
    }

    pub(super) const fn need(&self) -> &Need {
        &self.need
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(words: &mut Words, start_ms: u64, text: &str) {
        words.add(Role::Customer, Span::new(start_ms, start_ms + 900), text, None);
    }

    #[test]
    fn an_issue_that_comes_back_is_a_concern() {
        let mut words = Words::new(100, None);
        for turn in 0..4 {
            say(&mut words, turn * 5_000, "I told you already, where is my refund?");
        }
        assert!(words.refresh() && !words.refresh());
        assert_eq!(words.concern().unwrap().topic, "refund");
        assert!(words.language().is_readable);
    }

    #[test]
    fn memory_is_bounded_and_order_is_that_of_time() {
        let mut words = Words::new(3, None);
        for start_ms in [4_000, 2_000, 3_000, 1_000, 5_000] {
            say(&mut words, start_ms, "text");
        }
        let starts: Vec<_> = words.customer.iter().map(|said| said.span.start_ms).collect();
        assert_eq!((starts, words.forgotten), (vec![3_000, 4_000, 5_000], 2));
    }

    #[test]
    fn a_stated_language_is_believed() {
        let mut words = Words::new(3, Some("fr"));
        assert!(words.language().is_readable, "nothing was said yet");
        words.add(Role::Customer, Span::at(0), "Bonjour", Some("fr"));
        assert!(!words.language().is_readable);
        words.restate(Some("en"));
        assert!(words.language().is_readable);
    }
}
