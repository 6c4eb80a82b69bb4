//! The component's memory: the global allocator and the copying of static text.
//! All `unsafe` code of the component is here and where the allocator is chosen.
//!
//! With the arena, the compiler must see that no allocation can fail and that
//! deallocation does nothing. A single path on which an allocation might fail links
//! 20 KB of panic machinery, and code that only frees unread error values would be a
//! quarter of the component.

use core::hint::assert_unchecked;

/// An owned copy of `text`.
pub fn copy(text: &str) -> String {
    // SAFETY: no value is larger than `isize::MAX` bytes. The compiler does not
    // know this of a length that it loads from memory.
    unsafe { assert_unchecked(text.len() <= isize::MAX.unsigned_abs()) };
    text.to_owned()
}

#[cfg(target_arch = "wasm32")]
pub use allocator::Allocator;

#[cfg(target_arch = "wasm32")]
mod allocator {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32;
    use core::cell::Cell;
    use core::hint::assert_unchecked;
    use core::ptr;
    use std::alloc::System;

    const PAGE_BYTES: usize = 65_536;

    unsafe extern "C" {
        /// The first byte after stack and static data. The linker defines it.
        static __heap_base: u8;
    }

    /// The global allocator. If `ARENA`, it allocates upwards from `__heap_base`, frees
    /// nothing by itself, and [`reclaim`](Self::reclaim) frees everything, so that a
    /// host can send any number of requests through one instance in constant memory.
    /// Otherwise, it is the standard library's.
    ///
    /// Invariant of the arena after the first allocation:
    /// `__heap_base + used <= limit <= isize::MAX`.
    pub struct Allocator<const ARENA: bool> {
        /// Bytes allocated.
        used: Cell<usize>,
        /// Addresses below `limit` are accessible.
        limit: Cell<usize>,
    }

    // SAFETY: an instance of a WASI 0.2 component has one thread.
    unsafe impl<const ARENA: bool> Sync for Allocator<ARENA> {}

    impl<const ARENA: bool> Allocator<ARENA> {
        /// # Safety
        /// If `ARENA`, [`reclaim`](Self::reclaim) may be called only when nothing on the
        /// heap is used any more. After a request that is so if no static owns memory
        /// of the heap: no `OnceLock`, `LazyLock`, `Mutex` or `thread_local!` with a
        /// `String`, a `Vec` and the like, neither in the component nor in its crates.
        pub const unsafe fn new() -> Self {
            Self {
                used: Cell::new(0),
                limit: Cell::new(0),
            }
        }

        /// Frees everything if `ARENA`.
        pub fn reclaim(&self) {
            self.used.set(0);
        }

        /// Makes addresses below `end` accessible. Traps if the host has no memory
        /// left. The host then answers 500 and drops the instance.
        #[cold]
        #[inline(never)]
        fn reserve(&self, end: usize) {
            let present = wasm32::memory_size::<0>() * PAGE_BYTES;
            let missing = end.saturating_sub(present).div_ceil(PAGE_BYTES);
            if end > isize::MAX.unsigned_abs() || wasm32::memory_grow::<0>(missing) == usize::MAX {
                wasm32::unreachable();
            }
            let limit = present + missing * PAGE_BYTES;
            self.limit.set(limit.min(isize::MAX.unsigned_abs()));
        }
    }

    // SAFETY: the arena's blocks are aligned, accessible and disjoint.
    unsafe impl<const ARENA: bool> GlobalAlloc for Allocator<ARENA> {
        // The function must be inlined so that callers can see that the arena's result
        // is never null.
        #[inline(always)]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if !ARENA {
                // SAFETY: the caller keeps the contract of this function.
                return unsafe { System.alloc(layout) };
            }
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
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            if !ARENA {
                // SAFETY: the caller keeps the contract of this function.
                unsafe { System.dealloc(block, layout) };
            }
        }
    }
}
