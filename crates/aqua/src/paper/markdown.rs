//! First part of `paper.md`: results, and the evidence for them.

use super::comparisons::SIMULATED;
use super::tables::{NO_PREDICTIONS, NOT_REPRESENTABLE, RECONSTRUCTED};
use super::{Comparison, Paper};
use crate::published::{self, TABLE_I};
use crate::tolerance::{Population, most_saving};
use crate::trace::Top;
use crate::weights::{FIXED_16, FLOAT, VARIED, WeightSet};

/// Savings that the paper's own numbers allow, for one criterion of a right classification.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowed {
    /// Share of all images that are right without a crop.
    pub accuracy: f64,
    /// Share of all images that are right under four cuts.
    pub four_cuts: f64,
    /// The printed saving.
    pub saving: f64,
    /// Upper bound on the saving over all images.
    pub most_over_all: f64,
    /// The printed saving converted to all images, if it refers to those that are right without a crop.
    pub saving_over_all: f64,
}

impl Allowed {
    /// Computes the bounds from Table I and the rule of section IV: an image that is wrong without a crop is not
    /// cropped.
    pub fn by_the_paper(top: Top) -> Allowed {
        let (accuracies, stated) = (published::accuracies(top), published::stated(top));
        let saving = 1.0 - stated.mean_energy;
        Allowed {
            accuracy: stated.accuracy,
            four_cuts: accuracies[accuracies.len() - 1],
            saving,
            most_over_all: most_saving(&accuracies, &published::energies()),
            saving_over_all: saving * stated.accuracy,
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

impl Paper {
    /// Savings of AQuA with these weights; `None` without predictions of them.
    fn by_aqua(&self, weights: &str) -> Option<String> {
        let saving = |top, population| Some(percent(self.oracle(weights, top, population)?.saving?));
        Some(format!(
            "{} (top-1) and {} (top-5) of the energy of images that are right without a crop, and {} and {} of that of \
             all images",
            saving(Top::One, Population::Right)?,
            saving(Top::Five, Population::Right)?,
            saving(Top::One, Population::All)?,
            saving(Top::Five, Population::All)?,
        ))
    }

    /// Mark of results with `weights` if their tolerance is reconstructed, else empty.
    fn mark(&self, weights: &str) -> &'static str {
        let mut rows = self.figure4.iter().filter(|row| row.weights == weights);
        if rows.any(|row| row.tolerance_from == RECONSTRUCTED) { " (reconstructed)" } else { "" }
    }

    /// Summary of the results.
    pub(super) fn summary(&self) -> String {
        let mut text = String::from("# AQuA's tables and figures, simulated\n\n");
        let is_opposite = |cut: &str| matches!(cut, "1100" | "0011");
        let off = |cut: &str, energy: f64, printed: f64| if is_opposite(cut) { 0.0 } else { (energy - printed).abs() };
        let rows = || self.table1.iter();
        let most_off =
            rows().map(|row| off(&row.cut, row.relative_energy, row.printed_relative_energy)).fold(0.0, f64::max);
        let opposite: Vec<String> =
            rows().filter(|row| is_opposite(&row.cut)).map(|row| format!("{:.3}", row.relative_energy)).collect();
        text += &format!(
            "- **Crops.** Dynamic energy of VGG16 under the 16 crops is within {most_off:.4} of what Table I prints, but for \
             opposite edges ({}), for which the paper prints its group's {}.\n",
            opposite.join(", "),
            TABLE_I[9].relative_energy,
        );
        text += &format!(
            "- **AQuA saves {}**{}: an image that is wrong without a crop is not cropped.\n",
            self.by_aqua(FIXED_16).expect("16-bit weights have a tolerance"),
            self.mark(FIXED_16),
        );
        let allowed = Top::ALL.map(Allowed::by_the_paper);
        text += &format!(
            "- **The paper's savings are of right images.** It prints {} and {}; over all images its rule and its Table I \
             allow at most {} and {}.\n",
            percent(allowed[0].saving),
            percent(allowed[1].saving),
            percent(allowed[0].most_over_all),
            percent(allowed[1].most_over_all),
        );
        let both = |population| Some(percent(1.0 - self.oracle(VARIED, Top::One, population)?.relative_energy?));
        if let (Some(right), Some(all)) = (both(Population::Right), both(Population::All)) {
            text += &format!(
                "- **Weights and crops together** save {right} of the energy of right images, {all} of that of all (varied \
                 weights, top-1 crops){}; the paper has \"up to 46 %\".\n",
                self.mark(VARIED),
            );
        }
        for row in self.weight_sets().filter(|row| !WeightSet::OF_PAPER.contains(&row.weights.as_str())) {
            let energy = percent(row.relative_energy.expect("crossbars hold weights of a plan"));
            let by_aqua =
                self.by_aqua(&row.weights).map_or(NO_PREDICTIONS.to_owned(), |saving| format!("AQuA saves {saving}"));
            text += &format!(
                "- **Weights {}** take {energy} of the energy of 16-bit weights without a crop; {by_aqua}.\n",
                row.weights
            );
        }
        if self.weight_sets().any(|row| row.weights == FLOAT) {
            text +=
                &format!("- 32-bit floating-point weights are {NOT_REPRESENTABLE}: no energy is stated for them.\n");
        }
        let missed: Vec<&Comparison> = self.comparisons.iter().filter(|comparison| !comparison.met).collect();
        if missed.is_empty() {
            text +=
                &format!("- All {} expected numbers below are met within their tolerances.\n", self.comparisons.len());
        } else {
            text += &format!("- {} of {} expected numbers below are not met:\n", missed.len(), self.comparisons.len());
            for Comparison { what, population, got, relation, expected, .. } in missed {
                let of = if population.is_empty() { String::new() } else { format!(" ({population} images)") };
                text += &format!("  - {what}{of}: {got:.4}, expected {relation} {expected:.4}\n");
            }
        }
        text + "- How much of the saved work becomes throughput stands at the end.\n"
    }

    /// Comparisons grouped by evidence, and the arithmetic that needs no run.
    pub(super) fn evidence(&self) -> String {
        let mut text = String::from(
            "\n## Evidence: simulated\n\n\
             Every `got` is from cycle-level runs of VGG16; energy is dynamic. `why` says where a difference comes from.\n",
        );
        text += &comparison_table(self.comparisons.iter().filter(|comparison| comparison.evidence == SIMULATED));
        text += "\nNot simulated: the printed accuracies, which need ImageNet (Table I and Figure 3 show the printed ones \
                 where no trace has others).\n\
                 \n## Evidence: simulated energies, and what images tolerate\n\n\
                 Energies are simulated; which crop an image gets is from a trace, or *reconstructed*. *Right*: images that \
                 are right without a crop. *All*: all images; those that are wrong without a crop are not cropped.\n";
        if self.figure4.iter().any(|row| row.tolerance_from == RECONSTRUCTED) {
            text += "\nThe paper prints no raw data on images. Where no trace is given, *reconstructed* numbers use the \
                     distribution over 0 to 4 cuts of maximum entropy that meets what the text states of 16-bit weights, \
                     for all weight sets alike: they agree with these statements by construction, and are no evidence \
                     for them.\n";
        }
        text += &comparison_table(self.comparisons.iter().filter(|comparison| comparison.evidence != SIMULATED));
        text + &arithmetic()
    }
}

fn comparison_table<'a>(comparisons: impl Iterator<Item = &'a Comparison>) -> String {
    let mut text = String::from(
        "\n| what | images | got | expected | tolerance | met | evidence | expected from | why |\n\
         | --- | --- | ---: | ---: | ---: | --- | --- | --- | --- |\n",
    );
    for comparison in comparisons {
        let Comparison {
            evidence,
            what,
            population,
            got,
            relation,
            expected,
            tolerance,
            met,
            expected_from,
            why,
            difference: _,
        } = comparison;
        let relation = if *relation == "=" { "" } else { *relation };
        let expected = format!("{relation} {expected:.4}");
        let (tolerance, met) = (format!("{tolerance:.4}"), if *met { "yes" } else { "**no**" });
        text += &format!(
            "| {what} | {population} | {got:.4} | {} | {tolerance} | {met} | {evidence} | {expected_from} | {why} |\n",
            expected.trim(),
        );
    }
    text
}

/// Arithmetic on the paper's numbers that shows the population of its savings.
fn arithmetic() -> String {
    let [one, five] = Top::ALL.map(Allowed::by_the_paper);
    let mut text = String::from(
        "\n## Arithmetic on published numbers\n\n\
         No run has a part in this. An image that is wrong without a crop is not cropped (section IV): it saves nothing, \
         and needs the original. Of the others, no more than four cuts leave right (Table I) can save what four cuts save, \
         and the rest no more than three.\n\n\
         | | top-1 | top-5 |\n| --- | ---: | ---: |\n",
    );
    let [four, three] = [15, 11].map(|crop| 1.0 - TABLE_I[crop].relative_energy);
    let rows = [
        ("right without a crop (Table I)", one.accuracy, five.accuracy),
        ("right under four cuts (Table I)", one.four_cuts, five.four_cuts),
        ("most that can be saved over all images", one.most_over_all, five.most_over_all),
        ("saving that is printed", one.saving, five.saving),
        (
            "the same over all images, if it is of those that are right without a crop",
            one.saving_over_all,
            five.saving_over_all,
        ),
    ];
    for (what, one, five) in rows {
        text += &format!("| {what} | {:.2} % | {:.2} % |\n", 100.0 * one, 100.0 * five);
    }
    let sum = |allowed: &Allowed| {
        let rest = allowed.accuracy - allowed.four_cuts;
        format!("{:.4} x {four:.3} + {rest:.4} x {three:.3} = {:.4}", allowed.four_cuts, allowed.most_over_all)
    };
    text += &format!(
        "\nThe bounds are {} and {}. The printed savings are above them: they are means over right images. So are the \
         shares of Figure 4: {} of all images are wrong without a crop at top-1 alone, and the text has some 20 % that \
         need the original ({} against 10 % at top-5).\n",
        sum(&one),
        sum(&five),
        percent(1.0 - one.accuracy),
        percent(1.0 - five.accuracy),
    );
    text
}
