//! Input ranges of the layers, from pictures or from a file.
//!
//! By default 32 of the pictures to answer decide the ranges. They are drawn by the digest of their content, so that
//! the choice does not depend on names or order. The ranges are stored with a fingerprint of network and weights, and
//! refused with any other.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;

use chip::SimulationError;
use clap::Args;
use document::Fault;
use inference::{Classifier, Ranges};
use network::Network;
use numeric::{InputRanges, LayerWeights, StageWeights, Weights};
use tracing::info_span;

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Labelled, Loaded, processors};
use crate::session;

/// Default number of pictures that decide the ranges of activations.
const CALIBRATE: u64 = 32;

/// Share of a layer's inputs above which saturation is worth a warning.
const TRACE: f64 = 1e-4;

/// Source of the range of each layer's activations.
#[derive(Args, Clone)]
#[command(next_help_heading = "Ranges of activations")]
pub(crate) struct Calibration {
    /// Pictures that decide the range of each layer's activations: files and folders, or so many of those to answer,
    /// drawn by their content [default: 32]
    #[arg(long, value_name = "N|FILE|DIR", num_args = 1.., requires = "weights_file", conflicts_with = "ranges")]
    calibrate: Vec<PathBuf>,
    /// Ranges that --save-ranges wrote, in place of calibrating
    #[arg(long, value_name = "FILE", requires = "weights_file")]
    ranges: Option<PathBuf>,
    /// Write the ranges as TOML, for --ranges
    #[arg(long, value_name = "FILE", requires = "weights_file")]
    save_ranges: Option<PathBuf>,
}

impl Calibration {
    /// Finds or reads the ranges for answers to `loaded`, and writes them if requested.
    pub(crate) fn ranges(&self, network: &Network, weights: &Weights, loaded: &Loaded) -> Result<Ranges, Failure> {
        let _span = info_span!("calibrate").entered();
        let save = self.save_ranges.as_deref().map(Output::create).transpose()?;
        let model = fingerprint(network, weights);
        let ranges = match &self.ranges {
            Some(path) => {
                let path = path.to_string_lossy();
                Ranges::parse(&document::read_text(&path)?, &path, network, &model)?
            }
            None => self.calibrated(network, weights, loaded, model)?,
        };
        if let Some(save) = save {
            save.write(&ranges.to_toml(network))?;
        }
        Ok(ranges)
    }

    fn calibrated(
        &self,
        network: &Network,
        weights: &Weights,
        loaded: &Loaded,
        model: String,
    ) -> Result<Ranges, Failure> {
        let files;
        let (pictures, calibration): (Vec<&Labelled>, String) = if let Some(count) = self.count()? {
            let (all, drawn) = (loaded.pictures.len(), drawn(loaded, count));
            let calibration = format!("{} of {all} pictures, drawn by content", drawn.len());
            (drawn, calibration)
        } else {
            files = Loaded::of_files(&self.calibrate, network)?;
            let more = match self.calibrate.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let calibration = format!("{} pictures of {}{more}", files.pictures.len(), self.calibrate[0].display());
            (files.pictures.iter().collect(), calibration)
        };
        let mut inputs = InputRanges::zero(network);
        let threads = NonZeroUsize::new(processors().get() / pictures.len()).unwrap_or(NonZeroUsize::MIN);
        let stop = session::stop();
        let end = inference::in_order(
            &pictures,
            processors(),
            |picture| {
                let (_, input) = picture.input(network)?;
                Ok::<_, Failure>(inference::calibrate(network, weights, input.view(), threads)?)
            },
            |_, found| match found {
                _ if stop.is_requested() => ControlFlow::Break(SimulationError::Stopped.into()),
                Ok(found) => {
                    inputs.widen(&found);
                    ControlFlow::Continue(())
                }
                Err(failure) => ControlFlow::Break(failure),
            },
        );
        match end {
            ControlFlow::Break(failure) => Err(failure),
            ControlFlow::Continue(()) => Ok(Ranges { calibration, model, inputs }),
        }
    }

    /// Number of the pictures to answer that decide the ranges; `None` if files were named.
    fn count(&self) -> Result<Option<u64>, Fault> {
        let count = match &self.calibrate[..] {
            [] => Some(CALIBRATE),
            [single] => single.to_str().and_then(|count| count.parse().ok()),
            _ => None,
        };
        match count {
            Some(0) => Err(Fault::new("0 pictures decide no ranges", "give --calibrate at least 1, or files")),
            count => Ok(count),
        }
    }
}

/// The `count` pictures with the smallest digests. The choice depends on no name and no order; adding a picture
/// replaces at most one of them.
fn drawn(loaded: &Loaded, count: u64) -> Vec<&Labelled> {
    let mut pictures: Vec<&Labelled> = loaded.pictures.iter().collect();
    pictures.sort_by_key(|picture| picture.digest);
    pictures.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    pictures
}

/// Fingerprint of all that ranges depend on except pictures: the network and the weights.
fn fingerprint(network: &Network, weights: &Weights) -> String {
    let mut hasher = blake3::Hasher::new();
    let Network { name: _, input, preprocessing, layers, maps, reads, results } = network;
    hasher.update(format!("{input:?} {layers:?} {preprocessing:?} {maps:?} {reads:?} {results:?}").as_bytes());
    let mut update = |values: &mut dyn Iterator<Item = &f32>| {
        hasher.update(&values.flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    };
    for LayerWeights { weights, bias } in &weights.layers {
        update(&mut weights.iter().chain(bias));
    }
    let StageWeights { factors, offsets, slopes } = &weights.stages;
    for values in [factors, offsets, slopes].into_iter().flat_map(BTreeMap::values) {
        update(&mut values.iter());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Warns of layers whose inputs saturated in more than a trace of all answers.
pub(crate) fn warn_of_saturation(network: &Network, classifier: &Classifier, ranges: &Ranges) {
    let shares = classifier.saturation();
    let worst = network.layers.iter().zip(&shares).max_by(|a, b| a.1.total_cmp(b.1));
    let Some((layer, &share)) = worst.filter(|(_, share)| **share > TRACE) else { return };
    let layers = shares.iter().filter(|share| **share > TRACE).count();
    output::warn(&format!(
        "activations saturate in {layers} of {} layers, most in {}: {:.2} % of its inputs are larger than any that \
         calibration saw ({}). Answers may be wrong: name pictures of all kinds with --calibrate, or more of them. \
         Imperfect cells saturate all the same",
        shares.len(),
        layer.name,
        100.0 * share,
        ranges.calibration
    ));
}
