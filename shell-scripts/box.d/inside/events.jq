# Lines of the file `events`, some of which the history has too, and of the kernel, as one kind of lines.

def wanted($words; $value): ($words | split(" ") | map(select(. != ""))) as $list
  | ($list | length) == 0 or any($list[]; . as $word | $value | any(.[]; . == $word or (length == 36 and startswith($word))));

def event:
  if .kernel then {time: (.kernel.time | floor), event: "oom", id, name, killed: (.kernel.count // 1)}
  elif .event == "run" then {time, event: "started", id, name, image, command}
  elif .event == "stop" then {time, event: "exited", id, name, image, code, oom}
  else . end;

# A box may have ended before the kernel could be asked about it.
def told($line; $known): $line | event
  | (if .event == "exited" and (.oom // 0) > 0 and ($known[.id] | not) then {time, event: "oom", id, name, killed: .oom}
     else empty end), .;

def printable: tostring | gsub("[[:cntrl:]]"; "?");

def details: to_entries | map(select(.key | IN("time", "event", "id", "name") | not)
  | select(.value != null) | "\(.key)=\(.value | printable)") | join(" ");

foreach (inputs | fromjson?) as $line ({};
  {known: (.known // {}), before: (.known // {})}
  | if $line.kernel then .known[$line.id] = true elif $line.event == "run" then .known[$line.id] = false else . end;
  told($line; .before))
| select(.time >= $since and ($until == null or .time <= $until))
| select(wanted($kinds; [.event]) and wanted($boxes; [.id, .name]))
| if $json != "" then {time, event, id, name} + . | tojson
  else "\(.time | todate) \(.event) \(.name) \(.id[:8]) \(details)" | rtrimstr(" ") end
