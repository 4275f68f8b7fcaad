//! `atoll`: see [`atoll_server::cli`].

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// The memory that a hub needed to write to a thousand members goes back to the system within seconds, by the threads that
/// jemalloc's feature `background_threads` starts. The allocator of glibc keeps most of it (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    atoll_server::cli::run()
}
