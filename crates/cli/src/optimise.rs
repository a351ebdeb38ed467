//! `aquasim map --optimise`: searches a placement by its bound, and lets the simulator decide.
//!
//! Crate `analysis` searches. Here each mapping is run until its pace is settled, under every plan that counts, and a
//! searched mapping replaces the present one only if its images leave faster. More chips must pay as well: the links of
//! a chip draw power at all times, so an image has to take less energy.

use analysis::Bound;
use analysis::placement::{self, Placement};
use chip::{FIRST_IMAGES, Options, Routed};
use clap::Args;
use document::Fault;
use mapper::{Layout, Mapping};
use network::{Edges, Plan};
use report::{Report, Run, terminal};

use crate::failure::Failure;
use crate::selection::Selected;
use crate::{progress, session};

/// Search for a placement.
#[derive(Args)]
pub(crate) struct Optimise {
    /// Move the replicas until no router port and no link holds the crossbars up
    #[arg(long)]
    optimise: bool,
    /// Search one placement for all 16 crops
    #[arg(long, requires = "optimise", conflicts_with_all = ["crop", "plan", "rebalance", "policy"])]
    all_crops: bool,
    /// Starts of the search at most
    #[arg(long, value_name = "N", requires = "optimise", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
    /// Chips to be used at most, where they pay; by default those that the mapping occupies
    #[arg(long, value_name = "N", requires = "optimise")]
    chips: Option<u32>,
}

/// A plan, and its name.
type Named = (Plan, String);

/// A mapping, laid out and settled under each plan.
struct Settled {
    name: &'static str,
    layouts: Vec<Layout>,
    reports: Vec<Report>,
}

impl Optimise {
    /// Searches, and replaces the layout of `selected` by the one found if it is better. Returns what was compared, as
    /// text; empty if no search is requested.
    pub(crate) fn execute(&self, selected: &mut Selected) -> Result<String, Failure> {
        if !self.optimise {
            return Ok(String::new());
        }
        let plans = self.plans(selected)?;
        let occupied = chips_of(selected);
        let most = self.most_chips(selected, occupied)?;
        let given = laid_out(selected, &plans, &selected.layout.mapping)?;
        let subjects: Vec<&Layout> = given.iter().collect();
        let mut tried: Vec<Settled> = Vec::new();
        let mut best = 0;
        let mut reached = false;
        for chips in occupied..=most {
            let search = || placement::place(&selected.arch, &subjects, chips, self.starts);
            let placement = progress::during("searching", search);
            let Placement { keeps_pace, starts, boundaries, exchanges, .. } = placement;
            tracing::info!(chips, keeps_pace, starts, boundaries, exchanges, "searched");
            reached = keeps_pace;
            let is_known = |tried: &Settled| tried.layouts[0].mapping == placement.mapping;
            if placement.mapping != selected.layout.mapping && !tried.iter().any(is_known) {
                if tried.is_empty() {
                    tried.push(settled(selected, &plans, "given", given.clone())?);
                }
                let layouts = laid_out(selected, &plans, &placement.mapping)?;
                let found = settled(selected, &plans, "searched", layouts)?;
                if found.is_better_than(&tried[best]) {
                    best = tried.len();
                }
                tried.push(found);
            }
            if reached {
                break;
            }
        }
        let mut text = if tried.is_empty() {
            "\nNothing is moved.\n".to_owned()
        } else {
            let of_plan = |plan: usize| tried.iter().map(move |tried| (tried.name, &tried.reports[plan]));
            let table = terminal::placements((0..plans.len()).flat_map(of_plan));
            let Settled { name, layouts, .. } = tried.swap_remove(best);
            selected.layout = layouts.into_iter().next().expect("there is a plan");
            format!("\n{table}\nThe mapping {name} is kept.\n")
        };
        if !reached {
            text += "No placement was found that keeps the pace: try more --starts or --chips, or router.multicast.\n";
        }
        Ok(text)
    }

    /// Returns the chips that may be used. The mapping occupies the first `occupied` ones.
    fn most_chips(&self, Selected { arch, .. }: &Selected, occupied: u32) -> Result<u32, Fault> {
        let most = self.chips.unwrap_or(occupied);
        if (occupied..=arch.board.chips).contains(&most) {
            return Ok(most);
        }
        let (name, chips) = (&arch.name, arch.board.chips);
        let message = format!("--chips {most} does not fit: the mapping occupies {occupied}, and {name} has {chips}");
        Err(Fault::new(message, format!("give a number from {occupied} to {chips}")))
    }

    /// Returns the plans that count.
    fn plans(&self, selected: &Selected) -> Result<Vec<Named>, Failure> {
        if !self.all_crops {
            return Ok(vec![(selected.plan.clone(), selected.plan_name.clone())]);
        }
        let crop = |edges: Edges| Ok((selected.plan.clone().crop(&selected.network, edges)?, format!("crop {edges}")));
        Edges::all().into_iter().map(crop).collect()
    }
}

impl Settled {
    /// Returns a figure of all plans together; `None` if there is one for which it is not known.
    fn sum(&self, figure: impl Fn(&Report) -> Option<f64>) -> Option<f64> {
        self.reports.iter().map(figure).sum()
    }

    /// True if images leave faster, or as fast and for less energy. Further chips must save energy, too.
    fn is_better_than(&self, other: &Settled) -> bool {
        let interval = |settled: &Settled| settled.sum(|report| report.figures.cycles_per_image);
        let energy = |settled: &Settled| {
            settled.sum(|Report { figures, .. }| Some(figures.dynamic_pj_per_image + figures.static_pj_per_image?))
        };
        let (Some(cycles), Some(pj)) = (interval(self), energy(self)) else { return false };
        let (Some(other_cycles), Some(other_pj)) = (interval(other), energy(other)) else { return true };
        let pays = pj < other_pj || self.reports[0].chips <= other.reports[0].chips;
        pays && (cycles, pj) < (other_cycles, other_pj)
    }
}

/// Returns the chips up to the last one that holds something.
fn chips_of(Selected { arch, layout, .. }: &Selected) -> u32 {
    let ends = layout.layers.iter().flat_map(|layer| {
        let imas = layer.geometry.imas_per_replica();
        layer.replicas.iter().map(move |first| first + imas)
    });
    ends.max().unwrap_or(1).div_ceil(arch.tiles_per_chip() * arch.tile.imas)
}

/// Lays a mapping out under each plan.
fn laid_out(selected: &Selected, plans: &[Named], mapping: &Mapping) -> Result<Vec<Layout>, Failure> {
    let Selected { arch, network, .. } = selected;
    plans.iter().map(|(plan, _)| Ok(Layout::new(arch, network, plan, mapping.clone())?)).collect()
}

/// Runs layouts of one mapping until their pace is settled.
fn settled(selected: &Selected, plans: &[Named], name: &'static str, layouts: Vec<Layout>) -> Result<Settled, Failure> {
    let Selected { arch, network, .. } = selected;
    let first = Options { images: FIRST_IMAGES, stop: session::stop(), ..Options::default() };
    let reports = plans.iter().zip(&layouts).map(|((plan, plan_name), layout)| {
        let routed = &Routed::new(arch, layout);
        let bound = &Bound::of(routed, first.uncontended);
        let run = || routed.run_until_settled(&first, bound.cycles);
        let (options, outcome) = &progress::during("simulating", run)?;
        Ok::<_, Failure>(Report::new(&Run { arch, network, plan, plan_name, layout, options, outcome, bound }))
    });
    let reports = reports.collect::<Result<_, _>>()?;
    Ok(Settled { name, layouts, reports })
}
