# inspect: tell all that is known of boxes, as JSON

synopsis='BOX ...' options=''

verb_inspect() {
  load boxes
  parse_options "$@"
  shift "$taken"
  find_places
  each_box tell_box "$@"
}

# The files as they are; what has no value is null.
tell_box() {
  pid='' group=''
  case $state in running | paused) find_pid && read_group || : ;; esac
  set --
  for field in name image workdir created started exited code oom error command pipeline layers; do
    set -- "$@" --rawfile "$field" "$(file_of "$field")"
  done
  [ -f "$run/status" ] && status=$run/status || status=/dev/null
  jq -n "$@" --arg id "$id" --arg state "$state" --arg pid "$pid" --arg group "$group" --arg box "$box" --arg run "$run" \
    --slurpfile status "$status" '
    def line: sub("\n$"; "");
    def text: line | if . == "" then null else . end;
    def number: text | if . == null then null else (tonumber? // null) end;
    {id: $id, name: ($name | line), image: ($image | line), state: $state, pid: ($pid | number),
      command: ($command | line), workdir: ($workdir | text),
      created: ($created | number), started: ($started | number), exited: ($exited | number),
      code: ($code | number), oom: ($oom | number), error: ($error | text),
      layers: ($layers | line | split("\n")), group: ($group | text), pipeline: ($pipeline | line),
      log: ($box + "/log"), upper: ($box + "/upper"), run: $run, cgctl: ($status[0] // null)}'
}

file_of() {
  if [ -f "$box/$1" ]; then echo "$box/$1"; else echo /dev/null; fi
}

# The path of the group from the top of the first hierarchy that has it.
read_group() {
  { while IFS=: read -r _ _ path; do
    case $path in */"box-$id"*) group=${path%%"/box-$id"*}/box-$id && return ;; esac
  done <"/proc/$pid/cgroup"; } 2>/dev/null || :
}
