# The diff_ids of a configuration, lowest first.
(.rootfs.diff_ids // []) as $ids
| if ($ids | type) != "array" then error("it has no list of layers")
  elif ($ids | length) == 0 then error("it has no layers")
  elif ($ids | length) > 500 then error("it has \($ids | length) layers, and overlayfs takes 500")
  else $ids[] end
| if type == "string" and test("^sha256:[0-9a-f]{64}\\z") then .
  else error("\(tojson) is no digest of a layer") end
