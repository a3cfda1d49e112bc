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
  upper='' trees='' shown_trees='' others=''
  each_root_option note_tree
  [ -n "$upper" ] || return 0
  eval "compare '' $upper $trees"
  eval "$others"
}

# Sets $upper and $trees, quoted words, the topmost layer first, and $others to do the same for directories of this host
# that the image shows. What --layer-on lays over the image belongs to it.
note_tree() {
  quote_word "$2"
  case $1 in
    --upper) upper=$quoted_word ;;
    --layer) trees="$quoted_word $trees" ;;
    --overlay-src) shown_trees="$quoted_word $shown_trees" ;;
    --overlay)
      quote compare "/${2#*:/}" "${2%%:/*}"
      others="$others$quoted $shown_trees$newline" shown_trees='' ;;
  esac
}

# compare WHERE UPPER LOWER...
compare() {
  place=$1
  shift
  if [ -n "$explain" ]; then
    step sh "$parts/inside/list-tree" "$@"
  elif [ -d "$1" ]; then
    as_root sh "$parts/inside/list-tree" "$@" |
      jq -Rrs --arg json "$as_json" --arg place "$place" -f "$parts/inside/diff.jq"
  fi
}
