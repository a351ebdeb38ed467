//! `aquasim network compute`: values of a network in single precision, without a machine.

use std::path::PathBuf;

use clap::Args;
use network::Plan;
use serde_json::json;

use crate::failure::Failure;
use crate::output;
use crate::pictures::{Pictures, processors, read_weights};

/// Compute pictures in single precision, without a machine, and print the values of the results as JSON
#[derive(Args)]
pub(crate) struct Compute {
    /// Network
    #[arg(value_name = "PRESET|FILE")]
    network: String,
    /// Weights of the network, with its layers' names or torchvision's, or the ONNX model that has them
    #[arg(long, value_name = "SAFETENSORS|NPZ|ONNX")]
    weights_file: PathBuf,
    #[command(flatten)]
    pictures: Pictures,
}

impl Compute {
    /// Prints the values of all pictures.
    pub(crate) fn execute(&self) -> Result<(), Failure> {
        let network = onnx::load(&self.network)?;
        let loaded = self.pictures.load(&network)?;
        let weights = read_weights(&self.weights_file, &network)?;
        let whole = Plan::uniform(&network, network::FULL_PRECISION_BITS, network::FULL_PRECISION_BITS);
        let mut pictures = Vec::new();
        for picture in &loaded.pictures {
            let (_, input) = picture.input(&network)?;
            let computed = numeric::reference::run(&network, &weights, &whole, input.view(), processors());
            let values = computed.map_err(inference::Error::from)?.output;
            pictures.push(json!({ "picture": picture.picture.name, "values": values }));
        }
        output::print(&format!("{}\n", json!({ "network": network.name, "pictures": pictures })))
    }
}
