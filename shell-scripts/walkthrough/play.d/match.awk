# Whether the file `got` is what the file `shown` says: line by line, where ... stands for anything in a line,
# and on a line of its own for any lines.

BEGIN {
  while ((getline line <shown) > 0) pattern = pattern (line == "..." ? "([^\n]*\n)*" : literal(line) "\n")
  while ((getline line <got) > 0) text = text line "\n"
  exit text !~ ("^" pattern "$")
}

function literal(line) {
  gsub(/[][\\.*+?(){}|^$]/, "\\\\&", line)
  gsub(/\\\.\\\.\\\./, "[^\n]*", line)
  return line
}
