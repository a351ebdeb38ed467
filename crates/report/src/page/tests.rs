//! Rules that hold for every chart of every run.

use std::collections::BTreeMap;

use analysis::{Analysis, Measure, Scene, Subject, Timeline, what_ifs};
use chip::{Cause, Options, Routed};
use network::{Network, Plan};

use super::*;
use crate::Run;
use crate::chart::text_width;

/// Width of a chart, as the reader of an SVG sees it.
const WIDTH: f64 = 760.0;

/// A run with its page and pictures.
struct Drawn {
    report: Report,
    timeline: Timeline,
    page: String,
    pictures: Vec<(String, String)>,
}

fn drawn(arch: &str, network: &Network) -> Drawn {
    let arch = arch::load(arch).unwrap();
    let plan = Plan::uniform(network, 16, 16);
    let layout = mapper::balance(&arch, network, &plan).unwrap();
    let options = Options::default();
    let timeline = Timeline::new(&Scene::new(&arch, &layout));
    let routed = Routed::new(&arch, &layout);
    let (outcome, mut timeline) = routed.run_probed(&options, timeline);
    let outcome = outcome.unwrap();
    timeline.end(outcome.cycles);
    let run = Run {
        arch: &arch,
        network,
        plan: &plan,
        plan_name: "16 bits",
        layout: &layout,
        options: &options,
        outcome: &outcome,
        bound: &Bound::of(&routed, options.uncontended),
    };
    let report = Report::new(&run);
    let analysis = Analysis::of(&outcome, &layout, report.bound.clone());
    let subject = Subject { arch: &arch, network, plan: &plan, layout: &layout, options: &options };
    let measure = Measure::of(&outcome, analysis.bound.cycles).unwrap();
    let tried = what_ifs(&subject, measure, &analysis, 1);
    let story = Story {
        report: &report,
        arch: &arch,
        layout: &layout,
        analysis: &analysis,
        timeline: &timeline,
        what_ifs: Some((measure, &tried)),
        command: "aquasim run --arch 'my machine.toml'",
    };
    let (page, pictures) = (page(&story), plots(&story));
    Drawn { report, timeline, page, pictures }
}

fn tiny() -> Drawn {
    drawn("tiny", &network::load("tiny").unwrap())
}

/// A chain of convolutions with long names.
fn chain(layers: usize) -> Network {
    let mut text = "name = \"chain\"\ninput = { height = 8, width = 8, channels = 16 }\n".to_owned();
    for layer in 0..layers {
        text += &format!(
            "[[layers]]\nname = \"block_{}_of_the_chain_conv{layer}\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 16\n",
            layer / 10
        );
    }
    network::parse(&text, "chain.toml").unwrap()
}

/// Returns the value of an attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Asserts that no text of a picture leaves it. The width of letters is estimated.
fn check_texts(name: &str, picture: &str) {
    let height: f64 = attribute(picture, "height").unwrap().parse().unwrap();
    for line in picture.split("<text ").skip(1) {
        let (element, rest) = line.split_once('>').unwrap();
        let element = format!(" {element}");
        let text = rest.split_once('<').unwrap().0;
        let number = |name: &str| attribute(&element, name).map(|value| value.parse::<f64>().unwrap());
        let (x, y) = (number("x").unwrap(), number("y").unwrap());
        let width = text_width(text, number("font-size").unwrap_or(12.0));
        let left = match attribute(&element, "text-anchor") {
            Some("end") => x - width,
            Some("middle") => x - width / 2.0,
            _ => x,
        };
        assert!(left >= -1.0 && left + width <= WIDTH + 1.0, "{name}: {text} from {left} to {}", left + width);
        assert!(y > 0.0 && y < height, "{name}: {text} at {y} of {height}");
    }
}

#[test]
fn every_chart_has_a_title_and_its_axes_have_units() {
    for (name, picture) in tiny().pictures {
        assert!(picture.contains("<text class=\"title\""), "{name}");
        let axes: Vec<&str> = picture.split("class=\"axis-title\"").skip(1).collect();
        let ticks = picture.matches("class=\"mute tick\"").count();
        match name.as_str() {
            "floorplan.svg" => assert!(picture.contains(">chip 0</text>") && picture.contains(">conv1</text>")),
            "load.svg" => {
                for text in [">chip 0</text>", "IMA-cycles computing (%)", "links (flits)", ">conv1 to "] {
                    assert!(picture.contains(text), "{text}");
                }
            }
            _ => {
                let [only] = axes[..] else { panic!("{name} has {} axes", axes.len()) };
                let title = only.split_once('>').unwrap().1.split_once('<').unwrap().0;
                assert!(title.contains('(') && title.ends_with(')'), "{name}: {title}");
                assert!(ticks >= 3, "{name}: {ticks} ticks");
            }
        }
    }
}

#[test]
fn no_label_leaves_its_chart_however_many_layers_there_are() {
    let networks = [network::load("tiny").unwrap(), chain(16), chain(160)];
    for (arch, network) in ["tiny", "isaac-ce", "isaac-ce"].into_iter().zip(networks) {
        for (name, picture) in drawn(arch, &network).pictures {
            check_texts(&name, &picture);
        }
    }
}

#[test]
fn a_component_has_one_colour_in_all_charts() {
    let mut classes: BTreeMap<String, String> = BTreeMap::new();
    let network = network::load("tiny").unwrap();
    let Drawn { pictures, .. } = drawn("isaac-ce", &network);
    let layers: Vec<&str> = network.layers.iter().map(|layer| layer.name.as_str()).collect();
    for (name, picture) in pictures
        .iter()
        .filter(|(name, _)| name.starts_with("energy") || name.starts_with("stalls") || name.starts_with("pipeline"))
    {
        for mark in picture.split("class=\"mark ").skip(1) {
            let class = mark.split_once('"').unwrap().0.trim_end_matches(" static");
            let tip = mark.split_once("<title>").unwrap().1.split_once([':', '<']).unwrap().0;
            let words: Vec<&str> = tip.split(", ").collect();
            let meaning = if layers.contains(&words[0]) { words[1] } else { words[0] };
            let meaning = meaning.split(" (").next().unwrap();
            let known = classes.entry(meaning.to_owned()).or_insert_with(|| class.to_owned());
            assert_eq!(known, class, "{name}: {meaning}");
        }
    }
    assert!(classes.contains_key("adc") && classes.contains_key("computing"), "{classes:?}");
    let distinct: std::collections::BTreeSet<&String> = classes.values().collect();
    assert_eq!(distinct.len(), classes.len(), "{classes:?}");
}

#[test]
fn the_page_of_160_layers_is_small() {
    let Drawn { page, .. } = drawn("isaac-ce", &chain(160));
    assert!(page.len() < 1_000_000, "{}", page.len());
}

#[test]
fn the_page_says_what_was_run_and_what_it_gave() {
    let Drawn { report, page, .. } = tiny();
    let digest = format!("{:016x}", report.digest);
    for text in [
        &digest[..],
        report.tool.version,
        "aquasim run --arch 'my machine.toml'",
        "What bounds the pace",
        "Each change was tried",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn causes_over_time_add_up_to_those_of_the_run() {
    let Drawn { report, timeline, .. } = tiny();
    for (layer, row) in report.layers.iter().zip(&timeline.stalls) {
        for cause in Cause::ALL {
            let all: u64 = row.iter().map(|stalls| stalls[cause]).sum();
            assert_eq!(all, layer.stalls[cause], "{}, {}", layer.name, cause.name());
        }
        let shown: u64 = row[..timeline.bins(report.cycles)].iter().map(chip::Stalls::total).sum();
        assert_eq!(shown, layer.stalls.total(), "{}", layer.name);
    }
}

#[test]
fn static_energy_stands_next_to_dynamic() {
    let Drawn { report, pictures, .. } = drawn("isaac-ce", &network::load("tiny").unwrap());
    let (_, picture) = pictures.iter().find(|(name, _)| name == "energy_by_component.svg").unwrap();
    assert!(report.energy_pj.static_total > 0.0);
    assert!(picture.contains(" static\" ") && picture.contains(">static (paler)</text>"), "{picture}");
}

#[test]
fn a_picture_needs_no_variables_which_vector_editors_do_not_know() {
    for (name, picture) in tiny().pictures {
        assert!(!picture.contains("var(") && !picture.contains("@media"), "{name}");
    }
}
