//! Weights, pictures and labels: options common to all commands on pictures.
//!
//! All pictures are decoded and labelled before the first is answered, so that no error appears after hours of work.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use clap::Args;
use dataset::{Labels, LoadedWeights, Picture};
use document::Fault;
use inference::{Accelerator, Classifier, Ranges};
use ndarray::{Array3, ArrayD, ArrayView3};
use network::{Network, Plan};
use numeric::{Datapath, Model, NonIdealities, Options};
use tracing::info_span;

use crate::calibration::Calibration;
use crate::failure::Failure;
use crate::output;
use crate::selection::Selected;

/// Pictures and the right answers.
#[derive(Args)]
#[command(next_help_heading = "Weights and pictures")]
pub(crate) struct Pictures {
    /// Pictures: a PNG, JPEG or npy file, or a folder of them
    #[arg(long, value_name = "DIR|FILE")]
    images: PathBuf,
    /// CSV file with the class of each picture: image,label
    #[arg(long, value_name = "CSV")]
    labels: Option<PathBuf>,
    /// Report pictures that cannot be used, and go on without them
    #[arg(long)]
    skip_bad_images: bool,
}

/// Weights, and how they are computed with.
#[derive(Args)]
#[command(next_help_heading = "Weights and pictures")]
pub(crate) struct Weights {
    /// Weights of the network, with its layers' names or torchvision's, or the ONNX model that has them
    #[arg(long, value_name = "SAFETENSORS|NPZ|ONNX")]
    weights_file: PathBuf,
    #[command(flatten)]
    calibration: Calibration,
    /// Model every conversion, even where the integer product is provably the same
    #[arg(long, help_heading = "Crossbars")]
    bit_serial: bool,
    #[command(flatten)]
    imperfections: Imperfections,
}

/// Cells and reads that are not perfect; by default they are.
#[derive(Args, Debug, Default)]
pub(crate) struct Imperfections {
    /// Programming error: the spread of the logarithm of a cell's conductance
    #[arg(long, value_name = "SIGMA", value_parser = spread, default_value_t = 0.0, hide_default_value = true, help_heading = "Crossbars")]
    programming_error: f32,
    /// Read noise: its spread at each conversion, in steps of the ADC
    #[arg(long, value_name = "SIGMA", value_parser = spread, default_value_t = 0.0, hide_default_value = true, help_heading = "Crossbars")]
    read_noise: f32,
    /// Share of cells that are stuck at their lowest conductance
    #[arg(long, value_name = "SHARE", value_parser = share, default_value_t = 0.0, hide_default_value = true, help_heading = "Crossbars")]
    stuck_off: f32,
    /// Share of cells that are stuck at their highest conductance
    #[arg(long, value_name = "SHARE", value_parser = share, default_value_t = 0.0, hide_default_value = true, help_heading = "Crossbars")]
    stuck_on: f32,
    /// Highest over lowest conductance of a cell
    #[arg(long, value_name = "RATIO", value_parser = ratio, help_heading = "Crossbars")]
    on_off_ratio: Option<f32>,
    /// Seed of all that is drawn at random
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Crossbars")]
    seed: u64,
}

fn number(text: &str, remedy: &str, good: impl Fn(f32) -> bool) -> Result<f32, String> {
    text.parse().ok().filter(|&number: &f32| good(number)).ok_or_else(|| remedy.to_owned())
}

fn spread(text: &str) -> Result<f32, String> {
    number(text, "give a number of 0 or more", |number| number.is_finite() && number >= 0.0)
}

fn share(text: &str) -> Result<f32, String> {
    number(text, "give a number from 0 to 1", |number| (0.0..=1.0).contains(&number))
}

fn ratio(text: &str) -> Result<f32, String> {
    number(text, "give a number above 1", |number| number > 1.0)
}

impl Imperfections {
    fn non_idealities(&self) -> Result<NonIdealities, Fault> {
        let Self { programming_error, read_noise, stuck_off, stuck_on, on_off_ratio, seed } = *self;
        if stuck_off + stuck_on > 1.0 {
            let remedy = "give --stuck-off and --stuck-on that add up to 1 at the most";
            return Err(Fault::new(format!("{stuck_off} and {stuck_on} of all cells cannot be stuck"), remedy));
        }
        Ok(NonIdealities {
            seed,
            programming_sigma: programming_error,
            read_sigma: read_noise,
            stuck_off,
            stuck_on,
            on_off_ratio: on_off_ratio.unwrap_or(f32::INFINITY),
        })
    }
}

/// Pictures that were checked.
pub(crate) struct Loaded {
    /// With their classes, if labels were given.
    pub(crate) pictures: Vec<Labelled>,
    /// Number of pictures left out.
    pub(crate) skipped: usize,
}

/// A picture and its class, if it is known.
pub(crate) struct Labelled {
    /// The picture.
    pub(crate) picture: Picture,
    /// Its class.
    pub(crate) label: Option<usize>,
    /// Digest of the pixels that are the network's input.
    pub(crate) digest: [u8; 32],
}

impl Pictures {
    /// Decodes every picture and finds its label, so that all errors are reported before the work begins.
    pub(crate) fn load(&self, network: &Network) -> Result<Loaded, Failure> {
        let _span = info_span!("look at pictures").entered();
        let classes = inference::scores(network);
        let labels = self.labels.as_ref().map(|path| Labels::load(path, classes)).transpose()?;
        let all = dataset::pictures(&self.images, network)?;
        let (mut loaded, mut faults) =
            Loaded::checked(all, network, |picture| labels.as_ref().map(|labels| labels.of(&picture.name)).transpose());
        if self.skip_bad_images {
            loaded.skipped = faults.len();
            faults.drain(..).for_each(|fault| output::say(&format!("skipped: {}", fault.message())));
        }
        if !faults.is_empty() {
            return Err(Failure::User(faults.into()));
        }
        if loaded.pictures.is_empty() {
            return Err(Fault::new("no picture is left", "give pictures that can be used").into());
        }
        Ok(loaded)
    }

    /// As [`Pictures::load`], for commands that need labels.
    pub(crate) fn load_labelled(&self, network: &Network, what: &str) -> Result<Loaded, Failure> {
        if self.labels.is_none() {
            return Err(Fault::new(format!("{what} needs to know the right answers"), "give them with --labels").into());
        }
        self.load(network)
    }
}

impl Loaded {
    /// Decodes every picture; those that cannot be used are faults.
    fn checked(
        pictures: Vec<Picture>,
        network: &Network,
        label: impl Fn(&Picture) -> Result<Option<usize>, dataset::Error>,
    ) -> (Loaded, Vec<Fault>) {
        let mut loaded = Loaded { pictures: Vec::new(), skipped: 0 };
        let mut faults = Vec::new();
        let _: ControlFlow<()> = inference::in_order(
            &pictures,
            processors(),
            |picture| picture.load(network).map(|pixels| digest(&pixels)),
            |picture, digest| {
                match digest.and_then(|digest| Ok((digest, label(picture)?))) {
                    Ok((digest, label)) => loaded.pictures.push(Labelled { picture: picture.clone(), label, digest }),
                    Err(error) => faults.push(Fault::new(error.to_string(), error.remedy())),
                }
                ControlFlow::Continue(())
            },
        );
        (loaded, faults)
    }

    /// The pictures in some files and folders.
    pub(crate) fn of_files(paths: &[PathBuf], network: &Network) -> Result<Loaded, Failure> {
        let mut pictures = Vec::new();
        for path in paths {
            pictures.extend(dataset::pictures(path, network)?);
        }
        match Loaded::checked(pictures, network, |_| Ok(None)) {
            (loaded, faults) if faults.is_empty() => Ok(loaded),
            (_, faults) => Err(Failure::User(faults.into())),
        }
    }

    /// The only picture in a file.
    pub(crate) fn one(file: &Path, label: Option<usize>, network: &Network) -> Result<Loaded, Failure> {
        let mut pictures = dataset::pictures(file, network)?;
        if pictures.len() != 1 {
            let message = format!("{} has {} pictures", file.display(), pictures.len());
            return Err(Fault::new(message, "give a file with one; `aquasim infer` takes many").into());
        }
        let classes = inference::scores(network);
        if let Some(label) = label.filter(|label| *label >= classes) {
            let message = format!("{label} is no class of {}", network.name);
            return Err(Fault::new(message, format!("give a number from 0 to {}", classes.saturating_sub(1))).into());
        }
        let picture = pictures.remove(0);
        let digest = digest(&picture.load(network)?);
        Ok(Loaded { pictures: vec![Labelled { picture, label, digest }], skipped: 0 })
    }

    /// Threads for each picture, when all processors work on all pictures.
    pub(crate) fn threads_per_picture(&self) -> NonZeroUsize {
        NonZeroUsize::new(processors().get() / self.pictures.len()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Digest of the pixels that are a network's input.
fn digest(pixels: &Array3<f32>) -> [u8; 32] {
    let bytes: Vec<u8> = pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
    blake3::hash(&bytes).into()
}

impl Labelled {
    /// The picture, values from 0 to 1, and the normalised input of the network.
    pub(crate) fn input(&self, network: &Network) -> Result<(Array3<f32>, Array3<f32>), dataset::Error> {
        let pixels = self.picture.load(network)?;
        Ok((pixels.clone(), dataset::normalise(pixels, &network.preprocessing)))
    }
}

/// Weights of a network that were checked, and the input range of each layer.
pub(crate) struct Calibrated {
    weights: numeric::Weights,
    /// The ranges.
    pub(crate) ranges: Ranges,
    options: Options,
    threads_per_picture: NonZeroUsize,
}

impl Weights {
    /// Weights in a file, with default options except for the ranges of activations.
    pub(crate) fn of_file(path: &Path, calibration: &Calibration) -> Weights {
        Weights {
            weights_file: path.to_owned(),
            calibration: calibration.clone(),
            bit_serial: false,
            imperfections: Imperfections::default(),
        }
    }

    /// Adds to the hash all that decides the answers of pictures.
    pub(crate) fn fingerprint(&self, hasher: &mut blake3::Hasher) -> Result<(), Failure> {
        let Weights { weights_file, imperfections, .. } = self;
        hasher.update(format!("{imperfections:?}").as_bytes());
        let unreadable = |error: std::io::Error| {
            Fault::new(format!("{} cannot be read: {error}", weights_file.display()), "give a file of weights")
        };
        let file = File::open(weights_file).map_err(unreadable)?;
        hasher.update_reader(file).map_err(unreadable)?;
        Ok(())
    }

    /// Reads the weights, and finds the ranges of the activations.
    pub(crate) fn load(&self, selected: &Selected, loaded: &Loaded) -> Result<Calibrated, Failure> {
        let network = &selected.network;
        let non_idealities = self.imperfections.non_idealities()?;
        let weights = read_weights(&self.weights_file, network)?;
        let ranges = self.calibration.ranges(network, &weights, loaded)?;
        let options = Options { integer_product: !self.bit_serial, non_idealities, ..Options::default() };
        Ok(Calibrated { weights, ranges, options, threads_per_picture: loaded.threads_per_picture() })
    }
}

/// Reads the weights of `network` from a file of tensors or an ONNX model, and prints notes about them.
pub(crate) fn read_weights(path: &Path, network: &Network) -> Result<numeric::Weights, Failure> {
    let _span = info_span!("read weights").entered();
    let is_model = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    let LoadedWeights { weights, notes } = if is_model {
        let named = onnx::import(path, &onnx::Options::default())?.weights()?;
        let tensor = |onnx::Named { name, dims, values }| {
            (name, ArrayD::from_shape_vec(dims, values).expect("a tensor has as many numbers as its sizes ask for"))
        };
        dataset::assign_weights(path, named.into_iter().map(tensor).collect(), network)?
    } else {
        dataset::load_weights(path, network)?
    };
    for note in &notes {
        output::say(&format!("note: {note}"));
    }
    Ok(weights)
}

impl Calibrated {
    /// Programs the weights, quantised to the bits of the plan that was selected.
    pub(crate) fn program(&self, selected: &Selected) -> Result<Classifier, Failure> {
        let _span = info_span!("program").entered();
        let Selected { arch, network, plan, .. } = selected;
        let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, self.options.clone());
        let bits: Vec<u32> = plan.layers.iter().map(|layer| layer.weight_bits).collect();
        let model = datapath
            .map(|datapath| datapath.skipping_zero_row_blocks(arch.ima.skip_zero_row_blocks))
            .and_then(|datapath| Model::program(&datapath, network, &self.weights, &bits, &self.ranges.inputs))
            .map_err(inference::Error::from)?;
        Ok(Classifier::new(network.clone(), model.on_threads(self.threads_per_picture)))
    }

    /// Scores of an input's classes in floating point, under the crops of `plan`; its other precisions have no
    /// effect.
    pub(crate) fn float_scores(
        &self,
        network: &Network,
        plan: &Plan,
        input: ArrayView3<f32>,
    ) -> Result<Vec<f32>, inference::Error> {
        let computed = numeric::reference::run(network, &self.weights, plan, input, self.threads_per_picture)?;
        Ok(computed.output)
    }
}

/// The selected machine, for the cost of plans.
pub(crate) fn accelerator(selected: &Selected) -> Accelerator<'_> {
    Accelerator::new(&selected.arch, &selected.network, selected.layout.mapping.clone())
}

/// Threads to work on.
pub(crate) fn processors() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl From<dataset::Error> for Failure {
    fn from(error: dataset::Error) -> Failure {
        Fault::new(error.to_string(), error.remedy()).into()
    }
}

impl From<Vec<dataset::Error>> for Failure {
    fn from(errors: Vec<dataset::Error>) -> Failure {
        let faults: Vec<Fault> = errors.iter().map(|error| Fault::new(error.to_string(), error.remedy())).collect();
        Failure::User(faults.into())
    }
}

impl From<inference::Error> for Failure {
    fn from(error: inference::Error) -> Failure {
        match error {
            inference::Error::Plan(faults) => faults.into(),
            inference::Error::Mapping(errors) => errors.into(),
            inference::Error::Simulation(error) => error.into(),
            inference::Error::Numeric(error) => {
                Fault::new(error.to_string(), "give weights, pictures and bits that the crossbars can hold").into()
            }
            inference::Error::Counts { .. } => Failure::Other(error.into()),
        }
    }
}
