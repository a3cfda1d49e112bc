# export: write all files of a box as a tar archive

synopsis='[OPTION ...] BOX'
options='
 -o --output =FILE write to FILE instead of standard output
 --no-pause let the box run on meanwhile
'

output=- pause=yes

option() {
  case $1 in
    --output)
      [ -n "$2" ] || misuse "$1 is empty"
      output=$2 ;;
    --no-pause) pause='' ;;
  esac
}

verb_export() {
  load boxes
  load pipeline
  load images
  load sources
  load hold
  limit=''
  parse_options "$@"
  shift "$taken"
  open_images
  one_box "$@"
  find_tools cgctl
  label=$which
  case $output in -) [ ! -t 1 ] || die 'cannot write to standard output: it is a terminal' "box export -o FILE $which" ;; esac
  open_held_workshop
  plan_tree
  [ -z "$pause" ] || hold_box
  if [ "$output" = - ]; then pack; else write_output; fi
}

# Layers and changes, and what the image shows of this host, as one to a tar that can reach nothing else.
plan_tree() {
  fill_sandbox sh tar find sort uniq sed xargs stat mkdir touch getfattr
  attempt create "$work" mkdir lists sandbox/tree sandbox/lists
  layers='' shown='' others=''
  each_root_option add_layer
}

add_layer() {
  case $1 in
    --layer | --upper)
      quote --overlay-src "$2"
      layers="$layers $quoted" ;;
    --overlay-src)
      quote "$1" "$2"
      shown="$shown $quoted" ;;
    --overlay)
      quote --overlay-src "${2%%:/*}" --ro-overlay "/tree/${2#*:/}"
      [ ! -d "${2%%:/*}" ] || others="$others$shown $quoted"
      shown='' ;;
  esac
}

pack_tree() (
  user='' binds=''
  privileged || user=$maps
  for top in sandbox/*; do
    case $top in sandbox/tree | sandbox/lists) ;; *) binds="$binds --bind $top:${top#sandbox}:ro" ;; esac
  done
  find_program sh
  eval "exec env -i LC_ALL=C PATH=\"\$PATH\" \"\$unshare\" $user -muinp \"\$pivot\" --bare $layers --ro-overlay /tree $others $binds \
    --bind lists:/lists sandbox \"\$found\" /box/pack-layer /tree /lists" 2>&4
)

pack() {
  pack_tree || give_up export
}

# Whole or not at all.
write_output() {
  locate file "$output"
  [ ! -d "$file" ] || die "cannot write $output: Is a directory"
  if [ -e "$file" ] && [ ! -f "$file" ]; then
    pack >"$file"
  else
    write_whole "$output" pack
  fi
}
