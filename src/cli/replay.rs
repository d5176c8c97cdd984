//! `heartline replay`: plays the recording of a live call again and says whether it comes out the same.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::arguments::{PolicyArgument, ReplayArguments};
use super::tables::{clock, table, word};
use super::{CliError, bars};
use crate::app::load_router;
use crate::config::{Config, MatcherConfig};
use crate::live::record::RecordedPolicy;
use crate::live::record::replay::{Cut, Difference, Header, Outcome, Recorded};
use crate::live::{EmotionNow, Event, Fact, RankingNow, StateSettings};

/// Agents that the table names.
const NAMED_AGENTS: usize = 3;

/// Plays a recording and prints what it says.
pub(super) fn run(
    mut config: Config,
    arguments: &ReplayArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    let recorded = Recorded::open(&arguments.file)?;
    let header = recorded.header().clone();
    if arguments.policy_from == PolicyArgument::Recording {
        take_policy(&mut config, &header.policy)?;
    }
    // What the server's matchers have learned is neither read nor written here.
    config.plugins.state_folder = None;
    let (router, _) = load_router(&config)?;
    let settings = StateSettings {
        fusion: header.fusion.clone(),
        live: header.live.clone(),
        router: Arc::new(router),
        recording: None,
    };
    let mut show = Show { lines: Vec::new(), is_json: arguments.output.json, output };
    let mut pace = Pace { speed: arguments.speed, at_ms: 0 };
    let mut failure = None;
    let outcome = recorded.play(&settings, &mut |fact, events| {
        pace.wait_for(fact);
        if failure.is_none() {
            failure = events.iter().try_for_each(|event| show.event(event)).err();
        }
    })?;
    match failure {
        Some(error) => return Err(error),
        None => show.finish(&header, &outcome)?,
    }
    match &outcome.difference {
        None => Ok(()),
        Some(difference) => Err(CliError::ReplayDiffers(describe(difference))),
    }
}

/// Ranks as the recording says, with the libraries that the configuration names: a file may not choose what code runs.
fn take_policy(config: &mut Config, policy: &RecordedPolicy) -> Result<(), CliError> {
    let known =
        |wanted: &MatcherConfig| config.plugins.matchers.iter().any(|matcher| matcher.path == wanted.path);
    if let Some(unknown) = policy.matchers.iter().find(|matcher| !known(matcher)) {
        return Err(CliError::Usage(format!(
            "the call was ranked with {}, which plugins.matchers does not name; add it there, or rank with \
             --policy-from config",
            unknown.path.display()
        )));
    }
    config.plugins.matchers.clone_from(&policy.matchers);
    config.routing.policy.clone_from(&policy.policy.name);
    config.routing.policies = vec![policy.policy.clone()];
    Ok(())
}

/// Media time that passes as slowly as is asked for.
struct Pace {
    speed: Option<f64>,
    at_ms: u64,
}

impl Pace {
    fn wait_for(&mut self, fact: &Fact) {
        let (Some(speed), Fact::Clock { at_ms }) = (self.speed, fact) else { return };
        let passed_ms = at_ms.saturating_sub(self.at_ms);
        self.at_ms = self.at_ms.max(*at_ms);
        std::thread::sleep(Duration::from_millis(passed_ms).div_f64(speed));
    }
}

struct Show<'a> {
    /// The rows of the table.
    lines: Vec<[String; 5]>,
    is_json: bool,
    output: &'a mut dyn Write,
}

impl Show<'_> {
    fn event(&mut self, event: &Event) -> Result<(), CliError> {
        if self.is_json {
            serde_json::to_writer(&mut *self.output, event)?;
            writeln!(self.output)?;
            self.output.flush()?;
            return Ok(());
        }
        match event {
            Event::Emotion(now) => self.lines.push(emotion_row(now)),
            Event::Ranking(now) => self.lines.push(ranking_row(now)),
            Event::Notice(notice) => {
                self.lines.push([
                    String::new(),
                    "notice".to_owned(),
                    notice.message.clone(),
                    String::new(),
                    String::new(),
                ]);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, header: &Header, outcome: &Outcome) -> Result<(), CliError> {
        let is_same = outcome.difference.is_none();
        if self.is_json {
            let difference = outcome.difference.as_ref().map(|difference| {
                json!({"fact": difference.fact, "at_ms": difference.at_ms, "recorded": difference.recorded,
                       "replayed": difference.replayed})
            });
            let replay = json!({
                "type": "replay", "session_id": header.session_id, "is_same": is_same, "facts": outcome.facts,
                "recorded_events": outcome.recorded_events, "replayed_events": outcome.replayed_events,
                "media_ms": outcome.media_ms, "cut": outcome.cut, "difference": difference,
            });
            writeln!(self.output, "{replay}")?;
            return Ok(());
        }
        let mut rows = table(["At", "What", "It says", "Valence", "Confidence"]);
        rows.add_rows(self.lines.drain(..));
        writeln!(self.output, "{rows}")?;
        let models: Vec<_> =
            header.models.iter().map(|model| format!("{} {}", model.name, model.version)).collect();
        let (program, facts, end) = (&header.program, outcome.facts, clock(outcome.media_ms));
        writeln!(
            self.output,
            "Session {}, recorded by heartline {program} with {}",
            header.session_id,
            models.join(", ")
        )?;
        let events = outcome.replayed_events;
        let verdict = if is_same { "all the same as recorded" } else { "not as recorded" };
        writeln!(self.output, "{facts} facts up to {end} gave {events} events, {verdict}.")?;
        if let Some(cut) = outcome.cut {
            let reason = match cut {
                Cut::Size => "it is as large as live.record_max_bytes lets it be",
                Cut::Behind => "the disk did not keep up",
            };
            writeln!(self.output, "The recording ends before its call: {reason}.")?;
        }
        Ok(())
    }
}

fn emotion_row(now: &EmotionNow) -> [String; 5] {
    let vector = &now.emotion;
    let (category, share) = vector.top_category();
    let issue = vector
        .concern_issue
        .as_ref()
        .map(|concern| format!(", concern {:.2} ({})", concern.score, concern.topic));
    [
        clock(vector.at_ms),
        "emotion".to_owned(),
        format!("{category} {share:.2}, frustration {:.2}{}", vector.frustration, issue.unwrap_or_default()),
        format!("{} {:+.2}", bars::signed(vector.valence), vector.valence),
        format!("{:.2}", vector.trust.confidence),
    ]
}

fn ranking_row(now: &RankingNow) -> [String; 5] {
    let agents = now.ranking.entries.iter().take(NAMED_AGENTS);
    let agents: Vec<_> = agents.map(|agent| format!("{} {:.3}", agent.agent_id, agent.score)).collect();
    let because = word(&now.because);
    [clock(now.at_ms), format!("ranking ({because})"), agents.join(", "), String::new(), String::new()]
}

fn describe(difference: &Difference) -> String {
    let said = |lines: &[String]| if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") };
    format!(
        "the replay differs from the recording, first at {} (fact {}):\n  recorded: {}\n  replayed: {}",
        clock(difference.at_ms),
        difference.fact,
        said(&difference.recorded),
        said(&difference.replayed)
    )
}
