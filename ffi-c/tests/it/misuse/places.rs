//! What arguments point to: arrays that are read, rooms for structures that may grow, and places
//! for results.

use crate::misuse::expect::{handles, word};
use crate::misuse::kinds::Kind;

/// Prepares what an argument points to.
pub(crate) fn prepared(function: &str, argument: &str, kind: &Kind) -> String {
    match kind {
        Kind::Array { element, .. } => {
            let array = format!("arrays_{function}.{argument}");
            format!(
                "  good_{element}(&{array}[0], 0);\n  good_{element}(&{array}[1], 1);\n  \
                     good_{element}(&{array}[2], 2);\n"
            )
        }
        Kind::Sized { structure } => {
            let room = format!("room_{function}.{argument}");
            format!(
                "  memset(&{room}, 0, sizeof {room});\n  \
                     {room}.known.struct_size = sizeof({structure});\n"
            )
        }
        Kind::OutSized { structure, tells_size } => {
            let room = format!("room_{function}.{argument}");
            let marked = format!("  mark(&{room}, sizeof {room});\n");
            match tells_size {
                true => format!("{marked}  {room}.known.struct_size = sizeof({structure});\n"),
                false => marked,
            }
        }
        Kind::Buffer { .. } | Kind::OutArray { .. } | Kind::Out { .. } => {
            format!(
                "  mark(&results_{function}.{argument}, sizeof results_{function}.{argument});\n"
            )
        }
        _ => String::new(),
    }
}

/// A good value of an argument.
pub(crate) fn good(function: &str, argument: &str, c_type: &str, kind: &Kind) -> String {
    match kind {
        Kind::Handle => format!("world.{}", word(c_type)),
        Kind::Bytes { .. } if argument == "value" => "\"8\"".to_owned(),
        Kind::Bytes { .. } => "\"k\"".to_owned(),
        Kind::Length { .. } => "1".to_owned(),
        Kind::Array { .. } => format!("arrays_{function}.{argument}"),
        Kind::Count { .. } => "3".to_owned(),
        Kind::Buffer { .. } | Kind::OutArray { .. } => format!("results_{function}.{argument}"),
        Kind::Size => "8".to_owned(),
        Kind::Out { .. } => format!("&results_{function}.{argument}"),
        Kind::Sized { .. } | Kind::OutSized { .. } => format!("&room_{function}.{argument}.known"),
        Kind::StructSize { structure } => format!("sizeof({structure})"),
        Kind::Callback => format!("good_{c_type}"),
        Kind::UserData => "&world".to_owned(),
        Kind::Owned => "copied(world.store)".to_owned(),
        Kind::Number => "1".to_owned(),
    }
}

/// Checks the result of an accepted call, and gives it back.
pub(crate) fn given(function: &str, argument: &str, kind: &Kind) -> String {
    let result = format!("results_{function}.{argument}");
    let wanted = format!("status == KV_OK && a.{argument} != NULL");
    match kind {
        Kind::Out { target } if target.ends_with('*') => {
            format!("  if ({wanted}) kv_free({result});\n")
        }
        Kind::Out { target } if handles().iter().any(|row| row.kind == target) => {
            format!("  if ({wanted}) GIVES(KV_OK, end_{}({result}));\n", word(target))
        }
        Kind::OutSized { structure, tells_size } => {
            let room = format!("room_{function}.{argument}");
            let size =
                if *tells_size { &format!("{room}.known.struct_size") } else { "a.struct_size" };
            format!("  has_grown({room}.bytes, sizeof({structure}), {size});\n")
        }
        _ => String::new(),
    }
}

/// Checks what a refused call has left in the place of a result.
pub(crate) fn left(function: &str, argument: &str, kind: &Kind, cleared: bool) -> String {
    let (room, result) = (room(function, argument), result(function, argument));
    match kind {
        Kind::Out { .. } if cleared => {
            format!("    is_cleared(&{result}, sizeof {result}, expected);\n")
        }
        Kind::Out { .. } | Kind::Buffer { .. } | Kind::OutArray { .. } => {
            format!("    is_untouched(&{result}, sizeof {result});\n")
        }
        Kind::OutSized { tells_size: false, .. } => {
            format!("    is_untouched(&{room}, sizeof {room});\n")
        }
        Kind::OutSized { tells_size: true, .. } => {
            let rest = "ROOM - sizeof(size_t)";
            format!("    is_untouched({room}.bytes + sizeof(size_t), {rest});\n")
        }
        _ => String::new(),
    }
}

/// The room of a structure that may grow.
fn room(function: &str, argument: &str) -> String {
    format!("room_{function}.{argument}")
}

/// The place of a result.
fn result(function: &str, argument: &str) -> String {
    format!("results_{function}.{argument}")
}
