//! dev
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let arch = arch::load(&a[1]).unwrap();
    let net = network::load(&a[2]).unwrap();
    let images: u32 = a[3].parse().unwrap();
    let fid = if a.iter().any(|x| x == "it") { chip::Fidelity::Iteration } else { chip::Fidelity::Operation };
    let unc = a.iter().any(|x| x == "unc");
    let plan = network::Plan::uniform(&net, 16, 16);
    let t = std::time::Instant::now();
    let m = mapper::balance(&arch, &net, &plan).unwrap();
    eprintln!("map {:?}", t.elapsed());
    for l in &m.layers {
        eprintln!(
            "{} {}x{} strips {} il {} copies {} first {}",
            l.name,
            l.ima_rows,
            l.ima_cols,
            l.strips,
            l.interleave,
            l.copies.len(),
            l.copies[0]
        );
    }
    let t = std::time::Instant::now();
    let layout = mapper::Layout::new(&arch, &net, &plan, &m).unwrap();
    eprintln!("layout {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let o =
        chip::run(&arch, &layout, &chip::Options { images, fidelity: fid, uncontended: unc, order: chip::Order::Sent });
    eprintln!("run {:?}", t.elapsed());
    match o {
        Ok(o) => {
            println!(
                "cycles {} images {:?} interval {:?} digest {:x} chips {}",
                o.cycles,
                &o.images[o.images.len().saturating_sub(5)..],
                o.interval_cycles(),
                o.digest,
                o.chips
            );
            for (l, ll) in o.layers.iter().zip(&net.layers) {
                println!("{} {:?} {:?} {:?}", ll.name, l.first_cycle, l.last_cycle, l.stalls);
            }
            println!("{:?}", o.counts());
        }
        Err(e) => {
            let s = e.to_string();
            println!("{}", &s[..s.len().min(3000)]);
        }
    }
}
