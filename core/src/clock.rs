//! The clock. The only caller of `Instant`.

use std::time::Instant;

use crate::sync::OnceLock;

/// Milliseconds since this process first asked, from a clock that never goes back. At least 1.
pub(crate) fn monotonic_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}
