//! Counts the words of many files with four threads and one store.
//!
//! `wordcount LIST OUTPUT` reads the files that LIST names, one a line, and writes `count word`
//! lines, sorted by word. A word is a run of ASCII letters, in lower case; a run longer than the
//! longest key is cut into several.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rkv::{KEY_BYTES_MAX, Store};

const THREADS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(list), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: wordcount LIST OUTPUT".into());
    };
    let texts = read_all(&fs::read(list)?)?;

    let store = Store::new();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        let workers = [(); THREADS].map(|()| scope.spawn(|| count(&store, &texts, &next)));
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
    })?;
    let seconds = start.elapsed().as_secs_f64();

    let words = write_counts(&store, File::create(output)?)?;
    let rate = words as f64 / seconds / 1e6;
    let distinct = store.count();
    println!("{words} words, {distinct} distinct, {seconds:.3} s, {rate:.2} M incr/s");
    Ok(())
}

fn read_all(list: &[u8]) -> std::io::Result<Vec<Vec<u8>>> {
    let paths = list.split(|byte| *byte == b'\n').filter(|path| !path.is_empty());
    paths.map(|path| Ok(fs::read(OsStr::from_bytes(path))?.to_ascii_lowercase())).collect()
}

/// Takes one text after the other until none is left, and counts its words.
fn count(store: &Store, texts: &[Vec<u8>], next: &AtomicUsize) -> rkv::Result<()> {
    while let Some(text) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
        let runs = text.split(|byte| !byte.is_ascii_lowercase());
        for word in runs.flat_map(|run| run.chunks(KEY_BYTES_MAX)) {
            store.incr(word, 1)?;
        }
    }
    Ok(())
}

/// Writes every count, and returns their sum.
fn write_counts(store: &Store, output: File) -> Result<u64, Box<dyn Error>> {
    let mut output = BufWriter::new(output);
    let mut words = 0;
    let mut counts: Vec<_> = store.scan("").collect();
    counts.sort_unstable_by(|a, b| a.key().cmp(b.key()));
    for count in counts {
        words += std::str::from_utf8(&count)?.parse::<u64>()?;
        output.write_all(&[&*count, b" ", count.key(), b"\n"].concat())?;
    }
    output.flush()?;
    Ok(words)
}
