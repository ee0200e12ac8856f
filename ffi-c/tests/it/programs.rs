//! C and C++ programs that use the library as a stranger would: compiled in each dialect with all
//! warnings as errors, linked to libkv.so and run; and in the newest dialect also under valgrind,
//! if the library takes its memory from malloc (`--no-default-features`), or with AddressSanitizer,
//! if it was built for that. With `--cfg rkv_watched` these see every record go back; without, some
//! wait in caches of their threads.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::{C_DIALECTS, CPP_DIALECTS, Dialect, Library, NATIVE, package, succeed};

/// What valgrind looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Wrong accesses, and memory that nothing points to at the end.
    AccessesAndLeaks,
    /// Wrong accesses only: the program ends with open stores, whose records hang on tagged
    /// pointers that valgrind does not recognise.
    Accesses,
}

#[test]
fn every_function_does_its_work() {
    c_program(&["basics.c"], Memory::AccessesAndLeaks);
}

#[test]
fn keys_and_values_are_any_bytes() {
    c_program(&["bytes.c"], Memory::AccessesAndLeaks);
}

#[test]
fn options_of_older_and_newer_programs_are_understood() {
    c_program(&["options.c"], Memory::AccessesAndLeaks);
}

#[test]
fn keys_live_to_their_deadline_and_not_beyond() {
    c_program(&["ttl.c"], Memory::AccessesAndLeaks);
}

#[test]
fn bounds_hold_by_eviction_or_by_refusal() {
    c_program(&["bounds.c"], Memory::AccessesAndLeaks);
}

#[test]
fn figures_are_those_of_the_store() {
    c_program(&["stats.c"], Memory::AccessesAndLeaks);
}

#[test]
fn what_is_read_under_a_guard_stays_readable() {
    c_program(&["guards.c"], Memory::AccessesAndLeaks);
}

#[test]
fn batches_do_what_single_calls_would() {
    c_program(&["many.c"], Memory::AccessesAndLeaks);
}

#[test]
fn values_that_are_kept_stay_and_are_freed_once() {
    c_program(&["values.c"], Memory::AccessesAndLeaks);
}

#[test]
fn iterators_show_all_and_serve_one_thread_at_a_time() {
    c_program(&["iterate.c"], Memory::AccessesAndLeaks);
}

#[test]
fn conditional_writes_have_one_winner() {
    c_program(&["conditional.c"], Memory::AccessesAndLeaks);
}

#[test]
fn computed_changes_are_atomic_and_may_call_anything() {
    c_program(&["compute.c"], Memory::AccessesAndLeaks);
}

#[test]
fn strange_guards_are_refused_too_many_are_told_and_arrays_may_touch() {
    c_program(&["misuse_guards.c"], Memory::AccessesAndLeaks);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn reads_under_a_guard_take_no_locked_instruction() {
    // Not under valgrind: the program watches its own child.
    let [.., newest] = C_DIALECTS;
    succeed(&mut bounded(newest.compile_shared(&test_sources(&["locked.c"]))));
}

#[test]
fn scan_visits_stops_and_lets_the_callback_use_the_store() {
    c_program(&["scan.c"], Memory::AccessesAndLeaks);
}

#[test]
fn threads_lose_nothing_and_close_ends_the_store_for_all() {
    c_program(&["threads.c"], Memory::AccessesAndLeaks);
}

#[test]
fn child_processes_are_refused_and_open_their_own() {
    c_program(&["forked.c"], Memory::Accesses);
}

#[test]
fn process_may_be_forked_at_any_lock_of_the_library() {
    // Not under valgrind, which has locks of its own.
    let [.., newest] = C_DIALECTS;
    succeed(&mut bounded(newest.compile_shared(&test_sources(&["forked_locks.c"]))));
}

#[test]
fn program_may_end_with_open_stores() {
    c_program(&["exits.c"], Memory::Accesses);
}

#[test]
fn header_stands_alone_and_serves_two_units() {
    c_program(&["alone_first.c", "alone_second.c"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_owns_converts_and_throws() {
    cpp_program(&["wrapper.cpp", "wrapper_second.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_reads_without_copies_and_in_batches() {
    cpp_program(&["wrapper_reads.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_keeps_values_and_lets_exceptions_out() {
    cpp_program(&["wrapper_values.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_loops_over_entries_and_writes_batches() {
    cpp_program(&["wrapper_listing.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_takes_durations_for_times_to_live() {
    cpp_program(&["wrapper_ttl.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn wrapper_opens_stores_with_bounds_and_shows_figures() {
    cpp_program(&["wrapper_bounds.cpp"], Memory::AccessesAndLeaks);
}

#[test]
fn c_header_serves_cpp() {
    for dialect in served(&CPP_DIALECTS) {
        let source = test_sources(&["alone_first.c", "alone_second.c"]);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-as-cpp");
        std::fs::create_dir_all(&folder).unwrap();
        let copies: Vec<PathBuf> = source
            .iter()
            .map(|path| folder.join(path.file_name().unwrap()).with_extension("cc"))
            .collect();
        for (from, to) in source.iter().zip(&copies) {
            let text = std::fs::read_to_string(from).unwrap().replace("NULL", "nullptr");
            std::fs::write(to, text).unwrap();
        }
        succeed(&mut bounded(dialect.compile_shared(&copies)));
    }
}

#[test]
fn sanitizer_sees_reads_after_unpin_and_writes_beyond_a_buffer() {
    // With any other library than that of `make asan`, the program does what nobody may do.
    if !Library::get().has_asan {
        return;
    }
    let [.., newest] = C_DIALECTS;
    let program = newest.compile_shared(&test_sources(&["faults.c"]));
    for fault in ["use-after-free", "buffer-overflow"] {
        let output = bounded(&program).arg(fault).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("heap-{fault}")) && !output.status.success(), "{told}");
    }
}

#[test]
fn archive_serves_programs_without_the_shared_library() {
    let archive = Library::get().archive.to_str().unwrap();
    let link: Vec<&str> = [archive].into_iter().chain(NATIVE).collect();
    let [.., newest] = C_DIALECTS;
    let dialect = Dialect { folder: "archive", ..newest };
    let program = dialect.compile(&test_sources(&["basics.c"]), &link);
    succeed(&mut bounded(program));
}

#[test]
fn quickstarts_print_what_they_promise() {
    let examples = package().join("examples");
    let c = served(&C_DIALECTS).iter().map(|dialect| (dialect, "quickstart.c"));
    let cpp = served(&CPP_DIALECTS).iter().map(|dialect| (dialect, "quickstart.cpp"));
    for (dialect, source) in c.chain(cpp) {
        let program = dialect.compile_shared(&[examples.join(source)]);
        quickstart_is_right(source, &mut bounded(program));
    }
}

/// Runs the program made of an example, and demands that it prints what the example promises.
pub(crate) fn quickstart_is_right(source: &str, program: &mut Command) {
    let first = if source.ends_with(".c") { "last count: 2\n" } else { "two was seen 2 times\n" };
    let printed = String::from_utf8(succeed(program).stdout).unwrap();
    let rest = printed.strip_prefix(first).unwrap_or_else(|| panic!("{printed}"));
    // A scan has no order.
    let mut lines: Vec<&str> = rest.lines().collect();
    lines.sort();
    assert_eq!(lines, ["one 1", "two 2"], "{printed}");
}

/// The dialects to try: what they change shows with any library.
fn served(dialects: &[Dialect]) -> &[Dialect] {
    let skipped = if Library::get().is_named { dialects.len() - 1 } else { 0 };
    &dialects[skipped..]
}

fn c_program(sources: &[&str], memory: Memory) {
    run(&C_DIALECTS, sources, memory);
}

fn cpp_program(sources: &[&str], memory: Memory) {
    run(&CPP_DIALECTS, sources, memory);
}

fn run(dialects: &[Dialect], sources: &[&str], memory: Memory) {
    let sources = test_sources(sources);
    let [older @ .., newest] = served(dialects) else { unreachable!("there are dialects") };
    for dialect in older {
        succeed(&mut bounded(dialect.compile_shared(&sources)));
    }
    watched(&newest.compile_shared(&sources), memory);
}

/// Runs a program as it is, and under what watches its memory; what it prints.
fn watched(program: &Path, memory: Memory) -> String {
    let library = Library::get();
    let mut plain = bounded(program);
    if library.has_asan {
        // Programs have memory refused, and look at how much they use.
        let leaks = u8::from(memory == Memory::AccessesAndLeaks);
        let options = "allocator_may_return_null=1:quarantine_size_mb=16:detect_leaks";
        plain.env("ASAN_OPTIONS", format!("{options}={leaks}"));
    }
    let printed = succeed(&mut plain).stdout;
    if !library.has_mimalloc && !library.has_asan {
        under_valgrind(program, memory);
    }
    String::from_utf8(printed).expect("programs print UTF-8")
}

/// Compiles a program in the newest dialect and runs it; what it prints.
pub(crate) fn run_newest(source: &Path, memory: Memory) -> String {
    let [.., newest] = C_DIALECTS;
    watched(&newest.compile_shared(&[source.to_owned()]), memory)
}

fn test_sources(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| package().join("tests/c").join(name)).collect()
}

/// A command that is killed, with its children, when it hangs.
pub(crate) fn bounded(program: impl AsRef<OsStr>) -> Command {
    // LIMIT: the longest program takes some seconds under valgrind.
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120"]).arg(program);
    command
}

fn under_valgrind(program: &Path, memory: Memory) {
    let mut command = bounded("valgrind");
    command.args(["--quiet", "--error-exitcode=99", "--fair-sched=yes"]);
    if memory == Memory::AccessesAndLeaks {
        let kinds = "definite,indirect";
        command.args(["--leak-check=full", &format!("--errors-for-leak-kinds={kinds}")]);
        command.arg(format!("--show-leak-kinds={kinds}"));
    }
    succeed(command.arg(program));
}
