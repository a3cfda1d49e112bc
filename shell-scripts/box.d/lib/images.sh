# Images: named directories with the digests of their layers, lowest first, and their configuration: `config.json` as
# it came, and `settings`, what of it a run needs, as text that a shell reads.

# find_image NAME: sets $image, its directory.
find_image() {
  check_name 'an image' "$1"
  image=$store/images/$1
  [ -d "$image" ] || die "cannot find an image called $1: there is none" 'box images lists them'
}

# write_image NAME: from config.json in the workshop, all of whose layers are there. What has the name is replaced.
write_image() {
  attempt create "$store/images/$1" mkdir -p image old
  ask settings config.json >image/settings
  ask layers config.json | sed s/:/-/ >image/layers
  attempt create "$store/images/$1" cp config.json image/
  [ ! -f manifest.json ] || attempt create "$store/images/$1" cp manifest.json image/
  sum=$(sha256sum <config.json)
  write_value image/id "${sum%% *}"
  [ ! -d "$store/images/$1" ] || attempt replace "$store/images/$1" mv -T "$store/images/$1" "old/$1"
  attempt create "$store/images/$1" mv -T image "$store/images/$1"
  rm -rf "old/$1"
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
  die "cannot import $label: ${1##*/}: ${worst:-it cannot be read}"
}

# Removes layers that no image and no box has any more. The lock must be held alone.
prune_layers() {
  freed=0 pruned=0
  # shellcheck disable=SC2046 # digests
  set -- $(cat "$store"/images/*/layers "$store"/boxes/*/layers 2>/dev/null)
  used=" $* "
  used=$(printf '%s\n' "$@" | sort -u)
  for layer in "$store"/layers/sha256-*; do
    [ -d "$layer" ] || continue
    case $newline$used$newline in
      *"$newline${layer##*/}$newline"*) continue ;;
    esac
    read_value "$layer/size"
    remove_layer "$layer" && freed=$((freed + ${value:-0})) pruned=$((pruned + 1))
  done
}

# A box that has just been made with a layer finds it missing, or the layer is put back.
remove_layer() {
  attempt create "$store/work" mkdir -p "$store/work"
  gone=$(mktemp -d "$store/work/XXXXXX") || return
  mv "$1" "$gone/" || return
  if grep -qsx "${1##*/}" "$store"/boxes/*/layers; then
    mv "$gone/${1##*/}" "$1"
    rmdir "$gone"
    return 1
  fi
  as_root rm -rf "$gone"
}
