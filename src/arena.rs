//! The global allocator of the component: an arena that starts again when
//! nothing is left in it, which is at the end of every request. A host may so
//! send any number of requests through one instance in constant memory.
//!
//! It is also why no panic path is in the component: `alloc` is inlined and
//! never null, so the compiler sees that no allocation can fail and leaves out
//! 20 KB of panic machinery.
//!
//! All `unsafe` of the component is here.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::Cell;

const PAGE_BYTES: usize = 65_536;

unsafe extern "C" {
    /// The first byte after stack and static data; placed by the linker.
    static __heap_base: u8;
}

/// A bump allocator over all memory from `__heap_base` on, grown as needed.
pub struct Arena {
    /// First free address.
    next: Cell<*const u8>,
    /// Allocations not yet given back.
    live: Cell<usize>,
}

impl Arena {
    pub const fn new() -> Self {
        Self {
            next: Cell::new(&raw const __heap_base),
            live: Cell::new(0),
        }
    }
}

// SAFETY: an instance of a WASI 0.2 component has one thread.
unsafe impl Sync for Arena {}

// SAFETY: blocks are aligned, inside linear memory and disjoint until all of
// them have been given back.
unsafe impl GlobalAlloc for Arena {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.next.get().addr().next_multiple_of(layout.align());
        let Some(end) = start.checked_add(layout.size()) else {
            wasm32::unreachable()
        };
        let memory = wasm32::memory_size::<0>() * PAGE_BYTES;
        if end > memory {
            let pages = (end - memory).div_ceil(PAGE_BYTES);
            if wasm32::memory_grow::<0>(pages) == usize::MAX {
                // The host answers 500 and drops the instance.
                wasm32::unreachable();
            }
        }
        self.next.set(self.next.get().with_addr(end));
        self.live.set(self.live.get() + 1);
        self.next.get().with_addr(start).cast_mut()
    }

    #[inline(always)]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        self.live.set(self.live.get() - 1);
        if self.live.get() == 0 {
            self.next.set(&raw const __heap_base);
        }
    }
}
