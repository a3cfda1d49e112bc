# diff: list what a box has added (A), changed (C) and deleted (D) in its image

synopsis='[OPTION ...] BOX'
options='
 --json print a JSON object for each, on a line of its own
'

as_json=''

option() {
  as_json=yes
}

verb_diff() {
  load boxes
  load pipeline
  load workshop
  parse_options "$@"
  shift "$taken"
  find_places
  one_box "$@"
  find_own_tools
  find_program getfattr || die "cannot compare $which: there is no getfattr" 'apt-get install attr'
  upper='' trees=''
  each_root_option note_tree
  [ -n "$upper" ] || return 0
  eval "compare $upper $trees"
}

# Sets $upper and $trees, quoted words, the topmost layer first. What --layer-on lays over the image belongs to it.
note_tree() {
  quote_word "$2"
  case $1 in
    --upper) upper=$quoted_word ;;
    --layer) trees="$quoted_word $trees" ;;
  esac
}

compare() {
  if [ -n "$explain" ]; then
    step sh "$parts/inside/list-tree" "$@"
    return
  fi
  as_root sh "$parts/inside/list-tree" "$@" | jq -Rrs --arg json "$as_json" -f "$parts/inside/diff.jq"
}
