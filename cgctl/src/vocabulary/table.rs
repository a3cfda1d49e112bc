//! Every key. Sources: admin-guide/cgroup-v2.rst, cgroup-v1/*.rst and scheduler/sched-bwc.rst of the kernel, and the
//! functions named where a rule stands.

use crate::vocabulary::device::Io;
use crate::vocabulary::kernel::{
    bfq_weight, default_number, io_line, list_or_empty, list_text, no_single, number, or_max, or_minus_one,
    quota_and_period, quota_of_pair, quota_of_two_files, shares, swap_of_both, weight_of_bfq,
    weight_of_shares, weight_text,
};
use crate::vocabulary::keys::{
    CPU, CPUS, File, IO, IO_WEIGHT, Key, MEMORY, PIDS, SWAP, Sibling, Side, WEIGHT,
};
use crate::vocabulary::value::{Unit, Value, list};
use crate::vocabulary::words::{bytes, count, flag, page_multiple, quota, share_of_period, weight};

const BYTES: &str = "bytes with k, M, G or T, a share of the memory (50%), or max";
const NO_V1: &str = "cgroup v1 has nothing like it";
const SOFT: &str = "cgroup v1 has nothing like it: its memory.soft_limit_in_bytes is ignored by the kernel";

const fn file(
    controller: &'static str,
    name: &'static str,
    text: fn(&Value) -> String,
    read: fn(&str, Sibling<'_>) -> Option<Value>,
) -> Side {
    Side::File(File { controller, name, text, read })
}

const fn memory(
    name: &'static str,
    file_name: &'static str,
    needs: Option<&'static str>,
    why: &'static str,
) -> Key {
    Key {
        name,
        alias: None,
        v2: file("memory", file_name, or_max, number),
        v1: Side::Nothing(why),
        unit: Unit::Byte,
        needs,
        takes: BYTES,
        parse: |text, _| bytes(text, 0),
    }
}

const fn yes_or_no(name: &'static str, v2: Side, v1: Side, needs: &'static str) -> Key {
    Key {
        name,
        alias: None,
        v2,
        v1,
        unit: Unit::One,
        needs: Some(needs),
        takes: "0 or 1",
        parse: |text, _| flag(text),
    }
}

const fn set_of(name: &'static str, alias: &'static str, takes: &'static str) -> Key {
    Key {
        name,
        alias: Some(alias),
        v2: file("cpuset", alias, list_or_empty, list_text),
        v1: file("cpuset", alias, list_or_empty, list_text),
        unit: Unit::One,
        needs: None,
        takes,
        parse: |text, _| list(text),
    }
}

const fn tree(name: &'static str, file_name: &'static str) -> Key {
    Key {
        name,
        alias: None,
        v2: file("cgroup", file_name, or_max, number),
        v1: Side::Nothing(NO_V1),
        unit: Unit::One,
        needs: Some("Linux 4.14"),
        takes: "a whole number from 0 to 2147483646, or max",
        parse: |text, _| count(text, 0, 2_147_483_646),
    }
}

/// Every key.
pub const KEYS: [Key; 21] = [
    Key {
        name: MEMORY,
        alias: Some("mem.max"),
        v2: file("memory", "memory.max", or_max, number),
        v1: file("memory", "memory.limit_in_bytes", or_minus_one, number),
        unit: Unit::Byte,
        needs: None,
        takes: "bytes with k, M, G or T (64M, 1.5G, 64MiB, 64MB), a share of the memory (50%), or max",
        parse: |text, _| bytes(text, 4096),
    },
    Key {
        name: SWAP,
        alias: Some("swap.max"),
        v2: file("memory", "memory.swap.max", or_max, number),
        v1: file("memory", "memory.memsw.limit_in_bytes", or_minus_one, swap_of_both),
        unit: Unit::Byte,
        needs: Some("swap accounting: CONFIG_SWAP, or swapaccount=1 at boot before Linux 5.18"),
        takes: "bytes of swap in addition to m (0, 64M, 1.5G), a share of the swap (50%), or max",
        parse: |text, _| crate::vocabulary::words::swap(text),
    },
    memory("mem.high", "memory.high", None, SOFT),
    memory("mem.low", "memory.low", None, SOFT),
    memory("mem.min", "memory.min", Some("Linux 4.18"), SOFT),
    memory("swap.high", "memory.swap.high", Some("Linux 5.8 with CONFIG_SWAP"), NO_V1),
    memory("zswap.max", "memory.zswap.max", Some("Linux 5.19 with CONFIG_ZSWAP"), NO_V1),
    yes_or_no(
        "zswap.writeback",
        file("memory", "memory.zswap.writeback", or_max, number),
        Side::Nothing(NO_V1),
        "Linux 6.8 with CONFIG_ZSWAP",
    ),
    yes_or_no(
        "oom.group",
        file("memory", "memory.oom.group", or_max, number),
        Side::Nothing("cgroup v1 has nothing like it: its memory.oom_control turns the OOM killer off"),
        "Linux 4.19",
    ),
    Key {
        name: CPU,
        alias: None,
        v2: file("cpu", "cpu.max", quota_and_period, quota_of_pair),
        v1: file("cpu", "cpu.cfs_quota_us", or_minus_one, quota_of_two_files),
        unit: Unit::Core,
        needs: Some("CONFIG_CFS_BANDWIDTH"),
        takes: "processor cores (0.5, 2) or a share of one (50%, 150%), from 0.01, or max",
        parse: |text, _| quota(text),
    },
    Key {
        name: "cpu.burst",
        alias: None,
        v2: file("cpu", "cpu.max.burst", or_max, number),
        v1: file("cpu", "cpu.cfs_burst_us", or_max, number),
        unit: Unit::Core,
        needs: Some("Linux 5.14"),
        takes: "processor cores (0.5) or a share of one (50%), at most as much as cpu; 0 for none",
        parse: |text, _| share_of_period(text),
    },
    Key {
        name: WEIGHT,
        alias: Some("cpu.weight"),
        v2: file("cpu", "cpu.weight", or_max, weight_text),
        v1: file("cpu", "cpu.shares", shares, weight_of_shares),
        unit: Unit::One,
        needs: None,
        takes: "a whole number from 1 to 10000; 100 is usual",
        parse: |text, _| weight(text),
    },
    yes_or_no(
        "cpu.idle",
        file("cpu", "cpu.idle", or_max, number),
        file("cpu", "cpu.idle", or_max, number),
        "Linux 5.15",
    ),
    set_of(CPUS, "cpuset.cpus", "processors as 0-1,3, or all that the group above has"),
    set_of("mems", "cpuset.mems", "memory nodes as 0-1,3, or all that the group above has"),
    Key {
        name: PIDS,
        alias: Some("pids.max"),
        v2: file("pids", "pids.max", or_max, number),
        v1: file("pids", "pids.max", or_max, number),
        unit: Unit::One,
        needs: None,
        takes: "a whole number of processes and threads from 1 to 4194304, or max",
        parse: |text, _| count(text, 1, 4_194_304),
    },
    Key {
        name: IO,
        alias: None,
        v2: file("io", "io.max", io_line, no_single),
        v1: file("blkio", "blkio.throttle.*_device", io_line, no_single),
        unit: Unit::One,
        needs: Some("CONFIG_BLK_DEV_THROTTLING"),
        takes: "DEVICE:LIMIT=N,... with a device, a file on it or MAJ:MIN, and rbps, wbps (bytes a second), riops, wiops (operations) or max",
        parse: |text, _| Io::parse(text).map(Value::Io),
    },
    Key {
        name: IO_WEIGHT,
        alias: None,
        v2: file("io", "io.weight", or_max, default_number),
        v1: file("blkio", "blkio.bfq.weight", bfq_weight, weight_of_bfq),
        unit: Unit::One,
        needs: Some("CONFIG_BLK_CGROUP_IOCOST, or the scheduler bfq: modprobe bfq"),
        takes: "a whole number from 1 to 10000; 100 is usual",
        parse: |text, _| weight(text),
    },
    Key {
        name: "hugetlb.SIZE",
        alias: None,
        v2: file("hugetlb", "hugetlb.SIZE.max", or_max, number),
        v1: file("hugetlb", "hugetlb.SIZE.limit_in_bytes", or_minus_one, number),
        unit: Unit::Byte,
        needs: Some("huge pages of that size"),
        takes: "bytes in whole pages of that size (hugetlb.2MB=64M), or max",
        parse: page_multiple,
    },
    tree("depth", "cgroup.max.depth"),
    tree("descendants", "cgroup.max.descendants"),
];

/// The file of io.weight where the scheduler bfq takes the place of the io.cost controller.
pub const BFQ: File = File { controller: "io", name: "io.bfq.weight", text: bfq_weight, read: weight_of_bfq };
