//! Native part of the Python package `aquasim`: calls the commands of crate `aquasim` as functions.
//!
//! Each function takes the options of a command as words, and `watch`, a function of Python's. The work is done on a
//! thread of its own, without the interpreter's lock. Meanwhile the calling thread passes warnings and progress to
//! `watch` every `INTERVAL` and looks for signals. If either raises an exception, such as `KeyboardInterrupt`, the
//! work is stopped, and the exception is raised when it has ended. A failure is raised as `aquasim.Error`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aquasim::{Failure, Progress, Session, call};
use pyo3::prelude::*;

/// Time between two looks at the work in progress.
const INTERVAL: Duration = Duration::from_millis(50);

/// JSON, text and tables of a result.
type Forms = (String, String, Vec<(&'static str, String)>);

/// Functions of the module; `_native.pyi` describes them.
#[pymodule]
mod _native {
    use aquasim::call::{self, Mapped, Swept};
    use pyo3::prelude::*;

    use crate::{Forms, attend, forms};

    #[pyfunction]
    fn run(options: Vec<String>, watch: &Bound<'_, PyAny>) -> PyResult<Forms> {
        attend(watch, || call::run(&options)).map(forms)
    }

    #[pyfunction]
    fn map(options: Vec<String>, watch: &Bound<'_, PyAny>) -> PyResult<(Forms, String, String)> {
        attend(watch, || call::map(&options)).map(|Mapped { forms: of, toml, floorplan }| (forms(of), toml, floorplan))
    }

    #[pyfunction]
    fn infer(options: Vec<String>, watch: &Bound<'_, PyAny>) -> PyResult<Forms> {
        attend(watch, || call::infer(&options)).map(forms)
    }

    #[pyfunction]
    fn compare(options: Vec<String>, watch: &Bound<'_, PyAny>) -> PyResult<Forms> {
        attend(watch, || call::compare(&options)).map(forms)
    }

    type Remark = (u64, Option<String>);

    #[pyfunction]
    fn sweep(
        options: Vec<String>,
        text: Option<String>,
        watch: &Bound<'_, PyAny>,
    ) -> PyResult<(String, u64, Remark, Remark)> {
        let Swept { folder, points, failures, warnings } = attend(watch, || call::sweep(&options, text.as_deref()))?;
        Ok((folder, points, failures, warnings))
    }
}

fn forms(call::Forms { json, text, tables }: call::Forms) -> Forms {
    (json, text, tables)
}

/// Does `work` while `watch` looks on.
fn attend<T: Send>(watch: &Bound<'_, PyAny>, work: impl FnOnce() -> Result<T, Failure> + Send) -> PyResult<T> {
    let (py, session) = (watch.py(), Session::default());
    let (caller, has_ended) = (thread::current(), AtomicBool::new(false));
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let done = catch_unwind(AssertUnwindSafe(|| session.scope(work)));
            has_ended.store(true, Ordering::Release);
            caller.unpark();
            done
        });
        let mut looked = Ok(());
        while !has_ended.load(Ordering::Acquire) {
            py.detach(|| thread::park_timeout(INTERVAL));
            if looked.is_ok() {
                looked = py.check_signals().and_then(|()| look(watch, &session));
                if looked.is_err() {
                    session.stop();
                }
            }
        }
        let done = worker.join().and_then(|done| done).unwrap_or_else(|panic| resume_unwind(panic));
        looked.and_then(|()| look(watch, &session))?;
        done.map_err(|failure| error(py, &failure))
    })
}

/// Passes warnings and progress to `watch`.
fn look(watch: &Bound<'_, PyAny>, session: &Session) -> PyResult<()> {
    let progress = session.progress().map(|Progress { work, done, of }| (work, done, of));
    watch.call1((session.take_warnings(), progress)).map(drop)
}

/// The exception of a failure: an `aquasim.Error` with the text and the faults.
fn error(py: Python<'_>, failure: &Failure) -> PyErr {
    let (text, faults) = match failure {
        Failure::User(faults) => (faults.to_string(), faults.iter().collect()),
        Failure::Partial(text) | Failure::Interrupted(_, text) => (text.clone(), Vec::new()),
        Failure::Other(error) => (error.to_string(), Vec::new()),
    };
    let faults: Vec<_> = faults
        .into_iter()
        .map(|fault| {
            let (line, column) = fault.line_and_column().unzip();
            (fault.message(), fault.remedy(), fault.file(), line, column)
        })
        .collect();
    let made = || py.import("aquasim._error")?.getattr("Error")?.call1((text, faults));
    made().map_or_else(|error| error, PyErr::from_value)
}
