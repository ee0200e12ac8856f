//! The exception classes: one for each engine error, with the code that all faces share.
//!
//! Every class derives from `rkv.Error`, and also from the built-in exception that Python users
//! already catch for the same reason, so `except KeyError` keeps working.

use pyo3::exceptions::{
    PyException, PyKeyError, PyMemoryError, PyOverflowError, PyRuntimeError, PyTypeError,
    PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use rkv::{BatchError, Error, code};

/// What makes one exception class.
struct Kind {
    code: i32,
    name: &'static str,
    /// The built-in class that it also is.
    builtin: Option<fn(Python<'_>) -> Bound<'_, PyType>>,
    doc: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        code: code::NOT_FOUND,
        name: "NotFound",
        builtin: Some(|py| py.get_type::<PyKeyError>()),
        doc: "The key does not exist, and the operation needs it.",
    },
    Kind {
        code: code::CONFLICT,
        name: "Conflict",
        builtin: None,
        doc: "The expected version is not the current one, which is the attribute current: None if \
              the key does not exist.",
    },
    Kind {
        code: code::INVALID_ARGUMENT,
        name: "InvalidArgument",
        builtin: Some(|py| py.get_type::<PyValueError>()),
        doc: "An argument is outside of what the operation accepts.",
    },
    Kind {
        code: code::INVALID_TTL,
        name: "InvalidTtl",
        builtin: Some(|py| py.get_type::<PyValueError>()),
        doc: "A time to live that is not longer than zero.",
    },
    Kind {
        code: code::TOO_LARGE,
        name: "TooLarge",
        builtin: Some(|py| py.get_type::<PyValueError>()),
        doc: "A key is longer than 65,535 bytes, a value longer than 4 GiB - 1, or an entry counts \
              more than max_bytes.",
    },
    Kind {
        code: code::NOT_A_NUMBER,
        name: "NotANumber",
        builtin: Some(|py| py.get_type::<PyValueError>()),
        doc: "incr met a value that is not a decimal 64-bit integer.",
    },
    Kind {
        code: code::OVERFLOW,
        name: "Overflow",
        builtin: Some(|py| py.get_type::<PyOverflowError>()),
        doc: "incr would leave the range of a signed 64-bit integer.",
    },
    Kind {
        code: code::FULL,
        name: "Full",
        builtin: None,
        doc: "The store has reached a bound and does not evict. Nothing was written.",
    },
    Kind { code: code::CLOSED, name: "Closed", builtin: None, doc: "The store is closed." },
    Kind {
        code: code::FORKED,
        name: "Forked",
        builtin: None,
        doc: "The store was inherited through fork; create a new one in the child process.",
    },
    Kind {
        code: code::WRONG_THREAD,
        name: "WrongThread",
        builtin: None,
        doc: "A handle that belongs to one thread was used on another.",
    },
    Kind {
        code: code::BUSY,
        name: "Busy",
        builtin: None,
        doc: "The store is in use and cannot be closed.",
    },
    Kind {
        code: code::NO_MEMORY,
        name: "NoMemory",
        builtin: Some(|py| py.get_type::<PyMemoryError>()),
        doc: "The system refused memory. Nothing was written.",
    },
    Kind {
        code: code::PANIC,
        name: "Panic",
        builtin: Some(|py| py.get_type::<PyRuntimeError>()),
        doc: "A fault inside rkv; please report it.",
    },
];

/// The classes of this interpreter: the base, and one for each of `KINDS`, in its order.
struct Classes {
    base: Py<PyType>,
    kinds: Vec<Py<PyType>>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// Makes the classes and adds them to the module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = CLASSES.get_or_try_init(py, || build(py))?;
    module.add("Error", classes.base.bind(py))?;
    for (kind, class) in KINDS.iter().zip(&classes.kinds) {
        module.add(kind.name, class.bind(py))?;
    }
    Ok(())
}

/// The exception that says what the engine said.
#[cold]
pub(crate) fn exception(error: &Error) -> PyErr {
    Python::attach(|py| {
        let exception = instance(py, error.code(), error.to_string());
        match error {
            Error::Conflict { current } => with(py, exception, "current", *current),
            _ => exception,
        }
    })
}

/// The exception of a batch that stopped, which says where.
#[cold]
pub(crate) fn stopped(stopped: &BatchError) -> PyErr {
    Python::attach(|py| with(py, exception(&stopped.error), "done", stopped.done))
}

/// The exception, with an attribute.
fn with<'py>(
    py: Python<'py>,
    exception: PyErr,
    name: &str,
    attribute: impl IntoPyObject<'py>,
) -> PyErr {
    exception.value(py).setattr(name, attribute).err().unwrap_or(exception)
}

/// The `KeyError` of the dict protocol: like `dict`, it shows the key that was asked for.
#[cold]
pub(crate) fn not_found(key: &Bound<'_, PyAny>) -> PyErr {
    instance(key.py(), code::NOT_FOUND, key.clone().unbind())
}

/// The `KeyError` of `popitem`.
#[cold]
pub(crate) fn empty(py: Python<'_>) -> PyErr {
    instance(py, code::NOT_FOUND, "popitem(): the store is empty")
}

/// The `InvalidTtl` for an argument that is no time to live.
pub(crate) fn invalid_ttl(py: Python<'_>, name: &str) -> PyErr {
    let reason = format!("invalid argument `{name}`: must be longer than zero");
    instance(py, code::INVALID_TTL, reason)
}

/// The `TypeError` for an argument that is no `wanted`.
pub(crate) fn wrong_type(name: &str, wanted: &str, argument: &Bound<'_, PyAny>) -> PyErr {
    match argument.get_type().qualname() {
        Ok(given) => PyTypeError::new_err(format!("{name} must be {wanted}, not {given}")),
        Err(error) => error,
    }
}

/// `wrong_type` instead of a `TypeError` that Python or the argument itself raised, as its cause;
/// any other error as it is.
#[cold]
pub(crate) fn instead(
    error: PyErr,
    name: &str,
    wanted: &str,
    argument: &Bound<'_, PyAny>,
) -> PyErr {
    let py = argument.py();
    if !error.is_instance_of::<PyTypeError>(py) {
        return error;
    }
    let better = wrong_type(name, wanted, argument);
    better.set_cause(py, Some(error));
    better
}

fn instance<A>(py: Python<'_>, code: i32, argument: A) -> PyErr
where
    A: for<'py> IntoPyObject<'py> + Send + Sync + 'static,
{
    let classes = match CLASSES.get_or_try_init(py, || build(py)) {
        Ok(classes) => classes,
        Err(error) => return error,
    };
    let at = KINDS.iter().position(|kind| kind.code == code);
    let class = at.map_or(&classes.base, |at| &classes.kinds[at]);
    PyErr::from_type(class.bind(py).clone(), (argument,))
}

fn build(py: Python<'_>) -> PyResult<Classes> {
    let exception = py.get_type::<PyException>();
    let doc = "Base class of everything that rkv raises.\n\n\
               code is the number in all languages. done is None, or where a batch stopped: how \
               many of its first items were dealt with.";
    let base = class(py, "Error", &[exception], code::OK, doc)?;
    base.setattr("done", py.None())?;
    let kinds = KINDS.iter().map(|kind| {
        let mut bases = vec![base.clone()];
        bases.extend(kind.builtin.map(|builtin| builtin(py)));
        let class = class(py, kind.name, &bases, kind.code, kind.doc)?;
        if kind.code == code::CONFLICT {
            class.setattr("current", py.None())?;
        }
        Ok(class.unbind())
    });
    let kinds = kinds.collect::<PyResult<_>>()?;
    Ok(Classes { base: base.unbind(), kinds })
}

/// `class rkv.<name>(*bases)`, as a class statement would make it.
fn class<'py>(
    py: Python<'py>,
    name: &str,
    bases: &[Bound<'py, PyType>],
    code: i32,
    doc: &str,
) -> PyResult<Bound<'py, PyType>> {
    let body = PyDict::new(py);
    body.set_item("__module__", "rkv")?;
    body.set_item("__doc__", doc)?;
    body.set_item("code", code)?;
    let made = py.get_type::<PyType>().call1((name, PyTuple::new(py, bases)?, body))?;
    Ok(made.cast_into()?)
}
