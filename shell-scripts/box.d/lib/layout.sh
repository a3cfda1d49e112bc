# Images that were made elsewhere: OCI layouts, and what `docker save` writes. Every file but the index is named by its
# digest, which is checked; no name leads out of the directory.

# Whether directory $1 holds images rather than being the root of one.
is_layout() {
  # shellcheck disable=SC2016 # for another shell
  as_root sh -c 'cd "$1" && { { [ -f oci-layout ] && [ -f index.json ]; } ||
    { [ -f manifest.json ] && grep -qs "\"Config\"" manifest.json && grep -qs "\"Layers\"" manifest.json; }; }' sh "$1"
}

# import_layout DIR: the one image in it, or that which --ref names.
import_layout() {
  open_layout "$1"
  choose_image
  take_image "$handle"
}

# open_layout DIR: lists its images in the file `catalog`, a handle and a name each.
open_layout() {
  layout=$(cd -P "$1" && pwd -P && echo .) && layout=${layout%??}
  if [ -f "$layout/index.json" ]; then
    style=oci
    read_json index.json index.json
    list_index index.json >catalog
  else
    style=docker
    read_json manifest.json save.json
    ask docker save.json --argjson image null >catalog
  fi
  [ -s catalog ] || die "cannot $verb $label: there is no image in it"
}

# Sets $handle. One image may have several names.
choose_image() {
  handle='' others=''
  while read -r candidate name_there; do
    if [ -n "$ref" ]; then
      case $name_there in "$ref" | */"$ref") handle=$candidate ;; esac
    elif [ -z "$handle" ] || [ "$handle" = "$candidate" ]; then
      handle=$candidate
    else
      others=yes
    fi
  done <catalog
  if [ -n "$others" ] || [ -z "$handle" ]; then
    die "cannot $verb $label: ${others:+it holds several images}${ref:+none of its images is called $ref}" \
      "choose one by --ref: $(cut -d ' ' -f 2 catalog | tr '\n' ' ')"
  fi
}

# Leaves the configuration, and the manifest if there is one, in the workshop, and the layers in the store.
take_image() {
  rm -f config.json manifest.json
  origin=$label
  if [ "$style" = oci ]; then
    read_manifest "$1"
    ask manifest manifest.json >parts
  else
    ask docker save.json --argjson image "$1" >parts
  fi
  read_config
  ask layers config.json >ids
  sed -n 's/^layer //p' parts >archives
  total=$(wc -l <ids) number=0
  [ "$total" -eq "$(wc -l <archives)" ] ||
    die "cannot $verb $label: its configuration tells of $total layers, its manifest of $(wc -l <archives)"
  paste -d ' ' ids archives >layers.list
  while read -r id archive <&6; do
    number=$((number + 1)) label="layer $number of $total of $origin"
    take_part "${id#sha256:}" "$archive"
  done 6<layers.list
  label=$origin
}

# take_part DIFF_ID DIGEST|PATH
take_part() {
  ! has_layer "$1" || return 0
  case $2 in
    sha256:*)
      find_member "blobs/sha256/${2#sha256:}"
      take_layer "$member" "$1" "${2#sha256:}" ;;
    *)
      find_member "$2"
      take_layer "$member" "$1" ;;
  esac
}

# read_manifest DIGEST: an index of platforms leads to the one that fits.
read_manifest() {
  wanted=$1 depth=0
  while :; do
    read_blob "$wanted" manifest.json
    jq_says index-or-manifest manifest.json
    [ "$said" = index ] || return 0
    depth=$((depth + 1))
    [ "$depth" -le 8 ] || die "cannot $verb $label: its indexes never lead to an image"
    list_index manifest.json >inner
    read -r wanted _ <inner || die "cannot $verb $label: there is no image in it"
  done
}

read_config() {
  config=$(sed -n 's/^config //p' parts)
  case $config in
    sha256:*) read_blob "$config" config.json ;;
    *)
      read_json "$config" config.json
      hex=${config##*/} hex=${hex%.json}
      case $hex in *[!0-9a-f]*) return ;; esac
      [ ${#hex} -ne 64 ] || check_digest config.json "$hex" ;;
  esac
}

# list_index FILE: a digest and a name for each image that fits the platform.
list_index() {
  wanted_platform=${platform:-linux/$(machine)}
  ask index "$1" --arg os "${wanted_platform%%/*}" --arg rest "${wanted_platform#*/}"
}

# Sets $said to the only word that filter $1 makes of file $2.
jq_says() {
  ask "$1" "$2" >what-jq-said
  read -r said <what-jq-said
}

# read_blob DIGEST NAME: copies a blob of JSON to NAME in the workshop, and checks it there.
read_blob() {
  read_json "blobs/sha256/${1#sha256:}" "$2"
  check_digest "$2" "${1#sha256:}"
}

# Registries take no more than 4 MiB.
read_json() {
  find_member "$1"
  head -c 4194305 "$member" | save "$2"
  [ "$(wc -c <"$2")" -le 4194304 ] || die "cannot $verb $label: $1 is larger than 4 MiB"
}

# find_member PATH: sets $member to the file of that name in the layout. Old archives link layers to each other.
find_member() {
  member=$(readlink -f -- "$layout/$1") || die "cannot $verb $label: $1 is missing"
  [ -e "$member" ] || die "cannot $verb $label: $1 is missing"
  case $member in
    "$layout"/*) [ -f "$member" ] || die "cannot $verb $label: $1 is no file" ;;
    *) die "cannot $verb $label: $1 leads out of it" ;;
  esac
}

# name_of_ref REF: sets $name to a name for what is called REGISTRY/PATH:TAG or @DIGEST elsewhere.
name_of_ref() {
  name=${1##*/}
  name=${name%%@*}
  case $name in
    *:latest) name=${name%:latest} ;;
    *:*) name=${name%%:*}-${name#*:} ;;
  esac
}
