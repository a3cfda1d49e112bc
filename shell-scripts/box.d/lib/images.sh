# Images: named directories; README.md has the layout.

# What every verb of images begins with.
open_images() {
  [ -z "$explain" ] || misuse 'only what runs a box can be explained'
  find_places
  make_places
}

# find_image NAME: sets $image, its directory.
find_image() {
  check_name 'an image' "$1"
  image=$store/images/$1
  [ -d "$image" ] || die "cannot find an image called $1: there is none" 'box images lists them'
}

# write_image NAME: from config.json in the workshop, all of whose layers are there. What has the name is replaced.
write_image() {
  attempt create "$store/images/$1" mkdir -p image
  ask layers config.json >ids
  sed s/:/-/ ids >image/layers || cannot_write "$work/image/layers"
  write_settings
  store_layers
  write_value image/size "$(layers_size)"
  for file in config.json manifest.json overlays; do
    [ ! -f "$file" ] || attempt create "$store/images/$1" cp "$file" image/
  done
  place_image "$1"
}

# place_image NAME: the directory `image` of the workshop gets that name.
place_image() {
  attempt create "$work/old" mkdir -p old
  reach_disk
  [ ! -d "$store/images/$1" ] || attempt replace "$store/images/$1" mv -T "$store/images/$1" "old/$1"
  attempt create "$store/images/$1" mv -T image "$store/images/$1"
  rm -rf "old/$1"
}

# What of the configuration a run and a list of images need, each in a file of its own.
write_settings() {
  ask settings config.json >run-settings
  # shellcheck source=/dev/null # quoted by jq
  . ./run-settings
  [ -z "$image_dropped" ] || say "warning: left out variables of several lines of $label: $image_dropped"
  sum=$(sha256sum <config.json)
  write_value image/id "${sum%% *}"
  for key in env cmd entrypoint workdir user ports volumes stop_signal created platform; do
    eval "value=\$image_$key"
    [ -z "$value" ] || write_value "image/$key" "$value"
  done
}

# What the layers of the image take, unpacked, in bytes.
layers_size() {
  size=0
  while IFS= read -r layer; do
    read_value "$store/layers/$layer/size"
    size=$((size + ${value:-0}))
  done <image/layers
  echo "$size"
}

# check_new NAME: for an image that is to be made, unless $force says that it may be replaced.
check_new() {
  check_name 'an image' "$1"
  [ -n "$force" ] || [ ! -e "$store/images/$1" ] ||
    die "cannot create the image $1: there is one of that name" '--force replaces it, box rmi removes it'
}

# ask FILTER FILE [ARG...]: writes what a jq program of ours makes of a JSON file that nobody vouches for.
ask() {
  filter=$1 json=$2
  shift 2
  fill_sandbox jq
  (sandboxed jq -r -f "/box/$filter.jq" "$@") <"$json" 2>&4 || bad_json "$json"
}

bad_json() {
  worst=$(log | head -n 1 | sed -e 's/^jq: error (at [^)]*): //' -e 's/^parse error: .*/it is not JSON/')
  # What is wrong in a commit is what it was told, not the file.
  case $filter in commit) wrong='' ;; *) wrong=${1##*/}:\  ;; esac
  die "cannot $verb $label: $wrong${worst:-it cannot be read}"
}

# Sets $gone to a name that a sweep looks at.
name_aside() {
  gone=$(mktemp -d "$store/work/XXXXXX") || die "cannot create a directory in $store/work"
}

# remove_image NAME: aside first, so that nobody finds a half of it.
remove_image() {
  [ -d "$store/images/$1" ] || return 0
  name_aside
  attempt remove "$store/images/$1" mv -T "$store/images/$1" "$gone"
  attempt remove "$gone" rm -rf "$gone"
}

# Whoever makes an image just now may be about to use a layer that nobody has yet: then the next one prunes.
prune_if_idle() {
  ! lock_store -n -x || prune_layers
}

# Removes layers that no image and no box has any more. The lock must be held alone.
prune_layers() {
  freed=0 pruned=0
  used=$(cat "$store"/images/*/layers "$store"/boxes/*/layers 2>/dev/null | sort -u) || :
  for layer in "$store"/layers/sha256-*; do
    [ -d "$layer" ] || continue
    case $newline$used$newline in
      *"$newline${layer##*/}$newline"*) continue ;;
    esac
    read_value "$layer/size"
    ! remove_layer "$layer" || freed=$((freed + ${value:-0})) pruned=$((pruned + 1))
  done
}

# A box that has just been made of a layer gets it back, or finds it missing.
remove_layer() {
  name_aside
  mv -T "$1" "$gone" || return
  if grep -qsxF "${1##*/}" "$store"/boxes/*/layers; then
    mv -T "$gone" "$1"
    return 1
  fi
  as_root rm -rf "$gone"
}

# Sets $human to a number of bytes as people like it.
human() {
  human=$1 unit=B
  for next in KiB MiB GiB TiB; do
    [ "$human" -ge 10240 ] || break
    human=$((human / 1024)) unit=$next
  done
  human="$human $unit"
}
