//! The machines that are built in, against the tables they come from.

#[test]
fn every_preset_loads_without_warnings() {
    for name in arch::names() {
        let machine = arch::load(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(arch::warnings(&machine), [""; 0], "{name}");
    }
}
