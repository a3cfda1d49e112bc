# Media types are not always told.
if type == "object" and has("manifests") then "index" else "manifest" end
