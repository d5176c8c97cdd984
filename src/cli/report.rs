//! The analysis as tables for people.

use std::io::{self, Write};

use super::bars;
use super::tables::{clock, table, word};
use crate::app::{CallAnalysis, LanguageSource, NeedSource};
use crate::emotion::{Category, Modality};
use crate::routing::{Exclusion, Factor, Ranking};

/// Agents that the table shows; JSON has them all.
const AGENT_LIMIT: usize = 10;

/// Writes everything, the answer to "who" last, where the eye ends.
pub(super) fn write(analysis: &CallAnalysis, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "{}", analysis.notice)?;
    writeln!(output)?;
    write_emotion(analysis, output)?;
    write_modalities(analysis, output)?;
    write_call(analysis, output)?;
    if let Some(ranking) = &analysis.ranking {
        write_ranking(ranking, output)?;
    }
    write_footer(analysis, output)
}

fn write_emotion(analysis: &CallAnalysis, output: &mut dyn Write) -> io::Result<()> {
    let vector = &analysis.emotion;
    let mut emotion = table(["Emotion vector", "", "Value"]);
    for category in Category::ALL {
        let probability = vector.probability(category);
        emotion.add_row([category.name().to_owned(), bars::share(probability), format!("{probability:.2}")]);
    }
    for (name, value) in [
        ("valence (unpleasant to pleasant)", vector.valence),
        ("arousal (calm to excited)", vector.arousal),
        ("dominance (giving way to in control)", vector.dominance),
    ] {
        emotion.add_row([name.to_owned(), bars::signed(value), format!("{value:+.2}")]);
    }
    for (name, value) in [
        ("satisfaction", vector.satisfaction),
        ("frustration", vector.frustration),
        ("confusion", vector.confusion),
        ("concern", vector.concern),
        ("confidence", vector.trust.confidence),
    ] {
        emotion.add_row([name.to_owned(), bars::share(value), format!("{value:.2}")]);
    }
    writeln!(output, "At {} of the call: {}", clock(vector.at_ms), analysis.explanation.summary)?;
    writeln!(output, "{emotion}")?;
    if let Some(abstention) = &vector.trust.abstain {
        writeln!(output, "Do not act on this: {}", abstention.reason)?;
    }
    writeln!(output)
}

fn write_modalities(analysis: &CallAnalysis, output: &mut dyn Write) -> io::Result<()> {
    let mut modalities =
        table(["Modality", "Weight", "It shows", "Valence", "Quality", "Readings", "What it changed"]);
    for contribution in &analysis.explanation.contributions {
        let probability = contribution.categories[contribution.category.index()];
        modalities.add_row([
            contribution.modality.name().to_owned(),
            format!("{:.2}", contribution.weight),
            format!("{} {probability:.2}", contribution.category),
            format!("{:+.2}", contribution.valence),
            format!("{:.2}", contribution.quality),
            contribution.readings.to_string(),
            contribution.sentence.clone(),
        ]);
    }
    for modality in Modality::ALL {
        let has_part = analysis.explanation.contributions.iter().any(|part| part.modality == modality);
        if !has_part {
            let reasons: Vec<&str> = analysis
                .notes
                .iter()
                .filter(|note| note.modality == Some(modality))
                .map(|note| note.message.as_str())
                .collect();
            let missing =
                [modality.name(), "0", "nothing", "", "", "0", &reasons.join("; ")].map(str::to_owned);
            modalities.add_row(missing);
        }
    }
    writeln!(output, "{modalities}")?;
    writeln!(output)
}

fn write_call(analysis: &CallAnalysis, output: &mut dyn Write) -> io::Result<()> {
    let mut call = table(["The call", ""]);
    let language = analysis.language.tag.as_deref().unwrap_or("unknown");
    let source = match analysis.language.source {
        LanguageSource::Stated => "stated".to_owned(),
        LanguageSource::Detected => format!("detected, confidence {:.2}", analysis.language.confidence),
        LanguageSource::Unknown => "not clear from the transcript".to_owned(),
    };
    call.add_row(["language".to_owned(), format!("{language} ({source})")]);
    let concern = analysis.emotion.concern_issue.as_ref().map_or_else(
        || "no issue is repeated".to_owned(),
        |concern| {
            let moments: Vec<String> = concern.spans.iter().map(|span| clock(span.start_ms)).collect();
            let (issue, topic) = (&concern.issue, &concern.topic);
            let (count, score) = (concern.count, concern.score);
            format!("\"{issue}\" ({topic}), {count} times, score {score:.2}, at {}", moments.join(", "))
        },
    );
    call.add_row(["concern".to_owned(), concern]);
    let need = &analysis.need;
    let skills: Vec<String> =
        need.needed_skills.iter().map(|skill| format!("{} at level {}", skill.name, skill.level)).collect();
    let origin = match need.source {
        NeedSource::Stated => "stated",
        NeedSource::Inferred => "inferred from the words",
    };
    let skills = if skills.is_empty() { "no skill in particular".to_owned() } else { skills.join(", ") };
    call.add_row(["need".to_owned(), format!("{skills} ({origin}); complexity {:.2}", need.complexity)]);
    let trend = &analysis.emotion.trend;
    let worst = trend.worst.map_or_else(String::new, |worst| {
        format!("; worst moment {} ({}, valence {:+.2})", clock(worst.at_ms), worst.category, worst.valence)
    });
    let (valence, arousal) = (trend.valence_per_minute, trend.arousal_per_minute);
    let trend = format!("valence {valence:+.2} and arousal {arousal:+.2} a minute{worst}");
    call.add_row(["trend".to_owned(), trend]);
    writeln!(output, "{call}")?;
    writeln!(output)
}

fn write_ranking(ranking: &Ranking, output: &mut dyn Write) -> io::Result<()> {
    let mut agents =
        table(["#", "Agent", "Score", "Factors: weight x score (confidence) = contribution, and why"]);
    for (index, agent) in ranking.entries.iter().take(AGENT_LIMIT).enumerate() {
        let factors: Vec<String> = agent.factors.iter().map(factor_line).collect();
        agents.add_row([
            (index + 1).to_string(),
            agent.agent_id.clone(),
            format!("{:.3}", agent.score),
            factors.join("\n"),
        ]);
    }
    let total = ranking.entries.len() + ranking.excluded.len();
    writeln!(output, "Who should take the call, by policy \"{}\", of {total} agents:", ranking.policy)?;
    writeln!(output, "{agents}")?;
    let hidden = ranking.entries.len().saturating_sub(AGENT_LIMIT);
    if hidden > 0 {
        writeln!(output, "{hidden} more could take it; --json shows them all.")?;
    }
    if ranking.fallback {
        writeln!(output, "No active matcher answered: the order is the policy's fallback.")?;
    }
    write_excluded(ranking, output)?;
    for report in &ranking.matchers {
        let outcome = report.error.as_deref().unwrap_or("ok");
        let mode = word(&report.mode);
        writeln!(
            output,
            "Matcher {} {} ({mode}, weight {:.2}): {} us, {outcome}",
            report.id, report.version, report.weight, report.time_us
        )?;
    }
    writeln!(output)
}

fn factor_line(factor: &Factor) -> String {
    let Factor { matcher, weight, score, confidence, contribution, reason, .. } = factor;
    format!("{matcher}: {weight:.2} x {score:.2} ({confidence:.2}) = {contribution:.3}, {reason}")
}

/// Counts the agents who could not take the call, by reason.
fn write_excluded(ranking: &Ranking, output: &mut dyn Write) -> io::Result<()> {
    let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for agent in &ranking.excluded {
        let reason = match &agent.exclusion {
            Exclusion::Busy => "busy".to_owned(),
            Exclusion::Offline => "offline".to_owned(),
            Exclusion::AtCapacity => "at capacity".to_owned(),
            Exclusion::Filtered { filter, reason } => format!("kept out by {filter} ({reason})"),
            Exclusion::Ineligible { matcher, reason } => format!("ruled out by {matcher} ({reason})"),
        };
        *counts.entry(reason).or_default() += 1;
    }
    if counts.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    writeln!(output, "Not asked: {}.", reasons.join(", "))
}

fn write_footer(analysis: &CallAnalysis, output: &mut dyn Write) -> io::Result<()> {
    for note in &analysis.notes {
        let about = note.modality.map_or_else(|| "call".to_owned(), |modality| modality.to_string());
        writeln!(output, "Note ({about}): {}", note.message)?;
    }
    let models: Vec<String> =
        analysis.models.iter().map(|model| format!("{} {}", model.name, model.version)).collect();
    writeln!(output, "Models: {}", models.join(", "))?;
    let times = &analysis.timings;
    let milliseconds = |microseconds: u64| microseconds as f64 / 1e3;
    writeln!(
        output,
        "Time: {:.0} ms in all; decode {:.1}, text {:.1}, voice {:.1}, face {:.1}, fuse {:.2}, rank {:.2} ms",
        milliseconds(times.total_us),
        milliseconds(times.decode_us),
        milliseconds(times.text_us),
        milliseconds(times.voice_us),
        milliseconds(times.face_us),
        milliseconds(times.fuse_us),
        milliseconds(times.rank_us),
    )
}
