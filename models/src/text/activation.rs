//! GELU by the error function, made of elementary operations.
//!
//! The CPU backend computes the error function one number at a time in full precision, which would be a third of the
//! network's time. Here the normal distribution's tail comes from a polynomial with an exponential (Abramowitz and
//! Stegun, formula 7.1.26; error below 2e-7), and the slope is given outright, so that nothing of this is recorded
//! for the backward pass but one product.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use burn::tensor::Tensor;

/// The formula's polynomial in `t`, lowest power first, halved because the tail is half of one minus the error function.
const POLYNOMIAL: [f32; 5] =
    [0.5 * 0.254_829_6, 0.5 * -0.284_496_73, 0.5 * 1.421_413_8, 0.5 * -1.453_152, 0.5 * 1.061_405_4];
/// How fast `t` falls with the distance from zero.
const DECAY: f32 = 0.327_591_1 * FRAC_1_SQRT_2;

/// `x` times the probability that a standard normal number is below `x`.
///
/// # Shapes
/// - input and output: `[rows, columns]`
pub(crate) fn gelu(input: Tensor<2>) -> Tensor<2> {
    let plain = input.clone().inner();
    let bell = (plain.clone() * plain.clone()).mul_scalar(-0.5).exp();
    let distance = plain.clone().abs();
    let tail = upper_tail(distance.clone(), bell.clone());
    if !input.is_autodiff() {
        return plain.clamp_min(0.0) - distance * tail;
    }
    // The value is x P and its slope P + x p. With the slope as a constant, x (P + x p) - x x p has both.
    let below = plain.clone().greater_equal_elem(0.0).float();
    let sign = below.clone().mul_scalar(2.0).sub_scalar(1.0);
    let probability = below - sign * tail;
    let weighted_bell = plain.clone() * bell.mul_scalar((2.0 * PI).sqrt().recip());
    let slope = probability + weighted_bell.clone();
    input * slope - plain * weighted_bell
}

/// The probability that a standard normal number is above a distance, given `exp(-distance^2 / 2)`.
fn upper_tail(distance: Tensor<2>, bell: Tensor<2>) -> Tensor<2> {
    let t = distance.mul_scalar(DECAY).add_scalar(1.0).recip();
    let [first, second, third, fourth, fifth] = POLYNOMIAL;
    let mut sum = t.clone().mul_scalar(fifth).add_scalar(fourth);
    for coefficient in [third, second, first] {
        sum = (sum * t.clone()).add_scalar(coefficient);
    }
    sum * t * bell
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn numbers() -> Vec<f32> {
        (-800..=800_i16).map(|index| f32::from(index) / 100.0).collect()
    }

    fn tensor(values: &[f32], device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device)
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn it_agrees_with_the_exact_function() {
        let input = tensor(&numbers(), &Device::flex());
        let exact = values(burn::tensor::activation::gelu(input.clone()));
        for (found, exact) in values(gelu(input)).into_iter().zip(exact) {
            assert!((found - exact).abs() < 2e-6, "{found} {exact}");
        }
    }

    #[cfg(feature = "training")]
    #[test]
    fn value_and_slope_agree_with_the_exact_function_while_training() {
        let device = Device::flex().autodiff();
        let input = tensor(&numbers(), &device).require_grad();
        let output = gelu(input.clone());
        let exact = burn::tensor::activation::gelu(input.clone());
        for (found, exact) in values(output.clone().inner()).into_iter().zip(values(exact.clone().inner())) {
            assert!((found - exact).abs() < 5e-6, "{found} {exact}");
        }
        let slope = |output: Tensor<2>| values(input.grad(&output.sum().backward()).unwrap());
        for (found, exact) in slope(output).into_iter().zip(slope(exact)) {
            assert!((found - exact).abs() < 2e-6, "{found} {exact}");
        }
    }
}
