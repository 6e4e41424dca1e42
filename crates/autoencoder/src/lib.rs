//! Loads, checks and runs the ONNX autoencoder: bytes of a model and normalized windows enter, reconstructions leave.
//!
//! It refuses to know temperatures, devices, scores and files; it is the only user of `ort`.

mod backend;

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};
use thiserror::Error;

/// Name of the model's only input: windows, one a row.
pub const INPUT_NAME: &str = "windows";
/// Name of the model's only output: their reconstructions, row by row.
pub const OUTPUT_NAME: &str = "reconstructions";

/// Rows in every call of the network.
///
/// One shape for all calls means one order of additions, whatever the size of a batch.
/// Measured on one core with AVX-512, a call with 16, 32, 64, 128 and 256 rows takes 12, 18, 28, 50 and 94 µs: 64 are
/// close to the throughput of larger chunks, and a lone window pays for 28 µs only.
const CHUNK_ROWS: usize = 64;

/// A loaded model: one session, used exclusively.
///
/// # What a reconstruction depends on
///
/// On its window and the model alone, to the bit: never on the other windows of a batch, on their number or on its
/// place among them.
/// With a model of matrix products and clips, as the trainer writes it, x86-64 kernels for AVX2 with fused
/// multiply-add and for AVX-512 give the same bits too: a clip is exact, and both add the same products in the same
/// order.
/// That is an observation about the pinned backend, and not its promise; ARM64 kernels fuse as well, but were not
/// compared.
/// A processor without fused multiply-add rounds each product and differs in the last bits.
///
/// A window that holds a value which is not finite gets a reconstruction that is not finite either, and leaves
/// those of other windows alone.
#[derive(Debug)]
pub struct Autoencoder {
    session: Session,
    window_length: usize,
    /// The windows of one call, padded with zeros.
    chunk: Vec<f32>,
}

/// Why a model cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A window has at least one reading.
    #[error("window length is 0; the model card must name at least 1 reading")]
    EmptyWindow,
    /// The bytes are no ONNX model that the backend can run.
    #[error("the onnx model of {n_bytes} bytes cannot be read; write it again with the trainer")]
    Unreadable {
        /// Size of the model.
        n_bytes: usize,
        /// What the backend says.
        source: ort::Error,
    },
    /// The model has other inputs or outputs than one of each.
    #[error("the model has {n_inputs} inputs and {n_outputs} outputs instead of one of each")]
    NotOneToOne {
        /// Inputs found.
        n_inputs: usize,
        /// Outputs found.
        n_outputs: usize,
    },
    /// An input or output is not called as it must be.
    #[error("the model has {found:?} where {expected:?} must be")]
    WrongName {
        /// The name as it must be.
        expected: &'static str,
        /// The name as it is.
        found: String,
    },
    /// An input or output is not a tensor of windows.
    #[error("the model's {name:?} is {found}, instead of float32 of any number of rows by {window_length}")]
    WrongShape {
        /// Which input or output.
        name: &'static str,
        /// What it is.
        found: String,
        /// Readings in a window.
        window_length: usize,
    },
    /// The model loads but does not run.
    #[error("the model cannot reconstruct a window of zeros")]
    TrialRun(#[source] ReconstructError),
}

/// Why windows could not be reconstructed.
#[derive(Debug, Error)]
pub enum ReconstructError {
    /// The input does not consist of whole windows.
    #[error("{n_values} values are not a whole number of windows of {window_length}")]
    PartialWindow {
        /// Values given.
        n_values: usize,
        /// Readings in a window.
        window_length: usize,
    },
    /// The network returned something that is no reconstruction of what it was given.
    #[error("the network returned a tensor of shape {found:?} for {CHUNK_ROWS} windows of {window_length}")]
    WrongOutput {
        /// Shape of what came back.
        found: Vec<i64>,
        /// Readings in a window.
        window_length: usize,
    },
    /// The backend failed.
    #[error("the network failed to run")]
    Backend(#[from] ort::Error),
}

impl Autoencoder {
    /// Loads a model whose only input and output are float32 tensors of any number of rows by `window_length`, and
    /// runs it once.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the model is none, or another than expected.
    pub fn load(onnx: &[u8], window_length: usize) -> Result<Self, LoadError> {
        if window_length == 0 {
            return Err(LoadError::EmptyWindow);
        }
        let session = open(onnx).map_err(|source| LoadError::Unreadable { n_bytes: onnx.len(), source })?;
        check_interface(&session, window_length)?;
        let mut autoencoder = Self { session, window_length, chunk: vec![0.0; CHUNK_ROWS * window_length] };
        // The backend plans its work in the first run: better here than within the first batch.
        autoencoder.run_chunk(&mut Vec::new(), 1).map_err(LoadError::TrialRun)?;
        Ok(autoencoder)
    }

    /// Readings in a window.
    #[must_use]
    pub fn window_length(&self) -> usize {
        self.window_length
    }

    /// Appends the reconstructions of `windows` to `out`, both one window after the other; none give none.
    ///
    /// # Errors
    ///
    /// [`ReconstructError`] when `windows` ends within a window or the network fails; `out` is then as it was.
    pub fn reconstruct(&mut self, windows: &[f32], out: &mut Vec<f32>) -> Result<(), ReconstructError> {
        if !windows.len().is_multiple_of(self.window_length) {
            return Err(ReconstructError::PartialWindow {
                n_values: windows.len(),
                window_length: self.window_length,
            });
        }
        let n_before = out.len();
        out.reserve(windows.len());
        for rows in windows.chunks(CHUNK_ROWS * self.window_length) {
            let (filled, padding) = self.chunk.split_at_mut(rows.len());
            filled.copy_from_slice(rows);
            padding.fill(0.0);
            if let Err(error) = self.run_chunk(out, rows.len() / self.window_length) {
                out.truncate(n_before);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Runs the network on the chunk and appends the first `n_rows` of its reconstructions to `out`.
    fn run_chunk(&mut self, out: &mut Vec<f32>, n_rows: usize) -> Result<(), ReconstructError> {
        let input = TensorRef::from_array_view(([CHUNK_ROWS, self.window_length], self.chunk.as_slice()))?;
        let outputs = self.session.run(ort::inputs![input])?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>()?;
        if values.len() != self.chunk.len() {
            return Err(ReconstructError::WrongOutput {
                found: shape.to_vec(),
                window_length: self.window_length,
            });
        }
        out.extend_from_slice(&values[..n_rows * self.window_length]);
        Ok(())
    }
}

fn open(onnx: &[u8]) -> Result<Session, ort::Error> {
    Session::builder(backend::environment()?)?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .commit_from_memory(onnx)
}

fn check_interface(session: &Session, window_length: usize) -> Result<(), LoadError> {
    let ([input], [output]) = (session.inputs(), session.outputs()) else {
        return Err(LoadError::NotOneToOne {
            n_inputs: session.inputs().len(),
            n_outputs: session.outputs().len(),
        });
    };
    check_outlet(input, INPUT_NAME, window_length)?;
    check_outlet(output, OUTPUT_NAME, window_length)
}

fn check_outlet(outlet: &Outlet, name: &'static str, window_length: usize) -> Result<(), LoadError> {
    if outlet.name() != name {
        return Err(LoadError::WrongName { expected: name, found: outlet.name().to_owned() });
    }
    if let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = outlet.dtype()
        && let [-1, columns] = shape[..]
        && usize::try_from(columns) == Ok(window_length)
    {
        return Ok(());
    }
    Err(LoadError::WrongShape { name, found: outlet.dtype().to_string(), window_length })
}
