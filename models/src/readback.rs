//! The way back from a device. What went wrong there shows up here, as a GPU works on after the call that asked it.

use burn::tensor::{DataError, Tensor, TensorReadError};

use crate::ModelError;
use crate::precision::full;

/// A tensor's values in f32, row-major.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    let device = tensor.device();
    full(tensor).try_into_vec_as::<f32>().map_err(|error| {
        let is_lost = match &error {
            TensorReadError::Execution(inner) => inner.is_device_poisoned(),
            // Here only the device itself can tell why it gave nothing.
            TensorReadError::Data(DataError::StorageAccess(_)) => {
                device.sync().is_err_and(|inner| inner.is_device_poisoned())
            }
            _ => false,
        };
        if is_lost {
            return ModelError::DeviceLost(error.to_string());
        }
        // It may have been the memory: what is kept for later goes back, so that a smaller batch has room.
        device.memory_cleanup();
        ModelError::Computation(error.to_string())
    })
}

/// The values of several matrices with the same number of rows. They come together, since every read waits until the
/// device has computed all it was asked.
pub(crate) fn read_together<const N: usize>(matrices: [Tensor<2>; N]) -> Result<[Vec<f32>; N], ModelError> {
    let widths = matrices.each_ref().map(|matrix| matrix.dims()[1]);
    let width: usize = widths.iter().sum();
    let values = read(Tensor::cat(matrices.into_iter().map(full).collect(), 1))?;
    let mut start = 0;
    Ok(widths.map(|own| {
        let columns = start..start + own;
        start += own;
        values.chunks_exact(width.max(1)).flat_map(|row| &row[columns.clone()]).copied().collect()
    }))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, FloatDType};

    use super::*;

    #[test]
    fn matrices_come_back_apart_and_in_f32() {
        let device = Device::flex();
        let one = Tensor::<2>::from_data([[1.0_f32, 2.0], [3.0, 4.0]], &device).cast(FloatDType::F16);
        let other = Tensor::<2>::from_data([[5.0_f32], [6.0]], &device);
        assert_eq!(read(one.clone()).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let [first, second] = read_together([one, other]).unwrap();
        assert_eq!((first, second), (vec![1.0, 2.0, 3.0, 4.0], vec![5.0, 6.0]));
    }
}
