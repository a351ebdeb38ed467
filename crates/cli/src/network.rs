//! `aquasim network`: lists, prints, checks and imports networks.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mapper::{Fabric, Geometry};
use network::{FULL_PRECISION_BITS, Layer, Network, NodeList};

use crate::compute::Compute;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::selection::Precision;

/// Check, show and import networks
#[derive(Args)]
pub(crate) struct Networks {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the networks that are built in
    List,
    /// Print the nodes of a network, with the crossbars that their weights need
    Show(Show),
    /// Say whether a file describes a network, and what is wrong with it
    Check {
        /// TOML file of a network, or ONNX file
        #[arg(value_name = "FILE")]
        file: String,
    },
    /// Write a model in the ONNX format as a network file, and its weights with what is folded into them
    Import(Import),
    /// Compute pictures in single precision, without a machine, and print the values of the results as JSON
    Compute(Compute),
    /// Print the JSON Schema of network files, for editors
    Schema,
}

#[derive(Args)]
struct Show {
    /// Network
    #[arg(value_name = "PRESET|FILE")]
    network: String,
    /// Machine whose crossbars are counted
    #[arg(long, value_name = "PRESET|FILE", default_value = "isaac-ce")]
    arch: String,
    /// Print the graph as a Mermaid flowchart
    #[arg(long)]
    graph: bool,
    /// Print the bits of each node on crossbars, from its inputs to the sums that registers hold
    #[arg(long, conflicts_with = "graph")]
    bits: bool,
    #[command(flatten)]
    precision: Precision,
}

#[derive(Args)]
struct Import {
    /// ONNX file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Network file to be written
    #[arg(long, value_name = "TOML")]
    out: PathBuf,
    /// File of weights to be written
    #[arg(long, value_name = "SAFETENSORS")]
    weights: Option<PathBuf>,
    /// Rows and columns of the image, where the model leaves them open
    #[arg(long, value_name = "HxW", value_parser = input_size)]
    input_size: Option<(u32, u32)>,
    /// Operators to leave out, which changes values
    #[arg(long, value_name = "OPERATOR")]
    drop: Vec<Droppable>,
    /// Form of the report of what became of the model's nodes
    #[arg(long, value_enum, default_value_t)]
    report: ReportForm,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Droppable {
    /// Local response normalisation
    Lrn,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum ReportForm {
    /// Six lines; with -v all names
    #[default]
    Text,
    /// JSON
    Json,
}

fn input_size(text: &str) -> Result<(u32, u32), String> {
    let size = |text: &str| text.parse().ok().filter(|size| (1..=16_384).contains(size));
    let sizes = text.split_once('x').and_then(|(height, width)| Some((size(height)?, size(width)?)));
    sizes.ok_or_else(|| "give rows and columns from 1 to 16384, as in 224x224".to_owned())
}

impl Networks {
    /// Executes the subcommand. `is_verbose` asks for all that there is to report.
    pub(crate) fn execute(self, is_verbose: bool) -> Result<(), Failure> {
        match self.command {
            Command::List => list(),
            Command::Show(show) => show.execute(),
            Command::Check { file } => check(&file),
            Command::Import(import) => import.execute(is_verbose),
            Command::Compute(compute) => compute.execute(),
            Command::Schema => output::print(&format!("{:#}\n", network::schema())),
        }
    }
}

/// Loads a network and the list of its nodes.
fn load(preset_or_path: &str) -> Result<(NodeList, Network), Failure> {
    let (text, file) = onnx::text(preset_or_path)?;
    let network = network::parse(&text, &file)?;
    Ok((network::parse_list(&text, &file)?, network))
}

fn list() -> Result<(), Failure> {
    let load = |name| Ok((name, network::load(name)?));
    let networks: Vec<_> = network::names().into_iter().map(load).collect::<Result<_, Failure>>()?;
    output::print(&report::terminal::networks(&networks))
}

fn check(file: &str) -> Result<(), Failure> {
    let (_, network) = load(file)?;
    output::print(&format!("{file} describes {}: nothing is wrong with it\n", network.name))
}

impl Show {
    fn execute(&self) -> Result<(), Failure> {
        let (list, network) = load(&self.network)?;
        if self.graph {
            return output::print(&report::terminal::flowchart(&list));
        }
        let arch = arch::load(&self.arch)?;
        if self.bits {
            let (plan, name) = self.precision.plan(&network)?;
            return output::print(&report::terminal::bits(&network, &plan, &name, &arch));
        }
        let fabric = Fabric::new(&arch);
        let crossbars = |layer: &Layer| Geometry::new(&fabric, layer, FULL_PRECISION_BITS, 1, 1).crossbars();
        let crossbars: Vec<u64> = network.layers.iter().map(crossbars).collect();
        output::print(&report::terminal::network(&list, &network, &crossbars, &arch.name))
    }
}

impl Import {
    fn execute(self, is_verbose: bool) -> Result<(), Failure> {
        let drop_lrn = self.drop.contains(&Droppable::Lrn);
        let options = onnx::Options { input_size: self.input_size, drop_lrn };
        let import = onnx::import(&self.model, &options)?;
        import.lower()?;
        let out = Output::create(&self.out)?;
        if let Some(path) = &self.weights {
            let file = Output::create(path)?;
            let weights = import.weights()?;
            let tensors = weights.iter().map(|tensor| (tensor.name.as_str(), &tensor.dims[..], &tensor.values[..]));
            let bytes = dataset::to_safetensors(tensors);
            let written = file.stream().and_then(|mut stream| stream.write_all(&bytes)).and_then(|()| file.complete());
            written.map_err(|error| Failure::not_written(path.display(), &error))?;
        }
        out.write(&import.list.to_toml())?;
        output::print(&match self.report {
            ReportForm::Json => {
                let report = serde_json::to_string_pretty(&import.report);
                report.expect("a report has texts and numbers only") + "\n"
            }
            ReportForm::Text if is_verbose => format!("{:#}", import.report),
            ReportForm::Text => import.report.to_string(),
        })
    }
}
