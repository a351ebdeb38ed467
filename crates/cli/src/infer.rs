//! `aquasim infer`: answers pictures on the crossbars, each under its own plan.

use std::ops::ControlFlow;
use std::path::PathBuf;

use arch::Arch;
use clap::Args;
use numeric::Method;
use report::terminal::{AnswerTotals, PictureAnswer};

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Pictures, Weights, accelerator, processors};
use crate::policy::{self, Choice, Chooser, Chosen, PolicyName, without_regions};
use crate::progress;
use crate::selection::Selection;

/// Classify pictures on the crossbars, bit by bit, and report what each answer costs
#[derive(Args)]
pub struct Infer {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    pictures: Pictures,
    #[command(flatten)]
    choice: Choice,
    /// Likeliest classes to list for each picture
    #[arg(long, value_name = "K", default_value_t = 1)]
    top: usize,
    /// Write a line for each picture; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-")]
    csv: Option<PathBuf>,
    /// Write the plan of each picture as TOML, for --plan and for sweeps
    #[arg(long, value_name = "DIR")]
    plans: Option<PathBuf>,
}

/// What the pictures amount to so far.
struct Answers {
    rows: Vec<PictureAnswer>,
    totals: AnswerTotals,
}

impl Infer {
    /// Answers all pictures, then prints the answers and what they cost.
    pub fn execute(self) -> Result<(), Failure> {
        self.choice.check(&self.selection)?;
        let selected = self.selection.load()?;
        let csv = self.csv.as_deref().map(Output::create).transpose()?;
        if let Some(folder) = &self.plans {
            output::create_folder(folder)?;
        }
        let oracle = self.choice.policy == PolicyName::Oracle;
        let loaded = match oracle {
            true => self.pictures.load_labelled(&selected.network, "the oracle")?,
            false => self.pictures.load(&selected.network)?,
        };
        let calibrated = progress::during("reading weights", || self.weights.load(&selected, &loaded))?;
        let classifier = calibrated.program(&selected)?;
        let accelerator = accelerator(&selected);
        let chooser = Chooser::new(&self.choice, &selected.plan, &accelerator, &classifier)?;
        let whole = without_regions(&selected.plan);
        let network = &selected.network;
        let labelled = loaded.pictures[0].label.is_some();
        let mut answers = Answers {
            rows: Vec::new(),
            totals: AnswerTotals {
                skipped: loaded.skipped,
                right: labelled.then_some([0, 0]),
                simulations: 0,
                whole_pj: accelerator.cost(&whole)?.dynamic_pj,
                method: method_name(Method::Integer),
                clipped: 0,
                saturated: 0,
            },
        };
        let bar = progress::bar("pictures", loaded.pictures.len() as u64, 0);
        let end = inference::in_order(
            &loaded.pictures,
            processors(),
            |picture| {
                let (pixels, input) = picture.input(network)?;
                Ok::<_, Failure>(chooser.choose(&pixels, &input, picture.label)?)
            },
            |picture, chosen| {
                bar.inc(1);
                let written = chosen.and_then(|chosen| {
                    if let Some(folder) = &self.plans {
                        policy::write_plan(folder, &picture.picture.name, &chosen.plan, network)?;
                    }
                    Ok(chosen)
                });
                match written {
                    Ok(chosen) => {
                        let macs = |plan: &network::Plan| plan.macs(network) as f64;
                        let computed = macs(&chosen.plan) / macs(&whole);
                        answers.add(&picture.picture.name, picture.label, &chosen, computed, &selected.arch, self.top);
                        ControlFlow::Continue(())
                    }
                    Err(failure) => ControlFlow::Break(failure),
                }
            },
        );
        bar.finish_and_clear();
        if let ControlFlow::Break(failure) = end {
            return Err(failure);
        }
        answers.totals.simulations = accelerator.simulations();
        if let Some(csv) = csv {
            csv.write(&answers.csv())?;
        }
        if self.csv.as_deref() == Some(std::path::Path::new("-")) {
            return Ok(());
        }
        output::print(&report::terminal::answers(&answers.rows, &answers.totals))
    }
}

/// What the program did to compute answers.
fn method_name(method: Method) -> &'static str {
    match method {
        Method::Integer => "integer products, which these crossbars provably compute",
        Method::BitSerial => "every conversion of every column",
        Method::Conductances => "every conversion of every column, on imperfect cells",
    }
}

impl Answers {
    fn add(&mut self, picture: &str, label: Option<usize>, chosen: &Chosen, computed: f64, arch: &Arch, top: usize) {
        let Chosen { name, cost, answer, operations, .. } = chosen;
        let totals = &mut self.totals;
        if let (Some([top1, top5]), Some(label)) = (&mut totals.right, label) {
            *top1 += usize::from(answer.is_right(label, 1));
            *top5 += usize::from(answer.is_right(label, 5));
        }
        totals.method = method_name(answer.method);
        totals.clipped += answer.clipped;
        totals.saturated += answer.saturated;
        let probabilities = answer.probabilities();
        let (predictor_pj, predictor_ns) = policy::cost(arch, operations);
        self.rows.push(PictureAnswer {
            picture: picture.to_owned(),
            classes: answer.ranking().into_iter().take(top).map(|class| (class, probabilities[class])).collect(),
            label,
            plan: name.clone(),
            computed,
            energy_pj: cost.dynamic_pj,
            predictor_pj,
            predictor_ns,
            latency_ns: cost.latency_ns,
        });
    }

    /// A line for each picture.
    fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = [
            "image",
            "label",
            "classes",
            "plan",
            "computed",
            "energy_pj",
            "predictor_pj",
            "latency_ns",
            "predictor_ns",
        ];
        let rows = self.rows.iter().map(|row| {
            let classes: Vec<String> = row.classes.iter().map(|(class, _)| class.to_string()).collect();
            [
                row.picture.clone(),
                row.label.map(|label| label.to_string()).unwrap_or_default(),
                classes.join(" "),
                row.plan.clone(),
                row.computed.to_string(),
                row.energy_pj.to_string(),
                row.predictor_pj.to_string(),
                row.latency_ns.to_string(),
                row.predictor_ns.to_string(),
            ]
        });
        let in_memory = "a buffer can be written to";
        writer.write_record(header).expect(in_memory);
        rows.for_each(|row| writer.write_record(row).expect(in_memory));
        String::from_utf8(writer.into_inner().expect(in_memory)).expect("text was written")
    }
}
