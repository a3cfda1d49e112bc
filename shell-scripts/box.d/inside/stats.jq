# Looks at groups: {uptime, boxes: {GROUP: {id, name, ...}}}, objects of `cgctl stat --json`, null.

def share($part; $whole): if $part == null or $whole == null or $whole == 0 then null else $part * 1000 / $whole | round / 10 end;

def row($new; $old; $box):
  $new.stats[$box.key] as $stat | $old.stats[$box.key] as $was
  | select($stat != null)
  | ($new.uptime - ($old.uptime // 0)) as $seconds
  | $box.value + {
      cpu_percent: (if $was and $seconds > 0 and $stat.cpu.usage_usec != null
        then ($stat.cpu.usage_usec - $was.cpu.usage_usec) / $seconds / 1000 | round / 10 else null end),
      cpu_limit: $stat.cpu.limit,
      memory: $stat.memory.current, memory_limit: $stat.memory.limit,
      memory_percent: share($stat.memory.current; $stat.memory.limit),
      pids: ($stat.pids.current // $stat.processes), pids_limit: $stat.pids.limit,
      io_read: (if $stat.io == null then null else [$stat.io[].read_bytes] | add // 0 end),
      io_written: (if $stat.io == null then null else [$stat.io[].written_bytes] | add // 0 end)
    };

def size:
  if . == null then "-"
  else [., 0] | until(.[0] < 1024 or .[1] == 4; [.[0] / 1024, .[1] + 1])
  | "\(if .[0] < 100 then .[0] * 10 | round / 10 else .[0] | round end)\(["B", "K", "M", "G", "T"][.[1]])"
  end;

def or_dash: if . == null then "-" else tostring end;
def percent: if . == null then "-" else "\(.)%" end;
def left($width): . + " " * ([$width - length, 0] | max) + " ";
def right($width): " " * ([$width - length, 0] | max) + . + " ";

def line($cells):
  ($cells[0] | left(14)) + ($cells[1] | right(7)) + ($cells[2] | right(17)) + ($cells[3] | right(7))
  + ($cells[4] | right(11)) + ($cells[5] | right(17)) + $cells[6];

def table:
  line(["NAME", "CPU", "MEMORY / LIMIT", "MEM", "PIDS", "NET IN / OUT", "DISK IN / OUT"]),
  (.[] | line([
    (.name + if .state == "paused" then " (paused)" else "" end), (.cpu_percent | percent),
    "\(.memory | size) / \(.memory_limit | size)", (.memory_percent | percent),
    "\(.pids | or_dash)/\(.pids_limit | or_dash)",
    "\(.net_received | size) / \(.net_sent | size)", "\(.io_read | size) / \(.io_written | size)"]));

foreach inputs as $item ({};
  if $item == null then . + {ready: true}
  elif $item | has("boxes") then {old: .new, new: ($item + {stats: {}})}
  else .new.stats[$item.group] = $item end;
  select(.ready and .old) | .new as $new | .old as $old
  | [$new.boxes | to_entries | sort_by(.value.name)[] | row($new; $old; .)]
  | if $json != "" then .[] | tojson
    else (if $screen != "" then "\u001b[H\u001b[2J" else empty end), table end)
