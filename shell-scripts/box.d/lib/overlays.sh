# Directories of this host that an image shows: each is a layered directory of its own, with the box's changes in a
# directory of the box, over/1 and so on in the order of the image's file `overlays`.

# Adds $overlays to $pivot_words. What a committed layer has there lies over what the host has.
plan_overlays() {
  number=0
  while IFS= read -r shown; do
    number=$((number + 1))
    quote_word "$shown"
    pivot_words="$pivot_words --overlay-src $quoted_word"
    for layer in $visible; do
      [ ! -d "$store/layers/$layer/root$shown" ] || [ -L "$store/layers/$layer/root$shown" ] || {
        quote_word "$store/layers/$layer/root$shown"
        pivot_words="$pivot_words --overlay-src $quoted_word"
      }
    done
    if [ -n "$read_only" ]; then quote --ro-overlay "$shown"; else quote --overlay "$box/over/$number:$shown"; fi
    pivot_words="$pivot_words $quoted"
  done <<END
$overlays
END
}

# find_changes BOX: sets $changes to a tree of all that a box has changed, as an upper directory: its own, or one put
# together in the workshop.
find_changes() {
  changes=$1/upper
  [ -f "$1/overlays" ] || return 0
  changes=$work/changes number=0
  attempt copy "the changes of $1" as_root cp -a "$1/upper" "$changes"
  while IFS= read -r shown <&6; do
    number=$((number + 1))
    [ -d "$1/over/$number" ] || continue
    attempt copy "the changes of $1" as_root mkdir -p "$changes$shown"
    attempt copy "the changes of $1" as_root cp -a "$1/over/$number/." "$changes$shown/"
  done 6<"$1/overlays"
}
