//! The small real case of `examples/digits`, on pictures that the network was not trained on.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arch::Arch;
use dataset::{Labels, Picture};
use inference::{Accelerator, Classifier, Crop};
use ndarray::Array3;
use network::{Network, Plan};
use numeric::{Datapath, LayerWeights, Model, Options, reference};
use predictor::{Measure, Policy, Shape, importance};

const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/digits").join(path)
}

struct Case {
    arch: Arch,
    network: Network,
    weights: Vec<LayerWeights>,
    classifier: Classifier,
    pictures: Vec<(Picture, usize)>,
}

/// The test pictures and the network programmed with 16-bit weights.
fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| {
        let arch = arch::load("isaac-ce").unwrap();
        let network = network::load(example("network.toml").to_str().unwrap()).unwrap();
        let weights = dataset::load_weights(&example("weights.safetensors"), &network).unwrap();
        let labels = Labels::load(&example("test/labels.csv"), 10).unwrap();
        let pictures = dataset::pictures(&example("test")).unwrap().into_iter();
        let pictures: Vec<_> = pictures.map(|picture| (labels.of(&picture.name).unwrap(), picture)).collect();
        let pictures: Vec<_> = pictures.into_iter().map(|(label, picture)| (picture, label)).collect();
        let few: Vec<_> = pictures[..8].iter().map(|(picture, _)| input(picture, &network)).collect();
        let ranges = inference::calibrate(&network, &weights, few.iter(), ONE).unwrap();
        let options = Options { threads: ONE, ..Options::default() };
        let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, options).unwrap();
        let bits = vec![16; network.layers.len()];
        let model = Model::program(&datapath, &network, &weights, &bits, &ranges).unwrap();
        Case { classifier: Classifier::new(network.clone(), model), arch, network, weights, pictures }
    })
}

fn input(picture: &Picture, network: &Network) -> Array3<f32> {
    dataset::normalise(picture.load(network).unwrap(), &network.preprocessing)
}

impl Case {
    fn whole(&self) -> Plan {
        Plan::uniform(&self.network, 16, 16)
    }

    fn accelerator(&self) -> Accelerator<'_> {
        let layout = mapper::balance(&self.arch, &self.network, &self.whole()).unwrap();
        Accelerator::new(&self.arch, &self.network, layout.mapping)
    }

    /// What `work` gives for each of the pictures, in order.
    fn each<R: Send>(&self, pictures: &[(Picture, usize)], work: impl Fn(&Picture, usize) -> R + Sync) -> Vec<R> {
        let mut results = Vec::new();
        let threads = std::thread::available_parallelism().unwrap();
        let _ = inference::in_order(
            pictures,
            threads,
            |(picture, label)| work(picture, *label),
            |_, result| {
                results.push(result);
                ControlFlow::<()>::Continue(())
            },
        );
        results
    }
}

/// Index of the largest score.
fn likeliest(scores: &Array3<f32>) -> usize {
    let scores = scores.iter().enumerate();
    scores.max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class).unwrap()
}

#[test]
fn crops_answer_as_in_floating_point_with_the_same_maps_cropped() {
    let case = case();
    let accelerator = case.accelerator();
    let crops = inference::crops(&accelerator, &case.whole()).unwrap();
    for Crop { edges, plan, cost } in crops.iter().step_by(5) {
        let same = case.each(&case.pictures[..200], |picture, _| {
            let input = input(picture, &case.network);
            let answer = case.classifier.classify(plan, input.view(), cost).unwrap();
            let float = reference::run(&case.network, &case.weights, plan, input.view(), ONE).unwrap().output;
            answer.ranking()[0] == likeliest(&float)
        });
        let same = same.into_iter().filter(|same| *same).count();
        assert!(same >= 199, "{edges}: {same} of 200 answers are those of floating point");
    }
}

#[test]
fn prediction_beats_every_fixed_crop_at_no_more_energy_on_held_out_pictures() {
    let case = case();
    let accelerator = case.accelerator();
    let crops = inference::crops(&accelerator, &case.whole()).unwrap();
    let policies =
        [(Shape::Edges, 0.02), (Shape::Rectangles(vec![16, 0]), 0.0), (Shape::Rectangles(vec![16, 8, 4, 0]), 0.0)];
    let policies = policies.map(|(shape, threshold)| Policy { shape, threshold });
    // Energy and whether the answer is right, for each crop and then for each policy.
    let results = case.each(&case.pictures, |picture, label| {
        let pixels = picture.load(&case.network).unwrap();
        let input = input(picture, &case.network);
        let answer = |plan: &Plan| {
            let cost = accelerator.cost(plan).unwrap();
            let answer = case.classifier.classify(plan, input.view(), &cost).unwrap();
            (cost.dynamic_pj, f64::from(answer.is_right(label, 1)))
        };
        let mut points: Vec<(f64, f64)> = crops.iter().map(|crop| answer(&crop.plan)).collect();
        let importance = importance(pixels.view(), Measure::Entropy);
        for policy in &policies {
            let (plan, mut operations) = policy.plan(&case.network, &case.whole(), &importance).unwrap();
            operations += importance.operations;
            let (energy, right) = answer(&plan);
            points.push((energy + operations.energy_pj(case.arch.energy.edram_bit.pj), right));
        }
        points
    });
    let pictures = results.len() as f64;
    let mean = |index: usize| {
        let sum = results.iter().fold((0.0, 0.0), |sum, points| (sum.0 + points[index].0, sum.1 + points[index].1));
        (sum.0 / pictures, sum.1 / pictures)
    };
    let predicted: Vec<(f64, f64)> = (crops.len()..crops.len() + policies.len()).map(mean).collect();
    assert!(mean(0).1 > 0.97, "without a crop {} are right", mean(0).1);
    for (index, crop) in crops.iter().enumerate().skip(1) {
        let (energy, accuracy) = mean(index);
        let better = |point: &&(f64, f64)| point.0 <= energy && point.1 > accuracy;
        assert!(predicted.iter().any(|point| better(&point)), "{} is not beaten by {predicted:?}", crop.edges);
        // The 16 crops alone beat all but the largest, which is the least of their own energy.
        assert!(crop.edges.count() == 4 || better(&&predicted[0]), "{} is not beaten by crops", crop.edges);
    }
}
