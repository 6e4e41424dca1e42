//! The network while it is fitted: weights on candle's side.
//!
//! Windows enter, reconstructions leave.
//! It has no biases and an odd activation, so that a flat window is reconstructed as it is and a falling temperature
//! is judged as a rising one.
//! The activation is a clip: it saturates, so that a level out of range is not reconstructed, and it is exact, so
//! that all processors with fused multiply-add give the same bits.

use candle_core::{Device, Tensor, Var};
use simulator::random::Draws;

use crate::onnx::Weights;

/// Normalized units at which the activation saturates.
pub const ACTIVATION_LIMIT: f32 = 1.0;

/// Stream of random numbers for initial weights.
const PURPOSE: u64 = 0x6e65_7477;

/// A stack of matrix products with a clip between them.
#[derive(Debug)]
pub struct Network {
    layers: Vec<Var>,
}

impl Network {
    /// Draws a network whose layers have these sizes, input and output included.
    ///
    /// # Errors
    ///
    /// When candle cannot hold the weights.
    pub fn draw(sizes: &[usize], seed: u64) -> candle_core::Result<Self> {
        let mut draws = Draws::new(seed, PURPOSE);
        let mut layers = Vec::new();
        for pair in sizes.windows(2) {
            let (n_inputs, n_outputs) = (pair[0], pair[1]);
            let values = initial_weights(n_inputs, n_outputs, &mut draws);
            layers.push(Var::from_vec(values, (n_inputs, n_outputs), &Device::Cpu)?);
        }
        Ok(Self { layers })
    }

    /// What is fitted.
    #[must_use]
    pub fn variables(&self) -> Vec<Var> {
        self.layers.clone()
    }

    /// Reconstructs windows, one a row.
    ///
    /// # Errors
    ///
    /// When the rows have another length than the first layer.
    pub fn forward(&self, windows: &Tensor) -> candle_core::Result<Tensor> {
        let mut values = windows.clone();
        for (n, layer) in self.layers.iter().enumerate() {
            if n > 0 {
                values = values.clamp(-ACTIVATION_LIMIT, ACTIVATION_LIMIT)?;
            }
            values = values.matmul(layer)?;
        }
        Ok(values)
    }

    /// Copies the weights out.
    ///
    /// # Errors
    ///
    /// When a matrix is none.
    pub fn weights(&self) -> candle_core::Result<Vec<Weights>> {
        self.layers
            .iter()
            .map(|layer| {
                let (n_inputs, n_outputs) = layer.dims2()?;
                Ok(Weights { n_inputs, n_outputs, values: layer.flatten_all()?.to_vec1()? })
            })
            .collect()
    }

    /// Puts weights back that were copied out.
    ///
    /// # Errors
    ///
    /// When they are those of another network.
    pub fn restore(&self, weights: &[Weights]) -> candle_core::Result<()> {
        for (layer, kept) in self.layers.iter().zip(weights) {
            let tensor = Tensor::from_slice(&kept.values, (kept.n_inputs, kept.n_outputs), &Device::Cpu)?;
            layer.set(&tensor)?;
        }
        Ok(())
    }
}

/// Weights that neither blow values up nor let them fade.
fn initial_weights(n_inputs: usize, n_outputs: usize, draws: &mut Draws) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "layers are small")]
    let spread = (2.0 / (n_inputs + n_outputs) as f64).sqrt();
    #[expect(clippy::cast_possible_truncation, reason = "a weight is f32")]
    let draw = |_| (spread * draws.normal()) as f32;
    (0..n_inputs * n_outputs).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use autoencoder::Autoencoder;

    fn windows(n_rows: usize, length: usize) -> Vec<f32> {
        let mut draws = Draws::new(5, 0);
        #[expect(clippy::cast_possible_truncation, reason = "a window is f32")]
        let windows = (0..n_rows * length).map(|_| (1.5 * draws.normal()) as f32).collect();
        windows
    }

    fn reconstruct(network: &Network, windows: &[f32], length: usize) -> Vec<f32> {
        let rows = Tensor::from_slice(windows, (windows.len() / length, length), &Device::Cpu).unwrap();
        network.forward(&rows).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_exported_network_is_the_fitted_one() {
        let network = Network::draw(&[32, 32, 4, 32, 32], 3).unwrap();
        let onnx = crate::onnx::encode(&network.weights().unwrap(), ACTIVATION_LIMIT);
        let windows = windows(200, 32);
        let mut served = Vec::new();
        Autoencoder::load(&onnx, 32).unwrap().reconstruct(&windows, &mut served).unwrap();
        for (served, fitted) in served.iter().zip(reconstruct(&network, &windows, 32)) {
            assert!((served - fitted).abs() <= 1e-6 * fitted.abs().max(1.0), "{served} is not {fitted}");
        }
    }

    #[test]
    fn it_is_odd() {
        let network = Network::draw(&[8, 6, 2, 8], 1).unwrap();
        let windows = windows(20, 8);
        let mirrored: Vec<f32> = windows.iter().map(|value| -value).collect();
        let back: Vec<f32> = reconstruct(&network, &mirrored, 8).iter().map(|value| -value).collect();
        assert_eq!(reconstruct(&network, &windows, 8), back);
        assert_eq!(reconstruct(&network, &[0.0; 8], 8), [0.0; 8]);
    }

    #[test]
    fn kept_weights_come_back() {
        let (one, other) = (Network::draw(&[4, 2, 4], 1).unwrap(), Network::draw(&[4, 2, 4], 2).unwrap());
        assert_ne!(one.weights().unwrap(), other.weights().unwrap());
        other.restore(&one.weights().unwrap()).unwrap();
        assert_eq!(one.weights().unwrap(), other.weights().unwrap());
    }
}
