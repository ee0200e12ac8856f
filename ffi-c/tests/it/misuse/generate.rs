//! The program of the misuse table: the cases of every function in C.

use std::fmt::Write;

use crate::misuse::cases::{Cases, cases};
use crate::misuse::expect::{FIRST_SIZES, Handle, Life, clears_results, handles};
use crate::misuse::kinds::{Kind, kinds};
use crate::misuse::parse::{Function, Header, Struct};
use crate::misuse::places::{given, good, left, prepared};
use crate::misuse::world::world;

/// The source of the program. It prints a line for each function, with the number of its calls.
pub(crate) fn program(header: &Header) -> String {
    let handles = handles();
    for Handle { kind, .. } in &handles {
        assert!(header.structure(kind).is_some(), "{kind} is not in the header: forget it");
    }
    for (name, _) in FIRST_SIZES {
        let grows = header.structure(name).is_some_and(Struct::grows);
        assert!(grows, "{name} does not grow: forget its first size");
    }
    let mut text = String::from("#include \"misuse_table.h\"\n\n");
    world(&mut text, &handles);
    for callback in &header.callbacks {
        going_on(&mut text, callback);
    }
    for function in &header.functions {
        let kinds = kinds(header, function);
        let one = One { header, function, kinds, text: &mut text };
        one.write(&cases(header, function));
    }
    text.push_str("int main(void) {\n  signal(SIGSEGV, crashed);\n  signal(SIGBUS, crashed);\n");
    for function in &header.functions {
        let callback = |row: &&Handle| matches!(row.life, Life::Callback { .. });
        let within = handles.iter().filter(callback).find(|row| takes(function, row));
        match within {
            None => writeln!(text, "  cases_{}();", function.name).unwrap(),
            Some(row) => {
                writeln!(text, "  within_{}(cases_{});", row.word(), function.name).unwrap();
            }
        }
    }
    text.push_str("  GIVES(KV_OK, kv_flush());\n  return 0;\n}\n");
    text
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
    header: &'a Header,
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
                Kind::Sized { structure } | Kind::OutSized { structure, .. } => {
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
            text.push_str(&prepared(name, argument_name, kind));
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
        let cleared = clears_results(self.header, self.function);
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            text.push_str(&left(name, &argument.name, kind, cleared));
        }
        text.push_str("    unchanged(world.store);\n    return;\n  }\n");
        for (argument, kind) in self.function.arguments.iter().zip(&self.kinds) {
            text.push_str(&given(name, &argument.name, kind));
        }
        self.line(&format!("{text}}}\n"));
    }

    /// Calls on a thread that has no such handle, and on one that has its own, if it can.
    fn elsewhere(&mut self, cases: &Cases) {
        if cases.elsewhere.is_empty() {
            return;
        }
        let name = &self.function.name;
        let (row, calls) = (self.bound_handle(), cases.elsewhere.join("\n  "));
        let (mut own, mut end) = (String::new(), String::new());
        if let Life::Calls { .. } = row.life {
            let (kind, word) = (row.kind, row.word());
            own = format!("  {kind} own;\n  if (has != NULL) make_{word}(world.store, &own);\n");
            end = format!("  if (has != NULL) GIVES(KV_OK, end_{word}(own));\n");
        }
        self.line(&format!(
            "static void *elsewhere_{name}(void *has) {{\n  {name}_arguments a;\n{own}  \
             (void)has;\n  {calls}\n{end}  return NULL;\n}}\n"
        ));
    }

    /// The handle that belongs to a thread.
    fn bound_handle(&self) -> Handle {
        let bound = |row: &Handle| row.on_another_thread.is_some() && takes(self.function, row);
        handles().into_iter().find(bound).expect("a handle that belongs to a thread")
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

fn takes(function: &Function, row: &Handle) -> bool {
    function.arguments.iter().any(|argument| argument.kind == row.kind)
}
