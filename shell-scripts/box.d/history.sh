# history: show how an image was made, the last step first

synopsis='[--json] IMAGE'
options='
 --json print an object for each step
'

option() {
  json_wanted=yes
}

verb_history() {
  json_wanted=''
  parse_options "$@"
  shift "$taken"
  [ $# -eq 1 ] || misuse 'one IMAGE is needed'
  load images
  load workshop
  open_images
  find_image "$1"
  label=$1
  open_workshop
  sizes=''
  while IFS= read -r layer; do
    read_value "$store/layers/$layer/size"
    sizes="$sizes ${value:-0}"
  done <"$image/layers"
  # shellcheck disable=SC2086 # numbers
  if [ -n "$json_wanted" ]; then
    ask history "$image/config.json" -c --argjson text false --args $sizes
  else
    printf '%-20s %12s  %s\n' CREATED SIZE 'CREATED BY'
    ask history "$image/config.json" --argjson text true --args $sizes
  fi
}
