# Lines of the history, of the file `events` and of the kernel as one kind of lines.

def wanted($words; $value): ($words | split(" ") | map(select(. != ""))) as $list
  | ($list | length) == 0 or any($list[]; . as $word | $value | any(.[]; . == $word or (length == 36 and startswith($word))));

def event:
  if .kernel then {time: (.kernel.time | floor), event: "oom", id, name, killed: (.kernel.count // 1)}
  elif .event == "run" then {time, event: "started", id, name, image, command}
  elif .event == "stop" then {time, event: "exited", id, name, image, code, oom}
  else . end;

def printable: tostring | gsub("[[:cntrl:]]"; "?");

def details: to_entries | map(select(.key | IN("time", "event", "id", "name") | not)
  | select(.value != null) | "\(.key)=\(.value | printable)") | join(" ");

inputs | fromjson? | event
| select(.time >= $since and ($until == null or .time <= $until))
| select(wanted($kinds; [.event]) and wanted($boxes; [.id, .name]))
| if $json != "" then {time, event, id, name} + . | tojson
  else "\(.time | todate) \(.event) \(.name) \(.id[:8]) \(details)" | rtrimstr(" ") end
