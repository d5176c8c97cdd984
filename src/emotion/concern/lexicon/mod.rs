//! The topics of customer service and how customers name them, in English and in Chinese. Data, no code.
//!
//! English phrases are matched word by word; `*` at the end of a word stands for any ending (`refund*` is also
//! "refunded"). Chinese phrases are matched anywhere in the text, in simplified characters; the text is folded to
//! them first. A phrase belongs where it names the issue, not where it merely occurs.

mod goods;
mod services;

/// A topic and its phrasings.
#[derive(Debug)]
pub(super) struct Topic {
    /// The canonical id, also the name of the skill that helps with it.
    pub(super) id: &'static str,
    /// Whether an agent can be skilled in it: nobody is asked for who is good at "waiting".
    pub(super) is_skill: bool,
    /// Whether naming it is already a grievance: nobody speaks of a broken thing just to order one.
    pub(super) is_fault: bool,
    /// Whether it is mostly asked for: only plain words of grievance turn a booking into an issue.
    pub(super) is_request: bool,
    /// How far a mention counts, in (0, 1]: less for what usually accompanies another issue.
    pub(super) weight: f32,
    pub(super) english: &'static [&'static str],
    pub(super) chinese: &'static [&'static str],
}

/// All topics. Where two are equally strong, the earlier one wins.
pub(super) const TOPICS: &[Topic] = &[
    goods::REFUND,
    goods::DELIVERY,
    services::BILLING,
    services::CANCELLATION,
    goods::EXCHANGE,
    goods::DEFECT,
    goods::REPAIR,
    services::TECHNICAL,
    services::ACCOUNT,
    services::BOOKING,
    goods::QUALITY,
    services::STAFF,
    services::WAITING,
];

#[cfg(test)]
mod tests {
    use super::super::matching::fold;
    use super::*;

    #[test]
    fn ids_are_unique_and_phrases_are_in_matching_form() {
        let mut ids: Vec<_> = TOPICS.iter().map(|topic| topic.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), TOPICS.len());
        for topic in TOPICS {
            assert!(topic.english.len() >= 6 && topic.chinese.len() >= 6, "{}", topic.id);
            assert!(topic.weight > 0.0 && topic.weight <= 1.0);
            for phrase in topic.english.iter().chain(topic.chinese) {
                assert_eq!(fold(phrase), **phrase, "the phrase is not folded");
            }
        }
    }
}
