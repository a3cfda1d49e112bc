# The body of a request, checked by a schema of openapi.json: the words of JSON Schema 2020-12 that are used there.

def refuse($status; $said; $hint): {status: $status, error: $said, hint: $hint} | error;

def matches($pattern): test("\\A(?:" + $pattern + ")\\z");

def follow: if has("$ref") then .["$ref"] as $to | $api[0] | getpath($to | ltrimstr("#/") | split("/")) else . end;

def unusable($at; $said):
  refuse(422; "\(if $at == "" then "the body" else $at end) \($said)"; "GET /openapi.json tells what is wanted");

def is_of($kind):
  if $kind == "integer" then type == "number" and . == floor
  elif $kind == "number" then type == "number" and (isnan | not)
  else type == $kind end;

def told($kind):
  {"integer": "a whole number", "array": "a list", "object": "an object", "boolean": "true or false"}[$kind] // "a \($kind)";

def check_string($at; $s):
  if any(explode[]; . == 0) then unusable($at; "has a NUL character")
  elif length < ($s.minLength // 0) then unusable($at; "must not be empty")
  elif length > ($s.maxLength // length) then unusable($at; "must not be longer than \($s.maxLength) characters")
  elif $s.pattern and (matches($s.pattern) | not) then unusable($at; "must be \($s.title // $s.pattern)")
  else . end;

def check($at; $schema):
  def check_array($at; $s):
    if length < ($s.minItems // 0) then unusable($at; "must not be empty")
    elif length > ($s.maxItems // length) then unusable($at; "must not have more than \($s.maxItems) items")
    else [range(length) as $i | .[$i] | check("\($at)[\($i)]"; $s.items)] end;
  def check_field($at; $s; $field):
    if $s.properties[$field] then check((if $at == "" then "" else $at + "." end) + $field; $s.properties[$field])
    elif ($s.additionalProperties | type) == "object" then
      ($field | if matches($s.propertyNames.pattern) then . else unusable($at; "has a name that is no \($s.propertyNames.title)") end)
      as $name | check($at + "." + $name; $s.additionalProperties)
    else
      refuse(400; "\(if $at == "" then "the body" else $at end) has a field that is not known here: \($field | .[:64])";
        "known: " + ($s.properties // {} | keys_unsorted | join(", ")))
    end;
  def check_object($at; $s):
    . as $object
    | [$s.required // [] | .[] | select(in($object) | not)] as $missing
    | if length > ($s.maxProperties // length) then unusable($at; "must not have more than \($s.maxProperties) fields")
      else with_entries(.key as $field | .value |= check_field($at; $s; $field)) end
    | if $missing == [] then . else unusable($at; "lacks " + ($missing | join(", "))) end;
  ($schema | follow) as $s
  | . as $value
  | if $s.oneOf then
      [$s.oneOf[] | follow | . as $choice | select($value | is_of($choice.type))] as $choices
      | if $choices == [] then unusable($at; "must be " + ([$s.oneOf[] | follow | told(.type)] | join(" or ")))
        else check($at; $choices[0]) end
    elif $s.type and (is_of($s.type) | not) then unusable($at; "must be \(told($s.type))")
    elif ($s | has("const")) and . != $s.const then unusable($at; "must be \($s.const | tojson)")
    elif $s.enum and (any($s.enum[]; . == $value) | not) then unusable($at; "must be one of " + ($s.enum | join(", ")))
    elif $s.not and . == $s.not.const then unusable($at; "must be something else than \(tojson)")
    elif type == "string" then check_string($at; $s)
    elif type == "array" then check_array($at; $s)
    elif type == "object" then check_object($at; $s)
    elif type == "number" and . < ($s.minimum // .) then unusable($at; "must be at least \($s.minimum)")
    elif type == "number" and . > ($s.maximum // .) then unusable($at; "must be at most \($s.maximum)")
    else . end;

# The one value that the body is; {} if there is none and none is needed. Bytes that are no UTF-8 become U+FFFD in jq,
# so what has that is refused.
def body:
  [inputs]
  | if length > 1 then refuse(400; "the body is more than one JSON text"; "") else . end
  | if length == 0 then {} else .[0] end
  | if any(.. | if type == "object" then keys_unsorted[] else . end; type == "string" and any(explode[]; . == 65533))
    then refuse(400; "the body is no UTF-8"; "") else . end;

def schema($name): $api[0].components.schemas[$name];

# A line for each word, as with_words in lib/body.sh takes them.
def lines: map(gsub("\n"; "\n+") | "=" + .)[];

# Words as a shell would split them; nothing is expanded. No command has a NUL, so one can stand between words.
def split_words:
  def part:
    if startswith("'") then .[1:-1]
    elif startswith("\"") then .[1:-1] | gsub("\\\\(?<c>[\\\\\"$`\n])"; if .c == "\n" then "" else .c end)
    elif startswith("\\") then .[1:] | sub("^\n"; "")
    else . end;
  if matches("(?:[^'\"\\\\]|\\\\[\\s\\S]|'[^']*'|\"(?:[^\"\\\\]|\\\\[\\s\\S])*\")*") | not
  then unusable("command"; "has a quote or a backslash at its end that nothing follows") else . end
  | [scan("[ \t\n]+|'[^']*'|\"(?:[^\"\\\\]|\\\\[\\s\\S])*\"|\\\\[\\s\\S]|[^ \t\n'\"\\\\]+")]
  | map(if test("\\A[ \t\n]") then "\u0000" else part end)
  | if .[0] == "\u0000" then .[1:] else . end
  | if .[-1] == "\u0000" then .[:-1] else . end
  | if . == [] then . else add | split("\u0000") end
  | if . == [] then [""] else . end;

def command_words:
  if type == "array" then . else split_words end
  | if . == [] or .[0] == "" then unusable("command"; "names no program") else . end;

# jq 1.6 has `try` catch what comes behind it too, so it is at the end. Only the words of its parser tell a line.
def answer(f):
  try f catch
    if type == "object" then "!\(.status) \({error, hint} | tojson)"
    elif test(" line [0-9]+, column ") then "!400 \({error: "the body is no JSON text: \(.)", hint: ""} | tojson)"
    else error end;
