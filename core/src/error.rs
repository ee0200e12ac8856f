//! The one error type of the engine, and the stable numbers that every face shows for it.

/// Everything that can go wrong in a call, in one enum.
///
/// Each variant has a stable [code](Error::code) that the C and Python faces share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key does not exist, and the operation needs it.
    #[error("key not found")]
    NotFound,
    /// The version that `compare_and_swap` expected is not the current one.
    #[error("version conflict: the current version is {}", Current(*.current))]
    Conflict {
        /// The version that stands now; `None` when the key does not exist, for which
        /// `compare_and_swap` takes 0.
        current: Option<u64>,
    },
    /// An argument is outside of what the operation accepts.
    #[error("invalid argument `{name}`: {reason}")]
    InvalidArgument {
        /// The argument, as the documentation calls it.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A time to live that is none: zero, or `Keep` where there is nothing to keep.
    #[error("invalid argument `ttl`: must be longer than zero, and not `Keep` where it is changed")]
    InvalidTtl,
    /// A key or a value is longer than a record can hold; or an entry, with what it counts beside
    /// its key and value, is larger than its whole store may be.
    #[error("`{name}` is too large: {len} bytes, at most {max}")]
    TooLarge {
        /// The argument: `key`, `value`, or `entry` for both together.
        name: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The largest length in bytes.
        max: usize,
    },
    /// `incr` met a value that is not a decimal 64-bit integer.
    #[error("the value is not a decimal 64-bit integer")]
    NotANumber,
    /// `incr` would leave the range of a signed 64-bit integer.
    #[error("the sum does not fit in a signed 64-bit integer")]
    Overflow,
    /// The store has as many entries or bytes as its bounds allow, and is not to evict any; or a
    /// table cannot take another entry, although memory is not short. Nothing was changed.
    #[error("full: no more entries fit")]
    Full,
    /// The store or handle is closed.
    #[error("the store is closed")]
    Closed,
    /// The store was created before a `fork`, in the parent process.
    #[error("the store was inherited through fork; create a new one in the child process")]
    Forked,
    /// A handle that belongs to one thread was used on another.
    #[error("the handle belongs to another thread")]
    WrongThread,
    /// The handle is in use and cannot be closed.
    #[error("the store is in use")]
    Busy,
    /// The system refused memory. Nothing was written.
    #[error("out of memory")]
    NoMemory,
    /// A user callback, or rkv itself, panicked. Nothing was written.
    #[error("a panic was caught inside of the call")]
    Panic,
}

/// Shows an optional version for people.
struct Current(Option<u64>);

impl std::fmt::Display for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(version) => write!(f, "{version}"),
            None => f.write_str("none, the key does not exist"),
        }
    }
}

/// A batch that stopped, and where. Converts to the [`Error`] alone by `?`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}, after {done} of the batch")]
#[non_exhaustive]
pub struct BatchError {
    /// How many of the first items were dealt with; the others are as they were.
    pub done: usize,
    /// Why the next one was not.
    pub error: Error,
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        Self { done: 0, error }
    }
}

impl From<BatchError> for Error {
    fn from(stopped: BatchError) -> Self {
        stopped.error
    }
}

/// The result of a fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The stable number of this error: positive for outcomes that a caller expects, negative
    /// for failures. Numbers are never reused.
    pub const fn code(&self) -> i32 {
        match self {
            Error::NotFound => code::NOT_FOUND,
            Error::Conflict { .. } => code::CONFLICT,
            Error::InvalidArgument { .. } => code::INVALID_ARGUMENT,
            Error::InvalidTtl => code::INVALID_TTL,
            Error::TooLarge { .. } => code::TOO_LARGE,
            Error::NotANumber => code::NOT_A_NUMBER,
            Error::Overflow => code::OVERFLOW,
            Error::Full => code::FULL,
            Error::Closed => code::CLOSED,
            Error::Forked => code::FORKED,
            Error::WrongThread => code::WRONG_THREAD,
            Error::Busy => code::BUSY,
            Error::NoMemory => code::NO_MEMORY,
            Error::Panic => code::PANIC,
        }
    }
}

/// Stable numbers of the outcomes and errors, shared by all faces.
///
/// The table is complete: it also holds the numbers of features that are not built yet, so that
/// no face ever has to renumber.
#[expect(missing_docs, reason = "each name is the variant of `Error` in capitals")]
pub mod code {
    pub const OK: i32 = 0;
    pub const NOT_FOUND: i32 = 1;
    pub const EXISTS: i32 = 2;
    pub const CONFLICT: i32 = 3;
    pub const INVALID_ARGUMENT: i32 = -1;
    pub const INVALID_TTL: i32 = -2;
    pub const INVALID_NAMESPACE: i32 = -3;
    pub const TOO_LARGE: i32 = -4;
    pub const NOT_A_NUMBER: i32 = -5;
    pub const OVERFLOW: i32 = -6;
    pub const QUOTA: i32 = -7;
    pub const FULL: i32 = -8;
    pub const VALIDATION: i32 = -9;
    pub const PARSE: i32 = -10;
    pub const RENDER: i32 = -11;
    pub const BACKEND: i32 = -12;
    pub const CLOSED: i32 = -13;
    pub const FORKED: i32 = -14;
    pub const WRONG_THREAD: i32 = -15;
    pub const BUSY: i32 = -16;
    pub const TIMEOUT: i32 = -17;
    pub const LAGGED: i32 = -18;
    pub const IO: i32 = -19;
    pub const CORRUPT: i32 = -20;
    pub const LOCKED: i32 = -21;
    pub const CODEC: i32 = -22;
    pub const UNSUPPORTED: i32 = -23;
    pub const NO_MEMORY: i32 = -24;
    pub const PANIC: i32 = -25;
}
