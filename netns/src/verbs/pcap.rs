//! `netns pcap`: the packets of a namespace, with no tool in it.

use crate::capture::{Capture, Packet, file_header};
use crate::interface::Interface;
use crate::namespace::Which;
use crate::netlink::Route;
use crate::netlink::links;
use chain::error::say;
use chain::text::show;
use chain::{Cannot, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Where to write to, in place of what is there; - for standard output
    #[arg(short, long, value_name = "FILE", required = true)]
    write: PathBuf,
    /// Only the packets of this interface
    #[arg(short, long, value_name = "NAME")]
    interface: Option<Interface>,
    /// End after this many packets
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// At most this much of each packet
    #[arg(short, long, value_name = "BYTES", default_value_t = 262_144, value_parser = clap::value_parser!(u32).range(20..))]
    snap: u32,
    /// A name, process or file, or . for the one that netns runs in
    netns: Which,
}

/// Writes packets until it is told to end.
pub fn run(options: &Options) -> Result<u8> {
    let namespace = options.netns.open()?;
    let stop = stop_signals()?;
    let (mut capture, only) = namespace.visit(|| Ok((Capture::open()?, only(options)?)))?;
    let mut output = Output::open(&options.write)?;
    output.write(&file_header(options.snap))?;
    let mut left = options.count;
    while left != Some(0) && wait(&capture, &stop)? {
        while let Some(packet) = capture.next()?.filter(|_| left != Some(0)) {
            if is_wanted(&packet, only) {
                output.write(&packet.record(options.snap))?;
                left = left.map(|left| left - 1);
            }
        }
    }
    if let lost @ 1.. = capture.dropped() {
        say(&format!("{lost} packets are missing: they came faster than they could be written"));
    }
    Ok(0)
}

/// The number of the interface that was asked for.
fn only(options: &Options) -> Result<Option<u32>> {
    let Some(interface) = &options.interface else { return Ok(None) };
    links::find(&mut Route::open()?, interface).map(|link| Some(link.index))
}

fn is_wanted(packet: &Packet<'_>, only: Option<u32>) -> bool {
    only.is_none_or(|index| index == packet.index())
}

/// The signals that end it, to be read: a record is written whole.
fn stop_signals() -> Result<SignalFd> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&signals), None).cannot("block signals")?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC).cannot("receive signals")
}

/// Until there are packets, which is true, or it is time to end.
fn wait(capture: &Capture, stop: &SignalFd) -> Result<bool> {
    let (capture, stop) = (capture.as_fd(), stop.as_fd());
    let mut both = [PollFd::new(&capture, PollFlags::IN), PollFd::new(&stop, PollFlags::IN)];
    match poll(&mut both, None) {
        Err(rustix::io::Errno::INTR) => Ok(true),
        other => other.cannot("wait for packets").map(|_| both[1].revents().is_empty()),
    }
}

/// Where the packets go.
struct Output {
    file: Box<dyn Write>,
    name: String,
}

impl Output {
    fn open(path: &Path) -> Result<Self> {
        let name = show(path);
        let file: Box<dyn Write> = match path.as_os_str().as_encoded_bytes() {
            b"-" => {
                Box::new(File::from(rustix::io::dup(rustix::stdio::stdout()).cannot("use standard output")?))
            }
            _ => Box::new(File::create(path).cannot_with(|| format!("write {name}"))?),
        };
        Ok(Output { file, name })
    }

    /// In one go, so that who reads along sees whole packets.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).cannot_with(|| format!("write {}", self.name))
    }
}
