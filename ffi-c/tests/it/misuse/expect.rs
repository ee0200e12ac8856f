//! What the header does not say in a form that a program reads: how handles are made and ended, and
//! where structures ended in their first version.

use crate::misuse::parse::{Function, Header, Variable};

/// What a refused call gives: a status, and a part of the error text.
#[derive(Clone)]
pub(crate) struct Refusal {
    pub(crate) status: &'static str,
    pub(crate) text: String,
}

impl Refusal {
    /// The refusal of an argument, or a field of one, by its name.
    pub(crate) fn invalid(name: &str) -> Self {
        Refusal { status: "KV_ERR_INVALID_ARGUMENT", text: format!("`{name}`") }
    }

    fn of(status: &'static str, text: &str) -> Self {
        Refusal { status, text: text.to_owned() }
    }
}

/// A type of handles.
pub(crate) struct Handle {
    pub(crate) kind: &'static str,
    pub(crate) life: Life,
    /// Bits of the last field that name the place, which is used again when a handle has ended.
    pub(crate) place: u64,
    /// What a wrong number is in each of its fields. All zero bits count as the last field's.
    pub(crate) wrong: Vec<(&'static str, Refusal)>,
    /// What calls give on another thread than the handle's own; `None` where any thread may.
    pub(crate) on_another_thread: Option<Refusal>,
    /// What calls give, but its end, when its store was closed; `None` where they go on.
    pub(crate) of_closed_store: Option<Refusal>,
}

/// From when to when there is a handle.
pub(crate) enum Life {
    /// From a call, in C, that makes it from a `store` and writes it to a `place`, to a call with
    /// nothing but the handle.
    Calls { make: &'static str, end: &'static str },
    /// While the callback runs to which the function `of` passes it.
    Callback { of: &'static str },
}

impl Handle {
    /// Its name in C: `kv_store_t` is `store`.
    pub(crate) fn word(&self) -> &'static str {
        word(self.kind)
    }
}

pub(crate) fn word(kind: &str) -> &str {
    kind.trim_start_matches("kv_").trim_end_matches("_t")
}

pub(crate) fn handles() -> Vec<Handle> {
    let closed = || Refusal::of("KV_ERR_CLOSED", "closed");
    let strange = || Refusal::of("KV_ERR_WRONG_THREAD", "thread");
    vec![
        Handle {
            kind: "kv_store_t",
            life: Life::Calls { make: "kv_open(NULL, place)", end: "kv_close" },
            place: 0xffff,
            wrong: vec![("id", closed())],
            on_another_thread: None,
            of_closed_store: None,
        },
        Handle {
            kind: "kv_guard_t",
            life: Life::Calls { make: "kv_pin(store, place)", end: "kv_unpin" },
            place: 0x3ff,
            wrong: vec![("thread", strange()), ("id", Refusal::invalid("guard"))],
            on_another_thread: Some(strange()),
            of_closed_store: Some(closed()),
        },
        Handle {
            kind: "kv_value_t",
            life: Life::Calls {
                make: "kv_get_value(store, \"k\", 1, place)",
                end: "kv_value_free",
            },
            place: 0xff_ffff,
            wrong: vec![("id", Refusal::invalid("value"))],
            on_another_thread: None,
            of_closed_store: None,
        },
        Handle {
            kind: "kv_iter_t",
            life: Life::Calls { make: "kv_iter_open(store, NULL, 0, place)", end: "kv_iter_close" },
            place: 0xff_ffff,
            wrong: vec![("id", Refusal::invalid("iter"))],
            on_another_thread: None,
            of_closed_store: Some(closed()),
        },
        Handle {
            kind: "kv_change_t",
            life: Life::Callback { of: "kv_compute" },
            place: 0,
            wrong: vec![("id", Refusal::invalid("change"))],
            on_another_thread: Some(Refusal::invalid("change")),
            of_closed_store: None,
        },
    ]
}

/// Structures that may grow, with the size of their first version.
pub(crate) const FIRST_SIZES: [(&str, &str); 3] = [
    ("kv_options_t", "offsetof(kv_options_t, default_ttl_ms)"),
    ("kv_stats_t", "offsetof(kv_stats_t, bytes)"),
    ("kv_entry_t", "sizeof(kv_entry_t)"),
];

/// Whether NULL for an argument is said to be allowed. What comes with a length may always be NULL
/// when that is 0; this is about the others.
pub(crate) fn may_be_null(header: &Header, function: &Function, argument: &Variable) -> bool {
    let name = &argument.name;
    let forms = [format!("`{name}`, which may be NULL"), format!("NULL for `{name}`")];
    let only = function.arguments.len() == 1 && function.comment.contains("NULL does nothing");
    let always = format!("{name} is passed through and may be NULL");
    let said = forms.iter().any(|form| function.comment.contains(form));
    said || only || header.conventions.contains(&always)
}

/// Whether refused calls make their results zero or NULL, where others leave them untouched. How
/// far a call came is always told.
pub(crate) fn clears_results(header: &Header, function: &Function) -> bool {
    let comment = &function.comment;
    let as_another = || {
        let (_, name) = comment.split_once(", as kv_")?;
        let name = format!("kv_{}", name.split_once(" does")?.0);
        header.functions.iter().find(|function| function.name == name)
    };
    let becomes = comment.contains(" becomes ") || comment.contains(" become ");
    let tells_done = function.arguments.iter().any(|argument| argument.name == "out_done");
    becomes || tells_done || as_another().is_some_and(|other| clears_results(header, other))
}

/// Whether the function takes the zero handle as it takes NULL.
pub(crate) fn zero_does_nothing(function: &Function) -> bool {
    let comment = function.comment.to_lowercase();
    comment.contains("zero handle") && comment.contains("does nothing")
}
