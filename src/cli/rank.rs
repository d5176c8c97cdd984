//! `heartline rank`: recorded rankings, made again with their own policy or with another one.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::CliError;
use super::arguments::{RankCommand, RankReplayArguments};
use super::tables::table;
use crate::app::RecordedMatchers;
use crate::config::Config;
use crate::routing::Policy;
use crate::routing::record::archive::{Archive, ArchiveError};
use crate::routing::record::file::RankingRecord;
use crate::routing::record::replay::{Replayed, Replayer, WhatIf};
use crate::telemetry::with_causes;

/// Rankings that the table shows where there are many; JSON has them all.
const SHOWN: usize = 20;

/// Runs the command.
pub(super) fn run(config: &Config, command: &RankCommand, output: &mut dyn Write) -> Result<(), CliError> {
    let RankCommand::Replay(arguments) = command;
    let policy = arguments.what_if.as_deref().map(|wanted| policy(config, wanted)).transpose()?;
    let (archive, id) = archive(config, arguments.rankings.as_deref())?;
    let mut matchers = RecordedMatchers::load(config)?;
    let mut replayer = Replayer::new(&archive, &mut matchers);
    let mut totals = Totals::default();
    let mut show = Show { rows: Vec::new(), notes: Vec::new(), output };
    let mut failure = None;
    let mut take = |record: RankingRecord| {
        let shown = match &policy {
            None => again(&mut replayer, &record, arguments, &mut totals, &mut show),
            Some(policy) => otherwise(&mut replayer, (&record, policy), arguments, &mut totals, &mut show),
        };
        failure = shown.err();
        failure.is_none()
    };
    match id {
        Some(id) => {
            take(archive.find(id)?);
        }
        None => archive.each(&mut take)?,
    }
    match failure {
        Some(error) => Err(error),
        None => finish(&totals, policy.as_ref(), arguments, show),
    }
}

/// The records that are meant: a file, one of the configured folder's rankings, or all of them.
fn archive<'a>(config: &Config, wanted: Option<&'a str>) -> Result<(Archive, Option<&'a str>), CliError> {
    if let Some(wanted) = wanted
        && (Archive::is_file_name(Path::new(wanted)) || Path::new(wanted).is_file())
    {
        return Ok((Archive::file(Path::new(wanted)), None));
    }
    let Some(folder) = &config.routing.records.folder else {
        let message = "routing.records.folder names no folder; name it with --set routing.records.folder=FOLDER, or \
                       name a file of rankings";
        return Err(CliError::Usage(message.to_owned()));
    };
    Ok((Archive::folder(folder)?, wanted))
}

/// The other policy: one of the configuration, or a file that holds one.
fn policy(config: &Config, wanted: &str) -> Result<Policy, CliError> {
    if let Some(policy) = config.routing.policies.iter().find(|policy| policy.name == wanted) {
        return Ok(policy.clone());
    }
    let path = Path::new(wanted);
    if !path.is_file() {
        let names: Vec<_> = config.routing.policies.iter().map(|policy| policy.name.as_str()).collect();
        return Err(CliError::Usage(format!(
            "{wanted} is neither a file nor a policy of the configuration, which has {}",
            names.join(", ")
        )));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|source| CliError::Unreadable { path: path.to_path_buf(), source })?;
    let policy: Policy = toml::from_str(&text)
        .map_err(|error| CliError::Usage(format!("{wanted} is not a policy: {}", error.message())))?;
    let faults: Vec<_> =
        policy.validate().into_iter().map(|(key, problem)| format!("{key}: {problem}")).collect();
    if faults.is_empty() {
        Ok(policy)
    } else {
        Err(CliError::Usage(format!("{wanted} is not usable: {}", faults.join("; "))))
    }
}

#[derive(Default)]
struct Totals {
    rankings: usize,
    same: usize,
    unplayable: usize,
    first_differs: usize,
    moved: usize,
    displacement: f64,
    eligible_before: usize,
    eligible_after: usize,
}

struct Show<'a> {
    rows: Vec<[String; 4]>,
    notes: Vec<String>,
    output: &'a mut dyn Write,
}

impl Show<'_> {
    fn line(&mut self, value: &serde_json::Value) -> Result<(), CliError> {
        writeln!(self.output, "{value}")?;
        Ok(())
    }

    fn row(&mut self, id: &str, what: String, before: String, after: String) {
        if self.rows.len() < SHOWN {
            self.rows.push([id.to_owned(), what, before, after]);
        }
    }

    /// Remembers notes, each once: most rankings have the same ones.
    fn notes(&mut self, notes: &[String]) {
        for note in notes {
            if self.notes.len() < SHOWN && !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
    }

    fn unplayable(
        &mut self,
        record: &RankingRecord,
        reason: &str,
        arguments: &RankReplayArguments,
    ) -> Result<(), CliError> {
        if arguments.output.json {
            return self.line(&json!({"type": "unplayable", "id": record.id, "reason": reason}));
        }
        self.row(&record.id, "cannot be made again".to_owned(), String::new(), reason.to_owned());
        Ok(())
    }
}

fn again(
    replayer: &mut Replayer<'_>,
    record: &RankingRecord,
    arguments: &RankReplayArguments,
    totals: &mut Totals,
    show: &mut Show<'_>,
) -> Result<(), CliError> {
    totals.rankings += 1;
    let replayed = match replayer.replay(record) {
        Ok(replayed) => replayed,
        Err(error) => {
            totals.unplayable += 1;
            return show.unplayable(record, &with_causes(&error), arguments);
        }
    };
    totals.same += usize::from(replayed.is_same);
    if arguments.output.json {
        return show.line(&tagged("ranking", &replayed));
    }
    let Replayed { is_same, differences, notes, first, .. } = &replayed;
    let what = if *is_same { "the same" } else { "different" }.to_owned();
    let first = first.iter().take(3).map(|(agent, score)| format!("{agent} {score:.3}"));
    show.row(&record.id, what, differences.join("; "), first.collect::<Vec<_>>().join(", "));
    show.notes(notes);
    Ok(())
}

fn otherwise(
    replayer: &mut Replayer<'_>,
    (record, policy): (&RankingRecord, &Policy),
    arguments: &RankReplayArguments,
    totals: &mut Totals,
    show: &mut Show<'_>,
) -> Result<(), CliError> {
    totals.rankings += 1;
    let found = match replayer.what_if(record, policy) {
        Ok(found) => found,
        Err(error) => {
            totals.unplayable += 1;
            return show.unplayable(record, &with_causes(&error), arguments);
        }
    };
    totals.first_differs += usize::from(found.first_differs);
    totals.moved += usize::from(found.moved > 0);
    totals.displacement += f64::from(found.mean_displacement);
    totals.eligible_before += found.eligible_before;
    totals.eligible_after += found.eligible_after;
    if arguments.output.json {
        return show.line(&tagged("what_if", &found));
    }
    let WhatIf { first_before, first_after, moved, notes, .. } = &found;
    let nobody = || "nobody".to_owned();
    let what = format!("{moved} moved, {} can take it, was {}", found.eligible_after, found.eligible_before);
    let [before, after] = [first_before, first_after].map(|agent| agent.clone().unwrap_or_else(nobody));
    show.row(&record.id, what, before, after);
    show.notes(notes);
    Ok(())
}

fn tagged(kind: &str, value: &impl serde::Serialize) -> serde_json::Value {
    let mut value = json!(value);
    if let Some(object) = value.as_object_mut() {
        object.insert("type".to_owned(), kind.into());
    }
    value
}

fn finish(
    totals: &Totals,
    policy: Option<&Policy>,
    arguments: &RankReplayArguments,
    mut show: Show<'_>,
) -> Result<(), CliError> {
    let played = totals.rankings - totals.unplayable;
    let mean = totals.displacement / played.max(1) as f64;
    if arguments.output.json {
        let mut total =
            json!({"type": "total", "rankings": totals.rankings, "unplayable": totals.unplayable});
        let more = match policy {
            None => json!({"same": totals.same, "different": played - totals.same}),
            Some(policy) => json!({
                "policy": policy.name, "first_differs": totals.first_differs, "moved": totals.moved,
                "mean_displacement": mean, "eligible_before": totals.eligible_before,
                "eligible_after": totals.eligible_after,
            }),
        };
        if let (Some(total), Some(more)) = (total.as_object_mut(), more.as_object()) {
            total.extend(more.clone());
        }
        show.line(&total)?;
    } else {
        let heading = match policy {
            None => ["Ranking", "It is", "Recorded", "Now"],
            Some(_) => ["Ranking", "What changes", "First as recorded", "First now"],
        };
        let mut rows = table(heading);
        rows.add_rows(show.rows.drain(..));
        writeln!(show.output, "{rows}")?;
        if totals.rankings > SHOWN {
            writeln!(show.output, "{} more; --json shows them all.", totals.rankings - SHOWN)?;
        }
        for note in &show.notes {
            writeln!(show.output, "Note: {note}.")?;
        }
        let (rankings, unplayable) = (totals.rankings, totals.unplayable);
        match policy {
            None => writeln!(
                show.output,
                "{rankings} rankings: {} the same, {} different, {unplayable} cannot be made again.",
                totals.same,
                played - totals.same
            )?,
            Some(policy) => writeln!(
                show.output,
                "{rankings} rankings by \"{}\": another agent comes first in {}, somebody moves in {}, by {mean:.2} \
                 places among the first ten on average; {} agents could take a call, {} as recorded; {unplayable} \
                 cannot be made again.",
                policy.name,
                totals.first_differs,
                totals.moved,
                totals.eligible_after,
                totals.eligible_before
            )?,
        }
    }
    verdict(totals, policy.is_some())
}

fn verdict(totals: &Totals, is_what_if: bool) -> Result<(), CliError> {
    let different = totals.rankings - totals.unplayable - totals.same;
    if totals.rankings == 0 {
        return Err(CliError::Archive(ArchiveError::NoRanking("at all".to_owned())));
    }
    if totals.unplayable > 0 {
        return Err(CliError::Unusable(format!("{} rankings cannot be made again", totals.unplayable)));
    }
    if different > 0 && !is_what_if {
        return Err(CliError::ReplayDiffers(format!("{different} rankings differ from what was recorded")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_and_what_cannot_be_played_fails() {
        let totals = |rankings, same, unplayable| Totals { rankings, same, unplayable, ..Totals::default() };
        verdict(&totals(2, 2, 0), false).unwrap();
        assert!(matches!(verdict(&totals(2, 1, 0), false), Err(CliError::ReplayDiffers(_))));
        assert!(matches!(verdict(&totals(2, 1, 1), false), Err(CliError::Unusable(_))));
        assert!(matches!(verdict(&totals(0, 0, 0), false), Err(CliError::Archive(_))));
        verdict(&totals(2, 0, 0), true).unwrap();
    }
}
