//! The native floor: programs that clang compiled for this machine, from `natives.so`.
//!
//! Sound because: the library comes from `vm_build.py`, which compiled every
//! function with the types that it is called with here, and it stays loaded.

use std::ffi::{CString, c_void};
use std::path::Path;

use crate::Outcome;

/// A program: `(mem, len)` to its result.
pub type Native = unsafe extern "C" fn(*mut u8, u64) -> u64;

/// `natives.so`.
pub struct Library(*mut c_void);

impl Library {
    pub fn open(path: &Path) -> Outcome<Self> {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
        // SAFETY: a path that ends with NUL; what the library does on loading is ours.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
        if handle.is_null() {
            return Err(format!("cannot load {}", path.display()));
        }
        Ok(Self(handle))
    }

    /// Where a symbol lies.
    pub fn address(&self, symbol: &str) -> Outcome<*mut c_void> {
        let name = CString::new(symbol).map_err(|error| error.to_string())?;
        // SAFETY: the library is loaded, the name ends with NUL.
        let found = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if found.is_null() {
            return Err(format!("natives.so lacks {symbol}"));
        }
        Ok(found)
    }

    /// Program `name` in one of its forms: `nat` or `sca`.
    pub fn program(&self, form: &str, name: &str) -> Outcome<Native> {
        let address = self.address(&format!("{form}_{name}"))?;
        // SAFETY: see the module.
        Ok(unsafe { std::mem::transmute::<*mut c_void, Native>(address) })
    }
}
