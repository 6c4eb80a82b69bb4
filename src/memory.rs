//! The component's memory: the global allocator, its reset after each request,
//! and the copying of static text. All `unsafe` code of the component is here.
//!
//! The compiler must see that no allocation can fail and that deallocation does
//! nothing. A single path on which an allocation might fail links 20 KB of panic
//! machinery, and code that only frees unread error values would be a quarter of
//! the component.

use core::hint::assert_unchecked;

/// An owned copy of `text`.
pub fn copy(text: &str) -> String {
    // SAFETY: no value is larger than `isize::MAX` bytes. The compiler does not
    // know this of a length that it loads from memory.
    unsafe { assert_unchecked(text.len() <= isize::MAX.unsigned_abs()) };
    text.to_owned()
}

/// Serves one request and reclaims all memory that it used, so that a host can
/// send any number of requests through one instance in constant memory.
pub fn reclaim_after(serve: impl FnOnce()) {
    serve();
    #[cfg(target_arch = "wasm32")]
    arena::reclaim();
}

#[cfg(target_arch = "wasm32")]
mod arena {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32;
    use core::cell::Cell;
    use core::hint::assert_unchecked;
    use core::ptr;

    const PAGE_BYTES: usize = 65_536;

    #[global_allocator]
    static ARENA: Arena = Arena {
        used: Cell::new(0),
        limit: Cell::new(0),
    };

    unsafe extern "C" {
        /// The first byte after stack and static data. The linker defines it.
        static __heap_base: u8;
    }

    /// Allocates upwards from `__heap_base`.
    ///
    /// Invariant after the first allocation:
    /// `__heap_base + used <= limit <= isize::MAX`.
    struct Arena {
        /// Bytes allocated.
        used: Cell<usize>,
        /// Addresses below `limit` are accessible.
        limit: Cell<usize>,
    }

    // SAFETY: an instance of a WASI 0.2 component has one thread.
    unsafe impl Sync for Arena {}

    // SAFETY: blocks are aligned, accessible and disjoint. `reclaim` says why
    // the blocks that it frees are no longer in use.
    unsafe impl GlobalAlloc for Arena {
        // The function must be inlined so that callers can see that the result
        // is never null.
        #[inline(always)]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let mask = layout.align() - 1;
            let base = (&raw const __heap_base).expose_provenance();
            let start = (base + self.used.get() + mask) & !mask;
            let end = start + layout.size();
            if end > self.limit.get() {
                self.reserve(end);
            }
            self.used.set(end - base);
            // SAFETY: memory begins with the stack, so `base` is above zero.
            unsafe { assert_unchecked(start != 0) };
            ptr::with_exposed_provenance_mut(start)
        }

        #[inline(always)]
        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    impl Arena {
        /// Makes addresses below `end` accessible. Traps if the host has no
        /// memory left. The host then answers 500 and drops the instance.
        #[cold]
        #[inline(never)]
        fn reserve(&self, end: usize) {
            let present = wasm32::memory_size::<0>() * PAGE_BYTES;
            let missing = end.saturating_sub(present).div_ceil(PAGE_BYTES);
            if end > isize::MAX.unsigned_abs() || wasm32::memory_grow::<0>(missing) == usize::MAX {
                wasm32::unreachable();
            }
            self.limit.set(end);
        }
    }

    /// Frees everything. This is sound because it runs only between requests,
    /// and nothing in the component outlives a request: `serve` returns
    /// nothing, and no static except [`ARENA`] is ever written.
    pub fn reclaim() {
        ARENA.used.set(0);
    }
}
