# Layers: directories named after the digest of their tar archive, shared by images and never changed. Each holds the
# tree `root`, its `size` as an archive, and for a layer that was made elsewhere the archive as it came, `blob`: nobody
# else's archive can be packed again so that its digest stays.

# tree_to_tar DIR: writes a directory tree, such as the upper one of an overlay, as the archive of an OCI layer.
tree_to_tar() (
  find_program getfattr || die "cannot pack $1: there is no getfattr" 'apt-get install attr'
  as_root rm -rf "$work/lists"
  attempt create "$work/lists" mkdir "$work/lists"
  tree=$1
  set --
  # What is not the caller's, such as a directory of root's that was laid over an image, would be nobody's.
  has_ids || set -- --owner=0 --group=0
  as_root sh "$parts/inside/pack-layer" "$tree" "$work/lists" "$@"
)

# layer_from_upper DIR: makes a layer of a tree with the marks of overlayfs. Sets $digest and $bytes.
layer_from_upper() {
  rm -f tree
  attempt create "$work" mkfifo tree
  { tree_to_tar "$1" || : >unpackable; } >tree 2>&4 &
  jobs="$jobs $!" packer='' label=$1
  exec 3<tree
  unpack_layer
  [ ! -e unpackable ] || give_up pack
  place_layer
}

# Makes a layer of the tree `root`, which has no marks. Sets $digest and $bytes.
layer_from_root() {
  rm -f counted broken
  attempt create "$work" mkfifo counted
  wc -c <counted >counted.bytes 2>&4 &
  jobs="$jobs $!" counting=$!
  { tree_to_tar root 2>&4 || : >broken; } | tee counted 2>&4 | sha256sum >counted.sum 2>&4 &
  jobs="$jobs $!"
  { wait "$!" && wait "$counting"; } || give_up pack
  jobs=''
  [ ! -e broken ] || give_up pack
  read -r digest _ <counted.sum
  read -r bytes <counted.bytes
  place_layer
}

# has_layer DIFF_ID
has_layer() {
  [ -d "$store/layers/sha256-$1" ] || [ -d "made/sha256-$1" ]
}

# take_layer FILE DIFF_ID [BLOB_DIGEST]: makes a layer of an archive that must have these digests.
take_layer() {
  check_digest "$1" "${3-}"
  unpack_layer "$1"
  [ "$digest" = "$2" ] ||
    die "cannot import $label: it is damaged, or not what the image says: its digest is sha256:$digest, not sha256:$2"
  keep_blob "$1"
  place_layer
}

# check_digest FILE HEX: where a digest is known.
check_digest() {
  [ -n "$2" ] || return 0
  sum=$(sha256sum <"$1") || die "cannot read $label"
  [ "${sum%% *}" = "$2" ] || die "cannot import $label: it is damaged: its digest is sha256:${sum%% *}, not sha256:$2"
}

# Of a plain archive that can be packed again nothing is kept; another one is packed as registries want it.
keep_blob() {
  case $packer in
    gzip | zstd) attempt copy "$label" cp --reflink=auto "$1" blob ;;
    *)
      ! is_reproducible || return 0
      if ! { feed <"$1" | gzip -n -1 >blob; } 2>&4 || [ -e broken ]; then give_up pack; fi ;;
  esac
  sum=$(sha256sum <blob)
  write_value blob_digest "${sum%% *}"
}

is_reproducible() {
  sum=$(tree_to_tar root 2>/dev/null | sha256sum)
  [ "${sum%% *}" = "$digest" ]
}

# From `root`, with its archive: it comes into the store together with the image.
place_layer() {
  write_value new/size "$bytes"
  [ -z "$(marks_of_root)" ] || write_value new/opaque yes
  [ ! -f blob ] || attempt create "$work/new" mv blob blob_digest new/
  has_layer "$digest" || attempt create "$work/made/sha256-$digest" mv -T new "made/sha256-$digest"
  new_root
}

# The mark of a root directory that hides all of the layers below: overlayfs does not look for it there.
marks_of_root() {
  ! find_program getfattr ||
    as_root getfattr -h --absolute-names -m '^(trusted|user)\.overlay\.opaque$' new/root 2>/dev/null
}

# Two who make the same layer at once both win.
store_layers() {
  reach_disk
  for layer in made/sha256-*; do
    [ -d "$layer" ] || continue
    stored=$store/layers/${layer#made/}
    [ -d "$stored" ] || mv -T "$layer" "$stored" 2>/dev/null || [ -d "$stored" ] ||
      attempt create "$stored" mv -T "$layer" "$stored"
  done
}
