//! The wrong calls of a function, and the odd ones that are right, as lines of C.

use crate::misuse::expect::{
    FIRST_SIZES, Handle, Life, Refusal, handles, may_be_null, zero_does_nothing,
};
use crate::misuse::kinds::{Kind, kinds};
use crate::misuse::parse::{Function, Header, Variable};

/// Lengths that no object has.
const HUGE: [&str; 2] = ["SIZE_MAX", "(size_t)PTRDIFF_MAX + 1"];
/// The bytes behind a structure that a newer program has more of.
pub(crate) const NEWER: usize = 32;
/// The largest structure that a program may have.
pub(crate) const STRUCT_SIZE_MAX: usize = 4096;

/// The calls of one function.
#[derive(Default)]
pub(crate) struct Cases {
    /// Calls that are refused, and leave the world as it was.
    pub(crate) refused: Vec<String>,
    /// Calls that may change the world: each is made in one of its own.
    pub(crate) accepted: Vec<String>,
    /// Calls that are refused on another thread.
    pub(crate) elsewhere: Vec<String>,
}

/// What a call gives.
enum Gives {
    Refused(Refusal),
    /// Refused because of a place for a result; then others may be cleared or not.
    RefusedResult(Refusal),
    Accepted,
    /// Whatever the function says, but no panic.
    Something,
}

impl Gives {
    fn invalid(name: &str) -> Self {
        Gives::Refused(Refusal::invalid(name))
    }

    fn in_c(&self) -> String {
        let text = |word: &str, refusal: &Refusal| {
            format!("{word}({}, \"{}\")", refusal.status, refusal.text)
        };
        match self {
            Gives::Refused(refusal) => text("refused", refusal),
            Gives::RefusedResult(refusal) => text("refused_result", refusal),
            Gives::Accepted => "accepted()".to_owned(),
            Gives::Something => "something()".to_owned(),
        }
    }
}

/// The cases of `function`, with all its arguments.
pub(crate) fn cases(header: &Header, function: &Function) -> Cases {
    let mut table = Table { header, function, cases: Cases::default() };
    table.case("nothing is wrong", "", &Gives::Accepted);
    for (argument, kind) in function.arguments.iter().zip(kinds(header, function)) {
        table.argument(argument, &kind);
    }
    table.cases
}

struct Table<'h> {
    header: &'h Header,
    function: &'h Function,
    cases: Cases,
}

impl Table<'_> {
    /// A call with `changes` to the good arguments.
    fn call(&self, what: &str, changes: &str, expected: &str) -> String {
        let name = &self.function.name;
        format!("a = good_{name}(); {changes} try_{name}(a, \"{what}\", {expected});")
    }

    fn case(&mut self, what: &str, changes: &str, gives: &Gives) {
        let call = self.call(what, changes, &gives.in_c());
        match gives {
            Gives::Refused(_) | Gives::RefusedResult(_) => self.cases.refused.push(call),
            Gives::Accepted | Gives::Something => self.cases.accepted.push(call),
        }
    }

    fn argument(&mut self, argument: &Variable, kind: &Kind) {
        let name = &*argument.name;
        match kind {
            Kind::Handle => self.handle(argument),
            Kind::Bytes { len } => self.bytes(name, &format!("a.{name}"), &format!("a.{len}")),
            Kind::Buffer { size } => self.null_with(name, size),
            Kind::Array { element, count } => self.array(name, element, count),
            Kind::OutArray { element, count } => {
                self.null_with(name, count);
                self.overlap(name, element);
            }
            Kind::Count { element } => self.counts(name, element),
            Kind::Size => {
                // The buffer is as large as the value, which is all that is written.
                for size in HUGE {
                    self.case(&format!("{size} for `{name}`"), &set(name, size), &Gives::Accepted);
                }
            }
            Kind::Sized { structure } => {
                self.null(argument);
                self.sized(name, structure);
            }
            Kind::OutSized { structure, tells_size } => {
                self.null(argument);
                let in_it = format!("room_{}.{name}.known.struct_size", self.function.name);
                let told = format!("{name}.struct_size");
                match tells_size {
                    true => self.out_sized(structure, &in_it, &told),
                    false => self.out_sized(structure, "a.struct_size", "struct_size"),
                }
            }
            Kind::Out { .. } | Kind::Callback | Kind::UserData => self.null(argument),
            Kind::Owned => {
                let instead = format!("kv_free(a.{name}); {}", set(name, "NULL"));
                let gives = self.null_gives(argument);
                self.case(&format!("NULL for `{name}`"), &instead, &gives);
            }
            Kind::Number => self.numbers(argument),
            Kind::Length { .. } | Kind::StructSize { .. } => {}
        }
    }

    fn null_gives(&self, argument: &Variable) -> Gives {
        let refusal = Refusal::invalid(&argument.name);
        match () {
            () if may_be_null(self.header, self.function, argument) => Gives::Accepted,
            () if argument.name.starts_with("out_") => Gives::RefusedResult(refusal),
            () => Gives::Refused(refusal),
        }
    }

    fn null(&mut self, argument: &Variable) {
        let (name, gives) = (&*argument.name, self.null_gives(argument));
        self.case(&format!("NULL for `{name}`"), &set(name, "NULL"), &gives);
    }

    /// NULL for something whose length is the argument `len`.
    fn null_with(&mut self, name: &str, len: &str) {
        let null = set(name, "NULL");
        self.case(&format!("NULL for `{name}`"), &null, &Gives::invalid(name));
        let changes = format!("{null} {}", set(len, "0"));
        self.case(&format!("NULL and 0 for `{name}`"), &changes, &Gives::Accepted);
    }

    /// Bytes that are wrong at `data` and `len`, places of the argument `name`.
    fn bytes(&mut self, name: &str, data: &str, len: &str) {
        let changes = |to_data: &str, to_len: &str| match to_data {
            "" => format!("{len} = {to_len};"),
            _ => format!("{data} = {to_data}; {len} = {to_len};"),
        };
        let invalid = Gives::invalid(name);
        self.case(&format!("NULL for {data}"), &changes("NULL", "1"), &invalid);
        for huge in HUGE {
            self.case(&format!("{huge} for {len}"), &changes("", huge), &invalid);
            self.case(&format!("NULL and {huge} for {data}"), &changes("NULL", huge), &invalid);
        }
        self.case(&format!("NULL and 0 for {data}"), &changes("NULL", "0"), &Gives::Accepted);
        self.case(&format!("0 for {len}"), &changes("", "0"), &Gives::Accepted);
    }

    fn array(&mut self, name: &str, element: &str, count: &str) {
        self.null_with(name, count);
        let fields = &self.header.structure(element).expect("an array of structures").fields;
        let slices = fields.iter().filter(|field| field.kind == "kv_slice_t");
        let mut inner: Vec<_> = slices.map(|field| format!(".{}", field.name)).collect();
        if element == "kv_slice_t" {
            inner.push(String::new());
        }
        assert!(!inner.is_empty(), "{element}: an array of what holds no slice");
        for slice in inner {
            let at = format!("arrays_{}.{name}[2]{slice}", self.function.name);
            self.bytes(name, &format!("{at}.data"), &format!("{at}.len"));
        }
    }

    fn counts(&mut self, name: &str, element: &str) {
        for huge in HUGE {
            for count in [huge.to_owned(), format!("({huge}) / sizeof({element})")] {
                let what = format!("{count} for `{name}`");
                self.case(&what, &set(name, &count), &Gives::invalid(name));
            }
        }
    }

    /// Results that would be written where the function still reads.
    fn overlap(&mut self, name: &str, element: &str) {
        let arguments = self.function.arguments.iter();
        let of_same = format!("const {element} *");
        for read in arguments.filter(|argument| argument.kind == of_same) {
            let (array, read) = (format!("arrays_{}", self.function.name), &read.name);
            for (from, to) in [(0, 0), (0, 1), (1, 0)] {
                let changes = format!(
                    "a.{read} = {array}.{read} + {from}; a.{name} = {array}.{read} + {to}; {}",
                    set("count", "2")
                );
                let what = format!("`{name}` lies in `{read}`, {to} behind {from}");
                self.case(&what, &changes, &Gives::invalid(name));
            }
        }
    }

    fn sized(&mut self, name: &str, structure: &str) {
        let size = format!("room_{}.{name}.known.struct_size", self.function.name);
        let (refused, accepted) = sizes(structure);
        for wrong in refused {
            let gives = Gives::invalid(&format!("{name}.struct_size"));
            let what = format!("{wrong} for {name}.struct_size");
            self.case(&what, &format!("{size} = {wrong};"), &gives);
        }
        for right in accepted {
            let what = format!("{right} for {name}.struct_size");
            self.case(&what, &format!("{size} = {right};"), &Gives::Accepted);
        }
        for at in ["0", "31"] {
            let tail =
                format!("room_{}.{name}.bytes[sizeof({structure}) + {at}]", self.function.name);
            let changes = format!("{size} = sizeof({structure}) + {NEWER}; {tail} = 1;");
            let text = format!("`{name}`");
            let gives = Gives::Refused(Refusal { status: "KV_ERR_UNSUPPORTED", text });
            self.case(&format!("byte {at} behind `{name}` is set"), &changes, &gives);
        }
    }

    /// Sizes at `place` for a structure that is written; `name` is what the error text calls it.
    fn out_sized(&mut self, structure: &str, place: &str, name: &str) {
        let (refused, accepted) = sizes(structure);
        let all = refused.iter().map(|size| (size, Gives::invalid(name)));
        for (size, gives) in all.chain(accepted.iter().map(|size| (size, Gives::Accepted))) {
            self.case(&format!("{size} for `{name}`"), &format!("{place} = {size};"), &gives);
        }
    }

    fn numbers(&mut self, argument: &Variable) {
        let extremes: &[&str] = match argument.kind.as_str() {
            "uint64_t" => &["0", "1", "INT64_MAX", "UINT64_MAX - 1", "UINT64_MAX"],
            "int64_t" => &["INT64_MIN", "-1", "0", "INT64_MAX"],
            "kv_status_t" => &["INT32_MIN", "-26", "0", "18", "INT32_MAX"],
            other => panic!("{}: no extremes of {other}", self.function.name),
        };
        let name = &*argument.name;
        for number in extremes {
            self.case(&format!("{number} for `{name}`"), &set(name, number), &Gives::Something);
        }
    }

    fn handle(&mut self, argument: &Variable) {
        let known = handles();
        let row = known.iter().find(|row| row.kind == argument.kind);
        let row = row.unwrap_or_else(|| {
            let Variable { kind, name } = argument;
            panic!("`{kind} {name}` is a handle: say in tests/it/misuse/expect.rs how to make one")
        });
        let name = &*argument.name;
        self.changed_bits(name, row);
        match row.life {
            Life::Calls { end, .. } => {
                self.ended(name, row);
                if row.word() != "store" {
                    self.of_closed_store(name, row, end);
                }
            }
            Life::Callback { .. } => self.ended_by_itself(name, row),
        }
        if let Some(refusal) = &row.on_another_thread {
            let gives = Gives::Refused(refusal.clone()).in_c();
            let call = self.call(&format!("`{name}` is another thread's"), "", &gives);
            self.cases.elsewhere.push(call);
        }
    }

    /// The zero handle, and handles with one bit changed, or all but one.
    fn changed_bits(&mut self, name: &str, row: &Handle) {
        let (_, last) = row.wrong.last().expect("a handle has a field");
        let last = Gives::Refused(last.clone()).in_c();
        let zero = if zero_does_nothing(self.function) { "accepted()" } else { &last };
        let nothing = format!("memset(&a.{name}, 0, sizeof a.{name});");
        let call = self.call(&format!("`{name}` is zero"), &nothing, zero);
        self.cases.refused.push(call);
        for (field, refusal) in &row.wrong {
            let refused = Gives::Refused(refusal.clone()).in_c();
            let none = if row.wrong.len() == 1 { zero } else { &last };
            let expected = format!("a.{name}.{field} == 0 ? {none} : {refused}");
            let place = format!("a.{name}.{field}");
            let changes = [
                ("a bit", format!("{place} ^= bit;")),
                ("all but a bit", format!("{place} = ~{place} ^ bit;")),
            ];
            for (which, change) in changes {
                let what = format!("{which} of `{name}.{field}` is changed");
                let call = self.call(&what, &change, &expected);
                self.cases.refused.push(format!("for (bit = 1; bit != 0; bit <<= 1) {{ {call} }}"));
            }
        }
    }

    /// A handle that has ended: alone, with another in its place, and when that has ended too.
    fn ended(&mut self, name: &str, row: &Handle) {
        let (kind, word, place) = (row.kind, row.word(), row.place);
        let (field, refusal) = row.wrong.last().expect("a handle has a field");
        let refused = Gives::Refused(refusal.clone()).in_c();
        let change = format!("a.{name} = first;");
        let call = |what: &str| self.call(&format!("`{name}` {what}"), &change, &refused);
        let lines = [
            format!("{{ {kind} first, second; make_{word}(world.store, &first);"),
            format!("GIVES(KV_OK, end_{word}(first));"),
            call("has ended"),
            format!("make_{word}(world.store, &second);"),
            format!("CHECK(((first.{field} ^ second.{field}) & {place}) == 0);"),
            call("has ended, and its place is used again"),
            format!("GIVES(KV_OK, end_{word}(second));"),
            call("has ended, and so has what took its place"),
            "}".to_owned(),
        ];
        self.cases.refused.push(lines.join("\n  "));
    }

    /// A handle whose callback has returned.
    fn ended_by_itself(&mut self, name: &str, row: &Handle) {
        let (_, refusal) = row.wrong.last().expect("a handle has a field");
        let change = format!("make_{}(world.store, &a.{name});", row.word());
        let gives = Gives::Refused(refusal.clone());
        self.case(&format!("the callback of `{name}` has returned"), &change, &gives);
    }

    /// A handle whose store was closed; `end` takes it all the same.
    fn of_closed_store(&mut self, name: &str, row: &Handle, end: &str) {
        let (kind, word) = (row.kind, row.word());
        let change = format!("a.{name} = left;");
        let ends = self.function.name == end;
        let refusal = row.of_closed_store.as_ref().filter(|_| !ends);
        let gives = refusal.map_or(Gives::Accepted, |refusal| Gives::Refused(refusal.clone()));
        let ended = if ends { "KV_ERR_INVALID_ARGUMENT" } else { "KV_OK" };
        let lines = [
            format!("{{ kv_store_t closed = filled(); {kind} left;"),
            format!("make_{word}(closed, &left); GIVES(KV_OK, kv_close(closed));"),
            self.call(&format!("`{name}` is of a closed store"), &change, &gives.in_c()),
            format!("GIVES({ended}, end_{word}(left)); }}"),
        ];
        self.cases.refused.push(lines.join("\n  "));
    }
}

fn set(name: &str, value: &str) -> String {
    format!("a.{name} = {value};")
}

/// Sizes of a structure that no version has, and sizes that some version has.
fn sizes(structure: &str) -> (Vec<String>, Vec<String>) {
    let first = FIRST_SIZES.iter().find(|(name, _)| *name == structure);
    let (_, first) = first.unwrap_or_else(|| {
        panic!("{structure} may grow: say in tests/it/misuse/expect.rs how large it was at first")
    });
    let refused = ["0", "1", &format!("{first} - 1"), &format!("{STRUCT_SIZE_MAX} + 1")]
        .map(str::to_owned)
        .into_iter()
        .chain(HUGE.map(str::to_owned));
    let newer = format!("sizeof({structure}) + {NEWER}");
    let accepted =
        [first.to_string(), format!("sizeof({structure})"), newer, STRUCT_SIZE_MAX.to_string()];
    (refused.collect(), accepted.to_vec())
}
