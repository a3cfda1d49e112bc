// Elements. All text comes in as text nodes and all attribute names from this page, so nothing can become markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element. Attributes that are null or false are left out; `onNAME` are listeners. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Sets text, and leaves a node alone that has it already: screen readers and selections notice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute likewise. */
export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The node in index.html with that id. */
export const part = (id) => document.getElementById(id);

/** A button that copies what `text` returns, and says so. */
export function copyButton(label, text) {
  const button = el('button', { type: 'button', class: 'quiet', onclick: copy }, label);
  async function copy() {
    const copied = await toClipboard(text());
    say(button, copied ? 'Copied' : 'Select it and copy by hand');
    setTimeout(() => say(button, label), 2000);
  }
  return button;
}

// Without TLS a page on another address than loopback has no clipboard.
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
