# df: show how much room images and boxes take

synopsis='[OPTION ...]'
options='
 --json print a JSON object for each kind, on a line of its own
'

as_json=''

option() {
  as_json=yes
}

verb_df() {
  load images
  load workshop
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'df takes no operand'
  find_places
  [ -z "$explain" ] || { step du -sk "$store/layers" "$store/boxes" && return; }
  find_own_tools
  images=0 used_images=0 boxes=0 used_boxes=0
  image_bytes=0 free_image_bytes=0 box_bytes=0 free_box_bytes=0
  note_boxes
  note_images
  measure
  [ -n "$as_json" ] || printf '%-8s %6s %6s %12s %12s\n' KIND TOTAL IN\ USE SIZE 'CAN BE FREED'
  print_kind images "$images" "$used_images" "$image_bytes" "$free_image_bytes"
  print_kind boxes "$boxes" "$used_boxes" "$box_bytes" "$free_box_bytes"
}

# Sets $layers_in_use, $images_in_use and $running, each as `|NAME|NAME|`.
note_boxes() {
  layers_in_use='|' images_in_use='|' running='|'
  for link in "$store"/names/*; do
    read_value "$link/id"
    id=$value box=$store/boxes/$value run=$runs/$value
    [ -n "$id" ] || continue
    boxes=$((boxes + 1))
    read_value "$box/image" && images_in_use="$images_in_use$value|"
    while IFS= read -r layer; do layers_in_use="$layers_in_use$layer|"; done <"$box/layers"
    find_state
    case $state in running | paused) used_boxes=$((used_boxes + 1)) running="$running$id|" ;; esac
  done
}

note_images() {
  for image in "$store"/images/*; do
    [ -d "$image" ] || continue
    images=$((images + 1))
    case $images_in_use in *"|${image##*/}|"*) used_images=$((used_images + 1)) ;; esac
  done
}

# What boxes have on them cannot be freed as long as they are there.
measure() {
  [ -d "$store/boxes" ] || return 0
  sizes=$(as_root du -k -s -- "$store"/layers/sha256-* "$store"/boxes/*-* 2>/dev/null) || :
  while read -r size path; do
    bytes=$((${size:-0} * 1024))
    case $path in
      "$store"/layers/*)
        image_bytes=$((image_bytes + bytes))
        case $layers_in_use in *"|${path##*/}|"*) ;; *) free_image_bytes=$((free_image_bytes + bytes)) ;; esac ;;
      "$store"/boxes/*)
        box_bytes=$((box_bytes + bytes))
        case $running in *"|${path##*/}|"*) ;; *) free_box_bytes=$((free_box_bytes + bytes)) ;; esac ;;
    esac
  done <<END
$sizes
END
}

print_kind() {
  if [ -n "$as_json" ]; then
    printf '{"kind":"%s","total":%s,"in_use":%s,"size":%s,"can_be_freed":%s}\n' "$@"
  else
    human "$4" && size=$human
    human "$5"
    printf '%-8s %6s %6s %12s %12s\n' "$1" "$2" "$3" "$size" "$human"
  fi
}
