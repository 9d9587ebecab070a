//! Owner of compiled code: pages that are writable first, executable then, and freed once.
//!
//! Sound because: `entry` is the address that the module gave for the function
//! it was asked to make, with the signature of [`Entry`]; the module frees its
//! pages only in `drop`, when nobody can hold a borrow of the `Jit` any more, and
//! a run borrows it.  Cranelift maps the pages without access, makes them
//! writable, and in `finalize` executable instead: never both.

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, default_libcall_names};

use super::runtime::Head;

/// Invocation, end of the stack, context; r0 comes back.
pub type Entry = unsafe extern "C" fn(*mut Head, u64, u64) -> u64;

/// Address space per instruction; pages are only taken for code that there is.
const RESERVED_PER_INSTRUCTION: usize = 512;
const RESERVED: usize = 64 << 10;

/// A module that frees its pages, whether it was finished or not.
pub struct Pages(Option<JITModule>);

impl Pages {
    /// Room for the code of a program with so many instructions.
    pub fn new(isa: OwnedTargetIsa, instructions: usize) -> Result<Self, String> {
        let size = RESERVED + instructions * RESERVED_PER_INSTRUCTION;
        let arena = ArenaMemoryProvider::new_with_size(size).map_err(|error| error.to_string())?;
        let mut builder = JITBuilder::with_isa(isa, default_libcall_names());
        builder.memory_provider(Box::new(arena));
        Ok(Self(Some(JITModule::new(builder))))
    }

    pub fn module(&mut self) -> &mut JITModule {
        self.0.as_mut().expect("only drop takes the module")
    }

    /// Make the code executable; `main` must have the signature of [`Entry`].
    pub fn finish(mut self, main: FuncId, size: usize) -> Result<Jit, String> {
        let module = self.module();
        module
            .finalize_definitions()
            .map_err(|error| error.to_string())?;
        let address = module.get_finalized_function(main);
        // SAFETY: the address of a finished function of this signature.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Ok(Jit {
            _pages: self,
            entry,
            size,
        })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: whoever could call into the pages has borrowed their owner.
            unsafe { module.free_memory() };
        }
    }
}

/// A compiled program.
pub struct Jit {
    _pages: Pages,
    entry: Entry,
    size: usize,
}

// SAFETY: after `finish` the module is only dropped, and code belongs to no thread.
unsafe impl Send for Jit {}
// SAFETY: as above; shared access reads two numbers.
unsafe impl Sync for Jit {}

impl Jit {
    pub(super) fn entry(&self) -> Entry {
        self.entry
    }

    /// Bytes of machine code.
    pub fn size(&self) -> usize {
        self.size
    }
}
