# An OCI layout of an image.

# make_layout: of $image, in the directory `layout`.
make_layout() {
  attempt create "$work/layout" mkdir -p layout/blobs/sha256
  ask layers "$image/config.json" >ids
  total=$(wc -l <ids) number=0
  : >blobs
  while IFS=: read -r _ hex <&6; do
    number=$((number + 1)) label="layer $number of $total of ${image##*/}"
    save_layer "$hex"
  done 6<ids
  label=${image##*/}
  read_value "$image/id"
  attempt copy "$image/config.json" cp "$image/config.json" "layout/blobs/sha256/$value"
  save_manifest
}

# save_layer DIFF_ID: links or packs its archive; adds its media type, digest and size to the file `blobs`.
save_layer() {
  layer=$store/layers/sha256-$1
  [ -d "$layer" ] || die "cannot save $label: it is missing in $store"
  type=application/vnd.oci.image.layer.v1.tar blob_digest=$1
  if [ -f "$layer/blob" ]; then
    read_value "$layer/blob_digest" && blob_digest=$value
    find_packer "$layer/blob"
    type=$type+$packer
    ln "$layer/blob" "layout/blobs/sha256/$blob_digest" 2>/dev/null ||
      attempt copy "$label" cp -f "$layer/blob" "layout/blobs/sha256/$blob_digest"
  else
    pack_layer "$1"
  fi
  echo "$type $blob_digest $(wc -c <"layout/blobs/sha256/$blob_digest")" >>blobs
}

pack_layer() {
  rm -f broken
  { tree_to_tar "$layer/root" || : >broken; } 2>&4 | tee "layout/blobs/sha256/$1" 2>&4 | sha256sum >sum 2>&4 &
  jobs=$!
  wait "$jobs" || give_up save
  jobs=''
  [ ! -e broken ] || give_up save
  read -r digest _ <sum
  [ "$digest" = "$1" ] || die "cannot save $label: it was changed: its digest is sha256:$digest, not sha256:$1"
}

# The manifest that the image came with, if its archives are still those, or one made for it.
save_manifest() {
  read_value "$image/id"
  fill_sandbox jq
  (sandboxed jq -c -S -R -s -f /box/make-manifest.jq --arg config "$value" \
    --argjson size "$(wc -c <"$image/config.json")" <blobs) >manifest.json 2>&4 || bad_json manifest.json
  if [ -f "$image/manifest.json" ]; then
    ask manifest manifest.json >ours
    ask manifest "$image/manifest.json" >theirs
    ! cmp -s ours theirs || cp "$image/manifest.json" manifest.json
  fi
  sum=$(sha256sum <manifest.json) && sum=${sum%% *}
  attempt create "$work/layout" cp manifest.json "layout/blobs/sha256/$sum"
  printf '{"imageLayoutVersion":"1.0.0"}' | save layout/oci-layout
  ask make-index manifest.json -c --arg digest "$sum" --arg size "$(wc -c <manifest.json)" --arg name "${image##*/}" |
    save layout/index.json
}

# write_layout FILE|-
write_layout() {
  real find layout -exec touch -h -d @0 {} +
  if [ "$1" = - ]; then pack_layout; else write_whole "$1" pack_layout; fi
}

pack_layout() {
  become tar -C layout -c -f - --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    blobs index.json oci-layout 2>&4 &
  jobs=$!
  packed=0
  wait "$jobs" || packed=$?
  jobs=''
  [ "$packed" -ne 141 ] || die "cannot save $label: Broken pipe"
  [ "$packed" -eq 0 ] || give_up save
}
