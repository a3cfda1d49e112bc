# The steps of a configuration, the last one first, with the sizes of their layers, which the arguments are. A
# configuration may tell fewer steps than it has layers, and steps that made none.
def printable: tostring | gsub("[[:cntrl:]]"; "?");

(.rootfs.diff_ids // []) as $ids
| [.history[]? | objects] as $steps
| ([$steps[] | select(.empty_layer != true)] | length) as $told
| [range($told; $ids | length) | {}] + $steps
| reduce .[] as $step ({at: 0, rows: []};
    if $step.empty_layer == true then .rows += [$step + {layer: null, size: 0}]
    else .rows += [$step + {layer: $ids[.at], size: ($ARGS.positional[.at] // "0" | tonumber)}] | .at += 1 end)
| .rows | reverse[]
| {created: (.created // ""), created_by: (.created_by // ""), comment: (.comment // ""), size, layer}
| if $text then [(.created | printable | .[0:19] | . + " " * (20 - length)),
    (.size | tostring | " " * (12 - length) + .), " \(.created_by | printable)"] | join(" ")
  else . end
