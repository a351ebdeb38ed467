//! The small real case of `examples/digits`, on pictures that the network was not trained on.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arch::Arch;
use dataset::{Labels, Picture};
use inference::{Accelerator, Classifier, Crop};
use ndarray::Array3;
use network::{LayerId, Network, Plan, Region};
use numeric::{Datapath, InputRanges, Method, Model, Options, Weights, reference};
use predictor::{Policy, Shape};

const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/digits").join(path)
}

struct Case {
    arch: Arch,
    network: Network,
    weights: Weights,
    /// Calibrated on 32 of `pictures`.
    classifier: Option<Classifier>,
    pictures: Vec<(Picture, usize)>,
    /// Pictures that settings were tuned on; none of them is among `pictures`.
    tuning: Vec<(Picture, usize)>,
}

/// The pictures of a folder and their classes.
fn labelled(folder: &str) -> Vec<(Picture, usize)> {
    let labels = Labels::load(&example(folder).join("labels.csv"), 10).unwrap();
    let network = network::load(example("network.toml").to_str().unwrap()).unwrap();
    let pictures = dataset::pictures(&example(folder), &network).unwrap().into_iter();
    pictures.map(|picture| (picture.clone(), labels.of(&picture.name).unwrap())).collect()
}

/// The test pictures and the network programmed with 16-bit weights.
fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| {
        let arch = arch::load("isaac-ce").unwrap();
        let network = network::load(example("network.toml").to_str().unwrap()).unwrap();
        let weights = dataset::load_weights(&example("weights.safetensors"), &network).unwrap().weights;
        let (pictures, tuning) = (labelled("test"), labelled("tuning"));
        let mut case = Case { arch, network, weights, classifier: None, pictures, tuning };
        case.classifier =
            Some(Classifier::new(case.network.clone(), case.model(&case.pictures, Options::default(), false)));
        case
    })
}

fn input(picture: &Picture, network: &Network) -> Array3<f32> {
    dataset::normalise(picture.load(network).unwrap(), &network.preprocessing)
}

impl Case {
    /// The network programmed with 16-bit weights, calibrated on 32 of these pictures.
    fn model(&self, pictures: &[(Picture, usize)], options: Options, skips: bool) -> Model {
        // As the program draws them: those with the smallest digests of what the network sees.
        let mut drawn: Vec<(blake3::Hash, &Picture)> = Vec::new();
        for (picture, _) in pictures {
            let pixels = picture.load(&self.network).unwrap();
            let bytes: Vec<u8> = pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
            drawn.push((blake3::hash(&bytes), picture));
        }
        drawn.sort_by_key(|(digest, _)| *digest.as_bytes());
        let mut ranges = InputRanges::zero(&self.network);
        for (_, picture) in &drawn[..32] {
            let input = input(picture, &self.network);
            let found = inference::calibrate(&self.network, &self.weights, input.view(), ONE).unwrap();
            ranges.widen(&found);
        }
        let options = Options { threads: ONE, ..options };
        let datapath = Datapath::new(&self.arch.crossbar, &self.arch.dac, &self.arch.adc, options).unwrap();
        let datapath = datapath.skipping_zero_row_blocks(skips);
        let bits = vec![16; self.network.layers.len()];
        Model::program(&datapath, &self.network, &self.weights, &bits, &ranges).unwrap()
    }

    fn classifier(&self) -> &Classifier {
        self.classifier.as_ref().unwrap()
    }

    fn whole(&self) -> Plan {
        Plan::uniform(&self.network, 16, 16)
    }

    fn accelerator(&self) -> Accelerator<'_> {
        let layout = mapper::balance(&self.arch, &self.network, &self.whole()).unwrap();
        Accelerator::new(&self.arch, &self.network, layout.mapping)
    }

    /// Results of `work` for the pictures, in order.
    fn each<R: Send>(pictures: &[(Picture, usize)], work: impl Fn(&Picture, usize) -> R + Sync) -> Vec<R> {
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
fn likeliest(scores: &[f32]) -> usize {
    let scores = scores.iter().enumerate();
    scores.max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class).unwrap()
}

#[test]
fn crops_answer_as_in_floating_point_with_the_same_maps_cropped() {
    let case = case();
    let accelerator = case.accelerator();
    let crops = inference::crops(&accelerator, &case.whole()).unwrap();
    for Crop { edges, plan, cost } in crops.iter().step_by(5) {
        let same = Case::each(&case.pictures[..200], |picture, _| {
            let input = input(picture, &case.network);
            let answer = case.classifier().classify(plan, input.view(), cost).unwrap();
            let float = reference::run(&case.network, &case.weights, plan, input.view(), ONE).unwrap().output;
            answer.ranking()[0] == likeliest(&float)
        });
        let same = same.into_iter().filter(|same| *same).count();
        assert!(same >= 199, "{edges}: {same} of 200 answers are those of floating point");
    }
}

/// Mean energy, pJ, and share of right answers.
type Point = (f64, f64);

impl Case {
    /// Under each of the 16 crops, and under each policy with its own energy included.
    fn judge(&self, pictures: &[(Picture, usize)], policies: &[Policy]) -> (Vec<Point>, Vec<Point>) {
        let classifier = Classifier::new(self.network.clone(), self.model(pictures, Options::default(), false));
        let accelerator = self.accelerator();
        let crops = inference::crops(&accelerator, &self.whole()).unwrap();
        let results = Self::each(pictures, |picture, label| {
            let pixels = picture.load(&self.network).unwrap();
            let input = input(picture, &self.network);
            let answer = |plan: &Plan| {
                let cost = accelerator.cost(plan).unwrap();
                let answer = classifier.classify(plan, input.view(), &cost).unwrap();
                (cost.dynamic_pj, f64::from(answer.is_right(label, 1)))
            };
            let mut points: Vec<Point> = crops.iter().map(|crop| answer(&crop.plan)).collect();
            for policy in policies {
                let (plan, operations) = policy.predict(&self.network, &self.whole(), pixels.view()).unwrap();
                let (energy, right) = answer(&plan);
                points.push((energy + operations.energy_pj(self.arch.energy.edram.edram_bit.pj), right));
            }
            points
        });
        let mean = |index: usize| {
            let sum = results.iter().fold((0.0, 0.0), |sum, points| (sum.0 + points[index].0, sum.1 + points[index].1));
            (sum.0 / results.len() as f64, sum.1 / results.len() as f64)
        };
        let fixed = (0..crops.len()).map(mean).collect();
        (fixed, (crops.len()..crops.len() + policies.len()).map(mean).collect())
    }
}

/// One policy of each shape, as it is by default.
fn tuned() -> [Policy; 3] {
    [Shape::Edges, Shape::Rectangles(vec![16, 0]), Shape::Rectangles(vec![16, 8, 4, 0])].map(Policy::tuned)
}

#[test]
fn defaults_are_the_cheapest_settings_that_lose_no_answer_on_the_tuning_pictures() {
    let case = case();
    let text = std::fs::read_to_string(example("tuning.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let policies = tuned();
    let (fixed, predicted) = case.judge(&case.tuning, &policies);
    for ((policy, shape), point) in
        policies.iter().zip(["16 crops", "rectangles of 16/0 bits", "rectangles of 16/8/4/0 bits"]).zip(predicted)
    {
        let good = rows.iter().filter(|row| row[0] == shape && number(row[5]) >= number(row[6]));
        let best = good.min_by(|a, b| number(a[4]).total_cmp(&number(b[4]))).unwrap();
        let settings = [policy.measure.name().to_owned(), policy.margin.to_string(), policy.threshold.to_string()];
        assert_eq!(best[1..4], settings, "{shape}");
        // The file is that of these pictures and weights. Placement on the machine may change energies a little.
        let right = point.1 * case.tuning.len() as f64;
        assert!((right - number(best[5])).abs() < 0.5, "{shape}: {right} right");
        assert!((point.0 / fixed[0].0 - number(best[4])).abs() < 0.01, "{shape}: {}", point.0 / fixed[0].0);
    }
}

#[test]
fn prediction_beats_every_fixed_crop_at_no_more_energy_on_held_out_pictures() {
    let case = case();
    let (fixed, predicted) = case.judge(&case.pictures, &tuned());
    let whole = fixed[0];
    assert!(whole.1 > 0.97, "without a crop {} are right", whole.1);
    let crops = network::Edges::all();
    for (crop, point) in crops.iter().zip(&fixed).skip(1) {
        let better = |predicted: &Point| predicted.0 <= point.0 && predicted.1 > point.1;
        assert!(predicted.iter().any(better), "{crop}, {point:?}, is not beaten by {predicted:?}");
        // Of the 16 crops alone, a choice beats all those that take as much energy as it does.
        assert!(predicted[0].0 > point.0 || better(&predicted[0]), "{crop} is not beaten by choosing among crops");
        // Rectangles take less energy than the cheapest of the 16 crops.
        assert!(predicted[1].0 < 0.7 * point.0 && predicted[2].0 < 0.7 * point.0);
    }
    // What is left out costs few answers: at most two in a hundred.
    assert!(predicted.iter().all(|point| point.1 >= whole.1 - 0.02), "{predicted:?} beside {whole:?}");
}

#[test]
fn regions_of_four_precisions_give_answers_time_and_energy_from_one_plan_file() {
    let case = case();
    let accelerator = case.accelerator();
    let policy = Policy::tuned(Shape::Rectangles(vec![16, 8, 4, 0]));
    let checked = Case::each(&case.pictures[..40], |picture, _| {
        let pixels = picture.load(&case.network).unwrap();
        let (plan, _) = policy.predict(&case.network, &case.whole(), pixels.view()).unwrap();
        let read = Plan::parse(&plan.to_toml(&case.network), "plan.toml", &case.network).unwrap();
        assert_eq!(read, plan);
        let cost = accelerator.cost(&read).unwrap();
        // Conversions, window by window from the plan: rows in 128s, 8 columns for each output, a read for each bit.
        let mut used = std::collections::BTreeSet::new();
        for ((layer, plan), counts) in case.network.layers.iter().zip(&read.layers).zip(&cost.layers) {
            let windows = (0..layer.output.height).flat_map(|y| (0..layer.output.width).map(move |x| (y, x)));
            let bits: Vec<u64> = windows.map(|(y, x)| u64::from(plan.bits_at(y, x))).collect();
            let columns = u64::from(layer.output.channels) * 8;
            let expected = bits.iter().sum::<u64>() * u64::from(layer.rows().div_ceil(128)) * columns;
            assert_eq!(counts.adc_conversions, expected, "{} of {}", layer.name, picture.name);
            used.extend(bits);
        }
        // The answer's counts are held equal to these inside.
        let input = input(picture, &case.network);
        let answer = case.classifier().classify(&read, input.view(), &cost).unwrap();
        let whole = accelerator.cost(&case.whole()).unwrap();
        assert!(cost.dynamic_pj < whole.dynamic_pj && cost.cycles < whole.cycles);
        let float = reference::run(&case.network, &case.weights, &read, input.view(), ONE).unwrap().output;
        (used.into_iter().collect::<Vec<_>>(), answer.ranking()[0] == likeliest(&float))
    });
    assert!(checked.iter().any(|(used, _)| *used == [0, 4, 8, 16]), "no picture has all four precisions");
    let same = checked.iter().filter(|(_, same)| *same).count();
    assert!(same >= 38, "{same} of 40 answers are those of floating point with the same maps cropped");
}

#[test]
fn a_machine_that_skips_zero_row_blocks_gives_the_same_answers_for_less() {
    let case = case();
    let mut skipping = case.arch.clone();
    skipping.ima.skip_zero_row_blocks = true;
    // The second layer computes windows of which it finds all inputs cropped.
    let mut plan = case.whole();
    plan.layers[LayerId(0)].regions = vec![Region { top: 0, left: 0, height: 16, width: 48, bits: 0 }];
    let layout = mapper::balance(&skipping, &case.network, &case.whole()).unwrap();
    let cost = Accelerator::new(&skipping, &case.network, layout.mapping).cost(&plan).unwrap();
    let all = case.accelerator().cost(&plan).unwrap();
    let bit_serial = || Options { integer_product: false, ..Options::default() };
    let [skips, reads] = [true, false]
        .map(|skips| Classifier::new(case.network.clone(), case.model(&case.pictures, bit_serial(), skips)));
    for (picture, _) in &case.pictures[..3] {
        let input = input(picture, &case.network);
        // Counts are held equal to the costs inside.
        let answer = skips.classify(&plan, input.view(), &cost).unwrap();
        assert_eq!(answer, reads.classify(&plan, input.view(), &all).unwrap());
        assert_eq!(answer.method, Method::BitSerial);
    }
    let conversions = |cost: &inference::Cost| cost.layers.iter().map(|counts| counts.adc_conversions).sum::<u64>();
    assert!(conversions(&cost) < conversions(&all));
}
