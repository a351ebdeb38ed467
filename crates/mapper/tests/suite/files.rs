//! Mapping files: the same text everywhere, and read back as they were written.

use std::thread;

use mapper::{Balance, Fill, Layout};
use network::{Network, Plan};

/// FNV-1a of a text, 64 bits.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn mapping(network: &Network, fill: Fill) -> String {
    let arch = arch::load("isaac-ce").expect("a preset");
    let layout = Balance { fill, ..Balance::default() }.layout(&arch, network, &Plan::uniform(network, 16, 16));
    layout.expect("it fits").mapping.to_toml()
}

#[test]
fn a_mapping_has_one_digest_on_every_machine_and_thread() {
    let vgg16 = network::load("vgg16").expect("a preset");
    let fills = [Fill::LastLayer, Fill::Board, Fill::Chips(8)];
    let digests = || fills.map(|fill| digest(&mapping(&vgg16, fill)));
    let of_threads: Vec<[u64; 3]> = thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(digests)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(of_threads, [[0x15d8_c962_d628_e6b0, 0xadcb_2473_314c_d9b7, 0x145d_8410_1e0f_64fc]; 3]);
}

#[test]
fn a_mapping_of_a_filled_board_is_read_back() {
    let (arch, network) = (arch::load("isaac-ce").expect("a preset"), network::load("vgg16").expect("a preset"));
    let plan = Plan::uniform(&network, 16, 16);
    let text = mapping(&network, Fill::Board);
    let read = Layout::parse(&text, "mapping.toml", &arch, &network, &plan).expect("it is what was written");
    assert_eq!(read.mapping.to_toml(), text);
}
