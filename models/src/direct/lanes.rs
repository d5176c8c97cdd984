//! Eight numbers at once: vector registers where the processor has AVX2 and FMA, otherwise plain arrays, which the
//! compiler turns into what its target has.
//!
//! Code over [`Lanes`] only becomes vector instructions where it is inlined into [`dispatch`], so every function on
//! the way down is marked `#[inline(always)]` and passes no closures.

/// How many numbers are computed at once.
pub(crate) const LANES: usize = 8;

/// Eight numbers that begin on a boundary of their own size, so that no load touches two cache lines.
#[repr(C, align(32))]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Eight(pub(crate) [f32; LANES]);

impl Eight {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// Numbers in eights; the last one is filled up with zeros.
    pub(crate) fn from_values(values: &[f32]) -> Vec<Self> {
        let mut eights = vec![Self::ZERO; values.len().div_ceil(LANES)];
        for (eight, values) in eights.iter_mut().zip(values.chunks(LANES)) {
            eight.0[..values.len()].copy_from_slice(values);
        }
        eights
    }
}

/// What a processor does with eight numbers.
pub(crate) trait Lanes: Copy {
    /// Eight numbers in registers.
    type Vector: Copy;

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, from: &Eight) -> Self::Vector;
    fn store(self, value: Self::Vector, to: &mut Eight);
    fn add(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    fn subtract(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    fn multiply(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    fn divide(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    fn larger(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    fn smaller(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    /// `left * right + sum`.
    fn multiply_add(self, left: Self::Vector, right: Self::Vector, sum: Self::Vector) -> Self::Vector;
    /// The bits of each number shifted into the exponent's place.
    fn shift_to_exponent(self, value: Self::Vector) -> Self::Vector;
}

/// Plain arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

/// One operation on each pair of numbers.
#[inline(always)]
fn each(left: Eight, right: Eight, operation: impl Fn(f32, f32) -> f32) -> Eight {
    let mut result = left;
    for (value, right) in result.0.iter_mut().zip(right.0) {
        *value = operation(*value, right);
    }
    result
}

impl Lanes for Plain {
    type Vector = Eight;

    #[inline(always)]
    fn splat(self, value: f32) -> Eight {
        Eight([value; LANES])
    }

    #[inline(always)]
    fn load(self, from: &Eight) -> Eight {
        *from
    }

    #[inline(always)]
    fn store(self, value: Eight, to: &mut Eight) {
        *to = value;
    }

    #[inline(always)]
    fn add(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| left + right)
    }

    #[inline(always)]
    fn subtract(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| left - right)
    }

    #[inline(always)]
    fn multiply(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| left * right)
    }

    #[inline(always)]
    fn divide(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| left / right)
    }

    #[inline(always)]
    fn larger(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| if left > right { left } else { right })
    }

    #[inline(always)]
    fn smaller(self, left: Eight, right: Eight) -> Eight {
        each(left, right, |left, right| if left < right { left } else { right })
    }

    #[inline(always)]
    fn multiply_add(self, left: Eight, right: Eight, sum: Eight) -> Eight {
        // Not `f32::mul_add`: without the instruction that is a call for each number.
        self.add(self.multiply(left, right), sum)
    }

    #[inline(always)]
    fn shift_to_exponent(self, value: Eight) -> Eight {
        Eight(value.0.map(|value| f32::from_bits(value.to_bits() << 23)))
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    type Vector = pulp::f32x8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        self.splat_f32x8(value)
    }

    #[inline(always)]
    fn load(self, from: &Eight) -> Self::Vector {
        pulp::cast(from.0)
    }

    #[inline(always)]
    fn store(self, value: Self::Vector, to: &mut Eight) {
        to.0 = pulp::cast(value);
    }

    #[inline(always)]
    fn add(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.add_f32x8(left, right)
    }

    #[inline(always)]
    fn subtract(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.sub_f32x8(left, right)
    }

    #[inline(always)]
    fn multiply(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.mul_f32x8(left, right)
    }

    #[inline(always)]
    fn divide(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.div_f32x8(left, right)
    }

    #[inline(always)]
    fn larger(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.max_f32x8(left, right)
    }

    #[inline(always)]
    fn smaller(self, left: Self::Vector, right: Self::Vector) -> Self::Vector {
        self.min_f32x8(left, right)
    }

    #[inline(always)]
    fn multiply_add(self, left: Self::Vector, right: Self::Vector, sum: Self::Vector) -> Self::Vector {
        self.mul_add_f32x8(left, right, sum)
    }

    #[inline(always)]
    fn shift_to_exponent(self, value: Self::Vector) -> Self::Vector {
        pulp::cast(self.shl_const_u32x8::<23>(pulp::cast(value)))
    }
}

/// Work that is done with vectors.
pub(crate) trait Task {
    /// Does it; implementations are `#[inline(always)]`.
    fn run<L: Lanes>(self, lanes: L);
}

/// Does the work with the best vectors of this processor.
pub(crate) fn dispatch<T: Task>(task: T) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = pulp::x86::V3::try_new() {
        lanes.vectorize(Vectorized { lanes, task });
        return;
    }
    task.run(Plain);
}

#[cfg(target_arch = "x86_64")]
struct Vectorized<T> {
    lanes: pulp::x86::V3,
    task: T,
}

#[cfg(target_arch = "x86_64")]
impl<T: Task> pulp::NullaryFnOnce for Vectorized<T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.task.run(self.lanes);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn values_are_filled_up_with_zeros() {
        let eights = Eight::from_values(&[1.0; 9]);
        assert_eq!(eights, [Eight([1.0; 8]), Eight([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])]);
        assert!(Eight::from_values(&[]).is_empty());
    }

    /// Every operation once.
    struct All<'a> {
        inputs: [Eight; 3],
        outputs: &'a mut [Eight; 9],
    }

    impl Task for All<'_> {
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let [left, right, sum] = [0, 1, 2].map(|index| lanes.load(&self.inputs[index]));
            let results = [
                lanes.add(left, right),
                lanes.subtract(left, right),
                lanes.multiply(left, right),
                lanes.divide(left, right),
                lanes.larger(left, right),
                lanes.smaller(left, right),
                lanes.multiply_add(left, right, sum),
                lanes.splat(3.0),
                lanes.shift_to_exponent(sum),
            ];
            for (result, output) in results.into_iter().zip(self.outputs) {
                lanes.store(result, output);
            }
        }
    }

    #[test]
    fn registers_and_arrays_agree() {
        let inputs = [1.5_f32, -0.75, 3.0].map(|start| {
            let mut eight = Eight::ZERO;
            (0..LANES).for_each(|lane| eight.0[lane] = start + lane as f32 * 0.5);
            eight
        });
        let (mut found, mut expected) = ([Eight::ZERO; 9], [Eight::ZERO; 9]);
        dispatch(All { inputs, outputs: &mut found });
        All { inputs, outputs: &mut expected }.run(Plain);
        assert_eq!(found, expected);
    }
}
