/** What is shorter is no secret, and would tear words apart. */
const MIN_SECRET = 4;

/** A text from outside without what is secret in the query of a URL: gateways want their keys there, and some repeat them. */
export function redacted(text: string, query: string): string {
  const raw = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  const decoded = [...new URLSearchParams(query)].flat();
  return [query, query.replaceAll("&", "&amp;"), ...raw, ...decoded]
    .filter((secret) => secret.length >= MIN_SECRET)
    .sort((one, other) => other.length - one.length)
    .reduce((so, secret) => so.replaceAll(secret, "..."), text);
}
