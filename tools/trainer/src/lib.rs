//! Trains the autoencoder: synthetic fleets and measured series enter, `autoencoder.onnx` and `model_card.json` leave.
//!
//! The same seed and the same series give the same bytes of both files.
//! Windows are made and judged by `detector`, reconstructed by `autoencoder` and described by `wire`, as in the
//! handler; nothing of those is repeated here.

pub mod backtest;
pub mod calibrate;
pub mod fit;
pub mod fleet;
pub mod measured;
pub mod network;
pub mod onnx;
pub mod pool;
pub mod progress;
pub mod report;
pub mod series;
pub mod split;
pub mod train;
