//! Why a call failed, and the text of the last failure of each thread.
//!
//! The text lies in a fixed buffer of the thread: reporting a failure allocates nothing, so that
//! it works when memory is short, and there is nothing to free when the thread ends.

use std::cell::RefCell;
use std::ffi::c_char;
use std::fmt::{self, Write};

use rkv::code;

use crate::status::kv_status_t;

/// The text of the last error on the calling thread, such as "invalid argument `key`: NULL with a
/// length above 0"; "" when no call has failed on it. Never NULL.
///
/// Only statuses below 0 set the text; success and expected outcomes leave it. It is valid until
/// the next failing call on the same thread, and until the thread ends.
#[unsafe(no_mangle)]
pub extern "C" fn kv_last_error_message() -> *const c_char {
    LAST.with(|last| last.as_ptr().cast::<c_char>().cast_const())
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine refused, or this face did with the engine's words.
    Engine(rkv::Error),
    /// A time to live that the function does not take.
    InvalidTtl {
        /// The argument or field.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The program was built for a newer version of the library.
    Unsupported {
        /// The argument or field.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another thread is inside of the object.
    Busy {
        /// The argument.
        name: &'static str,
    },
    /// There are as many as there can be.
    TooMany {
        /// What there are too many of, and their state.
        things: &'static str,
    },
}

impl Failure {
    pub(crate) const fn invalid(name: &'static str, reason: &'static str) -> Self {
        Failure::Engine(rkv::Error::InvalidArgument { name, reason })
    }

    pub(crate) const fn invalid_ttl(name: &'static str, reason: &'static str) -> Self {
        Failure::InvalidTtl { name, reason }
    }

    /// The status for this failure; an error also becomes the thread's last error text.
    pub(crate) fn report(&self) -> kv_status_t {
        let status = match self {
            Failure::Engine(error) => error.code(),
            Failure::InvalidTtl { .. } => code::INVALID_TTL,
            Failure::Unsupported { .. } => code::UNSUPPORTED,
            Failure::Busy { .. } => code::BUSY,
            Failure::TooMany { .. } => code::FULL,
        };
        if status < 0 {
            set_last_error(format_args!("{self}"));
        }
        status
    }
}

impl From<rkv::Error> for Failure {
    fn from(error: rkv::Error) -> Self {
        Failure::Engine(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Engine(error) => error.fmt(f),
            Failure::InvalidTtl { name, reason } => {
                write!(f, "invalid argument `{name}`: {reason}")
            }
            Failure::Unsupported { name, reason } => write!(f, "unsupported `{name}`: {reason}"),
            Failure::Busy { name } => write!(f, "busy: another thread is using `{name}`"),
            Failure::TooMany { things } => write!(f, "too many {things}"),
        }
    }
}

/// Makes `message` the last error text of this thread, cut to what the buffer holds.
pub(crate) fn set_last_error(message: fmt::Arguments<'_>) {
    LAST.with(|last| {
        // A `Display` that fails in its turn keeps the text of the outer failure.
        let Ok(mut text) = last.try_borrow_mut() else { return };
        text.len = 0;
        // Writing fails only when the text is cut, which is the intent.
        let _ = text.write_fmt(message);
        text.terminate();
    });
}

thread_local! {
    // Constant and without `Drop`: it also serves calls from other thread-local destructors.
    static LAST: RefCell<Text> = const { RefCell::new(Text { bytes: [0; TEXT_MAX], len: 0 }) };
}

// LIMIT: the longest text of the engine has some 120 bytes; a panic message may be cut.
const TEXT_MAX: usize = 256;

/// A text with a NUL at its end; the bytes come first, so that its address is theirs.
#[repr(C)]
struct Text {
    bytes: [u8; TEXT_MAX],
    len: usize,
}

impl Text {
    fn terminate(&mut self) {
        self.bytes[self.len] = 0;
    }
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = TEXT_MAX - 1 - self.len;
        let fits = part.floor_char_boundary(part.len().min(room));
        self.bytes[self.len..self.len + fits].copy_from_slice(&part.as_bytes()[..fits]);
        self.len += fits;
        if fits == part.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last_error() -> String {
        // SAFETY: the function returns a string that stays until the next failure of this thread.
        unsafe { CStr::from_ptr(kv_last_error_message()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn text_is_set_by_errors_only_and_per_thread() {
        assert_eq!(last_error(), "");
        assert_eq!(Failure::invalid("key", "too odd").report(), code::INVALID_ARGUMENT);
        assert_eq!(last_error(), "invalid argument `key`: too odd");
        assert_eq!(Failure::from(rkv::Error::NotFound).report(), code::NOT_FOUND);
        assert_eq!(last_error(), "invalid argument `key`: too odd");
        std::thread::spawn(|| assert_eq!(last_error(), "")).join().unwrap();
    }

    #[test]
    fn long_text_is_cut_between_characters_and_terminated() {
        set_last_error(format_args!("{}", "\u{e9}".repeat(TEXT_MAX)));
        assert_eq!(last_error(), "\u{e9}".repeat((TEXT_MAX - 1) / 2));
        set_last_error(format_args!("short"));
        assert_eq!(last_error(), "short");
    }
}
