//! `atoll`: see [`atoll_server::cli`].

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// The memory that a hub needed to write to a thousand members goes back to the system within seconds: the allocator of
/// glibc keeps most of it (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    atoll_server::cli::run()
}
