//! What follows a product: rectification, GELU, residual sums; and the exponential that curves are made of.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use super::lanes::{Eight, Lanes, Task, dispatch};

/// What is done with a product's results. Residuals have the layout of the whole result.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    Nothing,
    /// Negative numbers become zero.
    Relu,
    /// By the error function.
    Gelu,
    /// The sum with other values.
    Add(&'a [Eight]),
    /// The sum with other values, then [`Self::Relu`].
    AddRelu(&'a [Eight]),
}

impl Finish<'_> {
    /// Finishes values that begin at `from` in the whole result.
    pub(crate) fn apply(self, from: usize, values: &mut [Eight]) {
        if values.is_empty() {
            return;
        }
        let length = values.len();
        match self {
            Self::Nothing => {}
            Self::Relu => dispatch(ReluTask { values }),
            Self::Gelu => dispatch(GeluTask { values }),
            Self::Add(others) => dispatch(AddTask { values, others: &others[from..from + length] }),
            Self::AddRelu(others) => {
                dispatch(AddTask { values, others: &others[from..from + length] });
                dispatch(ReluTask { values });
            }
        }
    }
}

struct ReluTask<'a> {
    values: &'a mut [Eight],
}

impl Task for ReluTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let zero = lanes.splat(0.0);
        for value in self.values {
            lanes.store(lanes.larger(lanes.load(value), zero), value);
        }
    }
}

struct AddTask<'a> {
    values: &'a mut [Eight],
    others: &'a [Eight],
}

impl Task for AddTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (value, other) in self.values.iter_mut().zip(self.others) {
            lanes.store(lanes.add(lanes.load(value), lanes.load(other)), value);
        }
    }
}

struct GeluTask<'a> {
    values: &'a mut [Eight],
}

impl Task for GeluTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for value in self.values {
            let input = lanes.load(value);
            lanes.store(gelu(lanes, input), value);
        }
    }
}

/// The polynomial in `t` of Abramowitz and Stegun's formula 7.1.26 for the normal distribution's tail, lowest power
/// first, halved because the tail is half of one minus the error function; its error is below 2e-7.
const TAIL: [f32; 5] =
    [0.5 * 0.254_829_6, 0.5 * -0.284_496_73, 0.5 * 1.421_413_8, 0.5 * -1.453_152, 0.5 * 1.061_405_4];
/// How fast `t` falls with the distance from zero.
const TAIL_DECAY: f32 = 0.327_591_1 * FRAC_1_SQRT_2;

/// `x` times the probability that a standard normal number is below `x`.
#[inline(always)]
fn gelu<L: Lanes>(lanes: L, input: L::Vector) -> L::Vector {
    let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
    let distance = lanes.larger(input, lanes.subtract(zero, input));
    let bell = exp(lanes, lanes.multiply(lanes.multiply(input, input), lanes.splat(-0.5)));
    let t = lanes.divide(one, lanes.multiply_add(distance, lanes.splat(TAIL_DECAY), one));
    let mut sum = lanes.splat(TAIL[4]);
    for power in [3, 2, 1, 0] {
        sum = lanes.multiply_add(sum, t, lanes.splat(TAIL[power]));
    }
    let tail = lanes.multiply(lanes.multiply(sum, t), bell);
    lanes.subtract(lanes.larger(input, zero), lanes.multiply(distance, tail))
}

/// A number so large that adding it rounds to an integer, with the exponent's offset of 127 in its last bits.
const ROUND_TO_EXPONENT: f32 = 12_582_912.0 + 127.0;
/// The logarithm of two in two parts, the first of few digits, so that a multiple of it is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = LN_2 - LN_2_HIGH;
/// Coefficients of the exponential between -ln(2)/2 and ln(2)/2, from the second power on.
const EXP: [f32; 5] = [0.500_000_1, 0.166_666_55, 0.041_665_795, 0.008_333_452, 0.001_398_2];
/// Below this the exponential is taken as at this point, about 1e-38.
const LEAST_EXPONENT: f32 = -87.0;
const LARGEST_EXPONENT: f32 = 88.0;

/// The exponential, to about two units of the last place.
#[inline(always)]
pub(super) fn exp<L: Lanes>(lanes: L, input: L::Vector) -> L::Vector {
    let input = lanes.larger(input, lanes.splat(LEAST_EXPONENT));
    let input = lanes.smaller(input, lanes.splat(LARGEST_EXPONENT));
    let round = lanes.splat(ROUND_TO_EXPONENT);
    let rounded = lanes.multiply_add(input, lanes.splat(LOG2_E), round);
    let power = lanes.subtract(rounded, round);
    let rest = lanes.multiply_add(power, lanes.splat(-LN_2_HIGH), input);
    let rest = lanes.multiply_add(power, lanes.splat(-LN_2_LOW), rest);
    let mut sum = lanes.splat(EXP[4]);
    for index in [3, 2, 1, 0] {
        sum = lanes.multiply_add(sum, rest, lanes.splat(EXP[index]));
    }
    let one = lanes.splat(1.0);
    let sum = lanes.multiply_add(lanes.multiply(rest, rest), sum, lanes.add(rest, one));
    lanes.multiply(sum, lanes.shift_to_exponent(rounded))
}

/// The hyperbolic tangent of each value.
pub(crate) fn tanh(values: &mut [Eight]) {
    dispatch(TanhTask { values });
}

struct TanhTask<'a> {
    values: &'a mut [Eight],
}

impl Task for TanhTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (one, two) = (lanes.splat(1.0), lanes.splat(2.0));
        for value in self.values {
            // Beyond 9 the tangent is 1 in single precision.
            let input = lanes.smaller(lanes.larger(lanes.load(value), lanes.splat(-9.0)), lanes.splat(9.0));
            let power = exp(lanes, lanes.multiply(input, two));
            lanes.store(lanes.subtract(one, lanes.divide(two, lanes.add(power, one))), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tensor, TensorData};

    fn numbers() -> Vec<f32> {
        (-800..=800_i16).map(|index| f32::from(index) / 100.0).collect()
    }

    fn apply(finish: Finish<'_>, values: &[f32]) -> Vec<f32> {
        let mut eights = Eight::from_values(values);
        finish.apply(0, &mut eights);
        eights.iter().flat_map(|eight| eight.0).take(values.len()).collect()
    }

    #[test]
    fn gelu_agrees_with_the_exact_function() {
        let values = numbers();
        let data = TensorData::new(values.clone(), [values.len()]);
        let exact = burn::tensor::activation::gelu(Tensor::<1>::from_data(data, &Device::flex()));
        let exact = exact.into_data().try_into_vec::<f32>().unwrap();
        for (found, exact) in apply(Finish::Gelu, &values).into_iter().zip(exact) {
            assert!((found - exact).abs() < 2e-6, "{found} {exact}");
        }
    }

    #[test]
    fn tanh_agrees_with_the_exact_function() {
        let values = [numbers(), vec![-1e9, 1e9]].concat();
        let mut eights = Eight::from_values(&values);
        tanh(&mut eights);
        for (found, value) in eights.iter().flat_map(|eight| eight.0).zip(values) {
            assert!((found - value.tanh()).abs() < 1e-6, "{value}: {found}");
        }
    }

    struct ExpTask<'a>(&'a mut [Eight]);

    impl Task for ExpTask<'_> {
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            for value in self.0 {
                lanes.store(exp(lanes, lanes.load(value)), value);
            }
        }
    }

    #[test]
    fn the_exponential_is_exact_to_the_last_digits_and_never_wild() {
        let values: Vec<f32> = (-8600..=8700_i16).map(|index| f32::from(index) / 100.0).collect();
        let mut eights = Eight::from_values(&values);
        dispatch(ExpTask(&mut eights));
        for (found, value) in eights.iter().flat_map(|eight| eight.0).zip(values) {
            let expected = value.exp();
            assert!((found - expected).abs() <= 1e-6 * expected, "{value}: {found} {expected}");
        }
        let mut wild = [Eight([-1e30, f32::NEG_INFINITY, -100.0, 1e30, f32::INFINITY, 0.0, -0.0, 1.0])];
        dispatch(ExpTask(&mut wild));
        assert!(wild[0].0[..3].iter().all(|value| (0.0..1e-37).contains(value)));
        assert!(wild[0].0.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn sums_and_rectification_take_their_part_of_the_whole() {
        let others = [Eight([1.0; 8]), Eight([-5.0; 8])];
        let mut values = [Eight([2.0; 8])];
        Finish::Add(&others).apply(1, &mut values);
        assert_eq!(values[0].0, [-3.0; 8]);
        Finish::AddRelu(&others).apply(0, &mut values);
        assert_eq!(values[0].0, [0.0; 8]);
        Finish::Relu.apply(7, &mut []);
    }
}
