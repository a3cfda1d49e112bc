# prune: remove layers that no image and no box has, and what killed runs left

synopsis='' options=''

verb_prune() {
  parse_options "$@"
  [ "$taken" -eq $# ] || misuse 'prune takes no operand'
  load images
  load workshop
  open_images
  find_own_tools
  attempt create "$store/work" mkdir -p "$store/work"
  lock_store -n -x || {
    say 'waiting until others have made their images'
    lock_store -x
  }
  sweep
  prune_layers
  human "$freed"
  printf 'removed %s layers, %s\n' "$pruned" "$human"
}
