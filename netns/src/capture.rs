//! Packets of a network namespace, as packet(7) gives them, in the form of pcap-savefile(5).

use chain::sys::net::dropped;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket, sockopt,
};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The largest packet: what offloading puts together may have more than 64 KiB.
const LARGEST: usize = 256 << 10;
/// Room for packets that come while others are written.
const QUEUE: usize = 8 << 20;
/// The length of the header of `LINKTYPE_LINUX_SLL2`.
const HEAD: usize = 20;

/// The start of a file: times in nanoseconds, and the header of `LINKTYPE_LINUX_SLL2`, which tells the interface and
/// the direction, before each packet.
pub fn file_header(snap: u32) -> Vec<u8> {
    let mut bytes = 0xa1b2_3c4d_u32.to_ne_bytes().to_vec();
    bytes.extend([2_u16, 4].iter().flat_map(|version| version.to_ne_bytes()));
    bytes.extend([0, 0, snap, 276].iter().flat_map(|number| number.to_ne_bytes()));
    bytes
}

/// What gives the packets of all interfaces of the namespace that it was opened in.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// A packet.
#[derive(Debug)]
pub struct Packet<'a> {
    when: Duration,
    from: LinkAddr,
    bytes: &'a [u8],
}

impl Capture {
    /// Opens it in the network namespace that this process is in; CAP_NET_RAW.
    pub fn open() -> Result<Self> {
        let what = "listen to packets";
        let socket =
            socket(AddressFamily::Packet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)
                .cannot(what)
                .map_err(|e| {
                    e.hint_if(
                        Errno::EPERM,
                        "it takes CAP_NET_RAW in the user namespace that owns the network",
                    )
                })?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).cannot(what)?;
        // Beyond the limit of the system only for root; a smaller queue is no error.
        let _ = setsockopt(&socket, sockopt::RcvBufForce, &QUEUE);
        Ok(Capture { socket, buffer: vec![0; LARGEST] })
    }

    /// The next packet, if one is there.
    pub fn next(&mut self) -> Result<Option<Packet<'_>>> {
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        let (length, from, when) = {
            let mut parts = [IoSliceMut::new(&mut self.buffer)];
            let flags = MsgFlags::MSG_DONTWAIT;
            match recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
                // An interface that goes down says so here.
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ENETDOWN) => return Ok(None),
                Err(errno) => return Err(Error::os("read a packet", errno)),
                Ok(message) => {
                    let when = message.cmsgs().cannot("read a packet")?.find_map(|part| match part {
                        ControlMessageOwned::ScmTimestampns(when) => Some(Duration::from(when)),
                        _ => None,
                    });
                    (message.bytes, message.address, when)
                }
            }
        };
        let Some(from) = from else { return Ok(None) };
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Some(Packet { when: when.unwrap_or_else(now), from, bytes: &self.buffer[..length] }))
    }

    /// How many packets had no room in the queue.
    pub fn dropped(&self) -> u32 {
        dropped(self.socket.as_fd()).unwrap_or(0)
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Packet<'_> {
    /// The number of the interface.
    pub fn index(&self) -> u32 {
        self.from.ifindex() as u32
    }

    /// Its record, with at most `snap` bytes of it.
    pub fn record(&self, snap: u32) -> Vec<u8> {
        let whole = HEAD + self.bytes.len();
        let kept = whole.min(snap as usize);
        let seconds = u32::try_from(self.when.as_secs()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(16 + kept);
        let head = [seconds, self.when.subsec_nanos(), kept as u32, whole as u32];
        record.extend(head.iter().flat_map(|number| number.to_ne_bytes()));
        record.extend(self.head());
        record.extend(self.bytes);
        record.truncate(16 + kept);
        record
    }

    /// The header, all in network byte order. The protocol has that order in struct sockaddr_ll already.
    fn head(&self) -> Vec<u8> {
        let mut head = self.from.protocol().to_ne_bytes().to_vec();
        head.extend([0; 2]);
        head.extend(self.index().to_be_bytes());
        head.extend(self.from.hatype().to_be_bytes());
        head.push(self.from.pkttype());
        head.push(self.from.halen().min(8) as u8);
        head.extend(self.from.addr().unwrap_or_default());
        head.resize(HEAD, 0);
        head
    }
}
