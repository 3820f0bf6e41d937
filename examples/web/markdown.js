// An answer as HTML. It is hostile input: what a model says may be anything, a script included.

import DOMPurify from "dompurify";
import { marked } from "marked";

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
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

/** Shows a text. */
export function show(element, text) {
  const html = marked.parse(text, { gfm: true, breaks: true, async: false });
  element.replaceChildren(DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true }));
}
