//! The component's memory: the global allocator, what is done with it per
//! request, and the copying of static text. All `unsafe` of the component is
//! here.
//!
//! It is written so that the compiler sees that no allocation can fail and
//! that giving memory back does nothing: a single path on which one might fail
//! links 20 KB of panic machinery, and the code that only frees error values
//! that nobody reads is a quarter of the component.

use core::hint::assert_unchecked;

/// An owned copy of `text`.
pub fn copy(text: &str) -> String {
    // SAFETY: no value is larger than `isize::MAX` bytes; of a length that it
    // loads from memory the compiler does not know that.
    unsafe { assert_unchecked(text.len() <= isize::MAX.unsigned_abs()) };
    text.to_owned()
}

/// Serves one request and takes back all memory that it used. A host may so
/// send any number of requests through one instance in constant memory.
pub fn reclaimed_after(serve: impl FnOnce()) {
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
        /// The first byte after stack and static data; placed by the linker.
        static __heap_base: u8;
    }

    /// Hands out memory from `__heap_base` upwards.
    ///
    /// Holds `__heap_base + used <= limit <= isize::MAX` once something is used.
    struct Arena {
        /// Bytes handed out.
        used: Cell<usize>,
        /// Addresses below it are accessible.
        limit: Cell<usize>,
    }

    // SAFETY: an instance of a WASI 0.2 component has one thread.
    unsafe impl Sync for Arena {}

    // SAFETY: blocks are aligned, accessible and disjoint; `reclaim` says why
    // those that it hands out again are out of use.
    unsafe impl GlobalAlloc for Arena {
        // Inlined it has to be, so that callers see that it is never null.
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
        /// Makes addresses below `end` accessible. Where the host has no
        /// memory left it answers 500 to the trap and drops the instance.
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

    /// Takes everything back. Sound because it is called between requests
    /// only, and nothing in the component outlives one: `serve` returns
    /// nothing, and no static but [`ARENA`] is ever written.
    pub fn reclaim() {
        ARENA.used.set(0);
    }
}
