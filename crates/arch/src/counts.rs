//! Counted actions of a run, by name.

/// Defines [`Counts`] with its names, so that reports and sums need no list of their own.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counted actions, as exact integers. Dynamic energy is counts times energy per action.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counts {
            /// Returns every count with its name, in the order of the fields.
            pub fn entries(&self) -> [(&'static str, u64); [$(stringify!($name)),+].len()] {
                [$((stringify!($name), self.$name)),+]
            }

            /// Adds the increase from `earlier` to `later` counts of a run, `times` times.
            pub fn add_increase(&mut self, earlier: &Counts, later: &Counts, times: u64) {
                $(self.$name += (later.$name - earlier.$name) * times;)+
            }
        }

        impl std::ops::AddAssign<&Counts> for Counts {
            fn add_assign(&mut self, other: &Counts) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

// A component adds to its counts where it acts. Blocks of the catalogue state which counts are theirs.
counts! {
    /// Windows finished.
    windows,
    /// Operations of IMAs.
    ima_operations,
    /// Operations of single crossbars.
    crossbar_operations,
    /// Reads of single crossbars.
    crossbar_reads,
    /// Cells of the crossbars read, used or not, once for each read.
    crossbar_cells,
    /// Used rows driven, once for each read.
    dac_activations,
    /// Used columns held, once for each read, and unit columns where the arch file has them.
    sample_holds,
    /// Conversions of held columns.
    adc_conversions,
    /// Conversions merged by the shift-and-adds of IMAs.
    shift_adds,
    /// Bits written to input registers.
    input_register_bits_written,
    /// Bits read from input registers, once for each crossbar that reads them.
    input_register_bits_read,
    /// Results through the output registers of IMAs.
    output_register_values,
    /// Bits over the buses of tiles: inputs and results.
    bus_bits,
    /// Bits read from eDRAM buffers.
    edram_bits_read,
    /// Bits written to eDRAM buffers, counted for the producing layer; the input image counts for the first layer.
    edram_bits_written,
    /// Bits of the input image among `edram_bits_written`.
    host_bits_written,
    /// Bits of results sent to the buffers of consumers.
    result_bits_sent,
    /// Bits merged into the output registers of tiles.
    tile_output_register_bits,
    /// Values merged by the shift-and-adds of tiles.
    tile_shift_adds,
    /// Values through sigmoid units.
    sigmoids,
    /// Values into max-pool units.
    max_pools,
    /// Flits through routers, once for each router passed.
    router_flit_hops,
    /// Bits over links between chips, once for each link.
    link_bits,
}
