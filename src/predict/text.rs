//! Texts: their language as the server finds it, then the text model.

use heartline_models::text::TextPrediction;

use super::answer::{Abstain, Answer, Finding, Line, TextAnswer};
use super::ask::ask_each;
use super::predictor::on_worker;
use super::{PredictError, Predictor, Row};
use crate::app::{Language, TextLanguage, of_text};
use crate::emotion::Span;

impl Predictor {
    pub(super) async fn answer_texts(
        &self,
        rows: Vec<Row>,
        stated: Option<String>,
    ) -> Result<Vec<Line>, PredictError> {
        let (rows, languages) = on_worker(move || {
            let language =
                |row: &Row| row.content.as_deref().ok().map(|text| TextLanguage::of(text, stated.as_deref()));
            let languages: Vec<_> = rows.iter().filter_map(language).collect();
            (rows, languages)
        })
        .await?;
        let texts: Vec<&String> = rows.iter().filter_map(|row| row.content.as_ref().ok()).collect();
        // Texts of about one length side by side need little padding.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|place| texts[*place].len());
        let sorted: Vec<String> = order.iter().map(|place| texts[*place].clone()).collect();
        let ask = |step| self.engine.analyze_texts(step, Some(Self::deadline()));
        let answers = ask_each(&sorted, self.step_rows, ask).await?;
        let mut answers: Vec<_> = order.into_iter().zip(answers).collect();
        answers.sort_by_key(|(place, _)| *place);
        let mut answers = answers.into_iter().map(|(_, answer)| answer).zip(languages);
        let line = |row: Row| match row.content {
            Err(fault) => Some(Line::Fault { id: row.id, error: fault }),
            Ok(_) => answers.next().map(|(answer, language)| match answer {
                Err(fault) => Line::Fault { id: row.id, error: fault },
                Ok(prediction) => {
                    let answer = answer_of(row.id.unwrap_or_default(), prediction, language);
                    Line::Answer(Box::new(Answer::Text(answer)))
                }
            }),
        };
        Ok(rows.into_iter().filter_map(line).collect())
    }
}

fn answer_of(id: String, prediction: TextPrediction, language: TextLanguage) -> TextAnswer {
    let TextPrediction { tokens, truncated, quality, familiarity, doubt, .. } = prediction;
    let labels = prediction.labels.clone();
    let abstain = abstention(&language).or_else(|| doubt.map(Abstain::doubting));
    let reading = of_text(prediction, Span::at(0), "");
    TextAnswer {
        id,
        finding: Finding::of(&reading, labels, quality, familiarity, abstain),
        satisfaction: reading.service.satisfaction,
        frustration: reading.service.frustration,
        confusion: reading.service.confusion,
        language: language.found,
        tokens,
        truncated,
    }
}

fn abstention(language: &TextLanguage) -> Option<Abstain> {
    let Language { tag, .. } = &language.found;
    (!language.is_readable).then(|| {
        let tag = tag.as_deref().unwrap_or("this language");
        Abstain::new("unreadable_language", format!("the text model was not trained for {tag}"))
    })
}
