//! What kv.h declares: its functions, structures and types of callbacks, with their comments.
//!
//! It reads what cbindgen writes, and no other C.

/// The parts of a header that say how to call it.
pub(crate) struct Header {
    /// The comment at its head: the conventions.
    pub(crate) conventions: String,
    pub(crate) functions: Vec<Function>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) callbacks: Vec<Function>,
}

/// A function, or a type of functions.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) result: String,
    pub(crate) arguments: Vec<Variable>,
    /// Its comment on one line.
    pub(crate) comment: String,
}

pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<Variable>,
}

/// An argument or a field, such as `const void *` and `key`.
#[derive(Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Header {
    pub(crate) fn read(text: &str) -> Self {
        let mut header = Header {
            conventions: String::new(),
            functions: Vec::new(),
            structs: Vec::new(),
            callbacks: Vec::new(),
        };
        for (comment, code) in items(text) {
            if header.conventions.is_empty() {
                header.conventions = comment;
            } else if code.starts_with("typedef struct") {
                header.structs.push(structure(&code));
            } else if code.contains("(*") {
                header.callbacks.push(function(&code, comment));
            } else if code.contains('(') {
                header.functions.push(function(&code, comment));
            }
        }
        header
    }

    pub(crate) fn structure(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|structure| structure.name == name)
    }
}

impl Struct {
    /// Whether it may grow at its end.
    pub(crate) fn grows(&self) -> bool {
        self.fields[0].name == "struct_size"
    }
}

/// Comments, each with the declaration behind it. The first comment belongs to the file.
fn items(text: &str) -> Vec<(String, String)> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("/*") {
        let (comment, behind) = behind.split_once("*/").expect("a comment ends");
        let code = &behind[..end(behind)];
        let comment = comment.trim_start_matches('*').replace("\n *", "\n");
        items.push((line(&comment), code_of(code)));
        // Comments of fields belong to their structure.
        rest = if code.contains("typedef struct") { &behind[code.len()..] } else { behind };
    }
    items
}

/// Where a declaration ends: a semicolon outside of braces, or before that the next comment.
fn end(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(step) = text[at..].find(['{', '}', ';', '/']) {
        at += step;
        match text.as_bytes()[at] {
            b'{' if !text[..at].ends_with("extern \"C\" ") => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b';' if depth == 0 => return at,
            b'/' if text[at..].starts_with("/*") && depth == 0 => return at,
            b'/' if text[at..].starts_with("/*") => {
                at += text[at..].find("*/").expect("a comment ends");
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// A declaration without comments, preprocessor lines and what is no part of a type.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("a comment ends").1;
    }
    code.push_str(rest);
    let code = code.replace("\\\n", " ");
    let kept = code.lines().filter(|line| !line.starts_with('#') && *line != "KV_NODISCARD");
    let code = line(&kept.collect::<Vec<_>>().join(" "));
    match code.strip_prefix("typedef struct ") {
        Some(rest) => format!("typedef struct {}", rest.replace("struct ", "")),
        None => code.replace("struct ", ""),
    }
}

/// A text on one line, with single spaces.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn function(code: &str, comment: String) -> Function {
    let code = code.trim_start_matches("typedef ").replacen("(*", "", 1).replacen(")(", "(", 1);
    let (head, arguments) = code.split_once('(').expect("a function has arguments");
    let Variable { kind: result, name } = variable(head);
    let arguments = arguments.trim_end_matches(')');
    let arguments = match arguments {
        "void" => Vec::new(),
        some => some.split(',').map(variable).collect(),
    };
    Function { name, result, arguments, comment }
}

fn structure(code: &str) -> Struct {
    let (head, behind) = code.split_once('{').expect("a structure has a body");
    let name = head.trim_start_matches("typedef struct").trim().to_owned();
    let (fields, _) = behind.rsplit_once('}').expect("a body ends");
    let fields = fields.split(';').filter(|field| !field.trim().is_empty());
    Struct { name, fields: fields.map(variable).collect() }
}

fn variable(text: &str) -> Variable {
    let text = text.trim();
    let array = text.find('[').unwrap_or(text.len());
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = text[..array].rfind(|c| !word(c)).map_or(0, |at| at + 1);
    let kind = format!("{}{}", text[..start].trim(), &text[array..]);
    Variable { kind, name: text[start..array].to_owned() }
}

#[test]
fn header_is_read_as_a_compiler_does() {
    let header = Header::read(
        "/* Conventions\n * 1. */\n#define A 1\n/** A number. */\n#define B 2\n\
         /** A thing. */\ntypedef struct kv_x_t {\n  /** Size; it grows. */\n\
         size_t struct_size;\n\
         /** Left. */\n  uint32_t reserved_[3];\n} kv_x_t;\n\
         /** Called. */\ntypedef int32_t (*kv_f_fn)(void *user_data, const struct kv_x_t *x);\n\
         #ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\
         /** No\n * arguments. */\nconst char *kv_none(void);\n/** Two. */\nKV_NODISCARD\n\
         kv_status_t kv_two(struct kv_x_t x,\n                   struct kv_x_t **out_x);\n",
    );
    assert_eq!(header.conventions, "Conventions 1.");
    let of = |kind: &str, name: &str| Variable { kind: kind.into(), name: name.into() };
    let thing = header.structure("kv_x_t").expect("the structure");
    assert_eq!(thing.fields, [of("size_t", "struct_size"), of("uint32_t[3]", "reserved_")]);
    assert_eq!(header.callbacks[0].name, "kv_f_fn");
    assert_eq!(header.callbacks[0].arguments[1], of("const kv_x_t *", "x"));
    let [none, two] = &header.functions[..] else { panic!("two functions") };
    assert_eq!((&*none.name, &*none.result), ("kv_none", "const char *"));
    assert_eq!((&*none.comment, none.arguments.len()), ("No arguments.", 0));
    assert_eq!((&*two.name, &*two.result), ("kv_two", "kv_status_t"));
    assert_eq!(two.arguments, [of("kv_x_t", "x"), of("kv_x_t **", "out_x")]);
}
