//! VGG16 on ISAAC-CE: the mapping alone, and runs of both fidelities and several lengths.

use chip::{Fidelity, Options};
use criterion::{Criterion, criterion_group, criterion_main};
use network::Plan;

fn vgg16(criterion: &mut Criterion) {
    let arch = arch::load("isaac-ce").expect("the preset is built in");
    let network = network::load("vgg16").expect("the preset is built in");
    let plan = Plan::uniform(&network, 16, 16);
    let layout = mapper::balance(&arch, &network, &plan).expect("VGG16 fits ISAAC");
    let mut group = criterion.benchmark_group("vgg16");
    group.sample_size(10);
    group.bench_function("mapping", |bencher| {
        bencher.iter(|| mapper::balance(&arch, &network, &plan).expect("VGG16 fits ISAAC"));
    });
    for (name, fidelity, images) in [
        ("operation fidelity, 1 image", Fidelity::Operation, 1),
        ("operation fidelity, 10 images", Fidelity::Operation, 10),
        ("iteration fidelity, 1 image", Fidelity::Iteration, 1),
    ] {
        let options = Options { images, fidelity, ..Options::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| chip::run(&arch, &layout, &options).expect("VGG16 runs").cycles);
        });
    }
    group.finish();
}

criterion_group!(benches, vgg16);
criterion_main!(benches);
