//! A smoothed copy of a network's weights, which is better than the newest weights all through the run.

use std::collections::VecDeque;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Shape, Tensor};

/// Moves every number of `average` a little way towards its number in `network`, running statistics included.
pub(crate) fn follow<M: Module>(average: M, network: &M, kept: f64) -> M {
    let mut values = Values(VecDeque::new());
    network.visit(&mut values);
    average.map(&mut Blend { values: values.0, kept })
}

/// All numbers of a network in the order of its parts.
struct Values(VecDeque<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().detach();
        let value = if value.device().is_autodiff() { value.inner() } else { value };
        let count = value.shape().num_elements();
        self.0.push_back(value.reshape([count]));
    }
}

struct Blend {
    values: VecDeque<Tensor<1>>,
    kept: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.pop_front() else { return param };
        param.map(|average| {
            let shape: Shape = average.shape();
            average.mul_scalar(self.kept) + value.mul_scalar(1.0 - self.kept).reshape(shape)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use heartline_models::Device;

    #[test]
    fn weights_and_running_statistics_move_part_of_the_way() {
        let device = Device::cpu();
        let training = device.as_burn().clone().autodiff();
        let network = BatchNormConfig::new(2).init(&training);
        let average: BatchNorm = network.valid();
        let mut network = network;
        network.gamma = Param::from_tensor(Tensor::from_data([3.0_f32, 5.0], &training));
        network.running_mean.update(Tensor::from_data([10.0_f32, 0.0], &training));
        network.running_mean.value_sync();
        let average = follow(average, &network, 0.75);
        let read = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(read(average.gamma.val()), [1.5, 2.0]);
        assert_eq!(read(average.running_mean.value()), [2.5, 0.0]);
    }
}
