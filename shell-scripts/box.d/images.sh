# images: list the images

synopsis='[OPTION ...]'
options='
 -q --quiet print names only
 --json print an object for each
'

option() {
  case $1 in
    --quiet) quiet=yes ;;
    --json) json_wanted=yes ;;
  esac
}

verb_images() {
  quiet='' json_wanted=''
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'images takes no operand'
  load images
  open_images
  [ -n "$quiet$json_wanted" ] || printf '%-24s %-12s %-20s %6s %10s\n' NAME ID CREATED LAYERS SIZE
  for image in "$store"/images/*; do
    [ ! -d "$image" ] || show_image
  done
}

show_image() {
  image_name=${image##*/}
  read_value "$image/id" && image_id=$value
  read_value "$image/created" && created=$value
  read_value "$image/size" && size=${value:-0}
  count=0 digests=''
  while IFS= read -r layer; do
    count=$((count + 1)) digests="$digests${digests:+,}\"$layer\""
  done <"$image/layers"
  if [ -n "$quiet" ]; then
    printf '%s\n' "$image_name"
  elif [ -n "$json_wanted" ]; then
    read_value "$image/platform"
    printf '{"name":"%s","id":"%s","created":"%s","size":%s,"platform":"%s","layers":[%s]}\n' \
      "$image_name" "$image_id" "$created" "$size" "$value" "$digests"
  else
    short=${image_id%"${image_id#????????????}"}
    human "$size"
    printf '%-24s %-12s %-20s %6s %10s\n' "$image_name" "$short" "${created%.*}" "$count" "$human"
  fi
}
