//! Import of ONNX models: networks and their weights from `.onnx` files.
//!
//! [`import`] reads a file (opset 7 to 23, one image at a time) in four steps: the format; each node in order, by the
//! table of operators, with shapes inferred and integer arithmetic on shapes computed; folding of normalisations and
//! activations into their neighbours; and the list of nodes, as a network file has them. An operator that the machine
//! does not run is an error that names it, never a guess. All are reported at once.
//!
//! Timing needs no weights: a model whose data file is missing is imported, and [`Import::weights`] says which constants
//! it lacks.
//!
//! ```no_run
//! let import = onnx::import("resnet18.onnx".as_ref(), &onnx::Options::default())?;
//! let network = import.lower()?;
//! assert_eq!(network.layers.len(), 21);
//! # Ok::<(), document::Faults>(())
//! ```

mod crossbars;
mod draft;
mod elementwise;
mod fold;
mod format;
mod forms;
mod import;
mod names;
mod operators;
mod pools;
mod reader;
mod report;
mod tensor;

pub use import::{Import, Named, Options, import, load, text};
pub use report::Report;
