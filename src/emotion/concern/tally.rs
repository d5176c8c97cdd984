//! How often each topic came up, and how far the customer insisted on it.
//!
//! Naming a thing is no insistence: who books a hotel names it in every sentence. A topic becomes an *issue* with the
//! first words of grievance about it, of having said it before, or with a demand that the agent has just declined.
//! From then on every mention counts, and so does every utterance that presses or complains without naming a topic.

use super::clauses::Said;
use super::cues::Stance;
use super::lexicon::{TOPICS, Topic};
use crate::emotion::Utterance;

/// What each further mention in the same utterance adds; the first one counts 1.
const FURTHER_MENTION: f32 = 0.25;
/// The most that the mentions of one utterance count together.
const MENTIONS_LIMIT: f32 = 1.5;
/// What a mention counts towards insistence as long as nothing is wrong with it.
const PLAIN_SHARE: f32 = 0.2;
/// The most that all such mentions count together: less than the one mention that anybody makes.
const PLAIN_LIMIT: f32 = 0.8;
/// What a mention counts that only takes up the agent's question.
const ANSWER_SHARE: f32 = 0.4;
/// What an utterance counts that comes back to the issue without naming it.
const RETURN_SHARE: f32 = 0.9;
/// As above for one that only denies something, or merely keeps talking where nobody has asked.
const WEAK_SHARE: f32 = 0.5;
/// So many contradictions make an issue of what they are about.
const DENIALS_NEEDED: usize = 2;
/// The shortest remark that is more than an acknowledgement, in words or Chinese characters.
const REMARK_LENGTH: usize = 5;
/// What is made up for of what was said before it turned out to be an issue.
const EARLIER_SHARE: f32 = 0.5;
/// What is left of the evidence once the customer says that the issue is solved.
const RESOLVED_REST: f32 = 0.2;
/// A marker of repetition from this strength on makes an issue of what it is said about.
pub(super) const STRONG_MARKER: f32 = 0.6;
/// The least that a plain mention counts, however rare it is.
const DENSITY_FLOOR: f32 = 0.5;
/// For how many utterances an issue that was neither named nor complained of is still what "it" speaks of.
const REACH: usize = 4;

/// How one topic came up.
#[derive(Debug, Clone)]
pub(in crate::emotion) struct Tally {
    /// The topic's id.
    pub(in crate::emotion) id: &'static str,
    /// Whether an agent can be skilled in it.
    pub(in crate::emotion) is_skill: bool,
    /// How much it was named, insisted on or not, already multiplied by the topic's weight.
    pub(in crate::emotion) evidence: f32,
    /// How far the customer insisted on it, already multiplied by the topic's weight.
    pub(in crate::emotion) pressure: f32,
    /// The utterances that name it or come back to it, by index.
    pub(in crate::emotion) utterances: Vec<usize>,
    /// The customer's words for it, one entry a mention.
    pub(in crate::emotion) phrasings: Vec<String>,
    /// The strongest marker of repetition that came with it, in [0, 1].
    pub(in crate::emotion) repeated: f32,
    /// Whether something is wrong with it.
    is_issue: bool,
    /// Mentions before something was wrong, and since.
    plain: f32,
    pressed: f32,
    /// The markers of repetition.
    markers: f32,
    /// The mentions themselves, without density and returns.
    named: f32,
    /// The last utterance that named it or complained of it.
    heard: usize,
    /// How often the customer contradicted while it was spoken of.
    denials: usize,
    /// Utterances that pressed for it before it was an issue, by index.
    waiting: Vec<usize>,
}

/// What the agent said just before an utterance.
#[derive(Debug, Clone, Default)]
pub(in crate::emotion) struct Prompt {
    /// The topics that the agent asked about, by index.
    asked: Vec<usize>,
    /// Whether the agent said anything at all.
    is_known: bool,
    /// Whether the agent asked anything.
    is_question: bool,
    /// Whether the agent declined something.
    declined: bool,
}

/// What an agent says who will not or cannot.
const DECLINED_ENGLISH: &[&str] = &[
    "can't",
    "cannot",
    "i'm afraid",
    "unfortunately",
    "not possible",
    "unable",
    "not allowed",
    "sold out",
    "won't be able",
];
/// As above.
const DECLINED_CHINESE: &[&str] =
    &["没有权限", "没办法", "不能", "无法", "办不了", "决定不了", "查不到", "看不到", "没货"];

impl Prompt {
    fn of(text: &str) -> Self {
        let prepared = super::matching::Prepared::new(text);
        let is_question =
            text.contains(['?', '？']) || prepared.letters.iter().any(|letter| matches!(letter, '吗' | '呢'));
        let asked = if is_question {
            Said::new(text).mentions.into_iter().map(|(topic, _)| topic).collect()
        } else {
            Vec::new()
        };
        let declined = DECLINED_ENGLISH.iter().any(|phrase| !prepared.find_words(phrase).is_empty())
            || DECLINED_CHINESE.iter().any(|phrase| !prepared.find_letters(phrase).is_empty());
        Self { asked, is_known: true, is_question, declined }
    }
}

/// For each of the customer's utterances what the agent said since the one before.
pub(in crate::emotion) fn prompts(customer: &[Utterance], agent: &[Utterance]) -> Vec<Prompt> {
    let mut waiting = agent.iter().peekable();
    let before = |utterance: &Utterance| {
        let mut last = None;
        while let Some(prompt) = waiting.next_if(|prompt| prompt.span.start_ms <= utterance.span.start_ms) {
            last = Some(prompt);
        }
        last.map(|prompt| Prompt::of(&prompt.text)).unwrap_or_default()
    };
    customer.iter().map(before).collect()
}

/// Counts every topic that came up, in the order of the lexicon. `prompts` has what the agent said before each
/// utterance, or is empty where nobody knows.
pub(in crate::emotion) fn tally(utterances: &[Utterance], prompts: &[Prompt]) -> Vec<Tally> {
    let mut room = Room { tallies: TOPICS.iter().map(Tally::new).collect(), last: None, unnamed: Vec::new() };
    let silent = Prompt::default();
    for (index, utterance) in utterances.iter().enumerate() {
        room.hear(index, Said::new(&utterance.text), prompts.get(index).unwrap_or(&silent));
    }
    for (tally, topic) in room.tallies.iter_mut().zip(TOPICS) {
        let density = density(DENSITY_FLOOR, tally.utterances.len(), utterances.len());
        let plain = (PLAIN_SHARE * tally.plain).min(PLAIN_LIMIT);
        tally.evidence = topic.weight * tally.named;
        tally.pressure = topic.weight * (plain + tally.pressed * density + tally.markers);
    }
    room.tallies.retain(|tally| !tally.utterances.is_empty());
    room.tallies
}

/// The topics so far, and which one was spoken of last.
struct Room {
    tallies: Vec<Tally>,
    last: Option<(usize, usize)>,
    /// Complaints that named no topic, before any was named, by index.
    unnamed: Vec<usize>,
}

impl Room {
    fn hear(&mut self, index: usize, said: Said, prompt: &Prompt) {
        let Said { mentions, over, is_over, stance, length } = said;
        let ended = if is_over { over.iter().copied().chain(self.current(index)).collect() } else { over };
        for topic in &ended {
            self.tallies[*topic].resolve();
            self.last = Some((*topic, index));
        }
        if mentions.is_empty() {
            if ended.is_empty() {
                self.come_back(index, stance, prompt, length >= REMARK_LENGTH);
            }
            return;
        }
        for (topic, phrasings) in mentions {
            let is_asked = prompt.asked.contains(&topic);
            let around = Around { topic: &TOPICS[topic], prompt, is_asked };
            self.unnamed.retain(|complaint| index - complaint <= REACH);
            self.tallies[topic].waiting.append(&mut self.unnamed);
            self.tallies[topic].mention(index, phrasings, stance, &around);
            self.last = Some((topic, index));
        }
    }

    /// What "it" speaks of: the issue insisted on most, otherwise what was named last.
    fn current(&self, index: usize) -> Option<usize> {
        let in_reach = |tally: &Tally| index - tally.heard <= REACH;
        let issues = self.tallies.iter().enumerate().filter(|(_, tally)| tally.is_issue && in_reach(tally));
        let strongest = issues.max_by(|left, right| left.1.pressed.total_cmp(&right.1.pressed));
        strongest
            .map(|(topic, _)| topic)
            .or_else(|| self.last.filter(|(_, heard)| index - heard <= REACH).map(|(topic, _)| topic))
    }

    /// An utterance that names no topic: does it complain about, or press for, the current one?
    fn come_back(&mut self, index: usize, stance: Stance, prompt: &Prompt, is_remark: bool) {
        let complains = stance.is_grievance || stance.repeated >= STRONG_MARKER;
        let is_content = stance.is_content && !complains && stance.repeated == 0.0;
        // "No" to a question is an answer.
        let denies = stance.is_denial && !prompt.is_question && !is_content;
        let Some(topic) = self.current(index) else {
            if self.last.is_none() && complains {
                self.unnamed.push(index);
            }
            return;
        };
        let tally = &mut self.tallies[topic];
        tally.denials += usize::from(denies);
        let opens = stance.repeated >= STRONG_MARKER
            || (!TOPICS[topic].is_request
                && (stance.is_grievance || tally.denials >= DENIALS_NEEDED && denies));
        let presses = (stance.is_pressing || stance.repeated > 0.0) && !is_content;
        let talks_on = is_remark && prompt.is_known && !prompt.is_question && !is_content;
        if opens {
            tally.open();
            tally.heard = index;
        }
        if opens || (tally.is_issue && (presses || denies || talks_on)) {
            tally.pressed += if complains || presses { RETURN_SHARE } else { WEAK_SHARE };
            tally.markers += stance.repeated;
            tally.repeated = tally.repeated.max(stance.repeated);
            tally.utterances.push(index);
        } else if (presses || denies) && !prompt.is_question {
            tally.waiting.push(index);
        }
    }
}

/// What is around a mention.
struct Around<'a> {
    topic: &'static Topic,
    prompt: &'a Prompt,
    /// Whether the agent has just asked about it.
    is_asked: bool,
}

impl Tally {
    const fn new(topic: &Topic) -> Self {
        Self {
            id: topic.id,
            is_skill: topic.is_skill,
            evidence: 0.0,
            pressure: 0.0,
            utterances: Vec::new(),
            phrasings: Vec::new(),
            repeated: 0.0,
            is_issue: false,
            plain: 0.0,
            pressed: 0.0,
            markers: 0.0,
            named: 0.0,
            heard: 0,
            denials: 0,
            waiting: Vec::new(),
        }
    }

    fn mention(&mut self, index: usize, phrasings: Vec<String>, stance: Stance, around: &Around<'_>) {
        let Around { topic, prompt, is_asked } = *around;
        let declined = prompt.declined && stance.is_pressing && !topic.is_request;
        let complains = stance.is_grievance || stance.repeated >= STRONG_MARKER;
        let opens = complains || topic.is_fault || declined;
        let further = phrasings.len().saturating_sub(1) as f32;
        let answers = is_asked && !opens;
        let share = if answers { ANSWER_SHARE } else { 1.0 };
        let amount = share * (1.0 + FURTHER_MENTION * further).min(MENTIONS_LIMIT);
        if opens {
            self.open();
        }
        self.heard = index;
        self.named += amount;
        if self.is_issue {
            self.pressed += amount;
            self.markers += stance.repeated;
            self.repeated = self.repeated.max(stance.repeated);
        } else {
            self.plain += amount;
        }
        self.utterances.push(index);
        self.phrasings.extend(phrasings);
    }

    /// It turns out to be an issue; what was said of it before appears in another light.
    fn open(&mut self) {
        if self.is_issue {
            return;
        }
        self.is_issue = true;
        self.pressed += EARLIER_SHARE * (self.plain + RETURN_SHARE * self.waiting.len() as f32);
        self.plain = 0.0;
        self.utterances.append(&mut self.waiting);
        self.utterances.sort_unstable();
    }

    fn resolve(&mut self) {
        self.is_issue = false;
        self.waiting.clear();
        self.denials = 0;
        self.named *= RESOLVED_REST;
        self.plain *= RESOLVED_REST;
        self.pressed *= RESOLVED_REST;
        self.markers *= RESOLVED_REST;
    }
}

/// How much a mention counts, from the part of all utterances that have one: who speaks of a refund in every
/// sentence emphasises it, who names it three times in forty sentences has merely called about it.
pub(super) fn density(floor: f32, mentions: usize, utterances: usize) -> f32 {
    (floor + mentions as f32 / utterances.max(1) as f32).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Span;

    fn at(start_ms: u64, text: &str) -> Utterance {
        Utterance { span: Span::new(start_ms, start_ms + 900), text: text.to_owned() }
    }

    fn tallies(customer: &[&str], agent: &[&str]) -> Vec<Tally> {
        let spoken = |texts: &[&str], first_ms: u64| -> Vec<Utterance> {
            texts.iter().enumerate().map(|(index, text)| at(first_ms + index as u64 * 2_000, text)).collect()
        };
        let (customer, agent) = (spoken(customer, 1_000), spoken(agent, 0));
        tally(&customer, &prompts(&customer, &agent))
    }

    #[test]
    fn naming_alone_is_no_insistence() {
        let named = tallies(
            &["A parcel to Leeds.", "The parcel weighs two kilos.", "When will the parcel leave?"],
            &[],
        );
        let missed = tallies(&["My parcel is lost.", "The parcel, yes.", "When will the parcel come?"], &[]);
        assert!(named[0].pressure < 1.0 && missed[0].pressure > 2.5, "{named:?} {missed:?}");
        assert_eq!(named[0].utterances, missed[0].utterances);
    }

    #[test]
    fn an_issue_is_come_back_to_without_its_name() {
        let tallies =
            tallies(&["My parcel is lost.", "Number 114.", "So when will it come?", "Thanks."], &[]);
        assert_eq!(tallies[0].utterances, [0, 2]);
    }

    #[test]
    fn an_answer_counts_less_than_a_remark() {
        let said = ["My invoice is wrong.", "The invoice of May."];
        let alone = tallies(&said, &[]);
        let asked = tallies(&said, &["Hello.", "Which invoice do you mean?"]);
        assert!(asked[0].pressure < alone[0].pressure);
    }

    #[test]
    fn a_demand_after_a_refusal_is_an_issue() {
        let said = ["An exchange, please.", "I want an exchange today."];
        let alone = tallies(&said, &[]);
        let declined = tallies(&said, &["Hello.", "I'm afraid that's not possible."]);
        assert!(declined[0].pressure > alone[0].pressure);
    }

    #[test]
    fn prompts_go_with_the_utterance_that_follows_them() {
        let customer = [at(1_000, "hi"), at(5_000, "no"), at(9_000, "ok")];
        let agent = [at(0, "Your bill?"), at(2_000, "Your refund?"), at(3_000, "I'm afraid not.")];
        let prompts = prompts(&customer, &agent);
        assert_eq!(prompts[0].asked.len(), 1);
        assert!(prompts[1].asked.is_empty() && prompts[1].declined);
        assert!(!prompts[2].declined);
    }
}
