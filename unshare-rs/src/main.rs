//! Creates namespaces, then runs the rest of the line.
#![cfg_attr(not(test), no_main)]

mod cli;

chain::main!("unshare-rs", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    Err(chain::exec::exec(&options.command))
}
