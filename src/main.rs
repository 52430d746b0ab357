//! The program itself: everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    login_with_zoho::run(std::env::args_os())
}
