/// Defines [`Counts`] with its names, so that reports and sums need no list of their own.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// What happened, as exact integers. Energy is these counts times energy per action.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counts {
            /// Every count with its name, in a fixed order.
            pub fn entries(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),+].into_iter()
            }
        }

        impl std::ops::AddAssign<&Counts> for Counts {
            fn add_assign(&mut self, other: &Counts) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counts! {
    /// Windows finished.
    windows,
    /// Operations of IMAs.
    ima_operations,
    /// Operations of crossbars.
    crossbar_operations,
    /// Reads of whole arrays.
    crossbar_reads,
    /// Cells of the arrays read, used or not.
    crossbar_cells,
    /// Used rows driven, once for each read.
    dac_activations,
    /// Used columns held, once for each read; unit columns too, where they are converted.
    sample_holds,
    /// Conversions of these columns.
    adc_conversions,
    /// Conversions merged by the IMAs' shift-and-adds.
    shift_adds,
    /// Bits written to input registers.
    input_register_bits_written,
    /// Bits read from input registers, by each crossbar for itself.
    input_register_bits_read,
    /// Results through the IMAs' output registers.
    output_register_values,
    /// Bits over the tiles' buses: inputs and results.
    bus_bits,
    /// Bits read from eDRAM.
    edram_bits_read,
    /// Bits written to eDRAM, counted for the layer that produced them; the input image for the first layer.
    edram_bits_written,
    /// Bits of the input image among those.
    host_bits_written,
    /// Bits of results sent to the tiles that need them.
    result_bits_sent,
    /// Bits merged into the tiles' output registers.
    tile_output_register_bits,
    /// Values merged by the tiles' shift-and-adds.
    tile_shift_adds,
    /// Values through sigmoid units.
    sigmoids,
    /// Values into max-pool units.
    max_pools,
    /// Flits through routers, once for each router.
    router_flit_hops,
    /// Bits over chip-to-chip links, once for each link.
    link_bits,
}
