//! Tables of a sweep: points, component groups and layers, each as CSV and as Parquet with typed columns.
//!
//! Every row starts with the number of its point, the version of the program, the values of the axes and the hashes of
//! the files that these name. Tables are written to temporary files and renamed when complete. Rows are held in groups,
//! so memory does not grow with the sweep.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use report::Kind;
use report::columns;

use crate::columns::{derived_columns, layer_columns, simulated_columns};
use crate::journal::{Journal, Outcome};
use crate::{Cell, Grid};

/// Rows per group of a Parquet file.
const ROWS_OF_GROUP: usize = 8192;

/// Names of the tables.
pub(crate) const NAMES: [&str; 3] = ["points", "components", "layers"];
/// Endings of the names of their files.
const ENDINGS: [&str; 2] = ["csv", "parquet"];

/// Writes all tables into `folder`, from the records of `journal` in the order of the grid. They appear when they are
/// complete; after an error, temporary files are removed.
pub(crate) fn write(folder: &Path, grid: &Grid, journal: &Journal) -> Result<(), TableError> {
    write_all(folder, grid, journal).inspect_err(|_| {
        for path in incomplete(folder) {
            // A table that was not started has no file.
            let _ = fs::remove_file(path);
        }
    })
}

/// Returns the temporary files of the tables.
pub(crate) fn incomplete(folder: &Path) -> Vec<PathBuf> {
    let files = NAMES.iter().flat_map(|name| ENDINGS.map(|ending| folder.join(partial(name, ending))));
    files.collect()
}

fn write_all(folder: &Path, grid: &Grid, journal: &Journal) -> Result<(), TableError> {
    let common = common_columns(grid);
    let of_point = [headings(&derived_columns()), headings(&simulated_columns())].concat();
    let figures = of_point.len();
    let of_point = [("status".to_owned(), Kind::Text), ("error".to_owned(), Kind::Text)].into_iter().chain(of_point);
    let mut points = Table::create(folder, NAMES[0], &common, of_point)?;
    let mut components = Table::create(folder, NAMES[1], &common, headings(&columns::components()))?;
    let mut layers = Table::create(folder, NAMES[2], &common, headings(&layer_columns()))?;
    for point in 0..grid.points().unwrap_or(0) {
        let record = journal.record(grid.original(point))?;
        let record = record.expect("tables are written when every point has its record");
        let prefix = common_cells(grid, point);
        let row = |cells: Vec<Cell>| prefix.iter().cloned().chain(cells).collect::<Vec<_>>();
        match record.outcome {
            Outcome::Failed(error) => {
                let mut cells = vec!["failed".into(), error.into()];
                cells.resize(2 + figures, Cell::Empty);
                points.push(row(cells))?;
            }
            Outcome::Done { point, components: of_components, layers: of_layers } => {
                points.push(row(["done".into(), Cell::Empty].into_iter().chain(point).collect()))?;
                of_components.into_iter().try_for_each(|cells| components.push(row(cells)))?;
                of_layers.into_iter().try_for_each(|cells| layers.push(row(cells)))?;
            }
        }
    }
    [points, components, layers].into_iter().try_for_each(|table| table.finish(folder))
}

/// Reason why tables were not written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Reading or writing a file failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Writing a CSV file failed.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// Writing a Parquet file failed.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

fn headings<Row>(columns: &[columns::Column<Row>]) -> Vec<(String, Kind)> {
    columns.iter().map(|column| (column.name.to_string(), column.kind)).collect()
}

/// Returns the columns common to all tables: point, version, values, and the hash of every input file.
fn common_columns(grid: &Grid) -> Vec<(String, Kind)> {
    let mut columns = vec![("point".to_owned(), Kind::Integer), ("tool_version".to_owned(), Kind::Text)];
    for axis in &grid.axes {
        columns.push((axis.key.clone(), Cell::kind_of(&axis.values)));
        if !axis.hashes.is_empty() {
            columns.push((format!("{}_hash", axis.key), Kind::Text));
        }
    }
    columns
}

fn common_cells(grid: &Grid, point: u64) -> Vec<Cell> {
    let mut cells = vec![point.into(), grid.tool_version.as_str().into()];
    for (axis, index) in grid.axes.iter().zip(grid.indices(point)) {
        cells.push(axis.values[index].clone());
        cells.extend(axis.hashes.get(index).map(|hash| hash.as_str().into()));
    }
    cells
}

/// Table that is being written to a CSV and a Parquet file.
struct Table {
    name: &'static str,
    csv: csv::Writer<BufWriter<File>>,
    parquet: SerializedFileWriter<File>,
    /// Columns of the rows not yet in the Parquet file.
    columns: Vec<Column>,
    /// Number of these rows.
    rows: usize,
}

/// Cells of a column, from top to bottom.
struct Column {
    values: Values,
    /// Definition level of each cell: 1, or 0 if it is empty.
    present: Vec<i16>,
}

/// Cells that are not empty.
enum Values {
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<ByteArray>),
}

impl Column {
    fn new(kind: Kind) -> Column {
        let values = match kind {
            Kind::Boolean => Values::Boolean(Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
            Kind::Text => Values::Text(Vec::new()),
        };
        Column { values, present: Vec::new() }
    }

    fn push(&mut self, cell: &Cell) {
        self.present.push(i16::from(!cell.is_empty()));
        match (&mut self.values, cell) {
            (_, Cell::Empty) => (),
            (Values::Boolean(values), Cell::Boolean(truth)) => values.push(*truth),
            (Values::Integer(values), Cell::Integer(number)) => values.push(*number),
            (Values::Real(values), Cell::Real(number)) => values.push(*number),
            (Values::Real(values), Cell::Integer(number)) => values.push(*number as f64),
            (Values::Text(values), cell) => {
                let text = cell.to_string();
                // Most texts repeat in successive rows: they are held once.
                let held = values.last().filter(|last| last.data() == text.as_bytes()).cloned();
                values.push(held.unwrap_or_else(|| text.as_str().into()));
            }
            // The kind of a column holds all its cells.
            (_, cell) => panic!("{cell:?} is in a column of another kind"),
        }
    }

    fn clear(&mut self) {
        self.present.clear();
        match &mut self.values {
            Values::Boolean(values) => values.clear(),
            Values::Integer(values) => values.clear(),
            Values::Real(values) => values.clear(),
            Values::Text(values) => values.clear(),
        }
    }
}

impl Table {
    fn create(
        folder: &Path,
        name: &'static str,
        common: &[(String, Kind)],
        own: impl IntoIterator<Item = (String, Kind)>,
    ) -> Result<Table, TableError> {
        let columns: Vec<(String, Kind)> = common.iter().cloned().chain(own).collect();
        let mut csv = csv::Writer::from_writer(BufWriter::new(File::create(folder.join(partial(name, "csv")))?));
        csv.write_record(columns.iter().map(|(name, _)| name))?;
        let fields = columns.iter().map(|(name, kind)| {
            let (physical, logical) = match kind {
                Kind::Boolean => (Physical::BOOLEAN, None),
                Kind::Integer => (Physical::INT64, None),
                Kind::Real => (Physical::DOUBLE, None),
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
            builder.with_logical_type(logical).build().map(Arc::new)
        });
        let schema = Type::group_type_builder(name).with_fields(fields.collect::<Result<_, _>>()?).build()?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("aquasim ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            // Statistics of each group would stay in memory until the file is finished.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .build();
        let file = File::create(folder.join(partial(name, "parquet")))?;
        Ok(Table {
            name,
            csv,
            parquet: SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?,
            columns: columns.into_iter().map(|(_, kind)| Column::new(kind)).collect(),
            rows: 0,
        })
    }

    fn push(&mut self, row: Vec<Cell>) -> Result<(), TableError> {
        assert_eq!(row.len(), self.columns.len(), "a row of {} has a cell for each column", self.name);
        self.csv.write_record(row.iter().map(Cell::to_string))?;
        self.columns.iter_mut().zip(&row).for_each(|(column, cell)| column.push(cell));
        self.rows += 1;
        if self.rows == ROWS_OF_GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the held rows as a group, column by column.
    fn write_group(&mut self) -> Result<(), TableError> {
        let mut group = self.parquet.next_row_group()?;
        for column in &mut self.columns {
            let mut writer = group.next_column()?.expect("a column for each of the schema");
            let present = Some(&column.present[..]);
            match &column.values {
                Values::Boolean(values) => writer.typed::<BoolType>().write_batch(values, present, None)?,
                Values::Integer(values) => writer.typed::<Int64Type>().write_batch(values, present, None)?,
                Values::Real(values) => writer.typed::<DoubleType>().write_batch(values, present, None)?,
                Values::Text(values) => writer.typed::<ByteArrayType>().write_batch(values, present, None)?,
            };
            writer.close()?;
            column.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    fn finish(mut self, folder: &Path) -> Result<(), TableError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.parquet.finish()?;
        self.csv.flush()?;
        for ending in ENDINGS {
            let written = folder.join(partial(self.name, ending));
            File::open(&written)?.sync_all()?;
            fs::rename(written, folder.join(format!("{}.{ending}", self.name)))?;
        }
        Ok(())
    }
}

/// Returns the name of a table file that is not complete.
fn partial(name: &str, ending: &str) -> String {
    format!("{name}.{ending}.partial")
}
