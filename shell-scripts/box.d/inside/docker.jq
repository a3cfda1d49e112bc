# What `docker save` lists: with an image its parts, without one the number and the names of each.
def path: if type == "string" and test("^[A-Za-z0-9._/:-]+\\z") then . else error("\(tojson) is no name of a file") end;

if type != "array" or any(.[]; type != "object") then error("it is no list of images") else . end
| if $image == null then
    to_entries[] | .key as $key
    | ([.value.RepoTags[]? | strings | select(test("^[A-Za-z0-9/:._@-]+\\z"))] | if length == 0 then [""] else . end)[]
    | "\($key) \(.)"
  else .[$image] | "config \(.Config | path)", (.Layers[]? | "layer \(path)") end
