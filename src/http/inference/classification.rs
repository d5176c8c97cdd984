//! The likeliest classes of an output, each as a text: `score:index:name`.

use axum::body::Bytes;
use heartline_models::Category;

use super::catalogue::Columns;
use super::fault::invalid;
use super::{Tensor, Values};
use crate::http::ApiError;

/// Reduces an output to its highest columns, a text for each.
///
/// # Errors
/// `input_invalid` for an output whose columns are no classes.
pub(super) fn classify(
    tensor: Tensor,
    columns: Columns,
    labels: &[String],
    classes: usize,
) -> Result<Tensor, ApiError> {
    let names: Vec<&str> = match columns {
        Columns::Categories => Category::ALL.map(Category::name).to_vec(),
        Columns::Labels => labels.iter().map(String::as_str).collect(),
        Columns::None | Columns::Count(_) | Columns::Named(_) => {
            return Err(invalid(format!("the output {} has no classes", tensor.name)));
        }
    };
    let (Values::Floats(values), [rows, width]) = (&tensor.values, tensor.shape.as_slice()) else {
        return Err(invalid(format!("the output {} has no classes", tensor.name)));
    };
    let classes = classes.min(*width);
    let mut texts = Vec::with_capacity(rows * classes);
    for row in values.chunks((*width).max(1)) {
        let mut order: Vec<usize> = (0..row.len()).collect();
        // The sort is stable, so the earlier class wins a tie.
        order.sort_by(|left, right| row[*right].total_cmp(&row[*left]));
        texts.extend(order.into_iter().take(classes).map(|index| {
            let name = names.get(index).copied().unwrap_or_default();
            Bytes::from(format!("{:.6}:{index}:{name}", row[index]))
        }));
    }
    Ok(Tensor { shape: vec![*rows, classes], values: Values::Elements(texts), ..tensor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(name: &str, width: usize, values: Vec<f32>) -> Tensor {
        Tensor {
            name: name.to_owned(),
            shape: vec![values.len() / width, width],
            values: Values::Floats(values),
        }
    }

    fn texts(tensor: &Tensor) -> Vec<String> {
        let Values::Elements(values) = &tensor.values else { panic!("{tensor:?}") };
        values.iter().map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    }

    #[test]
    fn the_highest_come_first_with_their_names() {
        let labels = ["joy", "grief", "pride"].map(ToOwned::to_owned);
        let tensor = scores("labels", 3, vec![0.1, 0.7, 0.2, 0.4, 0.2, 0.4]);
        let found = classify(tensor, Columns::Labels, &labels, 2).unwrap();
        assert_eq!(found.shape, [2, 2]);
        let expected = ["0.700000:1:grief", "0.200000:2:pride", "0.400000:0:joy", "0.400000:2:pride"];
        assert_eq!(texts(&found), expected);
    }

    #[test]
    fn no_more_classes_than_there_are() {
        let tensor = scores("categories", 7, vec![0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let found = classify(tensor, Columns::Categories, &[], 50).unwrap();
        assert_eq!(found.shape, [1, 7]);
        assert_eq!(texts(&found)[0], "1.000000:4:anger");
        let empty = Tensor { shape: vec![0, 7], ..scores("categories", 7, Vec::new()) };
        assert_eq!(classify(empty, Columns::Categories, &[], 2).unwrap().shape, [0, 2]);
    }

    #[test]
    fn what_has_no_classes_is_refused() {
        classify(scores("boxes", 4, vec![0.0; 4]), Columns::Count(4), &[], 1).unwrap_err();
    }
}
