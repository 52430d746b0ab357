//! The program itself: everything it does is in the library.

use std::process::ExitCode;

/// A request is dozens of small allocations, and they move between threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    login_with_zoho::run(std::env::args_os())
}
