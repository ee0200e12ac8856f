//! The table of cases as Rust reads it, and the loop that runs a face of rkv against it.
//!
//! Compiled into the tests of the engine and of the C face. README.md explains the notation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What a case does, step by step. An operation or a field that is not listed here is an error.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Op {
    Set { key: Bytes, value: Bytes, ttl: Option<Ttl> },
    Fill { prefix: String, count: u64, value: Bytes },
    SetIfAbsent { key: Bytes, value: Bytes, ttl: Option<Ttl> },
    Get { key: Bytes },
    Contains { key: Bytes },
    Delete { key: Bytes },
    Take { key: Bytes },
    Incr { key: Bytes, by: i64 },
    Version { key: Bytes },
    CompareAndSwap { key: Bytes, version: String, value: Bytes },
    Compute { key: Bytes, wish: Wish, value: Option<Bytes>, ttl: Option<Ttl> },
    Ttl { key: Bytes },
    Expire { key: Bytes, ttl: Ttl },
    Persist { key: Bytes },
    Touch { key: Bytes, ttl: u64 },
    PurgeExpired {},
    Advance {},
    ClockAdvance { ms: u64 },
    Count {},
    Keys { prefix: Bytes },
    Scan { prefix: Bytes },
    GetMany { keys: Vec<Bytes> },
    SetMany { entries: Vec<(Bytes, Bytes)>, ttl: Option<Ttl> },
    DeleteMany { keys: Vec<Bytes> },
    Clear {},
    Figure { name: Figure },
}

/// What the closure of a `compute` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    Put,
    /// Puts what stands there, and `value` behind it.
    Append,
    Remove,
    Keep,
}

/// A time to live.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ttl {
    Ms(u64),
    Word(TtlWord),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TtlWord {
    Never,
    Default,
    Keep,
}

/// A figure of a store that all faces show.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    Entries,
    Bytes,
    Evicted,
    ExpiredActively,
    ExpiredLazily,
}

/// How the store of a case is opened; it always has a manual clock.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) shards: Option<u32>,
    pub(crate) default_ttl_ms: Option<u64>,
    pub(crate) max_entries: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    #[serde(default)]
    pub(crate) eviction: Policy,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    #[default]
    S3fifo,
    Reject,
}

/// A key or a value, written as text, as `hex:` and digits, or as a text and how often it comes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<Value> for Bytes {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let repeated = |value: &Value| {
            let (text, times) = (value.get("repeat")?.as_str()?, value.get("times")?.as_u64()?);
            Some(text.as_bytes().repeat(times as usize))
        };
        let bytes = match &value {
            Value::String(text) => match text.strip_prefix("hex:") {
                Some(digits) => from_hex(digits),
                None => Some(text.as_bytes().to_vec()),
            },
            value => repeated(value),
        };
        bytes.map(Bytes).ok_or_else(|| format!("{value} is no notation for bytes"))
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

/// The one way to write bytes in an answer: text if it is, else hexadecimal.
pub(crate) fn shown(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!(format!("hex:{digits}"))
        }
    }
}

/// An expected answer with all bytes in it written as [`shown`] does.
fn normal(expected: &Value) -> Value {
    match expected {
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) if !fields.contains_key("repeat") => expected.clone(),
        Value::String(_) | Value::Object(_) => {
            shown(&Bytes::try_from(expected.clone()).expect("a notation for bytes").0)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => expected.clone(),
    }
}

/// One step: what is done, and what it must answer.
struct Step {
    name: String,
    op: Op,
    /// Under which name later steps refer to the answer.
    remember: Option<String>,
    /// Without it the step must succeed, whatever it answers.
    expect: Option<Value>,
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, String> {
        let name = fields.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
        let expect = fields.remove("expect");
        let remember = fields.remove("remember");
        let remember = remember.and_then(|name| name.as_str().map(str::to_owned));
        let op = serde_json::from_value(Value::Object(fields));
        let op = op.map_err(|error| format!("step `{name}`: {error}"))?;
        Ok(Step { name, op, remember, expect })
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::try_from(Map::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

/// A promise, and the steps that show whether it is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The faces whose callers can say this; all if it is not given.
    faces: Option<BTreeSet<String>>,
    #[serde(default)]
    options: Options,
    /// What opening the store must answer, if it is not to succeed.
    open: Option<Value>,
    steps: Vec<Step>,
}

/// The versions that steps have remembered, by name.
pub(crate) type Memory = BTreeMap<String, u64>;

/// One way to use rkv. Answers are in the words of README.md, failures are numbers of errors.
pub(crate) trait Face: Sized {
    /// What cases call it.
    const NAME: &'static str;
    /// Operations that callers of this face do not have.
    const LACKS: &'static [&'static str];

    fn open(options: &Options) -> Result<Self, i32>;

    fn run(&self, op: &Op, memory: &Memory) -> Result<Value, i32>;
}

/// How many cases a face ran, and how many need an operation that it lacks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) cases: usize,
    pub(crate) left_out: usize,
}

/// Runs all cases of the table, and fails if any is not as it says.
pub(crate) fn run<F: Face>() -> Ran {
    let (mut ran, mut names, mut failed) = (Ran { cases: 0, left_out: 0 }, BTreeSet::new(), vec![]);
    for (file, case) in cases() {
        assert!(names.insert(case.name.clone()), "{file}: a second case `{}`", case.name);
        if let Some(faces) = &case.faces {
            let known = ["rust", "c", "python"];
            assert!(faces.iter().all(|face| known.contains(&&**face)), "{file}: {faces:?}");
            if !faces.contains(F::NAME) {
                continue;
            }
        }
        if case.steps.iter().any(|step| F::LACKS.contains(&&*step.name)) {
            ran.left_out += 1;
            continue;
        }
        ran.cases += 1;
        if let Err(reason) = run_case::<F>(&case) {
            failed.push(format!("{file}: {}: {reason}", case.name));
        }
    }
    println!("conformance of {}: {} cases, {} left out", F::NAME, ran.cases, ran.left_out);
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
    ran
}

/// The names of the cases in wrong.json that a face runs without complaint.
pub(crate) fn wrong_and_not_seen<F: Face>() -> Vec<String> {
    let cases: Vec<Value> = read("wrong.json");
    assert!(cases.len() >= 20, "wrong cases got lost");
    let is_seen = |case: &Value| match serde_json::from_value::<Case>(case.clone()) {
        Ok(case) => run_case::<F>(&case).is_err(),
        Err(_) => true,
    };
    cases.iter().filter(|case| !is_seen(case)).map(|case| case["name"].to_string()).collect()
}

fn run_case<F: Face>(case: &Case) -> Result<(), String> {
    let opened = F::open(&case.options);
    let face = match (opened, &case.open) {
        (Ok(face), None) => face,
        (Err(code), Some(expect)) if failure(code) == *expect => return Ok(()),
        (Ok(_), Some(expect)) => return Err(format!("it opened, and not {expect}")),
        (Err(code), _) => return Err(format!("it did not open: {}", failure(code))),
    };
    let mut memory = Memory::new();
    for (number, step) in (1..).zip(&case.steps) {
        let answer = perform(&face, &step.op, &memory);
        let wanted = step.expect.as_ref().map(normal);
        if !fits(&answer, wanted.as_ref(), &memory) {
            let wanted = wanted.map_or("success".to_owned(), |wanted| wanted.to_string());
            return Err(format!("step {number}, {}: {answer} and not {wanted}", step.name));
        }
        if let Some(name) = &step.remember {
            memory.insert(name.clone(), answer.as_u64().ok_or("only versions are remembered")?);
        }
    }
    Ok(())
}

/// The answer to one step, an error among them.
fn perform<F: Face>(face: &F, op: &Op, memory: &Memory) -> Value {
    let answer = match op {
        Op::Fill { prefix, count, value } => (0..*count).try_fold(json!(count), |count, number| {
            let (key, value) = (Bytes(format!("{prefix}{number}").into()), value.clone());
            face.run(&Op::Set { key, value, ttl: None }, memory).map(|_| count)
        }),
        op => face.run(op, memory),
    };
    answer.unwrap_or_else(failure)
}

fn failure(code: i32) -> Value {
    let name = errors().into_iter().find(|(_, number)| *number == code).map(|(name, _)| name);
    json!({ "error": name.unwrap_or_else(|| panic!("errors.json has no {code}")) })
}

/// The numbers of all errors, by name.
pub(crate) fn errors() -> BTreeMap<String, i32> {
    read("errors.json")
}

/// Whether an answer is what is wanted.
fn fits(answer: &Value, wanted: Option<&Value>, memory: &Memory) -> bool {
    let Some(wanted) = wanted else { return answer.get("error").is_none() };
    let remembered = |relation: &str| wanted.get(relation)?.as_str().map(|name| memory[name]);
    if let Some(version) = remembered("above") {
        return answer.as_u64().is_some_and(|answer| answer > version);
    }
    if let Some(version) = remembered("same") {
        return answer.as_u64() == Some(version);
    }
    // Not every face tells its callers whether a key was there.
    answer == wanted || answer == "stored" && (wanted == "created" || wanted == "updated")
}

/// All cases, each with the name of its file.
fn cases() -> Vec<(String, Case)> {
    let files = fs::read_dir(folder().join("cases")).expect("a folder of cases");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_file: Vec<Case> = read(&format!("cases/{file}"));
        cases.extend(of_file.into_iter().map(|case| (file.clone(), case)));
    }
    cases
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(folder().join(file)).expect("the table is readable");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}
