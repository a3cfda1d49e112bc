# What an OCI image manifest, or Docker's of version 2, is made of.
def digest:
  .digest | if type == "string" and test("^sha256:[0-9a-f]{64}\\z") then . else error("\(tojson) is no digest") end;

if .schemaVersion != 2 then error("it is no manifest of version 2") else . end
| if (.config | type) != "object" or (.layers | type) != "array" then error("it has no config or no layers") else . end
| "config \(.config | digest)", (.layers[] | "layer \(digest)")
