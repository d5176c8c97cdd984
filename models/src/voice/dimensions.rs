//! Valence, arousal and dominance from category probabilities.
//!
//! No data at hand has these dimensions for voices, so each category stands at one fixed point and a prediction lies
//! at their mean, weighted by probability. The points are rounded from the ratings of emotion words that Russell and
//! Mehrabian published in 1977 (Journal of Research in Personality 11, 273-294).

use crate::{CATEGORY_COUNT, Category};

/// Valence, arousal and dominance, each -1 to 1.
const fn point(category: Category) -> [f32; 3] {
    match category {
        Category::Neutral => [0.0, 0.0, 0.0],
        Category::Happiness => [0.8, 0.5, 0.4],
        Category::Surprise => [0.3, 0.7, -0.1],
        Category::Sadness => [-0.6, -0.3, -0.3],
        Category::Anger => [-0.5, 0.6, 0.3],
        Category::Disgust => [-0.6, 0.3, 0.1],
        Category::Fear => [-0.6, 0.6, -0.4],
    }
}

/// The mean point of a distribution over the categories.
pub(super) fn from_categories(categories: &[f32; CATEGORY_COUNT]) -> [f32; 3] {
    let mut mean = [0.0; 3];
    for category in Category::ALL {
        for (mean, value) in mean.iter_mut().zip(point(category)) {
            *mean += categories[category.index()] * value;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_category_is_its_point_and_a_mixture_lies_between() {
        let mut categories = [0.0; CATEGORY_COUNT];
        categories[Category::Anger.index()] = 1.0;
        assert_eq!(from_categories(&categories), point(Category::Anger));
        categories[Category::Anger.index()] = 0.5;
        categories[Category::Neutral.index()] = 0.5;
        assert_eq!(from_categories(&categories), [-0.25, 0.3, 0.15]);
    }
}
