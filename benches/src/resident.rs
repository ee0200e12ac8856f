//! Resident memory of this process, as the kernel counts it.

/// The environment variable and value with which mimalloc gives freed pages back at once, so that
/// resident memory shows what an engine holds and not what the allocator keeps for later.
pub const EAGER_ALLOCATOR: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "0");

/// Bytes resident now.
///
/// # Panics
///
/// Panics where `/proc/self/status` does not tell, which is on anything but Linux.
pub fn bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs is mounted");
    kibibytes(&status, "VmRSS:").expect("the kernel reports VmRSS") * 1_024
}

/// The number of the line that begins with `name`.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_found_and_read_in_kibibytes() {
        let status = "VmHWM:\t   99 kB\nVmRSS:\t    5128 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(5_128));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }

    #[test]
    fn touched_memory_counts() {
        let before = bytes();
        let touched = std::hint::black_box(vec![1u8; 64 << 20]);
        let grown = bytes().saturating_sub(before);
        assert!(grown > 32 << 20, "{grown} bytes for {}", touched.len());
    }
}
