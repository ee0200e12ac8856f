//! The program of the misuse table: the cases of every function in C.

use std::fmt::Write;

use crate::misuse::cases::{Cases, cases};
use crate::misuse::expect::{Handle, clears_results, handles, word};
use crate::misuse::kinds::{Kind, kinds};
use crate::misuse::parse::{Function, Header};

/// The source of the program. It prints a line for each function, with the number of its calls.
pub(crate) fn program(header: &Header) -> String {
    let handles = handles();
    for Handle { kind, .. } in &handles {
        assert!(header.structure(kind).is_some(), "{kind} is not in the header: forget it");
    }
    let mut text = String::from("#include \"misuse_table.h\"\n\n");
    world(&mut text, &handles);
    for callback in &header.callbacks {
        going_on(&mut text, callback);
    }
    for function in &header.functions {
        let one = One { function, kinds: kinds(header, function), text: &mut text };
        one.write(&cases(header, function));
    }
    text.push_str("int main(void) {\n  signal(SIGSEGV, crashed);\n  signal(SIGBUS, crashed);\n");
    for function in &header.functions {
        writeln!(text, "  cases_{}();", function.name).unwrap();
    }
    text.push_str("  GIVES(KV_OK, kv_flush());\n  return 0;\n}\n");
    text
}

/// A store with one of each handle, which a function meets.
fn world(text: &mut String, handles: &[Handle]) {
    text.push_str("static struct {\n");
    for row in handles {
        writeln!(text, "  {} {};", row.kind, row.word()).unwrap();
    }
    text.push_str("} world;\n\n");
    for row in handles {
        let (kind, word, make, end) = (row.kind, row.word(), row.make, row.end);
        writeln!(
            text,
            "static void make_{word}(kv_store_t store, {kind} *place) {{\n  (void)store;\n  \
             GIVES(KV_OK, {make});\n}}\n\nstatic kv_status_t end_{word}({kind} {word}) {{\n  \
             return {end}({word});\n}}\n"
        )
        .unwrap();
    }
    text.push_str("static void world_begins(void) {\n  world.store = filled();\n");
    for row in handles.iter().filter(|row| row.word() != "store") {
        let word = row.word();
        writeln!(text, "  make_{word}(world.store, &world.{word});").unwrap();
    }
    text.push_str("}\n\n/* What the function under test has ended is gone already. */\n");
    text.push_str("static void world_ends(void) {\n");
    for row in handles.iter().filter(|row| row.word() != "store") {
        writeln!(text, "  (void)end_{0}(world.{0});", row.word()).unwrap();
    }
    text.push_str("  while (end_store(world.store) == KV_OK) continue;\n}\n\n");
}

/// A callback that does nothing, and lets the function go on.
fn going_on(text: &mut String, callback: &Function) {
    let list = |each: fn(&str, &str) -> String, between: &str| {
        let arguments = callback.arguments.iter();
        arguments
            .map(|argument| each(&argument.kind, &argument.name))
            .collect::<Vec<_>>()
            .join(between)
    };
    let parameters = list(|kind, name| format!("{kind} {name}"), ", ");
    let unused = list(|_, name| format!("(void){name};"), " ");
    let (result, name) = (&callback.result, &callback.name);
    writeln!(text, "static {result} good_{name}({parameters}) {{\n  {unused}\n  return 0;\n}}\n")
        .unwrap();
}

/// One function with its arguments.
struct One<'a> {
    function: &'a Function,
    kinds: Vec<Kind>,
    text: &'a mut String,
}

impl One<'_> {
    fn write(mut self, cases: &Cases) {
        self.arguments();
        self.places();
        self.good();
        self.attempt();
        self.elsewhere(cases);
        self.cases(cases);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn arguments(&mut self) {
        let name = &self.function.name;
        let mut line = format!("typedef struct {name}_arguments {{\n");
        for argument in &self.function.arguments {
            writeln!(line, "  {} {};", argument.kind, argument.name).unwrap();
        }
        if self.function.arguments.is_empty() {
            line.push_str("  char none;\n");
        }
        self.line(&format!("{line}}} {name}_arguments;\n"));
    }

    /// What the arguments point to: arrays that are read, rooms for structures that may grow, and
    /// places for results.
    fn places(&mut self) {
        let (mut arrays, mut rooms, mut results) = (String::new(), String::new(), String::new());
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            let name = &argument.name;
            match kind {
                Kind::Array { element, .. } => writeln!(arrays, "  {element} {name}[3];"),
                Kind::Sized { structure } | Kind::OutSized { structure } => {
                    writeln!(
                        rooms,
                        "  union {{ {structure} known; unsigned char bytes[ROOM]; }} {name};"
                    )
                }
                Kind::Buffer { .. } => writeln!(results, "  unsigned char {name}[8];"),
                Kind::OutArray { element, .. } => writeln!(results, "  {element} {name}[3];"),
                Kind::Out { target } => writeln!(results, "  {target} {name};"),
                _ => Ok(()),
            }
            .unwrap();
        }
        for (word, fields) in [("arrays", arrays), ("room", rooms), ("results", results)] {
            if !fields.is_empty() {
                self.line(&format!(
                    "static struct {{\n{fields}}} {word}_{};\n",
                    self.function.name
                ));
            }
        }
    }

    /// The good arguments, and places as they are before a call.
    fn good(&mut self) {
        let name = &self.function.name;
        let mut text = format!("static {name}_arguments good_{name}(void) {{\n");
        writeln!(text, "  {name}_arguments a;\n  memset(&a, 0, sizeof a);").unwrap();
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            let argument_name = &argument.name;
            text.push_str(&place(name, argument_name, kind));
            writeln!(
                text,
                "  a.{argument_name} = {};",
                good(name, argument_name, &argument.kind, kind)
            )
            .unwrap();
        }
        self.line(&format!("{text}  return a;\n}}\n"));
    }

    /// Makes a call and judges it.
    fn attempt(&mut self) {
        let name = &self.function.name;
        let call = {
            let arguments = self.function.arguments.iter();
            let list: Vec<_> = arguments.map(|argument| format!("a.{}", argument.name)).collect();
            format!("{name}({})", list.join(", "))
        };
        let call = match self.function.result.as_str() {
            "kv_status_t" => format!("status = {call};"),
            "void" => format!("{call}; status = KV_OK;"),
            "const char *" => format!("CHECK({call} != NULL); status = KV_OK;"),
            "uint32_t" => format!("CHECK({call} != 0); status = KV_OK;"),
            other => {
                panic!("{name} returns `{other}`: the misuse table does not know how to judge that")
            }
        };
        let mut text = format!(
            "static void try_{name}({name}_arguments a, const char *what,\n  \
             expected_t expected) {{\n  kv_status_t status;\n  (void)a;\n  \
             begins(\"{name}\", what);\n  {call}\n  \
             judge(status, expected);\n  if (status < 0) {{\n"
        );
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            text.push_str(&self.left(&argument.name, kind));
        }
        text.push_str("    unchanged(world.store);\n    return;\n  }\n");
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            text.push_str(&given(name, &argument.name, kind));
        }
        self.line(&format!("{text}}}\n"));
    }

    /// What a refused call leaves in the place of a result.
    fn left(&self, argument: &str, kind: &Kind) -> String {
        let name = &self.function.name;
        let (place, cleared) = match kind {
            Kind::Buffer { .. } | Kind::OutArray { .. } => {
                (format!("results_{name}.{argument}"), false)
            }
            Kind::Out { .. } => {
                (format!("results_{name}.{argument}"), clears_results(self.function))
            }
            Kind::OutSized { .. } => (format!("room_{name}.{argument}"), false),
            _ => return String::new(),
        };
        let word = if cleared { "is_cleared" } else { "is_untouched" };
        format!("    {word}(&{place}, sizeof {place}, expected);\n")
    }

    fn elsewhere(&mut self, cases: &Cases) {
        if cases.elsewhere.is_empty() {
            return;
        }
        let name = &self.function.name;
        let kind = self.function.arguments.iter().zip(&self.kinds);
        let mut handles =
            kind.filter(|(_, kind)| **kind == Kind::Handle).map(|(handle, _)| &handle.kind);
        let kind = handles.next().expect("a handle that belongs to a thread");
        let (word, calls) = (word(kind), cases.elsewhere.join("\n  "));
        self.line(&format!(
            "static void *elsewhere_{name}(void *pins) {{\n  {name}_arguments a;\n  {kind} own;\n  \
             if (pins != NULL) make_{word}(world.store, &own);\n  {calls}\n  \
             if (pins != NULL) GIVES(KV_OK, end_{word}(own));\n  return NULL;\n}}\n"
        ));
    }

    fn cases(&mut self, cases: &Cases) {
        let name = &self.function.name;
        let mut text = format!(
            "static void cases_{name}(void) {{\n  {name}_arguments a;\n  uint64_t bit;\n  \
             (void)bit;\n  world_begins();\n"
        );
        for call in &cases.refused {
            writeln!(text, "  {call}").unwrap();
        }
        if !cases.elsewhere.is_empty() {
            writeln!(text, "  on_another_thread(elsewhere_{name}, NULL);").unwrap();
            writeln!(text, "  on_another_thread(elsewhere_{name}, &world);").unwrap();
        }
        writeln!(text, "  works(world.store);\n  unchanged(world.store);").unwrap();
        // The first one is the good call: it also works in a world that has seen all the others.
        for call in cases.accepted.first().into_iter().chain(&cases.accepted) {
            writeln!(text, "  {call}\n  world_ends();\n  world_begins();").unwrap();
        }
        self.line(&format!("{text}  world_ends();\n  report(\"{name}\");\n}}\n"));
    }
}

/// Prepares what an argument points to.
fn place(function: &str, argument: &str, kind: &Kind) -> String {
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
        Kind::OutSized { .. } => {
            format!("  mark(&room_{function}.{argument}, sizeof room_{function}.{argument});\n")
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
fn good(function: &str, argument: &str, c_type: &str, kind: &Kind) -> String {
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
fn given(function: &str, argument: &str, kind: &Kind) -> String {
    let result = format!("results_{function}.{argument}");
    let wanted = format!("status == KV_OK && a.{argument} != NULL");
    match kind {
        Kind::Out { target } if target.ends_with('*') => {
            format!("  if ({wanted}) kv_free({result});\n")
        }
        Kind::Out { target } if handles().iter().any(|row| row.kind == target) => {
            format!("  if ({wanted}) GIVES(KV_OK, end_{}({result}));\n", word(target))
        }
        Kind::OutSized { structure } => {
            let room = format!("room_{function}.{argument}");
            format!("  has_grown({room}.bytes, sizeof({structure}), a.struct_size);\n")
        }
        _ => String::new(),
    }
}
