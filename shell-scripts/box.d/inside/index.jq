# The manifests of an OCI index that fit a platform: digest and name.
($rest | split("/")) as [$arch, $variant]
| if (.manifests | type) != "array" then error("it lists no manifests") else . end
| [.manifests[] | objects | select((.annotations["vnd.docker.reference.type"]? // "") == "")] as $all
| def fits: .platform == null or (.platform.os == $os and .platform.architecture == $arch
    and ($variant == null or .platform.variant == $variant));
  [$all[] | select(fits)]
| if length == 0 and ($all | length) > 0 then
    error("it has no image for \($os)/\($rest), but for \([$all[].platform | [.os, .architecture, .variant]
      | map(strings) | join("/")] | unique | join(", ")); --platform chooses one")
  else .[] end
| if (.digest | type == "string" and test("^sha256:[0-9a-f]{64}\\z")) then .
  else error("\(.digest | tojson) is no digest") end
| [.digest, (.annotations["io.containerd.image.name"]?, .annotations["org.opencontainers.image.ref.name"]?
  | strings | select(test("^[A-Za-z0-9/:._@-]+\\z")))] | "\(.[0]) \(.[1] // "")"
