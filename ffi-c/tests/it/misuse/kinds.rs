//! What an argument is, told by its type, its name and its neighbours.

use crate::misuse::parse::{Function, Header, Struct, Variable};

/// The part that an argument plays in a call. Names are those of other arguments.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// A handle, by value.
    Handle,
    /// Bytes that are read, as many as the argument `len` says.
    Bytes {
        len: String,
    },
    /// Bytes that are written, at most as many as the argument `size` says.
    Buffer {
        size: String,
    },
    /// An array that is read, of structures that hold slices.
    Array {
        element: String,
        count: String,
    },
    /// An array that is written.
    OutArray {
        element: String,
        count: String,
    },
    /// The number of bytes of an argument.
    Length {
        of: String,
    },
    /// The number of bytes of a buffer.
    Size,
    /// The number of elements of an array.
    Count {
        element: String,
    },
    /// A structure that may grow, which is read.
    Sized {
        structure: String,
    },
    /// A structure that may grow, which is written. Its size is the next argument, or stands in it.
    OutSized {
        structure: String,
        tells_size: bool,
    },
    /// The size of the structure before it.
    StructSize {
        structure: String,
    },
    /// A place for one result.
    Out {
        target: String,
    },
    Callback,
    UserData,
    /// Memory that the library returned.
    Owned,
    Number,
}

/// The kinds of the arguments of a function.
///
/// Panics for what it does not know: whoever adds that to the header says here how to misuse it.
pub(crate) fn kinds(header: &Header, function: &Function) -> Vec<Kind> {
    let kind = |at| {
        kind(header, &function.arguments, at).unwrap_or_else(|| {
            let Variable { kind, name } = &function.arguments[at];
            panic!(
                "{} takes `{kind} {name}`: the misuse table does not know what that is; \
                 tell it in tests/it/misuse/kinds.rs",
                function.name
            )
        })
    };
    (0..function.arguments.len()).map(kind).collect()
}

fn kind(header: &Header, arguments: &[Variable], at: usize) -> Option<Kind> {
    let Variable { kind, name } = &arguments[at];
    let called = |wanted: &str| arguments.iter().any(|argument| argument.name == wanted);
    let with = |end: &str| Some(format!("{name}{end}")).filter(|wanted| called(wanted));
    let stem = |end: &str| Some(name.strip_suffix(end)?.to_owned()).filter(|stem| called(stem));
    Some(match (kind.as_str(), name.as_str()) {
        ("const void *", _) => Kind::Bytes { len: with("_len")? },
        ("void *", "user_data") => Kind::UserData,
        ("void *", "data") if arguments.len() == 1 => Kind::Owned,
        ("void *", _) => Kind::Buffer { size: with("_size")? },
        ("size_t", "struct_size") => {
            let before = &arguments[at.checked_sub(1)?].kind;
            Kind::StructSize { structure: before.strip_suffix('*')?.trim().to_owned() }
        }
        ("size_t", "count") => Kind::Count { element: array(arguments)? },
        ("size_t", _) => match stem("_len") {
            Some(of) => Kind::Length { of },
            None => stem("_size").map(|_| Kind::Size)?,
        },
        ("uint64_t" | "int64_t" | "kv_status_t", _) => Kind::Number,
        (callback, _) if header.callbacks.iter().any(|known| known.name == callback) => {
            Kind::Callback
        }
        (handle, _) if header.structure(handle).is_some_and(Struct::is_handle) => Kind::Handle,
        (pointer, _) => {
            return pointer_kind(header, arguments, at, pointer.strip_suffix('*')?.trim());
        }
    })
}

fn pointer_kind(header: &Header, arguments: &[Variable], at: usize, target: &str) -> Option<Kind> {
    let sized = arguments.get(at + 1).is_some_and(|next| next.name == "struct_size");
    let name = &arguments[at].name;
    if let Some(element) = target.strip_prefix("const ") {
        let structure = header.structure(element)?;
        let structure_name = element.to_owned();
        return if structure.grows() {
            Some(Kind::Sized { structure: structure_name })
        } else {
            let count = arguments.get(at + 1).filter(|next| next.name == "count")?.name.clone();
            Some(Kind::Array { element: structure_name, count })
        };
    }
    if header.structure(target).is_some_and(Struct::grows) {
        return Some(Kind::OutSized { structure: target.to_owned(), tells_size: !sized });
    }
    let result = name.starts_with("out_");
    let many = name.ends_with('s') && header.structure(target).is_some();
    match arguments.iter().find(|argument| argument.kind == "size_t" && argument.name == "count") {
        Some(count) if result && many => {
            Some(Kind::OutArray { element: target.to_owned(), count: count.name.clone() })
        }
        _ => result.then(|| Kind::Out { target: target.to_owned() }),
    }
}

/// What the array of a function with a count holds.
fn array(arguments: &[Variable]) -> Option<String> {
    let at = arguments.iter().position(|argument| argument.name == "count")?;
    let before = &arguments[at.checked_sub(1)?].kind;
    Some(before.strip_prefix("const ")?.strip_suffix('*')?.trim().to_owned())
}

impl Struct {
    /// Whether programs must not look into it.
    pub(crate) fn is_handle(&self) -> bool {
        self.fields
            .iter()
            .all(|field| field.kind == "uint64_t" && ["id", "thread"].contains(&&*field.name))
    }
}

#[test]
#[should_panic(expected = "kv_new takes `double weight`: the misuse table does not know")]
fn argument_of_an_unknown_kind_is_told() {
    let text = "/* Head. */\n/** New. */\nkv_status_t kv_new(double weight);\n";
    let header = Header::read(text);
    kinds(&header, &header.functions[0]);
}
