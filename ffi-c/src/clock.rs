//! A clock that a test moves by hand.

use std::time::Duration;

use crate::boundary::boundary;
use crate::failure::Failure;
use crate::handle::kv_store_t;
use crate::status::{KV_OK, kv_status_t};
use crate::store::enter;

/// For tests: moves the clock of a store that was opened with KV_MANUAL_CLOCK on by `ms`
/// milliseconds. Any other store is KV_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn kv_clock_advance(store: kv_store_t, ms: u64) -> kv_status_t {
    boundary(|| {
        let store = enter(store)?;
        let clock = store.clock().ok_or(Failure::invalid("store", "has no manual clock"))?;
        clock.advance(Duration::from_millis(ms));
        Ok(KV_OK)
    })
}
