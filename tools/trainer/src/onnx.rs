//! The part of the ONNX format that a stack of matrix products and clips needs.
//!
//! Weight matrices enter, the bytes of a model leave.
//! Messages and field numbers are those of the format's published schema
//! (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), written by hand so that no protobuf compiler is needed.
//! Only operators that are exactly defined element by element are used beside the products, so that every runtime
//! gives the same answer up to the order of additions.

use prost::Message;

/// Version of the file format: the one that came with operator set 17.
const IR_VERSION: i64 = 8;
/// Operator set: old enough for every runtime in use, new enough for `Clip` with bounds as inputs.
const OPSET_VERSION: i64 = 17;
/// Code of 32-bit floats among element types.
const FLOAT: i32 = 1;
/// Name of the dimension that may have any size.
const BATCH: &str = "batch";
const LOW_NAME: &str = "low";
const HIGH_NAME: &str = "high";

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, optional, tag = "1")]
    ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    producer_version: Option<String>,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    version: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    name: Option<String>,
    #[prost(string, optional, tag = "4")]
    op_type: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    data_type: Option<i32>,
    #[prost(string, optional, tag = "8")]
    name: Option<String>,
    /// Little-endian values, row by row.
    #[prost(bytes = "vec", optional, tag = "9")]
    raw_data: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueInfo {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, optional, tag = "2")]
    r#type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, optional, tag = "1")]
    elem_type: Option<i32>,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

/// A dimension with a size or, if that is open, a name.
#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    dim_param: Option<String>,
}

/// The weights between two layers, row by row: `n_inputs` rows of `n_outputs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Values of the layer before.
    pub n_inputs: usize,
    /// Values of the layer after.
    pub n_outputs: usize,
    /// The matrix, `n_inputs * n_outputs` long.
    pub values: Vec<f32>,
}

/// Writes a network as the bytes of an ONNX model: products with `layers`, and between them a clip to
/// -`limit`..`limit`.
#[must_use]
pub fn encode(layers: &[Weights], limit: f32) -> Vec<u8> {
    let mut graph = Graph {
        name: Some("autoencoder".to_owned()),
        input: vec![rows_of(autoencoder::INPUT_NAME, layers.first().map_or(0, |layer| layer.n_inputs))],
        output: vec![rows_of(autoencoder::OUTPUT_NAME, layers.last().map_or(0, |layer| layer.n_outputs))],
        initializer: vec![scalar(LOW_NAME, -limit), scalar(HIGH_NAME, limit)],
        node: Vec::new(),
    };
    let mut from = autoencoder::INPUT_NAME.to_owned();
    for (n, layer) in (1..).zip(layers) {
        from = add_layer(&mut graph, layer, &from, n, n == layers.len());
    }
    let model = Model {
        ir_version: Some(IR_VERSION),
        producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: Some(String::new()), version: Some(OPSET_VERSION) }],
    };
    model.encode_to_vec()
}

/// Adds layer `n`, which reads the value called `from`, and returns the name of its result.
fn add_layer(graph: &mut Graph, layer: &Weights, from: &str, n: usize, is_last: bool) -> String {
    let weights = format!("weights_{n}");
    graph.initializer.push(Tensor {
        dims: vec![size(layer.n_inputs), size(layer.n_outputs)],
        data_type: Some(FLOAT),
        name: Some(weights.clone()),
        raw_data: Some(little_endian(&layer.values)),
    });
    let product = if is_last { autoencoder::OUTPUT_NAME.to_owned() } else { format!("product_{n}") };
    graph.node.push(node("MatMul", &[from, &weights], &product));
    if is_last {
        return product;
    }
    let clipped = format!("layer_{n}");
    graph.node.push(node("Clip", &[&product, LOW_NAME, HIGH_NAME], &clipped));
    clipped
}

fn node(op_type: &str, input: &[&str], output: &str) -> Node {
    Node {
        input: input.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(format!("make_{output}")),
        op_type: Some(op_type.to_owned()),
    }
}

fn scalar(name: &str, value: f32) -> Tensor {
    Tensor {
        dims: Vec::new(),
        data_type: Some(FLOAT),
        name: Some(name.to_owned()),
        raw_data: Some(little_endian(&[value])),
    }
}

/// A tensor of any number of rows with `n_columns` each.
fn rows_of(name: &str, n_columns: usize) -> ValueInfo {
    let any = Dimension { dim_value: None, dim_param: Some(BATCH.to_owned()) };
    let columns = Dimension { dim_value: Some(size(n_columns)), dim_param: None };
    let shape = Shape { dim: vec![any, columns] };
    let tensor_type = TensorType { elem_type: Some(FLOAT), shape: Some(shape) };
    ValueInfo { name: Some(name.to_owned()), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn size(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use autoencoder::Autoencoder;

    /// Two columns are swapped, doubled, clipped, and swapped back.
    fn swap() -> [Weights; 2] {
        let layer = |by: f32| Weights { n_inputs: 2, n_outputs: 2, values: vec![0.0, by, by, 0.0] };
        [layer(2.0), layer(0.5)]
    }

    #[test]
    fn a_runtime_computes_what_was_written() {
        let mut model = Autoencoder::load(&encode(&swap(), 1.0), 2).unwrap();
        let mut out = Vec::new();
        model.reconstruct(&[0.25, -0.125, 3.0, -7.0], &mut out).unwrap();
        assert_eq!(out, [0.25, -0.125, 0.5, -0.5]);
    }

    #[test]
    fn the_number_of_rows_is_open_and_that_of_columns_is_not() {
        let model = Model::decode(encode(&swap(), 1.0).as_slice()).unwrap();
        let graph = model.graph.unwrap();
        for value in graph.input.iter().chain(&graph.output) {
            let dims = value.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap().dim;
            assert_eq!(dims[0].dim_param.as_deref(), Some("batch"));
            assert_eq!(dims[1].dim_value, Some(2));
        }
    }
}
