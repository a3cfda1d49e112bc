//! Archives written member by member: no archiver would write these.

/// What a member is; a link names what it leads to.
#[derive(Debug, Clone)]
pub enum Kind {
    /// With its content.
    File(Vec<u8>),
    /// A directory.
    Dir,
    /// A symbolic link, to whatever.
    Symlink(Vec<u8>),
    /// To an earlier member; only tar can say so.
    Hard(Vec<u8>),
    /// A device node with its numbers.
    Char(u32, u32),
    /// The same for blocks.
    Block(u32, u32),
}

/// One entry of an archive.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its path, as it stands in the archive.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Its permission bits.
    pub mode: u32,
    /// Of the user and of the group.
    pub owner: u32,
}

fn member(name: impl AsRef<[u8]>, kind: Kind) -> Member {
    Member { name: name.as_ref().to_owned(), kind, mode: 0o755, owner: 0 }
}

/// A regular file.
pub fn file(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Member {
    member(name, Kind::File(content.as_ref().to_owned()))
}

/// A directory.
pub fn dir(name: impl AsRef<[u8]>) -> Member {
    member(name, Kind::Dir)
}

/// A symbolic link.
pub fn link(name: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Member {
    member(name, Kind::Symlink(to.as_ref().to_owned()))
}

/// A hard link to an earlier member.
pub fn hard(name: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Member {
    member(name, Kind::Hard(to.as_ref().to_owned()))
}

/// A device node.
pub fn node(name: &str, kind: Kind) -> Member {
    member(name, kind)
}

impl Member {
    /// The same with these permission bits.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// The same with this number as user and group.
    pub fn owner(mut self, owner: u32) -> Self {
        self.owner = owner;
        self
    }

    fn content(&self) -> &[u8] {
        if let Kind::File(content) = &self.kind { content } else { &[] }
    }

    fn target(&self) -> &[u8] {
        match &self.kind {
            Kind::Symlink(to) | Kind::Hard(to) => to,
            _ => &[],
        }
    }

    fn device(&self) -> (u32, u32) {
        match self.kind {
            Kind::Char(major, minor) | Kind::Block(major, minor) => (major, minor),
            _ => (0, 0),
        }
    }
}

/// An archive in one of the formats.
pub type Format = fn(&[Member]) -> Vec<u8>;

/// The ustar format, tar(5).
pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut archive = Vec::new();
    for member in members {
        archive.extend(tar_header(member));
        archive.extend(member.content());
        pad(&mut archive, 512);
    }
    archive.extend([0; 1024]);
    archive
}

fn tar_header(member: &Member) -> [u8; 512] {
    let (major, minor) = member.device();
    let kind = match member.kind {
        Kind::File(_) => "0",
        Kind::Hard(_) => "1",
        Kind::Symlink(_) => "2",
        Kind::Char(..) => "3",
        Kind::Block(..) => "4",
        Kind::Dir => "5",
    };
    let octal = |number: u32| format!("{number:07o}").into_bytes();
    let size = format!("{:011o}", member.content().len()).into_bytes();
    let fields: [(usize, &[u8]); 12] = [
        (0, &member.name),
        (100, &octal(member.mode)),
        (108, &octal(member.owner)),
        (116, &octal(member.owner)),
        (124, &size),
        (136, b"00000000000"),
        (148, b"        "),
        (156, kind.as_bytes()),
        (157, member.target()),
        (257, b"ustar\x0000"),
        (329, &octal(major)),
        (337, &octal(minor)),
    ];
    assert!(member.name.len() <= 100 && member.target().len() <= 100, "too long for a header");
    let mut block = [0; 512];
    for (at, bytes) in fields {
        block[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The newc format, cpio(5).
pub fn cpio(members: &[Member]) -> Vec<u8> {
    let mut archive = Vec::new();
    let end = Member { mode: 0, ..file("TRAILER!!!", "") };
    for (number, member) in (1..).zip(members.iter().chain([&end])) {
        let kind = match member.kind {
            Kind::File(_) => 0o100_000,
            Kind::Dir => 0o040_000,
            Kind::Symlink(_) => 0o120_000,
            Kind::Char(..) => 0o020_000,
            Kind::Block(..) => 0o060_000,
            Kind::Hard(_) => panic!("not by name"),
        };
        let data = [member.content(), member.target()].concat();
        let (size, name) = (u32::try_from(data.len()).unwrap(), u32::try_from(member.name.len()).unwrap());
        let (major, minor) = member.device();
        let (mode, owner) = (kind | member.mode, member.owner);
        archive.extend(b"070701");
        for field in [number, mode, owner, owner, 1, 0, size, 0, 0, major, minor, name + 1, 0] {
            archive.extend(format!("{field:08x}").as_bytes());
        }
        archive.extend(&member.name);
        archive.push(0);
        pad(&mut archive, 4);
        archive.extend(data);
        pad(&mut archive, 4);
    }
    archive
}

fn pad(archive: &mut Vec<u8>, block: usize) {
    archive.resize(archive.len().next_multiple_of(block), 0);
}

/// Bytes that no compression makes shorter.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
