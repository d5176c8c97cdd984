//! The main axes of a cloud of features.

use heartline_models::Familiarity;
use nalgebra::{DMatrix, SymmetricEigen};

use crate::error::TrainError;

/// As many axes are kept, or half of the width where that is less.
const MOST_AXES: usize = 64;
/// The least spread along an axis, as a share of the widest one: what never varied would make everything unfamiliar.
const LEAST_SHARE: f64 = 1e-3;

/// Mean, axes and spreads; the farthest distance is left at 1 for others to set.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "statistics of f32 values")]
pub(super) fn find(features: &[Vec<f32>]) -> Result<Familiarity, TrainError> {
    let (rows, width) = (features.len(), features.first().map_or(0, Vec::len));
    if rows < 2 || width < 2 || features.iter().any(|row| row.len() != width) {
        return Err(TrainError::Disagreement("axes need two inputs and two features at least".to_owned()));
    }
    let values = DMatrix::from_fn(rows, width, |row, column| f64::from(features[row][column]));
    let mean = values.row_mean();
    let centred = DMatrix::from_fn(rows, width, |row, column| values[(row, column)] - mean[column]);
    let spread = centred.transpose() * &centred / rows as f64;
    let eigen = SymmetricEigen::new(spread);
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|left, right| eigen.eigenvalues[*right].total_cmp(&eigen.eigenvalues[*left]));
    let least = eigen.eigenvalues[order[0]].max(1e-12) * LEAST_SHARE * LEAST_SHARE;
    let (kept, left) = order.split_at(MOST_AXES.min(width / 2));
    let rest: f64 = left.iter().map(|index| eigen.eigenvalues[*index].max(0.0)).sum();
    Ok(Familiarity {
        mean: mean.iter().map(|value| *value as f32).collect(),
        axes: kept
            .iter()
            .flat_map(|index| {
                eigen.eigenvectors.column(*index).iter().map(|value| *value as f32).collect::<Vec<_>>()
            })
            .collect(),
        deviations: kept.iter().map(|index| eigen.eigenvalues[*index].max(least).sqrt() as f32).collect(),
        rest: rest.max(least).sqrt() as f32,
        farthest: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_direction_is_the_first_axis() {
        let features: Vec<Vec<f32>> = (0..100_u8)
            .map(|index| {
                let along = f32::from(index % 10) - 4.5;
                let beside = if index % 2 == 0 { 0.1 } else { -0.1 };
                vec![3.0 + along, along, beside, 0.0]
            })
            .collect();
        let found = find(&features).unwrap();
        assert_eq!((found.mean.len(), found.deviations.len()), (4, 2));
        assert!((found.mean[0] - 3.0).abs() < 1e-5);
        assert!((found.axes[0].abs() - 0.5_f32.sqrt()).abs() < 1e-4, "{:?}", found.axes);
        assert!((found.deviations[0] - (2.0 * 8.25_f32).sqrt()).abs() < 1e-3);
        assert!(found.distance(&[3.0, 0.0, 0.0, 9.0]) > 100.0);
    }

    #[test]
    fn too_little_is_refused() {
        assert!(find(&[]).is_err());
        assert!(find(&[vec![1.0, 2.0], vec![1.0]]).is_err());
    }
}
