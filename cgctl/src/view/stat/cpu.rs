//! Processor time: cgroup-v2.rst, "CPU Interface Files"; cgroup-v1/cpuacct.rst; scheduler/sched-bwc.rst.

use crate::group::{Directories, Directory};
use crate::hierarchy::file::{self, number};
use crate::hierarchy::{Hierarchies, Version};
use serde_json::{Value, json};

/// Microseconds of processor time, and the limit on it.
#[derive(Debug, Default)]
pub struct Cpu {
    /// Used in all.
    pub usage: Option<u64>,
    /// Used outside of the kernel.
    pub user: Option<u64>,
    /// Used in the kernel.
    pub system: Option<u64>,
    /// The limit, in thousandths of a processor; `None` for no limit.
    pub limit: Option<u64>,
    /// Periods of the limit in which something ran.
    pub periods: Option<u64>,
    /// Those of them that ended with processes waiting for the next.
    pub throttled: Option<u64>,
    /// How long they waited.
    pub throttled_time: Option<u64>,
}

impl Cpu {
    /// Reads it, where it is counted. The unified tree counts time without any controller.
    pub fn read(group: &impl Directories, all: &Hierarchies) -> Option<Self> {
        let mut cpu = Cpu::default();
        if let Some(unified) = all.unified().and_then(|index| group.directory(index)) {
            cpu.add_v2(unified);
        }
        let v1 =
            |controller| group.with_controller(controller, all).filter(|found| found.version == Version::V1);
        if let Some(accounting) = v1("cpuacct") {
            cpu.add_accounting(accounting);
        }
        if let Some(limits) = v1("cpu") {
            cpu.add_limits(limits);
        }
        (cpu.usage.is_some() || cpu.periods.is_some()).then_some(cpu)
    }

    fn add_v2(&mut self, unified: &Directory) {
        let stat = file::read(unified, "cpu.stat").unwrap_or_default();
        let field = |name| file::field(&stat, name);
        self.usage = field("usage_usec");
        self.user = field("user_usec");
        self.system = field("system_usec");
        self.periods = field("nr_periods");
        self.throttled = field("nr_throttled");
        self.throttled_time = field("throttled_usec");
        self.limit = file::read(unified, "cpu.max").ok().and_then(|text| {
            let (quota, period) = text.trim().split_once(' ')?;
            thousandths(quota.parse().ok()?, period.parse().ok()?)
        });
    }

    fn add_accounting(&mut self, directory: &Directory) {
        if self.usage.is_none() {
            let usage = number(directory, "cpuacct.usage").map(|nanoseconds| nanoseconds / 1000);
            let parts = number(directory, "cpuacct.usage_user").zip(number(directory, "cpuacct.usage_sys"));
            self.usage = usage;
            (self.user, self.system) = usage.zip(parts).map(|(usage, parts)| divide(usage, parts)).unzip();
        }
    }

    fn add_limits(&mut self, directory: &Directory) {
        let stat = file::read(directory, "cpu.stat").unwrap_or_default();
        self.periods = file::field(&stat, "nr_periods");
        self.throttled = file::field(&stat, "nr_throttled");
        self.throttled_time = file::field(&stat, "throttled_time").map(|nanoseconds| nanoseconds / 1000);
        let quota = number(directory, "cpu.cfs_quota_us").zip(number(directory, "cpu.cfs_period_us"));
        self.limit = quota.and_then(|(quota, period)| thousandths(quota, period));
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "usage_usec": self.usage,
            "user_usec": self.user,
            "system_usec": self.system,
            "limit": self.limit.map(|limit| limit as f64 / 1000.0),
            "periods": self.periods,
            "throttled": self.throttled,
            "throttled_usec": self.throttled_time,
        })
    }
}

/// The two parts of the time are counted by the tick, their sum exactly: v2 divides the sum by them, as is done here
/// (cputime_adjust in kernel/sched/cputime.c).
fn divide(usage: u64, (user, system): (u64, u64)) -> (u64, u64) {
    let share = u128::from(usage) * u128::from(user);
    let user = share.checked_div(u128::from(user) + u128::from(system)).map_or(usage, |share| share as u64);
    (user, usage - user)
}

fn thousandths(quota: u64, period: u64) -> Option<u64> {
    quota.checked_mul(1000)?.checked_div(period)
}
