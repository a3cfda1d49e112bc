//! A group's numbers as a person reads them.

use super::{Cpu, Device, Memory, Pids, Pressure, Stat};
use crate::vocabulary::size;

impl Stat {
    /// The name, then a line for each thing that is counted.
    pub fn text(&self) -> String {
        let state = if self.frozen { ", frozen" } else { "" };
        let mut lines = vec![("processes", format!("{}{state}", self.processes))];
        lines.extend(self.memory.iter().flat_map(memory));
        lines.extend(self.cpu.iter().flat_map(cpu));
        lines.extend(self.pids.iter().map(|of| ("pids", pids(of))));
        lines.extend(self.io.iter().flatten().map(|device| ("io", io(device))));
        lines.extend(self.memory.iter().filter_map(oom).map(|text| ("oom", text)));
        lines.extend(self.pressure.iter().map(|of| ("pressure", pressure(of))));
        let mut text = format!("{}\n", self.group);
        let mut before = "";
        for (what, value) in lines {
            let shown = if what == before { "" } else { what };
            text += &format!("  {shown:9}  {value}\n");
            before = what;
        }
        text
    }
}

fn memory(memory: &Memory) -> Vec<(&'static str, String)> {
    let mut first = share(memory.current.unwrap_or(0), memory.limit, size::show);
    let more = [("high", memory.high), ("peak", memory.peak), ("swap", memory.swap)];
    for (name, bytes) in more.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))) {
        first += &format!(", {name} {}", size::show(bytes));
    }
    let kinds: Vec<String> =
        memory.kinds.iter().map(|(kind, bytes)| format!("{kind} {}", size::show(*bytes))).collect();
    let kinds = (!kinds.is_empty()).then(|| ("memory", kinds.join(", ")));
    std::iter::once(("memory", first)).chain(kinds).collect()
}

fn cpu(cpu: &Cpu) -> Vec<(&'static str, String)> {
    let limit = cpu.limit.map_or("no limit".to_owned(), |limit| format!("limit {}", cores(limit)));
    let mut parts = Vec::new();
    for (name, time) in [("", cpu.usage), ("user ", cpu.user), ("system ", cpu.system)] {
        parts.extend(time.map(|time| format!("{name}{}", duration(time))));
    }
    parts.push(limit);
    let throttled = cpu.throttled.filter(|count| *count > 0).map(|count| {
        let periods = cpu.periods.map_or(String::new(), |periods| format!(" of {periods}"));
        let time = cpu.throttled_time.map_or(String::new(), |time| format!(", {}", duration(time)));
        ("cpu", format!("throttled in {count}{periods} periods{time}"))
    });
    std::iter::once(("cpu", parts.join(", "))).chain(throttled).collect()
}

fn pids(pids: &Pids) -> String {
    let peak = pids.peak.map_or(String::new(), |peak| format!(", peak {peak}"));
    let refused = pids.refused.filter(|count| *count > 0);
    let refused = refused.map_or(String::new(), |count| format!(", refused {count}"));
    format!("{}{peak}{refused}", share(pids.current, pids.limit, |count| count.to_string()))
}

fn io(device: &Device) -> String {
    let name = device.name.as_deref().unwrap_or(&device.number);
    let [read, written] = [device.read, device.written].map(size::show);
    format!("{name}: read {read} in {}, written {written} in {}", device.reads, device.writes)
}

fn oom(memory: &Memory) -> Option<String> {
    let killed = memory.oom_kill.map(|count| format!("killed {count}"));
    let reached = memory.reached.map(|count| format!("limit reached {count}"));
    let parts: Vec<String> = killed.into_iter().chain(reached).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn pressure(pressure: &Pressure) -> String {
    let line = |line: &super::pressure::Line| {
        let [ten, sixty, minutes] = &line.averages;
        format!("{} {ten} {sixty} {minutes}", line.who)
    };
    let lines: Vec<String> = pressure.lines.iter().map(line).collect();
    format!("{:6} {}", pressure.resource, lines.join(", "))
}

/// `5 of 10 (50%)`, or `5, no limit`.
fn share(current: u64, limit: Option<u64>, show: impl Fn(u64) -> String) -> String {
    match limit {
        Some(limit) => match (u128::from(current) * 100).checked_div(u128::from(limit)) {
            Some(percent) => format!("{} of {} ({percent}%)", show(current), show(limit)),
            None => format!("{} of {}", show(current), show(limit)),
        },
        None => format!("{}, no limit", show(current)),
    }
}

/// Thousandths of a processor as [`cpu`](crate::vocabulary::setting) takes them.
pub fn cores(thousandths: u64) -> String {
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    let text = format!("{whole}.{rest:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Microseconds as a person reads them.
pub fn duration(microseconds: u64) -> String {
    let (milliseconds, seconds) = (microseconds / 1000, microseconds / 1_000_000);
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{seconds}.{:02}s", milliseconds % 1000 / 10),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_short() {
        let times = [
            (0, "0ms"),
            (999_999, "999ms"),
            (1_230_000, "1.23s"),
            (61_000_000, "1m01s"),
            (7_320_000_000, "2h02m"),
        ];
        for (microseconds, text) in times {
            assert_eq!(duration(microseconds), text);
        }
        assert_eq!(share(5, Some(10), |n| n.to_string()), "5 of 10 (50%)");
        assert_eq!(share(5, Some(0), |n| n.to_string()), "5 of 0");
        assert_eq!(share(5, None, |n| n.to_string()), "5, no limit");
        assert_eq!([cores(500), cores(2000), cores(1250)], ["0.5", "2", "1.25"]);
    }
}
