//! A store shared by threads: set, get, count, compare-and-swap, scan.

use rkv::Store;
use std::thread;

fn main() -> rkv::Result<()> {
    let store = Store::new();
    store.set("user:1", "Ada")?;
    assert_eq!(store.get("user:1").as_deref(), Some(&b"Ada"[..]));

    // Four threads count on one key; nothing is lost and nothing waits.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| drop(store.incr("visits", 1))));
        }
    });
    assert_eq!(store.get("visits").as_deref(), Some(&b"4000"[..]));

    // A value knows its version, and a swap succeeds only on that very version.
    let ada = store.get("user:1").expect("set above");
    store.compare_and_swap("user:1", ada.version(), "Ada Lovelace")?;
    assert!(store.compare_and_swap("user:1", ada.version(), "Byron").is_err());

    for user in store.scan("user:") {
        println!("{} = {}", user.key().escape_ascii(), user.escape_ascii());
    }
    Ok(())
}
