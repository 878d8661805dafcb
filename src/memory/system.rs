//! What systems do differently: the flags of a mapping, the advice that takes its memory back, the size of a page.
//!
//! What a release asks of the system: `MADV_DONTNEED` on Linux and Android (the range reads as zero afterwards),
//! `MADV_FREE_REUSABLE` on Apple's, `MADV_FREE` on the BSDs; elsewhere the range is mapped anew with the same rights,
//! and systems merge the mapping with its neighbours. On Linux the reservation is without huge pages: one touch would
//! make 2 MiB resident of which the heap has committed a page.

use libc::c_void;

/// The flags of a mapping: private, backed by no file, and not counted against the system's memory until it is used.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
/// The flags of a mapping: private and backed by no file.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANON;

/// Advises the system against huge pages for a mapping. A system without huge pages refuses the advice, and needs
/// none.
///
/// # Safety
///
/// The range is a mapping of the caller's alone. (Advice on huge pages changes no word.)
pub(super) unsafe fn forgo_huge_pages(at: *mut c_void, bytes: usize) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: the caller's promise.
    unsafe {
        libc::madvise(at, bytes, libc::MADV_NOHUGEPAGE)
    };
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (at, bytes);
}

/// Gives the memory of a range back to the system; whether the system took it. The range stays accessible.
///
/// # Safety
///
/// The range consists of whole system pages of one private anonymous mapping, and nobody accesses it meanwhile.
pub(super) unsafe fn give_back(at: *mut c_void, bytes: usize) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: the caller's promise.
    return unsafe { libc::madvise(at, bytes, libc::MADV_DONTNEED) } == 0;
    #[cfg(target_vendor = "apple")]
    // SAFETY: the caller's promise.
    return unsafe { libc::madvise(at, bytes, libc::MADV_FREE_REUSABLE) } == 0;
    #[cfg(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd", target_os = "dragonfly"))]
    // SAFETY: the caller's promise.
    return unsafe { libc::madvise(at, bytes, libc::MADV_FREE) } == 0;
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    )))]
    {
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, FLAGS | libc::MAP_FIXED);
        // SAFETY: the caller's promise.
        return unsafe { libc::mmap(at, bytes, rights, flags, -1, 0) } != libc::MAP_FAILED;
    }
}

/// The size of the system's pages, a power of two.
pub(super) fn system_page_bytes() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let bytes = usize::try_from(bytes).expect("the system knows its page size");
    assert!(bytes.is_power_of_two(), "a page size of {bytes} bytes is not a power of two");
    bytes
}
