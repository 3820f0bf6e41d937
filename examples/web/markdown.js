// An answer as HTML. It is hostile input: what a model says may be anything, a script included.

import DOMPurify from "dompurify";
import { marked } from "marked";

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
  // One from elsewhere would tell who reads, and one of this server would be a request to it.
  if (node.tagName === "IMG" && !/^data:image\//i.test(node.getAttribute("src") ?? "")) node.removeAttribute("src");
});

/** What Markdown makes, and no more: no forms, no styles, no frames; images only where they are in the text itself. */
const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol",
    "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["href", "src", "alt", "title", "start", "align", "target", "rel"],
  ALLOW_DATA_ATTR: false,
};

/** Beyond so many letters a text is shown as it is: Markdown can be such that it takes minutes. */
const LONGEST = 100_000;

/** Shows a text: as it is, if there is no making HTML of it. */
export function show(element, text) {
  element.replaceChildren(text.length > LONGEST ? plain(text) : formatted(text));
}

function formatted(text) {
  try {
    const html = marked.parse(text, { gfm: true, breaks: true, async: false });
    return DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true });
  } catch {
    // It is nested too deep: a thousand quotes within each other, say.
    return plain(text);
  }
}

function plain(text) {
  const pre = document.createElement("pre");
  pre.textContent = text;
  return pre;
}
