//! What callers usually sound like, as training makes it up: some windows of the same speaker, showing one or several
//! emotions, are averaged as a caller's earlier speech would be.

use std::collections::BTreeMap;

use heartline_models::voice::CallerBaseline;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::clips::Clip;

/// How many windows a made-up caller was heard for.
const HEARD: [usize; 5] = [1, 2, 4, 8, 16];
/// How many emotions a made-up caller showed in them; often one, which is what makes a baseline dangerous.
const SHOWN: [usize; 4] = [1, 2, 3, 7];

/// The pooled features of all windows, by speaker and category.
#[derive(Debug)]
pub(crate) struct Callers<'a> {
    speakers: BTreeMap<&'a str, BTreeMap<usize, Vec<usize>>>,
    features: Vec<Vec<f32>>,
}

impl<'a> Callers<'a> {
    /// From the clip of each window, and its features.
    pub(crate) fn new(clips: &'a [Clip], of_clip: &[usize], features: Vec<Vec<f32>>) -> Self {
        let mut speakers: BTreeMap<&str, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
        for (window, clip) in of_clip.iter().enumerate() {
            let clip = &clips[*clip];
            let categories = speakers.entry(&clip.speaker).or_default();
            categories.entry(clip.category.index()).or_default().push(window);
        }
        Self { speakers, features }
    }

    /// A random past of the speaker of a clip.
    pub(crate) fn past(&self, clip: &Clip, random: &mut StdRng) -> CallerBaseline {
        let heard = HEARD.choose(random).copied().unwrap_or(1);
        let shown = SHOWN.choose(random).copied().unwrap_or(1);
        self.past_of(clip, [heard, shown], random)
    }

    /// A random past of some windows with at most some emotions.
    pub(crate) fn past_of(
        &self,
        clip: &Clip,
        [heard, shown]: [usize; 2],
        random: &mut StdRng,
    ) -> CallerBaseline {
        let mut baseline = CallerBaseline::default();
        let Some(categories) = self.speakers.get(clip.speaker.as_str()) else { return baseline };
        let mut emotions: Vec<&Vec<usize>> = categories.values().collect();
        emotions.shuffle(random);
        emotions.truncate(shown);
        for _ in 0..heard {
            let windows = emotions[random.random_range(0..emotions.len())];
            baseline.add_features(&self.features[windows[random.random_range(0..windows.len())]], 1.0);
        }
        baseline
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use heartline_models::Category;
    use rand::SeedableRng;

    use super::*;

    fn clip(speaker: &str, category: Category) -> Clip {
        Clip { path: PathBuf::new(), set: "a".to_owned(), speaker: speaker.to_owned(), category }
    }

    #[test]
    fn a_past_is_made_of_the_same_speaker_and_of_few_emotions() {
        let clips =
            [clip("one", Category::Anger), clip("one", Category::Fear), clip("other", Category::Anger)];
        let features = vec![vec![1.0], vec![3.0], vec![100.0]];
        let callers = Callers::new(&clips, &[0, 1, 2], features);
        let mut random = StdRng::seed_from_u64(1);
        for _ in 0..50 {
            let mean = |baseline: &CallerBaseline| baseline.shift(1).unwrap()[0] / baseline.strength();
            let one = mean(&callers.past_of(&clips[0], [4, 1], &mut random));
            assert!((one - 1.0).abs() < 1e-5 || (one - 3.0).abs() < 1e-5, "{one}");
            assert!((0.99..3.01).contains(&mean(&callers.past(&clips[1], &mut random))));
        }
        let stranger = callers.past(&clip("nobody", Category::Anger), &mut random);
        assert_eq!(stranger, CallerBaseline::default());
    }
}
